package import ModelGraph

/// How the ends of a written model look from outside.
package struct ONNXExportOptions: Sendable {
    /// Graph inputs that the model takes as uint8 and dequantises itself: a tail's boundary.
    package var quantizedInputs: [ValueID: ActivationQuantization]
    /// Graph outputs that the model gives as uint8, quantised by itself: a head's boundary.
    package var quantizedOutputs: [ValueID: ActivationQuantization]

    package init(
        quantizedInputs: [ValueID: ActivationQuantization] = [:], quantizedOutputs: [ValueID: ActivationQuantization] = [:]
    ) {
        self.quantizedInputs = quantizedInputs
        self.quantizedOutputs = quantizedOutputs
    }
}

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
