/// What the header of a container says about one tensor.
package struct TensorHeader: Sendable, Hashable {
    package let signature: TensorSignature
    package let geometry: PlaneGeometry
    package let precision: Precision
    /// Whether bands may be zlib streams.
    package let isCompressed: Bool
    /// The clip bounds; nil at 8 bits.
    package let ranges: ChannelRanges?
    /// Whether only a checksum of the bounds travels.
    package let rangesAreAgreed: Bool
    package let bandCount: Int

    /// Elements of a range of planes that are sent as symbols: those of channels that are not constant.
    func symbolCount(of planes: Range<Int>) -> Int {
        guard let ranges else { return planes.count * geometry.planeSize }
        if ranges.count == 1 { return ranges.isConstant(channel: 0) ? 0 : planes.count * geometry.planeSize }
        var count = 0
        for plane in planes where !ranges.isConstant(channel: plane % geometry.channelCount) {
            count += geometry.planeSize
        }
        return count
    }

    /// Bytes of a range of planes before compression.
    func packedByteCount(of planes: Range<Int>) -> Int {
        SymbolPacking.byteCount(symbols: symbolCount(of: planes), precision: precision)
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

    package init(_ signature: TensorSignature, agreedRanges: ChannelRanges? = nil) {
        self.signature = signature
        self.agreedRanges = agreedRanges
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
        if let bounds = ranges?.bytes {
            if rangesAreAgreed {
                form = .agreed
                field.appendLittleEndian(bounds.withUnsafeBufferPointer { checksum($0) })
            } else if let compressed = try compressRanges(bounds) {
                form = .compressed
                field = compressed
            } else {
                form = .inline
                field = bounds
            }
        }
        bytes.appendLittleEndian(UInt16(index))
        bytes.append(ContainerFormat.elementTypeUInt8)
        bytes.append(UInt8(signature.shape.count))
        bytes.append(signature.zeroPoint)
        bytes.append(UInt8(precision.bits))
        bytes.appendLittleEndian(UInt16(precision.levelCount))
        bytes.append(ContainerFormat.orderChannelPlanar)
        bytes.append(ContainerFormat.filterNone)
        bytes.append(UInt8(precision.symbolsPerByte))
        bytes.append(isCompressed ? ContainerFormat.compressionZlib : ContainerFormat.compressionRaw)
        bytes.appendLittleEndian(signature.scale.bitPattern)
        bytes.appendLittleEndian(UInt32(bandCount))
        bytes.append(form.rawValue)
        bytes.append(contentsOf: [0, 0, 0])
        bytes.appendLittleEndian(UInt32(ranges?.count ?? 0))
        bytes.appendLittleEndian(UInt32(field.count))
        for size in signature.shape {
            bytes.appendLittleEndian(UInt32(size))
        }
        bytes.append(contentsOf: field)
    }
}
