package import ModelGraph

/// Writes `graph` as an ONNX model, weights included.
///
/// Operator set 17, or the first that has what the graph uses. Names of inputs and outputs are the graph's; fused
/// activations become nodes of their own.
/// - Throws: `ONNXError.notExportable` for what ONNX cannot say, `invalidOption` for a quantisation of a value that is
///   no float32 input or output, `tooLarge` beyond protobuf's 2 GiB.
package func exportONNX(
    _ graph: Graph, options: ONNXExportOptions = ONNXExportOptions()
) throws(ONNXError) -> [UInt8] {
    var exporter = ONNXExporter(graph, options: options)
    return try exporter.model()
}

/// Writes an integer network as an ONNX model in QDQ form: runtimes that know it compute in integers, all others what integers
/// would compute, but for the rounding of sums.
/// - Throws: as for a graph in float32.
package func exportONNX(
    _ quantized: QuantizedGraph, options: ONNXExportOptions = ONNXExportOptions()
) throws(ONNXError) -> [UInt8] {
    let quantized = quantized.withIntegerProducts()
    var exporter = ONNXExporter(quantized.graph, integers: quantized, options: options)
    return try exporter.model()
}
