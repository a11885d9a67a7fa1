package import ModelGraph

/// How the ends of a written model look from outside.
package struct ONNXExportOptions: Sendable {
    /// Graph inputs that the model takes as uint8 and dequantises itself: a tail's boundary.
    package var quantizedInputs: [ValueID: ActivationQuantization]
    /// Graph outputs that the model gives as uint8, quantised by itself: a head's boundary.
    package var quantizedOutputs: [ValueID: ActivationQuantization]

    package init(
        quantizedInputs: [ValueID: ActivationQuantization] = [:],
        quantizedOutputs: [ValueID: ActivationQuantization] = [:]
    ) {
        self.quantizedInputs = quantizedInputs
        self.quantizedOutputs = quantizedOutputs
    }
}
