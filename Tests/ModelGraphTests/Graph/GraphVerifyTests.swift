internal import ModelGraph
internal import TestSupport
internal import Testing

@Suite struct GraphVerifyTests {
    @Test func soundGraphsPass() throws {
        for graph in TestGraphs.all { try graph.verify() }
    }

    /// One broken rule each, and the place that the error names.
    struct Defect: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var location: String
        var inflict: @Sendable (inout Graph) -> Void
    }

    static let defects: [Defect] = [
        Defect(testDescription: "operand out of range", location: "conv2") { $0.nodes[1].inputs[0] = ValueID(999) },
        Defect(testDescription: "negative operand", location: "conv2") { $0.nodes[1].inputs[0] = ValueID(-1) },
        Defect(testDescription: "result out of range", location: "conv2") { $0.nodes[1].outputs[0] = ValueID(999) },
        Defect(testDescription: "output out of range", location: "chain") { $0.outputs = [ValueID(999)] },
        Defect(testDescription: "output twice", location: "chain") { $0.outputs.append($0.outputs[0]) },
        Defect(testDescription: "value name twice", location: "image") { $0.values[3].name = "image" },
        Defect(testDescription: "node name twice", location: "conv1") { $0.nodes[1].name = "conv1" },
        Defect(testDescription: "not in topological order", location: "conv2") { $0.nodes.swapAt(0, 1) },
        Defect(testDescription: "computed twice", location: "conv1.again") {
            var node = $0.nodes[0]
            node.name = "conv1.again"
            $0.nodes.append(node)
        },
        Defect(testDescription: "no origin", location: "orphan") { $0.addValue("orphan", TensorType(.float32, [1])) },
        Defect(testDescription: "constant as graph input", location: "conv1.w") {
            guard let weights = $0.value(named: "conv1.w") else { return }
            $0.inputs.append(weights)
        },
        Defect(testDescription: "stored type differs", location: "conv1") {
            $0[$0.nodes[0].outputs[0]].type = TensorType(.float32, [1, 8, 8, 9])
        },
        Defect(testDescription: "constant of another type", location: "conv1.w") {
            guard let weights = $0.value(named: "conv1.w") else { return }
            $0[weights].type.elementType = .int32
        },
        Defect(testDescription: "operands do not fit", location: "conv2") {
            $0.nodes[1].operation = .convolution(Convolution(window: Window(kernel: [3, 3]), groups: 3))
        },
        Defect(testDescription: "operand missing", location: "conv2") { $0.nodes[1].inputs = [nil] },
    ]

    @Test(arguments: defects)
    func eachRuleIsChecked(defect: Defect) throws {
        var graph = TestGraphs.chain()
        defect.inflict(&graph)
        let error = #expect(throws: GraphError.self) { try graph.verify() }
        #expect(error?.location == defect.location)
    }
}
