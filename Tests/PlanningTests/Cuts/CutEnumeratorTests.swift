private import ModelGraph
private import Planning
internal import Testing

@Suite struct CutEnumeratorTests {
    /// All subsets of the nodes, kept by the definition of a legal cut.
    private func bruteForceHeads(_ graph: Graph) -> Set<Set<Int>> {
        let producers = graph.producers()
        var dependsOnInput = Set(graph.inputs)
        var active: [Int] = []
        for (index, node) in graph.nodes.enumerated()
        where node.inputs.contains(where: { dependsOnInput.contains($0!) }) {
            active.append(index)
            dependsOnInput.formUnion(node.outputs)
        }
        var heads: Set<Set<Int>> = []
        for mask in 0..<(1 << active.count) {
            var head = Set(active.indices.filter { mask & (1 << $0) != 0 }.map { active[$0] })
            let isClosed = head.allSatisfy { node in
                graph.nodes[node].inputs.allSatisfy { input in
                    guard dependsOnInput.contains(input!), let producer = producers[input!.index] else { return true }
                    return head.contains(producer.index)
                }
            }
            guard isClosed else { continue }
            if head.count == active.count {
                head = Set(graph.nodes.indices)
            } else {
                // What depends on constants alone follows the head nodes that need it.
                for node in graph.nodes.indices.reversed() where head.contains(node) {
                    for input in graph.nodes[node].inputs {
                        if let producer = producers[input!.index] { head.insert(producer.index) }
                    }
                }
            }
            heads.insert(head)
        }
        return heads
    }

    @Test(arguments: 0..<150 as Range<UInt64>)
    func findsEachDownsetOnce(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = Graph.random(
            nodes: .random(in: 0...11, using: &generator), using: &generator, passiveShare: seed % 3 == 0 ? 0.25 : 0)
        let cuts = CutEnumerator().cuts(of: graph)
        let heads = cuts.map { Set($0.headNodes.map(\.index)) }
        #expect(cuts.isExhaustive)
        #expect(Set(heads) == bruteForceHeads(graph), "seed \(seed)")
        #expect(Set(heads).count == heads.count, "seed \(seed): a cut stands twice")
        #expect(heads.last?.count == graph.nodes.count, "seed \(seed)")
        // Without a node that reads an activation, there is nothing to divide.
        #expect(heads.count == 1 || heads.first?.isEmpty == true, "seed \(seed)")
    }

    @Test func findsEachDownsetOfFourteenNodesOnce() {
        for seed in UInt64(1_000)..<1_006 {
            var generator = SeededGenerator(seed: seed)
            let graph = Graph.random(nodes: 14, using: &generator)
            let heads = CutEnumerator().cuts(of: graph).map { Set($0.headNodes.map(\.index)) }
            #expect(Set(heads) == bruteForceHeads(graph), "seed \(seed)")
            #expect(Set(heads).count == heads.count, "seed \(seed)")
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func queriesAgreeWithTheCuts(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = Graph.random(nodes: 12, using: &generator, passiveShare: 0.1)
        let weights = graph.nodes.map { _ in Int64.random(in: 0...1_000, using: &generator) }
        let cuts = CutEnumerator().cuts(of: graph)
        let sums = cuts.headSums(of: weights)
        for (position, cut) in cuts.enumerated() {
            #expect(sums[position] == cuts.headSum(of: weights, at: position), "seed \(seed)")
            #expect(cuts.headOutputs(at: position) == cut.headOutputs, "seed \(seed)")
            #expect(Array(cuts.boundary(at: position)) == cut.boundary, "seed \(seed)")
            #expect(cuts.headNodeCount(at: position) == cut.headNodes.count)
            #expect(cuts.headSum(of: weights, at: position) == cut.headNodes.reduce(0) { $0 + weights[$1.index] })
            #expect(cuts.isCloudOnly(at: position) == cut.isCloudOnly)
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func namesLeadBackToTheCut(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = Graph.random(nodes: 10, using: &generator)
        for cut in CutEnumerator().cuts(of: graph) where cut.boundary.allSatisfy({ graph[$0].constant == nil }) {
            let named = try Cut(
                sending: cut.boundary.map { graph[$0].name }, keeping: cut.headOutputs.map { graph[$0].name }, of: graph
            )
            #expect(named == cut, "seed \(seed)")
        }
    }

    @Test func refusesNamesThatAreNoCut() throws {
        var graph = Graph(name: "residual")
        let input = graph.addInput("input", Graph.activation)
        let main = graph.addChain("main", from: input, length: 2)
        graph.outputs = [graph.add("sum", [main, input])]
        let inside = try Cut(sending: ["input", "main.0"], keeping: [], of: graph)
        #expect(inside.headNodes == [NodeID(0)])
        #expect { try Cut(sending: ["main.1"], keeping: [], of: graph) } throws: {
            ($0 as? GraphError)?.code == .illegalCut
        }
        #expect { try Cut(sending: ["none"], keeping: [], of: graph) } throws: {
            ($0 as? GraphError)?.code == .unknownName
        }
        #expect { try Cut(sending: [], keeping: ["main.0"], of: graph) } throws: {
            ($0 as? GraphError)?.code == .unknownName
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func offersOnlyWhatMayBeSent(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let graph = Graph.random(nodes: 10, using: &generator, int64Share: 0.3)
        let all = CutEnumerator(isOffered: { _ in true }).cuts(of: graph)
        let offered = CutEnumerator().cuts(of: graph)
        let expected = all.enumerated().filter { position, cut in
            position == 0 || position == all.count - 1
                || cut.boundary.allSatisfy { graph[$0].type.elementType == .float32 }
        }
        #expect(Array(offered) == expected.map(\.element), "seed \(seed)")
        #expect(offered.withheldCount == all.count - offered.count)
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func fallsBackToPrefixesBeyondTheLimit(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let graph = Graph.random(nodes: 12, using: &generator)
        let all = CutEnumerator().cuts(of: graph)
        let some = CutEnumerator(limit: all.count - 1).cuts(of: graph)
        #expect(!some.isExhaustive)
        #expect(CutEnumerator(limit: all.count).cuts(of: graph).isExhaustive)
        #expect(some.count <= 3 * (graph.nodes.count + 1))
        #expect(Set(some).isSubset(of: Set(all)) && Set(some).count == some.count, "seed \(seed)")
        #expect(some.first == .cloudOnly(of: graph) && some.last == .edgeOnly(of: graph))
        for length in graph.nodes.indices {
            #expect(some.contains { $0.headNodes == (0..<length).map(NodeID.init) }, "seed \(seed): prefix \(length)")
        }
    }

    @Test func fallsBackOnAGraphWithAstronomicallyManyCuts() {
        var graph = Graph(name: "wide")
        let input = graph.addInput("input", Graph.activation)
        let branches = (0..<60).map { graph.addChain("b\($0)", from: input, length: 3) }
        graph.outputs = [graph.add("concat", branches)]
        let cuts = CutEnumerator().cuts(of: graph)
        #expect(!cuts.isExhaustive)
        // Depth first finishes the branches one by one, the graph's own order does the same.
        #expect(cuts.count >= 182)
    }

    @Test func countsTheCutsOfKnownNetworks() {
        // 1 + 4 in the stem, 10 for each of 12 identity blocks, 9·3 − 1 + 2 for each of 4 projections, 3 at the end.
        #expect(CutEnumerator().cuts(of: .resNet50Shaped()).count == 5 + 12 * 10 + 4 * 28 + 3)
        // Each module adds the product over its branches of their prefixes, the last module's concat included.
        let straight = 3 * (4 * 7 * 10 * 5) + 4 * 10 * 2 + 4 * (4 * 10 * 16 * 5) + 7 * 13 * 2
        let forked = 2 * (4 * (4 + 15 + 1) * (7 + 15 + 1) * 5)
        #expect(CutEnumerator().cuts(of: .inceptionV3Shaped()).count == 1 + 17 + straight + forked + 3)
    }

    @Test func handlesTheEmptyGraph() {
        var graph = Graph(name: "empty")
        let input = graph.addInput("input", Graph.activation)
        graph.outputs = [input]
        let cuts = CutEnumerator().cuts(of: graph)
        #expect(cuts.count == 1)
        #expect(cuts[0].isEdgeOnly)
    }
}
