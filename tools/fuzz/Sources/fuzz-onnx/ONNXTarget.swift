internal import FoundationEssentials
internal import Fuzzing
internal import ModelGraph
internal import ONNXFormat
internal import Quantization
internal import TestSupport

/// What `cleave import` does with a file: import, simplification or the quantisation that the file states; and the export of
/// what came of it.
enum ONNXTarget: FuzzTarget {
    static func read(_ input: [UInt8]) {
        let bytes = TensorStorage(bytes: input)
        do throws(GraphError) {
            for dequantizesWeights in [false, true] {
                // Folding less than the default, which is meant for networks: an input of some kilobytes that folds more is
                // refused.
                let options = ONNXImportOptions(
                    maximumFoldedByteCount: 1 << 20, dequantizesWeights: dequantizesWeights)
                guard let graph = try? importONNX(bytes, options: options) else { return }
                try graph.verify()
                // Verifies the graph after every rewrite.
                let simplified = try graph.simplified()
                _ = try? exportONNX(simplified)
                // The second import differs only in what is quantised.
                guard graph.nodes.contains(where: { $0.operation.kind == "dequantizeLinear" }) else { return }
                try QuantizedGraph(statedIn: graph)?.graph.verify()
            }
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
        for largestLevel in [127, 170] {
            seeds["quantized-\(largestLevel)"] = try exportONNX(
                QuantizedFile.network(seed: 1, largestLevel: largestLevel))
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
