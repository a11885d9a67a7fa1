internal import ModelGraph

/// Graphs given by their wiring alone: enumeration and costs look at nothing else.
extension Graph {
    static let activation = TensorType(.float32, [1, 8, 4, 4])

    /// Adds a node named after its output, without shape inference.
    @discardableResult
    mutating func add(_ name: String, _ inputs: [ValueID], type: TensorType = Graph.activation) -> ValueID {
        let output = addValue(name, type)
        nodes.append(Node(name: "node \(name)", operation: .identity, inputs: inputs, outputs: [output]))
        return output
    }

    /// `length` nodes one after another.
    mutating func addChain(_ name: String, from input: ValueID, length: Int) -> ValueID {
        (0..<length).reduce(input) { value, step in add("\(name).\(step)", [value]) }
    }

    /// Makes every activation that nothing reads an output.
    mutating func outputUnread() {
        let consumers = self.consumers()
        outputs = values.indices.filter {
            consumers[$0].isEmpty && values[$0].constant == nil && producers()[$0] != nil
        }
        .map(ValueID.init)
    }

    static func random(
        nodes count: Int, using generator: inout SeededGenerator, passiveShare: Double = 0, int64Share: Double = 0
    ) -> Graph {
        var graph = Graph(name: "random")
        var sources = [graph.addInput("input", activation)]
        if generator.chance(0.3) { sources.append(graph.addInput("second input", activation)) }
        let constant = graph.addConstant("weights", Tensor([Float](repeating: 0, count: 128), shape: activation.shape))
        var passive = [constant]
        for index in 0..<count {
            let type = generator.chance(int64Share) ? TensorType(.int64, [4]) : activation
            if generator.chance(passiveShare) {
                passive.append(graph.add("p\(index)", [passive.randomElement(using: &generator)!], type: type))
                continue
            }
            var inputs = [sources.suffix(5).randomElement(using: &generator)!]
            if generator.chance(0.5) { inputs.append(sources.randomElement(using: &generator)!) }
            if generator.chance(0.4) { inputs.append(passive.randomElement(using: &generator)!) }
            sources.append(graph.add("v\(index)", inputs, type: type))
        }
        graph.outputUnread()
        return graph
    }

    /// ResNet-50's wiring with convolution, normalisation and activation as separate nodes.
    static func resNet50Shaped() -> Graph {
        var graph = Graph(name: "resnet50")
        var value = graph.addChain("stem", from: graph.addInput("input", activation), length: 4)
        for block in 0..<16 {
            let main = graph.addChain("\(block).main", from: value, length: 8)
            let isProjection = [0, 3, 7, 13].contains(block)
            let shortcut = isProjection ? graph.addChain("\(block).shortcut", from: value, length: 2) : value
            value = graph.addChain("\(block).relu", from: graph.add("\(block).add", [main, shortcut]), length: 1)
        }
        graph.outputs = [graph.addChain("head", from: value, length: 3)]
        return graph
    }

    /// Inception-v3's wiring with convolution, normalisation and activation as separate nodes.
    static func inceptionV3Shaped() -> Graph {
        var graph = Graph(name: "inception")
        var value = graph.addChain("stem", from: graph.addInput("input", activation), length: 17)
        let straight: [[Int]] = [
            [3, 6, 9, 4], [3, 6, 9, 4], [3, 6, 9, 4], [3, 9, 1], [3, 9, 15, 4], [3, 9, 15, 4], [3, 9, 15, 4],
            [3, 9, 15, 4], [6, 12, 1],
        ]
        for (module, lengths) in straight.enumerated() {
            let branches = lengths.enumerated().map { branch, length in
                graph.addChain("\(module).\(branch)", from: value, length: length)
            }
            value = graph.add("\(module).concat", branches)
        }
        for module in 9..<11 {
            var branches = [graph.addChain("\(module).0", from: value, length: 3)]
            for (branch, length) in [(1, 3), (2, 6)] {
                let trunk = graph.addChain("\(module).\(branch)", from: value, length: length)
                let forks = ["a", "b"].map { graph.addChain("\(module).\(branch)\($0)", from: trunk, length: 3) }
                branches.append(graph.add("\(module).\(branch).concat", forks))
            }
            branches.append(graph.addChain("\(module).3", from: value, length: 4))
            value = graph.add("\(module).concat", branches)
        }
        graph.outputs = [graph.addChain("head", from: value, length: 3)]
        return graph
    }
}
