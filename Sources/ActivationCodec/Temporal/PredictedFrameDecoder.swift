/// Decodes predicted frames from bytes that arrive in pieces of any size; see ``PredictedFrameFormat``.
///
/// A pure state machine beside ``FrameDecoder``: what a frame refers to is looked up in the ``ReferenceStore`` when its prefix
/// is complete, and a frame whose reference is not there, or is another, fails before anything is decoded.
package struct PredictedFrameDecoder: ~Copyable {
    private enum State {
        case prefix
        case container
        case failed(CodecError)
    }

    private let limits: DecodeLimits
    private let expected: [ExpectedTensor]
    private let loop: BandLoop
    private var state = State.prefix
    private var input: [UInt8] = []
    private var prefix: PredictedFramePrefix?
    private var reference: FrameReference?
    private var maps: [UInt8] = []
    /// Planes marked as changed, by tensor.
    private var changedCounts: [Int] = []
    private var decoder: FrameDecoder?

    /// - Parameters:
    ///   - expected: the tensors of the agreed cut.
    ///   - loop: as many bands are decoded at once as it is wide.
    package init(
        limits: DecodeLimits = DecodeLimits(), expecting expected: [ExpectedTensor], loop: BandLoop = .serial
    ) {
        self.limits = limits
        self.expected = expected
        self.loop = loop
    }

    /// Whether a frame that begins so is one for this decoder; nil while there are too few bytes to tell.
    package static func accepts(_ beginning: [UInt8]) -> Bool? {
        guard beginning.count >= MemoryLayout<UInt32>.size else { return nil }
        return beginning.withUnsafeBytes {
            UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) == PredictedFrameFormat.magic
        }
    }

    /// Known once the prefix is.
    package var frameID: UInt64? { prefix?.frameID }

    /// Takes in bytes and decodes what they complete.
    ///
    /// - Throws: the first thing wrong; `referenceUnavailable` when `references` lacks what the frame refers to. The first
    ///   error ends the frame.
    package mutating func append(
        _ chunk: UnsafeBufferPointer<UInt8>, references: ReferenceStore
    ) throws(CodecError) {
        do throws(CodecError) {
            switch state {
            case .prefix:
                guard chunk.count <= limits.maximumContainerBytes - input.count else {
                    throw CodecError(
                        .limitExceeded, "length of a predicted frame", expected: "≤ \(limits.maximumContainerBytes)",
                        got: "more")
                }
                input.append(contentsOf: chunk)
                try readPrefix(references)
            case .container: try decode(chunk)
            case .failed(let error): throw error
            }
        } catch {
            state = .failed(error)
            throw error
        }
    }

    /// The frame's tensors, and what later frames may refer to.
    ///
    /// - Throws: `truncated` when bytes are missing; `referenceUnavailable` when the frame is not what the sender has, though
    ///   its bytes are as sent.
    package mutating func finish() throws(CodecError) -> FrameReference {
        if case .failed(let error) = state { throw error }
        guard case .container = state, let prefix else {
            throw CodecError(.truncated, "predicted frame", expected: "more bytes", got: "the end")
        }
        var header: FrameHeader?
        var tensors: [[UInt8]] = []
        if var container = decoder.take() {
            try container.finish()
            header = container.header
            tensors = container.takeTensors()
        }
        let frame: FrameReference
        if let reference {
            var codes = reference.codes
            apply(tensors, to: &codes, headers: reference.tensors)
            frame = FrameReference(frameID: prefix.frameID, tensors: reference.tensors, codes: codes)
        } else if let header {
            frame = FrameReference(frameID: prefix.frameID, tensors: header.tensors, codes: tensors)
        } else {
            throw CodecError(.truncated, "key frame", expected: "a container", got: "the end")
        }
        guard frame.checksum == prefix.checksum else {
            throw CodecError(
                .referenceUnavailable, "checksum of the decoded frame", expected: hexadecimal(prefix.checksum),
                got: hexadecimal(frame.checksum))
        }
        return frame
    }

    private mutating func readPrefix(_ references: ReferenceStore) throws(CodecError) {
        guard input.count >= PredictedFrameFormat.prefixLength else { return }
        let parsed: PredictedFramePrefix = try input.withUnsafeBufferPointer { (bytes) throws(CodecError) in
            try PredictedFramePrefix(parsing: bytes, limits: limits)
        }
        let checked = PredictedFrameFormat.prefixLength + parsed.mapLength
        let end = checked + PredictedFrameFormat.checksumLength
        guard input.count >= end else { return }
        try input.withUnsafeBufferPointer { (bytes) throws(CodecError) in
            var trailer = FieldReader(bytes, range: checked..<end)
            let declared = try trailer.read(UInt32.self, "prefix checksum")
            let computed = checksum(UnsafeBufferPointer(rebasing: bytes[..<checked]))
            guard declared == computed else {
                throw CodecError(
                    .headerChecksumMismatch, "predicted frame", at: .init(offset: checked),
                    expected: hexadecimal(declared), got: hexadecimal(computed))
            }
        }
        prefix = parsed
        state = .container
        if let named = parsed.reference {
            reference = try references.reference(named.frameID, checksum: named.checksum)
            maps = Array(input[PredictedFrameFormat.prefixLength..<checked])
            try readMaps()
        } else {
            decoder = try FrameDecoder(limits: limits, expecting: expected, layout: .rowMajor, loop: loop)
        }
        let rest = Array(input[end...])
        input = []
        try rest.withUnsafeBufferPointer { (rest) throws(CodecError) in try decode(rest) }
    }

    /// Checks the plane maps and prepares for the tensors that have changed planes.
    private mutating func readMaps() throws(CodecError) {
        guard let reference else { return }
        let lengths = reference.tensors.map { PredictedFrameFormat.mapLength(planes: $0.geometry.planeCount) }
        guard maps.count == lengths.reduce(0, +) else {
            throw CodecError(
                .inconsistentLength, "plane maps", at: .init(offset: 32), expected: "\(lengths.reduce(0, +)) bytes",
                got: "\(maps.count)")
        }
        var start = 0
        var changed: [ExpectedTensor] = []
        for (index, header) in reference.tensors.enumerated() {
            let symbols = try PlaneSymbols(header, at: .init(tensor: index))
            var count = 0
            for plane in 0..<lengths[index] * 4 {
                let mark = Self.mark(maps, start, plane)
                guard mark <= 2, mark == 0 || plane < header.geometry.planeCount else {
                    throw CodecError(
                        .invalidField, "plane map", at: .init(tensor: index), expected: "0, 1 or 2 for a plane",
                        got: "\(mark) for plane \(plane)")
                }
                if mark != 0 { count += 1 }
            }
            start += lengths[index]
            changedCounts.append(count)
            guard count > 0 else { continue }
            var tensor = ExpectedTensor(header.signature(ofPlanes: count))
            if case .agreed(let identity) = symbols.coding { tensor.agreedQuantizers = [identity] }
            changed.append(tensor)
        }
        if !changed.isEmpty {
            decoder = try FrameDecoder(limits: limits, expecting: changed, layout: .rowMajor, loop: loop)
        }
    }

    private static func mark(_ maps: [UInt8], _ start: Int, _ plane: Int) -> UInt8 {
        maps[start + plane / 4] >> UInt8(plane % 4 * 2) & 3
    }

    private mutating func decode(_ chunk: UnsafeBufferPointer<UInt8>) throws(CodecError) {
        guard decoder != nil else {
            guard chunk.isEmpty else {
                throw CodecError(
                    .trailingBytes, "bytes after a frame without changes", expected: "0", got: "\(chunk.count)")
            }
            return
        }
        try decoder!.append(chunk)
        while let event = try decoder!.next() {
            guard case .header(let header) = event, let prefix else { continue }
            guard header.frameID == prefix.frameID else {
                throw CodecError(
                    .invalidField, "frame identifier in the container", expected: "\(prefix.frameID)",
                    got: "\(header.frameID)")
            }
            try check(header)
        }
    }

    /// A key frame must be coded in symbols that keep their meaning; a difference in those of its reference.
    private func check(_ header: FrameHeader) throws(CodecError) {
        guard let reference else {
            for (index, tensor) in header.tensors.enumerated() {
                _ = try PlaneSymbols(tensor, at: .init(tensor: index))
            }
            return
        }
        let changed = zip(reference.tensors, changedCounts).filter { $1 > 0 }.map(\.0)
        for (index, tensor) in header.tensors.enumerated() {
            let levels = try PlaneSymbols(changed[index]).levels
            let isIdentity: Bool
            switch tensor.coding {
            case .codes: isIdentity = levels == 256
            case .levels(let quantizer): isIdentity = quantizer == PlaneSymbols.identity(levels: quantizer.levelCount)
            case .ranges: isIdentity = false
            }
            guard isIdentity, tensor.levelCount == levels else {
                throw CodecError(
                    .cutMismatch, "symbols of a difference", at: .init(tensor: index), expected: "\(levels) levels",
                    got: "\(tensor.levelCount) levels")
            }
        }
    }

    /// - Parameter tensors: symbols of the changed planes of those tensors that have some.
    private func apply(_ tensors: [[UInt8]], to codes: inout [[UInt8]], headers: [TensorHeader]) {
        var next = tensors.makeIterator()
        var start = 0
        for (index, header) in headers.enumerated() {
            let geometry = header.geometry
            defer { start += PredictedFrameFormat.mapLength(planes: geometry.planeCount) }
            guard changedCounts[index] > 0, let changed = next.next(), let symbols = try? PlaneSymbols(header) else {
                continue
            }
            changed.withUnsafeBufferPointer { changed in
                codes[index].withUnsafeMutableBufferPointer { codes in
                    var input = changed.baseAddress!
                    for plane in 0..<geometry.planeCount {
                        let mark = Self.mark(maps, start, plane)
                        guard mark != PredictedFrameFormat.Plane.unchanged.rawValue else { continue }
                        symbols.apply(
                            input, to: codes.baseAddress! + plane * geometry.planeSize,
                            isAnew: mark == PredictedFrameFormat.Plane.anew.rawValue, count: geometry.planeSize,
                            channel: plane % geometry.channelCount)
                        input += geometry.planeSize
                    }
                }
            }
        }
    }
}
