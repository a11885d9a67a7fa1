internal import ModelGraph
internal import Planning
internal import Simulation
internal import TestSupport
internal import Testing

@Suite struct ChoiceSetTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func nothingIsLost(seed: UInt64) throws {
        let network = try TestNetwork(seed: seed)
        let choices = try network.choices()
        // Every cut but edge-only in both modes, edge-only, and the JPEG; the planner's options are among these.
        #expect(choices.all.count == 2 * (network.model.cuts.count - 1) + 2)
        #expect(choices.all[choices.edgeOnly].strategy == .edgeOnly)
        #expect(choices.cloudOnly.map { choices.all[$0].strategy } == .cloudOnly)
        #expect(choices.tableChoices.count == choices.table.options.count)
        for (option, choice) in zip(choices.table.options, choices.tableChoices) {
            #expect(choices.all[choice].label == option.label)
            #expect(choices.all[choice].uploadBytes == option.cost.uplinkBytes.bytes)
        }
    }

    /// On every link the fastest of all choices is among the undominated ones, and the table's answer is as fast.
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func theFastestIsKept(seed: UInt64) throws {
        let choices = try TestNetwork(seed: seed).choices()
        var generator = SplitMix64(seed: seed)
        for _ in 0..<300 {
            let conditions = DecisionTable.Conditions(
                uplink: .random(in: 1e4...1e8, using: &generator), roundTrip: .random(in: 0...0.1, using: &generator),
                cloudWait: .random(in: 0...0.05, using: &generator))
            func latency(_ choice: Choice) -> Double {
                let seconds = Double(choice.edge + choice.cloud) / 1e9
                guard choice.isRemote else { return seconds }
                return seconds + 8 * Double(choice.uploadBytes) / conditions.uplink + conditions.roundTrip
                    + conditions.cloudWait
            }
            let least = choices.all.map(latency).min()!
            #expect(abs(choices.undominated.map { latency(choices.all[$0]) }.min()! - least) < 1e-9, "seed \(seed)")
            let table = latency(choices.all[choices.tableChoices[choices.table.fastest(conditions)]])
            #expect(abs(table - least) < 1e-6, "seed \(seed), \(conditions)")
        }
    }

    @Test func constraintsBindEveryPolicy() throws {
        let network = try TestNetwork(seed: 3)
        let kept = try network.choices(PlanConstraints(privacy: .nodesBeforeBoundary(1)))
        #expect(kept.cloudOnly == nil)
        #expect(!kept.all.contains { $0.strategy == .cloudOnly || $0.label.hasPrefix("input") })
        let exact = try network.choices(PlanConstraints(maximumAccuracyLoss: 0.015))
        #expect(!exact.all.contains { $0.strategy == .split && $0.label.isEmpty })
        #expect(exact.table.options.allSatisfy { $0.strategy != .edgeOnly }, "edge-only loses 2 %")
    }

    @Test func theRivalsCodecMustBeMeasured() throws {
        let model = try TestNetwork(seed: 1).model
        let error = #expect(throws: SimulationError.self) { try ChoiceSet(model, rivalMode: "1bit/none") }
        #expect(error?.code == .invalidScenario)
        #expect(error?.message.contains("4bit/rle, 8bit/rle") == true)
    }
}
