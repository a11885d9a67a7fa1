/// Finds the images in a folder that are completely written, each once, from one listing after another.
///
/// A pure state machine: a file counts as written when its size and time of change are the same in two listings in a row.
/// A file that changes later is a new one.
package struct FolderWatch: Sendable {
    package struct Entry: Hashable, Sendable {
        package let name: String
        package let byteCount: Int
        /// Seconds since any fixed moment.
        package let modified: Double

        package init(name: String, byteCount: Int, modified: Double) {
            self.name = name
            self.byteCount = byteCount
            self.modified = modified
        }
    }

    /// What each file was in the last listing, and whether that form of it was reported.
    private var seen: [String: (entry: Entry, isReported: Bool)] = [:]

    package init() {}

    /// Takes in a listing and returns the names of the images that are ready now, oldest first.
    package mutating func update(_ listing: [Entry]) -> [String] {
        var next: [String: (entry: Entry, isReported: Bool)] = [:]
        var ready: [Entry] = []
        for entry in listing where ImageFormat.matches(fileName: entry.name) {
            let isUnchanged = seen[entry.name]?.entry == entry
            var isReported = isUnchanged && seen[entry.name]?.isReported == true
            if isUnchanged, !isReported, entry.byteCount > 0 {
                ready.append(entry)
                isReported = true
            }
            next[entry.name] = (entry, isReported)
        }
        seen = next
        return ready.sorted { ($0.modified, $0.name) < ($1.modified, $1.name) }.map(\.name)
    }
}
