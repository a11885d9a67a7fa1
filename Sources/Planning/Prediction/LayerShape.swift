package import ModelGraph

/// What the time of a layer depends on, whatever network it stands in.
package struct LayerShape: Hashable, Sendable {
    /// The operator, and of convolutions which of the engine's ways fits them: `pointwise`, `depthwise`, `3x3`, `first`,
    /// `grouped`, `window`. Operators that only name elements anew are `rename`.
    package var kind: String
    /// Positions of the output image, all images together.
    package var pixels: Int
    /// Of one group.
    package var inputChannels: Int
    package var outputChannels: Int
    package var groups: Int
    /// Taps of the window.
    package var taps: Int
    /// Along an axis.
    package var stride: Int
    package var inputElements: Int
    package var outputElements: Int
    package var weights: Int
    /// The convolution does the addition after it on the way; the addition is then `fused add` and takes next to nothing.
    package var addsOnTheWay: Bool

    package var multiplyAdds: Double {
        Double(pixels) * Double(taps) * Double(inputChannels) * Double(outputChannels) * Double(groups)
    }
}

/// One line of text, since a machine's characterisation holds hundreds: kind, pixels, input channels, output channels, groups, taps,
/// stride, elements in, elements out, weights, and 1 for an addition on the way.
extension LayerShape: Codable {
    private var counts: [Int] {
        [
            pixels, inputChannels, outputChannels, groups, taps, stride, inputElements, outputElements, weights,
            addsOnTheWay ? 1 : 0,
        ]
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        let words = text.split(separator: " ")
        let counts = words.suffix(10).compactMap { Int($0) }
        guard words.count > 10, counts.count == 10, counts.allSatisfy({ (0...1 << 40).contains($0) }) else {
            throw decoder.invalidNumber("expected a kind and ten counts in 0...2^40, got \"\(text)\"")
        }
        kind = words.dropLast(10).joined(separator: " ")
        (pixels, inputChannels, outputChannels, groups) = (counts[0], counts[1], counts[2], counts[3])
        (taps, stride) = (counts[4], counts[5])
        (inputElements, outputElements, weights) = (counts[6], counts[7], counts[8])
        addsOnTheWay = counts[9] == 1
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(([kind] + counts.map(String.init)).joined(separator: " "))
    }
}

extension LayerShape {
    /// - Parameter fused: the additions that convolutions do on the way, and those convolutions, by node.
    fileprivate init(_ node: Node, in graph: Graph, fused: FusedAdditions, id: Int) {
        let activations = node.inputs.compactMap { $0 }.filter { graph[$0].constant == nil }
        let constants = node.inputs.compactMap { $0 }.filter { graph[$0].constant != nil }
        let output = graph[node.outputs[0]].type.shape
        inputElements = activations.reduce(0) { $0 + graph[$1].type.shape.elementCount }
        outputElements = node.outputs.reduce(0) { $0 + graph[$1].type.shape.elementCount }
        weights = constants.reduce(0) { $0 + graph[$1].type.shape.elementCount }
        let channels = output.rank > 1 ? output[1] : 1
        pixels = channels > 0 ? output.elementCount / channels : 0
        (inputChannels, outputChannels, groups, taps, stride) = (0, channels, 1, 1, 1)
        addsOnTheWay = fused.convolutions.contains(id)
        kind = fused.additions.contains(id) ? "fused add" : node.operation.kind
        switch node.operation {
        case .convolution(let convolution):
            let input = activations.first.map { graph[$0].type.shape } ?? [1, 1]
            groups = convolution.groups
            inputChannels = (input.rank > 1 ? input[1] : 1) / max(1, groups)
            outputChannels = channels / max(1, groups)
            taps = convolution.window.kernel.reduce(1, *)
            stride = convolution.window.strides.max() ?? 1
            kind = Self.kind(of: convolution, self)
        case .gemm, .matrixProduct:
            inputChannels = output.elementCount > 0 ? max(1, weights) / max(1, channels) : 0
        case .maxPool(let pooling), .averagePool(let pooling):
            taps = pooling.window.kernel.reduce(1, *)
            stride = pooling.window.strides.max() ?? 1
        case .globalAveragePool, .globalMaxPool:
            taps = inputElements / max(1, outputElements)
        case .reshape, .flatten, .squeeze, .unsqueeze, .identity, .dropout, .shape:
            kind = "rename"
        default: break
        }
    }

    private static func kind(of convolution: Convolution, _ shape: LayerShape) -> String {
        if convolution.groups > 1 {
            return shape.inputChannels == 1 && shape.outputChannels == 1 ? "depthwise" : "grouped"
        }
        if shape.inputChannels <= 4 { return "first" }
        if convolution.window.kernel.allSatisfy({ $0 == 1 }) { return "pointwise" }
        let isPlain = convolution.window.kernel == [3, 3] && convolution.window.dilations == [1, 1]
        return isPlain && shape.stride == 1 ? "3x3" : "window"
    }
}

extension Graph {
    /// By node.
    package var layerShapes: [LayerShape] {
        let fused = FusedAdditions(self)
        return nodes.enumerated().map { LayerShape($1, in: self, fused: fused, id: $0) }
    }
}

/// Additions of two images of one shape one of which a convolution computes for nobody else: the engine does them while the
/// convolution's sums are in registers.
private struct FusedAdditions {
    var additions: Set<Int> = []
    var convolutions: Set<Int> = []

    init(_ graph: Graph) {
        let producers = graph.producers()
        let consumers = graph.consumers()
        for (id, node) in graph.nodes.enumerated() {
            guard case .binary(.add, _) = node.operation, case let operands = node.inputs.compactMap({ $0 }),
                operands.count == 2, operands.allSatisfy({ graph[$0].constant == nil }),
                graph[operands[0]].type.shape == graph[operands[1]].type.shape
            else { continue }
            let convolution = operands.compactMap { operand -> Int? in
                guard let producer = producers[operand.index], consumers[operand.index] == [NodeID(id)],
                    case .convolution = graph[producer].operation
                else { return nil }
                return producer.index
            }.max()
            if let convolution {
                additions.insert(id)
                convolutions.insert(convolution)
            }
        }
    }
}
