package import Planning

/// One way to run the network, as the simulated boards and servers pay for it; times are whole nanoseconds.
package struct Choice: Hashable, Sendable {
    package var label: String
    package var strategy: SplitPlan.Strategy
    /// Preprocessing, the head and encoding.
    package var edge: Int64
    /// Of `edge`, what comes after the head.
    package var encode: Int64
    package var uploadBytes: Int64
    /// Decoding, preprocessing and the tail.
    package var cloud: Int64
    package var answerBytes: Int64
    /// What finishing on the board takes from the head on, when the cloud does not answer.
    package var remainder: Int64
    package var edgeThreads: Int
    package var cloudThreads: Int

    package init(
        label: String, strategy: SplitPlan.Strategy, edge: Int64, encode: Int64 = 0, uploadBytes: Int64 = 0,
        cloud: Int64 = 0, answerBytes: Int64 = 0, remainder: Int64 = 0, edgeThreads: Int = 1, cloudThreads: Int = 1
    ) {
        self.label = label
        self.strategy = strategy
        self.edge = edge
        self.encode = encode
        self.uploadBytes = uploadBytes
        self.cloud = cloud
        self.answerBytes = answerBytes
        self.remainder = remainder
        self.edgeThreads = edgeThreads
        self.cloudThreads = cloudThreads
    }

    package var isRemote: Bool { strategy != .edgeOnly }

    /// Whether this one takes no more of anything than the other: then no link and no queue makes the other faster.
    func isNoWorse(than other: Choice) -> Bool {
        edge <= other.edge && uploadBytes <= other.uploadBytes && cloud <= other.cloud
            && answerBytes <= other.answerBytes && (!isRemote || other.isRemote)
    }
}

extension Choice {
    /// - Parameters:
    ///   - cost: link times are not used.
    ///   - whole: the whole network on the board, with its preprocessing.
    init(
        label: String, strategy: SplitPlan.Strategy, cost: CostBreakdown, answerBytes: Int64, whole: CostBreakdown,
        edgeThreads: Int, cloudThreads: Int
    ) {
        let edge = cost.edgeTime.wholeNanoseconds
        let encode = cost.encode.wholeNanoseconds
        let left = whole.edgeTime.wholeNanoseconds - (edge - encode)
        self.init(
            label: label, strategy: strategy, edge: edge, encode: encode, uploadBytes: cost.uplinkBytes.bytes,
            cloud: cost.cloudTime.wholeNanoseconds, answerBytes: answerBytes,
            remainder: strategy == .edgeOnly ? 0 : max(0, left), edgeThreads: edgeThreads, cloudThreads: cloudThreads)
    }
}
