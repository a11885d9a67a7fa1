extension FrameHeader {
    /// Reads the fixed part of a header.
    ///
    /// - Parameter bytes: at least `ContainerFormat.prefixLength` bytes.
    /// - Returns: the length of the whole header.
    /// - Throws: `badMagic`, `unsupportedVersion`, `unsupportedFlags`, `limitExceeded` or `inconsistentLength`.
    static func length(
        fromPrefix bytes: UnsafeBufferPointer<UInt8>, limits: DecodeLimits
    ) throws(CodecError) -> Int {
        var reader = FieldReader(bytes, range: 0..<ContainerFormat.prefixLength)
        let magic = try reader.read(UInt32.self, "magic")
        guard magic == ContainerFormat.magic else {
            throw CodecError(
                .badMagic, "container magic", at: .init(offset: 0), expected: hexadecimal(ContainerFormat.magic),
                got: hexadecimal(magic))
        }
        let version = try reader.read(UInt16.self, "version")
        guard version == ContainerFormat.version else {
            throw CodecError(
                .unsupportedVersion, "container version", at: .init(offset: 4),
                expected: "\(ContainerFormat.version)", got: "\(version)")
        }
        let flags = try reader.read(UInt16.self, "flags")
        guard flags == 0 else {
            throw CodecError(
                .unsupportedFlags, "container flags", at: .init(offset: 6), expected: "0", got: hexadecimal(flags))
        }
        _ = try reader.read(UInt64.self, "frame id")
        let length = Int(try reader.read(UInt32.self, "header length"))
        let tensorCount = Int(try reader.read(UInt16.self, "tensor count"))
        guard tensorCount >= 1 else {
            throw CodecError(
                .invalidField, "number of tensors", at: .init(offset: 20), expected: "at least 1", got: "0")
        }
        guard tensorCount <= limits.maximumTensors else {
            throw CodecError(
                .limitExceeded, "number of tensors", at: .init(offset: 20), expected: "≤ \(limits.maximumTensors)",
                got: "\(tensorCount)")
        }
        guard length <= min(limits.maximumHeaderBytes, limits.maximumContainerBytes) else {
            throw CodecError(
                .limitExceeded, "header length", at: .init(offset: 16), expected: "≤ \(limits.maximumHeaderBytes)",
                got: "\(length)")
        }
        let leastTensorLength = ContainerFormat.tensorRecordLength + 4
        let least = ContainerFormat.prefixLength + tensorCount * leastTensorLength + ContainerFormat.checksumLength
        guard length >= least else {
            throw CodecError(
                .inconsistentLength, "header length", at: .init(offset: 16), expected: "≥ \(least)", got: "\(length)")
        }
        return length
    }

    /// Reads a whole header.
    ///
    /// - Parameters:
    ///   - bytes: exactly the header, as long as ``length(fromPrefix:limits:)`` said.
    ///   - expected: what the receiver holds of the cut, or nil to take any.
    ///   - inflater: decompresses clip ranges.
    /// - Throws: whatever ``CodecError/Code`` names the first field that does not hold.
    init(
        parsing bytes: UnsafeBufferPointer<UInt8>, limits: DecodeLimits, expecting expected: [ExpectedTensor]?,
        inflater: inout Inflater
    ) throws(CodecError) {
        let checkedLength = bytes.count - ContainerFormat.checksumLength
        var trailer = FieldReader(bytes, range: checkedLength..<bytes.count)
        let declared = try trailer.read(UInt32.self, "header checksum")
        let computed = checksum(UnsafeBufferPointer(rebasing: bytes[..<checkedLength]))
        guard declared == computed else {
            throw CodecError(
                .headerChecksumMismatch, "header", at: .init(offset: checkedLength), expected: hexadecimal(declared),
                got: hexadecimal(computed))
        }
        var reader = FieldReader(bytes, range: 8..<checkedLength)
        frameID = try reader.read(UInt64.self, "frame id")
        _ = try reader.read(UInt32.self, "header length")
        let tensorCount = Int(try reader.read(UInt16.self, "tensor count"))
        try reader.requireZero(UInt16.self, "reserved field", tensor: nil)
        if let expected, expected.count != tensorCount {
            throw CodecError(
                .cutMismatch, "number of tensors", at: .init(offset: 20), expected: "\(expected.count)",
                got: "\(tensorCount)")
        }
        var budget = Budget(elements: limits.maximumElements, bands: limits.maximumBands)
        var tensors: [TensorHeader] = []
        for index in 0..<tensorCount {
            tensors.append(
                try TensorHeader(
                    parsing: &reader, index: index, limits: limits, budget: &budget, expecting: expected?[index],
                    inflater: &inflater))
        }
        guard reader.remaining == 0 else {
            throw CodecError(
                .inconsistentLength, "bytes after the last tensor record", at: .init(offset: reader.offset),
                expected: "0", got: "\(reader.remaining)")
        }
        self.tensors = tensors
    }
}

/// What is left of the limits that all tensors share.
private struct Budget {
    var elements: Int
    var bands: Int

    static func spend(
        _ amount: Int, of budget: inout Int, _ what: String, at location: CodecError.Location
    ) throws(CodecError) {
        guard amount <= budget else {
            throw CodecError(.limitExceeded, what, at: location, expected: "≤ \(budget) left", got: "\(amount)")
        }
        budget -= amount
    }
}

extension TensorHeader {
    fileprivate init(
        parsing reader: inout FieldReader, index: Int, limits: DecodeLimits, budget: inout Budget,
        expecting expected: ExpectedTensor?, inflater: inout Inflater
    ) throws(CodecError) {
        let here = CodecError.Location(offset: reader.offset, tensor: index)
        try reader.require(UInt16(index), .invalidField, "tensor index", tensor: index)
        try reader.require(ContainerFormat.elementTypeUInt8, .unsupportedFeature, "element type", tensor: index)
        let rank = Int(try reader.read(UInt8.self, "rank"))
        guard rank <= limits.maximumRank else {
            throw CodecError(.limitExceeded, "rank", at: here, expected: "≤ \(limits.maximumRank)", got: "\(rank)")
        }
        let zeroPoint = try reader.read(UInt8.self, "zero point")
        let bits = try reader.read(UInt8.self, "symbol width")
        let symbols = try SymbolForm(width: bits, parsing: &reader, tensor: index, at: here)
        let compression = try reader.read(UInt8.self, "compression")
        guard compression <= ContainerFormat.compressionZlib else {
            throw CodecError(
                .unsupportedFeature, "compression", at: here, expected: "0 (raw) or 1 (zlib)", got: "\(compression)")
        }
        let scale = Float(bitPattern: try reader.read(UInt32.self, "scale"))
        guard scale.isFinite, scale > 0 else {
            throw CodecError(.invalidField, "scale", at: here, expected: "finite and positive", got: "\(scale)")
        }
        let bandCount = Int(try reader.read(UInt32.self, "number of bands"))
        let formID = try reader.read(UInt8.self, "clip range form")
        guard let form = ContainerFormat.RangeForm(rawValue: formID) else {
            throw CodecError(.unsupportedFeature, "clip range form", at: here, expected: "0...6", got: "\(formID)")
        }
        try reader.requireZero(UInt8.self, "reserved field", tensor: index)
        try reader.requireZero(UInt16.self, "reserved field", tensor: index)
        let rangeCount = Int(try reader.read(UInt32.self, "number of clip ranges"))
        let rangeLength = Int(try reader.read(UInt32.self, "clip range length"))
        var shape: [Int] = []
        for _ in 0..<rank {
            shape.append(Int(try reader.read(UInt32.self, "dimension")))
        }
        let signature = TensorSignature(shape: shape, scale: scale, zeroPoint: zeroPoint)
        let geometry = try PlaneGeometry(shape: shape, at: here)
        if let expected, expected.signature != signature {
            throw CodecError(
                .cutMismatch, "tensor", at: here, expected: "\(expected.signature)", got: "\(signature)")
        }
        try Budget.spend(geometry.elementCount, of: &budget.elements, "number of elements", at: here)
        guard bandCount >= 1, bandCount <= geometry.planeCount else {
            throw CodecError(
                .invalidField, "number of bands", at: here, expected: "1...\(geometry.planeCount), the planes",
                got: "\(bandCount)")
        }
        try Budget.spend(bandCount, of: &budget.bands, "number of bands", at: here)

        let field = try reader.bytes(rangeLength, "clip ranges")
        switch symbols {
        case .packed(let precision):
            let ranges = try ChannelRanges(
                parsing: field, form: form, count: rangeCount, precision: precision, geometry: geometry,
                agreed: expected?.agreedRanges, at: here, inflater: &inflater)
            coding = ranges.map { .ranges($0, precision) } ?? .codes
        case .levels(let levels):
            coding = .levels(
                try LevelQuantizer(
                    parsing: field, form: form, count: rangeCount, levels: levels, geometry: geometry,
                    agreed: expected?.agreedQuantizers ?? [], at: here, inflater: &inflater))
        }
        self.signature = signature
        self.geometry = geometry
        self.isCompressed = compression == ContainerFormat.compressionZlib
        self.isAgreed = form == .agreed || form == .agreedLevels
        self.bandCount = bandCount
    }
}

extension ChannelRanges {
    /// Reads the clip range field; nil at 8 bits.
    fileprivate init?(
        parsing field: UnsafeBufferPointer<UInt8>, form: ContainerFormat.RangeForm, count: Int, precision: Precision,
        geometry: PlaneGeometry, agreed: ChannelRanges?, at location: CodecError.Location, inflater: inout Inflater
    ) throws(CodecError) {
        guard (precision == .lossless8) == (form == .none) else {
            throw CodecError(
                .invalidField, "clip range form", at: location,
                expected: precision == .lossless8 ? "none at 8 bits" : "some below 8 bits", got: "\(form)")
        }
        guard form != .none else {
            guard count == 0, field.isEmpty else {
                throw CodecError(
                    .inconsistentLength, "clip ranges at 8 bits", at: location, expected: "0",
                    got: "\(count) in \(field.count) bytes")
            }
            return nil
        }
        guard count == 1 || count == geometry.channelCount else {
            throw CodecError(
                .invalidField, "number of clip ranges", at: location, expected: "1 or \(geometry.channelCount)",
                got: "\(count)")
        }
        var bounds: [UInt8]
        switch form {
        case .none, .inlineLevels, .compressedLevels, .agreedLevels:
            throw CodecError(
                .invalidField, "clip range form", at: location, expected: "clip ranges", got: "a level quantiser")
        case .inline:
            guard field.count == 2 * count else {
                throw CodecError(
                    .inconsistentLength, "clip ranges", at: location, expected: "\(2 * count) bytes",
                    got: "\(field.count)")
            }
            bounds = Array(field)
        case .compressed:
            guard field.count < 2 * count else {
                throw CodecError(
                    .inconsistentLength, "compressed clip ranges", at: location, expected: "< \(2 * count) bytes",
                    got: "\(field.count)")
            }
            // `count` is at most the number of elements, which the limits bound.
            bounds = [UInt8](repeating: 0, count: 2 * count)
            try bounds.withUnsafeMutableBufferPointer { (output) throws(CodecError) in
                try inflater.decompress(field, filling: output, at: location)
            }
        case .agreed:
            guard let agreed else {
                throw CodecError(
                    .cutMismatch, "clip ranges agreed beforehand", at: location, expected: "none are held",
                    got: "a reference")
            }
            var reader = FieldReader(field, range: 0..<field.count)
            let declared = try reader.read(UInt32.self, "clip range checksum")
            let held = agreed.bytes.withUnsafeBufferPointer { checksum($0) }
            guard reader.remaining == 0, agreed.count == count, held == declared else {
                throw CodecError(
                    .cutMismatch, "clip ranges agreed beforehand", at: location,
                    expected: "\(agreed.count) ranges, \(hexadecimal(held))",
                    got: "\(count) ranges, \(hexadecimal(declared))")
            }
            self = agreed
            return
        }
        let lower = Array(bounds[..<count])
        let upper = Array(bounds[count...])
        if let channel = lower.indices.first(where: { lower[$0] > upper[$0] }) {
            throw CodecError(
                .invalidField, "clip range of channel \(channel)", at: location, expected: "lower bound ≤ upper bound",
                got: "\(lower[channel])...\(upper[channel])")
        }
        try self.init(lower: lower, upper: upper)
    }
}

/// How symbols lie in bytes, as five fields say together.
private enum SymbolForm {
    case packed(Precision)
    case levels(Int)

    init(
        width: UInt8, parsing reader: inout FieldReader, tensor index: Int, at location: CodecError.Location
    ) throws(CodecError) {
        let levels = Int(try reader.read(UInt16.self, "number of levels"))
        let order = try reader.read(UInt8.self, "element order")
        let perByte: Int
        switch order {
        case ContainerFormat.orderRowPairs:
            guard LevelQuantizer.levelLimits.contains(levels) else {
                throw CodecError(
                    .unsupportedFeature, "number of levels", at: location, expected: "\(LevelQuantizer.levelLimits)",
                    got: "\(levels)")
            }
            guard Int(width) == ContainerFormat.symbolWidth(levels: levels) else {
                throw CodecError(
                    .unsupportedFeature, "symbol width", at: location,
                    expected: "\(ContainerFormat.symbolWidth(levels: levels))", got: "\(width)")
            }
            self = .levels(levels)
            perByte = LevelPacking.symbolsPerByte(levels: levels)
        case ContainerFormat.orderChannelPlanar:
            guard let precision = Precision(rawValue: Int(width)) else {
                throw CodecError(
                    .unsupportedFeature, "symbol width", at: location, expected: "8, 4 or 2", got: "\(width)")
            }
            guard levels == precision.levelCount else {
                throw CodecError(
                    .unsupportedFeature, "number of levels", at: location, expected: "\(precision.levelCount)",
                    got: "\(levels)")
            }
            self = .packed(precision)
            perByte = precision.symbolsPerByte
        default:
            throw CodecError(
                .unsupportedFeature, "element order", at: location,
                expected: "\(ContainerFormat.orderChannelPlanar) or \(ContainerFormat.orderRowPairs)", got: "\(order)")
        }
        try reader.require(ContainerFormat.filterNone, .unsupportedFeature, "filter", tensor: index)
        try reader.require(UInt8(perByte), .unsupportedFeature, "packing", tensor: index)
    }
}

extension LevelQuantizer {
    /// Reads the field of a level quantiser.
    fileprivate init(
        parsing field: UnsafeBufferPointer<UInt8>, form: ContainerFormat.RangeForm, count: Int, levels: Int,
        geometry: PlaneGeometry, agreed: [LevelQuantizer], at location: CodecError.Location, inflater: inout Inflater
    ) throws(CodecError) {
        guard count == 1 || count == geometry.channelCount else {
            throw CodecError(
                .invalidField, "channels of the level quantiser", at: location,
                expected: "1 or \(geometry.channelCount)", got: "\(count)")
        }
        // `count` is at most the number of elements, which the limits bound.
        let length = Self.byteCount(channels: count, levels: levels)
        var values: [UInt8]
        switch form {
        case .inlineLevels:
            guard field.count == length else {
                throw CodecError(
                    .inconsistentLength, "level quantiser", at: location, expected: "\(length) bytes",
                    got: "\(field.count)")
            }
            values = Array(field)
        case .compressedLevels:
            guard field.count < length else {
                throw CodecError(
                    .inconsistentLength, "compressed level quantiser", at: location, expected: "< \(length) bytes",
                    got: "\(field.count)")
            }
            values = [UInt8](repeating: 0, count: length)
            try values.withUnsafeMutableBufferPointer { (output) throws(CodecError) in
                try inflater.decompress(field, filling: output, at: location)
            }
        case .agreedLevels:
            var reader = FieldReader(field, range: 0..<field.count)
            let declared = try reader.read(UInt32.self, "quantiser checksum")
            guard reader.remaining == 0 else {
                throw CodecError(
                    .inconsistentLength, "quantiser checksum", at: location, expected: "4 bytes", got: "\(field.count)")
            }
            guard
                let held = agreed.first(where: {
                    $0.checksum == declared && $0.levelCount == levels && $0.channelCount == count
                })
            else {
                throw CodecError(
                    .cutMismatch, "level quantiser agreed beforehand", at: location,
                    expected: agreed.isEmpty
                        ? "none are held" : agreed.map { hexadecimal($0.checksum) }.joined(separator: " or "),
                    got: hexadecimal(declared))
            }
            self = held
            return
        case .none, .inline, .compressed, .agreed:
            throw CodecError(
                .invalidField, "clip range form", at: location, expected: "a level quantiser", got: "\(form)")
        }
        do throws(CodecError) {
            let codes = Array(values[(count * (levels - 1))...])
            values.removeSubrange((count * (levels - 1))...)
            try self.init(levelCount: levels, thresholds: values, codes: codes)
        } catch {
            throw CodecError(
                .invalidField, error.message, at: location, expected: error.expected, got: error.got)
        }
    }
}

extension FieldReader {
    fileprivate mutating func require<Value: FixedWidthInteger>(
        _ value: Value, _ code: CodecError.Code, _ field: String, tensor: Int?
    ) throws(CodecError) {
        let offset = offset
        let got = try read(Value.self, field)
        guard got == value else {
            throw CodecError(
                code, field, at: .init(offset: offset, tensor: tensor), expected: "\(value)", got: "\(got)")
        }
    }

    fileprivate mutating func requireZero<Value: FixedWidthInteger>(
        _: Value.Type, _ field: String, tensor: Int?
    ) throws(CodecError) {
        try require(Value.zero, .invalidField, field, tensor: tensor)
    }
}

func hexadecimal(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
    "0x" + String(value, radix: 16)
}
