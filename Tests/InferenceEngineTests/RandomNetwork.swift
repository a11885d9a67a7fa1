internal import ModelGraph
internal import TestSupport

/// Random small networks over everything the engine has a kernel for, in shapes that trip kernels up: several images,
/// one channel, one pixel, grouped convolutions, dilations, odd windows, concatenations along any axis.
enum RandomNetwork {
    enum Operators {
        case all
        /// What runs in integers, and what moves elements without computing.
        case integer
    }

    static func make(seed: UInt64, _ operators: Operators = .all, nodeCount: Int = 14) -> Graph {
        var author = Author(seed: seed, operators)
        for index in 0..<nodeCount { author.addNode("n\(index)") }
        return author.finish()
    }

    private struct Author {
        private let operators: Operators
        private var builder: GraphBuilder
        private var generator: SplitMix64
        private var live: [ValueID] = []
        private var nodeValues: [ValueID] = []

        init(seed: UInt64, _ operators: Operators) {
            self.operators = operators
            builder = GraphBuilder(name: "random-\(seed)", seed: seed &+ 1)
            generator = SplitMix64(seed: seed)
            let shape = Shape([pick(1...3), pick(1...20), pick(1...11), pick(1...11)])
            live = [builder.input("x", shape)]
            if isHeads() { live.append(builder.input("y", isHeads() ? shape : [2, 5])) }
        }

        private mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

        private mutating func isHeads() -> Bool { Bool.random(using: &generator) }

        private mutating func pick<Element>(_ elements: [Element]) -> Element {
            elements[Int.random(in: elements.indices, using: &generator)]
        }

        mutating func addNode(_ name: String) {
            let x = pick(Array(live.suffix(isHeads() ? 1 : 5)))
            let result = builder.shape(x).rank == 4 ? ofImages(name, x) : ofMatrices(name, x)
            live.append(result)
            nodeValues.append(result)
        }

        private mutating func ofImages(_ name: String, _ x: ValueID) -> ValueID {
            if pick(0...3) == 0 { return block(name, x) }
            switch pick(0...(operators == .all ? 29 : 19)) {
            case 0...4: return convolution(name, x)
            case 5: return builder.node(name, .maxPool(pooling(x)), x)
            case 6, 7: return builder.node(name, .averagePool(pooling(x)), x)
            case 8:
                // Seldom, for little can follow one pixel.
                guard pick(0...2) == 0 else { return unary(name, x) }
                let mean = Reduction(kind: .mean, axes: pick([[2, 3], [-1, -2]]), keepsDimensions: isHeads())
                return builder.node(name, pick([.globalAveragePool, .globalMaxPool, .reduce(mean)]), x)
            case 9: return unary(name, x)
            case 10, 11: return binary(name, x)
            case 12, 13: return concatenation(name, x)
            case 14:
                return builder.node(
                    name, .transpose(permutation: pick([[0, 2, 3, 1], [0, 3, 1, 2], [1, 0, 2, 3], [0, 1, 3, 2]])), x)
            case 15: return builder.node(name, pick([.identity, .dropout]), x)
            case 16: return rearranged(name, x)
            case 17:
                let last = builder.shape(x)[3]
                return builder.node(name, .slice(Slice(starts: [last / 2], ends: [last], axes: [3], steps: [1])), x)
            case 18, 19: return movement(name, x)
            case 20: return builder.batchNormalization(name, x)
            case 21:
                let function: BinaryFunction = pick([.add, .subtract, .multiply, .maximum])
                let operand = builder.constant("\(name).c", [builder.shape(x)[1], 1, 1])
                return builder.node(name, .binary(function, activation: nil), x, operand)
            case 22:
                return builder.node(name, .localResponseNormalization(.init(size: pick(1...5), alpha: 0.1)), x)
            case 23: return resize(name, x)
            case 24, 25: return normalization(name, x)
            case 26, 27: return broadcast(name, x)
            case 28: return reduction(name, x)
            default: return softmax(name, x)
            }
        }

        // MARK: What has no kernel in C

        private mutating func movement(_ name: String, _ x: ValueID) -> ValueID {
            let shape = builder.shape(x)
            switch pick(0...7) {
            case 0:
                let groups = pick((1...shape[1]).filter { shape[1].isMultiple(of: $0) })
                return builder.node(name, .channelShuffle(groups: groups), x)
            case 1 where shape[1].isMultiple(of: 4):
                return builder.node(
                    name, .depthToSpace(blockSize: 2, order: pick([.depthColumnRow, .columnRowDepth])), x)
            case 2 where shape[2].isMultiple(of: 2) && shape[3].isMultiple(of: 2) && shape[1] <= 20:
                return builder.node(name, .spaceToDepth(blockSize: 2), x)
            case 3:
                let axis = pick(2...3)
                guard shape[axis] > 1 else { return builder.node(name, .transpose(permutation: [0, 3, 2, 1]), x) }
                return builder.node(
                    name,
                    .slice(
                        Slice(
                            starts: [pick(0...1), -1], ends: [1 << 40, -(1 << 40)], axes: [axis, pick(0...1)],
                            steps: [2, -1])), x)
            case 4:
                let pads = (0..<8).map { _ in pick(0...1) }
                let mode: Pad.Mode = pick([.constant, .edge, .reflect, .wrap])
                return builder.node(
                    name,
                    .pad(Pad(mode: mode, begins: Array(pads.prefix(4)), ends: Array(pads.suffix(4)), value: 0.25)), x)
            case 5:
                let axis = pick(0...3)
                let indices = builder.constant(
                    "\(name).indices",
                    Tensor((0..<3).map { _ in Int64(pick(-shape[axis]...shape[axis] - 1)) }, shape: [3]))
                return builder.node(name, .gather(axis: axis), x, indices)
            case 6:
                return builder.node(name, .transpose(permutation: [0, 1, 2, 3].shuffled(using: &generator)), x)
            default: return resize(name, x, isNearest: true)
            }
        }

        private mutating func resize(_ name: String, _ x: ValueID, isNearest: Bool = false) -> ValueID {
            let shape = builder.shape(x).dimensions
            let scales = [pick([0.5, 1, 1.5, 2]), pick([0.75, 1, 2, 3])].map(Float.init)
            let extents = zip(shape.suffix(2), scales).map { max(Int(Float($0) * $1), 1) }
            guard extents.allSatisfy({ $0 <= 24 }) else { return builder.node(name, .identity, x) }
            return builder.node(
                name,
                .resize(
                    Resize(
                        extents: shape.prefix(2) + extents, scales: [1, 1] + scales,
                        interpolation: isNearest
                            ? .nearest(pick([.down, .halfDown])) : pick([.linear, .cubic(coefficient: -0.5)]),
                        coordinates: pick([.halfPixel, .asymmetric, .alignCorners]),
                        antialiases: !isNearest && isHeads())),
                x)
        }

        private mutating func normalization(_ name: String, _ x: ValueID) -> ValueID {
            let shape = builder.shape(x)
            if isHeads() {
                let groups = pick((1...shape[1]).filter { shape[1].isMultiple(of: $0) })
                let parameters = ["scale", "bias"].map { builder.constant("\(name).\($0)", [shape[1]]) }
                return builder.node(
                    name, .groupNormalization(GroupNormalization(groups: groups, epsilon: 0.1)), [x] + parameters)
            }
            let axis = pick(1...3)
            let scale = builder.constant("\(name).scale", Shape(Array(shape[axis...])))
            let bias = isHeads() ? [builder.constant("\(name).bias", Shape(Array(shape[axis...])))] : []
            return builder.node(
                name, .layerNormalization(LayerNormalization(axis: axis - (isHeads() ? 4 : 0), epsilon: 0.1)),
                [x, scale] + bias)
        }

        private mutating func broadcast(_ name: String, _ x: ValueID) -> ValueID {
            let shape = builder.shape(x).dimensions
            let function: BinaryFunction = pick([
                .add, .subtract, .multiply, .divide, .maximum, .minimum, .power, .prelu,
            ])
            var extents = shape.map { isHeads() ? $0 : 1 }
            if isHeads() { extents.removeFirst(pick(0...3)) }
            let constant = builder.constant("\(name).c", Shape(extents), in: 0.5...2)
            let operand = function == .power ? builder.node("\(name).positive", .unary(.absolute), x) : x
            let operands =
                function == .prelu || function == .power || function == .divide || isHeads()
                ? [operand, constant] : [constant, operand]
            return builder.node(name, .binary(function, activation: isHeads() ? .relu6 : nil), operands)
        }

        private mutating func reduction(_ name: String, _ x: ValueID) -> ValueID {
            let kinds: [Reduction.Kind] = [.sum, .mean, .maximum, .minimum, .l1, .l2, .sumOfSquares]
            let axes = pick([[1], [2], [3], [1, 2], [2, 3], [1, 2, 3], [1, 3], [0]])
            return builder.node(name, .reduce(Reduction(kind: pick(kinds), axes: axes)), x)
        }

        // MARK: Blocks, as networks have them

        /// Several nodes; those inside may be outputs and operands, too.
        private mutating func block(_ name: String, _ x: ValueID) -> ValueID {
            let inner: [ValueID]
            let result: ValueID
            switch pick(0...4) {
            case 0: (inner, result) = residualBlock(name, x)
            case 4: (inner, result) = squeezeAndExcitation(name, x)
            case 1: (inner, result) = denseBlock(name, x)
            case 2: (inner, result) = branches(name, x)
            default: (inner, result) = shuffle(name, x)
            }
            nodeValues += inner
            if isHeads() { live += inner.filter { builder.shape($0).rank == 4 } }
            return result
        }

        /// A convolution that keeps the image's size.
        private mutating func sameSize(_ name: String, _ x: ValueID, outputs: Int, groups: Int = 1) -> ValueID {
            builder.convolution(
                name, x, outputs: outputs, kernel: pick([1, 3]), groups: groups, hasBias: isHeads(), activation: clamp()
            )
        }

        /// Adds a convolution of x, or of another convolution, to x, or to a third.
        private mutating func residualBlock(_ name: String, _ x: ValueID) -> ([ValueID], ValueID) {
            let channels = builder.shape(x)[1]
            var inner: [ValueID] = []
            var main = x
            if isHeads() {
                inner.append(sameSize("\(name).expand", x, outputs: pick(1...24)))
                main = inner[0]
            }
            let groups = builder.shape(main)[1] == channels && isHeads() ? channels : 1
            let product = sameSize("\(name).product", main, outputs: channels, groups: groups)
            let shortcut = pick(0...3) == 0 ? sameSize("\(name).shortcut", x, outputs: channels) : x
            inner += shortcut == x ? [product] : [product, shortcut]
            let operands = isHeads() ? [product, shortcut] : [shortcut, product]
            return (inner, builder.node(name, .binary(.add, activation: clamp()), operands))
        }

        /// Concatenations that share their operands: each of all before it, or of the one before it and one more.
        private mutating func denseBlock(_ name: String, _ x: ValueID) -> ([ValueID], ValueID) {
            guard builder.shape(x)[1] <= 40 else { return ([], convolution(name, x)) }
            var features = [x]
            var inner: [ValueID] = []
            var joined = x
            let sharesAll = isHeads()
            for layer in 0..<pick(1...3) {
                let feature = sameSize("\(name).feature\(layer)", joined, outputs: pick(1...9))
                features.append(feature)
                joined = builder.node(
                    "\(name).joined\(layer)", .concat(axis: pick([1, -3])), sharesAll ? features : [joined, feature])
                inner += [feature, joined]
            }
            return (inner, sameSize(name, joined, outputs: pick(1...20)))
        }

        /// What a fire or inception module does: several readers of one value, concatenated.
        private mutating func branches(_ name: String, _ x: ValueID) -> ([ValueID], ValueID) {
            let window = Window(kernel: [3, 3], padsBegin: [1, 1], padsEnd: [1, 1])
            var inner = [
                sameSize("\(name).narrow", x, outputs: pick(1...20)),
                sameSize("\(name).wide", x, outputs: pick(1...20)),
            ]
            if isHeads() { inner.append(builder.node("\(name).pooled", .maxPool(Pooling(window: window)), x)) }
            if isHeads() { inner.append(unary("\(name).curve", inner[0])) }
            if isHeads() {
                inner.append(builder.node("\(name).sum", .binary(.add, activation: clamp()), inner[1], inner[1]))
            }
            if pick(0...3) == 0 { inner.append(x) }
            return (inner.filter { $0 != x }, builder.node(name, .concat(axis: 1), inner.shuffled(using: &generator)))
        }

        /// Multiplies, or shifts, each channel by a function of all pixels.
        private mutating func squeezeAndExcitation(_ name: String, _ x: ValueID) -> ([ValueID], ValueID) {
            let channels = builder.shape(x)[1]
            let pooled = builder.node("\(name).pooled", .globalAveragePool, x)
            let narrow = builder.convolution(
                "\(name).narrow", pooled, outputs: pick(1...8), kernel: 1, activation: .relu)
            let wide = builder.convolution("\(name).wide", narrow, outputs: channels, kernel: 1)
            let function: UnaryFunction = pick([.sigmoid, .hardSigmoid(alpha: 1 / 6, beta: 0.5)])
            let gate = builder.node("\(name).gate", .unary(function), wide)
            let operands = isHeads() ? [x, gate] : [gate, x]
            let combined = builder.node(name, .binary(pick([.multiply, .multiply, .add]), activation: nil), operands)
            return ([pooled, narrow, wide, gate], combined)
        }

        /// Takes the channels apart and puts them together in another order.
        private mutating func shuffle(_ name: String, _ x: ValueID) -> ([ValueID], ValueID) {
            let channels = builder.shape(x)[1]
            let first = pick(1...channels)
            let sizes = [first, channels - first].filter { $0 > 0 }
            var parts = builder.split("\(name).parts", x, axis: pick([1, -3]), sizes: sizes)
            if first < channels {
                let slice = Slice(starts: [first - channels], ends: [Int.max], axes: [1], steps: [1])
                parts.append(builder.node("\(name).end", .slice(slice), x))
            }
            return (parts, builder.node(name, .concat(axis: 1), parts.shuffled(using: &generator)))
        }

        private mutating func ofMatrices(_ name: String, _ x: ValueID) -> ValueID {
            let shape = builder.shape(x)
            switch pick(0...6) {
            case 0, 1: return product(name, x)
            case 2: return unary(name, x)
            case 3: return binary(name, x)
            case 4: return concatenation(name, x)
            case 5 where shape.rank < 4:
                return builder.node(name, .unsqueeze(axes: [isHeads() ? 0 : shape.rank]), x)
            default: return operators == .all ? softmax(name, x) : builder.node(name, .flatten(axis: 1), x)
            }
        }

        private mutating func clamp() -> Clamp? {
            pick([nil, nil, .relu, .relu6, Clamp(lower: -0.5, upper: 0.75)])
        }

        private mutating func convolution(_ name: String, _ x: ValueID) -> ValueID {
            let channels = builder.shape(x)[1]
            let groups = pick((1...channels).filter { channels % $0 == 0 && (isHeads() || $0 == 1 || $0 == channels) })
            let outputs = groups * (groups == channels && isHeads() ? 1 : pick(1...max(1, 24 / groups)))
            let window = window(over: x, longestKernel: 3, padsWholeKernel: true)
            let limit = (3 / Float(channels / groups * window.kernel.reduce(1, *))).squareRoot()
            let weights = builder.constant(
                "\(name).w", Shape([outputs, channels / groups] + window.kernel), in: -limit...limit)
            let bias = isHeads() ? [builder.constant("\(name).b", [outputs])] : []
            return builder.node(
                name, .convolution(Convolution(window: window, groups: groups, activation: clamp())),
                [x, weights] + bias)
        }

        /// - Parameter padsWholeKernel: otherwise every position of the window covers some of the image.
        private mutating func window(over x: ValueID, longestKernel: Int, padsWholeKernel: Bool) -> Window {
            let extents = builder.shape(x).dropFirst(2)
            var window = Window(kernel: [1, 1])
            for (axis, extent) in extents.enumerated() {
                let kernel = pick(1...longestKernel)
                let dilation = pick(1...2)
                let reach = (kernel - 1) * dilation
                let mostPadding = padsWholeKernel ? reach : (dilation == 1 ? kernel / 2 : 0)
                var (begin, end) = (pick(0...mostPadding), pick(0...mostPadding))
                if extent + begin + end <= reach {
                    // The window does not fit: a single tap always does.
                    (window.kernel[axis], begin, end) = (1, 0, 0)
                } else {
                    (window.kernel[axis], window.dilations[axis]) = (kernel, dilation)
                }
                (window.padsBegin[axis], window.padsEnd[axis]) = (begin, end)
                window.strides[axis] = pick(1...2)
            }
            return window
        }

        private mutating func pooling(_ x: ValueID) -> Pooling {
            Pooling(
                window: window(over: x, longestKernel: 4, padsWholeKernel: false), roundsUp: isHeads(),
                countsPadding: isHeads())
        }

        private mutating func unary(_ name: String, _ x: ValueID) -> ValueID {
            let functions: [UnaryFunction] = [
                .clamp(.relu), .clamp(.relu6), .clamp(Clamp(lower: -0.25, upper: 1)), .leakyRelu(alpha: 0.1),
                .elu(alpha: 1), .sigmoid, .hardSigmoid(alpha: 0.2, beta: 0.5), .hardSwish, .swish(alpha: 1), .tanh,
                .erf, .softplus, .negate, .absolute, .sign, .mish, .softsign, .gelu(isApproximate: false),
                .gelu(isApproximate: true), .selu(alpha: 1.67, gamma: 1.05), .celu(alpha: 0.7),
            ]
            return builder.node(name, .unary(pick(functions)), x)
        }

        private mutating func binary(_ name: String, _ x: ValueID) -> ValueID {
            let partners = live.filter { builder.shape($0) == builder.shape(x) }
            return builder.node(name, .binary(pick([.add, .add, .multiply]), activation: clamp()), x, pick(partners))
        }

        private mutating func concatenation(_ name: String, _ x: ValueID) -> ValueID {
            let shape = builder.shape(x)
            let axis = isHeads() ? min(1, shape.rank - 1) : pick(0...shape.rank - 1)
            let partners = live.filter { candidate in
                let other = builder.shape(candidate)
                return other.rank == shape.rank && shape.indices.allSatisfy { $0 == axis || other[$0] == shape[$0] }
            }
            var operands = [x]
            if shape[axis] < 32 { operands.append(pick(partners)) }
            if operators == .all, pick(0...4) == 0 { operands.append(builder.constant("\(name).c", shape)) }
            return builder.node(name, .concat(axis: isHeads() ? axis : axis - shape.rank), operands)
        }

        private mutating func rearranged(_ name: String, _ x: ValueID) -> ValueID {
            let operations: [Operator] = [
                .flatten(axis: 1), .reshape(extents: [0, -1], allowZero: false),
                .reshape(extents: [0, 0, -1], allowZero: false), .reshape(extents: [0, -1, 1, 1], allowZero: false),
                .reshape(extents: [-1, 0, 0, 0], allowZero: false),
            ]
            return builder.node(name, pick(operations), x)
        }

        private mutating func product(_ name: String, _ x: ValueID) -> ValueID {
            let inner = builder.shape(x).dimensions[builder.shape(x).rank - 1]
            let outputs = pick(1...20)
            let limit = (3 / Float(max(inner, 1))).squareRoot()
            guard builder.shape(x).rank == 2, isHeads() else {
                let weights = builder.constant("\(name).w", [inner, outputs], in: -limit...limit)
                return builder.node(name, .matrixProduct, x, weights)
            }
            let transposes = isHeads()
            let weights = builder.constant(
                "\(name).w", transposes ? [outputs, inner] : [inner, outputs], in: -limit...limit)
            let biases: [[ValueID]] = [
                [], [builder.constant("\(name).row", [outputs])], [builder.constant("\(name).one", [1])],
                [builder.constant("\(name).1row", [1, outputs])],
            ]
            let gemm = Gemm(alpha: pick([1, 0.5]), beta: pick([1, -2]), transposesB: transposes, activation: clamp())
            return builder.node(name, .gemm(gemm), [x, weights] + pick(biases))
        }

        private mutating func softmax(_ name: String, _ x: ValueID) -> ValueID {
            let axis = pick(-1...builder.shape(x).rank - 1)
            return builder.node(
                name, .softmax(Softmax(axis: axis, isLogarithmic: isHeads(), flattensTrailingAxes: isHeads())), x)
        }

        /// What nobody reads is an output; so are a few values in the middle, one of them twice, and sometimes an input.
        mutating func finish() -> Graph {
            let readers = builder.graph.consumers()
            for value in nodeValues where readers[value.index].isEmpty || pick(0...7) == 0 { builder.output(value) }
            if isHeads() { builder.output(nodeValues[0]) }
            if pick(0...3) == 0 { builder.output(builder.graph.inputs[0]) }
            return builder.graph
        }
    }
}
