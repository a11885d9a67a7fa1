/// The frames that a receiver keeps for later ones to refer to: the newest of one cut, within limits.
///
/// Sender and receiver follow one rule: the newest `maximumCount` frames are kept, as far as their codes together take
/// no more than `maximumBytes`. So a sender that counts what it sent knows what is kept (``ReferenceWindow``).
package struct ReferenceStore: Sendable {
    package struct Limits: Sendable, Hashable {
        /// 0: nothing is kept.
        package var maximumCount: Int
        package var maximumBytes: Int

        package init(maximumCount: Int, maximumBytes: Int) {
            self.maximumCount = maximumCount
            self.maximumBytes = maximumBytes
        }

        /// How many frames of this size are kept.
        func count(ofFrames byteCount: Int) -> Int { min(maximumCount, maximumBytes / max(1, byteCount)) }
    }

    package let limits: Limits
    /// Oldest first.
    private var frames: [FrameReference] = []
    package private(set) var byteCount = 0

    package init(limits: Limits) {
        self.limits = limits
    }

    package var count: Int { frames.count }

    /// Keeps a frame; the oldest go.
    package mutating func insert(_ frame: FrameReference) {
        frames.append(frame)
        byteCount += frame.byteCount
        while frames.count > limits.maximumCount || byteCount > limits.maximumBytes, !frames.isEmpty {
            byteCount -= frames.removeFirst().byteCount
        }
    }

    package mutating func removeAll() {
        frames = []
        byteCount = 0
    }

    /// - Throws: `referenceUnavailable` when the frame is not kept, or is not what the sender means.
    func reference(_ frameID: UInt64, checksum: UInt32) throws(CodecError) -> FrameReference {
        guard let frame = frames.last(where: { $0.frameID == frameID }) else {
            throw CodecError(
                .referenceUnavailable, "reference",
                expected: frames.isEmpty ? "a key frame, as none is kept" : "one of frames \(frames.map(\.frameID))",
                got: "frame \(frameID)")
        }
        guard frame.checksum == checksum else {
            throw CodecError(
                .referenceUnavailable, "checksum of reference \(frameID)", expected: hexadecimal(frame.checksum),
                got: hexadecimal(checksum))
        }
        return frame
    }
}
