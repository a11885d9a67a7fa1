internal import FoundationEssentials
internal import ModelGraph
internal import ModelStore
internal import TestSupport
internal import Testing

/// Damaged files: whatever bytes change or go missing, opening with all checks refuses.
@Suite struct IntegrityTests {
    static func bytes(_ package: ModelPackage) throws -> [UInt8] {
        let folder = try TemporaryFolder()
        try package.write(to: folder.file("m.cleave"))
        return Array(try Data(contentsOf: URL(filePath: folder.file("m.cleave"))))
    }

    /// Opens bytes that are in memory, and reads all that they offer.
    static func open(
        _ bytes: ArraySlice<UInt8>, verifying verification: OpenedPackage.Verification = .everything
    ) throws(ModelStoreError) -> OpenedPackage {
        let storage = TensorStorage(byteCount: bytes.count) { target in
            bytes.withUnsafeBytes { target.copyMemory(from: $0) }
        }
        return try OpenedPackage(storage, path: "damaged.cleave", verifying: verification)
    }

    static func failure(
        _ bytes: [UInt8], verifying verification: OpenedPackage.Verification = .everything
    ) -> ModelStoreError? {
        do throws(ModelStoreError) {
            let opened = try open(bytes[...], verifying: verification)
            _ = try opened.quantizedGraph()
            _ = try opened.graph()
            return nil
        } catch {
            return error
        }
    }

    @Test func everyFlippedBitIsFound() throws {
        let sound = try Self.bytes(try TestModels.package())
        #expect(Self.failure(sound) == nil)
        let seed: UInt64 = 0x5EED_0001
        var generator = SplitMix64(seed: seed)
        for _ in 0..<2000 {
            let index = Int.random(in: sound.indices, using: &generator)
            let bit = Int.random(in: 0..<8, using: &generator)
            var damaged = sound
            damaged[index] ^= 1 << bit
            let failure = Self.failure(damaged)
            #expect(failure != nil, "bit \(bit) of byte \(index), seed \(seed)")
            #expect(failure?.file == "damaged.cleave")
        }
    }

    /// Header and padding have no digest of their own, so every one of their bits is tried.
    @Test func everyBitOfHeaderAndPaddingMatters() throws {
        let sound = try Self.bytes(try TestModels.package())
        let manifestEnd = 64 + Int(sound[16]) + Int(sound[17]) << 8 + Int(sound[18]) << 16
        let dataOffset = (manifestEnd + 63) & -64
        // The first section, 6·3·3·3 bytes of integer weights, ends 30 bytes before the second begins.
        let places = [0..<64, manifestEnd..<dataOffset, dataOffset + 162..<dataOffset + 192]
        for index in places.joined() {
            for bit in 0..<8 {
                var damaged = sound
                damaged[index] ^= 1 << bit
                #expect(Self.failure(damaged) != nil, "bit \(bit) of byte \(index)")
            }
        }
    }

    @Test(arguments: [OpenedPackage.Verification.everything, .sectionsOnUse])
    func aTruncatedFileIsRefusedWhereverItEnds(verification: OpenedPackage.Verification) throws {
        let sound = try Self.bytes(try TestModels.package())
        for count in sound.indices {
            let failure = #expect(throws: ModelStoreError.self) {
                try Self.open(sound[..<count], verifying: verification)
            }
            #expect(failure?.code == .wrongLength, "\(count) bytes")
        }
        #expect(Self.failure(sound + [0])?.code == .wrongLength)
        #expect(Self.failure(sound + [UInt8](repeating: 0, count: 64))?.code == .wrongLength)
    }

    /// The error says which section is damaged, what its digest should be and what it is.
    @Test func anErrorNamesTheSection() throws {
        var damaged = try Self.bytes(try TestModels.package())
        damaged[damaged.count - 64] ^= 1
        let failure = try #require(Self.failure(damaged))
        #expect(failure.code == .digestMismatch)
        #expect(failure.part?.hasSuffix("constant mask") == true, "\(failure)")
        #expect(failure.expected?.count == 64 && failure.got?.count == 64 && failure.expected != failure.got)
        #expect(failure.description.hasPrefix("damaged.cleave: section "))
    }

    @Test func aForeignFileIsNoPackage() throws {
        #expect(Self.failure(Array("\u{7F}ELF".utf8))?.code == .notAPackage)
        #expect(Self.failure([UInt8](repeating: 0, count: 4096))?.code == .notAPackage)
        #expect(Self.failure([])?.code == .wrongLength)
        var future = try Self.bytes(try TestModels.package())
        future[8] = 2
        #expect(Self.failure(future)?.code == .unsupportedVersion)
    }

    @Test func aMissingFileIsUnreadable() throws {
        let folder = try TemporaryFolder()
        for path in [folder.file("none.cleave"), folder.path] {
            let failure = #expect(throws: ModelStoreError.self) {
                try OpenedPackage(path: path, verifying: .everything)
            }
            #expect(failure?.code == .unreadable)
            #expect(failure?.file == path)
        }
    }
}
