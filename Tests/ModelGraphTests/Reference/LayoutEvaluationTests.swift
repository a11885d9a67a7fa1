internal import ModelGraph
internal import Testing

@Suite struct LayoutEvaluationTests {
    @Test func concatJoinsAlongAnyAxis() throws {
        let (first, second) = (ramp([2, 2]), Tensor([9, 8] as [Float], shape: [2, 1]))
        expect(try evaluate(.concat(axis: -1), first, second)[0], [2, 3], [0, 1, 9, 2, 3, 8])
        expect(try evaluate(.concat(axis: 0), first, first)[0], [4, 2], [0, 1, 2, 3, 0, 1, 2, 3])
        let bytes = Tensor([1, 2] as [UInt8], shape: [2])
        expect(
            try evaluate(.concat(axis: 0), bytes, Tensor([] as [UInt8], shape: [0]), bytes)[0], [4],
            exactly: [1, 2, 1, 2] as [UInt8])
    }

    @Test func reshapesKeepTheElements() throws {
        let values = (0..<6).map(Float.init)
        let input = ramp([2, 1, 3])
        expect(try evaluate(.reshape(extents: [3, -1], allowZero: false), input)[0], [3, 2], values)
        expect(
            try evaluate(.reshape(extents: [0, 3, 0, 1], allowZero: false), ramp([2, 1, 3]).reshaped(to: [2, 3, 1]))[0],
            [2, 3, 1, 1], values)
        expect(try evaluate(.flatten(axis: -1), input)[0], [2, 3], values)
        expect(try evaluate(.flatten(axis: 0), input)[0], [1, 6], values)
        expect(try evaluate(.squeeze(axes: []), input)[0], [2, 3], values)
        expect(try evaluate(.squeeze(axes: [-2]), input)[0], [2, 3], values)
        expect(try evaluate(.unsqueeze(axes: [-1, 0]), input)[0], [1, 2, 1, 3, 1], values)
        expect(try evaluate(.identity, input)[0], [2, 1, 3], values)
    }

    @Test func zeroExtentsMayBeMeant() throws {
        let empty = ramp([0, 3])
        #expect(try evaluate(.reshape(extents: [3, 0], allowZero: true), empty)[0].shape == [3, 0])
        #expect(try evaluate(.reshape(extents: [0, 3], allowZero: false), empty)[0].shape == [0, 3])
    }

    @Test func transposePermutesAxes() throws {
        expect(try evaluate(.transpose(permutation: [1, 0]), ramp([2, 3]))[0], [3, 2], [0, 3, 1, 4, 2, 5])
        expect(
            try evaluate(.transpose(permutation: [2, 0, 1]), ramp([2, 1, 3]))[0], [3, 2, 1], [0, 3, 1, 4, 2, 5])
        let wide = Tensor([1, 2, 3, 4] as [Int64], shape: [2, 2])
        expect(try evaluate(.transpose(permutation: [1, 0]), wide)[0], [2, 2], exactly: [1, 3, 2, 4] as [Int64])
    }

    @Test func shapeSelectsAxes() throws {
        let input = ramp([2, 1, 3])
        expect(try evaluate(.shape(start: 0, end: nil), input)[0], [3], exactly: [2, 1, 3] as [Int64])
        expect(try evaluate(.shape(start: -2, end: -1), input)[0], [1], exactly: [1] as [Int64])
        expect(try evaluate(.shape(start: 2, end: 1), input)[0], [0], exactly: [] as [Int64])
        expect(try evaluate(.shape(start: .min, end: .max), input)[0], [3], exactly: [2, 1, 3] as [Int64])
    }

    @Test func gatherTakesAnyIndices() throws {
        let indices = Tensor([2, -3, 0, 1] as [Int32], shape: [2, 2])
        expect(try evaluate(.gather(axis: 1), ramp([2, 3]), indices)[0], [2, 2, 2], [2, 0, 0, 1, 5, 3, 3, 4])
        expect(try evaluate(.gather(axis: 0), ramp([3]), Tensor(scalar: 2 as Int64))[0], [], [2])
        #expect(throws: GraphError.self) { try evaluate(.gather(axis: 0), ramp([2]), indices) }
    }

    @Test func sliceFollowsNumpy() throws {
        func slice(_ start: Int, _ end: Int, step: Int, of extent: Int = 5) throws -> [Float] {
            let slice = Slice(starts: [start], ends: [end], axes: [-1], steps: [step])
            return try evaluate(.slice(slice), ramp([1, extent]))[0].array(of: Float.self)
        }
        #expect(try slice(1, 4, step: 1) == [1, 2, 3])
        #expect(try slice(-3, .max, step: 2) == [2, 4])
        #expect(try slice(-1, .min, step: -2) == [4, 2, 0])
        #expect(try slice(3, 1, step: 1) == [])
        #expect(try slice(100, -100, step: -1) == [4, 3, 2, 1, 0])
        #expect(try slice(0, 5, step: .max) == [0])
        #expect(try slice(4, .min, step: .min) == [4])
        #expect(try slice(0, 5, step: -1, of: 0) == [])
    }

    @Test func splitDividesAnAxis() throws {
        let parts = try evaluate(.split(axis: 1, sizes: [1, 0, 2]), ramp([2, 3]), outputCount: 3)
        expect(parts[0], [2, 1], [0, 3])
        expect(parts[1], [2, 0], [])
        expect(parts[2], [2, 2], [1, 2, 4, 5])
    }

    static let paddings: [(Pad.Mode, [Float])] = [
        (.constant, [7, 7, 7, 0, 1, 2, 7, 7, 7]), (.edge, [0, 0, 0, 0, 1, 2, 2, 2, 2]),
        (.reflect, [1, 2, 1, 0, 1, 2, 1, 0, 1]), (.wrap, [0, 1, 2, 0, 1, 2, 0, 1, 2]),
    ]

    @Test(arguments: paddings.indices)
    func padExtends(index: Int) throws {
        let (mode, expected) = Self.paddings[index]
        let pad = Pad(mode: mode, begins: [0, 3], ends: [0, 3], value: 7)
        expect(try evaluate(.pad(pad), ramp([1, 3]))[0], [1, 9], expected)
    }

    @Test func padCropsWhereNegative() throws {
        let pad = Pad(mode: .constant, begins: [-1, 1], ends: [0, -1])
        expect(try evaluate(.pad(pad), ramp([2, 2]))[0], [1, 2], [0, 2])
        let bytes = Tensor([1] as [UInt8], shape: [1])
        expect(
            try evaluate(.pad(Pad(mode: .constant, begins: [1], ends: [0], value: 200)), bytes)[0], [2],
            exactly: [200, 1] as [UInt8])
    }

    @Test func expandRepeats() throws {
        expect(try evaluate(.expand(extents: [2, 1, 2]), ramp([2, 1]))[0], [2, 2, 2], [0, 0, 1, 1, 0, 0, 1, 1])
        expect(try evaluate(.expand(extents: [1]), ramp([2]))[0], [2], [0, 1])
    }
}
