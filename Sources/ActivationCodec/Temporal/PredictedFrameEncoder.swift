/// Writes predicted frames, see ``PredictedFrameFormat``.
package struct PredictedFrameEncoder: ~Copyable {
    private var encoder: FrameEncoder
    private var planar = ScratchBuffer<UInt8>()

    /// - Parameter loop: as many bands are encoded at once as it is wide.
    package init(loop: BandLoop = .serial) { encoder = FrameEncoder(loop: loop) }

    /// Encodes a frame as what changed since `reference`, or as a key frame where there is none, where the coding is another,
    /// or where that is smaller.
    ///
    /// - Returns: the bytes, and what a later frame may refer to once the receiver has decoded this one.
    /// - Throws: as ``FrameEncoder/begin(frameID:tensors:)``; `invalidArgument` for clip ranges, whose symbols change their
    ///   meaning from frame to frame.
    package mutating func encode(
        frameID: UInt64, tensors: [TensorSource], reference: FrameReference?
    ) throws(CodecError) -> (bytes: [UInt8], reference: FrameReference) {
        var container = try encoder.begin(frameID: frameID, tensors: tensors)
        let headers = encoder.tensorHeaders
        var symbols: [PlaneSymbols] = []
        for (index, header) in headers.enumerated() {
            symbols.append(try PlaneSymbols(header, at: .init(tensor: index)))
        }
        var codes: [[UInt8]] = []
        for (source, header) in zip(tensors, headers) { codes.append(try quantizedCodes(of: source, header)) }
        let compressions = tensors.map(\.compression)
        if let reference, reference.isCoded(as: headers) {
            let this = FrameReference(
                frameID: frameID, tensors: headers, codes: codes, keyFrameByteCount: reference.keyFrameByteCount)
            let bytes = try difference(this, reference, symbols, compressions)
            if bytes.count * 2 < reference.keyFrameByteCount { return (bytes, this) }
            // Much has changed: perhaps a key frame is smaller now.
            container = try encoder.begin(frameID: frameID, tensors: tensors)
            let key = try keyFrame(container, headers: headers, codes: codes, frameID: frameID)
            return key.bytes.count <= bytes.count ? key : (bytes, this)
        }
        return try keyFrame(container, headers: headers, codes: codes, frameID: frameID)
    }

    /// - Parameter container: its header; the encoder has its bands.
    private mutating func keyFrame(
        _ container: [UInt8], headers: [TensorHeader], codes: [[UInt8]], frameID: UInt64
    ) throws(CodecError) -> (bytes: [UInt8], reference: FrameReference) {
        let plain = FrameReference(frameID: frameID, tensors: headers, codes: codes)
        var bytes: [UInt8] = []
        PredictedFramePrefix(frameID: frameID, reference: nil, checksum: plain.checksum, mapLength: 0)
            .append(to: &bytes)
        bytes.appendLittleEndian(bytes.withUnsafeBufferPointer { checksum($0) })
        bytes += container
        while try encoder.appendNextBand(to: &bytes) {}
        let reference = FrameReference(
            frameID: frameID, tensors: headers, codes: codes, keyFrameByteCount: bytes.count)
        return (bytes, reference)
    }

    private mutating func difference(
        _ this: FrameReference, _ reference: FrameReference, _ symbols: [PlaneSymbols], _ compressions: [Compression]
    ) throws(CodecError) -> [UInt8] {
        var maps: [UInt8] = []
        var changed: [TensorSource] = []
        for (index, header) in this.tensors.enumerated() {
            let planes = changedPlanes(header.geometry, symbols[index], this.codes[index], reference.codes[index])
            maps += planes.map
            guard planes.count > 0 else { continue }
            changed.append(
                TensorSource(
                    header.signature(ofPlanes: planes.count), layout: .rowMajor, coding: symbols[index].coding,
                    compression: compressions[index], codes: planes.symbols))
        }
        var bytes: [UInt8] = []
        PredictedFramePrefix(
            frameID: this.frameID, reference: (reference.frameID, reference.checksum), checksum: this.checksum,
            mapLength: maps.count
        ).append(to: &bytes)
        bytes += maps
        bytes.appendLittleEndian(bytes.withUnsafeBufferPointer { checksum($0) })
        guard !changed.isEmpty else { return bytes }
        bytes += try encoder.begin(frameID: this.frameID, tensors: changed)
        while try encoder.appendNextBand(to: &bytes) {}
        return bytes
    }

    /// The symbols of the planes that differ, one plane after another, and the plane map.
    private func changedPlanes(
        _ geometry: PlaneGeometry, _ symbols: PlaneSymbols, _ codes: [UInt8], _ reference: [UInt8]
    ) -> (map: [UInt8], symbols: [UInt8], count: Int) {
        var map = [UInt8](repeating: 0, count: PredictedFrameFormat.mapLength(planes: geometry.planeCount))
        var output: [UInt8] = []
        var count = 0
        let size = geometry.planeSize
        var difference = [UInt8](repeating: 0, count: size)
        var anew = difference
        codes.withUnsafeBufferPointer { codes in
            reference.withUnsafeBufferPointer { reference in
                for plane in 0..<geometry.planeCount {
                    let this = codes.baseAddress! + plane * size
                    let other = reference.baseAddress! + plane * size
                    let range = plane * size..<(plane + 1) * size
                    if codes[range].elementsEqual(reference[range]) { continue }
                    let channel = plane % geometry.channelCount
                    difference.withUnsafeMutableBufferPointer {
                        symbols.fill($0.baseAddress!, of: this, reference: other, count: size, channel: channel)
                    }
                    anew.withUnsafeMutableBufferPointer {
                        symbols.fill($0.baseAddress!, of: this, reference: nil, count: size, channel: channel)
                    }
                    let isAnew = Self.concentration(anew) > Self.concentration(difference)
                    let kind = isAnew ? PredictedFrameFormat.Plane.anew : .difference
                    map[plane / 4] |= kind.rawValue << UInt8(plane % 4 * 2)
                    output += isAnew ? anew : difference
                    count += 1
                }
            }
        }
        return (map, output, count)
    }

    /// Σ n² over the symbols' counts: the greater, the fewer bits they take (their collision entropy is less).
    private static func concentration(_ symbols: [UInt8]) -> Int {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { counts in
            counts.initialize(repeating: 0)
            for symbol in symbols { counts[Int(symbol)] &+= 1 }
            return counts.reduce(0) { $0 &+ $1 &* $1 }
        }
    }

    /// What the receiver of a tensor ends with, row-major.
    private mutating func quantizedCodes(of source: TensorSource, _ header: TensorHeader) throws(CodecError) -> [UInt8]
    {
        let geometry = header.geometry
        let isPlanar = geometry.isPlanar(source.layout)
        let scratch = planar.reserve(isPlanar ? 0 : geometry.elementCount)
        return try source.withCodes { (codes) throws(CodecError) in
            var input = codes.baseAddress!
            if !isPlanar {
                geometry.gather(0..<geometry.planeCount, fromChannelsLast: input, to: scratch.baseAddress!)
                input = UnsafePointer(scratch.baseAddress!)
            }
            guard case .levels(let quantizer) = header.coding else {
                return Array(UnsafeBufferPointer(start: input, count: geometry.elementCount))
            }
            let received = quantizer.receivedCodes
            return [UInt8](unsafeUninitializedCapacity: geometry.elementCount) { output, count in
                for plane in 0..<geometry.planeCount {
                    let row = quantizer.row(ofChannel: plane % geometry.channelCount) << 8
                    for index in plane * geometry.planeSize..<(plane + 1) * geometry.planeSize {
                        output[index] = received[row | Int(input[index])]
                    }
                }
                count = geometry.elementCount
            }
        }
    }
}

extension FrameReference {
    /// Whether tensors are of the same kind and coding, so that symbols mean the same.
    fileprivate func isCoded(as headers: [TensorHeader]) -> Bool {
        tensors.count == headers.count
            && zip(tensors, headers).allSatisfy { $0.signature == $1.signature && $0.coding == $1.coding }
    }
}

extension TensorHeader {
    /// What the container of a difference says of some planes of this tensor.
    func signature(ofPlanes count: Int) -> TensorSignature {
        TensorSignature(
            shape: [1, count, geometry.planeSize / geometry.rowSize, geometry.rowSize], scale: signature.scale,
            zeroPoint: 0)
    }
}

extension LevelQuantizer {
    /// By channel (or once), 256 each: what a code is received as.
    fileprivate var receivedCodes: [UInt8] {
        var received = [UInt8](repeating: 0, count: channelCount << 8)
        for channel in 0..<channelCount {
            var level = 0
            for code in 0..<256 {
                while level < levelCount - 1, Int(thresholds[channel * (levelCount - 1) + level]) <= code { level += 1 }
                received[channel << 8 | code] = codes[channel * levelCount + level]
            }
        }
        return received
    }
}
