internal import FoundationEssentials
internal import ImageInput
internal import ModelGraph
internal import ModelStore
internal import Testing
internal import TestSupport

@Suite struct RoundTripTests {
    private func expectEqual(_ left: Graph, _ right: Graph) {
        #expect(left.name == right.name)
        #expect(left.inputs == right.inputs)
        #expect(left.outputs == right.outputs)
        #expect(left.values.map(\.name) == right.values.map(\.name))
        #expect(left.values.map(\.type) == right.values.map(\.type))
        #expect(left.values.map(\.constant?.bytes) == right.values.map(\.constant?.bytes))
        #expect(left.nodes.map(\.name) == right.nodes.map(\.name))
        #expect(left.nodes.map(\.operation) == right.nodes.map(\.operation))
        #expect(left.nodes.map(\.inputs) == right.nodes.map(\.inputs))
        #expect(left.nodes.map(\.outputs) == right.nodes.map(\.outputs))
    }

    @Test(arguments: [OpenedPackage.Verification.everything, .sectionsOnUse])
    func whatIsWrittenIsRead(verification: OpenedPackage.Verification) throws {
        let folder = try TemporaryFolder()
        let quantized = try TestModels.quantized()
        let package = ModelPackage(try TestModels.card(), quantized: quantized)
        let digest = try package.write(to: folder.file("m.cleave"))
        let opened = try OpenedPackage(path: folder.file("m.cleave"), verifying: verification)
        #expect(opened.digest == digest)
        #expect(opened.card == package.card)
        #expect(opened.isQuantized)
        expectEqual(try opened.graph(), quantized.graph)
        let read = try #require(try opened.quantizedGraph())
        expectEqual(read.graph, quantized.graph)
        #expect(read.activations == quantized.activations)
        #expect(read.weights.map { $0?.values.type } == quantized.weights.map { $0?.values.type })
        #expect(read.weights.map { $0?.values.bytes } == quantized.weights.map { $0?.values.bytes })
        #expect(read.weights.map { $0?.bias.bytes } == quantized.weights.map { $0?.bias.bytes })
        #expect(read.weights.map { $0?.scales } == quantized.weights.map { $0?.scales })
        try opened.verify()
    }

    @Test func aPackageNeedsNoQuantisation() throws {
        let folder = try TemporaryFolder()
        let graph = try TestModels.graph()
        try ModelPackage(try TestModels.card(), graph: graph).write(to: folder.file("m.cleave"))
        let opened = try OpenedPackage(path: folder.file("m.cleave"), verifying: .everything)
        expectEqual(try opened.graph(), graph)
        #expect(!opened.isQuantized)
        #expect(try opened.quantizedGraph() == nil)
    }
}

extension RoundTripTests {
    /// Equal contents give equal bytes, and the digest tells contents apart.
    @Test func theDigestIsThatOfTheContents() throws {
        let folder = try TemporaryFolder()
        let first = try TestModels.package().write(to: folder.file("a.cleave"))
        let second = try TestModels.package().write(to: folder.file("b.cleave"))
        #expect(first == second)
        let a = try Data(contentsOf: URL(filePath: folder.file("a.cleave")))
        #expect(try a == Data(contentsOf: URL(filePath: folder.file("b.cleave"))))
        #expect(try TestModels.package(seed: 2).write(to: folder.file("b.cleave")) != first)
        #expect(try TestModels.package(version: "2").write(to: folder.file("b.cleave")) != first)
    }

    /// Scales go through decimal text and must come back to the last bit.
    @Test func scalesKeepEveryBit() throws {
        let seed: UInt64 = 0x5EED_0003
        var generator = SplitMix64(seed: seed)
        var package = ModelPackage(try TestModels.card(), graph: try TestModels.graph())
        package.card.layers = (0..<20_000).map { index in
            // Every positive finite bit pattern, subnormal ones included, is as likely as any other.
            let scale = Float(bitPattern: .random(in: 1...0x7F7F_FFFF, using: &generator))
            let noise = Double(bitPattern: .random(in: 0...0x7FF0_0000_0000_0000, using: &generator))
            return LayerReport(
                name: "\(index)", quantization: ActivationQuantization(scale: scale, zeroPoint: 128),
                sqnrDecibels: -noise)
        }
        let folder = try TemporaryFolder()
        try package.write(to: folder.file("m.cleave"))
        let opened = try OpenedPackage(path: folder.file("m.cleave"), verifying: .everything)
        for (written, read) in zip(package.card.layers, opened.card.layers) {
            #expect(written.quantization.scale.bitPattern == read.quantization.scale.bitPattern, "seed \(seed)")
            #expect(written.sqnrDecibels.bitPattern == read.sqnrDecibels.bitPattern, "seed \(seed)")
        }
    }

    @Test func aPackageWithoutCodecsOpens() throws {
        let folder = try TemporaryFolder()
        var card = try TestModels.card()
        card.codecs = nil
        try ModelPackage(card, graph: TestModels.graph()).write(to: folder.file("m.cleave"))
        #expect(try OpenedPackage(path: folder.file("m.cleave"), verifying: .everything).card == card)
    }

    /// The smallest setting within a budget; none where the budget is below all.
    @Test func codecsAreChosenByLoss() throws {
        let setting = try #require(try TestModels.card().codecs?[0].settings[0])
        var better = setting
        better.encodedBytes = 900
        better.loss = 0.004
        let codec = CutCodec(boundary: ["pool"], sampleCount: 64, settings: [setting, better])
        #expect(codec.smallest(losing: 0.02) == setting)
        #expect(codec.smallest(losing: 0.005) == better)
        #expect(codec.smallest(losing: 0) == nil)
    }

    /// What could not be opened again is not written, and what was there stays.
    @Test func aFaultyPackageIsNotWritten() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("m.cleave")
        let digest = try TestModels.package().write(to: path)
        var graph = try TestModels.graph()
        graph.outputs = [ValueID(99)]
        #expect(try failure(ModelPackage(TestModels.card(), graph: graph), path)?.code == .invalidGraph)
        graph = try TestModels.graph()
        graph[ValueID(0)].type.shape = [1 << 20, 1 << 18, 1, 1]
        #expect(try failure(ModelPackage(TestModels.card(), graph: graph), path)?.code == .malformed)
        var card = try TestModels.card()
        card.accuracy[0].top1Agreement = .nan
        #expect(try failure(ModelPackage(card, graph: TestModels.graph()), path)?.code == .malformed)
        card = try TestModels.card()
        card.codecs?[0].settings[0].tensors[0].thresholds.removeLast()
        #expect(try failure(ModelPackage(card, graph: TestModels.graph()), path)?.code == .malformed)
        let quantized = try TestModels.quantized()
        let strange = QuantizedGraph(
            graph: quantized.graph, activations: quantized.activations, weights: quantized.weights.reversed())
        #expect(try failure(ModelPackage(TestModels.card(), quantized: strange), path)?.code == .malformed)
        #expect(try OpenedPackage(path: path, verifying: .everything).digest == digest)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["m.cleave"])
    }

    @Test func anUnwritableFolderIsReported() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("none/m.cleave")
        let failure = try #require(try failure(TestModels.package(), path))
        #expect(failure.code == .unwritable && failure.file == path)
    }

    private func failure(_ package: ModelPackage, _ path: String) -> ModelStoreError? {
        do throws(ModelStoreError) {
            try package.write(to: path)
            return nil
        } catch {
            return error
        }
    }
}
