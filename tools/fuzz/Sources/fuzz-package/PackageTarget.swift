internal import FoundationEssentials
internal import Fuzzing
internal import ModelGraph
internal import ModelStore
internal import TestSupport

/// The reader of model packages.
enum PackageTarget: FuzzTarget {
    static func read(_ input: [UInt8]) {
        let storage = TensorStorage(byteCount: input.count) { $0.copyBytes(from: input) }
        if let package = try? OpenedPackage(storage, path: "input", verifying: .everything) {
            // What has been verified in full has no more to complain of but scales, which only loading looks at.
            check(try? package.graph())
            check((try? package.quantizedGraph())?.graph)
        }
        guard let package = try? OpenedPackage(storage, path: "input", verifying: .sectionsOnUse) else { return }
        let nodes = Array(package.structure.nodeIDs.prefix(2))
        check((try? package.quantizedGraph(running: nodes))?.graph)
        check(try? package.graph())
    }

    private static func check(_ graph: Graph?) {
        do throws(GraphError) {
            try graph?.verify()
        } catch {
            fatalError("the package's graph breaks a rule: \(error)")
        }
    }

    static func seeds() throws -> [String: [UInt8]] {
        var seeds: [String: [UInt8]] = [:]
        let card = try TestModels.card()
        // The card's codings are of a cut through six channels.
        var uncodedCard = card
        uncodedCard.codecs = []
        for channels in [1, 6] {
            let quantized = try TestModels.quantized(channels: channels)
            let card = channels == 6 ? card : uncodedCard
            seeds["quantized-\(channels)"] = try bytes(of: ModelPackage(card, quantized: quantized))
            seeds["float-\(channels)"] = try bytes(of: ModelPackage(uncodedCard, graph: quantized.graph))
        }
        for seed in UInt64(0)..<12 {
            let graph = RandomGraph.make(seed: seed, nodeCount: 4)
            seeds["random-\(seed)"] = try bytes(of: ModelPackage(uncodedCard, graph: graph))
        }
        return seeds
    }

    private static func bytes(of package: ModelPackage) throws -> [UInt8] {
        let folder = try TemporaryFolder()
        let file = folder.file("seed.cleave")
        try package.write(to: file)
        return Array(try Data(contentsOf: URL(filePath: file)))
    }

    static func mutate(_ input: inout [UInt8], limit: Int, using generator: inout SplitMix64) {
        guard var package = PackageBytes(input) else { return }
        package.mutate(limit: limit, using: &generator)
        input = package.signed()
    }
}
