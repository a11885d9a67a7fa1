extension Graph {
    /// Checks every rule that the rest of the program relies on.
    ///
    /// - Throws: `GraphError.malformed` naming the first value or node that breaks a rule, or what shape inference
    ///   throws for a node whose operands do not fit.
    package func verify() throws(GraphError) {
        try verifyReferences()
        try verifyNames()
        try verifyOrigins()
        for node in nodes { try verifyTypes(of: node) }
    }

    private func malformed(_ message: String, at location: String? = nil) -> GraphError {
        GraphError(.malformed, message, at: location ?? name)
    }

    /// Every identifier names an existing value.
    func verifyReferences() throws(GraphError) {
        func check(_ ids: [ValueID], _ role: String, at location: String) throws(GraphError) {
            for id in ids where !values.indices.contains(id.index) {
                throw malformed("\(role) \(id.index) does not exist; there are \(values.count) values", at: location)
            }
        }
        try check(inputs, "graph input", at: name)
        try check(outputs, "graph output", at: name)
        for node in nodes {
            try check(node.inputs.compactMap(\.self), "operand", at: node.name)
            try check(node.outputs, "result", at: node.name)
        }
    }

    private func verifyNames() throws(GraphError) {
        var valueNames: Set<String> = []
        for value in values where !valueNames.insert(value.name).inserted {
            throw malformed("two values have this name", at: value.name)
        }
        var nodeNames: Set<String> = []
        for node in nodes where !nodeNames.insert(node.name).inserted {
            throw malformed("two nodes have this name", at: node.name)
        }
        guard Set(outputs).count == outputs.count else { throw malformed("an output is listed twice") }
    }

    /// Every value is exactly one of graph input, constant and node output, and is there before it is read.
    private func verifyOrigins() throws(GraphError) {
        var isKnown = [Bool](repeating: false, count: values.count)
        for (index, value) in values.enumerated() {
            guard let constant = value.constant else { continue }
            guard constant.type == value.type else {
                throw malformed("the constant is \(constant.type), its value is \(value.type)", at: value.name)
            }
            isKnown[index] = true
        }
        for input in inputs {
            guard !isKnown[input.index] else {
                throw malformed("a graph input is a constant or is listed twice", at: self[input].name)
            }
            isKnown[input.index] = true
        }
        for node in nodes {
            for case let input? in node.inputs where !isKnown[input.index] {
                throw malformed("reads \(self[input].name) before it is computed", at: node.name)
            }
            for output in node.outputs {
                guard !isKnown[output.index] else {
                    throw malformed("computes \(self[output].name), which has another origin", at: node.name)
                }
                isKnown[output.index] = true
            }
        }
        for (index, value) in values.enumerated() where !isKnown[index] {
            throw malformed("neither a graph input nor a constant, and no node computes it", at: value.name)
        }
    }

    private func verifyTypes(of node: Node) throws(GraphError) {
        let inferred = try node.operation.inferOutputTypes(
            inputs: node.inputs.map { id in id.map { self[$0].type } }, outputCount: node.outputs.count, node: node.name
        )
        for (output, type) in zip(node.outputs, inferred) where self[output].type != type {
            throw malformed(
                "\(self[output].name) is stored as \(self[output].type), inferred as \(type)", at: node.name)
        }
    }
}
