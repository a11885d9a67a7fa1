package import ModelGraph

/// A graph turned into kernel calls for this machine: immutable, shared by any number of sessions, never serialised.
package final class PreparedModel: Sendable {
    package let name: String
    package let instructionSet: InstructionSet
    package let inputs: [Port]
    package let outputs: [Port]
    /// Names of the graph's nodes, by `NodeID`: what per-layer times refer to.
    package let nodeNames: [String]

    let kernels: KernelTable
    let steps: [Step]
    let buffers: [BufferPlan]
    let arena: ArenaPlan
    let inputViews: [BufferView]
    let outputViews: [BufferView]

    /// Bytes of packed weights.
    package let weightByteCount: Int

    /// Bytes that each session holds for activations.
    package var arenaByteCount: Int { arena.byteCount }

    /// Names of nodes that run by their definition, outside the kernels, and so slowly.
    package var nodesWithoutKernel: [String] {
        steps.compactMap { step in
            if case .reference(let call) = step.work { call.name } else { nil }
        }
    }

    /// Names of nodes that are computed together with others, some rows at a time.
    package var nodesInBands: [String] {
        steps.filter { $0.parts.count > 1 }.flatMap(\.parts).compactMap { $0.node.map { nodeNames[$0.index] } }
    }

    /// Names of nodes some of whose work is in float32: of a quantised model, what integers did not reach.
    package var nodesInFloat: [String] {
        var names: [String] = []
        for step in steps.flatMap(\.parts) where step.work.computesInFloat {
            guard let node = step.node, names.last != nodeNames[node.index] else { continue }
            names.append(nodeNames[node.index])
        }
        return names
    }

    /// Prepares a graph for execution in float32.
    /// - Throws: `EngineError`, or `GraphError` for a malformed graph.
    package convenience init(_ graph: Graph, options: PreparationOptions = PreparationOptions()) throws {
        let unquantized = QuantizedGraph(
            graph: graph, activations: graph.values.map { _ in nil }, weights: graph.nodes.map { _ in nil })
        try self.init(unquantized, options: options)
    }

    /// Prepares a graph for execution in integers where it is quantised, and in float32 elsewhere.
    /// - Throws: `EngineError`, or `GraphError` for a malformed graph.
    package init(_ quantized: QuantizedGraph, options: PreparationOptions) throws {
        var lowering = Lowering(
            quantized, kernels: try options.instructionSet.kernels(bfloat16: options.allowsBFloat16),
            allowsWinograd: options.allowsWinograd, sharing: options.sharedWeights)
        try lowering.lower(options)
        lowering.weights.finish(on: options.workers)
        let graph = quantized.graph
        name = graph.name
        instructionSet = options.instructionSet
        nodeNames = graph.nodes.map(\.name)
        kernels = lowering.kernels
        steps = lowering.steps
        buffers = lowering.buffers
        arena = ArenaPlan(lowering.buffers)
        inputs = lowering.inputs.map(\.port)
        inputViews = lowering.inputs.map(\.view)
        outputs = lowering.outputs.map(\.port)
        outputViews = lowering.outputs.map(\.view)
        weightByteCount = lowering.steps.flatMap(\.parts).reduce(0) { sum, step in
            switch step.work {
            case .convolutionU8(_, let weights), .convolutionF32(_, let weights): sum + weights.byteCount
            default: sum
            }
        }
    }
}
