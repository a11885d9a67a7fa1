/// Codes bands by ``ContextOrder``, with memory it keeps from band to band.
struct ContextBandEncoder: ~Copyable {
    /// A compressed payload, valid until the next band.
    struct Payload {
        let bytes: UnsafeBufferPointer<UInt8>
        let unpackedLength: Int
    }

    private var field = SymbolField()
    private var quantizer = LaneQuantizer()
    private var sorter = ContextSorter()
    private var outside = ScratchBuffer<UInt8>()
    private var compressed = ScratchBuffer<UInt8>()

    /// - Parameter codes: the whole tensor in `layout` order.
    /// - Returns: nil when nothing is gained, or the band is too large for ``ContextOrder``.
    mutating func encode(
        _ planes: Range<Int>, of header: TensorHeader, codes: UnsafeBufferPointer<UInt8>, layout: TensorLayout,
        deflater: inout BlockDeflater
    ) -> Payload? {
        field.arrange(planes, of: header)
        guard (1...ContextOrder.maximumSymbols).contains(field.symbolCount), let tensor = codes.baseAddress else {
            return nil
        }
        let isPlanar = header.geometry.isPlanar(layout)
        let zeroPoint = header.signature.zeroPoint
        if case .levels(let levels) = header.coding {
            quantizer.arrange(levels, runs: field.runs, lanes: field.lanes, zeroPoint: zeroPoint)
            field.fillRowAbove(with: quantizer.outsideSymbols)
        } else {
            let outside = outside.reserve(field.lanes)
            outside.initialize(repeating: zeroPoint)
            field.fillRowAbove(with: outside.baseAddress!)
        }
        for row in 0..<field.height {
            field.fill(row: row, from: tensor, geometry: header.geometry, isPlanar: isPlanar)
            if case .levels = header.coding { quantizer.quantize(field.row(row), count: field.width) }
            field.fillLeft(ofRow: row)
            field.fillRight(ofRow: row)
        }
        let payload = sorter.sort(field, levels: header.levelCount)
        let output = compressed.reserve(payload.count - 1)
        guard let count = deflater.compress(payload, blockEnds: sorter.blockEnds, into: output) else { return nil }
        return Payload(bytes: UnsafeBufferPointer(rebasing: output[..<count]), unpackedLength: payload.count)
    }
}

/// Reads bands of ``ContextOrder``, with memory it keeps from band to band.
struct ContextBandDecoder: ~Copyable {
    private var field = SymbolField()
    private var quantizer = LaneQuantizer()
    private var collector = ContextCollector()
    private var outside = ScratchBuffer<UInt8>()

    /// Puts the planes of a band into a tensor; not one byte of it before the payload has proved right.
    ///
    /// - Parameters:
    ///   - payload: decompressed.
    ///   - tensor: memory of the whole tensor, in `layout`.
    /// - Throws: `corruptPayload`.
    mutating func place(
        _ payload: UnsafeBufferPointer<UInt8>, planes: Range<Int>, header: TensorHeader,
        into tensor: UnsafeMutableBufferPointer<UInt8>, layout: TensorLayout, at location: CodecError.Location
    ) throws(CodecError) {
        field.arrange(planes, of: header)
        let zeroPoint = header.signature.zeroPoint
        if case .levels(let levels) = header.coding {
            quantizer.arrange(levels, runs: field.runs, lanes: field.lanes, zeroPoint: zeroPoint)
            field.fillRowAbove(with: quantizer.outsideSymbols)
        } else {
            let outside = outside.reserve(field.lanes)
            outside.initialize(repeating: zeroPoint)
            field.fillRowAbove(with: outside.baseAddress!)
        }
        try collector.collect(payload, into: field, levels: header.levelCount, at: location)
        let isPlanar = header.geometry.isPlanar(layout)
        for row in 0..<field.height {
            if case .levels = header.coding { quantizer.reconstruct(field.row(row), count: field.width) }
            field.place(
                row: row, from: field.row(row), into: tensor.baseAddress!, geometry: header.geometry, isPlanar: isPlanar
            )
        }
        if case .levels(let levels) = header.coding {
            for plane in planes where levels.isSilent(channel: plane % header.geometry.channelCount) {
                let row = levels.row(ofChannel: plane % header.geometry.channelCount)
                header.geometry.fill(
                    plane: plane, with: levels.codes[row * levels.levelCount], of: tensor.baseAddress!,
                    isPlanar: isPlanar)
            }
        }
    }
}

extension PlaneGeometry {
    /// Sets all elements of a plane.
    func fill(plane: Int, with code: UInt8, of tensor: UnsafeMutablePointer<UInt8>, isPlanar: Bool) {
        if isPlanar {
            (tensor + plane * planeSize).update(repeating: code, count: planeSize)
            return
        }
        var element = tensor + channelsLastOffset(ofPlane: plane, pixel: 0)
        for _ in 0..<planeSize {
            element.pointee = code
            element += channelCount
        }
    }
}
