/// The lower envelope of lines `y = intercept + slope · x` over `x` ≥ 0: which line is lowest, and from where to where.
///
/// The latency of a way to split is A + 8·S ÷ B: a line in x = 1 ÷ B. So the envelope answers every bandwidth.
package struct LowerEnvelope: Hashable, Sendable {
    package struct Line: Hashable, Sendable {
        package var intercept: Double
        package var slope: Double

        package init(intercept: Double, slope: Double) {
            self.intercept = intercept
            self.slope = slope
        }

        package func callAsFunction(_ x: Double) -> Double { intercept + slope * x }
    }

    package struct Segment: Hashable, Sendable {
        /// The line's position in the list given.
        package var line: Int
        /// Where the line becomes the lowest; the first segment starts at 0.
        package var start: Double
    }

    /// Ascending in `start`; slopes descend strictly.
    package let segments: [Segment]

    /// - Complexity: O(n log n).
    /// - Precondition: intercepts and slopes are finite; slopes are ≥ 0.
    package init(_ lines: [Line]) {
        // From the steepest to the flattest; of equal slopes only the lowest counts, of equal lines the first.
        let order = lines.indices.sorted {
            (-lines[$0].slope, lines[$0].intercept, $0) < (-lines[$1].slope, lines[$1].intercept, $1)
        }
        var segments: [Segment] = []
        for index in order {
            let line = lines[index]
            if let last = segments.last, lines[last.line].slope == line.slope { continue }
            var start = 0.0
            while let last = segments.last {
                let lowest = lines[last.line]
                // Where the flatter line comes to lie below the steeper one.
                start = max(0, (line.intercept - lowest.intercept) / (lowest.slope - line.slope))
                if start > last.start { break }
                segments.removeLast()
                start = 0
            }
            segments.append(Segment(line: index, start: start))
        }
        self.segments = segments
    }

    /// The position of a line that is lowest at `x`; `nil` when there is none.
    /// - Complexity: O(log n).
    package func lowest(at x: Double) -> Int? {
        var low = 0
        var high = segments.count
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].start <= x { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : segments[low - 1].line
    }
}
