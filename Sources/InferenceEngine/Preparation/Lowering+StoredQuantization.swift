internal import ModelGraph

/// A quantisation that the network itself states: what it makes of `source` is kept as uint8 until someone wants floats.
struct StoredQuantization {
    let source: ValueID
    let quantization: ActivationQuantization

    /// By the result of a quantizeLinear that dequantizeLinears with the same parameters read, and nothing else does.
    ///
    /// int8 is kept as uint8, 128 higher.
    static func all(of graph: Graph) -> [ValueID: StoredQuantization] {
        var found: [ValueID: StoredQuantization] = [:]
        let consumers = graph.consumers()
        for node in graph.nodes {
            guard case .quantizeLinear = node.operation, let source = node.inputs[0], let output = node.outputs.first,
                graph[source].type.elementType == .float32, graph[source].constant == nil,
                !graph.outputs.contains(output), let quantization = graph.statedQuantization(of: node),
                consumers[output.index].allSatisfy({ reader in
                    guard case .dequantizeLinear = graph[reader].operation, graph[reader].inputs[0] == output,
                        graph[graph[reader].outputs[0]].type.elementType == .float32
                    else { return false }
                    return graph.statedQuantization(of: graph[reader]) == quantization
                })
            else { continue }
            found[output] = StoredQuantization(source: source, quantization: quantization)
        }
        return found
    }
}

extension Lowering {
    /// The pair of a quantizeLinear and a dequantizeLinear is one conversion, or none where the operand is on the grid
    /// already.
    mutating func lowerStoredQuantization(_ node: Node) throws -> Bool {
        switch node.operation {
        case .quantizeLinear:
            // Its readers do the work.
            return storedQuantizations[node.outputs[0]] != nil
        case .dequantizeLinear:
            guard let stored = node.inputs[0].flatMap({ storedQuantizations[$0] }),
                let natural = naturalForm(stored.source)
            else { return false }
            let form = TensorForm(quantization: stored.quantization, layout: natural.layout)
            // From another grid through floats, as the operators are defined.
            if let present = natural.quantization, present != stored.quantization {
                try requantizeThroughFloats(stored.source, as: form)
            }
            alias(node.outputs[0], as: form, to: try read(stored.source, as: form))
            return true
        default:
            return false
        }
    }

    /// Makes `value` exist in `form`, quantised from its float32 form in the same layout.
    private mutating func requantizeThroughFloats(_ value: ValueID, as form: TensorForm) throws {
        let float = TensorForm(layout: form.layout)
        let view = try convert(value, at: try read(value, as: float), float, to: form)
        alias(value, as: form, to: view)
    }
}
