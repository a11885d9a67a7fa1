/// Asymmetric uint8 quantisation of an activation: `real = scale · (q − zeroPoint)`.
///
/// - SeeAlso: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
///   Inference", CVPR 2018, §2.1
package struct ActivationQuantization: Hashable, Sendable, Codable {
    /// Finite and > 0.
    package let scale: Float
    package let zeroPoint: UInt8

    /// - Precondition: `scale` is finite and > 0; untrusted scales enter through `init(validating:zeroPoint:)`.
    package init(scale: Float, zeroPoint: UInt8) {
        precondition(scale.isFinite && scale > 0)
        self.scale = scale
        self.zeroPoint = zeroPoint
    }

    /// `nil` when `scale` is not a positive finite number.
    package init?(validating scale: Float, zeroPoint: UInt8) {
        guard scale.isFinite, scale > 0 else { return nil }
        self.init(scale: scale, zeroPoint: zeroPoint)
    }

    /// Round half to even, saturate; NaN becomes the zero point.
    package func quantize(_ value: Float) -> UInt8 {
        guard !value.isNaN else { return zeroPoint }
        let level = (value / scale).rounded(.toNearestOrEven) + Float(zeroPoint)
        return UInt8(min(max(level, 0), 255))
    }

    package func dequantize(_ level: UInt8) -> Float {
        Float(Int32(level) - Int32(zeroPoint)) * scale
    }

    private enum CodingKeys: String, CodingKey {
        case scale, zeroPoint
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let scale = try container.decode(Float.self, forKey: .scale)
        guard let valid = Self(validating: scale, zeroPoint: try container.decode(UInt8.self, forKey: .zeroPoint))
        else {
            throw DecodingError.dataCorruptedError(
                forKey: .scale, in: container, debugDescription: "scale \(scale) is not a positive finite number")
        }
        self = valid
    }
}

/// Symmetric int8 weights of a convolution or matrix product, one scale an output channel.
package struct QuantizedWeights: Sendable {
    /// int8, `[O, C/groups, k…]` for a convolution, `[O, K]` for a matrix product whatever the float layout was.
    package let values: Tensor
    /// `O` scales; `real weight = scales[o] · q`.
    package let scales: [Float]
    /// int32 `[O]` in units of input scale × weight scale.
    package let bias: Tensor

    package init(values: Tensor, scales: [Float], bias: Tensor) {
        precondition(values.elementType == .int8 && bias.elementType == .int32)
        precondition(values.shape.first == scales.count && bias.shape.elementCount == scales.count)
        self.values = values
        self.scales = scales
        self.bias = bias
    }
}

/// A graph with what integer execution needs: a quantisation for each activation and integer weights.
///
/// A node runs in integers when every activation it touches is quantised and the engine has the operator in integers;
/// any other node runs in float32 on dequantised operands. Its result is quantised where an integer node or a boundary
/// reads it, and stays float32 between float32 nodes.
package struct QuantizedGraph: Sendable {
    package let graph: Graph
    /// By value index; `nil` for constants and for activations kept in float32.
    package let activations: [ActivationQuantization?]
    /// By node index; `nil` for nodes without integer weights.
    package let weights: [QuantizedWeights?]

    package init(graph: Graph, activations: [ActivationQuantization?], weights: [QuantizedWeights?]) {
        precondition(activations.count == graph.values.count && weights.count == graph.nodes.count)
        self.graph = graph
        self.activations = activations
        self.weights = weights
    }

    package subscript(value: ValueID) -> ActivationQuantization? { activations[value.index] }
}

extension QuantizedGraph {
    /// The part that computes `outputs` from `inputs`, with its share of the quantisation.
    /// - Throws: as `Graph.extracting(inputs:outputs:name:)`.
    /// - SeeAlso: ``Graph/extracting(inputs:outputs:name:)``
    package func extracting(
        inputs: [ValueID], outputs: [ValueID], name: String
    ) throws(GraphError) -> QuantizedGraph {
        let part = try graph.extracting(inputs: inputs, outputs: outputs, name: name)
        let originals = Dictionary(graph.values.enumerated().map { ($1.name, $0) }) { first, _ in first }
        let producers = graph.producers()
        return QuantizedGraph(
            graph: part,
            activations: part.values.map { value in originals[value.name].flatMap { activations[$0] } },
            weights: part.nodes.map { node in
                // Results name a node better than its own name, which files may repeat.
                guard let output = originals[part[node.outputs[0]].name], let producer = producers[output] else {
                    return nil
                }
                return weights[producer.index]
            })
    }
}
