/// Turns the bytes of one band into elements in place, with memory it keeps from band to band.
///
/// Only one thread uses one at a time.
final class BandDecoder {
    var inflater = Inflater()
    /// What was wrong with the band that was placed last.
    private(set) var failure: CodecError?
    private var packed = ScratchBuffer<UInt8>()
    private var planar = ScratchBuffer<UInt8>()
    private var levels = ScratchBuffer<UInt8>()
    private var contexts = ContextBandDecoder()

    /// Checks, decompresses, reconstructs and places a band, or notes its ``failure``.
    ///
    /// - Parameters:
    ///   - bytes: the whole band, record included; `record` was read and checked from it.
    ///   - seed: the checksum of the header.
    ///   - tensor: memory of the whole tensor, in `layout`.
    ///   - offset: where the band begins within the container.
    func place(
        _ bytes: UnsafeBufferPointer<UInt8>, record: BandRecord, header: TensorHeader, seed: UInt32,
        into tensor: UnsafeMutableBufferPointer<UInt8>, layout: TensorLayout, offset: Int
    ) {
        failure = nil
        do throws(CodecError) {
            try placeChecked(
                bytes, record: record, header: header, seed: seed, into: tensor, layout: layout, offset: offset)
        } catch {
            failure = error
        }
    }

    private func placeChecked(
        _ bytes: UnsafeBufferPointer<UInt8>, record: BandRecord, header: TensorHeader, seed: UInt32,
        into tensor: UnsafeMutableBufferPointer<UInt8>, layout: TensorLayout, offset: Int
    ) throws(CodecError) {
        let here = CodecError.Location(offset: offset, tensor: record.tensor, band: record.band)
        let payload = UnsafeBufferPointer(rebasing: bytes[ContainerFormat.bandRecordLength...])
        var reader = FieldReader(bytes, range: ContainerFormat.checkedBandLength..<ContainerFormat.bandRecordLength)
        let declared = try reader.read(UInt32.self, "band checksum")
        let recordSum = checksum(UnsafeBufferPointer(rebasing: bytes[..<ContainerFormat.checkedBandLength]), seed: seed)
        let computed = checksum(payload, seed: recordSum)
        guard declared == computed else {
            throw CodecError(
                .bandChecksumMismatch, "band", at: here, expected: hexadecimal(declared), got: hexadecimal(computed))
        }
        let geometry = header.geometry
        let isPlanar = geometry.isPlanar(layout)
        let elements = record.planes.lowerBound * geometry.planeSize..<record.planes.upperBound * geometry.planeSize
        precondition(elements.upperBound <= tensor.count, "the destination holds the tensor")

        if record.isByContext {
            let unpacked = try unpackedPayload(payload, record: record, at: here)
            try contexts.place(unpacked, planes: record.planes, header: header, into: tensor, layout: layout, at: here)
            return
        }
        if case .codes = header.coding {
            // Eight bits: the payload is the planes.
            if isPlanar {
                let target = UnsafeMutableBufferPointer(rebasing: tensor[elements])
                if record.isCompressed {
                    try inflater.decompress(payload, filling: target, at: here)
                } else {
                    _ = target.update(fromContentsOf: payload)
                }
                return
            }
            let planes = try unpackedPayload(payload, record: record, at: here)
            geometry.scatter(record.planes, from: planes.baseAddress!, toChannelsLast: tensor.baseAddress!)
            return
        }

        let symbols = try unpackedPayload(payload, record: record, at: here)
        if case .levels(let quantizer) = header.coding {
            let levels = try unpackedLevels(symbols, quantizer, header: header, planes: record.planes, at: here)
            reconstruct(
                record.planes, header: header, quantizer: quantizer, levels: levels, into: tensor, layout: layout)
            return
        }
        guard case .ranges(let ranges, let precision) = header.coding else { return }
        try checkPadding(symbols, precision, header: header, planes: record.planes, at: here)
        if isPlanar {
            _ = reconstruct(
                record.planes, header: header, ranges: ranges, precision, symbols: symbols, from: 0,
                to: tensor.baseAddress! + elements.lowerBound)
            return
        }
        var position = 0
        var plane = record.planes.lowerBound
        while plane < record.planes.upperBound {
            let step = plane..<min(plane + geometry.planesPerStep, record.planes.upperBound)
            let scratch = planar.reserve(step.count * geometry.planeSize)
            position = reconstruct(
                step, header: header, ranges: ranges, precision, symbols: symbols, from: position,
                to: scratch.baseAddress!)
            geometry.scatter(step, from: scratch.baseAddress!, toChannelsLast: tensor.baseAddress!)
            plane = step.upperBound
        }
    }

    /// The decompressed payload: the payload itself when it is raw.
    private func unpackedPayload(
        _ payload: UnsafeBufferPointer<UInt8>, record: BandRecord, at location: CodecError.Location
    ) throws(CodecError) -> UnsafeBufferPointer<UInt8> {
        guard record.isCompressed else { return payload }
        let output = packed.reserve(record.unpackedLength)
        try inflater.decompress(payload, filling: output, at: location)
        return UnsafeBufferPointer(output)
    }

    /// The unused symbols of the last byte are zero, so that a frame has one form.
    private func checkPadding(
        _ symbols: UnsafeBufferPointer<UInt8>, _ precision: Precision, header: TensorHeader, planes: Range<Int>,
        at location: CodecError.Location
    ) throws(CodecError) {
        let used = header.symbolCount(of: planes) % precision.symbolsPerByte
        guard used > 0, let last = symbols.last else { return }
        guard last >> UInt8(used * precision.bits) == 0 else {
            throw CodecError(
                .corruptPayload, "padding of the last byte", at: location, expected: "0", got: hexadecimal(last))
        }
    }

    /// The levels of a band, one byte each.
    private func unpackedLevels(
        _ symbols: UnsafeBufferPointer<UInt8>, _ quantizer: LevelQuantizer, header: TensorHeader, planes: Range<Int>,
        at location: CodecError.Location
    ) throws(CodecError) -> UnsafePointer<UInt8> {
        let count = header.symbolCount(of: planes)
        let perByte = LevelPacking.symbolsPerByte(levels: quantizer.levelCount)
        let output = levels.reserve(symbols.count * perByte + LevelPacking.expansionSlack)
        guard LevelPacking.unpack(symbols, levels: quantizer.levelCount, perByte: perByte, to: output.baseAddress!)
        else {
            throw CodecError(
                .corruptPayload, "packed levels", at: location, expected: "levels below \(quantizer.levelCount)",
                got: "more")
        }
        guard output[count..<symbols.count * perByte].allSatisfy({ $0 == 0 }) else {
            throw CodecError(.corruptPayload, "padding of the last byte", at: location, expected: "0", got: "a level")
        }
        return UnsafePointer(output.baseAddress!)
    }

    /// Turns levels into the codes of planes, in place.
    private func reconstruct(
        _ planes: Range<Int>, header: TensorHeader, quantizer: LevelQuantizer, levels: UnsafePointer<UInt8>,
        into tensor: UnsafeMutableBufferPointer<UInt8>, layout: TensorLayout
    ) {
        let geometry = header.geometry
        let isPlanar = geometry.isPlanar(layout)
        var input = levels
        var plane = planes.lowerBound
        while plane < planes.upperBound {
            let step = plane..<(isPlanar ? planes.upperBound : min(plane + geometry.planesPerStep, planes.upperBound))
            var target = tensor.baseAddress! + plane * geometry.planeSize
            if !isPlanar { target = planar.reserve(step.count * geometry.planeSize).baseAddress! }
            let first = UnsafePointer(target)
            for plane in step {
                let channel = plane % geometry.channelCount
                if quantizer.isSilent(channel: channel) {
                    let code = quantizer.codes[quantizer.row(ofChannel: channel) * quantizer.levelCount]
                    target.update(repeating: code, count: geometry.planeSize)
                } else {
                    quantizer.fillCodes(
                        target, of: input, count: geometry.planeSize, width: geometry.rowSize, channel: channel)
                    input += geometry.planeSize
                }
                target += geometry.planeSize
            }
            if !isPlanar { geometry.scatter(step, from: first, toChannelsLast: tensor.baseAddress!) }
            plane = step.upperBound
        }
    }

    /// Turns symbols into the codes of planes that lie one after another, from symbol position `start` on.
    ///
    /// - Returns: the symbol position after them.
    private func reconstruct(
        _ planes: Range<Int>, header: TensorHeader, ranges: ChannelRanges, _ precision: Precision,
        symbols: UnsafeBufferPointer<UInt8>, from start: Int, to codes: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let planeSize = header.geometry.planeSize
        let levels = precision.levelCount
        var position = start
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: levels) { table in
            let values = table.baseAddress!
            values.initialize(repeating: 0, count: levels)
            for plane in planes {
                let index = ranges.index(ofChannel: plane % header.geometry.channelCount)
                let target = codes + (plane - planes.lowerBound) * planeSize
                let lower = ranges.lower[index]
                let upper = ranges.upper[index]
                guard lower < upper else {
                    target.update(repeating: lower, count: planeSize)
                    continue
                }
                ChannelQuantizer.fillCodes(values, levels: levels, lower: lower, upper: upper)
                SymbolPacking.unpack(
                    symbols.baseAddress!, from: position, count: planeSize, through: values,
                    precision: precision, to: target)
                position += planeSize
            }
        }
        return position
    }
}
