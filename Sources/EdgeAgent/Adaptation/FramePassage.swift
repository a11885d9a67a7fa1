/// When a frame's bytes left the edge and arrived in the cloud.
package struct FramePassage: Hashable, Sendable {
    package var bytes: Int
    package var firstChunkBytes: Int
    /// On the edge's clock: when the first chunk and the last were handed to the transport, and when the result was here.
    package var firstSent: ContinuousClock.Instant
    package var lastSent: ContinuousClock.Instant
    package var answered: ContinuousClock.Instant
    /// On the cloud's clock, of which only differences mean anything.
    package var receiveStart: Duration
    package var receiveEnd: Duration
    package var resultSent: Duration
    /// How long the frame waited in the cloud before it was computed.
    package var queue: Duration

    package init(
        bytes: Int, firstChunkBytes: Int, firstSent: ContinuousClock.Instant, lastSent: ContinuousClock.Instant,
        answered: ContinuousClock.Instant, receiveStart: Duration, receiveEnd: Duration, resultSent: Duration,
        queue: Duration
    ) {
        self.bytes = bytes
        self.firstChunkBytes = firstChunkBytes
        self.firstSent = firstSent
        self.lastSent = lastSent
        self.answered = answered
        self.receiveStart = receiveStart
        self.receiveEnd = receiveEnd
        self.resultSent = resultSent
        self.queue = queue
    }

    package init(
        bytes: Int, firstChunkBytes: Int, firstSent: ContinuousClock.Instant, lastSent: ContinuousClock.Instant,
        answered: ContinuousClock.Instant, result: CloudResult
    ) {
        self.init(
            bytes: bytes, firstChunkBytes: firstChunkBytes, firstSent: firstSent, lastSent: lastSent,
            answered: answered, receiveStart: result.receiveStart, receiveEnd: result.receiveEnd,
            resultSent: result.sent, queue: result.queue)
    }
}
