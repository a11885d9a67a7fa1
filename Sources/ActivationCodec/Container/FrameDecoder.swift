/// Decodes frames from bytes that arrive in pieces of any size.
///
/// A pure state machine: bytes go in with ``append(_:)``, events come out of ``next()``. Nothing that is declared is
/// believed before it is checked, and an element reaches its destination only after the checksum of its band held.
///
///     decoder.append(chunk)
///     while let event = try decoder.next() {
///         switch event {
///         case .header(let header): …      // here, optionally, decoder.setDestinations(…)
///         case .band(let tensor, let planes): …
///         case .finished: tensors = decoder.takeTensors()
///         }
///     }
///
/// The first error ends the frame: every later call throws it again, until ``reset()``.
package struct FrameDecoder: ~Copyable {
    package enum Event: Sendable, Hashable {
        /// The header is known; destinations may be set before the next call.
        case header(FrameHeader)
        /// These planes of this tensor are in place.
        case band(tensor: Int, planes: Range<Int>)
        /// All tensors are complete.
        case finished
    }

    private enum State {
        case header
        case record(tensor: Int, band: Int, plane: Int)
        /// The record, once read, is not read again however small the pieces are.
        case payload(BandRecord, offset: Int)
        case complete
        case finished
        case failed(CodecError)
    }

    private enum Destination {
        case own
        case given([UnsafeMutableBufferPointer<UInt8>])
    }

    /// The layout of decoded tensors.
    package let layout: TensorLayout
    private let limits: DecodeLimits
    private let expected: [ExpectedTensor]?

    private var state = State.header
    private var input: [UInt8] = []
    /// Bytes of `input` already decoded.
    private var consumed = 0
    /// Bytes of the container before `input`.
    private var discarded = 0
    package private(set) var header: FrameHeader?
    private var headerChecksum: UInt32 = 0
    private var destination = Destination.own
    private var own: [[UInt8]] = []
    private var bands = BandDecoder()

    /// - Parameters:
    ///   - expected: the tensors of the agreed cut; a frame of anything else is refused. Nil takes any frame.
    ///   - layout: the layout of decoded tensors.
    package init(
        limits: DecodeLimits = DecodeLimits(), expecting expected: [ExpectedTensor]? = nil,
        layout: TensorLayout = .rowMajor
    ) throws(CodecError) {
        self.limits = limits
        self.expected = expected
        self.layout = layout
    }

    /// Forgets the frame under way and waits for the next; memory is kept.
    package mutating func reset() {
        state = .header
        input.removeAll(keepingCapacity: true)
        consumed = 0
        discarded = 0
        header = nil
        destination = .own
        own = []
    }

    /// Whether ``next()`` reported `.finished`.
    package var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    // MARK: Input

    /// Takes in bytes.
    ///
    /// - Throws: `limitExceeded` when the container grows beyond the limit, `trailingBytes` after its end.
    package mutating func append(_ chunk: UnsafeBufferPointer<UInt8>) throws(CodecError) {
        if case .failed(let error) = state { throw error }
        guard !chunk.isEmpty else { return }
        let received = discarded + input.count
        if case .finished = state {
            throw fail(trailing(chunk.count, at: received))
        }
        guard chunk.count <= limits.maximumContainerBytes - received else {
            throw fail(
                CodecError(
                    .limitExceeded, "container length", at: .init(offset: received),
                    expected: "≤ \(limits.maximumContainerBytes)", got: "\(received + chunk.count) or more"))
        }
        if consumed > 0 {
            input.removeSubrange(..<consumed)
            discarded += consumed
            consumed = 0
        }
        input.append(contentsOf: chunk)
    }

    /// As the other, for an array.
    package mutating func append(_ chunk: [UInt8]) throws(CodecError) {
        try chunk.withUnsafeBufferPointer { (chunk) throws(CodecError) in try append(chunk) }
    }

    /// Says that no more bytes will come.
    ///
    /// - Throws: `truncated` when the frame is not complete. Call it once ``next()`` has returned nil or `.finished`.
    package mutating func finish() throws(CodecError) {
        switch state {
        case .finished: return
        case .failed(let error): throw error
        case .header:
            throw fail(truncated("header", .init(offset: discarded + input.count)))
        case .record(let tensor, let band, _):
            throw fail(truncated("band", .init(offset: discarded + input.count, tensor: tensor, band: band)))
        case .payload(let record, let offset):
            throw fail(truncated("band", .init(offset: offset, tensor: record.tensor, band: record.band)))
        case .complete:
            throw fail(truncated("events not taken", .init(offset: discarded + input.count)))
        }
    }

    // MARK: Output

    /// Gives memory to decode into instead of the decoder's own; allowed once, right after the `.header` event.
    ///
    /// - Parameter buffers: one per tensor, of as many bytes as it has elements; they must stay valid until `.finished`, an
    ///   error or ``reset()``. Their contents are unspecified unless `.finished` is reported.
    /// - Throws: `invalidArgument` when the buffers do not match the header.
    package mutating func setDestinations(_ buffers: [UnsafeMutableBufferPointer<UInt8>]) throws(CodecError) {
        guard case .record(0, 0, 0) = state, let header else {
            preconditionFailure("destinations are set right after the header event")
        }
        let counts = header.tensors.map(\.geometry.elementCount)
        guard buffers.map(\.count) == counts else {
            throw CodecError(
                .invalidArgument, "destinations", expected: "\(counts) bytes", got: "\(buffers.map(\.count))")
        }
        destination = .given(buffers)
    }

    /// The decoded tensors, if the decoder owns them and `.finished` was reported; the second call returns nothing.
    package mutating func takeTensors() -> [[UInt8]] {
        guard isFinished else { return [] }
        defer { own = [] }
        return own
    }

    /// Decodes until something is worth reporting.
    ///
    /// - Returns: nil when more bytes are needed, or after `.finished`.
    /// - Throws: the first thing wrong with the container.
    package mutating func next() throws(CodecError) -> Event? {
        do throws(CodecError) {
            switch state {
            case .header:
                return try readHeader()
            case .record(let tensor, let band, let plane):
                return try readRecord(tensor: tensor, band: band, plane: plane)
            case .payload(let record, let offset):
                return try readPayload(record, offset: offset)
            case .complete:
                guard consumed == input.count else {
                    throw trailing(input.count - consumed, at: discarded + consumed)
                }
                state = .finished
                return .finished
            case .finished: return nil
            case .failed(let error): throw error
            }
        } catch {
            throw fail(error)
        }
    }

    // MARK: States

    private mutating func readHeader() throws(CodecError) -> Event? {
        guard input.count >= ContainerFormat.prefixLength else { return nil }
        let parsed: (header: FrameHeader, length: Int)? = try input.withUnsafeBufferPointer {
            (bytes) throws(CodecError) in
            let length = try FrameHeader.length(fromPrefix: bytes, limits: limits)
            guard bytes.count >= length else { return nil }
            let header = try FrameHeader(
                parsing: UnsafeBufferPointer(rebasing: bytes[..<length]), limits: limits, expecting: expected,
                inflater: &bands.inflater)
            headerChecksum = checksum(
                UnsafeBufferPointer(rebasing: bytes[..<(length - ContainerFormat.checksumLength)]))
            return (header, length)
        }
        guard let parsed else { return nil }
        consumed = parsed.length
        header = parsed.header
        state = .record(tensor: 0, band: 0, plane: 0)
        return .header(parsed.header)
    }

    private mutating func readRecord(tensor: Int, band: Int, plane: Int) throws(CodecError) -> Event? {
        guard let header else { preconditionFailure("bands follow the header") }
        guard input.count - consumed >= ContainerFormat.bandRecordLength else { return nil }
        let offset = discarded + consumed
        let record = try input.withUnsafeBufferPointer { (bytes) throws(CodecError) in
            try BandRecord(
                parsing: UnsafeBufferPointer(rebasing: bytes[consumed...]), offset: offset, header: header,
                dueTensor: tensor, dueBand: band, duePlane: plane, limits: limits)
        }
        state = .payload(record, offset: offset)
        return try readPayload(record, offset: offset)
    }

    private mutating func readPayload(_ record: BandRecord, offset: Int) throws(CodecError) -> Event? {
        guard let header else { preconditionFailure("bands follow the header") }
        let length = ContainerFormat.bandRecordLength + record.payloadLength
        guard input.count - consumed >= length else { return nil }
        let tensor = record.tensor
        let tensorHeader = header.tensors[tensor]
        switch destination {
        case .given(let buffers):
            try place(record, of: tensorHeader, into: buffers[tensor], offset: offset)
        case .own:
            if record.band == 0 {
                // The limits allow it: the header was checked.
                own.append([UInt8](repeating: 0, count: tensorHeader.geometry.elementCount))
            }
            var memory: [UInt8] = []
            swap(&memory, &own[tensor])
            defer { swap(&memory, &own[tensor]) }
            try memory.withUnsafeMutableBufferPointer { (memory) throws(CodecError) in
                try place(record, of: tensorHeader, into: memory, offset: offset)
            }
        }
        consumed += length
        if record.planes.upperBound < tensorHeader.geometry.planeCount {
            state = .record(tensor: tensor, band: record.band + 1, plane: record.planes.upperBound)
        } else if tensor + 1 < header.tensors.count {
            state = .record(tensor: tensor + 1, band: 0, plane: 0)
        } else {
            state = .complete
        }
        return .band(tensor: tensor, planes: record.planes)
    }

    private mutating func place(
        _ record: BandRecord, of header: TensorHeader, into destination: UnsafeMutableBufferPointer<UInt8>, offset: Int
    ) throws(CodecError) {
        try input.withUnsafeBufferPointer { (bytes) throws(CodecError) in
            let length = ContainerFormat.bandRecordLength + record.payloadLength
            try bands.place(
                UnsafeBufferPointer(rebasing: bytes[consumed..<consumed + length]), record: record, header: header,
                seed: headerChecksum, into: destination, layout: layout, offset: offset)
        }
    }

    // MARK: Failure

    private mutating func fail(_ error: CodecError) -> CodecError {
        state = .failed(error)
        return error
    }

    private func trailing(_ count: Int, at offset: Int) -> CodecError {
        CodecError(
            .trailingBytes, "bytes after the last band", at: .init(offset: offset), expected: "0", got: "\(count)")
    }

    private func truncated(_ what: String, _ location: CodecError.Location) -> CodecError {
        CodecError(.truncated, what, at: location, expected: "more bytes", got: "the end")
    }
}
