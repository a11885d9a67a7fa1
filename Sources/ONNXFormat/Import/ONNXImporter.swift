internal import ModelGraph

/// Turns a parsed model into a graph, node by node in the file's order.
struct ONNXImporter {
    static let supportedOperatorSets: ClosedRange<Int64> = 7...25

    private let model: ONNXModel
    private let options: ONNXImportOptions
    private var externalData: ExternalData
    private var result: Graph
    /// The values defined so far, by name.
    private var values: [String: ValueID] = [:]
    /// Every name the file uses or we made up.
    private var takenNames: Set<String> = []
    private var takenNodeNames: Set<String> = []
    /// The file's node names met so far.
    private var usedNodeNames: Set<String> = []
    /// Names that some node or the graph's outputs read.
    private var readNames: Set<String> = []
    private var foldedByteCount = 0

    init(_ model: ONNXModel, externalData: ExternalData, options: ONNXImportOptions) {
        self.model = model
        self.options = options
        self.externalData = externalData
        result = Graph(name: model.graph.name.isEmpty ? "model" : model.graph.name)
    }

    mutating func graph() throws(ONNXError) -> Graph {
        let operatorSet = try checkedOperatorSet()
        guard !model.graph.hasSparseInitializers else {
            throw ONNXError(.unsupportedType, "sparse initialisers are not supported", at: .model)
        }
        for node in model.graph.nodes {
            takenNames.formUnion(node.outputs)
            readNames.formUnion(node.inputs)
            takenNodeNames.insert(node.name)
        }
        readNames.formUnion(model.graph.outputs.map(\.name))
        try addInitializers()
        try addInputs()
        for (index, node) in model.graph.nodes.enumerated() {
            try add(node, index: index, operatorSet: operatorSet)
        }
        var listed: Set<ValueID> = []
        for output in model.graph.outputs {
            let id = try value(output.name, readBy: .value(output.name))
            guard listed.insert(id).inserted else {
                throw ONNXError(.invalidName, "the output is listed twice", at: .value(output.name))
            }
            result.outputs.append(id)
        }
        do throws(GraphError) {
            return try result.extracting(inputs: result.inputs, outputs: result.outputs, name: result.name)
        } catch {
            throw ONNXError(.invalidGraph, "the graph's outputs cannot be computed", at: .model, cause: error)
        }
    }

    private func checkedOperatorSet() throws(ONNXError) -> Int {
        guard model.irVersion >= 1 else {
            throw ONNXError(
                .unsupportedVersion, "there is no IR version; is this an ONNX model?", at: .model,
                expected: "1 or more",
                got: "\(model.irVersion)")
        }
        let expected = "\(Self.supportedOperatorSets.lowerBound) to \(Self.supportedOperatorSets.upperBound)"
        guard let version = model.operatorSets[""] else {
            throw ONNXError(
                .unsupportedVersion, "the model imports no default operator set", at: .model, expected: expected)
        }
        guard Self.supportedOperatorSets.contains(version) else {
            throw ONNXError(
                .unsupportedVersion, "the operator set version is not supported", at: .model, expected: expected,
                got: "\(version)")
        }
        return Int(version)
    }
}

// MARK: Inputs and initialisers

extension ONNXImporter {
    private mutating func addInitializers() throws(ONNXError) {
        for initializer in model.graph.initializers {
            try define(
                initializer.name,
                as: result.addConstant(initializer.name, initializer.tensor(externalData: &externalData)))
        }
    }

    private mutating func addInputs() throws(ONNXError) {
        // Before IR version 4 initialisers are listed as inputs too.
        let initializerNames = Set(model.graph.initializers.map(\.name))
        let inputs = model.graph.inputs.filter { !initializerNames.contains($0.name) }
        let names = Set(inputs.map(\.name))
        for name in (Set(options.inputShapes.keys).union(options.fixedInputs.keys)).subtracting(names).sorted() {
            throw ONNXError(
                .invalidOption, "an option names an input that the model lacks", at: .value(name),
                expected: inputs.map(\.name).joined(separator: ", "))
        }
        for input in inputs {
            let fixed = options.fixedInputs[input.name]
            let type = try type(of: input, fixed: fixed?.shape)
            guard fixed == nil || fixed?.type == type else {
                throw ONNXError(
                    .invalidOption, "the fixed input does not fit its declaration", at: .value(input.name),
                    expected: "\(type)", got: fixed.map { "\($0.type)" })
            }
            let id = fixed.map { result.addConstant(input.name, $0) } ?? result.addInput(input.name, type)
            try define(input.name, as: id)
        }
    }

    private func type(of input: ONNXValueInfo, fixed: Shape?) throws(ONNXError) -> TensorType {
        let location = ONNXError.Location.value(input.name)
        guard let code = input.elementType else {
            throw ONNXError(.unsupportedType, "the input is no tensor", at: location)
        }
        guard let elementType = ElementType(onnxDataType: code) else {
            throw ONNXError.unsupported(dataType: code, at: location)
        }
        let given = fixed?.dimensions ?? options.inputShapes[input.name]
        let extents = try extents(of: input, given: given)
        do throws(GraphError) {
            return TensorType(elementType, try Shape(validating: extents, context: input.name))
        } catch {
            throw ONNXError(.invalidTensor, "the input's extents are invalid", at: location, cause: error)
        }
    }

    private func extents(of input: ONNXValueInfo, given: [Int]?) throws(ONNXError) -> [Int] {
        guard let declared = input.extents else {
            guard let given else { throw unresolved(input, "the rank") }
            return given
        }
        if let given {
            let fits = zip(declared, given).allSatisfy { $0 == .fixed(Int64($1)) || $0.isSymbolic }
            guard fits, declared.count == given.count else {
                throw ONNXError(
                    .invalidOption, "the given extents do not fit the input", at: .value(input.name),
                    expected: declared.map(\.description).joined(separator: "×"), got: "\(given)")
            }
            return given
        }
        var extents: [Int] = []
        for (axis, extent) in declared.enumerated() {
            switch extent {
            case .fixed(let value): extents.append(Int(value))
            case .symbolic where axis == 0: extents.append(options.batchSize)
            case .symbolic(let name): throw unresolved(input, "axis \(axis) (\(name))")
            }
        }
        return extents
    }

    private func unresolved(_ input: ONNXValueInfo, _ what: String) -> ONNXError {
        ONNXError(
            .unresolvedExtent, "\(what) of the input is not fixed", at: .value(input.name),
            expected: "its extents in the option inputShapes[\"\(input.name)\"]",
            got: input.extents?.map(\.description).joined(separator: "×") ?? "unknown rank")
    }
}

// MARK: Nodes

extension ONNXImporter {
    private mutating func add(_ node: ONNXNode, index: Int, operatorSet: Int) throws(ONNXError) {
        let name = nodeName(node, index: index)
        let location = ONNXError.Location.node(name, type: node.type)
        let key = NodeTranslation.key(domain: node.domain, type: node.type)
        guard let translate = NodeTranslation.table[key] else {
            throw ONNXError(
                .unsupportedOperator, "the operator \(key) is not supported", at: location,
                expected: NodeTranslation.table.keys.sorted().joined(separator: ", "))
        }
        guard node.outputs.contains(where: { !$0.isEmpty }) else {
            throw ONNXError(.invalidNode, "the node has no result", at: location)
        }
        var operands: [NodeContext.Operand?] = []
        for input in node.inputs {
            guard !input.isEmpty else { operands.append(nil); continue }
            let id = try value(input, readBy: location)
            operands.append(NodeContext.Operand(id: id, type: result[id].type, constant: result[id].constant))
        }
        let wanted = node.outputs.lastIndex { readNames.contains($0) } ?? 0
        var context = try NodeContext(
            name: name, node: node, operatorSet: operatorSet, operands: operands, wantedOutputCount: wanted + 1)
        let translation = try translate(&context)
        try context.refuseUnreadAttributes()
        try emit(translation, node: node, name: name, location: location, wantedOutputCount: wanted + 1)
    }

    private mutating func emit(
        _ translation: NodeTranslation, node: ONNXNode, name: String, location: ONNXError.Location,
        wantedOutputCount: Int
    ) throws(ONNXError) {
        switch translation {
        case .constant(let type, let makeTensor):
            foldedByteCount += type.byteCount
            guard foldedByteCount <= options.maximumFoldedByteCount else { throw foldedTooMuch(location) }
            try define(node.outputs[0], as: result.addConstant(node.outputs[0], makeTensor()))
        case .operation(let operation, let inputs):
            var count = wantedOutputCount
            // The results of a split are positional: dropping one would change the rest.
            if case .split(_, let sizes) = operation { count = sizes.count }
            guard count <= node.outputs.count else {
                throw ONNXError(
                    .invalidNode, "the node has too few results", at: location, expected: "\(count)",
                    got: "\(node.outputs.count)")
            }
            let names = node.outputs.prefix(count).map { $0.isEmpty ? freshName(name) : $0 }
            let outputs = try append(operation, name: name, inputs: inputs, outputNames: names, location)
            for (output, id) in zip(names, outputs) { try define(output, as: id) }
        case .expansion(let expansion):
            try emit(expansion, node: node, name: name, location: location, wantedOutputCount: wantedOutputCount)
        }
    }

    /// The last node has the name of the file's, those before it a number more; what the file names keeps its name.
    private mutating func emit(
        _ expansion: Expansion, node: ONNXNode, name: String, location: ONNXError.Location, wantedOutputCount: Int
    ) throws(ONNXError) {
        guard wantedOutputCount <= expansion.results.count else {
            throw ONNXError(
                .invalidNode, "the node has too many results", at: location, expected: "\(expansion.results.count)",
                got: "\(wantedOutputCount)")
        }
        var resultNames: [[Int]: String] = [:]
        for (output, term) in zip(node.outputs, expansion.results) where !output.isEmpty {
            guard case .result(let step, let index) = term else { continue }
            resultNames[[step, index]] = output
        }
        var values: [[ValueID]] = []
        for (index, step) in expansion.steps.enumerated() {
            let isLast = index == expansion.steps.count - 1
            let inputs = step.inputs.map { term -> ValueID? in
                switch term {
                case nil: nil
                case .value(let id): id
                case .constant(let tensor): result.addConstant(freshName("\(name)/constant"), tensor)
                case .result(let step, let index): values[step][index]
                }
            }
            let names = (0..<step.outputCount).map { output in
                resultNames[[index, output]] ?? freshName("\(name)/\(index)")
            }
            values.append(
                try append(
                    step.operation, name: isLast ? name : freshNodeName("\(name)/\(index)"), inputs: inputs,
                    outputNames: names, location))
            for (output, id) in zip(names, values[index]) where node.outputs.contains(output) {
                try define(output, as: id)
            }
        }
    }

    /// Appends a node; or, when all its operands are known, the constants it computes.
    private mutating func append(
        _ operation: Operator, name: String, inputs: [ValueID?], outputNames: [String], _ location: ONNXError.Location
    ) throws(ONNXError) -> [ValueID] {
        let constants = inputs.map { id in id.flatMap { result[$0].constant } }
        let isKnown =
            operation.isCheap && zip(inputs, constants).allSatisfy { $0 == nil || $1 != nil }
            && (options.dequantizesWeights || !operation.dequantizesBytes(of: constants))
        do throws(GraphError) {
            guard isKnown else {
                return try result.append(operation, name: name, inputs: inputs, outputNames: outputNames)
            }
            let types = try operation.inferOutputTypes(
                inputs: constants.map { $0?.type }, outputCount: outputNames.count, node: name)
            foldedByteCount += types.reduce(0) { $0 + $1.byteCount }
            // The evaluation widens operands and results to eight bytes an element.
            let elementCount = (types + constants.compactMap { $0?.type }).reduce(0) { $0 + $1.shape.elementCount }
            if max(foldedByteCount, 8 * elementCount) <= options.maximumFoldedByteCount {
                let results = try operation.evaluate(constants, outputCount: outputNames.count, node: name)
                return zip(outputNames, results).map { result.addConstant($0, $1) }
            }
        } catch {
            throw ONNXError(.invalidGraph, "the operator refuses its operands", at: location, cause: error)
        }
        throw foldedTooMuch(location)
    }

    private func foldedTooMuch(_ location: ONNXError.Location) -> ONNXError {
        ONNXError(
            .tooLarge, "constants computed during the import grow too large", at: location,
            expected: "at most \(options.maximumFoldedByteCount) bytes, an option")
    }
}

extension Operator {
    fileprivate func dequantizesBytes(of constants: [Tensor?]) -> Bool {
        guard case .dequantizeLinear = self, let type = constants.first??.elementType else { return false }
        return type == .int8 || type == .uint8
    }
}

// MARK: Names

extension ONNXImporter {
    private func value(_ name: String, readBy location: ONNXError.Location) throws(ONNXError) -> ValueID {
        if let id = values[name] { return id }
        let message =
            takenNames.contains(name)
            ? "\"\(name)\" is read before the node that computes it: nodes must stand in topological order, without cycles"
            : "\"\(name)\" is read but never defined"
        throw ONNXError(.invalidName, message, at: location)
    }

    private mutating func define(_ name: String, as id: ValueID) throws(ONNXError) {
        guard !name.isEmpty else { throw ONNXError(.invalidName, "a value has no name", at: .model) }
        guard values.updateValue(id, forKey: name) == nil else {
            throw ONNXError(.invalidName, "the name is defined twice", at: .value(name))
        }
    }

    /// The file's name, or one from type and position; the graph wants them unique, old files do not.
    private mutating func nodeName(_ node: ONNXNode, index: Int) -> String {
        guard !node.name.isEmpty else { return freshNodeName("\(node.type)_\(index)") }
        return usedNodeNames.insert(node.name).inserted ? node.name : freshNodeName(node.name)
    }

    private mutating func freshNodeName(_ base: String) -> String {
        Self.fresh(base, &takenNodeNames)
    }

    private mutating func freshName(_ base: String) -> String {
        Self.fresh(base, &takenNames)
    }

    private static func fresh(_ base: String, _ taken: inout Set<String>) -> String {
        var name = base
        var suffix = 2
        while !taken.insert(name).inserted {
            name = "\(base)_\(suffix)"
            suffix += 1
        }
        return name
    }
}

extension ONNXValueInfo.Extent {
    fileprivate var isSymbolic: Bool {
        if case .symbolic = self { true } else { false }
    }

    fileprivate var description: String {
        switch self {
        case .fixed(let value): "\(value)"
        case .symbolic(let name): name
        }
    }
}

extension Operator {
    /// Work in proportion to operands and results; others stay nodes, lest a small file cost hours to import.
    fileprivate var isCheap: Bool {
        switch self {
        case .convolution, .transposedConvolution, .gemm, .matrixProduct, .maxPool, .averagePool,
            .localResponseNormalization, .resize:
            false
        default: true
        }
    }
}
