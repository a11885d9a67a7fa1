package import InferenceEngine
package import ModelGraph

/// Runs the integer network once and offers the boundaries of many cuts: what each cut's own head would send, bit for bit.
///
/// One thread at a time, as a session.
package final class BoundaryTap {
    /// The tensors offered, each once, in the graph's order.
    package let ports: [BoundaryPort]
    private let session: InferenceSession

    /// A network prepared for taps: shared by any number of them.
    package struct Model: Sendable {
        package let ports: [BoundaryPort]
        fileprivate let model: PreparedModel

        /// - Throws: `SplitExecutionError.unquantizedBoundary`, or what preparation throws.
        package init(
            _ quantized: QuantizedGraph, cuts: [Cut], pool: WorkerPool, instructionSet: InstructionSet = .best,
            sharedWeights: SharedWeights? = nil
        ) throws {
            let graph = quantized.graph
            let values = Set(cuts.flatMap(\.boundary)).sorted { $0.index < $1.index }
            ports = try BoundaryPort.ports(of: values, in: quantized)
            let part = try quantized.extracting(inputs: graph.inputs, outputs: values, name: graph.name + ".boundaries")
            var options = PreparationOptions(
                instructionSet: instructionSet, defaultInput: .natural, workers: pool, sharedWeights: sharedWeights)
            for port in ports {
                options.outputForms[port.name] = .exactly(
                    TensorForm(quantization: port.quantization, layout: .channelsLast))
            }
            model = try PreparedModel(part, options: options)
        }

        /// The place of each of a cut's boundary tensors among `ports`.
        package func positions(of cut: Cut, in graph: Graph) -> [Int] {
            cut.boundary.compactMap { value in ports.firstIndex { $0.name == graph[value].name } }
        }
    }

    package init(_ model: Model, pool: WorkerPool) {
        ports = model.ports
        session = InferenceSession(model.model, pool: pool)
    }

    /// Feeds float32 tensors, one for each graph input, row-major, and computes the boundaries.
    /// - Throws: `SplitExecutionError.inputMismatch`, `EngineError.layerFailed`.
    package func run(_ tensors: [Tensor]) throws {
        try session.feed(tensors)
        try session.run()
    }

    /// The codes of `ports[index]`, channels last; valid until the next run.
    package func codes(_ index: Int) -> UnsafeRawBufferPointer { session.output(index) }
}
