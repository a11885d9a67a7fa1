internal import InferenceEngine
internal import ModelGraph

extension InferenceSession {
    /// Writes float32 tensors, one for each input, row-major, into the forms that the inputs are prepared in.
    /// - Throws: `SplitExecutionError.inputMismatch`.
    func feed(_ tensors: [Tensor]) throws(SplitExecutionError) {
        guard tensors.count == model.inputs.count else {
            throw SplitExecutionError(
                .inputMismatch, "expected \(model.inputs.count) tensors, got \(tensors.count)", at: model.name)
        }
        for (index, tensor) in tensors.enumerated() {
            let port = model.inputs[index]
            guard tensor.type == port.type else {
                throw SplitExecutionError(.inputMismatch, "expected \(port.type), got \(tensor.type)", at: port.name)
            }
            let target = input(index)
            let layout = port.form.layout
            if let quantization = port.form.quantization {
                let codes = target.bindMemory(to: UInt8.self)
                tensor.forEachElement(in: layout) { codes[$0] = quantization.quantize($1) }
            } else if port.type.elementType == .float32 {
                let values = target.bindMemory(to: Float.self)
                tensor.forEachElement(in: layout) { values[$0] = $1 }
            } else {
                tensor.withUnsafeBytes { target.copyMemory(from: $0) }
            }
        }
    }
}
