/// Where the values of a JSON text are; of a text that is none, as far as it looks like one.
struct JSONValues {
    /// Numbers, texts that are no keys, and words.
    private(set) var scalars: [Range<Int>] = []
    /// Objects and arrays, inner before outer.
    private(set) var containers: [Range<Int>] = []

    init(_ text: [UInt8]) {
        var open: [Int] = []
        var position = 0
        while position < text.count {
            let start = position
            position += 1
            switch text[start] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): open.append(start)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if let begin = open.popLast() { containers.append(begin..<position) }
            case UInt8(ascii: "\""):
                while position < text.count, text[position] != UInt8(ascii: "\"") {
                    position += text[position] == UInt8(ascii: "\\") ? 2 : 1
                }
                position = min(position + 1, text.count)
                if position == text.count || text[position] != UInt8(ascii: ":") { scalars.append(start..<position) }
            case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: " "), UInt8(ascii: "\n"): break
            default:
                while position < text.count, !Self.endsWord(text[position]) { position += 1 }
                scalars.append(start..<position)
            }
        }
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "]"), UInt8(ascii: "}"): true
        default: false
        }
    }
}
