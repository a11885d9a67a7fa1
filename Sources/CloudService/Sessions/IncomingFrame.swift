internal import ActivationCodec
internal import FoundationEssentials

/// Decodes one frame while its chunks arrive; reused for the frames of one cut.
///
/// Belongs to the task that reads the stream.
final class IncomingFrame {
    private enum Form {
        /// Too few bytes to tell.
        case unknown
        case plain
        case predicted
    }

    private let limits: DecodeLimits
    private let expected: [ExpectedTensor]
    private let loop: BandLoop
    private var form = Form.unknown
    private var beginning: [UInt8] = []
    private var decoder: FrameDecoder
    private var predicted: PredictedFrameDecoder
    private var frameID: UInt64
    private(set) var decodeTime: Duration = .zero
    private(set) var byteCount = 0

    /// - Throws: `CodecError` when zlib cannot be set up.
    init(frameID: UInt64, boundary: [BoundaryTensor], limits: DecodeLimits, loop: BandLoop) throws(CodecError) {
        self.frameID = frameID
        self.limits = limits
        self.loop = loop
        expected = boundary.map(\.expected)
        decoder = try FrameDecoder(limits: limits, expecting: expected, layout: .rowMajor, loop: loop)
        predicted = PredictedFrameDecoder(limits: limits, expecting: expected, loop: loop)
    }

    func reuse(for frameID: UInt64) {
        self.frameID = frameID
        decodeTime = .zero
        byteCount = 0
        form = .unknown
        beginning = []
        decoder.reset()
        predicted = PredictedFrameDecoder(limits: limits, expecting: expected, loop: loop)
    }

    /// Decodes whatever `payload` completes.
    /// - Parameter references: what a predicted frame may refer to.
    /// - Throws: the first thing wrong with the frame.
    func append(_ payload: Data, references: ReferenceStore) throws(CodecError) {
        let start = ContinuousClock.now
        defer { decodeTime += ContinuousClock.now - start }
        byteCount += payload.count
        if case .unknown = form {
            beginning += payload
            guard let isPredicted = PredictedFrameDecoder.accepts(beginning) else { return }
            form = isPredicted ? .predicted : .plain
            let bytes = beginning
            beginning = []
            try bytes.withUnsafeBufferPointer { (bytes) throws(CodecError) in try decode(bytes, references) }
        } else {
            try payload.bytes.withUnsafeBytes { (bytes) throws(CodecError) in
                try decode(bytes.bindMemory(to: UInt8.self), references)
            }
        }
    }

    private func decode(_ bytes: UnsafeBufferPointer<UInt8>, _ references: ReferenceStore) throws(CodecError) {
        if case .predicted = form {
            try predicted.append(bytes, references: references)
            try check(predicted.frameID)
            return
        }
        try decoder.append(bytes)
        while let event = try decoder.next() {
            if case .header(let header) = event { try check(header.frameID) }
        }
    }

    private func check(_ declared: UInt64?) throws(CodecError) {
        guard let declared, declared != frameID else { return }
        throw CodecError(
            .invalidField, "frame identifier in the container", expected: "\(frameID)", got: "\(declared)")
    }

    /// The boundary tensors' codes, row-major.
    /// - Parameter keep: takes what later frames may refer to, if this one is of that kind.
    /// - Throws: `CodecError.truncated` when bytes are missing, `referenceUnavailable` when the frame is not the edge's.
    func finish(keep: (FrameReference) -> Void) throws(CodecError) -> [[UInt8]] {
        if case .predicted = form {
            let start = ContinuousClock.now
            defer { decodeTime += ContinuousClock.now - start }
            let frame = try predicted.finish()
            keep(frame)
            return frame.codes
        }
        try decoder.finish()
        return decoder.takeTensors()
    }
}
