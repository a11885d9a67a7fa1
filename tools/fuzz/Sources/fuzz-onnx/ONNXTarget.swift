internal import FoundationEssentials
internal import Fuzzing
internal import ModelGraph
internal import ONNXFormat
internal import TestSupport

/// The ONNX reader: import, simplification, and the export of what came of it.
enum ONNXTarget: FuzzTarget {
    /// Less than the default, which is meant for networks: an input of some kilobytes that folds more is refused.
    private static let options = ONNXImportOptions(maximumFoldedByteCount: 1 << 20)

    static func read(_ input: [UInt8]) {
        guard let graph = try? importONNX(TensorStorage(bytes: input), options: options) else { return }
        do throws(GraphError) {
            try graph.verify()
            // Verifies the graph after every rewrite.
            let simplified = try graph.simplified()
            _ = try? exportONNX(simplified)
        } catch {
            fatalError("an imported graph, or what a rewrite made of it, breaks a rule: \(error)")
        }
    }

    static func seeds() throws -> [String: [UInt8]] {
        var seeds = ["vision": SmallModels.vision, "growing": SmallModels.growing]
        // Small ones: what takes time is to simplify them.
        for seed in UInt64(0)..<48 {
            seeds["random-\(seed)"] = try exportONNX(RandomGraph(seed: seed, nodeCount: 3).graph)
        }
        return seeds
    }

    static func mutate(_ input: inout [UInt8], limit: Int, using generator: inout SplitMix64) {
        let message = ProtobufFields(input)
        guard let field = message.fields.randomElement(using: &generator) else { return }
        let replacement: [UInt8]
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: replacement = []
        case 1: replacement = Array(input[field.whole] + input[field.whole])
        case 2...4:
            // Another field of the same meaning, as the operator of one node for that of another.
            let others = message.fields.filter { $0.kind == field.kind && $0.number == field.number }
            replacement = Array(input[(others.randomElement(using: &generator) ?? field).whole])
        case 5 where field.nested != nil:
            // A field moves into another message.
            let other = message.fields.randomElement(using: &generator) ?? field
            replacement = field.with(payload: Array(input[field.payload] + input[other.whole]))
        default:
            guard field.isDelimited else {
                let value = mutated(input[field.payload], limit: 10)
                replacement = Array(input[field.whole.lowerBound..<field.payload.lowerBound]) + value
                break
            }
            let room = max(limit - input.count, 0) + field.payload.count
            replacement = field.with(payload: mutated(input[field.payload], limit: min(room, field.payload.count + 64)))
        }
        message.replace(field, by: replacement, in: &input)
    }
}
