internal import FoundationEssentials
internal import ImageInput
internal import ModelGraph
internal import ModelStore
internal import Testing

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
}
