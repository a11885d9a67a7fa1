extension SplitPlan {
    /// The plan in sentences: what was chosen and why, what it gains, when it would change, what to doubt.
    func explanation(edge: DeviceProfile, cloud: DeviceProfile, images: Int) -> [String] {
        var sentences = [choiceSentence()]
        sentences += comparisonSentences()
        if objective == .latency { sentences += changeSentences() }
        sentences += doubtSentences(edge: edge, cloud: cloud, images: images)
        return sentences
    }

    private func choiceSentence() -> String {
        let what =
            switch chosen.strategy {
            case .cloudOnly: "Send the picture as a JPEG and run the whole network in the cloud"
            case .edgeOnly: "Run the whole network on the edge"
            case .split where chosen.headNodeCount == 0:
                "Send the input tensor as \(chosen.mode ?? "") and run the whole network in the cloud"
            case .split:
                "Cut after \(chosen.headNodeCount) node\(chosen.headNodeCount == 1 ? "" : "s") and send "
                    + "\(chosen.boundary.joined(separator: " and ")) as \(chosen.mode ?? "")"
            }
        return "\(what): \(objective.text(chosen.cost)), the best of \(search.allowedOptions) options allowed, over "
            + "\(link.name) (\(link.uplink.text) up, \(link.roundTrip.text) round trip)."
    }

    private func comparisonSentences() -> [String] {
        var sentences: [String] = []
        for (name, baseline) in [("cloud-only with a JPEG", cloudOnly), ("edge-only", edgeOnly)]
        where baseline.option.strategy != chosen.strategy {
            let ratio = objective.ratio(baseline.option.cost, over: chosen.cost)
            let comparison = "\(name) (\(objective.text(baseline.option.cost)))"
            if let refusal = baseline.refusal {
                sentences.append("Not allowed: \(comparison), \(refusal.text).")
            } else if ratio.map({ $0 < 1.005 }) ?? false {
                sentences.append("It ties with \(comparison).")
            } else {
                sentences.append("It beats \(comparison)\(ratio.map { " by \(fixed($0, 2))×" } ?? "").")
            }
        }
        if chosen.strategy != .split {
            if let bestSplit {
                let ratio = objective.ratio(bestSplit.cost, over: chosen.cost)
                sentences.append(
                    "No cut pays here: the best, \(bestSplit.label), needs \(objective.text(bestSplit.cost))"
                        + "\(ratio.map { ", \(fixed($0, 2))× as much" } ?? "").")
            } else {
                sentences.append("No cut was both measured and allowed.")
            }
        }
        return sentences
    }

    private func changeSentences() -> [String] {
        guard let current = byUplink.firstIndex(where: { $0.contains(link.uplink) }) else { return [] }
        var sentences: [String] = []
        if let from = byUplink[current].fromUplink, current > 0 {
            sentences.append("Below \(from.text) up, \(byUplink[current - 1].option.label) would be faster.")
        }
        if let to = byUplink[current].toUplink, current + 1 < byUplink.count {
            sentences.append("Above \(to.text) up, \(byUplink[current + 1].option.label) would be faster.")
        }
        return sentences.isEmpty ? ["No other uplink would change the choice."] : sentences
    }

    private func doubtSentences(edge: DeviceProfile, cloud: DeviceProfile, images: Int) -> [String] {
        var sentences: [String] = []
        if chosen.isComposed {
            sentences.append("The boundary was not measured as one: its figures are sums over its tensors.")
        }
        if chosen.strategy != .cloudOnly {
            sentences.append(
                chosen.top1Agreement.map {
                    "int8 and codec together kept the float32 network's top-1 class on "
                        + "\(Int(($0 * Double(images)).rounded())) of \(images) images."
                } ?? "What int8 and the codec do to the accuracy was not measured.")
            if let limit = constraints.maximumAccuracyLoss, Double(images) * limit < 1 {
                sentences.append("\(images) images are too few to tell a loss of \(fixed(100 * limit, 1)) %.")
            }
        }
        for device in [edge, cloud] {
            let sum = device.sumOfNodes.inSeconds
            let whole = device.wholeNetwork.median.inSeconds
            if sum > 0, abs(whole / sum - 1) > 0.02 {
                sentences.append(
                    "On the \(device.role) the whole network takes \(device.wholeNetwork.median.text), its nodes one by one "
                        + "\(device.sumOfNodes.text): node times were scaled by \(fixed(whole / sum, 2)).")
            }
        }
        if !search.isExhaustive {
            sentences.append(
                "The graph has too many cuts to list: only \(search.cuts), the prefixes of a few orders, were considered."
            )
        }
        for count in search.refusals {
            sentences.append(
                "\(count.count) option\(count.count == 1 ? " was" : "s were") left out, \(count.refusal.text).")
        }
        return sentences
    }
}

extension SplitPlan.Range {
    package func contains(_ uplink: BitRate) -> Bool {
        (fromUplink.map { $0 <= uplink } ?? true) && (toUplink.map { uplink <= $0 } ?? true)
    }
}

extension Refusal {
    var text: String {
        switch self {
        case .notMeasured: "for want of a codec measurement"
        case .privacy: "for the privacy floor"
        case .edgeMemory: "for the edge's memory"
        case .uplinkSize: "for the size of the upload"
        case .accuracy: "for the accuracy"
        }
    }
}

extension Objective {
    func text(_ cost: CostBreakdown) -> String {
        switch self {
        case .latency: cost.latency.text
        case .throughput: "\(significant(cost.throughput)) answers/s"
        case .uplinkBytes: cost.uplinkBytes.text
        case .edgeTime: "\(cost.edgeTime.text) on the edge"
        }
    }

    /// How many times worse `cost` is than `best`; `nil` when `best` is free.
    func ratio(_ cost: CostBreakdown, over best: CostBreakdown) -> Double? {
        value(best) == 0 ? nil : Double(value(cost)) / Double(value(best))
    }
}
