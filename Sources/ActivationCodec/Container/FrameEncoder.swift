/// Encodes frames band by band, so that sending can overlap with compressing.
///
/// One encoder serves any number of frames one after another and keeps its memory between them: the compressor (268 KB)
/// and scratch of a few bands.
///
///     var encoder = FrameEncoder()
///     send(try encoder.begin(frameID: 7, tensors: sources))
///     while let band = try encoder.nextBand() { send(band) }
///
/// The bytes are those of ``ContainerFormat``.
package struct FrameEncoder: ~Copyable {
    /// Default uncompressed size of a band.
    package static let defaultBandBytes = 64 << 10

    /// One tensor under way.
    private struct Plan {
        let source: TensorSource
        let header: TensorHeader
        /// First plane of each band, then the number of planes.
        let boundaries: [Int]
    }

    private let bandBytes: Int
    private var plans: [Plan] = []
    private var tensor = 0
    private var band = 0
    private var headerChecksum: UInt32 = 0
    private var deflater: Deflater?
    private var blockDeflater: BlockDeflater?
    private var rangeDeflater: Deflater?
    private var contexts = ContextBandEncoder()
    private var planar = ScratchBuffer()
    private var levels = ScratchBuffer()
    private var packed = ScratchBuffer()
    private var compressed = ScratchBuffer()

    /// - Parameter bandBytes: uncompressed bytes a band aims at; at least 1. A band holds whole planes, so one plane that is
    ///   larger makes a larger band.
    package init(bandBytes: Int = FrameEncoder.defaultBandBytes) {
        precondition(bandBytes >= 1, "a band holds at least one byte")
        self.bandBytes = bandBytes
    }

    /// Starts a frame, dropping one that is under way, and returns its header.
    ///
    /// - Throws: `invalidArgument` or `invalidField` when a tensor's shape, scale, element count, ranges or mode do not hold
    ///   together.
    package mutating func begin(frameID: UInt64, tensors: [TensorSource]) throws(CodecError) -> [UInt8] {
        plans.removeAll(keepingCapacity: true)
        tensor = 0
        band = 0
        guard (1...Int(UInt16.max)).contains(tensors.count) else {
            throw CodecError(.invalidArgument, "number of tensors", expected: "1...65535", got: "\(tensors.count)")
        }
        var plans: [Plan] = []
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
    /// - Throws: `zlibUnavailable` when there is no memory for a compressor.
    package mutating func appendNextBand(to bytes: inout [UInt8]) throws(CodecError) -> Bool {
        guard tensor < plans.count else { return false }
        let plan = plans[tensor]
        let planes = plan.boundaries[band]..<plan.boundaries[band + 1]
        let index = (tensor: tensor, band: band)
        try prepareDeflater(for: plan.source.compression)
        try plan.source.withCodes { (codes) throws(CodecError) in
            let sorted = sortedPayload(of: planes, plan: plan, codes: codes)
            if let sorted, case .codes = plan.header.coding {
                append(sorted, planes, index, to: &bytes)
                return
            }
            let unpacked = symbols(of: planes, plan: plan, codes: codes)
            let payload = compress(unpacked, plan.source.compression)
            // Squares of few levels know their context too, and small bands are better off with them.
            if let sorted, sorted.bytes.count < (payload ?? unpacked).count {
                append(sorted, planes, index, to: &bytes)
                return
            }
            let record = BandRecord(
                tensor: index.tensor, band: index.band, planes: planes, isCompressed: payload != nil,
                payloadLength: (payload ?? unpacked).count, unpackedLength: unpacked.count)
            record.append(to: &bytes, payload: payload ?? unpacked, seed: headerChecksum)
        }
        band += 1
        if band == plan.header.bandCount {
            tensor += 1
            band = 0
        }
        return true
    }

    // MARK: Planning

    private func plan(_ source: TensorSource, index: Int) throws(CodecError) -> Plan {
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
        return Plan(source: source, header: header(bandCount: boundaries.count - 1), boundaries: boundaries)
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

    // MARK: One band

    private mutating func prepareDeflater(for compression: Compression) throws(CodecError) {
        switch compression {
        case .raw: break
        case .blocks, .contexts: if blockDeflater == nil { blockDeflater = BlockDeflater() }
        default: if deflater?.compression != compression { deflater = try Deflater(compression) }
        }
    }

    /// The band sorted by context, or nil where that is not asked for, not possible or no smaller.
    private mutating func sortedPayload(
        of planes: Range<Int>, plan: Plan, codes: UnsafeBufferPointer<UInt8>
    ) -> ContextBandEncoder.Payload? {
        guard plan.source.compression == .contexts, plan.header.hasContexts else { return nil }
        return contexts.encode(
            planes, of: plan.header, codes: codes, layout: plan.source.layout, deflater: &blockDeflater!)
    }

    private func append(
        _ sorted: ContextBandEncoder.Payload, _ planes: Range<Int>, _ index: (tensor: Int, band: Int),
        to bytes: inout [UInt8]
    ) {
        let record = BandRecord(
            tensor: index.tensor, band: index.band, planes: planes, isCompressed: true, isByContext: true,
            payloadLength: sorted.bytes.count, unpackedLength: sorted.unpackedLength)
        record.append(to: &bytes, payload: sorted.bytes, seed: headerChecksum)
    }

    /// The uncompressed payload of a band: a part of the source itself where that is what it is, else scratch memory.
    private mutating func symbols(
        of planes: Range<Int>, plan: Plan, codes: UnsafeBufferPointer<UInt8>
    ) -> UnsafeBufferPointer<UInt8> {
        let geometry = plan.header.geometry
        let isPlanar = geometry.isPlanar(plan.source.layout)
        let elements = planes.lowerBound * geometry.planeSize..<planes.upperBound * geometry.planeSize
        if case .codes = plan.header.coding {
            if isPlanar { return UnsafeBufferPointer(rebasing: codes[elements]) }
            let output = packed.reserve(elements.count)
            geometry.gather(planes, fromChannelsLast: codes.baseAddress!, to: output.baseAddress!)
            return UnsafeBufferPointer(output)
        }
        let output = packed.reserve(plan.header.packedByteCount(of: planes))
        if case .levels(let quantizer) = plan.header.coding {
            quantize(planes, plan: plan, quantizer: quantizer, codes: codes)
            LevelPacking.pack(
                UnsafeBufferPointer(levels.reserve(plan.header.symbolCount(of: planes))),
                levels: quantizer.levelCount, perByte: LevelPacking.symbolsPerByte(levels: quantizer.levelCount),
                to: output.baseAddress!)
            return UnsafeBufferPointer(output)
        }
        guard case .ranges(let ranges, let precision) = plan.header.coding else { return UnsafeBufferPointer(output) }
        if isPlanar {
            _ = pack(
                planes, at: codes.baseAddress! + elements.lowerBound, header: plan.header, ranges: ranges, precision,
                to: output,
                from: 0)
            return UnsafeBufferPointer(output)
        }
        var position = 0
        var plane = planes.lowerBound
        while plane < planes.upperBound {
            let step = plane..<min(plane + geometry.planesPerStep, planes.upperBound)
            let scratch = planar.reserve(step.count * geometry.planeSize)
            geometry.gather(step, fromChannelsLast: codes.baseAddress!, to: scratch.baseAddress!)
            position = pack(
                step, at: UnsafePointer(scratch.baseAddress!), header: plan.header, ranges: ranges, precision,
                to: output,
                from: position)
            plane = step.upperBound
        }
        return UnsafeBufferPointer(output)
    }

    /// Fills `levels` with the levels of planes, those of silent channels left out.
    private mutating func quantize(
        _ planes: Range<Int>, plan: Plan, quantizer: LevelQuantizer, codes: UnsafeBufferPointer<UInt8>
    ) {
        let geometry = plan.header.geometry
        let isPlanar = geometry.isPlanar(plan.source.layout)
        var output = levels.reserve(plan.header.symbolCount(of: planes)).baseAddress!
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: ChannelQuantizer.levelTableSize) { table in
            var plane = planes.lowerBound
            while plane < planes.upperBound {
                let step =
                    plane..<(isPlanar ? planes.upperBound : min(plane + geometry.planesPerStep, planes.upperBound))
                var input = codes.baseAddress! + plane * geometry.planeSize
                if !isPlanar {
                    let scratch = planar.reserve(step.count * geometry.planeSize).baseAddress!
                    geometry.gather(step, fromChannelsLast: codes.baseAddress!, to: scratch)
                    input = UnsafePointer(scratch)
                }
                for plane in step {
                    let channel = plane % geometry.channelCount
                    if !quantizer.isSilent(channel: channel) {
                        quantizer.fillLevels(
                            output, of: input, count: geometry.planeSize, width: geometry.rowSize, channel: channel,
                            table: table.baseAddress!)
                        output += geometry.planeSize
                    }
                    input += geometry.planeSize
                }
                plane = step.upperBound
            }
        }
    }

    /// Quantises and packs planes that lie one after another, from symbol position `start` on.
    ///
    /// - Returns: the symbol position after them.
    private func pack(
        _ planes: Range<Int>, at codes: UnsafePointer<UInt8>, header: TensorHeader, ranges: ChannelRanges,
        _ precision: Precision, to output: UnsafeMutableBufferPointer<UInt8>, from start: Int
    ) -> Int {
        let planeSize = header.geometry.planeSize
        var position = start
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: ChannelQuantizer.levelTableSize) { table in
            let levels = table.baseAddress!
            levels.initialize(repeating: 0, count: ChannelQuantizer.levelTableSize)
            var tableIndex = -1
            for plane in planes {
                let index = ranges.index(ofChannel: plane % header.geometry.channelCount)
                let lower = ranges.lower[index]
                let upper = ranges.upper[index]
                guard lower < upper else { continue }
                if index != tableIndex {
                    ChannelQuantizer.fillLevels(
                        levels, levels: precision.levelCount, lower: lower, upper: upper)
                    tableIndex = index
                }
                SymbolPacking.pack(
                    codes + (plane - planes.lowerBound) * planeSize, count: planeSize, through: levels,
                    precision: precision, to: output.baseAddress!, from: position)
                position += planeSize
            }
        }
        return position
    }

    /// The zlib stream of clip ranges, or nil when it would not be shorter.
    ///
    /// Has a compressor of its own: that of the bands is set up for their mode, and setting up costs more than this.
    private mutating func compress(ranges bounds: [UInt8]) throws(CodecError) -> [UInt8]? {
        if rangeDeflater == nil { rangeDeflater = try Deflater(.runLength) }
        return bounds.withUnsafeBufferPointer { input in
            let output = compressed.reserve(input.count - 1)
            return rangeDeflater!.compress(input, into: output).map { Array(output[..<$0]) }
        }
    }

    /// The zlib stream of a payload, or nil when it would not be shorter.
    private mutating func compress(
        _ payload: UnsafeBufferPointer<UInt8>, _ compression: Compression
    ) -> UnsafeBufferPointer<UInt8>? {
        guard payload.count > 1, compression != .raw else { return nil }
        let output = compressed.reserve(payload.count - 1)
        let count =
            compression == .blocks || compression == .contexts
            ? blockDeflater!.compress(payload, into: output) : deflater!.compress(payload, into: output)
        return count.map { UnsafeBufferPointer(rebasing: output[..<$0]) }
    }
}
