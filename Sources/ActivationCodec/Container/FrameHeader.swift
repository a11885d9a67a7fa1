/// What the symbols of a tensor stand for.
package enum SymbolCoding: Sendable, Hashable {
    /// A symbol is a code.
    case codes
    /// A level of ``ChannelQuantizer`` between the bounds of its channel; below 8 bits.
    case ranges(ChannelRanges, Precision)
    /// A level of a calibrated quantiser.
    case levels(LevelQuantizer)
}

/// What the header of a container says about one tensor.
package struct TensorHeader: Sendable, Hashable {
    package let signature: TensorSignature
    package let geometry: PlaneGeometry
    package let coding: SymbolCoding
    /// Whether bands may be zlib streams.
    package let isCompressed: Bool
    /// Whether only a checksum of the bounds or of the quantiser travels.
    package let isAgreed: Bool
    package let bandCount: Int

    /// The clip bounds, where there are some.
    package var ranges: ChannelRanges? {
        if case .ranges(let ranges, _) = coding { ranges } else { nil }
    }

    /// How many levels a symbol can name.
    package var levelCount: Int {
        switch coding {
        case .codes: Precision.lossless8.levelCount
        case .ranges(_, let precision): precision.levelCount
        case .levels(let quantizer): quantizer.levelCount
        }
    }

    /// Whether bands may be sorted by context.
    var hasContexts: Bool {
        if case .ranges = coding { false } else { true }
    }

    /// Whether a channel is received as one value and so has no symbols.
    func isConstant(channel: Int) -> Bool {
        switch coding {
        case .codes: false
        case .ranges(let ranges, _): ranges.isConstant(channel: channel)
        case .levels(let quantizer): quantizer.isSilent(channel: channel)
        }
    }

    /// Elements of a range of planes that are sent as symbols: those of channels that are not constant.
    func symbolCount(of planes: Range<Int>) -> Int {
        if case .codes = coding { return planes.count * geometry.planeSize }
        var count = 0
        for plane in planes where !isConstant(channel: plane % geometry.channelCount) {
            count += geometry.planeSize
        }
        return count
    }

    /// Bytes that symbols fill before compression.
    func packedByteCount(symbols count: Int) -> Int {
        switch coding {
        case .codes: count
        case .ranges(_, let precision): SymbolPacking.byteCount(symbols: count, precision: precision)
        case .levels(let quantizer): LevelPacking.byteCount(symbols: count, levels: quantizer.levelCount)
        }
    }

    /// Bytes of a range of planes before compression.
    func packedByteCount(of planes: Range<Int>) -> Int {
        packedByteCount(symbols: symbolCount(of: planes))
    }
}

/// The header of a container: which frame it is and what each of its tensors looks like.
package struct FrameHeader: Sendable, Hashable {
    package let frameID: UInt64
    package let tensors: [TensorHeader]
}

/// What a receiver expects of one tensor of a frame.
package struct ExpectedTensor: Sendable, Hashable {
    package var signature: TensorSignature
    /// The bounds both sides hold, for frames that only name them (``RangeSource/agreed(_:)``).
    package var agreedRanges: ChannelRanges?
    /// The calibrated quantisers both sides hold; a frame names one by its checksum (``TensorSource/Coding/agreed(_:)``).
    package var agreedQuantizers: [LevelQuantizer]

    package init(
        _ signature: TensorSignature, agreedRanges: ChannelRanges? = nil, agreedQuantizers: [LevelQuantizer] = []
    ) {
        self.signature = signature
        self.agreedRanges = agreedRanges
        self.agreedQuantizers = agreedQuantizers
    }
}

extension FrameHeader {
    /// Writes the header, checksum included.
    ///
    /// - Parameter compressRanges: returns a zlib stream shorter than its argument, or nil when there is none.
    func serialized(
        compressRanges: (_ bounds: [UInt8]) throws(CodecError) -> [UInt8]?
    ) throws(CodecError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(ContainerFormat.magic)
        bytes.appendLittleEndian(ContainerFormat.version)
        bytes.appendLittleEndian(UInt16(0))
        bytes.appendLittleEndian(frameID)
        let lengthPosition = bytes.count
        bytes.appendLittleEndian(UInt32(0))
        bytes.appendLittleEndian(UInt16(tensors.count))
        bytes.appendLittleEndian(UInt16(0))
        for (index, tensor) in tensors.enumerated() {
            try tensor.append(to: &bytes, index: index, compressRanges: compressRanges)
        }
        let length = UInt32(bytes.count + ContainerFormat.checksumLength)
        Swift.withUnsafeBytes(of: length.littleEndian) {
            bytes.replaceSubrange(lengthPosition..<lengthPosition + 4, with: $0)
        }
        bytes.appendLittleEndian(bytes.withUnsafeBufferPointer { checksum($0) })
        return bytes
    }
}

extension TensorHeader {
    fileprivate func append(
        to bytes: inout [UInt8], index: Int, compressRanges: ([UInt8]) throws(CodecError) -> [UInt8]?
    ) throws(CodecError) {
        var form = ContainerFormat.RangeForm.none
        var field: [UInt8] = []
        var fieldCount = 0
        var width = Precision.lossless8.bits
        var perByte = 1
        var order = ContainerFormat.orderChannelPlanar
        switch coding {
        case .codes: break
        case .ranges(let ranges, let precision):
            let bounds = ranges.bytes
            fieldCount = ranges.count
            width = precision.bits
            perByte = precision.symbolsPerByte
            if isAgreed {
                form = .agreed
                field.appendLittleEndian(bounds.withUnsafeBufferPointer { checksum($0) })
            } else if let compressed = try compressRanges(bounds) {
                form = .compressed
                field = compressed
            } else {
                form = .inline
                field = bounds
            }
        case .levels(let quantizer):
            fieldCount = quantizer.channelCount
            width = ContainerFormat.symbolWidth(levels: quantizer.levelCount)
            perByte = LevelPacking.symbolsPerByte(levels: quantizer.levelCount)
            order = ContainerFormat.orderRowPairs
            if isAgreed {
                form = .agreedLevels
                field.appendLittleEndian(quantizer.checksum)
            } else if let compressed = try compressRanges(quantizer.bytes) {
                form = .compressedLevels
                field = compressed
            } else {
                form = .inlineLevels
                field = quantizer.bytes
            }
        }
        bytes.appendLittleEndian(UInt16(index))
        bytes.append(ContainerFormat.elementTypeUInt8)
        bytes.append(UInt8(signature.shape.count))
        bytes.append(signature.zeroPoint)
        bytes.append(UInt8(width))
        bytes.appendLittleEndian(UInt16(levelCount))
        bytes.append(order)
        bytes.append(ContainerFormat.filterNone)
        bytes.append(UInt8(perByte))
        bytes.append(isCompressed ? ContainerFormat.compressionZlib : ContainerFormat.compressionRaw)
        bytes.appendLittleEndian(signature.scale.bitPattern)
        bytes.appendLittleEndian(UInt32(bandCount))
        bytes.append(form.rawValue)
        bytes.append(contentsOf: [0, 0, 0])
        bytes.appendLittleEndian(UInt32(fieldCount))
        bytes.appendLittleEndian(UInt32(field.count))
        for size in signature.shape {
            bytes.appendLittleEndian(UInt32(size))
        }
        bytes.append(contentsOf: field)
    }
}
