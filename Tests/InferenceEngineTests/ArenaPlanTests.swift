internal import InferenceEngine
internal import ModelGraph
internal import TestSupport
internal import Testing

@Suite struct ArenaPlanTests {
    @Test(arguments: 0..<200 as Range<UInt64>)
    func buffersAliveTogetherNeverOverlap(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let steps = Int.random(in: 1...30, using: &generator)
        let buffers = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
            let first = Int.random(in: -1...steps, using: &generator)
            return BufferPlan(
                byteCount: Int.random(in: 0...(Bool.random(using: &generator) ? 200 : 100_000), using: &generator),
                constant: nil, firstStep: first, lastStep: Int.random(in: first...steps, using: &generator))
        }
        let plan = ArenaPlan(buffers)
        let sizes = buffers.map { (max($0.byteCount, 1) + 63) / 64 * 64 }
        for (index, buffer) in buffers.enumerated() {
            #expect(plan.offsets[index] >= 0 && plan.offsets[index] % TensorStorage.alignment == 0, "seed \(seed)")
            #expect(plan.offsets[index] + buffer.byteCount <= plan.byteCount, "seed \(seed)")
            for (other, rival) in buffers.enumerated().dropFirst(index + 1)
            where buffer.firstStep <= rival.lastStep && rival.firstStep <= buffer.lastStep {
                let isApart =
                    plan.offsets[index] + sizes[index] <= plan.offsets[other]
                    || plan.offsets[other] + sizes[other] <= plan.offsets[index]
                #expect(isApart, "seed \(seed): buffers \(index) and \(other)")
            }
        }
        #expect(plan.byteCount <= sizes.reduce(0, +), "seed \(seed)")
        // No plan is smaller than what is alive at once.
        let needed = (-1...steps).map { step in
            zip(buffers, sizes).reduce(0) { $1.0.firstStep <= step && step <= $1.0.lastStep ? $0 + $1.1 : $0 }
        }
        #expect(plan.byteCount >= needed.max() ?? 0, "seed \(seed)")
    }

    @Test func aChainNeedsTwoBuffers() {
        let chain = (0..<10).map { BufferPlan(byteCount: 640, constant: nil, firstStep: $0, lastStep: $0 + 1) }
        #expect(ArenaPlan(chain).byteCount == 1280)
    }

    @Test func constantsTakeNoRoom() {
        let storage = TensorStorage(byteCount: 1000) { $0.initializeMemory(as: UInt8.self, repeating: 0) }
        let constant = BufferPlan(byteCount: 1000, constant: storage, firstStep: 0, lastStep: 5)
        #expect(ArenaPlan([constant]).byteCount == 0)
    }
}
