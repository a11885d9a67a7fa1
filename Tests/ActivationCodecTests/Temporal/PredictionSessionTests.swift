internal import ActivationCodec
internal import Testing

/// Sender and receiver over a channel that loses, delays and forgets: all in one thread, without sockets.
@Suite struct PredictionSessionTests {
    private struct Session {
        var window: ReferenceWindow
        var store: ReferenceStore
    }

    @Test(arguments: [nil, 3] as [Int?], [1, 2, 4])
    func everyFrameIsRightOrRefused(levels: Int?, depth: Int) throws {
        let seed: UInt64 = 0xC4A1_0000 + UInt64(depth)
        var generator = SeededGenerator(seed: seed)
        var camera = try CameraSequence(shapes: [[1, 5, 6, 6], [1, 12]], levels: levels, seed: seed)
        let limits = ReferenceStore.Limits(maximumCount: 3, maximumBytes: 1000)
        func connect() -> Session {
            Session(
                window: ReferenceWindow(limits: limits, keyFrameInterval: 40), store: ReferenceStore(limits: limits))
        }
        var session = connect()
        var encoder = PredictedFrameEncoder()
        /// Answers under way: true for a result, false for a refusal.
        var answers: [(frame: UInt64, isResult: Bool)] = []
        var (decoded, refused, differences, bytes, keyBytes) = (0, 0, 0, 0, 0)
        for frame in 0..<600 as Range<UInt64> {
            camera.change()
            let prediction = session.window.begin(frame, cut: 0)
            var reference: FrameReference?
            if case .difference(let to) = prediction {
                reference = to
                differences += 1
            }
            let sent = try encoder.encode(frameID: frame, tensors: camera.sources(), reference: reference)
            session.window.sent(sent.reference, cut: 0)
            switch generator.next() % 40 {
            case 0:
                // Lost on the way, and given up.
                session.window.dropped(frame)
            case 1:
                // The connection is lost, or the server starts anew: both sides begin again.
                session = connect()
                answers = []
            case 2:
                // A receiver that forgets what it should have kept.
                session.store.removeAll()
                fallthrough
            default:
                do throws(CodecError) {
                    let received = try decodePredicted(
                        sent.bytes, expecting: camera.expected, references: session.store)
                    session.store.insert(received)
                    #expect(received.codes == (try? camera.quantized()), "seed \(seed), frame \(frame)")
                    answers.append((frame, true))
                    decoded += 1
                } catch {
                    #expect(error.code == .referenceUnavailable, "seed \(seed), frame \(frame): \(error)")
                    answers.append((frame, false))
                    refused += 1
                }
            }
            bytes += sent.bytes.count
            keyBytes += try encoder.encode(frameID: frame, tensors: camera.sources(), reference: nil).bytes.count
            // Answers come late, and in any order.
            while answers.count >= depth {
                let answer = answers.remove(at: Int.random(in: answers.indices, using: &generator))
                if answer.isResult {
                    session.window.answered(answer.frame)
                } else {
                    session.window.refused(answer.frame)
                }
            }
        }
        #expect(decoded > 450 && refused < 60, "seed \(seed): \(decoded) decoded, \(refused) refused")
        #expect(depth > 2 || differences > 300, "seed \(seed): \(differences) differences")
        #expect(bytes <= keyBytes, "seed \(seed)")
    }
}
