extension SplitPlan {
    /// The plan in sentences: what was chosen and why, what it gains, when it would change, what to doubt.
    func explanation(edge: DeviceProfile, cloud: DeviceProfile, images: Int) -> [String] {
        var sentences = [choiceSentence()]
        sentences += comparisonSentences()
        if objective == .latency && goal == nil { sentences += changeSentences() }
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
        let ways = waysText
        return "\(what)\(ways): \(objective.text(chosen)), the best of \(search.allowedOptions) options allowed, over "
            + "\(link.name) (\(link.uplink.text) up, \(link.roundTrip.text) round trip)."
    }

    /// On how many threads and in what precision, where the profiles leave a choice.
    private var waysText: String {
        var parts: [String] = []
        if let threads = chosen.edgeThreads, Set(ranking.compactMap(\.edgeThreads)).count > 1 {
            parts.append("\(threads) thread\(threads == 1 ? "" : "s") on the edge")
        }
        if let threads = chosen.cloudThreads, let precision = chosen.cloudPrecision,
            Set(ranking.compactMap(\.cloudThreads)).count + Set(ranking.compactMap(\.cloudPrecision)).count > 2
        {
            parts.append("\(threads) thread\(threads == 1 ? "" : "s") in \(precision) in the cloud")
        }
        return parts.isEmpty ? "" : ", with " + parts.joined(separator: " and ")
    }

    private func comparisonSentences() -> [String] {
        var sentences: [String] = []
        for (name, baseline) in [("cloud-only with a JPEG", cloudOnly), ("edge-only", edgeOnly)]
        where baseline.option.strategy != chosen.strategy {
            let ratio = objective.ratio(baseline.option, over: chosen)
            let comparison = "\(name) (\(objective.text(baseline.option)))"
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
                let ratio = objective.ratio(bestSplit, over: chosen)
                sentences.append(
                    "No cut pays here: the best, \(bestSplit.label), needs \(objective.text(bestSplit))"
                        + "\(ratio.map { ", \(fixed($0, 2))× as much" } ?? "").")
            } else {
                sentences.append("No cut was both measured and allowed.")
            }
        }
        return sentences
    }

    private func changeSentences() -> [String] {
        let uplinks = thresholds.filter { $0.condition == .uplink }
        return uplinks.isEmpty ? ["No other uplink would change the choice."] : uplinks.map(\.text)
    }

    private func doubtSentences(edge: DeviceProfile, cloud: DeviceProfile, images: Int) -> [String] {
        var sentences: [String] = []
        if chosen.isComposed {
            sentences.append("The boundary was not measured as one: its figures are sums over its tensors.")
        }
        if chosen.strategy != .cloudOnly {
            let images = chosen.accuracyImages ?? images
            let lost = chosen.accuracyLoss.map { " and lost \(fixed(100 * $0, 1)) % of top-1 accuracy" } ?? ""
            sentences.append(
                chosen.top1Agreement.map {
                    "int8 and codec together kept the float32 network's top-1 class on "
                        + "\(Int(($0 * Double(images)).rounded())) of \(images) images\(lost)."
                } ?? "What int8 and the codec do to the accuracy was not measured.")
            if let limit = constraints.maximumAccuracyLoss, Double(images) * limit < 1 {
                sentences.append("\(images) images are too few to tell a loss of \(fixed(100 * limit, 1)) %.")
            }
        }
        for device in [edge, cloud] {
            let sum = device.sumOfNodes.inSeconds
            let whole = device.wholeNetwork.median.inSeconds
            if let drift = device.drift, abs(drift) > 0.05 {
                sentences.append(
                    "While the \(device.role) was measured, its clock or its load changed: the last runs took "
                        + "\(fixed(100 * drift.magnitude, 0)) % \(drift > 0 ? "longer" : "less") than the first.")
            }
            if sum > 0, abs(whole / sum - 1) > 0.02 {
                sentences.append(
                    "On the \(device.role) the whole network takes \(device.wholeNetwork.median.text), its nodes one by one "
                        + "\(device.sumOfNodes.text): node times were scaled by \(fixed(whole / sum, 2)).")
            }
        }
        if !search.isExhaustive {
            sentences.append(
                "The graph has too many cuts to list: \(search.cuts) were considered, among them the minimum cuts, of which one is "
                    + "the fastest where costs are sums over layers and tensors."
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
        case .packageSize: "for the size of the package"
        case .edgeMemory: "for the edge's memory"
        case .uplinkSize: "for the size of the upload"
        case .accuracy: "for the accuracy"
        case .deadline: "for the deadline"
        }
    }
}

extension Objective {
    func text(_ option: SplitPlan.Option) -> String {
        let cost = option.cost
        return switch self {
        case .latency: cost.latency.text
        case .p95Latency:
            "\(value(option).map { Duration.nanoseconds(rounding: $0).text } ?? "–") at the 95th percentile"
        case .throughput: "\(significant(cost.throughput)) answers/s"
        case .uplinkBytes: cost.uplinkBytes.text
        case .edgeTime: "\(cost.edgeTime.text) on the edge"
        case .energy: "\(value(option).map { significant($0 * 1e3) } ?? "–") mJ on the edge"
        case .cloudTime:
            "\(value(option).map { Duration.nanoseconds(rounding: $0 * 1e9).text } ?? "–") of a core in the cloud"
        case .money: "\(value(option).map { significant($0 * 1e6) } ?? "–") for a million pictures"
        }
    }

    /// How many times worse `option` is than `best`; `nil` when `best` is free.
    func ratio(_ option: SplitPlan.Option, over best: SplitPlan.Option) -> Double? {
        guard let this = value(option), let least = value(best), least != 0 else { return nil }
        return this / least
    }

    /// What the objective makes small; `nil` in a plan that does not say.
    package func value(_ option: SplitPlan.Option) -> Double? {
        switch self {
        case .latency: Double(option.cost.latency.wholeNanoseconds)
        case .p95Latency: option.p95Nanoseconds.map(Double.init)
        case .throughput: Double(option.cost.bottleneck.wholeNanoseconds)
        case .uplinkBytes: Double(option.cost.uplinkBytes.bytes)
        case .edgeTime: Double(option.cost.edgeTime.wholeNanoseconds)
        case .energy: option.resources?.energy
        case .cloudTime: option.resources?.coreTime
        case .money: option.resources?.money
        }
    }
}
