/// A tensor seen as planes: runs of elements that share a batch index and a channel.
///
/// From rank 3 on, dimension 0 is the batch, dimension 1 the channel and the rest is the plane: `[N, C, H, W]` has `N·C`
/// planes of `H·W` elements. A tensor of rank 1 or 2 is a single plane of a single channel. Planes are numbered in
/// row-major order, so plane `p` belongs to channel `p mod C`.
package struct PlaneGeometry: Hashable, Sendable {
    package static let maximumRank = 8

    /// N·C.
    package let planeCount: Int
    /// Elements of one plane.
    package let planeSize: Int
    /// Elements of one row of a plane: the last dimension.
    package let rowSize: Int
    /// C.
    package let channelCount: Int

    /// All elements; `planeCount · planeSize`.
    package var elementCount: Int { planeCount * planeSize }

    /// Reads a shape.
    ///
    /// - Throws: `invalidField` when the rank is not 1...8, a dimension is not in 1...2³²−1, or the number of elements
    ///   overflows.
    package init(shape: [Int], at location: CodecError.Location = .init()) throws(CodecError) {
        guard (1...Self.maximumRank).contains(shape.count) else {
            throw CodecError(.invalidField, "rank", at: location, expected: "1...8", got: "\(shape.count)")
        }
        var count = 1
        for size in shape {
            guard size >= 1, size <= UInt32.max else {
                throw CodecError(.invalidField, "dimension", at: location, expected: "1...2^32-1", got: "\(shape)")
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow else {
                throw CodecError(
                    .invalidField, "number of elements overflows", at: location, expected: "below 2^63", got: "\(shape)"
                )
            }
            count = product
        }
        if shape.count < 3 {
            planeCount = 1
            channelCount = 1
        } else {
            channelCount = shape[1]
            planeCount = shape[0] * shape[1]
        }
        planeSize = count / planeCount
        rowSize = shape[shape.count - 1]
    }

    /// Whether memory of this layout holds the planes one after another.
    func isPlanar(_ layout: TensorLayout) -> Bool {
        layout == .rowMajor || channelCount == 1 || planeSize == 1
    }
}
