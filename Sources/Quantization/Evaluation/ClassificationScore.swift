/// Answers of a classifier to labelled pictures.
package struct ClassificationScore: Sendable {
    package private(set) var count = 0
    private var rightCount = 0
    private var nearCount = 0
    /// By class, then by answer.
    private var answers: [Int: [Int: Int]] = [:]

    package init() {}

    /// - Parameters:
    ///   - label: the picture's class; an index of `scores`.
    ///   - scores: one for each class; of equal ones the first counts as the answer.
    /// - Returns: whether the answer is right.
    @discardableResult
    package mutating func add(label: Int, scores: [Float]) -> Bool {
        precondition(scores.indices.contains(label))
        let answer = scores.indexOfLargest
        let better = scores.indices.count { $0 != label && isBefore(scores, $0, label) }
        count += 1
        if answer == label { rightCount += 1 }
        if better < 5 { nearCount += 1 }
        answers[label, default: [:]][answer, default: 0] += 1
        return answer == label
    }

    /// Whether one class is named before another.
    private func isBefore(_ scores: [Float], _ one: Int, _ other: Int) -> Bool {
        scores[one] > scores[other] || (scores[one] == scores[other] && one < other)
    }

    /// Pictures whose class scores highest.
    package var top1: Proportion { Proportion(rightCount, of: count) }
    /// Pictures whose class is among the five that score highest.
    package var top5: Proportion { Proportion(nearCount, of: count) }

    /// One class that pictures were of.
    package struct Class: Hashable, Sendable, Codable {
        package let label: Int
        package let right: Proportion
        /// The wrong answers, the most frequent first.
        package let mistakes: [Mistake]
    }

    package struct Mistake: Hashable, Sendable, Codable {
        package let answer: Int
        package let count: Int
    }

    /// In order of class.
    package var classes: [Class] {
        answers.keys.sorted().map { label in
            let given = answers[label] ?? [:]
            let mistakes = given.filter { $0.key != label }.map { Mistake(answer: $0.key, count: $0.value) }
            return Class(
                label: label, right: Proportion(given[label] ?? 0, of: given.values.reduce(0, +)),
                mistakes: mistakes.sorted { ($1.count, $0.answer) < ($0.count, $1.answer) })
        }
    }
}
