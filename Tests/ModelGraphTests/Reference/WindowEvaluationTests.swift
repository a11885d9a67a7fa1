internal import ModelGraph
internal import TestSupport
internal import Testing

@Suite struct WindowEvaluationTests {
    @Test func convolutionOfOnesCountsTheTapsInside() throws {
        let window = Window(kernel: [3, 3], padsBegin: [1, 1], padsEnd: [1, 1])
        let ones = Tensor([Float](repeating: 1, count: 9), shape: [1, 1, 3, 3])
        let result = try evaluate(.convolution(Convolution(window: window)), ones, ones)
        expect(result[0], [1, 1, 3, 3], [4, 6, 4, 6, 9, 6, 4, 6, 4])
    }

    @Test func convolutionAddsBiasThenClamps() throws {
        let convolution = Convolution(window: Window(kernel: [1]), activation: Clamp(lower: 0, upper: 2.5))
        let weights = Tensor([1, -1] as [Float], shape: [2, 1, 1])
        let bias = Tensor([0.5, 1] as [Float], shape: [2])
        let result = try evaluate(.convolution(convolution), ramp([1, 1, 4]), weights, bias)
        expect(result[0], [1, 2, 4], [0.5, 1.5, 2.5, 2.5, 1, 0, 0, 0])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var input: Shape
        var outputs: Int
        var convolution: Convolution
        var testDescription: String { "\(input) → \(outputs), \(convolution)" }
    }

    static let convolutions = [
        Case(input: [2, 3, 7], outputs: 4, convolution: Convolution(window: Window(kernel: [3], strides: [2]))),
        Case(
            input: [1, 4, 6, 5], outputs: 6,
            convolution: Convolution(
                window: Window(
                    kernel: [3, 2], strides: [2, 1], dilations: [1, 2], padsBegin: [2, 0], padsEnd: [1, 3]),
                groups: 2)),
        Case(
            input: [2, 3, 5, 5], outputs: 6,
            convolution: Convolution(
                window: Window(kernel: [1, 1], strides: [2, 3], padsBegin: [1, 0], padsEnd: [0, 0]), groups: 3)),
        Case(input: [2, 3, 4, 5], outputs: 2, convolution: Convolution(window: Window(kernel: [1, 1]))),
        Case(
            input: [1, 2, 4, 3, 5], outputs: 2,
            convolution: Convolution(
                window: Window(
                    kernel: [2, 3, 2], strides: [1, 2, 3], dilations: [2, 1, 1], padsBegin: [1, 1, 1],
                    padsEnd: [0, 2, 1]))),
        Case(input: [0, 2, 4, 4], outputs: 2, convolution: Convolution(window: Window(kernel: [3, 3]))),
    ]

    /// Against the definition, element by element, through index arithmetic of its own.
    @Test(arguments: convolutions)
    func convolutionFollowsItsDefinition(test: Case) throws {
        var generator = SplitMix64(seed: 11)
        let window = test.convolution.window
        let groupChannels = test.input[1] / test.convolution.groups
        let input = Tensor.random(test.input, using: &generator)
        let weights = Tensor.random(Shape([test.outputs, groupChannels] + window.kernel), using: &generator)
        let bias = Tensor.random([test.outputs], using: &generator)
        let result = try evaluate(.convolution(test.convolution), input, weights, bias)[0]
        let (x, w) = (input.array(of: Float.self), weights.array(of: Float.self))
        let b = bias.array(of: Float.self)
        var expected: [Float] = []
        for output in positions(in: result.shape.dimensions) {
            let firstChannel = output[1] / (test.outputs / test.convolution.groups) * groupChannels
            var sum = Double(b[output[1]])
            for channel in 0..<groupChannels {
                for tap in positions(in: window.kernel) {
                    let source = (0..<window.rank).map { (axis: Int) -> Int in
                        let start = output[2 + axis] * window.strides[axis] - window.padsBegin[axis]
                        return start + tap[axis] * window.dilations[axis]
                    }
                    guard zip(source, test.input.dropFirst(2)).allSatisfy({ (0..<$1).contains($0) }) else { continue }
                    let value = x[flatIndex([output[0], firstChannel + channel] + source, in: test.input)]
                    sum += Double(value) * Double(w[flatIndex([output[1], channel] + tap, in: weights.shape)])
                }
            }
            expected.append(Float(sum))
        }
        expect(result, result.shape, expected)
    }

    private func positions(in extents: [Int]) -> [[Int]] {
        extents.reduce([[]]) { prefixes, extent in prefixes.flatMap { prefix in (0..<extent).map { prefix + [$0] } } }
    }

    private func flatIndex(_ position: [Int], in shape: Shape) -> Int {
        zip(position, shape).reduce(0) { $0 * $1.1 + $1.0 }
    }

    @Test func maxPoolTakesMaximaAndTheirFirstIndices() throws {
        let input = Tensor([1, 2, 2, 0, 5, 5, -1, 5, 3] as [Float], shape: [1, 1, 3, 3])
        let rows = try evaluate(.maxPool(Pooling(window: Window(kernel: [2, 2]))), input, outputCount: 2)
        expect(rows[0], [1, 1, 2, 2], [5, 5, 5, 5])
        expect(rows[1], [1, 1, 2, 2], exactly: [4, 4, 4, 4] as [Int64])
        let pooling = Pooling(window: Window(kernel: [2, 2], strides: [1, 2]), hasColumnMajorIndices: true)
        let columns = try evaluate(.maxPool(pooling), ramp([1, 2, 3, 4]), outputCount: 2)
        expect(columns[0], [1, 2, 2, 2], [5, 7, 9, 11, 17, 19, 21, 23])
        expect(columns[1], [1, 2, 2, 2], exactly: [4, 10, 5, 11, 16, 22, 17, 23] as [Int64])
    }

    @Test func maxPoolOfBytesIgnoresPadding() throws {
        let pooling = Pooling(window: Window(kernel: [2], padsBegin: [1], padsEnd: [1]))
        let input = Tensor([-3, -7, -128] as [Int8], shape: [1, 1, 3])
        expect(try evaluate(.maxPool(pooling), input)[0], [1, 1, 4], exactly: [-3, -3, -7, -128] as [Int8])
    }

    @Test func maxPoolKeepsNaN() throws {
        let input = Tensor([1, .nan, 2, 3] as [Float], shape: [1, 1, 4])
        expect(try evaluate(.maxPool(Pooling(window: Window(kernel: [2]))), input)[0], [1, 1, 3], [.nan, .nan, 3])
    }

    @Test func roundingUpAdmitsAWindowThatStartsInside() throws {
        let window = Window(kernel: [3], strides: [2])
        expect(
            try evaluate(.maxPool(Pooling(window: window, roundsUp: true)), ramp([1, 1, 6]))[0], [1, 1, 3], [2, 4, 5])
        expect(try evaluate(.maxPool(Pooling(window: window)), ramp([1, 1, 6]))[0], [1, 1, 2], [2, 4])
        // The third window would start in the trailing padding.
        let padded = Window(kernel: [1], strides: [2], padsEnd: [0])
        expect(
            try evaluate(.maxPool(Pooling(window: padded, roundsUp: true)), ramp([1, 1, 4]))[0], [1, 1, 2], [0, 2])
        let trailing = Window(kernel: [2], strides: [3], padsBegin: [0], padsEnd: [1])
        expect(
            try evaluate(.maxPool(Pooling(window: trailing, roundsUp: true)), ramp([1, 1, 3]))[0], [1, 1, 1], [1])
    }

    @Test func averagesCountWhatIsInside() throws {
        let window = Window(kernel: [3], padsBegin: [1], padsEnd: [1])
        let input = Tensor([3, 6, 9] as [Float], shape: [1, 1, 3])
        expect(try evaluate(.averagePool(Pooling(window: window)), input)[0], [1, 1, 3], [4.5, 6, 7.5])
        expect(
            try evaluate(.averagePool(Pooling(window: window, countsPadding: true)), input)[0], [1, 1, 3], [3, 6, 5])
    }

    @Test func averagesNeverCountBeyondThePadding() throws {
        let window = Window(kernel: [3], strides: [2], padsBegin: [1], padsEnd: [1])
        let input = Tensor([3, 6, 9, 12] as [Float], shape: [1, 1, 4])
        // The last window reads index 3, one padded position and one beyond.
        expect(
            try evaluate(.averagePool(Pooling(window: window, roundsUp: true, countsPadding: true)), input)[0],
            [1, 1, 3],
            [3, 9, 6])
    }

    @Test func globalPoolsReduceEachPlane() throws {
        let input = ramp([2, 2, 2, 3])
        expect(try evaluate(.globalAveragePool, input)[0], [2, 2, 1, 1], [2.5, 8.5, 14.5, 20.5])
        expect(try evaluate(.globalMaxPool, input)[0], [2, 2, 1, 1], [5, 11, 17, 23])
    }
}
