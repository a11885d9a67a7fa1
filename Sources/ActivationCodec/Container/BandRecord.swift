/// The fixed part of a band.
struct BandRecord {
    var tensor: Int
    var band: Int
    var planes: Range<Int>
    var isCompressed: Bool
    /// Whether the payload, decompressed, is that of ``ContextOrder``; it is compressed then.
    var isByContext = false
    var payloadLength: Int
    var unpackedLength: Int

    /// Appends the record, the checksum that continues `seed` over record and payload, and the payload.
    func append(to bytes: inout [UInt8], payload: UnsafeBufferPointer<UInt8>, seed: UInt32) {
        let start = bytes.count
        bytes.appendLittleEndian(UInt16(tensor))
        bytes.append(
            (isCompressed ? ContainerFormat.bandFlagCompressed : 0)
                | (isByContext ? ContainerFormat.bandFlagContexts : 0))
        bytes.append(0)
        bytes.appendLittleEndian(UInt32(band))
        bytes.appendLittleEndian(UInt32(planes.lowerBound))
        bytes.appendLittleEndian(UInt32(planes.count))
        bytes.appendLittleEndian(UInt32(payloadLength))
        bytes.appendLittleEndian(UInt32(unpackedLength))
        let recordSum = bytes.withUnsafeBufferPointer {
            checksum(UnsafeBufferPointer(rebasing: $0[start...]), seed: seed)
        }
        bytes.appendLittleEndian(checksum(payload, seed: recordSum))
        bytes.append(contentsOf: payload)
    }

    /// Reads the record that must come next.
    ///
    /// - Parameters:
    ///   - bytes: `ContainerFormat.bandRecordLength` bytes.
    ///   - offset: where they begin within the container.
    ///   - tensor: the tensor whose bands are under way.
    ///   - band: the index of the band that is due.
    ///   - plane: the first plane that is due.
    init(
        parsing bytes: UnsafeBufferPointer<UInt8>, offset: Int, header: FrameHeader, dueTensor tensor: Int,
        dueBand band: Int, duePlane plane: Int, limits: DecodeLimits
    ) throws(CodecError) {
        let here = CodecError.Location(offset: offset, tensor: tensor, band: band)
        var reader = FieldReader(bytes, range: 0..<ContainerFormat.bandRecordLength, origin: offset)
        let declaredTensor = Int(try reader.read(UInt16.self, "tensor index"))
        let flags = try reader.read(UInt8.self, "band flags")
        let reserved = try reader.read(UInt8.self, "reserved field")
        let declaredBand = Int(try reader.read(UInt32.self, "band index"))
        let firstPlane = Int(try reader.read(UInt32.self, "first plane"))
        let planeCount = Int(try reader.read(UInt32.self, "number of planes"))
        payloadLength = Int(try reader.read(UInt32.self, "payload length"))
        unpackedLength = Int(try reader.read(UInt32.self, "decompressed length"))
        guard declaredTensor == tensor, declaredBand == band else {
            throw CodecError(
                .bandOutOfOrder, "duplicate, missing or misplaced band", at: here,
                expected: "band \(band) of tensor \(tensor)", got: "band \(declaredBand) of tensor \(declaredTensor)")
        }
        let tensorHeader = header.tensors[tensor]
        isCompressed = flags & ContainerFormat.bandFlagCompressed != 0
        isByContext = flags & ContainerFormat.bandFlagContexts != 0
        let known = ContainerFormat.bandFlagCompressed | ContainerFormat.bandFlagContexts
        guard flags & ~known == 0, reserved == 0, isCompressed || !isByContext else {
            throw CodecError(
                .unsupportedFlags, "band flags", at: here, expected: "0, 1 or 3", got: hexadecimal(flags))
        }
        guard !isByContext || tensorHeader.hasContexts else {
            throw CodecError(
                .invalidField, "symbols by context", at: here, expected: "codes or levels of a calibrated quantiser",
                got: "levels between bounds")
        }
        guard !isCompressed || tensorHeader.isCompressed else {
            throw CodecError(
                .invalidField, "zlib band of a raw tensor", at: here, expected: "flag 0", got: hexadecimal(flags))
        }
        guard firstPlane == plane else {
            throw CodecError(
                .bandOutOfOrder, "bands overlap or leave a gap", at: here, expected: "first plane \(plane)",
                got: "\(firstPlane)")
        }
        // The bands that follow need a plane each; the last one takes all that is left.
        let left = tensorHeader.geometry.planeCount - plane
        let following = tensorHeader.bandCount - band - 1
        let most = left - following
        guard planeCount >= 1, planeCount <= most, following > 0 || planeCount == left else {
            throw CodecError(
                .inconsistentLength, "number of planes", at: here,
                expected: following > 0 ? "1...\(most)" : "\(left)", got: "\(planeCount)")
        }
        planes = plane..<plane + planeCount
        // Symbols by context are as many as the planes have, but say themselves how they are packed.
        let symbols = tensorHeader.symbolCount(of: planes)
        let unpacked = tensorHeader.packedByteCount(symbols: symbols)
        // Planes of silent channels alone have no symbols, and ranges would be empty.
        let isPlausible =
            isByContext
            ? unpackedLength >= 1 && unpackedLength <= ContextOrder.maximumPayload(symbols: symbols)
            : unpackedLength == unpacked
        guard isPlausible else {
            throw CodecError(
                .inconsistentLength, "decompressed length", at: here,
                expected: isByContext ? "1...\(ContextOrder.maximumPayload(symbols: symbols))" : "\(unpacked) bytes",
                got: "\(unpackedLength)")
        }
        let spread = isByContext ? symbols : unpackedLength
        guard spread <= limits.maximumBandBytes else {
            throw CodecError(
                .limitExceeded, "decompressed length", at: here, expected: "≤ \(limits.maximumBandBytes)",
                got: "\(spread)")
        }
        guard isCompressed ? payloadLength >= 1 && payloadLength < unpackedLength : payloadLength == unpacked else {
            throw CodecError(
                .inconsistentLength, "payload length", at: here,
                expected: isCompressed ? "shorter than \(unpackedLength) bytes" : "\(unpacked) bytes",
                got: "\(payloadLength)")
        }
        self.tensor = tensor
        self.band = band
    }

    init(
        tensor: Int, band: Int, planes: Range<Int>, isCompressed: Bool, isByContext: Bool = false, payloadLength: Int,
        unpackedLength: Int
    ) {
        self.tensor = tensor
        self.band = band
        self.planes = planes
        self.isCompressed = isCompressed
        self.isByContext = isByContext
        self.payloadLength = payloadLength
        self.unpackedLength = unpackedLength
    }
}
