/// Where a frame's time in the cloud went.
package struct FrameTimes: Sendable {
    package var receive: Duration
    package var decode: Duration
    package var queue: Duration = .zero
    package var compute: Duration = .zero
    /// When the last chunk arrived, on a clock of the stream's own.
    package var receiveEnd: Duration = .zero

    package init(receive: Duration, decode: Duration, receiveEnd: Duration = .zero) {
        self.receive = receive
        self.decode = decode
        self.receiveEnd = receiveEnd
    }
}
