/// The fields of an ONNX model, at every depth, as places in its bytes.
struct ProtobufFields {
    /// The messages of onnx.proto that are looked into.
    enum Kind {
        case model, graph, node, attribute, tensor, value, type, tensorType, shape, dimension, operatorSet, entry

        /// The kind of message that field `number` holds.
        func nested(_ number: Int) -> Kind? {
            switch (self, number) {
            case (.model, 7): .graph
            case (.model, 8): .operatorSet
            case (.model, 14): .entry
            case (.graph, 1): .node
            case (.graph, 5): .tensor
            case (.graph, 11), (.graph, 12), (.graph, 13): .value
            case (.node, 5): .attribute
            case (.attribute, 5): .tensor
            case (.tensor, 13): .entry
            case (.value, 2): .type
            case (.type, 1): .tensorType
            case (.tensorType, 2): .shape
            case (.shape, 1): .dimension
            default: nil
            }
        }
    }

    struct Field {
        /// The message that the field is part of.
        let kind: Kind
        let number: Int
        let isDelimited: Bool
        /// Tag, length where there is one, payload.
        let whole: Range<Int>
        let payload: Range<Int>
        /// What message the payload is, if one.
        let nested: Kind?
        /// The field around it.
        let parent: Int?

        /// The field's bytes with another payload.
        func with(payload: [UInt8]) -> [UInt8] {
            varint(UInt64(number << 3 | 2)) + varint(UInt64(payload.count)) + payload
        }
    }

    private(set) var fields: [Field] = []

    /// What cannot be read is passed over.
    init(_ bytes: [UInt8]) {
        read(bytes, bytes.indices, as: .model, parent: nil)
    }

    private mutating func read(_ bytes: [UInt8], _ range: Range<Int>, as kind: Kind, parent: Int?) {
        var position = range.lowerBound
        while position < range.upperBound {
            let start = position
            guard let tag = readVarint(bytes, at: &position, before: range.upperBound) else { return }
            let payload: Range<Int>
            switch tag & 7 {
            case 0:
                let first = position
                guard readVarint(bytes, at: &position, before: range.upperBound) != nil else { return }
                payload = first..<position
            case 1, 5:
                let count = tag & 7 == 1 ? 8 : 4
                guard count <= range.upperBound - position else { return }
                payload = position..<position + count
            case 2:
                guard let count = readVarint(bytes, at: &position, before: range.upperBound),
                    count <= UInt64(range.upperBound - position)
                else { return }
                payload = position..<position + Int(count)
            default: return
            }
            position = payload.upperBound
            let number = Int(truncatingIfNeeded: tag >> 3)
            let nested = tag & 7 == 2 ? kind.nested(number) : nil
            fields.append(
                Field(
                    kind: kind, number: number, isDelimited: tag & 7 == 2, whole: start..<position, payload: payload,
                    nested: nested, parent: parent))
            if let nested { read(bytes, payload, as: nested, parent: fields.count - 1) }
        }
    }

    /// Puts bytes in the place of a field, and makes right the lengths of the messages around it.
    func replace(_ field: Field, by replacement: [UInt8], in bytes: inout [UInt8]) {
        var place = field.whole
        var replacement = replacement
        var parent = field.parent
        while let index = parent {
            let outer = fields[index]
            replacement = outer.with(
                payload: Array(
                    bytes[outer.payload.lowerBound..<place.lowerBound] + replacement
                        + bytes[place.upperBound..<outer.payload.upperBound]))
            place = outer.whole
            parent = outer.parent
        }
        bytes.replaceSubrange(place, with: replacement)
    }
}

private func readVarint(_ bytes: [UInt8], at position: inout Int, before end: Int) -> UInt64? {
    var result: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
        guard position < end else { return nil }
        let byte = bytes[position]
        position += 1
        result |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return result }
    }
    return nil
}

private func varint(_ value: UInt64) -> [UInt8] {
    var value = value
    var bytes: [UInt8] = []
    while value >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
        value >>= 7
    }
    return bytes + [UInt8(value)]
}
