/// Whether a file is an image, judged by its name.
enum ImageFormat {
    private static let extensions: Set<String> = ["jpg", "jpeg", "png"]

    /// Hidden files are none: programs write them before they rename them.
    static func matches(fileName: String) -> Bool {
        guard !fileName.hasPrefix("."), let dot = fileName.lastIndex(of: ".") else { return false }
        return extensions.contains(fileName[fileName.index(after: dot)...].lowercased())
    }
}
