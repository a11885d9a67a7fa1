package import ActivationCodec
package import ModelGraph

/// A boundary tensor as edge and cloud agree on it.
package struct BoundaryPort: Hashable, Sendable {
    package let name: String
    /// Logical: NCHW.
    package let shape: Shape
    package let quantization: ActivationQuantization

    /// What a frame states of it.
    package var signature: TensorSignature {
        TensorSignature(shape: shape.dimensions, scale: quantization.scale, zeroPoint: quantization.zeroPoint)
    }

    /// The boundary of `cut`, in its order.
    /// - Throws: `SplitExecutionError.unquantizedBoundary`.
    package static func ports(
        of cut: Cut, in quantized: QuantizedGraph
    ) throws(SplitExecutionError) -> [BoundaryPort] {
        try ports(of: cut.boundary, in: quantized)
    }

    static func ports(
        of values: [ValueID], in quantized: QuantizedGraph
    ) throws(SplitExecutionError) -> [BoundaryPort] {
        var ports: [BoundaryPort] = []
        for value in values {
            let name = quantized.graph[value].name
            guard let quantization = quantized[value] else {
                throw SplitExecutionError(
                    .unquantizedBoundary, "\(quantized.graph[value].type) has no quantisation, so it cannot be sent",
                    at: name)
            }
            ports.append(BoundaryPort(name: name, shape: quantized.graph[value].type.shape, quantization: quantization))
        }
        return ports
    }
}
