internal import ModelGraph

extension TensorStorage {
    /// The bytes of a file, mapped.
    /// - Throws: `ONNXError.unreadableFile`
    static func mapping(_ path: String) throws(ONNXError) -> TensorStorage {
        do throws(GraphError) {
            return try MappedFile(path: path).storage
        } catch {
            throw ONNXError(.unreadableFile, error.message, at: .file(path))
        }
    }
}
