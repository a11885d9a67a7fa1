package import ActivationCodec

/// What the encoder of one frame is told by the connection.
package struct FrameTerms: Sendable {
    package let frameID: UInt64
    /// Checksums of the level quantisers that the cloud holds for the cut; others travel in the frame.
    package let heldQuantizers: Set<UInt32>
    /// Whether the frame may be told as changes to another.
    package let prediction: FramePrediction

    package init(frameID: UInt64, heldQuantizers: Set<UInt32> = [], prediction: FramePrediction = .independent) {
        self.frameID = frameID
        self.heldQuantizers = heldQuantizers
        self.prediction = prediction
    }
}

/// Hands on a frame's bytes, piece by piece, and returns what a later frame may refer to.
package typealias FrameEncoding =
    @Sendable (_ terms: FrameTerms, _ emit: ([UInt8]) -> Void) throws -> FrameReference?
