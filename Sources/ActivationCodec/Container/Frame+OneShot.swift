/// A decoded frame.
package struct DecodedFrame: Sendable, Hashable {
    package let header: FrameHeader
    /// The codes of each tensor, in the layout asked for.
    package let tensors: [[UInt8]]
}

/// Encodes a frame in one go.
///
/// - Throws: as ``FrameEncoder/begin(frameID:tensors:)``.
package func encodeFrame(
    id: UInt64, _ tensors: [TensorSource], bandBytes: Int = FrameEncoder.defaultBandBytes, loop: BandLoop = .serial
) throws(CodecError) -> [UInt8] {
    var encoder = FrameEncoder(bandBytes: bandBytes, loop: loop)
    var bytes = try encoder.begin(frameID: id, tensors: tensors)
    while try encoder.appendNextBand(to: &bytes) {}
    return bytes
}

/// Decodes a frame that is all there.
///
/// - Throws: the first thing wrong with the container; `truncated` when it ends early.
package func decodeFrame(
    _ bytes: [UInt8], limits: DecodeLimits = DecodeLimits(), expecting expected: [ExpectedTensor]? = nil,
    layout: TensorLayout = .rowMajor, loop: BandLoop = .serial
) throws(CodecError) -> DecodedFrame {
    var decoder = try FrameDecoder(limits: limits, expecting: expected, layout: layout, loop: loop)
    try decoder.append(bytes)
    while try decoder.next() != nil {}
    try decoder.finish()
    guard let header = decoder.header else { preconditionFailure("a finished frame has a header") }
    return DecodedFrame(header: header, tensors: decoder.takeTensors())
}
