extension DeviceProfile {
    /// Makes every time `factor` times as long: a guess at a slower machine of the same kind.
    /// - Precondition: `factor` is finite and > 0.
    package mutating func scale(by factor: Double) {
        precondition(factor.isFinite && factor > 0)
        guard factor != 1 else { return }
        for index in nodes.indices { nodes[index].timing = nodes[index].timing.scaled(by: factor) }
        for index in parts.indices { parts[index].timing = parts[index].timing.scaled(by: factor) }
        wholeNetwork = wholeNetwork.scaled(by: factor)
        provenance.command += " (times multiplied by \(factor))"
    }
}

extension Timing {
    fileprivate func scaled(by factor: Double) -> Timing {
        Timing(median: median * factor, minimum: minimum * factor, p90: p90 * factor, runs: runs)
    }
}
