/// Where a frame's time in the cloud went.
package struct FrameTimes: Sendable {
    package var receive: Duration
    package var decode: Duration
    package var queue: Duration = .zero
    package var compute: Duration = .zero

    package init(receive: Duration, decode: Duration) {
        self.receive = receive
        self.decode = decode
    }
}
