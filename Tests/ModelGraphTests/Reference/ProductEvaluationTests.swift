internal import ModelGraph
internal import Testing

@Suite struct ProductEvaluationTests {
    let left = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    let right = Tensor([1, 0, 0, 1, 1, 1] as [Float], shape: [3, 2])

    @Test func gemmMultipliesScalesAndAdds() throws {
        expect(try evaluate(.gemm(Gemm()), left, right)[0], [2, 2], [4, 5, 10, 11])
        let gemm = Gemm(alpha: 2, beta: 10, activation: Clamp(upper: 40))
        let row = Tensor([1, 2] as [Float], shape: [2])
        expect(try evaluate(.gemm(gemm), left, right, row)[0], [2, 2], [18, 30, 30, 40])
        let column = Tensor([1, 2] as [Float], shape: [2, 1])
        expect(try evaluate(.gemm(Gemm()), left, right, column)[0], [2, 2], [5, 6, 12, 13])
    }

    @Test func gemmTransposes() throws {
        expect(try evaluate(.gemm(Gemm(transposesB: true)), left, left)[0], [2, 2], [14, 32, 32, 77])
        expect(
            try evaluate(.gemm(Gemm(transposesA: true)), left, left)[0], [3, 3], [17, 22, 27, 22, 29, 36, 27, 36, 45])
    }

    @Test func matrixProductBroadcastsItsBatch() throws {
        expect(try evaluate(.matrixProduct, left, right)[0], [2, 2], [4, 5, 10, 11])
        let stack = ramp([2, 1, 1, 3])
        let matrices = Tensor([1, 0, 0, 0, 1, 0] as [Float], shape: [2, 3, 1])
        expect(try evaluate(.matrixProduct, stack, matrices)[0], [2, 2, 1, 1], [0, 1, 3, 4])
    }

    @Test func matrixProductDropsTheAxesOfVectors() throws {
        let vector = Tensor([1, 2, 3] as [Float], shape: [3])
        expect(try evaluate(.matrixProduct, vector, vector)[0], [], [14])
        expect(try evaluate(.matrixProduct, left, vector)[0], [2], [14, 32])
        expect(try evaluate(.matrixProduct, vector, right)[0], [2], [4, 5])
    }

    @Test func batchNormalizationWithGivenStatistics() throws {
        let parameters = [[2, 1], [1, -1], [3, 0], [3, 0.25]].map { Tensor($0 as [Float], shape: [2]) }
        let operation = Operator.batchNormalization(BatchNormalization(epsilon: 1))
        let input = Tensor([3, 5, 0, 2] as [Float], shape: [1, 2, 2])
        let result = try evaluate(operation, input, parameters[0], parameters[1], parameters[2], parameters[3])
        let second = 2 / (1.25 as Float).squareRoot() - 1
        expect(result[0], [1, 2, 2], [1, 3, -1, second])
    }

    @Test func batchNormalizationInTrainingUpdatesTheStatistics() throws {
        let (one, zero) = (Tensor([1] as [Float], shape: [1]), Tensor([0] as [Float], shape: [1]))
        let operation = Operator.batchNormalization(BatchNormalization(epsilon: 0, momentum: 0.75, isTraining: true))
        let input = Tensor([0, 2, 4, 2] as [Float], shape: [2, 1, 2])
        let results = try evaluate(operation, input, one, zero, zero, one, outputCount: 3)
        let root = (2 as Float).squareRoot()
        expect(results[0], [2, 1, 2], [-root, 0, root, 0])
        expect(results[1], [1], [0.5])
        expect(results[2], [1], [1.25])
    }

    @Test func localResponseNormalizationSumsNeighbours() throws {
        let input = Tensor([1, 2, 3, 4] as [Float], shape: [1, 4, 1])
        let normalization = LocalResponseNormalization(size: 2, alpha: 2, beta: 1, bias: 1)
        // An even size reaches one channel further up than down.
        let result = try evaluate(.localResponseNormalization(normalization), input)
        expect(result[0], [1, 4, 1], [1 / 6, 2 / 14, 3 / 26, 4 / 17])
    }

    @Test func softmaxNormalizesItsAxis() throws {
        let input = Tensor([0, 1000, 0, 1000] as [Float], shape: [2, 2])
        expect(try evaluate(.softmax(Softmax(axis: 1)), input)[0], [2, 2], [0, 1, 0, 1])
        expect(try evaluate(.softmax(Softmax(axis: 0)), input)[0], [2, 2], [0.5, 0.5, 0.5, 0.5])
        let logarithmic = Softmax(axis: -1, isLogarithmic: true)
        expect(try evaluate(.softmax(logarithmic), input)[0], [2, 2], [-1000, 0, -1000, 0])
    }

    @Test func softmaxOfOldFlattensTheTrailingAxes() throws {
        let input = Tensor([Float](repeating: 3, count: 12), shape: [2, 3, 2])
        let result = try evaluate(.softmax(Softmax(axis: 1, flattensTrailingAxes: true)), input)
        expect(result[0], [2, 3, 2], [Float](repeating: 1 / 6, count: 12))
    }
}
