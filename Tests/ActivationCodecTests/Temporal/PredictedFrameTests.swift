internal import ActivationCodec
internal import Testing

@Suite struct PredictedFrameTests {
    private static let roomy = ReferenceStore.Limits(maximumCount: 4, maximumBytes: 1 << 20)

    /// What the receiver ends with is what a frame by itself would have given, whatever came before and however it arrives.
    @Test(arguments: [nil, 2, 3, 5, 16] as [Int?])
    func framesDecodeToThemselves(levels: Int?) throws {
        for (round, shapes) in [
            [[1, 6, 9, 7]], [[1, 3, 8, 8], [1, 10]], [[2, 4, 5, 5]], [[5]], [[1, 2, 1, 2, 3, 2], [1, 5, 7, 3]],
        ].enumerated() {
            let seed = 0x7E11_0000 + UInt64(round)
            var camera = try CameraSequence(shapes: shapes, levels: levels, seed: seed)
            var encoder = PredictedFrameEncoder()
            var store = ReferenceStore(limits: Self.roomy)
            var reference: FrameReference?
            for frame in 0..<12 {
                let note: Comment = "seed \(seed), \(shapes), frame \(frame)"
                let layout: TensorLayout = frame % 2 == 0 ? .rowMajor : .channelsLast
                let sent = try encoder.encode(
                    frameID: UInt64(frame), tensors: camera.sources(layout: layout), reference: reference)
                let received = try decodePredicted(
                    sent.bytes, expecting: camera.expected, references: store, pieceSize: frame % 3 == 0 ? .max : 11)
                #expect(received.codes == (try camera.quantized()), note)
                #expect(received.checksum == sent.reference.checksum, note)
                store.insert(received)
                reference = sent.reference
                camera.change()
            }
        }
    }

    /// An unchanged frame costs its prefix, a small change little, a new scene no more than a key frame.
    @Test func whatHasNotChangedIsNotSentAgain() throws {
        var camera = try CameraSequence(shapes: [[1, 16, 20, 20]], levels: 4, seed: 2)
        var encoder = PredictedFrameEncoder()
        let key = try encoder.encode(frameID: 0, tensors: camera.sources(), reference: nil)
        let same = try encoder.encode(frameID: 1, tensors: camera.sources(), reference: key.reference)
        #expect(same.bytes.count == 36 + 4 + 4)
        let before = camera.codes
        // Until a part of the tensor changes.
        repeat {
            camera.change()
        } while camera.codes == before
            || zip(camera.codes[0], before[0]).count { $0 != $1 } > 700
        let part = try encoder.encode(frameID: 2, tensors: camera.sources(), reference: key.reference)
        #expect(part.bytes.count * 2 < key.bytes.count)
        let other = try CameraSequence(shapes: [[1, 16, 20, 20]], levels: 4, seed: 2 &+ 1 << 40)
        let scene = [
            TensorSource(
                camera.signatures[0], layout: .rowMajor, coding: camera.coding.symbols(ofTensor: 0),
                codes: other.codes[0])
        ]
        let changed = try encoder.encode(frameID: 3, tensors: scene, reference: key.reference)
        let anew = try encoder.encode(frameID: 3, tensors: scene, reference: nil)
        #expect(changed.bytes.count <= anew.bytes.count)
    }

    @Test func anotherCodingBeginsAnew() throws {
        let camera = try CameraSequence(shapes: [[1, 4, 6, 6]], levels: 3, seed: 5)
        let other = try CameraSequence(shapes: [[1, 4, 6, 6]], levels: 3, seed: 7)
        var encoder = PredictedFrameEncoder()
        let first = try encoder.encode(frameID: 0, tensors: camera.sources(), reference: nil)
        let second = try encoder.encode(frameID: 1, tensors: other.sources(), reference: first.reference)
        let received = try decodePredicted(
            second.bytes, expecting: other.expected, references: ReferenceStore(limits: Self.roomy))
        #expect(received.codes == (try other.quantized()))
    }

    /// Ranges measured for each frame give symbols that mean something else in the next.
    @Test func clipRangesAreRefused() throws {
        let camera = try CameraSequence(shapes: [[1, 4, 6, 6]], levels: nil, seed: 5)
        let source = TensorSource(camera.signatures[0], layout: .rowMajor, mode: .quantized4, codes: camera.codes[0])
        var encoder = PredictedFrameEncoder()
        var failure: CodecError?
        do throws(CodecError) {
            _ = try encoder.encode(frameID: 0, tensors: [source], reference: nil)
        } catch {
            failure = error
        }
        #expect(failure?.code == .invalidArgument)
    }

    /// Two frames of one sequence: a key frame, and a difference to it.
    private func pair(
        levels: Int?
    ) throws -> (camera: CameraSequence, key: FrameReference, difference: [UInt8], store: ReferenceStore) {
        var camera = try CameraSequence(shapes: [[1, 6, 9, 7], [1, 10]], levels: levels, seed: 11)
        var encoder = PredictedFrameEncoder()
        let key = try encoder.encode(frameID: 8, tensors: camera.sources(), reference: nil)
        repeat { camera.change() } while camera.codes == key.reference.codes
        let difference = try encoder.encode(frameID: 9, tensors: camera.sources(), reference: key.reference)
        var store = ReferenceStore(limits: Self.roomy)
        store.insert(try decodePredicted(key.bytes, expecting: camera.expected, references: store))
        return (camera, key.reference, difference.bytes, store)
    }

    @Test(arguments: [nil, 4] as [Int?])
    func aWrongReferenceIsNeverUsed(levels: Int?) throws {
        var (camera, _, difference, _) = try pair(levels: levels)
        let none = ReferenceStore(limits: Self.roomy)
        #expect(failure(difference, camera, none)?.code == .referenceUnavailable)
        // Another frame of the same number.
        camera.change()
        var encoder = PredictedFrameEncoder()
        let other = try encoder.encode(frameID: 8, tensors: camera.sources(), reference: nil)
        var store = none
        store.insert(try decodePredicted(other.bytes, expecting: camera.expected, references: none))
        #expect(failure(difference, camera, store)?.code == .referenceUnavailable)
    }

    /// Any byte changed, any part missing: an error, and never a frame that is not the sender's.
    @Test(arguments: [nil, 4] as [Int?])
    func damageIsFound(levels: Int?) throws {
        let (camera, _, difference, store) = try pair(levels: levels)
        for position in difference.indices {
            var damaged = difference
            damaged[position] ^= 0x41
            #expect(failure(damaged, camera, store) != nil, "byte \(position)")
            #expect(failure(Array(difference[..<position]), camera, store) != nil, "the first \(position) bytes")
        }
        #expect(failure(difference + [0], camera, store) != nil)
        #expect(failure(difference, camera, store) == nil)
    }

    /// Prefixes whose checksum holds, but not what they say.
    @Test func hostilePrefixesAreRefused() throws {
        let (camera, key, difference, store) = try pair(levels: 4)
        func forged(_ change: (inout [UInt8]) -> Void) -> CodecError? {
            let mapLength = Int(difference[32])
            var bytes = difference
            change(&bytes)
            bytes.replaceSubrange(36 + mapLength..<40 + mapLength, with: crc32(Array(bytes[..<(36 + mapLength)])))
            return failure(bytes, camera, store)
        }
        #expect(forged { _ in } == nil)
        #expect(forged { $0[4] = 2 }?.code == .unsupportedVersion)
        #expect(forged { $0[6] = 2 }?.code == .unsupportedFeature)
        #expect(forged { $0[7] = 1 }?.code == .unsupportedFeature)
        #expect(forged { $0[6] = 0 }?.code == .invalidField)
        #expect(forged { $0[8] = 7 }?.code == .invalidField)
        #expect(forged { $0[16] = 7 }?.code == .referenceUnavailable)
        #expect(forged { $0[24] ^= 1 }?.code == .referenceUnavailable)
        // The frame that results is not the sender's.
        #expect(forged { $0[28] ^= 1 }?.code == .referenceUnavailable)
        #expect(forged { $0[36] = 0xFF }?.code == .invalidField)
        #expect(forged { $0[37] |= 0xF0 }?.code == .invalidField)
        // A plane more or less than the container holds.
        let changed = try #require((36..<39).first { difference[$0] != 0 })
        #expect(forged { $0[changed] = 0 } != nil)
        #expect(key.byteCount == 6 * 9 * 7 + 10)
        var endless = difference
        endless.replaceSubrange(32..<36, with: [255, 255, 255, 255])
        #expect(failure(endless, camera, store)?.code == .limitExceeded)
    }

    private func failure(_ bytes: [UInt8], _ camera: CameraSequence, _ store: ReferenceStore) -> CodecError? {
        do throws(CodecError) {
            _ = try decodePredicted(bytes, expecting: camera.expected, references: store)
            return nil
        } catch {
            return error
        }
    }
}

/// Bit by bit, as the definition says; little-endian.
private func crc32(_ bytes: [UInt8]) -> [UInt8] {
    var sum: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
        sum ^= UInt32(byte)
        for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }
    sum = ~sum
    return (0..<4).map { UInt8(truncatingIfNeeded: sum >> UInt32(8 * $0)) }
}
