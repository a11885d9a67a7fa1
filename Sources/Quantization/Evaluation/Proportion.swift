internal import Glibc

/// How many of a number of pictures, and what that says about all pictures like them.
package struct Proportion: Hashable, Sendable, Codable {
    package let count: Int
    package let total: Int

    /// - Precondition: 0 ≤ `count` ≤ `total`.
    package init(_ count: Int, of total: Int) {
        precondition(count >= 0 && count <= total)
        self.count = count
        self.total = total
    }

    /// 0...1; 0 of nothing.
    package var share: Double { total == 0 ? 0 : Double(count) / Double(total) }

    /// The 95 % confidence interval, by Wilson's score; 0...1 of nothing.
    /// - SeeAlso: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927
    package var interval: ClosedRange<Double> {
        guard total > 0 else { return 0...1 }
        let (z, n) = (Self.quantile, Double(total))
        let middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        let reach = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return max(0, middle - reach)...min(1, middle + reach)
    }

    /// Of the normal distribution, for 95 % on both sides.
    fileprivate static let quantile = 1.959963984540054
}

/// What one network answers right and another wrong, on the same pictures.
package struct PairedDifference: Hashable, Sendable, Codable {
    /// Right now and wrong before.
    package let gained: Int
    /// Wrong now and right before.
    package let lost: Int
    package let total: Int

    package init(gained: Int, lost: Int, total: Int) {
        precondition(gained >= 0 && lost >= 0 && gained + lost <= total)
        (self.gained, self.lost, self.total) = (gained, lost, total)
    }

    /// −1...1, above 0 where more was gained.
    package var share: Double { total == 0 ? 0 : Double(gained - lost) / Double(total) }

    /// The 95 % confidence interval of the difference between two shares of the same pictures.
    /// - SeeAlso: Bonett and Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on
    ///   paired data", JEBS 2012
    package var interval: ClosedRange<Double> {
        let n = Double(total + 2)
        let (up, down) = ((Double(gained) + 1) / n, (Double(lost) + 1) / n)
        let reach = Proportion.quantile * sqrt((up + down - (up - down) * (up - down)) / n)
        return max(-1, up - down - reach)...min(1, up - down + reach)
    }
}
