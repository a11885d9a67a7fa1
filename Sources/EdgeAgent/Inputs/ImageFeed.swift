private import FoundationEssentials
private import Glibc

/// Where the agent's images come from.
package enum ImageFeed: Sendable {
    /// These files, in order.
    case files([String])
    /// Images that appear in a folder, until the agent is stopped; those already there come first.
    case folder(String, interval: Duration)

    /// The images' paths, produced as fast as they are taken.
    package func images(clock: any Clock<Duration> = ContinuousClock()) -> ImagePaths {
        switch self {
        case .files(let paths): ImagePaths(source: .list(paths[...]))
        case .folder(let path, let interval):
            ImagePaths(source: .folder(path, interval, FolderWatch(), ready: []), clock: clock)
        }
    }
}

/// The paths of images, one at a time.
package struct ImagePaths: AsyncSequence, AsyncIteratorProtocol, Sendable {
    fileprivate enum Source: Sendable {
        case list(ArraySlice<String>)
        case folder(String, Duration, FolderWatch, ready: ArraySlice<String>)
    }

    private var source: Source
    private let clock: any Clock<Duration>

    fileprivate init(source: Source, clock: any Clock<Duration> = ContinuousClock()) {
        self.source = source
        self.clock = clock
    }

    package func makeAsyncIterator() -> ImagePaths { self }

    /// - Throws: `EdgeError.unreadableFolder`, or `CancellationError` while waiting.
    package mutating func next() async throws -> String? {
        switch source {
        case .list(var paths):
            let path = paths.popFirst()
            source = .list(paths)
            return path
        case .folder(let folder, let interval, var watch, var ready):
            while ready.isEmpty {
                ready = watch.update(try Self.list(folder))[...]
                if ready.isEmpty { try await clock.sleep(for: interval) }
            }
            let name = ready.removeFirst()
            source = .folder(folder, interval, watch, ready: ready)
            return folder + "/" + name
        }
    }

    private static func list(_ folder: String) throws(EdgeError) -> [FolderWatch.Entry] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw EdgeError(.unreadableFolder, "no such folder, or it cannot be listed", at: folder)
        }
        // A file that vanished since it was listed is not there.
        return names.compactMap { name in
            var status = stat()
            guard stat(folder + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            return FolderWatch.Entry(
                name: name, byteCount: status.st_size,
                modified: Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) * 1e-9)
        }
    }
}
