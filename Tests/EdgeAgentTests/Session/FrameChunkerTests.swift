internal import EdgeAgent
internal import FoundationEssentials
internal import InferenceProtocol
internal import WireTestSupport
internal import Testing

@Suite struct FrameChunkerTests {
    @Test(arguments: [1, 7, 100, 32 << 10, 1 << 20]) func losesNothing(maximumBytes: Int) {
        var generator = SeededGenerator(seed: UInt64(maximumBytes))
        let pieces = (0..<12).map { _ in
            (0..<Int.random(in: 0...(maximumBytes < 50 ? 60 : 60_000), using: &generator)).map {
                UInt8(truncatingIfNeeded: $0)
            }
        }
        var chunker = FrameChunker(frame: 5, cut: 2, deadline: .milliseconds(40), maximumBytes: maximumBytes)
        var messages = pieces.flatMap { chunker.append($0) }
        messages += chunker.finish()
        let chunks = messages.map(\.frameChunk)
        #expect(chunks.map(\.sequence) == (0..<UInt32(chunks.count)).map { $0 })
        #expect(chunks.reduce(into: Data()) { $0.append($1.payload) } == Data(pieces.joined()))
        #expect(chunks.allSatisfy { $0.frameID == 5 && $0.cutID == 2 && $0.payload.count <= maximumBytes })
        #expect(chunks.dropLast().allSatisfy { !$0.last && !$0.payload.isEmpty })
        #expect(chunks.last?.last == true)
        #expect(chunks.first?.deadlineMs == 40)
        #expect(chunks.dropFirst().allSatisfy { $0.deadlineMs == 0 })
        #expect(chunker.byteCount == pieces.joined().count)
    }

    /// The cloud's clock at the first chunk's arrival is where the measuring of a frame begins.
    @Test func theFirstBytesGoAtOnce() {
        var chunker = FrameChunker(frame: 1, cut: 0, deadline: .milliseconds(40), maximumBytes: 1 << 16)
        #expect(chunker.append([]).isEmpty && chunker.firstChunkByteCount == 0)
        #expect(chunker.append([UInt8](repeating: 1, count: 90)).map(\.frameChunk.payload.count) == [90])
        #expect(chunker.append([UInt8](repeating: 2, count: 500)).isEmpty)
        #expect(chunker.finish().map(\.frameChunk.payload.count) == [500])
        #expect(chunker.firstChunkByteCount == 90)
    }
}
