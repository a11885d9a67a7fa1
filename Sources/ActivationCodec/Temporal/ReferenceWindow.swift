/// The sender's side of prediction on one connection, as a pure state machine: which frame the next may refer to.
///
/// A frame refers only to one that the receiver has answered, so a frame lost on the way harms no other; and only while the
/// receiver still keeps it, by the rule of ``ReferenceStore``. Everything else is a key frame: the first of a connection, every
/// so many, after a refusal, on request, and of another cut. A connection made anew, to the same server or another, has a
/// window of its own, which knows nothing.
package struct ReferenceWindow: Sendable {
    private let limits: ReferenceStore.Limits
    private let keyFrameInterval: Int
    private var cut: UInt32?
    /// Frames that were sent and not answered.
    private var pending: [UInt64: FrameReference] = [:]
    /// The newest frame that the receiver has decoded.
    private var decoded: FrameReference?
    /// Frames begun, of this cut, after `decoded`; ascending, and no more than tell that the receiver has dropped that.
    private var begun: [UInt64] = []
    private var framesSinceKey = 0
    private var isKeyWanted = false

    /// - Parameters:
    ///   - limits: the receiver's.
    ///   - keyFrameInterval: at least every so many frames one is a key frame; ≥ 1.
    package init(limits: ReferenceStore.Limits, keyFrameInterval: Int) {
        precondition(keyFrameInterval >= 1)
        self.limits = limits
        self.keyFrameInterval = keyFrameInterval
    }

    /// Decides how a frame is told, which is then on its way. Frames are begun in the order of their numbers.
    package mutating func begin(_ frame: UInt64, cut: UInt32) -> FramePrediction {
        if self.cut != cut {
            self.cut = cut
            pending = [:]
            decoded = nil
            begun = []
        }
        guard limits.maximumCount > 0, limits.maximumBytes > 0 else { return .independent }
        defer {
            begun.append(frame)
            if begun.count > limits.maximumCount { begun.removeFirst() }
        }
        guard let decoded, !isKeyWanted, framesSinceKey < keyFrameInterval - 1,
            begun.count < limits.count(ofFrames: decoded.byteCount)
        else {
            isKeyWanted = false
            framesSinceKey = 0
            return .key
        }
        framesSinceKey += 1
        return .difference(to: decoded)
    }

    /// A frame is encoded, and on its way with what later ones may refer to.
    package mutating func sent(_ reference: FrameReference, cut: UInt32) {
        guard self.cut == cut, begun.contains(reference.frameID) else { return }
        pending[reference.frameID] = reference
        if pending.count > limits.maximumCount, let oldest = pending.keys.min() { pending[oldest] = nil }
    }

    /// The receiver answered a frame, in whatever order: it has it decoded.
    package mutating func answered(_ frame: UInt64) {
        guard let reference = pending.removeValue(forKey: frame) else { return }
        if let decoded, decoded.frameID > frame { return }
        decoded = reference
        begun.removeAll { $0 <= frame }
        pending = pending.filter { $0.key > frame }
    }

    /// A frame was given up, or failed for a reason of its own: nobody refers to it.
    package mutating func dropped(_ frame: UInt64) {
        pending[frame] = nil
    }

    /// The receiver does not have what a frame referred to: the next begins anew.
    package mutating func refused(_ frame: UInt64) {
        pending = pending.filter { $0.key > frame }
        decoded = nil
    }

    /// The next frame is a key frame.
    package mutating func requestKeyFrame() {
        isKeyWanted = true
    }
}
