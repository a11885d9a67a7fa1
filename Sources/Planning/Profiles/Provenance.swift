package import FoundationEssentials

/// Where, when and how a profile was measured: enough to judge it and to measure it again.
package struct Provenance: Hashable, Sendable, Codable {
    package var host: String
    package var cpu: String
    package var cores: Int
    /// Operating system kernel and release.
    package var kernel: String
    /// The instruction set the compute kernels were selected for.
    package var instructionSet: String
    package var compiler: String
    package var date: Date
    /// The command line that made the profile.
    package var command: String
    package var toolVersion: String

    package init(
        host: String, cpu: String, cores: Int, kernel: String, instructionSet: String, compiler: String, date: Date,
        command: String, toolVersion: String
    ) {
        self.host = host
        self.cpu = cpu
        self.cores = cores
        self.kernel = kernel
        self.instructionSet = instructionSet
        self.compiler = compiler
        self.date = date
        self.command = command
        self.toolVersion = toolVersion
    }
}

/// The model a profile speaks of; profiles are used together only when their digests agree.
package struct ModelIdentity: Hashable, Sendable, Codable {
    package var name: String
    /// Of the float32 model file, as `sha256:<hex>`.
    package var digest: String

    package init(name: String, digest: String) {
        self.name = name
        self.digest = digest
    }
}

/// The distribution of one repeated time measurement.
package struct Timing: Hashable, Sendable, Codable {
    package var median: Duration
    package var minimum: Duration
    /// The 90th percentile.
    package var p90: Duration
    package var runs: Int

    /// Times are kept to whole nanoseconds.
    /// - Precondition: 0 ≤ `minimum` ≤ `median` ≤ `p90`; `runs` ≥ 1.
    package init(median: Duration, minimum: Duration, p90: Duration, runs: Int) {
        precondition(.zero <= minimum && minimum <= median && median <= p90 && runs >= 1)
        self.median = .nanoseconds(median.wholeNanoseconds)
        self.minimum = .nanoseconds(minimum.wholeNanoseconds)
        self.p90 = .nanoseconds(p90.wholeNanoseconds)
        self.runs = runs
    }

    private enum CodingKeys: String, CodingKey {
        case median = "medianNanoseconds"
        case minimum = "minimumNanoseconds"
        case p90 = "p90Nanoseconds"
        case runs
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        median = try container.decode(Nanoseconds.self, forKey: .median).duration
        minimum = try container.decode(Nanoseconds.self, forKey: .minimum).duration
        p90 = try container.decode(Nanoseconds.self, forKey: .p90).duration
        runs = try container.decode(Int.self, forKey: .runs)
        guard minimum <= median, median <= p90 else {
            throw decoder.invalidNumber("expected minimum ≤ median ≤ p90")
        }
        guard runs >= 1 else { throw decoder.invalidNumber("expected at least one run, got \(runs)") }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Nanoseconds(median), forKey: .median)
        try container.encode(Nanoseconds(minimum), forKey: .minimum)
        try container.encode(Nanoseconds(p90), forKey: .p90)
        try container.encode(runs, forKey: .runs)
    }
}

extension Timing {
    /// From samples; the median of an even number is the mean of the middle two.
    /// - Precondition: `samples` is not empty and none is negative.
    package init(samples: [Duration]) {
        precondition(!samples.isEmpty)
        let sorted = samples.sorted()
        let upper = sorted[sorted.count / 2]
        self.init(
            median: sorted.count.isMultiple(of: 2) ? (sorted[sorted.count / 2 - 1] + upper) / 2 : upper,
            minimum: sorted[0],
            p90: sorted[(sorted.count * 9 + 9) / 10 - 1],
            runs: sorted.count)
    }
}

extension Timing {
    /// How much longer the last third of the runs took than the first, as a share of it: a clock that rises, a board that
    /// grows hot. `nil` for fewer than nine.
    package static func drift(of samples: [Duration]) -> Double? {
        let third = samples.count / 3
        guard third >= 3 else { return nil }
        let early = Timing(samples: Array(samples.prefix(third))).median
        let late = Timing(samples: Array(samples.suffix(third))).median
        return early > .zero ? late / early - 1 : nil
    }
}

extension Collection {
    /// - Throws: `PlanningError.duplicateName` when two elements have one name.
    func checkUnique(_ field: String, _ name: (Element) -> String) throws(PlanningError) {
        var seen: Set<String> = []
        for element in self where !seen.insert(name(element)).inserted {
            throw PlanningError(.duplicateName, "\"\(name(element))\" stands twice", at: field)
        }
    }
}
