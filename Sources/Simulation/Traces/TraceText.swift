/// A trace's bytes, read from the front, knowing the line for errors.
struct TraceText {
    private let bytes: [UInt8]
    private(set) var position = 0
    private(set) var line = 1
    let name: String

    init(_ bytes: [UInt8], name: String) {
        self.bytes = bytes
        self.name = name
    }

    var isAtEnd: Bool { position >= bytes.count }
    var next: UInt8? { isAtEnd ? nil : bytes[position] }

    func error(_ message: String, code: SimulationError.Code = .malformed) -> SimulationError {
        SimulationError(code, message, at: "\(name): line \(line), byte \(position)")
    }

    mutating func advance() {
        if bytes[position] == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }

    mutating func skip(while condition: (UInt8) -> Bool) {
        while let byte = next, condition(byte) { advance() }
    }

    /// Spaces, tabs and line ends.
    mutating func skipSpace() {
        skip { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0.isLineEnd }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        advance()
        return true
    }

    mutating func expect(_ byte: UInt8, _ what: String) throws(SimulationError) {
        guard take(byte) else { throw error("expected \(what)") }
    }

    /// A finite number in the decimal notation of JSON, of 40 characters at most.
    mutating func number(_ what: String) throws(SimulationError) -> Double {
        let start = position
        skip { $0.isDigit || "+-.eE".utf8.contains($0) }
        guard position > start, position - start <= 40,
            let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)), value.isFinite
        else {
            position = start
            throw error("expected \(what)")
        }
        return value
    }
}

extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isLetterOrQuote: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) || self == UInt8(ascii: "\"")
    }
    var isLineEnd: Bool { self == UInt8(ascii: "\n") || self == UInt8(ascii: "\r") }
}
