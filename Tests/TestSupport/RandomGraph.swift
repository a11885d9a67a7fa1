package import ModelGraph

/// Random small networks: DAGs of convolutions, normalisations, arithmetic and nodes that do nothing, whose values are
/// read by several nodes, with several outputs, some of them in the middle.
package enum RandomGraph {
    /// - Parameter nodeCount: about how many nodes to draw; some draws take two.
    package static func make(seed: UInt64, nodeCount: Int = 16) -> Graph {
        var author = Author(seed: seed)
        for index in 0..<nodeCount { author.addNode(named: "n\(index)") }
        return author.finish()
    }

    private struct Author {
        private var builder: GraphBuilder
        private var generator: SplitMix64
        /// Activations of rank 4, the operands to draw from.
        private var live: [ValueID]
        private var all: [ValueID] = []

        init(seed: UInt64) {
            builder = GraphBuilder(name: "random-\(seed)", seed: seed &+ 1)
            generator = SplitMix64(seed: seed)
            live = [builder.input("x", [1, Int.random(in: 1...4, using: &generator), 8, 8])]
        }

        /// Recent values are the likelier operands, so that graphs grow deep as well as wide.
        private mutating func operand() -> ValueID {
            let window = live.suffix(Bool.random(using: &generator) ? 1 : 4)
            return window.randomElement(using: &generator) ?? live[0]
        }

        mutating func addNode(named name: String) {
            let x = operand()
            let result = draw(name, x)
            all.append(result)
            if builder.shape(result).rank == 4 { live.append(result) }
        }

        private mutating func draw(_ name: String, _ x: ValueID) -> ValueID {
            let shape = builder.shape(x)
            let channels = shape[1]
            switch Int.random(in: 0..<28, using: &generator) {
            case 0...3: return convolution(name, x)
            case 4...6: return builder.batchNormalization(name, x)
            case 7, 8: return builder.relu(name, x)
            case 9: return builder.node(name, .unary(.clamp(.relu6)), x)
            case 10: return builder.node(name, .unary(.leakyRelu(alpha: 0.1)), x)
            case 11, 12:
                let partners = live.filter { builder.shape($0) == shape }
                return builder.node(
                    name, .binary(.add, activation: nil), x, partners.randomElement(using: &generator) ?? x)
            case 13:
                let partners = live.filter { builder.shape($0).dropFirst(2).elementsEqual(shape.dropFirst(2)) }
                guard channels <= 8, let partner = partners.randomElement(using: &generator) else {
                    return builder.node(name, .concat(axis: 1), x)
                }
                return builder.node(name, .concat(axis: 1), x, partner)
            case 14:
                let window = Window(kernel: [2, 2], strides: [1, 1], padsBegin: [0, 1], padsEnd: [1, 0])
                return builder.node(name, .maxPool(Pooling(window: window)), x)
            case 15: return paddedAverage(name, x)
            case 16: return builder.node(name, .identity, x)
            case 17: return builder.node(name, .dropout, x)
            case 18: return builder.node(name, .reshape(extents: [0, 0, 0, -1], allowZero: false), x)
            case 19:
                let function: BinaryFunction =
                    [.add, .subtract, .multiply, .divide].randomElement(using: &generator) ?? .add
                let parameter = builder.constant("\(name).c", [channels, 1, 1], in: 0.5...2)
                let isConstantLeft = function != .divide && Bool.random(using: &generator)
                return builder.node(
                    name, .binary(function, activation: nil), isConstantLeft ? [parameter, x] : [x, parameter])
            case 20: return linear(name, x)
            case 21, 22: return gated(name, x)
            case 23: return transposedConvolution(name, x)
            case 24: return shuffled(name, x)
            case 25: return gelu(name, x)
            default: return clippedSum(name, x)
            }
        }

        private mutating func convolution(_ name: String, _ x: ValueID) -> ValueID {
            let channels = builder.shape(x)[1]
            let isDepthwise = Bool.random(using: &generator)
            let padded = Bool.random(using: &generator) ? pad("\(name).pad", x) : x
            return builder.convolution(
                name, padded, outputs: isDepthwise ? channels : Int.random(in: 1...6, using: &generator),
                kernel: [1, 3].randomElement(using: &generator) ?? 1, groups: isDepthwise ? channels : 1,
                hasBias: Bool.random(using: &generator))
        }

        private mutating func pad(_ name: String, _ x: ValueID) -> ValueID {
            let value = Int.random(in: 0..<3, using: &generator) == 0 ? 0.5 : 0
            let last = Int.random(in: 0...1, using: &generator)
            return builder.node(
                name, .pad(Pad(mode: .constant, begins: [0, 0, 1, 0], ends: [0, 0, 0, last], value: value)), x)
        }

        private mutating func paddedAverage(_ name: String, _ x: ValueID) -> ValueID {
            let pooling = Pooling(
                window: Window(kernel: [3, 2], strides: [1, 1], padsBegin: [1, 1], padsEnd: [1, 0]),
                countsPadding: Bool.random(using: &generator))
            return builder.node(name, .averagePool(pooling), pad("\(name).pad", x))
        }

        /// Pooling, a matrix product and its bias as the two nodes that exporters write.
        private mutating func linear(_ name: String, _ x: ValueID) -> ValueID {
            let pooled = builder.node("\(name).pool", .globalAveragePool, x)
            let flat = builder.node("\(name).flat", .flatten(axis: 1), pooled)
            let weights = builder.constant("\(name).w", [builder.shape(x)[1], 3])
            let product = builder.node("\(name).product", .matrixProduct, flat, weights)
            return builder.node(
                name, .binary(.add, activation: nil), product, builder.constant("\(name).b", [1, 3]))
        }

        /// Swish or hard-swish as files write them.
        private mutating func gated(_ name: String, _ x: ValueID) -> ValueID {
            let function: UnaryFunction =
                Bool.random(using: &generator) ? .sigmoid : .hardSigmoid(alpha: 1 / 6, beta: 0.5)
            let gate = builder.node("\(name).gate", .unary(function), x)
            return builder.node(
                name, .binary(.multiply, activation: nil), Bool.random(using: &generator) ? [x, gate] : [gate, x])
        }

        private mutating func transposedConvolution(_ name: String, _ x: ValueID) -> ValueID {
            let channels = builder.shape(x)[1]
            let groups = channels.isMultiple(of: 2) && Bool.random(using: &generator) ? 2 : 1
            let stride = builder.shape(x)[2] <= 16 ? Int.random(in: 1...2, using: &generator) : 1
            let kernel = (0..<2).map { _ in Int.random(in: stride...4, using: &generator) }
            let window = Window(
                kernel: kernel, strides: [stride, stride], padsBegin: [kernel[0] / 2, 0], padsEnd: [0, kernel[1] / 2])
            let outputs = Int.random(in: 1...2, using: &generator)
            let operands = [
                x, builder.constant("\(name).w", Shape([channels, outputs] + kernel)),
                builder.constant("\(name).b", [outputs * groups]),
            ]
            let convolution = TransposedConvolution(window: window, groups: groups, outputPads: [0, stride - 1])
            return builder.node(name, .transposedConvolution(convolution), operands)
        }

        /// A movement of channels as files write it.
        private mutating func shuffled(_ name: String, _ x: ValueID) -> ValueID {
            let shape = builder.shape(x).dimensions
            let split: [Int]
            let permutation: [Int]
            let joined: [Int]
            if shape[1].isMultiple(of: 4), shape[2] <= 16, Bool.random(using: &generator) {
                split = [shape[0], shape[1] / 4, 2, 2, shape[2], shape[3]]
                (permutation, joined) = ([0, 1, 4, 2, 5, 3], [shape[0], shape[1] / 4, 2 * shape[2], 2 * shape[3]])
            } else {
                let groups = (1...shape[1]).filter { shape[1].isMultiple(of: $0) }.randomElement(using: &generator) ?? 1
                split = [shape[0], groups, shape[1] / groups, shape[2], shape[3]]
                (permutation, joined) = ([0, 2, 1, 3, 4], shape)
            }
            let apart = builder.node("\(name).apart", .reshape(extents: split, allowZero: false), x)
            let moved = builder.node("\(name).moved", .transpose(permutation: permutation), apart)
            return builder.node(name, .reshape(extents: joined, allowZero: false), moved)
        }

        /// The Gaussian error linear unit as files write it.
        private mutating func gelu(_ name: String, _ x: ValueID) -> ValueID {
            func scalar(_ role: String, _ value: Float) -> ValueID {
                builder.constant("\(name).\(role)", Tensor(scalar: value))
            }
            let scaled = builder.node(
                "\(name).scaled", .binary(.divide, activation: nil), x, scalar("root", Float(2).squareRoot()))
            let curve = builder.node("\(name).curve", .unary(.erf), scaled)
            let risen = builder.node("\(name).risen", .binary(.add, activation: nil), curve, scalar("one", 1))
            let (half, product) = (scalar("half", 0.5), Operator.binary(.multiply, activation: nil))
            guard Bool.random(using: &generator) else {
                return builder.node(name, product, builder.node("\(name).product", product, x, risen), half)
            }
            return builder.node(name, product, builder.node("\(name).halved", product, x, half), risen)
        }

        /// Constant operands that need folding before anything can be done with them.
        private mutating func clippedSum(_ name: String, _ x: ValueID) -> ValueID {
            let flat = builder.constant("\(name).flat", [builder.shape(x)[1]])
            let shift = builder.node("\(name).shift", .unsqueeze(axes: [1, 2]), flat)
            let sum = builder.node("\(name).sum", .binary(.add, activation: nil), x, shift)
            let bound = builder.constant("\(name).bound", [], in: -1...0)
            return builder.node(name, .clip, sum, builder.node("\(name).lower", .identity, bound))
        }

        /// Whatever nobody reads is an output, and a few values in the middle are.
        mutating func finish() -> Graph {
            let readers = builder.graph.consumers()
            for value in all where readers[value.index].isEmpty || Int.random(in: 0..<8, using: &generator) == 0 {
                builder.output(value)
            }
            return builder.graph
        }
    }
}
