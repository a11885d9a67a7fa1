internal import Quantization
internal import Testing

@Suite struct ClassificationScoreTests {
    @Test func countsFirstAndFirstFive() {
        var score = ClassificationScore()
        let first = score.add(label: 2, scores: [0, 1, 5, 2, 3, 4, 0.5])
        let second = score.add(label: 1, scores: [0, 1, 5, 2, 3, 4, 0.5])
        let third = score.add(label: 0, scores: [0, 1, 5, 2, 3, 4, 0.5])
        #expect(first && !second && !third)
        #expect(score.top1 == Proportion(1, of: 3))
        #expect(score.top5 == Proportion(2, of: 3))
    }

    @Test func ofEqualScoresTheFirstIsTheAnswer() {
        var score = ClassificationScore()
        let first = score.add(label: 0, scores: [1, 1, 1, 1, 1, 1])
        let second = score.add(label: 5, scores: [1, 1, 1, 1, 1, 1])
        #expect(first && !second)
        #expect(score.top5 == Proportion(1, of: 2))
    }

    @Test func mistakesAreSortedByNumber() {
        var score = ClassificationScore()
        for answer in [1, 2, 1, 0, 3, 3, 3] {
            score.add(label: 0, scores: (0..<4).map { $0 == answer ? 1 : 0 })
        }
        score.add(label: 3, scores: [0, 0, 0, 1])
        #expect(score.classes.map(\.label) == [0, 3])
        #expect(score.classes[0].right == Proportion(1, of: 7))
        #expect(score.classes[0].mistakes.map(\.answer) == [3, 1, 2])
        #expect(score.classes[0].mistakes.map(\.count) == [3, 2, 1])
        #expect(score.classes[1].mistakes.isEmpty)
    }

    /// Against the values that statistics packages give.
    @Test(arguments: [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (197, 200, 0.9569, 0.9949)])
    func wilsonIntervals(count: Int, total: Int, low: Double, high: Double) {
        let interval = Proportion(count, of: total).interval
        #expect(abs(interval.lowerBound - low) < 1e-4)
        #expect(abs(interval.upperBound - high) < 1e-4)
    }

    @Test func nothingIsCertainOfNothing() {
        #expect(Proportion(0, of: 0).interval == 0...1)
        #expect(Proportion(0, of: 0).share == 0)
    }

    @Test func pairedDifferencesHoldTheirShareAndAreSymmetric() {
        let difference = PairedDifference(gained: 9, lost: 3, total: 100)
        let opposite = PairedDifference(gained: 3, lost: 9, total: 100)
        #expect(abs(difference.share - 0.06) < 1e-12)
        #expect(difference.interval.contains(difference.share))
        #expect(abs(difference.interval.lowerBound + opposite.interval.upperBound) < 1e-12)
        // (10 - 4) / 102 -+ 1.95996 * sqrt((14 / 102 - (6 / 102)^2) / 102)
        #expect(abs(difference.interval.lowerBound - -0.0122) < 1e-3)
        #expect(abs(difference.interval.upperBound - 0.1298) < 1e-3)
    }
}
