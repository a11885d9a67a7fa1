package import ModelGraph

/// Writes networks as quantised files keep them: activations between pairs of quantizeLinear and dequantizeLinear, weights
/// behind a dequantizeLinear.
package struct QuantizedFile {
    package var builder: GraphBuilder
    private var generator: SplitMix64
    /// Levels of weights go up to this, either way.
    package var largestLevel = 127

    package init(seed: UInt64) {
        builder = GraphBuilder(name: "stated", seed: seed)
        generator = SplitMix64(seed: seed)
    }

    package mutating func pair(_ name: String, _ x: ValueID, scale: Float, _ zeroPoint: Int) -> ValueID {
        let zero = zeroPoint < 0 ? Tensor(scalar: Int8(zeroPoint)) : Tensor(scalar: UInt8(zeroPoint))
        let parameters = [
            builder.constant("\(name).scale", Tensor(scalar: scale)), builder.constant("\(name).zero", zero),
        ]
        let levels = builder.node(
            "\(name).levels", .quantizeLinear(axis: 0, to: zero.elementType), [x] + parameters)
        return builder.node(name, .dequantizeLinear(axis: 0), [levels] + parameters)
    }

    /// int8 `[shape]` with a scale for each index of `axis`.
    package mutating func weights(_ name: String, _ shape: Shape, axis: Int) -> ValueID {
        let range = -largestLevel...largestLevel
        let levels: Tensor
        let zero: Tensor
        if largestLevel <= 127 {
            levels = Tensor(
                (0..<shape.elementCount).map { _ in Int8(Int.random(in: range, using: &generator)) }, shape: shape)
            zero = Tensor([Int8](repeating: 0, count: shape[axis]), shape: [shape[axis]])
        } else {
            // uint8 with a zero point off the middle.
            levels = Tensor(
                (0..<shape.elementCount).map { _ in UInt8.random(in: 0...255, using: &generator) }, shape: shape)
            zero = Tensor([UInt8](repeating: UInt8(largestLevel), count: shape[axis]), shape: [shape[axis]])
        }
        let scales = (0..<shape[axis]).map { _ in Float.random(in: 0.002...0.004, using: &generator) }
        return builder.node(
            name, .dequantizeLinear(axis: axis),
            builder.constant("\(name).levels", levels),
            builder.constant("\(name).scales", Tensor(scales, shape: [scales.count])),
            builder.constant("\(name).zero", zero))
    }

    package mutating func convolution(_ name: String, _ x: ValueID, outputs: Int, groups: Int = 1) -> ValueID {
        let channels = builder.shape(x)[1]
        let weights = weights("\(name).w", [outputs, channels / groups, 3, 3], axis: 0)
        let bias = builder.constant("\(name).b", [outputs], in: -0.2...0.2)
        let window = Window(kernel: [3, 3], padsBegin: [1, 1], padsEnd: [1, 1])
        return builder.node(
            name, .convolution(Convolution(window: window, groups: groups)), x, weights, bias)
    }

    /// Convolutions plain and by channel, an addition, poolings, a matrix product, int8 and uint8 activations.
    package static func network(seed: UInt64, largestLevel: Int = 127) -> Graph {
        var writer = QuantizedFile(seed: seed)
        writer.largestLevel = largestLevel
        let x = writer.pair("x.q", writer.builder.input("x", [1, 3, 12, 12]), scale: 0.008, 127)
        let first = writer.builder.relu("first.relu", writer.convolution("first", x, outputs: 8))
        let a = writer.pair("a", first, scale: 0.012, 0)
        let deep = writer.pair("deep", writer.convolution("depthwise", a, outputs: 8, groups: 8), scale: 0.01, -3)
        let wide = writer.pair("wide", writer.convolution("second", deep, outputs: 8), scale: 0.02, 120)
        let sum = writer.pair(
            "sum", writer.builder.node("add", .binary(.add, activation: nil), wide, a), scale: 0.015, 90)
        let pooled = writer.builder.node(
            "pooled", .maxPool(Pooling(window: Window(kernel: [2, 2], strides: [2, 2]))), sum)
        let same = writer.pair("pooled.q", pooled, scale: 0.015, 90)
        let mean = writer.pair("mean", writer.builder.node("average", .globalAveragePool, same), scale: 0.006, 100)
        let flat = writer.builder.node("flat", .flatten(axis: 1), mean)
        let product = writer.builder.node(
            "product", .gemm(Gemm(transposesB: true)), flat, writer.weights("product.w", [10, 8], axis: 0))
        writer.builder.output(writer.pair("logits", product, scale: 0.01, -1))
        return writer.builder.graph
    }
}
