/// What a receiver is willing to take on for one frame; checked against declared numbers before memory is allocated.
///
/// A decoder holds the bytes that arrived, the decoded tensors where it owns them, and memory for one band: whatever a frame
/// says, no more than ``memoryBound``.
package struct DecodeLimits: Sendable, Hashable {
    /// Bytes before the first band.
    package var maximumHeaderBytes = 1 << 20
    /// Bytes of the whole container, header included.
    package var maximumContainerBytes = 64 << 20
    package var maximumTensors = 64
    /// At most 8, the format's own limit.
    package var maximumRank = PlaneGeometry.maximumRank
    /// Elements of all tensors together; also the decoded bytes.
    package var maximumElements = 16 << 20
    /// Bands of all tensors together.
    package var maximumBands = 4096
    /// Bytes of one band, once decompressed.
    package var maximumBandBytes = 4 << 20

    /// Most bytes that decoding a frame allocates: input, tensors, the levels of a band one by one, for a band sorted by
    /// context its payload, its symbols with a margin (six pixels for a picture of one) and its buckets with room on both
    /// sides, and tables.
    package var memoryBound: Int {
        2 * maximumContainerBytes + 2 * maximumElements + 12 * maximumBandBytes + maximumHeaderBytes + 1 << 20
    }

    package init() {}
}
