/// Encodes single bands of frames, with memory it keeps from band to band: compressors (268 KB) and scratch of a few bands.
///
/// Only one thread uses one at a time.
final class BandEncoder {
    /// One tensor under way.
    struct Plan {
        let source: TensorSource
        let header: TensorHeader
        /// First plane of each band, then the number of planes.
        let boundaries: [Int]
    }

    /// The band that was encoded last.
    private(set) var bytes: [UInt8] = []
    /// Why there is none.
    private(set) var failure: CodecError?
    private var deflater: Deflater?
    private var blockDeflater: BlockDeflater?
    private var contexts = ContextBandEncoder()
    private var planar = ScratchBuffer<UInt8>()
    private var levels = ScratchBuffer<UInt8>()
    private var packed = ScratchBuffer<UInt8>()
    private var compressed = ScratchBuffer<UInt8>()

    /// Encodes a band into ``bytes``.
    ///
    /// Fails with `zlibUnavailable` when there is no memory for a compressor.
    ///
    /// - Parameters:
    ///   - tensor: which of the frame the plan is of.
    ///   - seed: the checksum of the frame's header.
    func encode(_ plan: Plan, tensor: Int, band: Int, seed: UInt32) {
        bytes.removeAll(keepingCapacity: true)
        failure = nil
        do throws(CodecError) {
            try append(plan, tensor: tensor, band: band, seed: seed)
        } catch {
            failure = error
        }
    }

    private func append(_ plan: Plan, tensor: Int, band: Int, seed: UInt32) throws(CodecError) {
        let planes = plan.boundaries[band]..<plan.boundaries[band + 1]
        let compression = plan.source.compression
        try prepareDeflater(for: compression)
        func record(_ payload: UnsafeBufferPointer<UInt8>, isCompressed: Bool, isByContext: Bool, unpacked: Int) {
            BandRecord(
                tensor: tensor, band: band, planes: planes, isCompressed: isCompressed, isByContext: isByContext,
                payloadLength: payload.count, unpackedLength: unpacked
            ).append(to: &bytes, payload: payload, seed: seed)
        }
        try plan.source.withCodes { (codes) throws(CodecError) in
            let sorted = sortedPayload(of: planes, plan: plan, codes: codes)
            if let sorted, case .codes = plan.header.coding {
                record(sorted.bytes, isCompressed: true, isByContext: true, unpacked: sorted.unpackedLength)
                return
            }
            let unpacked = symbols(of: planes, plan: plan, codes: codes)
            let payload = compress(unpacked, compression)
            // Squares of few levels know their context too, and small bands are better off with them.
            if let sorted, sorted.bytes.count < (payload ?? unpacked).count {
                record(sorted.bytes, isCompressed: true, isByContext: true, unpacked: sorted.unpackedLength)
                return
            }
            record(
                payload ?? unpacked, isCompressed: payload != nil, isByContext: false, unpacked: unpacked.count)
        }
    }

    private func prepareDeflater(for compression: Compression) throws(CodecError) {
        switch compression {
        case .raw: break
        case .blocks, .contexts: if blockDeflater == nil { blockDeflater = BlockDeflater() }
        default: if deflater?.compression != compression { deflater = try Deflater(compression) }
        }
    }

    /// The band sorted by context, or nil where that is not asked for, not possible or no smaller.
    private func sortedPayload(
        of planes: Range<Int>, plan: Plan, codes: UnsafeBufferPointer<UInt8>
    ) -> ContextBandEncoder.Payload? {
        guard plan.source.compression == .contexts, plan.header.hasContexts else { return nil }
        return contexts.encode(
            planes, of: plan.header, codes: codes, layout: plan.source.layout, deflater: &blockDeflater!)
    }

    /// The uncompressed payload of a band: a part of the source itself where that is what it is, else scratch memory.
    private func symbols(
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
    private func quantize(
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

    /// The zlib stream of a payload, or nil when it would not be shorter.
    private func compress(
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
