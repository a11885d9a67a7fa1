/// How a link trace is written down.
package enum TraceFormat: String, Hashable, Sendable, CaseIterable {
    /// An array of `{"duration_ms": …, "bandwidth_kbps": …, "latency_ms": …}`: Sabre's (Spiteri et al., MMSys 2018). The
    /// latency is a round trip, paid once for each request, and may be missing.
    case json
    /// Two columns or three: seconds, Mbit/s, and the round trip in milliseconds. As in Pensieve's traces (Mao et al., SIGCOMM 2017)
    /// a rate holds from the row before to its own; the first row says only where the trace begins.
    case columns
    /// One integer a line, in milliseconds: an opportunity to deliver 1,500 bytes (Netravali et al., ATC 2015).
    case mahimahi
}

extension LinkTrace {
    /// The most bytes of a trace file.
    package static let largestFile = 64 << 20

    /// Reads a trace in whichever of the formats it is.
    /// - Parameter name: stands for the file in errors.
    /// - Throws: `SimulationError` that names the line and byte.
    package static func read(_ bytes: [UInt8], named name: String) throws(SimulationError) -> LinkTrace {
        guard bytes.count <= largestFile else {
            throw SimulationError(.tooLarge, "expected at most \(largestFile) bytes, got \(bytes.count)", at: name)
        }
        var text = TraceText(bytes, name: name)
        let segments: [Segment] =
            switch try format(text) {
            case .json: try jsonSegments(&text)
            case .columns: try columnSegments(&text)
            case .mahimahi: try mahimahiSegments(&text)
            }
        return try LinkTrace(name: name, segments: segments)
    }

    /// By what comes first: a bracket, or numbers in one column or in several.
    static func format(_ text: TraceText) throws(SimulationError) -> TraceFormat {
        var text = text
        try text.skipToRow()
        guard let first = text.next else { throw SimulationError(.empty, "the trace is empty", at: text.name) }
        if first == UInt8(ascii: "[") { return .json }
        guard first.isDigit else {
            throw text.error("expected a JSON array, or columns of numbers", code: .unknownFormat)
        }
        text.skip { !$0.isColumnEnd && !$0.isLineEnd }
        text.skip { $0.isColumnEnd }
        return text.next.map { $0.isLineEnd } ?? true ? .mahimahi : .columns
    }

    private static func columnSegments(_ text: inout TraceText) throws(SimulationError) -> [Segment] {
        var segments: [Segment] = []
        var last: Int64?
        while true {
            try text.skipToRow()
            guard !text.isAtEnd else { return segments }
            guard segments.count < Limit.segments else {
                throw text.error("more than \(Limit.segments) rows", code: .tooLarge)
            }
            let time = try text.nanoseconds("a time in seconds", unit: 1e9, limit: 9_000_000_000_000_000_000)
            text.skip { $0.isColumnEnd }
            let rate = try text.bitsPerSecond("a rate in Mbit/s", unit: 1e6)
            text.skip { $0.isColumnEnd }
            var roundTrip: Int64?
            if let next = text.next, !next.isLineEnd {
                roundTrip = try text.nanoseconds("a round trip in ms", unit: 1e6, limit: Limit.roundTrip)
                text.skip { $0.isColumnEnd }
                if let next = text.next, !next.isLineEnd { throw text.error("expected the end of the line") }
            }
            if let last {
                guard time > last else { throw text.error("expected a later time than the row before has") }
                segments.append(Segment(duration: time - last, bitsPerSecond: rate, roundTrip: roundTrip))
            }
            last = time
        }
    }

    /// Opportunities within one millisecond make the rate of that millisecond; the last one ends the trace.
    private static func mahimahiSegments(_ text: inout TraceText) throws(SimulationError) -> [Segment] {
        let millisecond: Int64 = 1_000_000
        let opportunity: Int64 = 1_500 * 8 * 1_000
        var segments: [Segment] = []
        func add(_ duration: Int64, _ rate: Int64) {
            guard duration > 0 else { return }
            if let last = segments.last, last.bitsPerSecond == rate {
                segments[segments.count - 1].duration += duration
            } else {
                segments.append(Segment(duration: duration, bitsPerSecond: rate))
            }
        }
        // The millisecond that is being counted, from 0; an opportunity at 5 falls into the fifth, one at 0 into the first.
        var (bin, count, last) = (Int64(0), Int64(0), Int64(0))
        while true {
            try text.skipToRow()
            guard !text.isAtEnd else { break }
            let value = try text.number("a time in whole milliseconds")
            guard let time = Int64(exactly: value), (0...Limit.duration / millisecond).contains(time) else {
                throw text.error("expected 0 to 30 days in whole milliseconds, got \(value)", code: .invalidNumber)
            }
            text.skip { $0.isColumnEnd }
            if let next = text.next, !next.isLineEnd { throw text.error("expected the end of the line") }
            guard time >= last else { throw text.error("expected a time no earlier than the line before has") }
            last = time
            let place = max(0, time - 1)
            if place > bin {
                if count > 0 { add(millisecond, count * opportunity) }
                add((place - bin - (count > 0 ? 1 : 0)) * millisecond, 0)
                (bin, count) = (place, 0)
            }
            count += 1
            guard count <= Limit.bitsPerSecond / opportunity, segments.count < Limit.segments else {
                throw text.error("more than the limits of a trace allow", code: .tooLarge)
            }
        }
        add(millisecond, count * opportunity)
        return segments
    }
}

extension TraceText {
    /// To the first byte of a row, past empty lines, comments (`#`) and, before the first row, one line of headings.
    mutating func skipToRow() throws(SimulationError) {
        var isFirst = position == 0
        while true {
            skipSpace()
            guard let byte = next else { return }
            let isHeading = isFirst && byte.isLetterOrQuote
            guard byte == UInt8(ascii: "#") || isHeading else { return }
            if isHeading { isFirst = false }
            skip { !$0.isLineEnd }
        }
    }

    mutating func nanoseconds(_ what: String, unit: Double, limit: Int64) throws(SimulationError) -> Int64 {
        let value = try number(what) * unit
        guard value >= 0, value <= Double(limit) else {
            throw error("expected \(what) from 0 to \(limit / 1_000_000_000) s", code: .invalidNumber)
        }
        return Int64(value.rounded())
    }

    mutating func bitsPerSecond(_ what: String, unit: Double) throws(SimulationError) -> Int64 {
        let value = try number(what) * unit
        guard value >= 0, value <= Double(LinkTrace.Limit.bitsPerSecond) else {
            throw error("expected \(what) from 0 to 10¹² bit/s", code: .invalidNumber)
        }
        return Int64(value.rounded())
    }
}

extension UInt8 {
    /// What may stand between columns.
    var isColumnEnd: Bool {
        self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") || self == UInt8(ascii: ",")
            || self == UInt8(ascii: ";")
    }
}
