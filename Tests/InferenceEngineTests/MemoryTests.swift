internal import InferenceEngine
internal import ModelGraph
internal import TestSupport
internal import Testing

/// What a session holds for activations.
@Suite struct MemoryTests {
    private let plane = 4 * 8 * 8

    /// Elementwise work takes its operand's place, a sum that of what it adds.
    @Test func resultsTakeTheirOperandsPlace() throws {
        var builder = GraphBuilder(name: "inPlace", seed: 1)
        var value = builder.input("x", [1, 4, 8, 8])
        for index in 0..<4 { value = builder.relu("relu\(index)", value) }
        let product = builder.convolution("product", value, outputs: 4)
        builder.output(builder.node("sum", .binary(.add, activation: nil), product, value))
        let form = PortRequest.exactly(TensorForm(layout: .channelsLast))
        let options = PreparationOptions(defaultInput: form, defaultOutput: form)
        // The convolution reads what it is added to, so that needs a second place.
        #expect(try PreparedModel(builder.graph, options: options).arenaByteCount == 2 * plane * 4)
    }

    @Test func operandsOfConcatenationsNeedNoMemoryOfTheirOwn() throws {
        var builder = GraphBuilder(name: "concatenated", seed: 2)
        let x = builder.input("x", [1, 4, 8, 8])
        let parts = (0..<3).map { builder.convolution("part\($0)", x, outputs: 4) }
        let joined = builder.node("joined", .concat(axis: 1), parts)
        builder.output(builder.node("again", .concat(axis: 1), joined, builder.convolution("last", joined, outputs: 4)))
        let form = PortRequest.exactly(TensorForm(layout: .channelsLast))
        let options = PreparationOptions(defaultInput: form, defaultOutput: form)
        #expect(try PreparedModel(builder.graph, options: options).arenaByteCount == 5 * plane * 4)
    }

    /// Wide branches written down side by side run one after the other.
    @Test func branchesAreFinishedBeforeOthersStart() throws {
        var builder = GraphBuilder(name: "branches", seed: 3)
        let x = builder.input("x", [1, 4, 8, 8])
        let wide = (0..<4).map { builder.convolution("wide\($0)", x, outputs: 64) }
        let narrow = wide.enumerated().map { builder.convolution("narrow\($0)", $1, outputs: 1) }
        builder.output(builder.node("joined", .concat(axis: 1), narrow))
        let form = PortRequest.exactly(TensorForm(layout: .channelsLast))
        let options = PreparationOptions(defaultInput: form, defaultOutput: form)
        let bytes = try PreparedModel(builder.graph, options: options).arenaByteCount
        #expect(bytes == (64 + 4 + 4) * 8 * 8 * 4)
    }
}
