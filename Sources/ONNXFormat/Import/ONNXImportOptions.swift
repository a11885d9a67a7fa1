package import ModelGraph

/// What the file leaves open and the graph must know.
package struct ONNXImportOptions: Sendable {
    /// The extent of a symbolic first axis.
    package var batchSize: Int
    /// Extents of graph inputs by name, for those whose other axes are symbolic too.
    package var inputShapes: [String: [Int]]
    /// Graph inputs that become constants: they may then shape results, as Reshape's `shape` does.
    package var fixedInputs: [String: Tensor]
    /// The most bytes that constants computed during the import may take together.
    package var maximumFoldedByteCount: Int

    package init(
        batchSize: Int = 1, inputShapes: [String: [Int]] = [:], fixedInputs: [String: Tensor] = [:],
        maximumFoldedByteCount: Int = 2 << 30
    ) {
        self.batchSize = batchSize
        self.inputShapes = inputShapes
        self.fixedInputs = fixedInputs
        self.maximumFoldedByteCount = maximumFoldedByteCount
    }
}

/// Imports the model at `path`, which stays mapped while the graph's constants refer to it.
///
/// Operator sets 7 to 25 of the default domain, tensors only, no control flow. Nodes whose operands are all known are
/// evaluated on the way, so that shapes computed by the model become attributes; what no output needs is left out.
/// - Throws: `ONNXError`; any bytes import or throw.
package func importONNX(at path: String, options: ONNXImportOptions = ONNXImportOptions()) throws(ONNXError) -> Graph {
    let model = try ONNXModel(parsing: try MappedFile(path: path).storage)
    var importer = ONNXImporter(model, externalData: ExternalData(besides: path), options: options)
    return try importer.graph()
}

/// Imports a model from memory; its tensors may not lie in other files.
package func importONNX(
    _ storage: TensorStorage, options: ONNXImportOptions = ONNXImportOptions()
) throws(ONNXError) -> Graph {
    var importer = ONNXImporter(
        try ONNXModel(parsing: storage), externalData: ExternalData(besides: nil), options: options)
    return try importer.graph()
}

/// Reads a file that holds one TensorProto, as ONNX's conformance cases store operands and results.
package func readONNXTensor(at path: String) throws(ONNXError) -> (name: String, tensor: Tensor) {
    let message = ProtobufReader(try MappedFile(path: path).storage, message: "TensorProto")
    let tensor = try ONNXTensor(parsing: message)
    var externalData = ExternalData(besides: path)
    return (tensor.name, try tensor.tensor(externalData: &externalData))
}
