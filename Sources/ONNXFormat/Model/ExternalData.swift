private import Glibc
internal import ModelGraph

/// Tensor data in files beside the model. Only plain relative paths inside the model's folder are followed.
struct ExternalData {
    /// `nil` when the model is not a file: then there is nothing beside it.
    private let folder: String?
    private var mapped: [String: TensorStorage] = [:]

    init(besides modelPath: String?) {
        folder = modelPath.map { path in
            guard let slash = path.lastIndex(of: "/") else { return "." }
            return slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }

    /// Where the data of tensor `name` lies, `entries` being its external_data.
    mutating func range(
        of name: String, entries: [String: String], byteCount: Int
    ) throws(ONNXError) -> (storage: TensorStorage, offset: Int) {
        guard let folder else { throw Self.failure("there is no folder to look in", name) }
        guard let location = entries["location"], Self.isSafe(location) else {
            throw Self.failure(
                "the location must be a relative path inside the model's folder", name,
                got: entries["location"] ?? "none")
        }
        let storage = try storage(name, folder: folder, location: location)
        let offset = try Self.number(entries["offset"] ?? "0", "offset", name)
        let length = try entries["length"].map { (text) throws(ONNXError) in try Self.number(text, "length", name) }
        guard length ?? byteCount == byteCount else {
            throw Self.failure(
                "the length does not fit the tensor", name, expected: "\(byteCount)", got: "\(length ?? 0)")
        }
        guard offset <= storage.bytes.count, byteCount <= storage.bytes.count - offset else {
            throw Self.failure(
                "the file \(location) is too short", name, expected: "\(byteCount) bytes at \(offset)",
                got: "\(storage.bytes.count) bytes")
        }
        return (storage, offset)
    }

    private mutating func storage(_ name: String, folder: String, location: String) throws(ONNXError) -> TensorStorage {
        if let storage = mapped[location] { return storage }
        // A symbolic link may lead outside even where the path does not.
        guard let root = Self.resolved(folder), let path = Self.resolved(folder + "/" + location) else {
            throw Self.failure("the file \(location) does not exist", name)
        }
        guard path.hasPrefix(root.hasSuffix("/") ? root : root + "/") else {
            throw Self.failure("the file \(location) leads outside the model's folder", name)
        }
        let storage = try TensorStorage.mapping(path)
        mapped[location] = storage
        return storage
    }

    private static func isSafe(_ path: String) -> Bool {
        !path.isEmpty && !path.utf8.contains(0) && !path.hasPrefix("/")
            && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { !["", ".."].contains($0) }
    }

    private static func resolved(_ path: String) -> String? {
        guard let absolute = realpath(path, nil) else { return nil }
        defer { free(absolute) }
        return String(cString: absolute)
    }

    private static func number(_ text: String, _ what: String, _ name: String) throws(ONNXError) -> Int {
        guard let value = Int(text), value >= 0 else {
            throw failure("the \(what) is no count of bytes", name, got: text)
        }
        return value
    }

    private static func failure(
        _ what: String, _ name: String, expected: String? = nil, got: String? = nil
    ) -> ONNXError {
        ONNXError(.externalData, "external data: \(what)", at: .value(name), expected: expected, got: got)
    }
}
