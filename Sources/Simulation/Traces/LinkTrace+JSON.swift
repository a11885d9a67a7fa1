extension LinkTrace {
    /// `[{"duration_ms": 1000, "bandwidth_kbps": 5213, "latency_ms": 20}, …]`; other fields are passed over where they are
    /// numbers, texts, booleans or null.
    static func jsonSegments(_ text: inout TraceText) throws(SimulationError) -> [Segment] {
        var segments: [Segment] = []
        text.skipSpace()
        try text.expect(UInt8(ascii: "["), "an array")
        text.skipSpace()
        if !text.take(UInt8(ascii: "]")) {
            repeat {
                guard segments.count < Limit.segments else {
                    throw text.error("more than \(Limit.segments) intervals", code: .tooLarge)
                }
                // Loggers write an empty interval where two samples have one time.
                if let segment = try jsonSegment(&text) { segments.append(segment) }
                text.skipSpace()
            } while text.take(UInt8(ascii: ","))
            try text.expect(UInt8(ascii: "]"), "a comma or the end of the array")
        }
        text.skipSpace()
        guard text.isAtEnd else { throw text.error("expected the end of the file") }
        return segments
    }

    /// `nil` for an interval of no duration.
    private static func jsonSegment(_ text: inout TraceText) throws(SimulationError) -> Segment? {
        var (duration, rate, roundTrip): (Int64?, Int64?, Int64?)
        text.skipSpace()
        try text.expect(UInt8(ascii: "{"), "an object")
        repeat {
            text.skipSpace()
            let key = try text.string()
            text.skipSpace()
            try text.expect(UInt8(ascii: ":"), "a colon")
            text.skipSpace()
            switch key {
            case "duration_ms":
                duration = try text.nanoseconds("a duration in ms", unit: 1e6, limit: Limit.duration)
            case "bandwidth_kbps": rate = try text.bitsPerSecond("a rate in kbit/s", unit: 1e3)
            case "latency_ms":
                roundTrip = try text.nanoseconds("a round trip in ms", unit: 1e6, limit: Limit.roundTrip)
            default: try text.skipScalar()
            }
            text.skipSpace()
        } while text.take(UInt8(ascii: ","))
        guard let duration, let rate else { throw text.error("expected duration_ms and bandwidth_kbps") }
        try text.expect(UInt8(ascii: "}"), "a comma or the end of the object")
        return duration > 0 ? Segment(duration: duration, bitsPerSecond: rate, roundTrip: roundTrip) : nil
    }
}

extension TraceText {
    /// Between quotation marks, of 100 bytes at most; what is escaped stays so, as no key that counts is.
    fileprivate mutating func string() throws(SimulationError) -> String {
        try expect(UInt8(ascii: "\""), "a name in quotation marks")
        var bytes: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\""), bytes.count < 100 {
            advance()
            bytes.append(byte)
            if byte == UInt8(ascii: "\\"), let escaped = next {
                advance()
                bytes.append(escaped)
            }
        }
        try expect(UInt8(ascii: "\""), "the end of a text of 100 bytes at most")
        return String(decoding: bytes, as: UTF8.self)
    }

    fileprivate mutating func skipScalar() throws(SimulationError) {
        switch next {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            let start = self
            var word = ""
            while let byte = next, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte), word.count < 6 {
                word.unicodeScalars.append(Unicode.Scalar(byte))
                advance()
            }
            guard ["true", "false", "null"].contains(word) else { throw start.error("expected a value") }
        default: _ = try number("a number, a text, true, false or null")
        }
    }
}
