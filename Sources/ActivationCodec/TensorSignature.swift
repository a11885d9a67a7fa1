/// What both halves of a split must agree on about one boundary tensor: its logical shape and its quantisation.
///
/// A code `q` stands for the real value `scale · (q − zeroPoint)`.
package struct TensorSignature: Hashable, Sendable {
    /// Logical dimensions, outermost first (`[N, C, H, W]`, `[N, K]`, …); 1 to 8 of them, each at least 1.
    package var shape: [Int]
    /// Finite and positive.
    package var scale: Float
    package var zeroPoint: UInt8

    package init(shape: [Int], scale: Float, zeroPoint: UInt8) {
        self.shape = shape
        self.scale = scale
        self.zeroPoint = zeroPoint
    }
}

/// The order of a tensor's elements in memory.
package enum TensorLayout: String, Sendable, Hashable, CaseIterable, Codable {
    /// The logical order: `[N, C, H, W]`.
    case rowMajor
    /// Channels innermost: `[N, H, W, C]`. The same as ``rowMajor`` below rank 3.
    case channelsLast
}
