internal import ModelGraph
internal import Testing

@Suite struct ElementwiseEvaluationTests {
    static let functions: [(UnaryFunction, [Float])] = [
        (.clamp(.relu), [0, 0, 0, 0.5, 3]),
        (.clamp(Clamp(lower: -1, upper: 1)), [-1, -0.5, 0, 0.5, 1]),
        (.leakyRelu(alpha: 0.1), [-0.2, -0.05, 0, 0.5, 3]),
        (.elu(alpha: 2), [-1.7293294, -0.7869387, 0, 0.5, 3]),
        (.sigmoid, [0.11920292, 0.37754068, 0.5, 0.62245935, 0.95257413]),
        (.hardSigmoid(alpha: 0.2, beta: 0.5), [0.1, 0.4, 0.5, 0.6, 1]),
        (.hardSwish, [-1 / 3, -0.5 * 2.5 / 6, 0, 0.5 * 3.5 / 6, 3]),
        (.swish(alpha: 1), [-0.23840584, -0.18877034, 0, 0.31122968, 2.8577223]),
        (.tanh, [-0.9640276, -0.46211717, 0, 0.46211717, 0.9950548]),
        (.exp, [0.13533528, 0.60653067, 1, 1.6487213, 20.085537]),
        (.log, [.nan, .nan, -.infinity, -0.6931472, 1.0986123]),
        (.sqrt, [.nan, .nan, 0, 0.70710677, 1.7320508]),
        (.reciprocal, [-0.5, -2, .infinity, 2, 1 / 3]),
        (.erf, [-0.9953223, -0.5204999, 0, 0.5204999, 0.9999779]),
        (.softplus, [0.12692802, 0.474077, 0.6931472, 0.974077, 3.0485873]),
        (.negate, [2, 0.5, 0, -0.5, -3]),
        (.absolute, [2, 0.5, 0, 0.5, 3]),
        (.floor, [-2, -1, 0, 0, 3]),
        (.ceil, [-2, 0, 0, 1, 3]),
        (.round, [-2, 0, 0, 0, 3]),
    ]

    @Test(arguments: functions.indices)
    func unaryFunctions(index: Int) throws {
        let (function, expected) = Self.functions[index]
        let input = Tensor([-2, -0.5, 0, 0.5, 3] as [Float], shape: [5])
        expect(try evaluate(.unary(function), input)[0], [5], expected)
    }

    @Test func unaryFunctionsOfOtherTypes() throws {
        let halves = Tensor([-1, 0.5] as [Float16], shape: [2])
        expect(try evaluate(.unary(.clamp(.relu)), halves)[0], [2], exactly: [0, 0.5] as [Float16])
        let doubles = Tensor([2] as [Double], shape: [1])
        expect(try evaluate(.unary(.sqrt), doubles)[0], [1], exactly: [(2 as Double).squareRoot()])
        let bytes = Tensor([-128, -3, 3] as [Int8], shape: [3])
        expect(try evaluate(.unary(.absolute), bytes)[0], [3], exactly: [-128, 3, 3] as [Int8])
        expect(try evaluate(.unary(.clamp(.relu)), bytes)[0], [3], exactly: [0, 0, 3] as [Int8])
    }

    @Test func clampKeepsNaN() throws {
        let input = Tensor([.nan, -.infinity] as [Float], shape: [2])
        expect(try evaluate(.unary(.clamp(.relu6)), input)[0], [2], [.nan, 0])
    }

    static let binaries: [(BinaryFunction, [Float])] = [
        (.add, [7, 1]), (.subtract, [5, -5]), (.multiply, [6, -6]), (.divide, [6, -2.0 / 3]), (.power, [6, -8]),
        (.maximum, [6, 3]), (.minimum, [1, -2]), (.prelu, [6, -6]),
    ]

    @Test(arguments: binaries.indices)
    func binaryFunctions(index: Int) throws {
        let (function, expected) = Self.binaries[index]
        let (left, right) = (Tensor([6, -2] as [Float], shape: [2]), Tensor([1, 3] as [Float], shape: [2]))
        expect(try evaluate(.binary(function, activation: nil), left, right)[0], [2], expected)
    }

    @Test func binaryBroadcastsBothWaysThenClamps() throws {
        let (column, row) = (ramp([3, 1]), ramp([2]))
        let result = try evaluate(.binary(.add, activation: Clamp(lower: 1, upper: 2)), column, row)
        expect(result[0], [3, 2], [1, 1, 1, 2, 2, 2])
        let channel = Tensor([10, 20] as [Float], shape: [2, 1])
        expect(
            try evaluate(.binary(.subtract, activation: nil), ramp([1, 2, 2]), channel)[0], [1, 2, 2],
            [-10, -9, -18, -17])
    }

    @Test func integersWrapAround() throws {
        let add = Operator.binary(.add, activation: nil)
        let bytes = Tensor([200, 100] as [UInt8], shape: [2])
        expect(try evaluate(add, bytes, bytes)[0], [2], exactly: [144, 200] as [UInt8])
        let large = Tensor([Int64.max], shape: [1])
        expect(try evaluate(add, large, large)[0], [1], exactly: [-2] as [Int64])
        let smallest = Tensor([-128, 7, -7, 1] as [Int8], shape: [4])
        let divisor = Tensor([-1, 2, 2, 0] as [Int8], shape: [4])
        expect(
            try evaluate(.binary(.divide, activation: nil), smallest, divisor)[0], [4],
            exactly: [-128, 3, -3, 0] as [Int8])
        let (least, minusOne) = (Tensor([Int64.min], shape: [1]), Tensor([-1] as [Int64], shape: [1]))
        expect(try evaluate(.binary(.divide, activation: nil), least, minusOne)[0], [1], exactly: [Int64.min])
    }

    @Test func powersOfMixedTypes() throws {
        let power = Operator.binary(.power, activation: nil)
        let floats = Tensor([2, 9] as [Float], shape: [2])
        let integers = Tensor([3, -2] as [Int64], shape: [2])
        expect(try evaluate(power, floats, integers)[0], [2], [8, 1 / 81])
        expect(
            try evaluate(power, integers, Tensor([2.5, 2] as [Float], shape: [2]))[0], [2], exactly: [15, 4] as [Int64])
        let unsigned = Tensor([40, 3] as [UInt32], shape: [2])
        let wrapped = Int64(truncatingIfNeeded: 12_157_665_459_056_928_801 as UInt64)
        expect(try evaluate(power, integers, unsigned)[0], [2], exactly: [wrapped, -8])
        let (ones, exponents) = (
            Tensor([1, -1, 2] as [Int32], shape: [3]), Tensor([-3, -3, -1] as [Int32], shape: [3])
        )
        expect(try evaluate(power, ones, exponents)[0], [3], exactly: [1, -1, 0] as [Int32])
    }

    @Test func clipTakesOptionalBounds() throws {
        let input = Tensor([-100, 0, 100] as [Int8], shape: [3])
        let (low, high) = (Tensor(scalar: -5 as Int8), Tensor(scalar: 5 as Int8))
        expect(try evaluate(.clip, input, low, high)[0], [3], exactly: [-5, 0, 5] as [Int8])
        expect(try evaluate(.clip, input, nil, high)[0], [3], exactly: [-100, 0, 5] as [Int8])
        expect(try evaluate(.clip, input)[0], [3], exactly: [-100, 0, 100] as [Int8])
        // Crossing bounds: the maximum wins.
        expect(try evaluate(.clip, input, high, low)[0], [3], exactly: [-5, -5, -5] as [Int8])
    }

    @Test func dropoutKeepsEverything() throws {
        let results = try evaluate(.dropout, ramp([2]), outputCount: 2)
        expect(results[0], [2], [0, 1])
        expect(results[1], [2], exactly: [true, true])
    }

    @Test func castDropsFractionsSaturatesAndWraps() throws {
        let floats = Tensor([-1.9, 1.9, 300, .nan, -.infinity] as [Float], shape: [5])
        expect(try evaluate(.cast(.uint8), floats)[0], [5], exactly: [0, 1, 255, 0, 0] as [UInt8])
        expect(try evaluate(.cast(.int32), floats)[0], [5], exactly: [-1, 1, 300, 0, Int32.min])
        expect(try evaluate(.cast(.bool), floats)[0], [5], exactly: [true, true, true, true, true])
        let wide = Tensor([257, -1] as [Int64], shape: [2])
        expect(try evaluate(.cast(.uint8), wide)[0], [2], exactly: [1, 255] as [UInt8])
        expect(try evaluate(.cast(.float16), wide)[0], [2], exactly: [257, -1] as [Float16])
        expect(try evaluate(.cast(.float32), Tensor([true, false], shape: [2]))[0], [2], [1, 0])
    }

    @Test func quantizeRoundsTiesToEvenAndSaturates() throws {
        let input = Tensor([0, 1, 3, 5, -1, 1000, -1000, .nan] as [Float], shape: [8])
        let (scale, zeroPoint) = (Tensor(scalar: 2 as Float), Tensor(scalar: 128 as UInt8))
        expect(
            try evaluate(.quantizeLinear(axis: 1, to: .uint8), input, scale, zeroPoint)[0], [8],
            exactly: [128, 128, 130, 130, 128, 255, 0, 128] as [UInt8])
        expect(
            try evaluate(.quantizeLinear(axis: 1, to: .int8), input, scale)[0], [8],
            exactly: [0, 0, 2, 2, 0, 127, -128, 0] as [Int8])
    }

    @Test func quantizationByChannel() throws {
        let scales = Tensor([1, 2] as [Float], shape: [2])
        let zeroPoints = Tensor([0, 10] as [Int8], shape: [2])
        let input = Tensor([4, 5, 8, -8] as [Float], shape: [1, 2, 2])
        let quantized = try evaluate(.quantizeLinear(axis: 1, to: .int8), input, scales, zeroPoints)[0]
        expect(quantized, [1, 2, 2], exactly: [4, 5, 14, 6] as [Int8])
        expect(try evaluate(.dequantizeLinear(axis: 1), quantized, scales, zeroPoints)[0], [1, 2, 2], [4, 5, 8, -8])
        let sums = Tensor([100_000, -7] as [Int32], shape: [2])
        expect(try evaluate(.dequantizeLinear(axis: 0), sums, scales)[0], [2], [100_000, -14])
    }
}
