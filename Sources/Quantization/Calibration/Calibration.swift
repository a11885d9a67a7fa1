package import InferenceEngine
package import ModelGraph

/// What calibration learnt: the chosen range of each float activation.
package struct Calibration: Sendable {
    package let method: CalibrationMethod
    package let inputCount: Int
    /// By value index; `nil` for constants and for values that are not float32.
    package let ranges: [ActivationRange?]

    package init(method: CalibrationMethod, inputCount: Int, ranges: [ActivationRange?]) {
        self.method = method
        self.inputCount = inputCount
        self.ranges = ranges
    }
}

extension Calibration {
    /// Runs `graph` in float32 on every calibration input and chooses a range for each activation.
    ///
    /// Two passes over the inputs: extremes first, then, unless the method is min-max, a histogram of 2048 bins
    /// between them.
    /// - Parameters:
    ///   - graph: float32, simplified: ranges refer to its values.
    ///   - count: number of inputs; ≥ 1.
    ///   - input: the tensors of input number 0..<count, as `graph.inputs` wants them.
    ///   - progress: called with the inputs done and the inputs to do, over both passes.
    /// - Throws: `QuantizationError.noCalibrationData`, `.notFinite` naming the activation, and what the engine throws.
    package static func measure(
        _ graph: Graph, method: CalibrationMethod, count: Int, pool: WorkerPool,
        input: (Int) throws -> [Tensor], progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> Calibration {
        guard count > 0 else {
            throw QuantizationError(.noCalibrationData, "calibration needs at least one input", at: graph.name)
        }
        // Nothing can be seen of an activation without elements.
        let observed = graph.floatActivations.filter { graph[$0].type.shape.elementCount > 0 }
        let probe = try ActivationProbe(graph, values: observed, pool: pool)
        let passes = method == .minMax ? 1 : 2
        var ranges = observed.map { _ in ActivationRange() }
        for index in 0..<count {
            try probe.run(try input(index)) { position, values in ranges[position].observe(values) }
            progress(index + 1, count * passes)
        }
        if let position = ranges.firstIndex(where: { !$0.isFinite }) {
            let value = observed[position]
            let node = graph.producers()[value.index].map { "node \(graph[$0].name)" } ?? "an input"
            throw QuantizationError(
                .notFinite, "a calibration input makes the result of \(node) NaN or infinite", at: graph[value].name)
        }
        if method != .minMax {
            var histograms = ranges.map(ActivationHistogram.init)
            for index in 0..<count {
                try probe.run(try input(index)) { position, values in histograms[position].observe(values) }
                progress(count + index + 1, count * passes)
            }
            ranges = histograms.map { $0.chosenRange(method) }
        }
        var byValue = [ActivationRange?](repeating: nil, count: graph.values.count)
        for (value, range) in zip(observed, ranges) { byValue[value.index] = range }
        return Calibration(method: method, inputCount: count, ranges: byValue)
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

/// Runs a graph and shows chosen activations, in float32, whatever arithmetic the graph runs in.
struct ActivationProbe {
    private let session: InferenceSession

    /// - Parameter quantized: runs in integers with this, or in float32 without.
    init(_ graph: Graph, quantized: QuantizedGraph? = nil, values: [ValueID], pool: WorkerPool) throws {
        var probed = graph
        probed.outputs = values
        let model: PreparedModel
        if let quantized {
            let integer = QuantizedGraph(graph: probed, activations: quantized.activations, weights: quantized.weights)
            model = try PreparedModel(integer, options: PreparationOptions())
        } else {
            model = try PreparedModel(probed)
        }
        session = InferenceSession(model, pool: pool)
    }

    /// - Parameter observe: called for each probed value, in the order given, with its elements.
    func run(_ inputs: [Tensor], observe: (Int, UnsafeBufferPointer<Float>) -> Void) throws {
        try session.feed(inputs)
        try session.run()
        for position in session.model.outputs.indices {
            observe(position, session.output(position).assumingMemoryBound(to: Float.self))
        }
    }
}
