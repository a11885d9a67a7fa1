internal import ModelGraph
internal import ModelStore
internal import Testing
internal import TestSupport

/// Manifests from a stranger, with digests that fit: each opens or throws, none traps.
@Suite struct HostileManifestTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        let old: String
        let new: String
        let code: ModelStoreError.Code

        init(_ old: String, _ new: String, _ code: ModelStoreError.Code = .malformed) {
            (self.old, self.new, self.code) = (old, new, code)
        }

        var testDescription: String { "\(old) → \(new)" }
    }

    @Test func theSurgeonLeavesNoTrace() throws {
        let package = try TestModels.package()
        #expect(try PackageSurgery(package).bytes == IntegrityTests.bytes(package))
    }

    @Test(arguments: [
        // Sections
        Fault("\"offset\":192", "\"offset\":193"), Fault("\"offset\":192", "\"offset\":-64"),
        Fault("\"offset\":192", "\"offset\":9223372036854775807"), Fault("\"length\":162", "\"length\":161"),
        Fault("\"length\":162", "\"length\":-1"), Fault("\"length\":162", "\"length\":9223372036854775807"),
        Fault("\"length\":162", "\"length\":9223372036854775808"), Fault("\"length\":162", "\"length\":16.5"),
        Fault("\"section\":6", "\"section\":7"), Fault("\"section\":6", "\"section\":-1"),
        Fault("\"section\":6", "\"section\":12345"), Fault("\"section\":6,", "", .invalidGraph),
        Fault("\"scales\":1", "\"scales\":0"),
        Fault("\"sha256\":\"", "\"sha256\":\"0"), Fault("\"sections\":[", "\"sections\":[null,"),
        // Graph
        Fault("\"inputs\":[0]", "\"inputs\":[99]", .invalidGraph),
        Fault("\"inputs\":[0]", "\"inputs\":[-1]", .invalidGraph),
        Fault("\"inputs\":[0]", "\"inputs\":[]", .invalidGraph),
        Fault("\"inputs\":[0,1,2]", "\"inputs\":[0,1,-9]", .invalidGraph),
        Fault("\"inputs\":[0,1,2]", "\"inputs\":[]", .invalidGraph),
        Fault("\"name\":\"conv.b\"", "\"name\":\"conv.w\"", .invalidGraph),
        Fault("\"shape\":[1,3,6,6]", "\"shape\":[1,3,-6,6]"),
        Fault("\"shape\":[1,3,6,6]", "\"shape\":[1,3,6,7]", .invalidGraph),
        Fault("\"shape\":[1,3,6,6]", "\"shape\":[4294967296,4294967296,6,6]"),
        Fault("\"shape\":[1,3,6,6]", "\"shape\":[1048576,1048576,1,1]"),
        Fault("\"shape\":[1,3,6,6]", "\"shape\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"),
        Fault("\"float32\",\"name\":\"x\"", "\"float31\",\"name\":\"x\""),
        // Operators
        Fault("\"groups\":1", "\"groups\":0", .invalidGraph),
        Fault("\"groups\":1", "\"groups\":-9223372036854775808", .invalidGraph),
        Fault("\"kernel\":[3,3]", "\"kernel\":[0,3]", .invalidGraph),
        Fault("\"kernel\":[3,3]", "\"kernel\":[]", .invalidGraph),
        Fault("\"kernel\":[3,3]", "\"kernel\":[9223372036854775807,3]", .invalidGraph),
        Fault("\"strides\":[1,1]", "\"strides\":[0,1]", .invalidGraph),
        Fault("\"dilations\":[1,1]", "\"dilations\":[1]", .invalidGraph),
        Fault("\"padsEnd\":[0,0]", "\"padsEnd\":[9223372036854775807,0]", .invalidGraph),
        Fault("\"begins\":[0,0,1,1]", "\"begins\":[9223372036854775807,0,1,1]", .invalidGraph),
        Fault("{\"flatten\":{\"axis\":1}}", "{\"flatten\":{\"axis\":-9223372036854775808}}", .invalidGraph),
        Fault("{\"gather\":{\"axis\":1}}", "{\"gather\":{\"axis\":2}}", .invalidGraph),
        Fault("\"flatten\"", "\"flattens\""), Fault("{\"flatten\":{\"axis\":1}}", "{}"),
        // Quantisation
        Fault("\"weights\":[{", "\"weights\":[null,{"), Fault("\"weights\":[", "\"weights\":[null,"),
        Fault("\"activations\":[", "\"activations\":[null,"),
        Fault("\"shape\":[6,3,3,3],\"values\"", "\"shape\":[3,6,3,3],\"values\""),
        Fault("\"shape\":[5,6],\"values\"", "\"shape\":[6,5],\"values\""),
        Fault("\"shape\":[5,6],\"values\"", "\"shape\":[],\"values\""),
        Fault("\"zeroPoint\":", "\"zeroPoint\":1000"), Fault("\"scale\":", "\"scale\":-"),
        // Card
        Fault("\"name\":\"small\",\"pre", "\"name\":\"../x\",\"pre"),
        Fault("\"version\":\"1\"", "\"version\":\"1/..\""),
        Fault("\"inputCount\":64", "\"inputCount\":0"), Fault("\"sampleCount\":64", "\"sampleCount\":-1"),
        Fault("\"top1Agreement\":0.984375", "\"top1Agreement\":\"nan\""),
        Fault("\"outputCosine\":", "\"outputCosine\":\"inf\",\"was\":"), Fault("\"width\":224", "\"width\":0"),
        Fault("\"created\":\"2023", "\"created\":\"yesterday"),
        // Codecs
        Fault("\"codecs\":[{\"boundary\":[\"pool\"]", "\"codecs\":[{\"boundary\":[\"conv.w\"]"),
        Fault("\"codecs\":[{\"boundary\":[\"pool\"]", "\"codecs\":[{\"boundary\":[\"nothing\"]"),
        Fault("\"codecs\":[{\"boundary\":[\"pool\"]", "\"codecs\":[{\"boundary\":[\"x\"]"),
        Fault("\"codecs\":[{\"boundary\":[\"pool\"]", "\"codecs\":[{\"boundary\":[\"pool\",\"pool\"]"),
        Fault("\"codecs\":[{\"boundary\":[\"pool\"]", "\"codecs\":[{\"boundary\":[]"),
        Fault("\"3level@0.1/blocks\"", "\"8bit/rle\""), Fault("\"3level@0.1/blocks\"", "\"\""),
        Fault("\"3level@0.1/blocks\"", "\"3 levels\""),
        Fault("\"encodedBytes\":700", "\"encodedBytes\":0"), Fault("\"loss\":0.0156", "\"loss\":-0.5"),
        Fault("\"loss\":0.0156", "\"loss\":\"nan\""), Fault("\"top1Agreement\":0.96", "\"top1Agreement\":1.5"),
        Fault("\"outputCosine\":0.99,", "\"outputCosine\":-7,"),
        Fault("\"divergence\":0.05", "\"divergence\":\"inf\""),
        Fault("\"count\":3", "\"count\":1"), Fault("\"count\":3", "\"count\":9223372036854775807"),
        Fault("\"count\":3", "\"count\":2"),
        // Codes 0, 30, 1 descend; two codes are no whole channel.
        Fault("\"codes\":\"AB5j", "\"codes\":\"AB4B"), Fault("\"codes\":\"AB5j", "\"codes\":\"AB5"),
        // Not JSON, or not this JSON
        Fault("{", "["), Fault("{", ""), Fault("\"graph\"", "\"graphs\""), Fault("\"card\":{", "\"card\":[],\"was\":{"),
        Fault("\"metadata\":{", "\"metadata\":{\"a\":1,"),
        Fault("{", "{\"deep\":" + String(repeating: "[", count: 100_000)),
    ])
    func aBrokenRuleIsRefused(fault: Fault) throws {
        var surgery = try PackageSurgery(try TestModels.package())
        try surgery.replace(fault.old, with: fault.new)
        let failure = try #require(IntegrityTests.failure(surgery.bytes))
        #expect(failure.code == fault.code, "\(failure)")
        #expect(failure.file == "damaged.cleave")
        #expect((failure.cause != nil) == (fault.code == .invalidGraph))
    }

    /// Any integer of the manifest set to any awkward number.
    @Test func awkwardNumbersNeverTrap() throws {
        let seed: UInt64 = 0x5EED_0002
        var generator = SplitMix64(seed: seed)
        let sound = try PackageSurgery(try TestModels.package())
        let places = sound.integers
        #expect(places.count > 150)
        let awkward = [
            "-9223372036854775808", "9223372036854775807", "-1", "0", "1", "2", "255", "256", "2147483648",
            "4294967296",
            "1099511627776", "4611686018427387904", "1e308", "1e400", "0.5", "null",
        ]
        var refused = 0
        for _ in 0..<3000 {
            var surgery = sound
            let place = places[Int.random(in: places.indices, using: &generator)]
            surgery.manifest.replaceSubrange(place, with: awkward[Int.random(in: awkward.indices, using: &generator)])
            if IntegrityTests.failure(surgery.bytes, verifying: .sectionsOnUse) != nil { refused += 1 }
        }
        #expect(refused > 2000, "seed \(seed)")
    }

    /// Bytes that fit their digest and are no elements of the tensor all the same.
    @Test func wrongElementsAreRefused() throws {
        let package = try TestModels.package()
        let sound = try PackageSurgery(package)
        let sections = try sectionRanges(of: sound)
        // Section 1 holds the convolution's weight scales, the last but one the mask.
        let changes: [(Int, [UInt8])] = [
            (1, [0, 0, 0, 0]), (1, [0, 0, 192, 127]), (1, [0, 0, 128, 191]), (sections.count - 2, [2]),
        ]
        for (index, bytes) in changes {
            var surgery = sound
            let section = sections[index]
            let before = ContentDigest(of: Array(surgery.data[section]))
            surgery.data.replaceSubrange(section.lowerBound..<section.lowerBound + bytes.count, with: bytes)
            let after = ContentDigest(of: Array(surgery.data[section]))
            try surgery.replace("\(before)", with: "\(after)")
            #expect(IntegrityTests.failure(surgery.bytes)?.code == .malformed, "section \(index), \(bytes)")
        }
    }

    private func sectionRanges(of surgery: PackageSurgery) throws -> [Range<Int>] {
        let pattern = /"length":(\d+),"offset":(\d+),"sha256"/
        return try surgery.manifest.matches(of: pattern).map { match in
            let (length, offset) = (try #require(Int(match.1)), try #require(Int(match.2)))
            return offset..<offset + length
        }
    }
}
