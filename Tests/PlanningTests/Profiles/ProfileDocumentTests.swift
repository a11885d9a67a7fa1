private import FoundationEssentials
private import ModelGraph
private import Planning
internal import Testing

@Suite struct ProfileDocumentTests {
    private func device() -> DeviceProfile {
        var graph = Graph(name: "g")
        graph.outputs = [graph.addChain("c", from: graph.addInput("input", Graph.activation), length: 2)]
        return .test(
            .edge, graph, nanoseconds: { Int64($0) * 1_000 + 17 },
            parts: [.init(cut: "c.0", timing: .exactly(5), peakMemory: ByteCount(4_096))], peakMemory: ByteCount(9_999))
    }

    private func codec() -> CodecProfile {
        CodecProfile(
            provenance: .test, model: .test, images: 50,
            entries: [
                .init(
                    boundary: "c.0", mode: "u4/zlib", elements: 1_024, encoded: ByteCount(300), encode: .exactly(10),
                    decode: .exactly(20), top1Agreement: 0.99, outputCosine: 0.9995),
                .init(
                    boundary: "c.0", mode: "u8/zlib", elements: 1_024, encoded: ByteCount(600), encode: .exactly(10),
                    decode: .exactly(20)),
            ])
    }

    private func expectRoundTrip<Document: ProfileDocument>(_ document: Document) throws {
        let data = try document.json()
        #expect(try Document.read(data, named: "profile.json") == document)
        #expect(try document.json() == data)
    }

    @Test func everyProfileSurvivesJSON() throws {
        try expectRoundTrip(device())
        try expectRoundTrip(codec())
        try expectRoundTrip(InputProfile.test())
        for link in LinkProfile.presets { try expectRoundTrip(link) }
    }

    @Test func plansSurviveJSON() throws {
        for seed in UInt64(0)..<30 {
            var generator = SeededGenerator(seed: seed)
            let graph = Graph.random(nodes: 6, using: &generator)
            let cuts = CutEnumerator().cuts(of: graph)
            let profiles = ProfileSet.random(graph, cuts: cuts, using: &generator)
            let model = try CostModel(cuts: cuts, profiles: profiles, link: .mobile4G)
            let constraints = PlanConstraints(privacy: .nodesBeforeBoundary(1), maximumUplink: ByteCount(60_000))
            try expectRoundTrip(Planner(model).plan(.latency, constraints: constraints))
        }
    }

    @Test func jsonNamesTheUnits() throws {
        let text = String(decoding: try device().json(), as: UTF8.self)
        for field in [
            "\"schema\" : \"cleave.device-profile\"", "\"version\" : 1", "\"medianNanoseconds\" : 1017",
            "\"peakMemoryBytes\" : 4096", "\"date\" : \"2025-10-09T08:53:20Z\"", "\"role\" : \"edge\"",
        ] {
            #expect(text.contains(field), "\(field) is missing in \(text)")
        }
    }

    /// What reading says after one replacement in the JSON text.
    private func error<Document: ProfileDocument>(
        _ document: Document, replacing old: String, with new: String
    ) throws -> PlanningError? {
        let text = String(decoding: try document.json(), as: UTF8.self)
        let changed = text.replacing(old, with: new, maxReplacements: 1)
        #expect(changed != text, "\(old) does not occur")
        do throws(PlanningError) {
            _ = try Document.read(Data(changed.utf8), named: "p.json")
            return nil
        } catch {
            return error
        }
    }

    @Test func refusesOtherSchemasAndVersions() throws {
        let schema = try error(device(), replacing: "cleave.device-profile", with: "cleave.codec-profile")
        #expect(schema?.code == .unknownSchema)
        #expect(schema?.location == "p.json: schema")
        let version = try error(device(), replacing: "\"version\" : 1", with: "\"version\" : 2")
        #expect(version?.code == .unsupportedVersion)
        #expect(version?.location == "p.json: version")
    }

    @Test func namesTheFieldOfABadNumber() throws {
        let negative = try error(device(), replacing: "\"medianNanoseconds\" : 17", with: "\"medianNanoseconds\" : -17")
        #expect(negative?.code == .invalidNumber)
        #expect(negative?.location == "p.json: nodes[0].timing.medianNanoseconds")
        let order = try error(device(), replacing: "\"p90Nanoseconds\" : 1017", with: "\"p90Nanoseconds\" : 3")
        #expect(order?.code == .invalidNumber)
        #expect(order?.location == "p.json: nodes[1].timing")
        let runs = try error(device(), replacing: "\"runs\" : 10", with: "\"runs\" : 0")
        #expect(runs?.code == .invalidNumber)
        let threads = try error(device(), replacing: "\"threads\" : 1", with: "\"threads\" : 0")
        #expect(threads?.location == "p.json: threads")
        let agreement = try error(codec(), replacing: "\"top1Agreement\" : 0.99", with: "\"top1Agreement\" : 1.01")
        #expect(agreement?.location == "p.json: entries[0].top1Agreement")
        let bytes = try error(codec(), replacing: "\"encodedBytes\" : 300", with: "\"encodedBytes\" : -300")
        #expect(bytes?.location == "p.json: entries[0].encodedBytes")
        let quality = try error(InputProfile.test(), replacing: "\"jpegQuality\" : 90", with: "\"jpegQuality\" : 0")
        #expect(quality?.location == "p.json: jpegQuality")
        for rate in ["0", "-3", "1e999", "NaN", "null", "\"fast\""] {
            let link = try error(
                LinkProfile.mobile3G, replacing: "\"uplinkBitsPerSecond\" : 1100000",
                with: "\"uplinkBitsPerSecond\" : \(rate)")
            #expect(link != nil, "\(rate)")
            #expect(link?.location.hasPrefix("p.json") == true)
        }
    }

    @Test func namesTheMissingField() throws {
        let missing = try error(device(), replacing: "\"medianNanoseconds\" : 17", with: "\"median\" : 17")
        #expect(missing?.code == .malformed)
        #expect(missing?.location == "p.json: nodes[0].timing.medianNanoseconds")
        let type = try error(codec(), replacing: "\"images\" : 50", with: "\"images\" : \"many\"")
        #expect(type?.code == .malformed)
        #expect(type?.location == "p.json: images")
    }

    @Test func refusesDuplicates() throws {
        var twice = device()
        twice.nodes.append(twice.nodes[0])
        let data = try twice.json()
        #expect { try DeviceProfile.read(data, named: "p.json") } throws: {
            ($0 as? PlanningError)?.code == .duplicateName
        }
        let entry = try error(codec(), replacing: "u8/zlib", with: "u4/zlib")
        #expect(entry?.code == .duplicateName)
    }

    @Test(arguments: ["", "[]", "{", "null", "{\"schema\":1}", "{\"schema\":\"cleave.link-profile\"}"])
    func refusesWhatIsNoProfile(text: String) {
        #expect { try LinkProfile.read(Data(text.utf8), named: "p.json") } throws: { error in
            (error as? PlanningError)?.code == .malformed && "\(error)".hasPrefix("p.json")
        }
    }

    @Test func truncatedProfilesNeverTrap() throws {
        let data = try device().json()
        for length in stride(from: 0, to: data.count - 1, by: 7) {
            #expect(throws: PlanningError.self) { try DeviceProfile.read(data.prefix(length), named: "p.json") }
        }
    }

    @Test func presetsHaveDistinctNamesAndSources() {
        #expect(Set(LinkProfile.presets.map(\.name)).count == LinkProfile.presets.count)
        #expect(LinkProfile.preset(named: "4g")?.uplink == .megabits(5.85))
        #expect(LinkProfile.preset(named: "5g") == nil)
        for preset in LinkProfile.presets { #expect(!preset.source.isEmpty) }
    }

    @Test func timingsComeFromSamples() {
        let odd = Timing(samples: [5, 1, 3].map { Duration.milliseconds($0) })
        #expect(odd.median == .milliseconds(3) && odd.minimum == .milliseconds(1) && odd.p90 == .milliseconds(5))
        let ten = Timing(samples: (1...10).map { Duration.milliseconds($0) })
        #expect(ten.median == .microseconds(5_500) && ten.p90 == .milliseconds(9) && ten.runs == 10)
    }

    @Test func quantitiesDoNotOverflow() {
        #expect(ByteCount(Int64.max) + ByteCount(1) == ByteCount(Int64.max))
        #expect(BitRate(bitsPerSecond: 1e-300).transferTime(of: ByteCount(Int64.max)) == .seconds(100_000_000))
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        #expect(Duration.nanoseconds(-3).wholeNanoseconds == -3)
        #expect(BitRate.megabits(8).transferTime(of: ByteCount(1_000)) == .milliseconds(1))
    }
}
