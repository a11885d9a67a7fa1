internal import InferenceEngine
internal import ModelGraph

/// Runs a graph and shows chosen activations, in float32, whatever arithmetic the graph runs in.
///
/// On the caller's thread alone: other inputs run beside it (`InputFan`), each the same way however many there are.
struct ActivationProbe {
    private let session: InferenceSession

    init(_ model: PreparedModel) {
        session = InferenceSession(model, pool: WorkerPool(width: 1))
    }

    /// A model whose outputs are `values`.
    /// - Parameter quantized: runs in integers with this, or in float32 without.
    static func model(
        _ graph: Graph, quantized: QuantizedGraph? = nil, values: [ValueID], pool: WorkerPool
    ) throws -> PreparedModel {
        var probed = graph
        probed.outputs = values
        let options = PreparationOptions(workers: pool)
        guard let quantized else { return try PreparedModel(probed, options: options) }
        return try PreparedModel(
            QuantizedGraph(graph: probed, activations: quantized.activations, weights: quantized.weights),
            options: options)
    }

    /// - Parameter observe: called for each output, in order, with its elements.
    func run(_ inputs: [Tensor], observe: (Int, UnsafeBufferPointer<Float>) -> Void) throws {
        try session.feed(inputs)
        try session.run()
        for position in session.model.outputs.indices {
            observe(position, session.output(position).assumingMemoryBound(to: Float.self))
        }
    }
}

extension Graph {
    /// Graph inputs and node results of type float32, in order of value.
    var floatActivations: [ValueID] {
        values.indices.lazy.map(ValueID.init).filter {
            self[$0].constant == nil && self[$0].type.elementType == .float32
        }
    }
}
