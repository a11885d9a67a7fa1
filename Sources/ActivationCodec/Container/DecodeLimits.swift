/// What a receiver is willing to take on for one frame; checked against declared numbers before memory is allocated.
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

    package init() {}
}
