internal import Quantization

/// What `cleave evaluate` found out.
struct Evaluation: Encodable {
    struct Share: Encodable {
        let share: Double
        let count: Int
        let total: Int
        /// Of 95 % confidence.
        let low: Double
        let high: Double

        init(_ proportion: Proportion) {
            (share, count, total) = (proportion.share, proportion.count, proportion.total)
            (low, high) = (proportion.interval.lowerBound, proportion.interval.upperBound)
        }
    }

    struct Difference: Encodable {
        let share: Double
        let gained: Int
        let lost: Int
        let low: Double
        let high: Double

        init(_ difference: PairedDifference) {
            (share, gained, lost) = (difference.share, difference.gained, difference.lost)
            (low, high) = (difference.interval.lowerBound, difference.interval.upperBound)
        }
    }

    let model: String
    let digest: String
    let configuration: String
    let pictures: Int
    let labelled: Int
    var top1: Share?
    var top5: Share?
    /// Of the same pictures; absent for the float32 network itself, as all that compares with it.
    var float32Top1: Share?
    var difference: Difference?
    var agreement: Share?
    var cosine: Double?
    var medianEncodedBytes: Int?
    var bitsPerElement: Double?
    var classes: [ClassificationScore.Class] = []
}

extension Evaluation.Share {
    var text: String { "\(percent(share)) [\(percent(low)), \(percent(high))]" }
}

extension Evaluation.Difference {
    /// In points.
    var text: String {
        "\(points(share)) points [\(points(low)), \(points(high))], \(gained) gained, \(lost) lost"
    }

    private func points(_ share: Double) -> String { (share < 0 ? "" : "+") + (100 * share).fixed(2) }
}

private func percent(_ share: Double) -> String { (100 * share).fixed(1) + " %" }

extension Evaluation {
    /// For people.
    var text: String {
        var lines = ["\(model), \(configuration), \(pictures) pictures, \(labelled) labelled"]
        if let top1, let top5 { lines.append("  top-1 \(top1.text)   top-5 \(top5.text)") }
        if let float32Top1, let difference {
            lines.append("  float32's top-1 \(percent(float32Top1.share)); difference \(difference.text)")
        }
        if let agreement, let cosine {
            lines.append("  same top-1 as float32 \(agreement.text)   cosine \(cosine.fixed(5))")
        }
        if let medianEncodedBytes, let bitsPerElement {
            lines.append("  boundary \(medianEncodedBytes) bytes (median), \(bitsPerElement.fixed(2)) bits an element")
        }
        return lines.joined(separator: "\n")
    }
}
