internal import ActivationCodec
internal import CloudService
internal import InferenceProtocol
internal import ModelGraph
internal import Testing
internal import WireTestSupport

/// Predicted frames over a raw stream: what the service keeps, and what it refuses.
@Suite struct PredictedFrameServiceTests {
    private let network = ToyNetwork()

    private func codes(_ seed: Int) -> [UInt8] {
        (0..<network.elementCount).map { UInt8(truncatingIfNeeded: $0 < 40 ? $0 &* seed : $0) }
    }

    private func source(_ codes: [UInt8]) -> TensorSource {
        TensorSource(network.signature, layout: .rowMajor, mode: .lossless8, codes: codes)
    }

    @Test func aMissingReferenceCostsOneFrame() async throws {
        let network = network
        try await CloudFixture.withServer { addresses, _ in
            try await WireClient(addresses.grpc).withClient { client in
                try await SplitStream.open(client) { stream in
                    let welcome = try await stream.greet()
                    #expect(welcome.limits.maxReferences > 0 && welcome.limits.maxReferenceBytes > 0)
                    try await stream.openCut(0)
                    var encoder = PredictedFrameEncoder()
                    let key = try encoder.encode(frameID: 5, tensors: [source(codes(1))], reference: nil)
                    let next = try encoder.encode(frameID: 6, tensors: [source(codes(2))], reference: key.reference)
                    // The key frame was lost.
                    stream.send(frame: 6, bytes: next.bytes, chunkBytes: 7)
                    let refusal = try await stream.error()
                    #expect(refusal.code == .referenceUnavailable && refusal.frameID == 6 && !refusal.fatal)
                    // The stream goes on, with a key frame and what refers to it.
                    let again = try encoder.encode(frameID: 7, tensors: [source(codes(2))], reference: nil)
                    stream.send(frame: 7, bytes: again.bytes, chunkBytes: 3)
                    let scores = try await stream.result(of: 7).outputs[0].tensor().array(of: Float.self)
                    #expect(scores == network.scores(of: codes(2)))
                    let last = try encoder.encode(frameID: 8, tensors: [source(codes(3))], reference: again.reference)
                    stream.send(frame: 8, bytes: last.bytes)
                    let others = try await stream.result(of: 8).outputs[0].tensor().array(of: Float.self)
                    #expect(others == network.scores(of: codes(3)))
                    // A frame that another was sent as.
                    stream.send(frame: 9, bytes: last.bytes)
                    #expect(try await stream.error().code == .invalidFrame)
                }
            }
        }
    }

    /// The oldest frames go when there are more than the service says that it keeps.
    @Test func onlySoManyAreKept() async throws {
        var configuration = CloudFixture.configuration
        configuration.maximumReferences = 2
        try await CloudFixture.withServer(configuration: configuration) { addresses, _ in
            try await WireClient(addresses.grpc).withClient { client in
                try await SplitStream.open(client) { stream in
                    #expect(try await stream.greet().limits.maxReferences == 2)
                    try await stream.openCut(0)
                    var encoder = PredictedFrameEncoder()
                    var references: [FrameReference] = []
                    for frame in 0..<3 {
                        let key = try encoder.encode(
                            frameID: UInt64(frame), tensors: [source(codes(frame + 1))], reference: nil)
                        stream.send(frame: UInt64(frame), bytes: key.bytes)
                        _ = try await stream.result(of: UInt64(frame))
                        references.append(key.reference)
                    }
                    for (frame, reference) in [(3, references[0]), (4, references[1])] as [(UInt64, FrameReference)] {
                        let difference = try encoder.encode(
                            frameID: frame, tensors: [source(codes(9))], reference: reference)
                        stream.send(frame: frame, bytes: difference.bytes)
                        if frame == 3 {
                            #expect(try await stream.error().code == .referenceUnavailable)
                        } else {
                            _ = try await stream.result(of: frame)
                        }
                    }
                }
            }
        }
    }
}
