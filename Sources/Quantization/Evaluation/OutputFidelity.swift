internal import Glibc
package import InferenceEngine
package import ModelGraph

extension Graph {
    /// The graph's float outputs; of an output that is the softmax of something that thing.
    ///
    /// Softmax hides how far scores are off where one of them is far ahead, and exaggerates it elsewhere.
    var answers: [ValueID] {
        let producers = producers()
        return outputs.map { output -> ValueID in
            guard let node = producers[output.index], case .softmax = self[node].operation else { return output }
            return self[node].inputs[0] ?? output
        }.filter { self[$0].constant == nil && self[$0].type.elementType == .float32 }
    }
}

/// What a float network answers to some inputs, to hold integer networks against.
package struct OutputFidelity: Sendable {
    /// By input, then by answer.
    private let expected: [[[Float]]]
    private var count: Int
    private let input: InputSource

    /// How far an integer network's answers are off.
    package struct Measure: Hashable, Sendable, Codable {
        /// In dB, the variance of the float answers over the mean square of the errors; `nil` without errors.
        package let signalToNoise: Double?
        /// Share of the inputs whose largest element of the first answer is the same, 0...1.
        package let agreement: Double
        /// Of classifiers, the mean Kullback–Leibler divergence of the classes' probabilities in nats; `nil` for others.
        package let divergence: Double?

        /// The signal-to-noise ratio, infinite without errors.
        package var decibels: Double { signalToNoise ?? .infinity }

        /// Whether this is nearer to the float network's answers. Scores of unlikely classes are off without consequence:
        /// where there are probabilities, they decide.
        package func isNearer(than other: Measure) -> Bool {
            guard let divergence, let otherDivergence = other.divergence else {
                return decibels > other.decibels
            }
            return divergence < otherDivergence
        }
    }

    /// Runs the float network.
    package init(_ graph: Graph, count: Int, pool: WorkerPool, input: @escaping InputSource) throws {
        let model = try ActivationProbe.model(graph, values: graph.answers, pool: pool)
        var expected: [[[Float]]] = []
        try InputFan(pool, count: count, input: input) { ActivationProbe(model) }.run { probe, tensors in
            try probe.elements(tensors)
        } collect: {
            expected.append($0)
        }
        self.expected = expected
        self.count = count
        self.input = input
    }

    /// On the first so many inputs only.
    func limited(to count: Int) -> OutputFidelity {
        var limited = self
        limited.count = min(count, self.count)
        return limited
    }

    /// Runs an integer network of the same answers.
    package func measure(_ quantized: QuantizedGraph, pool: WorkerPool) throws -> Measure {
        let graph = quantized.graph
        let model = try ActivationProbe.model(graph, quantized: quantized, values: graph.answers, pool: pool)
        var (signal, noise) = (0.0, 0.0)
        var comparison = OutputComparison()
        let isClassifier = graph.answers.count == 1 && graph[graph.answers[0]].type.shape.isScores
        var divergence = 0.0
        var index = 0
        try InputFan(pool, count: count, input: input) { ActivationProbe(model) }.run { probe, tensors in
            try probe.elements(tensors)
        } collect: { answers in
            for (exact, got) in zip(expected[index], answers) {
                let mean = exact.reduce(0) { $0 + Double($1) } / Double(max(exact.count, 1))
                for (exact, got) in zip(exact, got) {
                    signal += (Double(exact) - mean) * (Double(exact) - mean)
                    noise += Double(exact - got) * Double(exact - got)
                }
            }
            comparison.add(expected: expected[index].first ?? [], got: answers.first ?? [])
            if isClassifier { divergence += Self.divergence(of: answers[0], from: expected[index][0]) }
            index += 1
        }
        return Measure(
            signalToNoise: noise == 0 ? nil : 10 * log10(signal / noise), agreement: comparison.top1Agreement,
            divergence: isClassifier ? divergence / Double(max(count, 1)) : nil)
    }

    private static func divergence(of scores: [Float], from exact: [Float]) -> Double {
        let (expected, got) = (exact.logProbabilities, scores.logProbabilities)
        return zip(expected, got).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
    }
}

extension ActivationProbe {
    /// Copies of all probed activations.
    fileprivate func elements(_ inputs: [Tensor]) throws -> [[Float]] {
        var answers: [[Float]] = []
        try run(inputs) { _, elements in answers.append(Array(elements)) }
        return answers
    }
}

extension [Float] {
    /// The logarithm of softmax.
    fileprivate var logProbabilities: [Double] {
        let largest = Double(self.max() ?? 0)
        let total = log(reduce(0) { $0 + exp(Double($1) - largest) })
        return map { Double($0) - largest - total }
    }
}

extension Shape {
    /// One score a class, of one image.
    fileprivate var isScores: Bool { rank >= 2 && self[1] > 1 && elementCount == self[1] }
}
