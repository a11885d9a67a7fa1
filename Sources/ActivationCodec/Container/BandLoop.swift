/// How bands, which do not depend on each other, are spread over threads.
package struct BandLoop: Sendable {
    /// Threads that take part, the caller included; at least 1.
    package let width: Int
    private let body: @Sendable (Int, @Sendable (Int) -> Void) -> Void

    /// - Parameter body: calls its second argument once for each of 0..<its first, `width` at most, in any order and at once if
    ///   it likes, and returns when all are done.
    package init(width: Int, _ body: @escaping @Sendable (Int, @Sendable (Int) -> Void) -> Void) {
        precondition(width >= 1, "a loop has at least the caller's own thread")
        self.width = width
        self.body = body
    }

    /// On the caller's thread alone.
    package static let serial = BandLoop(width: 1) { count, call in for index in 0..<count { call(index) } }

    func callAsFunction(_ count: Int, _ call: @Sendable (Int) -> Void) { body(count, call) }
}
