internal import ModelGraph
internal import ModelStore
internal import Testing

/// With checks on use, a damaged section matters to those who read it, and to nobody else.
@Suite struct LazyVerificationTests {
    /// The package with the bytes of one tensor damaged.
    private func open(damaging holder: String, _ quantized: QuantizedGraph) throws -> OpenedPackage {
        let sound = try IntegrityTests.bytes(ModelPackage(try TestModels.card(), quantized: quantized))
        let tensors = [
            "conv.w": quantized.graph.values[1].constant, "conv.b": quantized.graph.values[2].constant,
            "factor": quantized.graph.values[3].constant, "conv.q": quantized.weights[0]?.values,
            "conv.s": quantized.weights[0].map { Tensor($0.scales, shape: [$0.scales.count]) },
            "fc.q": quantized.weights[6]?.values,
        ]
        let bytes = try #require(tensors[holder]??.bytes)
        var damaged = sound
        let place = try #require(sound.firstRange(of: bytes))
        damaged[place.upperBound - 1] ^= 0x10
        return try IntegrityTests.open(damaged[...], verifying: .sectionsOnUse)
    }

    private func isRefused(_ body: () throws -> Void) throws -> Bool {
        do {
            try body()
            return false
        } catch let error as ModelStoreError {
            #expect(error.code == .digestMismatch && error.file == "damaged.cleave")
            return true
        }
    }

    @Test(arguments: [
        ("conv.w", true, false, false), ("conv.b", true, false, false), ("factor", true, true, false),
        ("conv.q", false, true, true), ("conv.s", false, true, true), ("fc.q", false, true, false),
    ])
    func aDamagedSectionIsRefusedToItsReaders(
        holder: String, floatFails: Bool, integerFails: Bool, headFails: Bool
    ) throws {
        let opened = try open(damaging: holder, try TestModels.quantized())
        for _ in 0..<2 {
            #expect(try isRefused { _ = try opened.graph() } == floatFails)
            #expect(try isRefused { _ = try opened.quantizedGraph() } == integerFails)
            let head = [0, 1, 2].map(NodeID.init)
            #expect(try isRefused { _ = try opened.quantizedGraph(running: head) } == headFails)
            #expect(try isRefused { try opened.verify() })
        }
    }
}
