internal import ActivationCodec
internal import Dispatch
internal import Testing

/// Bands coded on several threads: the same bytes, tensors, events and errors as on one.
@Suite struct ParallelBandTests {
    private static let loop = BandLoop(width: 3) { count, call in
        DispatchQueue.concurrentPerform(iterations: count, execute: call)
    }

    private func sources(_ mode: CodecMode, using generator: inout SeededGenerator) -> [TensorSource] {
        [[1, 24, 9, 9], [1, 3, 4, 4], [1, 40, 5, 5]].map { shape in
            TensorSource(
                TensorSignature(shape: shape, scale: 0.5, zeroPoint: 0), layout: .channelsLast, mode: mode,
                codes: syntheticCodes(count: shape.reduce(1, *), using: &generator))
        }
    }

    /// Events, and the error where there is one.
    private func read(
        _ bytes: [UInt8], layout: TensorLayout, loop: BandLoop
    ) throws -> (events: [FrameDecoder.Event], tensors: [[UInt8]], error: CodecError?) {
        var decoder = try FrameDecoder(layout: layout, loop: loop)
        var events: [FrameDecoder.Event] = []
        do throws(CodecError) {
            try decoder.append(bytes)
            while let event = try decoder.next() { events.append(event) }
            try decoder.finish()
            return (events, decoder.takeTensors(), nil)
        } catch {
            var again: CodecError?
            do throws(CodecError) { _ = try decoder.next() } catch { again = error }
            #expect(again == error)
            return (events, [], error)
        }
    }

    @Test(arguments: allModes)
    func bytesAndTensorsAreThose(mode: CodecMode) throws {
        var generator = SeededGenerator(seed: 0xC0DE_0900)
        let sources = sources(mode, using: &generator)
        let bytes = try encodeFrame(id: 3, sources, bandBytes: 200)
        #expect(try encodeFrame(id: 3, sources, bandBytes: 200, loop: Self.loop) == bytes)
        for layout in TensorLayout.allCases {
            let serial = try read(bytes, layout: layout, loop: .serial)
            let parallel = try read(bytes, layout: layout, loop: Self.loop)
            #expect(serial.error == nil && parallel.error == nil)
            #expect(parallel.events == serial.events && parallel.tensors == serial.tensors)
        }
    }

    /// Whatever byte is wrong, and wherever the frame ends.
    @Test(arguments: [CodecMode(.lossless8, .contexts), CodecMode(.quantized2, .blocks)])
    func errorsAreThose(mode: CodecMode) throws {
        var generator = SeededGenerator(seed: 0xC0DE_0901)
        let bytes = try encodeFrame(id: 3, sources(mode, using: &generator), bandBytes: 300)
        for position in stride(from: 0, to: bytes.count, by: 7) {
            var wrong = bytes
            wrong[position] ^= UInt8(1 << (position % 8))
            for damaged in [wrong, Array(bytes[..<position])] {
                let serial = try read(damaged, layout: .rowMajor, loop: .serial)
                let parallel = try read(damaged, layout: .rowMajor, loop: Self.loop)
                #expect(serial.error != nil && parallel.error == serial.error)
                #expect(parallel.events == serial.events)
            }
        }
    }

    /// A frame begun anew forgets bands that were encoded ahead.
    @Test func aFrameUnderWayIsDropped() throws {
        var generator = SeededGenerator(seed: 0xC0DE_0902)
        let sources = sources(.lossless8, using: &generator)
        var encoder = FrameEncoder(bandBytes: 200, loop: Self.loop)
        _ = try encoder.begin(frameID: 1, tensors: sources)
        #expect(try encoder.nextBand() != nil)
        var bytes = try encoder.begin(frameID: 2, tensors: sources)
        while try encoder.appendNextBand(to: &bytes) {}
        #expect(bytes == (try encodeFrame(id: 2, sources, bandBytes: 200)))
    }
}
