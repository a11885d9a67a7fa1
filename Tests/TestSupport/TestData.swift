package import FoundationEssentials

/// Networks and pictures that are too large for, or not allowed in, the repository.
package enum TestData {
    /// The folder that the environment variable `CLEAVE_TEST_DATA` names; tests that need it are disabled without.
    package static let directory: URL? = ProcessInfo.processInfo.environment["CLEAVE_TEST_DATA"].map {
        URL(filePath: $0, directoryHint: .isDirectory)
    }

    /// The file at `path` in the folder; `nil` when it is not there.
    package static func file(_ path: String) -> URL? {
        guard let url = directory?.appending(path: path) else { return nil }
        return FileManager.default.fileExists(atPath: url.path) ? url : nil
    }
}
