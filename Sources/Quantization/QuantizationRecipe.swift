package import InferenceEngine
package import ModelGraph

/// How a graph becomes an integer network: what to do and, of several ways, which.
package struct QuantizationRecipe: Hashable, Sendable {
    /// `nil` tries `candidates` and keeps the one whose answers are nearest to float32's.
    ///
    /// Of all methods the least squared error keeps most answers, and the least error of scores, over the networks tried;
    /// what is better for one of them is a matter of chance on a hundred pictures.
    package var method: CalibrationMethod? = .meanSquaredError
    /// Scales channels of activations to one another.
    package var equalizes = true
    package var clipsWeights = true
    package var correctsBiases = true
    /// Nodes, by name, that stay in float32.
    package var floatNodes: Set<String> = []
    /// When the answers' signal-to-noise ratio in dB is below this, the activations that cost it most stay in float32,
    /// as many as it takes; `nil` keeps everything in integers.
    package var leastSignalToNoise: Double? = Self.standardSignalToNoise

    package init() {}

    /// The networks tried keep more than 88 % of their answers above it, and fewer and fewer below.
    package static let standardSignalToNoise = 15.0
    /// In the order in which ties are decided.
    package static let candidates: [CalibrationMethod] = [
        .meanSquaredError, .percentile(0.9999), .percentile(0.99999), .minMax, .entropy,
    ]
    /// No more than this share of the activations stays in float32 by themselves.
    private static let largestFloatShare = 0.25
    /// Inputs on which ways are compared.
    private static let trialCount = 64

    /// What came of it.
    package struct Result: Sendable {
        package let quantized: QuantizedGraph
        package let method: CalibrationMethod
        /// Every method that was tried.
        package let trials: [Trial]
        package let output: OutputFidelity.Measure
        /// Names of nodes whose results were scaled by channel.
        package let equalizedNodes: [String]
        /// Names of nodes that compute in float32: as asked for, at an activation that stays float32, or for weights or types
        /// that integers cannot hold.
        package var floatNodes: [String] {
            let graph = quantized.graph
            return graph.nodes.indices.filter { index in
                let node = graph.nodes[index]
                let activations = (node.inputs.compactMap(\.self) + node.outputs).filter { graph[$0].constant == nil }
                return activations.contains { quantized[$0] == nil }
                    || (node.constantWeights(in: graph) != nil && quantized.weights[index] == nil)
            }.map { graph.nodes[$0].name }
        }
        /// Names of activations that stay in float32 for their sensitivity, the most sensitive first.
        package let floatActivations: [String]
    }

    package struct Trial: Hashable, Sendable, Codable {
        package let method: String
        package let output: OutputFidelity.Measure
    }
}

extension QuantizationRecipe {
    /// Calibrates and quantises; the result does not depend on the number of threads.
    /// - Parameters:
    ///   - graph: simplified.
    ///   - count: number of calibration inputs; ≥ 1.
    ///   - progress: called with what is being done, the steps of it done and the steps to do.
    /// - Throws: as `Calibration.measure`, and `QuantizationError.invalidOption` for a node that does not exist.
    package func quantize(
        _ graph: Graph, count: Int, pool: WorkerPool, input: @escaping InputSource,
        progress: (String, Int, Int) -> Void = { _, _, _ in }
    ) throws -> Result {
        for name in floatNodes.sorted() where !graph.nodes.contains(where: { $0.name == name }) {
            throw QuantizationError(.invalidOption, "no node \"\(name)\" to keep in float32", at: graph.name)
        }
        var graph = graph
        var calibration = try Calibration.measure(graph, count: count, pool: pool, input: input) {
            progress("calibrating", $0, $1)
        }
        var equalized: [String] = []
        if equalizes {
            (graph, equalized) = graph.equalized(by: calibration)
            if !equalized.isEmpty {
                calibration = try Calibration.measure(graph, count: count, pool: pool, input: input) {
                    progress("calibrating the equalised network", $0, $1)
                }
            }
        }
        // Spread over all inputs, which may be sorted by class.
        let trials = min(count, Self.trialCount)
        let fidelity = try OutputFidelity(graph, count: trials, pool: pool) { try input($0 * count / trials) }
        var attempt = Attempt(graph, calibration, options(for: graph), fidelity, pool)
        var tried: [Trial] = []
        let methods = method.map { [$0] } ?? Self.candidates
        var best: (method: CalibrationMethod, measure: OutputFidelity.Measure)?
        for (index, method) in methods.enumerated() {
            attempt.calibration.method = method
            let measure = try attempt.measure()
            tried.append(Trial(method: method.description, output: measure))
            if best.map({ measure.isNearer(than: $0.measure) }) ?? true { best = (method, measure) }
            progress("comparing methods", index + 1, methods.count)
        }
        guard let best else { preconditionFailure("there are candidates") }
        attempt.calibration.method = best.method
        var output = best.measure
        var sensitive: [ValueID] = []
        if let least = leastSignalToNoise, output.decibels < least {
            (sensitive, output) = try attempt.keepInFloat(
                until: least, from: output, share: Self.largestFloatShare
            ) { progress("finding sensitive layers", $0, $1) }
        }
        return Result(
            quantized: attempt.quantized(), method: best.method, trials: tried, output: output,
            equalizedNodes: equalized, floatActivations: sensitive.map { graph[$0].name })
    }

    private func options(for graph: Graph) -> Quantizer.Options {
        var options = Quantizer.Options()
        options.clipsWeights = clipsWeights
        options.correctsBiases = correctsBiases
        options.floatNodes = Set(graph.nodeIDs.filter { floatNodes.contains(graph[$0].name) })
        return options
    }
}

/// One way to quantise a graph, and how well it does.
private struct Attempt {
    let graph: Graph
    var calibration: Calibration
    var options: Quantizer.Options
    private let fidelity: OutputFidelity
    private let pool: WorkerPool

    /// Inputs on which the gain of each activation is measured.
    private static let searchCount = 8

    init(
        _ graph: Graph, _ calibration: Calibration, _ options: Quantizer.Options, _ fidelity: OutputFidelity,
        _ pool: WorkerPool
    ) {
        self.graph = graph
        self.calibration = calibration
        self.options = options
        self.fidelity = fidelity
        self.pool = pool
    }

    func quantized() -> QuantizedGraph {
        Quantizer(graph, calibration: calibration, options: options).quantized(on: pool)
    }

    func measure() throws -> OutputFidelity.Measure {
        try fidelity.measure(quantized(), pool: pool)
    }

    /// Finds out what each activation in float32 alone would gain, and keeps the best 1, 2, 4… of them.
    mutating func keepInFloat(
        until least: Double, from start: OutputFidelity.Measure, share: Double, progress: (Int, Int) -> Void
    ) throws -> (values: [ValueID], output: OutputFidelity.Measure) {
        let before = options
        let whole = quantized()
        // A few inputs tell which activations cost most; how many have to stay in float32 is measured on all.
        let fidelity = fidelity.limited(to: Self.searchCount)
        let unchanged = try fidelity.measure(whole, pool: pool).decibels
        let values = graph.floatActivations.filter { whole[$0] != nil }
        var gains: [(value: ValueID, signalToNoise: Double)] = []
        for (index, value) in values.enumerated() {
            // Integer weights are the same whatever else is in float32.
            let part = whole.keepingInFloat([value])
            gains.append((value, try fidelity.measure(part, pool: pool).decibels))
            progress(index + 1, values.count)
        }
        gains.sort { $0.signalToNoise == $1.signalToNoise ? $0.value < $1.value : $0.signalToNoise > $1.signalToNoise }
        let helpful = gains.prefix { $0.signalToNoise > unchanged }.map(\.value)
        let most = min(helpful.count, max(1, Int(Double(values.count) * share)))
        var best: (values: [ValueID], output: OutputFidelity.Measure) = ([], start)
        var size = 1
        while most > 0 {
            let kept = Array(helpful.prefix(min(size, most)))
            options.floatValues = before.floatValues.union(kept)
            let output = try measure()
            if output.decibels > best.output.decibels { best = (kept, output) }
            if output.decibels >= least || size >= most { break }
            size *= 2
        }
        options.floatValues = before.floatValues.union(best.values)
        return best
    }
}

extension QuantizedGraph {
    fileprivate func keepingInFloat(_ values: Set<ValueID>) -> QuantizedGraph {
        let activations = self.activations.enumerated().map { values.contains(ValueID($0)) ? nil : $1 }
        let weights = zip(graph.nodes, self.weights).map { node, weights in
            (node.inputs.compactMap(\.self) + node.outputs).contains(where: values.contains) ? nil : weights
        }
        return QuantizedGraph(graph: graph, activations: activations, weights: weights)
    }
}
