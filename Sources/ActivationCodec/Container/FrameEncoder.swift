/// Encodes frames band by band, so that sending can overlap with compressing.
///
/// One encoder serves any number of frames one after another and keeps its memory between them: for each thread a compressor
/// (268 KB) and scratch of a few bands.
///
///     var encoder = FrameEncoder()
///     send(try encoder.begin(frameID: 7, tensors: sources))
///     while let band = try encoder.nextBand() { send(band) }
///
/// The bytes are those of ``ContainerFormat``.
package struct FrameEncoder: ~Copyable {
    /// Default uncompressed size of a band.
    package static let defaultBandBytes = 64 << 10

    private let bandBytes: Int
    private let loop: BandLoop
    private var plans: [BandEncoder.Plan] = []
    /// The first band that is not encoded yet.
    private var next = Position()
    private var headerChecksum: UInt32 = 0
    private var rangeDeflater: Deflater?
    private var compressedRanges = ScratchBuffer<UInt8>()
    /// As many as the loop is wide; made when first needed.
    private var encoders: [BandEncoder] = []
    /// Of `encoders`, those that hold a band which has not been taken.
    private var encoded = 0..<0

    private struct Position {
        var tensor = 0
        var band = 0
    }

    /// - Parameters:
    ///   - bandBytes: uncompressed bytes a band aims at; at least 1. A band holds whole planes, so one plane that is larger
    ///     makes a larger band.
    ///   - loop: as many bands are encoded at once as it is wide. The bytes do not depend on it.
    package init(bandBytes: Int = FrameEncoder.defaultBandBytes, loop: BandLoop = .serial) {
        precondition(bandBytes >= 1, "a band holds at least one byte")
        self.bandBytes = bandBytes
        self.loop = loop
    }

    /// Starts a frame, dropping one that is under way, and returns its header.
    ///
    /// - Throws: `invalidArgument` or `invalidField` when a tensor's shape, scale, element count, ranges or mode do not hold
    ///   together.
    package mutating func begin(frameID: UInt64, tensors: [TensorSource]) throws(CodecError) -> [UInt8] {
        plans.removeAll(keepingCapacity: true)
        next = Position()
        encoded = 0..<0
        guard (1...Int(UInt16.max)).contains(tensors.count) else {
            throw CodecError(.invalidArgument, "number of tensors", expected: "1...65535", got: "\(tensors.count)")
        }
        var plans: [BandEncoder.Plan] = []
        for (index, source) in tensors.enumerated() {
            plans.append(try plan(source, index: index))
        }
        let header = FrameHeader(frameID: frameID, tensors: plans.map(\.header))
        let bytes = try header.serialized { (bounds) throws(CodecError) in try compress(ranges: bounds) }
        headerChecksum = bytes.withUnsafeBufferPointer {
            checksum(UnsafeBufferPointer(rebasing: $0.dropLast(ContainerFormat.checksumLength)))
        }
        self.plans = plans
        return bytes
    }

    /// What the header of the frame under way says of its tensors.
    var tensorHeaders: [TensorHeader] { plans.map(\.header) }

    /// The next band of the frame, or nil after the last.
    package mutating func nextBand() throws(CodecError) -> [UInt8]? {
        var bytes: [UInt8] = []
        return try appendNextBand(to: &bytes) ? bytes : nil
    }

    /// Appends the next band of the frame.
    ///
    /// - Returns: false, with nothing appended, after the last.
    /// - Throws: `zlibUnavailable` when there is no memory for a compressor; the frame is then over.
    package mutating func appendNextBand(to bytes: inout [UInt8]) throws(CodecError) -> Bool {
        if encoded.isEmpty { try encodeNextBands() }
        guard let first = encoded.first else {
            // Tensors of the caller's are not held on to.
            plans = []
            return false
        }
        encoded.removeFirst()
        bytes += encoders[first].bytes
        return true
    }

    /// Encodes as many bands as the loop is wide, or as there are left.
    private mutating func encodeNextBands() throws(CodecError) {
        var bands: [Position] = []
        while bands.count < loop.width, next.tensor < plans.count {
            bands.append(next)
            next.band += 1
            if next.band == plans[next.tensor].header.bandCount { next = Position(tensor: next.tensor + 1) }
        }
        while encoders.count < bands.count { encoders.append(BandEncoder()) }
        let work = Work(plans: plans, bands: bands, encoders: encoders, seed: headerChecksum)
        loop(bands.count) { work.encode($0) }
        encoded = 0..<bands.count
        for encoder in encoders[encoded] {
            guard let failure = encoder.failure else { continue }
            encoded = 0..<0
            plans = []
            throw failure
        }
    }

    /// `@unchecked Sendable` invariant: each index has an encoder of its own, and what the plans refer to is only read.
    private struct Work: @unchecked Sendable {
        let plans: [BandEncoder.Plan]
        let bands: [Position]
        let encoders: [BandEncoder]
        let seed: UInt32

        func encode(_ index: Int) {
            let (tensor, band) = (bands[index].tensor, bands[index].band)
            encoders[index].encode(plans[tensor], tensor: tensor, band: band, seed: seed)
        }
    }

    // MARK: Planning

    private func plan(_ source: TensorSource, index: Int) throws(CodecError) -> BandEncoder.Plan {
        let here = CodecError.Location(tensor: index)
        let signature = source.signature
        let geometry = try PlaneGeometry(shape: signature.shape, at: here)
        guard signature.scale.isFinite, signature.scale > 0 else {
            throw CodecError(
                .invalidArgument, "scale", at: here, expected: "finite and positive", got: "\(signature.scale)")
        }
        guard source.compression.isValid else {
            throw CodecError(
                .invalidArgument, "compression level", at: here, expected: "0...9", got: "\(source.compression)")
        }
        var coding = SymbolCoding.codes
        var isAgreed = false
        try source.withCodes { (codes) throws(CodecError) in
            guard codes.count == geometry.elementCount, codes.count <= UInt32.max else {
                throw CodecError(
                    .invalidArgument, "number of elements", at: here,
                    expected: "\(geometry.elementCount), as the shape says, and below 2^32", got: "\(codes.count)")
            }
            (coding, isAgreed) = try symbolCoding(of: source, codes: codes, geometry: geometry)
        }
        let described: Int? =
            switch coding {
            case .codes: nil
            case .ranges(let ranges, _): ranges.count
            case .levels(let quantizer): quantizer.channelCount
            }
        if let described, described != 1, described != geometry.channelCount {
            throw CodecError(
                .invalidArgument, "number of channels quantised", at: here, expected: "1 or \(geometry.channelCount)",
                got: "\(described)")
        }
        func header(bandCount: Int) -> TensorHeader {
            TensorHeader(
                signature: signature, geometry: geometry, coding: coding, isCompressed: source.compression != .raw,
                isAgreed: isAgreed, bandCount: bandCount)
        }
        let boundaries = bandBoundaries(of: header(bandCount: 1))
        return BandEncoder.Plan(source: source, header: header(bandCount: boundaries.count - 1), boundaries: boundaries)
    }

    /// What the symbols of a tensor stand for, and whether the receiver holds that already.
    private func symbolCoding(
        of source: TensorSource, codes: UnsafeBufferPointer<UInt8>, geometry: PlaneGeometry
    ) throws(CodecError) -> (SymbolCoding, isAgreed: Bool) {
        switch source.coding {
        case .precision(.lossless8, _): (.codes, false)
        case .precision(let precision, .measured):
            (.ranges(try .measuring(codes, geometry: geometry, layout: source.layout), precision), false)
        case .precision(let precision, .percentile(let clipped)):
            (
                .ranges(try .measuring(codes, geometry: geometry, layout: source.layout, clipped: clipped), precision),
                false
            )
        case .precision(let precision, .calibrated(let ranges)): (.ranges(ranges, precision), false)
        case .precision(let precision, .agreed(let ranges)): (.ranges(ranges, precision), true)
        case .agreed(let quantizer): (.levels(quantizer), true)
        case .inline(let quantizer): (.levels(quantizer), false)
        }
    }

    /// Cuts a tensor into bands of about equal size that do not exceed `bandBytes` unless a single plane does.
    private func bandBoundaries(of header: TensorHeader) -> [Int] {
        let planeCount = header.geometry.planeCount
        let total = header.packedByteCount(of: 0..<planeCount)
        let parts = max(1, (total + bandBytes - 1) / bandBytes)
        let goal = (total + parts - 1) / parts
        var boundaries = [0]
        var symbols = 0
        for plane in 0..<planeCount {
            let more = header.symbolCount(of: plane..<plane + 1)
            let bytes = header.packedByteCount(symbols: symbols + more)
            if bytes > max(goal, 1), symbols > 0 {
                boundaries.append(plane)
                symbols = 0
            }
            symbols += more
        }
        boundaries.append(planeCount)
        return boundaries
    }

    /// The zlib stream of clip ranges, or nil when it would not be shorter.
    ///
    /// Has a compressor of its own: that of the bands is set up for their mode, and setting up costs more than this.
    private mutating func compress(ranges bounds: [UInt8]) throws(CodecError) -> [UInt8]? {
        if rangeDeflater == nil { rangeDeflater = try Deflater(.runLength) }
        return bounds.withUnsafeBufferPointer { input in
            let output = compressedRanges.reserve(input.count - 1)
            return rangeDeflater!.compress(input, into: output).map { Array(output[..<$0]) }
        }
    }
}
