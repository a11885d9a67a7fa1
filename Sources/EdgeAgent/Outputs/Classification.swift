private import Glibc
package import ModelGraph

/// One label and how well it fits.
package struct ScoredLabel: Hashable, Sendable, Codable {
    package let index: Int
    package let label: String
    /// 0...1.
    package let score: Float
}

/// What the numbers of a classifier's output are.
package enum ScoreKind: String, Sendable, Codable, CaseIterable {
    /// Any numbers: softmax makes them probabilities.
    case logits
    case probabilities
}

/// The best labels of a classifier's output.
package struct Classification: Hashable, Sendable {
    /// Best first; at least one.
    package let top: [ScoredLabel]

    /// - Parameters:
    ///   - output: float32, `[classes]` with any number of extents of 1 around it.
    ///   - labels: by class; a class without one is named by its number.
    /// - Throws: `EdgeError.unusableOutput` for another type, for no classes, or for values that are no numbers.
    package init(
        of output: Tensor, named name: String, kind: ScoreKind, labels: [String], count: Int = 5
    ) throws(EdgeError) {
        guard output.elementType == .float32, let classes = output.shape.max(), classes > 0,
            classes == output.shape.elementCount
        else { throw EdgeError(.unusableOutput, "expected one float32 vector, got \(output.type)", at: name) }
        let values = output.array(of: Float.self)
        guard let maximum = values.max(), values.allSatisfy(\.isFinite) else {
            throw EdgeError(.unusableOutput, "values are not finite", at: name)
        }
        let scores: [Float]
        switch kind {
        case .probabilities: scores = values
        case .logits:
            let exponentials = values.map { exp($0 - maximum) }
            let sum = exponentials.reduce(0, +)
            scores = exponentials.map { $0 / sum }
        }
        // Ties go to the lower class, so that edge and cloud agree.
        let order = values.indices.sorted { values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1 }
        top = order.prefix(max(count, 1)).map { index in
            ScoredLabel(
                index: index, label: labels.indices.contains(index) ? labels[index] : "\(index)", score: scores[index])
        }
    }
}
