package import ModelGraph

/// Turns a calibrated float graph into a quantised one: uint8 activations, int8 weights per output channel.
///
/// - SeeAlso: Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", 2018, §3
package struct Quantizer {
    private let graph: Graph
    private let calibration: Calibration

    package init(_ graph: Graph, calibration: Calibration) {
        precondition(calibration.ranges.count == graph.values.count, "calibrated on another graph")
        self.graph = graph
        self.calibration = calibration
    }

    package func quantized() -> QuantizedGraph {
        let activations = activationQuantizations()
        let weights = graph.nodes.map { node in integerWeights(of: node, activations) }
        return QuantizedGraph(graph: graph, activations: activations, weights: weights)
    }

    // MARK: Activations

    /// One quantisation for each group of values that must share it.
    private func activationQuantizations() -> [ActivationQuantization?] {
        var groups = ValueGroups(count: graph.values.count)
        for node in graph.nodes where node.operation.keepsQuantization {
            let members = (node.inputs.compactMap(\.self) + node.outputs).filter {
                calibration.ranges[$0.index] != nil
            }
            for member in members.dropFirst() { groups.join(members[0].index, member.index) }
        }
        var ranges = [Int: ActivationRange]()
        for (index, range) in calibration.ranges.enumerated() {
            guard let range else { continue }
            ranges[groups.root(of: index), default: range].formUnion(range)
        }
        return calibration.ranges.indices.map { index in
            calibration.ranges[index] == nil ? nil : ranges[groups.root(of: index)].map(Self.quantization)
        }
    }

    /// Maps the range, widened to hold zero, to 0...255 such that zero is exact.
    package static func quantization(of range: ActivationRange) -> ActivationQuantization {
        let lower = Double(min(range.lower, 0))
        let upper = Double(max(range.upper, 0))
        // An activation that is always zero still needs a scale; any will do.
        let scale = upper > lower ? Float((upper - lower) / 255) : 1
        guard scale.isNormal else { return ActivationQuantization(scale: 1, zeroPoint: 0) }
        let zeroPoint = (-lower / Double(scale)).rounded(.toNearestOrEven)
        return ActivationQuantization(scale: scale, zeroPoint: UInt8(min(max(zeroPoint, 0), 255)))
    }

    // MARK: Weights

    private func integerWeights(of node: Node, _ activations: [ActivationQuantization?]) -> QuantizedWeights? {
        guard let input = node.inputs.first ?? nil, let inputQuantization = activations[input.index],
            activations[node.outputs[0].index] != nil, let matrix = node.constantWeights(in: graph),
            matrix.values.allSatisfy(\.isFinite), matrix.bias?.allSatisfy(\.isFinite) ?? true
        else { return nil }
        return Self.quantizedWeights(
            matrix.values, shape: matrix.shape, bias: matrix.bias, inputScale: inputQuantization.scale)
    }

    /// Symmetric, one scale for each row; the bias in units of input scale × weight scale.
    package static func quantizedWeights(_ values: [Float], shape: Shape, bias: [Float]?, inputScale: Float)
        -> QuantizedWeights
    {
        let rows = shape[0]
        let columns = rows == 0 ? 0 : values.count / rows
        var scales = [Float](repeating: 1, count: rows)
        var integers = [Int8](repeating: 0, count: values.count)
        var biases = [Int32](repeating: 0, count: rows)
        /// Biases stay below this, which leaves room in int32 for the products.
        let largestBias = Double(1 << 30)
        for row in 0..<rows {
            let range = row * columns..<(row + 1) * columns
            let largest = values[range].reduce(0) { max($0, abs($1)) }
            let rowBias = bias?[row] ?? 0
            var scale = Double(largest) / 127
            // A row of tiny weights and a large bias needs a coarser scale for the bias to fit.
            scale = max(scale, abs(Double(rowBias)) / (Double(inputScale) * largestBias))
            scales[row] = Float(scale) > 0 && Float(scale).isNormal ? Float(scale) : 1
            for index in range {
                let level = (values[index] / scales[row]).rounded(.toNearestOrEven)
                integers[index] = Int8(min(max(level, -127), 127))
            }
            let unit = Double(inputScale) * Double(scales[row])
            let level = (Double(rowBias) / unit).rounded(.toNearestOrEven)
            biases[row] = Int32(min(max(level, -largestBias), largestBias))
        }
        return QuantizedWeights(
            values: Tensor(integers, shape: shape), scales: scales, bias: Tensor(biases, shape: [rows]))
    }
}

extension ActivationRange {
    fileprivate mutating func formUnion(_ other: ActivationRange) { self = union(other) }
}

extension Operator {
    /// Operators whose results are some of their operands' elements: quantising both alike makes them exact.
    fileprivate var keepsQuantization: Bool {
        switch self {
        case .maxPool, .globalMaxPool, .concat, .reshape, .flatten, .squeeze, .unsqueeze, .transpose, .identity,
            .dropout,
            .slice, .split, .gather, .expand:
            true
        default: false
        }
    }
}

extension Node {
    /// The weights of a convolution as they are, or of a matrix product as `[O, K]`, with the bias, all constant.
    fileprivate func constantWeights(in graph: Graph) -> (values: [Float], shape: Shape, bias: [Float]?)? {
        guard inputs.count > 1, let weightsID = inputs[1], let weights = graph[weightsID].constant,
            weights.elementType == .float32
        else { return nil }
        var bias: Tensor?
        if inputs.count > 2, let biasID = inputs[2] {
            guard let constant = graph[biasID].constant else { return nil }
            bias = constant
        }
        switch operation {
        case .convolution:
            return (weights.array(of: Float.self), weights.shape, bias?.array(of: Float.self))
        case .gemm(let gemm):
            return Self.matrix(weights, gemm, bias)
        case .matrixProduct:
            return Self.matrix(weights, Gemm(), nil)
        default:
            return nil
        }
    }

    private static func matrix(
        _ weights: Tensor, _ gemm: Gemm, _ bias: Tensor?
    ) -> (values: [Float], shape: Shape, bias: [Float]?)? {
        guard weights.shape.rank == 2, !gemm.transposesA else { return nil }
        let source = weights.array(of: Float.self)
        let (outer, inner) = (weights.shape[0], weights.shape[1])
        let (rows, columns) = gemm.transposesB ? (outer, inner) : (inner, outer)
        var values = [Float](repeating: 0, count: source.count)
        for row in 0..<rows {
            for column in 0..<columns {
                values[row * columns + column] =
                    gemm.alpha * (gemm.transposesB ? source[row * inner + column] : source[column * inner + row])
            }
        }
        guard let bias else { return (values, [rows, columns], nil) }
        // One value for all, or one for each output; a column would be one for each image.
        let terms = bias.array(of: Float.self)
        guard terms.count == 1 || (terms.count == rows && bias.shape.last == rows) else { return nil }
        return (values, [rows, columns], (0..<rows).map { gemm.beta * terms[terms.count == 1 ? 0 : $0] })
    }
}

/// Disjoint sets of values.
private struct ValueGroups {
    private var parents: [Int]

    init(count: Int) {
        parents = Array(0..<count)
    }

    mutating func root(of index: Int) -> Int {
        var index = index
        while parents[index] != index {
            parents[index] = parents[parents[index]]
            index = parents[index]
        }
        return index
    }

    mutating func join(_ left: Int, _ right: Int) {
        parents[root(of: right)] = root(of: left)
    }
}
