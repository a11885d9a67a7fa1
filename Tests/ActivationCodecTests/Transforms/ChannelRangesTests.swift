internal import ActivationCodec
internal import FoundationEssentials
internal import Testing

@Suite struct ChannelRangesTests {
    @Test(arguments: [0, 0.01, 0.1, 0.3])
    func measurementEqualsSorting(clipped: Double) throws {
        let seed: UInt64 = 0xC0DE_0200
        var generator = SeededGenerator(seed: seed)
        for shape in [[1, 5, 4, 4], [2, 9, 5, 3], [3, 4, 7], [1, 30], [1, 12, 1, 1]] {
            let geometry = try PlaneGeometry(shape: shape)
            let codes = (0..<geometry.elementCount).map { _ in UInt8.random(in: 20...220, using: &generator) }
            var channels = [[UInt8]](repeating: [], count: geometry.channelCount)
            for (index, code) in codes.enumerated() {
                channels[index / geometry.planeSize % geometry.channelCount].append(code)
            }
            if channels[0].count < 16 { channels = [channels.flatMap { $0 }] }
            let sorted = channels.map { $0.sorted() }
            let allowance = Int(clipped * Double(sorted[0].count))
            let expected = try ChannelRanges(
                lower: sorted.map { $0[allowance] }, upper: sorted.map { $0[$0.count - 1 - allowance] })
            for layout in TensorLayout.allCases {
                let memory = layout == .rowMajor ? codes : channelsLast(codes, shape: shape)
                let measured = try memory.withUnsafeBufferPointer { (memory) throws(CodecError) in
                    try ChannelRanges.measuring(memory, geometry: geometry, layout: layout, clipped: clipped)
                }
                #expect(measured == expected, "seed \(seed), \(shape), \(layout), clipped \(clipped)")
            }
        }
    }

    @Test(arguments: [-0.1, 0.5, Double.nan, .infinity])
    func impossibleFractionIsRefused(clipped: Double) throws {
        let signature = TensorSignature(shape: [8], scale: 1, zeroPoint: 0)
        let source = TensorSource(
            signature, layout: .rowMajor, mode: .quantized4, ranges: .percentile(clipped: clipped),
            codes: [UInt8](0..<8))
        let error = #expect(throws: CodecError.self) { try encodeFrame(id: 0, [source]) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func invalidBoundsAreRefused() throws {
        #expect(throws: CodecError.self) { try ChannelRanges(lower: [], upper: []) }
        #expect(throws: CodecError.self) { try ChannelRanges(lower: [1], upper: [1, 2]) }
        #expect(throws: CodecError.self) { try ChannelRanges(lower: [1, 3], upper: [1, 2]) }
        let json = Data(#"{"lower": [9], "upper": [3]}"#.utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(ChannelRanges.self, from: json) }
    }

    @Test func jsonRoundTrip() throws {
        let ranges = try ChannelRanges(lower: [0, 3], upper: [255, 3])
        let json = try JSONEncoder().encode(ranges)
        #expect(try JSONDecoder().decode(ChannelRanges.self, from: json) == ranges)
    }
}
