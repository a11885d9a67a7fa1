internal import ActivationCodec
internal import FoundationEssentials

/// Decodes one frame while its chunks arrive; reused for the frames of one cut.
///
/// Belongs to the task that reads the stream.
final class IncomingFrame {
    private var decoder: FrameDecoder
    private var frameID: UInt64
    private(set) var decodeTime: Duration = .zero
    private(set) var byteCount = 0

    /// - Throws: `CodecError` when zlib cannot be set up.
    init(frameID: UInt64, boundary: [BoundaryTensor], limits: DecodeLimits) throws(CodecError) {
        self.frameID = frameID
        decoder = try FrameDecoder(limits: limits, expecting: boundary.map(\.expected), layout: .rowMajor)
    }

    func reuse(for frameID: UInt64) {
        self.frameID = frameID
        decodeTime = .zero
        byteCount = 0
        decoder.reset()
    }

    /// Decodes whatever `payload` completes.
    /// - Throws: the first thing wrong with the container.
    func append(_ payload: Data) throws(CodecError) {
        let start = ContinuousClock.now
        defer { decodeTime += ContinuousClock.now - start }
        byteCount += payload.count
        try payload.bytes.withUnsafeBytes { (bytes) throws(CodecError) in
            try decoder.append(bytes.bindMemory(to: UInt8.self))
        }
        while let event = try decoder.next() {
            if case .header(let header) = event, header.frameID != frameID {
                throw CodecError(
                    .invalidField, "frame identifier in the container", expected: "\(frameID)", got: "\(header.frameID)")
            }
        }
    }

    /// The boundary tensors' codes, row-major.
    /// - Throws: `CodecError.truncated` when bytes are missing.
    func finish() throws(CodecError) -> [[UInt8]] {
        try decoder.finish()
        return decoder.takeTensors()
    }
}
