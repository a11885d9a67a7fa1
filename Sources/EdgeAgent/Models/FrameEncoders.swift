internal import ActivationCodec
private import Synchronization

/// Encoders that keep their memory from picture to picture; as many as there were ever frames under way at a time.
final class FrameEncoders: Sendable {
    let loop: BandLoop
    private let idle = Mutex<[Holder]>([])

    /// `@unchecked Sendable` invariant: whoever took it out of `idle` has it alone.
    private final class Holder: @unchecked Sendable {
        var encoder: FrameEncoder

        init(loop: BandLoop) { encoder = FrameEncoder(loop: loop) }
    }

    init(loop: BandLoop) { self.loop = loop }

    func withEncoder(_ body: (inout FrameEncoder) throws(CodecError) -> Void) throws(CodecError) {
        let holder = idle.withLock { $0.popLast() } ?? Holder(loop: loop)
        defer { idle.withLock { $0.append(holder) } }
        try body(&holder.encoder)
    }
}
