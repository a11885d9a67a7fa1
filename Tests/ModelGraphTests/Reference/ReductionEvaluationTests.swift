internal import ModelGraph
internal import Testing

@Suite struct ReductionEvaluationTests {
    static let kinds: [(Reduction.Kind, [Float])] = [
        (.sum, [-1, 7]), (.mean, [-0.5, 3.5]), (.maximum, [2, 4]), (.minimum, [-3, 3]), (.product, [-6, 12]),
        (.l1, [5, 7]), (.l2, [3.6055512, 5]), (.sumOfSquares, [13, 25]),
    ]

    @Test(arguments: kinds.indices)
    func reductionsAlongAnAxis(index: Int) throws {
        let (kind, expected) = Self.kinds[index]
        let input = Tensor([-3, 2, 3, 4] as [Float], shape: [2, 2])
        expect(try evaluate(.reduce(Reduction(kind: kind, axes: [-1])), input)[0], [2, 1], expected)
        let integers = Tensor([-3, 2, 3, 4] as [Int32], shape: [2, 2])
        let reduction = Reduction(kind: kind, axes: [1], keepsDimensions: false)
        let expectedIntegers = expected.map { Int32($0) }
        expect(try evaluate(.reduce(reduction), integers)[0], [2], exactly: expectedIntegers)
    }

    @Test func reductionOverAllOrNoAxes() throws {
        let input = ramp([2, 1, 3])
        expect(try evaluate(.reduce(Reduction(kind: .sum, axes: [])), input)[0], [1, 1, 1], [15])
        expect(
            try evaluate(.reduce(Reduction(kind: .sum, axes: [], isIdentityWithoutAxes: true)), input)[0], [2, 1, 3],
            [0, 1, 2, 3, 4, 5])
        expect(
            try evaluate(.reduce(Reduction(kind: .sum, axes: [0, 2], keepsDimensions: false)), input)[0], [1], [15])
    }

    @Test func reductionsOfNothingAreNeutral() throws {
        let empty = ramp([2, 0])
        let reduce = { kind in try evaluate(.reduce(Reduction(kind: kind, axes: [1], keepsDimensions: false)), empty)[0]
        }
        expect(try reduce(.sum), [2], [0, 0])
        expect(try reduce(.product), [2], [1, 1])
        expect(try reduce(.maximum), [2], [-.infinity, -.infinity])
        expect(try reduce(.mean), [2], [.nan, .nan])
    }

    @Test func extremaOfBoolAreAnyAndAll() throws {
        let input = Tensor([false, true, true, true, false, false], shape: [3, 2])
        let reduce = { kind in try evaluate(.reduce(Reduction(kind: kind, axes: [1], keepsDimensions: false)), input)[0]
        }
        expect(try reduce(.maximum), [3], exactly: [true, true, false])
        expect(try reduce(.minimum), [3], exactly: [false, true, false])
    }

    @Test func argMaxTakesTheFirstOrLast() throws {
        let input = Tensor([1, 3, 3, 2, 2, 0] as [Float], shape: [2, 3])
        let first = Operator.argMax(axis: 1, keepsDimensions: true, selectsLastIndex: false)
        expect(try evaluate(first, input)[0], [2, 1], exactly: [1, 0] as [Int64])
        let last = Operator.argMax(axis: -1, keepsDimensions: false, selectsLastIndex: true)
        expect(try evaluate(last, input)[0], [2], exactly: [2, 1] as [Int64])
        let columns = Operator.argMax(axis: 0, keepsDimensions: false, selectsLastIndex: false)
        expect(try evaluate(columns, input)[0], [3], exactly: [1, 0, 0] as [Int64])
    }
}
