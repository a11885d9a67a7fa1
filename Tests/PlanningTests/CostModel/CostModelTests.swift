private import FoundationEssentials
private import ModelGraph
private import Planning
internal import Testing

@Suite struct CostModelTests {
    private func chain() -> Graph {
        var graph = Graph(name: "chain")
        graph.outputs = [graph.addChain("c", from: graph.addInput("input", Graph.activation), length: 3)]
        return graph
    }

    private func entry(_ boundary: String, _ bytes: Int) -> CodecProfile.Entry {
        CodecProfile.Entry(
            boundary: boundary, mode: "u8", elements: 128, encoded: ByteCount(bytes), encode: .exactly(700),
            decode: .exactly(400), top1Agreement: 0.99)
    }

    private func profiles(
        _ graph: Graph, _ entries: [CodecProfile.Entry], wholeShare: Double = 1, parts: [DeviceProfile.PartTiming] = []
    ) -> ProfileSet {
        ProfileSet(
            edge: .test(.edge, graph, nanoseconds: { _ in 1_000_000 }, wholeShare: wholeShare, parts: parts),
            cloud: .test(.cloud, graph, nanoseconds: { _ in 100_000 }),
            codec: CodecProfile(provenance: .test, model: .test, images: 50, entries: entries), input: .test())
    }

    @Test func addsUpEachStep() throws {
        let graph = chain()
        let cuts = CutEnumerator().cuts(of: graph)
        let link = LinkProfile(
            name: "l", roundTrip: .milliseconds(10), uplink: .megabits(8), downlink: .megabits(4), source: "made up")
        let model = try CostModel(cuts: cuts, profiles: profiles(graph, [entry("c.0", 1_000)]), link: link)
        let boundary = cuts.boundary(at: 1)
        let cost = model.cost(
            ofCutAt: 1, boundary: boundary, encoding: try #require(model.encoding(of: boundary, mode: 0)))
        #expect(cost.edgePreprocess == .microseconds(1_500 + 700))
        #expect(cost.head == .milliseconds(1))
        #expect(cost.encode == .nanoseconds(700))
        #expect(cost.uplink == .milliseconds(1))
        #expect(cost.roundTrip == .milliseconds(10))
        #expect(cost.decode == .nanoseconds(400))
        #expect(cost.cloudPreprocess == .zero)
        #expect(cost.tail == .microseconds(200))
        // The answer: 128 float32 at 4 Mbit/s.
        #expect(cost.downlinkBytes == ByteCount(512))
        #expect(cost.downlink == .microseconds(1_024))
        #expect(cost.latency == CostComponent.allCases.reduce(.zero) { $0 + cost[$1] })
        #expect(cost.edgeTime == cost.edgePreprocess + cost.head + cost.encode)
        #expect(cost.bottleneck == cost.edgeTime)
        #expect(model.encoding(of: cuts.boundary(at: 2), mode: 0) == nil)
    }

    @Test func cloudOnlyUploadsAJPEGAndEdgeOnlyUsesNoLink() throws {
        let graph = chain()
        let model = try CostModel(
            cuts: CutEnumerator().cuts(of: graph), profiles: profiles(graph, []), link: .mobile3G, answer: ByteCount(40)
        )
        let cloud = model.cloudOnlyCost()
        #expect(cloud.uplinkBytes == ByteCount(30_000))
        #expect(cloud.uplink == LinkProfile.mobile3G.uplink.transferTime(of: ByteCount(30_000)))
        #expect(cloud.encode == .milliseconds(2) && cloud.decode == .milliseconds(1))
        #expect(cloud.cloudPreprocess == .microseconds(300) && cloud.tail == .microseconds(300))
        #expect(cloud.edgePreprocess == .zero && cloud.head == .zero)
        #expect(cloud.downlinkBytes == ByteCount(40))
        let edge = model.edgeOnlyCost()
        #expect(edge.latency == .microseconds(1_500 + 700) + .milliseconds(3))
        #expect(edge.roundTrip == .zero && edge.uplinkBytes == .zero && edge.downlink == .zero)
    }

    @Test func scalesNodesToTheWholeNetworkUnlessThePartWasMeasured() throws {
        let graph = chain()
        let cuts = CutEnumerator().cuts(of: graph)
        let part = DeviceProfile.PartTiming(cut: "c.1", timing: .exactly(1_234_567))
        let model = try CostModel(
            cuts: cuts, profiles: profiles(graph, [entry("c.0", 9), entry("c.1", 9)], wholeShare: 0.8, parts: [part]),
            link: .wifi)
        func head(_ position: Int) throws -> Duration {
            let boundary = cuts.boundary(at: position)
            let encoding = try #require(model.encoding(of: boundary, mode: 0))
            return model.cost(ofCutAt: position, boundary: boundary, encoding: encoding).head
        }
        #expect(try head(1) == .microseconds(800))
        #expect(try head(2) == .nanoseconds(1_234_567))
    }

    @Test func composesABoundaryFromItsTensors() throws {
        var graph = Graph(name: "residual")
        let input = graph.addInput("input", Graph.activation)
        let main = graph.addChain("main", from: input, length: 2)
        graph.outputs = [graph.add("sum", [main, input])]
        let cuts = CutEnumerator().cuts(of: graph)
        let inside = try #require(cuts.indices.first { cuts.boundary(at: $0).count == 2 })
        let boundary = cuts.boundary(at: inside)
        func encoding(_ entries: [CodecProfile.Entry]) throws -> CostModel.Encoding? {
            try CostModel(cuts: cuts, profiles: profiles(graph, entries), link: .wifi)
                .encoding(of: boundary, mode: 0)
        }
        let composed = try #require(try encoding([entry("input", 5), entry("main.0", 7)]))
        #expect(composed.size == ByteCount(12) && composed.encode == .nanoseconds(1_400) && composed.isComposed)
        #expect(composed.top1Agreement == nil)
        let whole = try #require(try encoding([entry("input", 5), entry("main.0", 7), entry("input+main.0", 11)]))
        #expect(whole.size == ByteCount(11) && !whole.isComposed && whole.top1Agreement == 0.99)
        #expect(try encoding([entry("input", 5)]) == nil)
    }

    @Test func throughputIsThatOfTheBusiestStage() {
        var cost = CostBreakdown()
        cost.head = .milliseconds(4)
        cost.uplink = .milliseconds(5)
        cost.tail = .milliseconds(3)
        cost.decode = .milliseconds(1)
        cost.roundTrip = .milliseconds(100)
        #expect(cost.bottleneck == .milliseconds(5))
        #expect(abs(cost.throughput - 200) < 1e-9)
    }

    @Test func breakdownsSurviveJSON() throws {
        var cost = CostBreakdown()
        for (index, component) in CostComponent.allCases.enumerated() { cost[component] = .nanoseconds(1 << index) }
        cost.uplinkBytes = ByteCount(12)
        cost.downlinkBytes = ByteCount(34)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let data = try encoder.encode(cost)
        #expect(try JSONDecoder().decode(CostBreakdown.self, from: data) == cost)
        #expect(String(decoding: data, as: UTF8.self).contains("\"tailNanoseconds\":256"))
        let old = String(decoding: data, as: UTF8.self).replacing("\"cloudWaitNanoseconds\":32,", with: "")
        cost.cloudWait = .zero
        #expect(try JSONDecoder().decode(CostBreakdown.self, from: Data(old.utf8)) == cost)
    }
}
