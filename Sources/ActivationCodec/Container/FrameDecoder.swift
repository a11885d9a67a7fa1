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
        case bands(due: DueBand)
        case complete
        case finished
        case failed(CodecError)
    }

    /// The band that comes next.
    private struct DueBand {
        var tensor = 0
        var band = 0
        var plane = 0
        /// Once read, it is not read again however small the pieces are.
        var record: BandRecord?
    }

    private enum Destination {
        case own
        case given([UnsafeMutableBufferPointer<UInt8>])
    }

    /// The layout of decoded tensors.
    package let layout: TensorLayout
    private let limits: DecodeLimits
    private let expected: [ExpectedTensor]?
    private let loop: BandLoop

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
    /// As many as were needed at once, and at least one.
    private var decoders = [BandDecoder()]
    /// Bands in place that were not reported yet.
    private var placed: ArraySlice<Event> = []
    /// What is wrong with the band after those.
    private var failure: CodecError?

    /// - Parameters:
    ///   - expected: the tensors of the agreed cut; a frame of anything else is refused. Nil takes any frame.
    ///   - layout: the layout of decoded tensors.
    ///   - loop: as many bands of a tensor as it is wide are decoded at once, where they are there. Results do not depend on it.
    package init(
        limits: DecodeLimits = DecodeLimits(), expecting expected: [ExpectedTensor]? = nil,
        layout: TensorLayout = .rowMajor, loop: BandLoop = .serial
    ) throws(CodecError) {
        self.limits = limits
        self.expected = expected
        self.layout = layout
        self.loop = loop
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
        placed = []
        failure = nil
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
        case .bands(let due):
            let offset = discarded + (due.record == nil ? input.count : consumed)
            throw fail(truncated("band", .init(offset: offset, tensor: due.tensor, band: due.band)))
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
        guard case .bands(let due) = state, due.tensor == 0, due.band == 0, let header else {
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
            if let event = placed.popFirst() { return event }
            if let failure { throw failure }
            switch state {
            case .header:
                return try readHeader()
            case .bands(let due):
                return try readBands(due)
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
                inflater: &decoders[0].inflater)
            headerChecksum = checksum(
                UnsafeBufferPointer(rebasing: bytes[..<(length - ContainerFormat.checksumLength)]))
            return (header, length)
        }
        guard let parsed else { return nil }
        consumed = parsed.length
        header = parsed.header
        state = .bands(due: DueBand())
        return .header(parsed.header)
    }

    /// Decodes the bands that are there, of one tensor and as many as the loop is wide.
    private mutating func readBands(_ first: DueBand) throws(CodecError) -> Event? {
        guard let header else { preconditionFailure("bands follow the header") }
        var due = first
        var end = consumed
        var found: [FoundBand] = []
        let planeCount = header.tensors[first.tensor].geometry.planeCount
        while found.count < loop.width, due.plane < planeCount {
            do throws(CodecError) {
                if due.record == nil { due.record = try record(of: due, at: end, header) }
                guard let record = due.record else { break }
                let length = ContainerFormat.bandRecordLength + record.payloadLength
                guard input.count - end >= length else { break }
                found.append(FoundBand(record: record, bytes: end..<end + length))
                end += length
                due = DueBand(tensor: due.tensor, band: due.band + 1, plane: record.planes.upperBound)
            } catch {
                // It comes up again when it is its turn.
                guard !found.isEmpty else { throw error }
                break
            }
        }
        state = .bands(due: due)
        guard !found.isEmpty else { return nil }
        place(found, of: first.tensor, header: header.tensors[first.tensor])
        consumed = end
        if due.plane == planeCount {
            let isLast = first.tensor + 1 == header.tensors.count
            state = isLast ? .complete : .bands(due: DueBand(tensor: first.tensor + 1))
        }
        if let event = placed.popFirst() { return event }
        if let failure { throw failure }
        return nil
    }

    private func record(of due: DueBand, at position: Int, _ header: FrameHeader) throws(CodecError) -> BandRecord? {
        guard input.count - position >= ContainerFormat.bandRecordLength else { return nil }
        return try input.withUnsafeBufferPointer { (bytes) throws(CodecError) in
            try BandRecord(
                parsing: UnsafeBufferPointer(rebasing: bytes[position...]), offset: discarded + position,
                header: header,
                dueTensor: due.tensor, dueBand: due.band, duePlane: due.plane, limits: limits)
        }
    }

    /// Puts bands of a tensor in place; notes them in `placed`, up to the first that is wrong, and its `failure`.
    private mutating func place(_ found: [FoundBand], of tensor: Int, header: TensorHeader) {
        switch destination {
        case .given(let buffers): place(found, of: header, into: buffers[tensor])
        case .own:
            if tensor == own.count {
                // The limits allow it: the header was checked.
                own.append([UInt8](repeating: 0, count: header.geometry.elementCount))
            }
            var memory: [UInt8] = []
            swap(&memory, &own[tensor])
            defer { swap(&memory, &own[tensor]) }
            memory.withUnsafeMutableBufferPointer { place(found, of: header, into: $0) }
        }
    }

    private mutating func place(
        _ found: [FoundBand], of header: TensorHeader, into tensor: UnsafeMutableBufferPointer<UInt8>
    ) {
        while decoders.count < found.count { decoders.append(BandDecoder()) }
        input.withUnsafeBufferPointer { input in
            let work = Work(
                bands: found, decoders: decoders, header: header, seed: headerChecksum, layout: layout,
                discarded: discarded, input: input, tensor: tensor)
            loop(found.count) { work.place($0) }
        }
        for (band, decoder) in zip(found, decoders) {
            failure = decoder.failure
            guard failure == nil else { return }
            placed.append(.band(tensor: band.record.tensor, planes: band.record.planes))
        }
    }

    /// A band that is all there.
    private struct FoundBand {
        let record: BandRecord
        /// Of `input`.
        let bytes: Range<Int>
    }

    /// `@unchecked Sendable` invariant: each index has a decoder and planes of its own; input is only read.
    private struct Work: @unchecked Sendable {
        let bands: [FoundBand]
        let decoders: [BandDecoder]
        let header: TensorHeader
        let seed: UInt32
        let layout: TensorLayout
        let discarded: Int
        let input: UnsafeBufferPointer<UInt8>
        let tensor: UnsafeMutableBufferPointer<UInt8>

        func place(_ index: Int) {
            let bytes = bands[index].bytes
            decoders[index].place(
                UnsafeBufferPointer(rebasing: input[bytes]), record: bands[index].record, header: header, seed: seed,
                into: tensor, layout: layout, offset: discarded + bytes.lowerBound)
        }
    }

    // MARK: Failure

    private mutating func fail(_ error: CodecError) -> CodecError {
        state = .failed(error)
        placed = []
        failure = nil
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
