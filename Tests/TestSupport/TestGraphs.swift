package import ModelGraph

/// Small networks with the shapes that matter to cuts: a chain, a shortcut, branches, several outputs.
package enum TestGraphs {
    /// Convolutions one after another, no branch: 1×3×16×16 → 1×10.
    package static func chain(seed: UInt64 = 1) -> Graph {
        var builder = GraphBuilder(name: "chain", seed: seed)
        let input = builder.input("image", [1, 3, 16, 16])
        let first = builder.convolution("conv1", input, outputs: 8, stride: 2, activation: .relu)
        let depthwise = builder.convolution("conv2", first, outputs: 8, groups: 8, activation: .relu6)
        let pointwise = builder.convolution("conv3", depthwise, outputs: 16, kernel: 1, activation: .relu6)
        builder.output(builder.classifier("logits", pointwise, outputs: 10))
        return builder.graph
    }

    /// Two residual blocks, the second with a strided projection: 1×3×16×16 → 1×10.
    package static func residual(seed: UInt64 = 2) -> Graph {
        var builder = GraphBuilder(name: "residual", seed: seed)
        let input = builder.input("image", [1, 3, 16, 16])
        let stem = builder.convolution("stem", input, outputs: 8, activation: .relu)
        let first = builder.convolution("block1.conv1", stem, outputs: 8, activation: .relu)
        let second = builder.convolution("block1.conv2", first, outputs: 8)
        let sum = builder.node("block1", .binary(.add, activation: .relu), second, stem)
        let third = builder.convolution("block2.conv1", sum, outputs: 16, stride: 2, activation: .relu)
        let fourth = builder.convolution("block2.conv2", third, outputs: 16)
        let projection = builder.convolution("block2.projection", sum, outputs: 16, kernel: 1, stride: 2)
        let secondSum = builder.node("block2", .binary(.add, activation: .relu), fourth, projection)
        builder.output(builder.classifier("logits", secondSum, outputs: 10))
        return builder.graph
    }

    /// Branches of several kernels and a pooling, concatenated: 1×3×16×16 → 1×10.
    package static func concatenation(seed: UInt64 = 3) -> Graph {
        var builder = GraphBuilder(name: "concatenation", seed: seed)
        let input = builder.input("image", [1, 3, 16, 16])
        let stem = builder.convolution("stem", input, outputs: 8, stride: 2, activation: .relu)
        let narrow = builder.convolution("narrow", stem, outputs: 4, kernel: 1, activation: .relu)
        let wide = builder.convolution("wide", narrow, outputs: 8, activation: .relu)
        let window = Window(kernel: [3, 3], padsBegin: [1, 1], padsEnd: [1, 1])
        let pooled = builder.node("pooled", .maxPool(Pooling(window: window)), stem)
        let joined = builder.node("joined", .concat(axis: 1), narrow, wide, pooled)
        let last = builder.convolution("last", joined, outputs: 12, stride: 2, activation: .relu)
        builder.output(builder.classifier("logits", last, outputs: 10))
        return builder.graph
    }

    /// A shared trunk, an early classifier, boxes and scores, as detectors have: 1×3×16×16 → 1×4, 1×8×8×8, 1×2×8×8.
    package static func severalOutputs(seed: UInt64 = 4) -> Graph {
        var builder = GraphBuilder(name: "severalOutputs", seed: seed)
        let input = builder.input("image", [1, 3, 16, 16])
        let trunk = builder.convolution("trunk", input, outputs: 8, activation: .relu)
        let early = builder.classifier("early", trunk, outputs: 4)
        let deeper = builder.convolution("deeper", trunk, outputs: 8, stride: 2, activation: .relu)
        let boxes = builder.convolution("boxes", deeper, outputs: 8)
        let scores = builder.convolution("scores", deeper, outputs: 2, kernel: 1)
        let probabilities = builder.node("probabilities", .softmax(Softmax(axis: 1)), scores)
        for output in [early, boxes, probabilities] { builder.output(output) }
        return builder.graph
    }

    package static var all: [Graph] { [chain(), residual(), concatenation(), severalOutputs()] }
}
