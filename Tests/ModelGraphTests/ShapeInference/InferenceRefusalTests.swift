internal import ModelGraph
internal import Testing

/// Operands and attributes that do not fit are refused with an error that names the node, and nothing traps.
@Suite struct InferenceRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var code: GraphError.Code
        var operation: Operator
        var inputs: [TensorType?]
        var outputCount = 1

        init(
            _ description: String, _ code: GraphError.Code, _ operation: Operator, _ inputs: TensorType?...,
            outputCount: Int = 1
        ) {
            testDescription = description
            self.code = code
            self.operation = operation
            self.inputs = inputs
            self.outputCount = outputCount
        }
    }

    private static func float(_ extents: Int...) -> TensorType { TensorType(.float32, Shape(extents)) }
    private static let image = float(1, 4, 8, 8)
    private static let bytes = TensorType(.uint8, [1, 4, 8, 8])
    private static let kernel = float(6, 4, 3, 3)

    private static func convolution(
        strides: [Int]? = nil, dilations: [Int]? = nil, pads: [Int]? = nil, ends: [Int]? = nil, groups: Int = 1
    ) -> Operator {
        .convolution(
            Convolution(
                window: Window(kernel: [3, 3], strides: strides, dilations: dilations, padsBegin: pads, padsEnd: ends),
                groups: groups))
    }

    private static func pooling(_ window: Window) -> Operator { .averagePool(Pooling(window: window)) }

    private static func pad(_ begins: [Int], _ ends: [Int], _ mode: Pad.Mode = .constant) -> Operator {
        .pad(Pad(mode: mode, begins: begins, ends: ends))
    }

    static let cases: [Case] = [
        Case("weights missing", .shapeMismatch, convolution(), image),
        Case("weights nil", .shapeMismatch, convolution(), image, nil),
        Case("four operands", .shapeMismatch, convolution(), image, kernel, float(6), float(6)),
        Case("two outputs", .shapeMismatch, convolution(), image, kernel, outputCount: 2),
        Case("integers", .typeMismatch, convolution(), bytes, kernel),
        Case("rank 2", .shapeMismatch, convolution(), float(4, 8), kernel),
        Case("kernel differs", .shapeMismatch, convolution(), image, float(6, 4, 3, 1)),
        Case("channels differ", .shapeMismatch, convolution(), image, float(6, 5, 3, 3)),
        Case("bias differs", .shapeMismatch, convolution(), image, kernel, float(5)),
        Case("groups 0", .invalidAttribute, convolution(groups: 0), image, kernel),
        Case("groups negative", .invalidAttribute, convolution(groups: .min), image, kernel),
        Case("groups indivisible", .invalidAttribute, convolution(groups: 3), image, kernel),
        Case("outputs indivisible", .shapeMismatch, convolution(groups: 4), image, float(6, 1, 3, 3)),
        Case("stride 0", .invalidAttribute, convolution(strides: [0, 1]), image, kernel),
        Case("stride too many", .invalidAttribute, convolution(strides: [1, 1, 1]), image, kernel),
        Case("dilation huge", .invalidAttribute, convolution(dilations: [.max, 1]), image, kernel),
        Case("dilation large", .shapeMismatch, convolution(dilations: [4, 1]), image, kernel),
        Case("pad negative", .invalidAttribute, convolution(pads: [-1, 0]), image, kernel),
        Case("pad huge", .invalidAttribute, convolution(pads: [.max, 0]), image, kernel),
        Case(
            "result huge", .invalidShape,
            convolution(pads: [2_147_483_647, 2_147_483_647], ends: [2_147_483_647, 2_147_483_647]), image, kernel),
        Case("kernel 0", .invalidAttribute, pooling(Window(kernel: [0, 1])), image),
        Case("kernel larger", .shapeMismatch, pooling(Window(kernel: [9, 1])), image),
        Case("window in padding", .invalidAttribute, pooling(Window(kernel: [1, 1], padsEnd: [0, 1])), image),
        Case(
            "pool of int32", .typeMismatch, .maxPool(Pooling(window: Window(kernel: [1]))),
            TensorType(.int32, [1, 1, 1])),
        Case("global of nothing", .shapeMismatch, .globalMaxPool, float(1, 4, 0, 8)),
        Case("gemm depth", .shapeMismatch, .gemm(Gemm()), float(2, 3), float(2, 3)),
        Case("gemm rank", .shapeMismatch, .gemm(Gemm()), float(2, 3, 1), float(3, 2)),
        Case("gemm addend", .shapeMismatch, .gemm(Gemm()), float(2, 3), float(3, 2), float(3)),
        Case("gemm addend grows", .shapeMismatch, .gemm(Gemm()), float(2, 3), float(3, 2), float(2, 2, 2)),
        Case("matmul scalar", .shapeMismatch, .matrixProduct, float(), float(3)),
        Case("matmul batch", .shapeMismatch, .matrixProduct, float(2, 1, 3), float(3, 3, 1)),
        Case(
            "normalisation channels", .shapeMismatch, .batchNormalization(BatchNormalization()), image, float(4),
            float(4),
            float(4), float(3)),
        Case(
            "normalisation outputs", .shapeMismatch, .batchNormalization(BatchNormalization()), image, float(4),
            float(4),
            float(4), float(4), outputCount: 3),
        Case(
            "response size", .invalidAttribute, .localResponseNormalization(LocalResponseNormalization(size: 0)), image),
        Case("softmax axis", .invalidAttribute, .softmax(Softmax(axis: 4)), image),
        Case("sigmoid of bytes", .typeMismatch, .unary(.sigmoid), bytes),
        Case("no broadcast", .shapeMismatch, .binary(.add, activation: nil), float(2), float(3)),
        Case("types differ", .typeMismatch, .binary(.add, activation: nil), image, bytes),
        Case("clamped bytes", .typeMismatch, .binary(.add, activation: .relu), bytes, bytes),
        Case("slope grows", .shapeMismatch, .binary(.prelu, activation: nil), float(1), float(2)),
        Case("clip bound", .shapeMismatch, .clip, image, float(2)),
        Case("concat of nothing", .shapeMismatch, .concat(axis: 0)),
        Case("concat axis", .invalidAttribute, .concat(axis: 4), image),
        Case("concat extents", .shapeMismatch, .concat(axis: 1), float(1, 2), float(2, 2)),
        Case(
            "concat huge", .invalidShape, .concat(axis: 0), TensorType(.float32, [1 << 40]),
            TensorType(.float32, [1 << 40])),
        Case("reshape count", .shapeMismatch, .reshape(extents: [5], allowZero: false), image),
        Case("reshape infers", .shapeMismatch, .reshape(extents: [-1, 7], allowZero: false), image),
        Case("reshape two", .invalidAttribute, .reshape(extents: [-1, -1], allowZero: false), image),
        Case("reshape negative", .invalidAttribute, .reshape(extents: [.min], allowZero: false), image),
        Case("reshape huge", .invalidShape, .reshape(extents: [.max, .max], allowZero: false), image),
        Case("reshape copies", .invalidAttribute, .reshape(extents: [1, 0], allowZero: false), float(1)),
        Case("reshape of none", .shapeMismatch, .reshape(extents: [0, -1], allowZero: true), float(0)),
        Case("flatten", .invalidAttribute, .flatten(axis: 5), image),
        Case("squeeze", .shapeMismatch, .squeeze(axes: [1]), image),
        Case("squeeze twice", .invalidAttribute, .squeeze(axes: [0, -4]), image),
        Case("unsqueeze", .invalidAttribute, .unsqueeze(axes: [.min]), image),
        Case("permutation", .invalidAttribute, .transpose(permutation: [0, 1, 2, 2]), image),
        Case("gather by reals", .typeMismatch, .gather(axis: 0), image, float(1)),
        Case(
            "slice step", .invalidAttribute, .slice(Slice(starts: [0], ends: [1], axes: [0], steps: [0])), image),
        Case(
            "slice counts", .invalidAttribute, .slice(Slice(starts: [0], ends: [], axes: [0], steps: [1])), image),
        Case(
            "slice axes", .invalidAttribute,
            .slice(Slice(starts: [0, 0], ends: [1, 1], axes: [1, -3], steps: [1, 1])),
            image),
        Case("split sum", .invalidAttribute, .split(axis: 1, sizes: [1, 1]), image, outputCount: 2),
        Case("split overflow", .invalidAttribute, .split(axis: 1, sizes: [.max, .max]), image, outputCount: 2),
        Case("split outputs", .invalidAttribute, .split(axis: 1, sizes: [4]), image, outputCount: 2),
        Case("pad rank", .invalidAttribute, pad([0], [0]), image),
        Case("pad beyond", .invalidAttribute, pad([.max], [.max]), float(1)),
        Case("pad below", .invalidAttribute, pad([.min], [0]), float(1)),
        Case("pad crops all", .shapeMismatch, pad([-1], [-1]), float(1)),
        Case("pad from nothing", .shapeMismatch, pad([-1], [1], .edge), float(1)),
        Case("expand", .shapeMismatch, .expand(extents: [3]), float(2)),
        Case("expand huge", .invalidShape, .expand(extents: [.max, 2]), float(1)),
        Case("reduce axis", .invalidAttribute, .reduce(Reduction(kind: .sum, axes: [4])), image),
        Case("reduce bool", .typeMismatch, .reduce(Reduction(kind: .sum, axes: [0])), TensorType(.bool, [1])),
        Case(
            "argMax of none", .shapeMismatch, .argMax(axis: 0, keepsDimensions: true, selectsLastIndex: false), float(0)
        ),
        Case("quantise to int32", .unsupported, .quantizeLinear(axis: 1, to: .int32), image, float()),
        Case("quantise scales", .shapeMismatch, .quantizeLinear(axis: 1, to: .uint8), image, float(3)),
        Case(
            "quantise zero", .typeMismatch, .quantizeLinear(axis: 1, to: .uint8), image, float(), TensorType(.int8, [])),
        Case("dequantise reals", .typeMismatch, .dequantizeLinear(axis: 1), image, float()),
    ]

    @Test(arguments: cases)
    func refuses(test: Case) throws {
        let error = #expect(throws: GraphError.self) {
            try test.operation.inferOutputTypes(inputs: test.inputs, outputCount: test.outputCount, node: "here")
        }
        #expect(error?.code == test.code, "\(error?.description ?? "accepted")")
        #expect(error?.location.hasPrefix("here") == true)
    }
}
