internal import ModelGraph

/// The rules that a manifest keeps beside those of JSON: what is opened later, and executed, relies on them.
extension Manifest {
    /// A graph whose activations take more than this together is no network for one machine (16 GiB).
    static let maximumActivationByteCount = 1 << 34
    static let maximumRank = 16

    /// The graph, with constants as `constant` gives them.
    /// - Throws: `ModelStoreError.invalidGraph`, `.malformed`, and what `constant` throws.
    func makeGraph(
        constant: (_ section: Int, TensorType, _ holder: String) throws(ModelStoreError) -> Tensor
    ) throws(ModelStoreError) -> Graph {
        var values: [Value] = []
        for record in graph.values {
            let type = TensorType(record.elementType, record.shape)
            let holder = "constant \(record.name)"
            let tensor = try record.section.map { (section) throws(ModelStoreError) in
                try constant(section, type, holder)
            }
            values.append(Value(name: record.name, type: type, constant: tensor))
        }
        let nodes = graph.nodes.map { record in
            Node(
                name: record.name, operation: record.operation, inputs: record.inputs.map { $0.map(ValueID.init) },
                outputs: record.outputs.map(ValueID.init))
        }
        let graph = Graph(
            name: graph.name, values: values, nodes: nodes, inputs: self.graph.inputs.map(ValueID.init),
            outputs: self.graph.outputs.map(ValueID.init))
        try graph.checkForPackage()
        return graph
    }
}

extension Graph {
    /// - Throws: `ModelStoreError.invalidGraph` for a graph that breaks its rules, `.malformed` for one too large.
    func checkForPackage() throws(ModelStoreError) {
        var activationByteCount = 0
        for value in values {
            guard value.type.shape.rank <= Manifest.maximumRank else {
                throw ModelStoreError(
                    .malformed, "too many axes", part: "value \(value.name)",
                    expected: "at most \(Manifest.maximumRank)",
                    got: "\(value.type.shape.rank)")
            }
            // A value alone takes less than 2⁴⁴ bytes, so the sum is stopped long before it overflows.
            if value.constant == nil { activationByteCount += value.type.byteCount }
            guard activationByteCount <= Manifest.maximumActivationByteCount else {
                throw ModelStoreError(
                    .malformed, "the activations are too large", part: "manifest",
                    expected: "at most \(Manifest.maximumActivationByteCount) bytes together")
            }
        }
        do throws(GraphError) {
            try verify()
        } catch {
            throw ModelStoreError(.invalidGraph, "the graph breaks a rule", part: "manifest", cause: error)
        }
    }
}

extension Manifest.QuantizationRecord {
    /// Checks that the quantisation is one of `graph`.
    func check(against graph: Graph) throws(ModelStoreError) {
        try Self.require(
            activations.count == graph.values.count, "quantisations of values", "manifest",
            expected: graph.values.count, got: activations.count)
        try Self.require(
            weights.count == graph.nodes.count, "integer weights of nodes", "manifest", expected: graph.nodes.count,
            got: weights.count)
        for (value, quantization) in zip(graph.values, activations) where quantization != nil {
            try Self.require(
                value.constant == nil && value.type.elementType == .float32, "quantisation", "value \(value.name)",
                expected: "a float32 activation", got: value.constant == nil ? "\(value.type)" : "a constant")
        }
        for (node, record) in zip(graph.nodes, weights) {
            guard let record else { continue }
            let expected = node.integerWeightShape(in: graph)
            try Self.require(
                record.shape == expected, "shape of integer weights", "node \(node.name)",
                expected: expected.map(String.init(describing:)) ?? "none for \(node.operation.kind)", got: record.shape
            )
        }
    }

    private static func require(
        _ holds: Bool, _ what: String, _ part: String, expected: some CustomStringConvertible,
        got: some CustomStringConvertible
    ) throws(ModelStoreError) {
        guard holds else {
            throw ModelStoreError(.malformed, what, part: part, expected: "\(expected)", got: "\(got)")
        }
    }
}

extension Node {
    /// The shape that the node's integer weights must have; `nil` when it can have none.
    fileprivate func integerWeightShape(in graph: Graph) -> Shape? {
        guard inputs.count > 1, let operand = inputs[1] else { return nil }
        let shape = graph[operand].type.shape
        switch operation {
        case .convolution: return shape
        case .gemm(let gemm) where shape.rank == 2: return gemm.transposesB ? shape : [shape[1], shape[0]]
        case .matrixProduct where shape.rank == 2: return [shape[1], shape[0]]
        default: return nil
        }
    }
}

extension ModelCard {
    func check() throws(ModelStoreError) {
        func require(_ holds: Bool, _ what: String, expected: String, got: String) throws(ModelStoreError) {
            guard holds else {
                throw ModelStoreError(.malformed, what, part: "manifest", expected: expected, got: got)
            }
        }
        if let calibration {
            try require(
                calibration.inputCount >= 1, "inputs of the calibration", expected: "at least 1",
                got: "\(calibration.inputCount)")
        }
        for entry in accuracy {
            let place = "at cut \(entry.boundary.joined(separator: "+"))"
            try require(
                entry.sampleCount >= 1, "samples \(place)", expected: "at least 1", got: "\(entry.sampleCount)")
            try require(
                (0...1).contains(entry.top1Agreement), "top-1 agreement \(place)", expected: "0...1",
                got: "\(entry.top1Agreement)")
            try require(
                entry.outputCosine.isFinite, "output cosine \(place)", expected: "a finite number",
                got: "\(entry.outputCosine)")
        }
    }
}
