package import ModelGraph

/// Imports the model at `path`, which stays mapped while the graph's constants refer to it.
///
/// Operator sets 7 to 25 of the default domain, tensors only, no control flow. Nodes whose operands are all known are
/// evaluated on the way, so that shapes computed by the model become attributes; what no output needs is left out.
/// - Throws: `ONNXError`; any bytes import or throw.
package func importONNX(at path: String, options: ONNXImportOptions = ONNXImportOptions()) throws(ONNXError) -> Graph {
    let model = try ONNXModel(parsing: try TensorStorage.mapping(path))
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
    let message = ProtobufReader(try TensorStorage.mapping(path), message: "TensorProto")
    let tensor = try ONNXTensor(parsing: message)
    var externalData = ExternalData(besides: path)
    return (tensor.name, try tensor.tensor(externalData: &externalData))
}
