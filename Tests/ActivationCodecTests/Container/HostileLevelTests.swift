internal import ActivationCodec
internal import Testing

/// Frames of level quantisers, damaged: each fault throws the error that names it.
@Suite struct HostileLevelTests {
    static let signature = TensorSignature(shape: [1, 4, 5, 5], scale: 0.5, zeroPoint: 0)

    /// One tensor in one raw band, its quantiser inline: header 24 + 32 + 16 + 4·5 + 4 bytes.
    static func sample(agreed: Bool = false) throws -> (ContainerSurgery, LevelQuantizer) {
        let quantizer = try LevelQuantizer(
            levelCount: 3, thresholds: [10, 60, 10, 60, 10, 60, 10, 60],
            codes: [0, 30, 90, 0, 30, 90, 0, 30, 91, 2, 31, 99])
        var generator = SeededGenerator(seed: 0xC0DE_0800)
        let codes = (0..<100).map { _ in UInt8(generator.next() % 128) }
        let frame = try encodeFrame(
            id: 3,
            [
                TensorSource(
                    signature, layout: .rowMajor, coding: agreed ? .agreed(quantizer) : .inline(quantizer),
                    compression: .raw, codes: codes)
            ])
        return (ContainerSurgery(frame), quantizer)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: CodecError.Code
        let change: @Sendable (inout ContainerSurgery) -> Void

        init(
            _ description: String, _ code: CodecError.Code,
            change: @escaping @Sendable (inout ContainerSurgery) -> Void
        ) {
            testDescription = description
            self.code = code
            self.change = change
        }
    }

    static let faults: [Fault] = [
        Fault("width", .unsupportedFeature) { $0.bytes[29] = 3 },
        Fault("one level", .unsupportedFeature) { $0.set(UInt16(1), at: 30) },
        Fault("17 levels", .unsupportedFeature) { $0.set(UInt16(17), at: 30) },
        Fault("another level count", .inconsistentLength) { $0.set(UInt16(4), at: 30) },
        Fault("order", .unsupportedFeature) { $0.bytes[32] = 3 },
        Fault("packing", .unsupportedFeature) { $0.bytes[34] = 5 },
        Fault("form of clip ranges", .invalidField) { $0.bytes[44] = 1 },
        Fault("no form", .invalidField) { $0.bytes[44] = 0 },
        Fault("agreed, but none is held", .inconsistentLength) { $0.bytes[44] = 6 },
        Fault("compressed, but not shorter", .inconsistentLength) { $0.bytes[44] = 5 },
        Fault("channels", .invalidField) { $0.set(UInt32(3), at: 48) },
        Fault("very many channels", .invalidField) { $0.set(UInt32.max, at: 48) },
        Fault("length", .inconsistentLength) { $0.set(UInt32(19), at: 52) },
        Fault("descending thresholds", .invalidField) { $0.bytes[72] = 61 },
        Fault("descending codes", .invalidField) { $0.bytes[80] = 31 },
        Fault("no packing of three levels", .corruptPayload) { $0.bytes[$0.bandOffsets[0] + 28] = 81 },
    ]

    @Test(arguments: faults)
    func faultIsNamed(fault: Fault) throws {
        var (sample, _) = try Self.sample()
        #expect(HostileContainerTests.failure(sample.bytes) == nil)
        fault.change(&sample)
        sample.sign()
        #expect(HostileContainerTests.failure(sample.bytes)?.code == fault.code)
    }

    @Test func agreedQuantizerMustBeTheSame() throws {
        let (sample, quantizer) = try Self.sample(agreed: true)
        let other = try LevelQuantizer(levelCount: 3, thresholds: [10, 60], codes: [0, 30, 90])
        for held in [[], [other]] {
            let error = HostileContainerTests.failure(
                sample.bytes, expecting: [ExpectedTensor(Self.signature, agreedQuantizers: held)])
            #expect(error?.code == .cutMismatch)
        }
        #expect(
            HostileContainerTests.failure(
                sample.bytes, expecting: [ExpectedTensor(Self.signature, agreedQuantizers: [other, quantizer])]) == nil)
    }

    @Test func anyFlippedBitIsNoticed() throws {
        let (sample, _) = try Self.sample()
        for bit in 0..<sample.bytes.count * 8 {
            var damaged = sample.bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(HostileContainerTests.failure(damaged) != nil, "bit \(bit)")
        }
    }

    /// Signed damage anywhere: an error or a frame, never a trap.
    @Test func signedDamageNeverTraps() throws {
        let seed: UInt64 = 0xC0DE_0810
        var generator = SeededGenerator(seed: seed)
        let (sample, _) = try Self.sample()
        for _ in 0..<20_000 {
            var damaged = sample
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                damaged.bytes[Int.random(in: 8..<damaged.bytes.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            damaged.sign()
            _ = HostileContainerTests.failure(damaged.bytes)
        }
    }
}
