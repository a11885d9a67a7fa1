internal import ModelGraph

/// Integer networks as ONNX writes them: every activation passes through QuantizeLinear and DequantizeLinear, and weights
/// are integers behind a DequantizeLinear, which runtimes fuse into integer operators.
extension ONNXExporter {
    /// Weights and biases that nobody reads but nodes which have them as integers.
    func constantsInIntegers() -> Set<ValueID> {
        guard let integers else { return [] }
        var (replaced, needed) = (Set<ValueID>(), Set(graph.outputs))
        for id in graph.nodeIDs {
            let isInteger = integers.weights[id.index] != nil
            for (position, input) in graph[id].inputs.enumerated() {
                guard let input else { continue }
                if isInteger && (1...2).contains(position) { replaced.insert(input) } else { needed.insert(input) }
            }
        }
        return replaced.subtracting(needed)
    }

    /// Values that are rounded keep their name for what their readers see.
    mutating func nameRoundedValues() {
        guard let integers else { return }
        for index in graph.values.indices where integers.activations[index] != nil {
            let id = ValueID(index)
            if graph.inputs.contains(id) {
                guard !isDequantized(input: id) else { continue }
                rename(id, reads: graph[id].name + "/rounded")
            } else {
                rename(id, writes: graph[id].name + "/exact")
            }
        }
    }

    /// Rounds a value that has just been computed, or an input.
    mutating func round(_ value: ValueID) {
        guard let quantization = integers?[value] else { return }
        let name = graph[value].name
        let (written, read) = names(of: value)
        let codes = outputQuantization(value) == quantization ? name : freshName(name + "/codes")
        emit(
            "QuantizeLinear", name + "/quantize", inputs: [written] + parameters(quantization, name), outputs: [codes])
        emit(
            "DequantizeLinear", name + "/dequantize", inputs: [codes] + parameters(quantization, name),
            outputs: [read])
    }

    /// Lets a node read its integer weights and bias, until its names are restored.
    mutating func dequantizeWeights(of node: Node, _ weights: QuantizedWeights) {
        guard let integers, let input = node.inputs[0], let quantization = integers[input], let float = node.inputs[1]
        else { return }
        let name = graph[float].name
        let scales = initializer(name + "/scale", Tensor(weights.scales, shape: [weights.scales.count]))
        let codes = initializer(name + "/codes", weights.values)
        var dequantized = freshName(name + "/dequantized")
        emit(
            "DequantizeLinear", name + "/dequantize", inputs: [codes, scales], outputs: [dequantized],
            [("axis", .int(0))])
        if node.readsColumns {
            let rows = dequantized
            dequantized = freshName(name + "/columns")
            emit("Transpose", name + "/transpose", inputs: [rows], outputs: [dequantized], [("perm", .ints([1, 0]))])
        }
        read(float, from: dequantized)
        guard node.inputs.count > 2, let bias = node.inputs[2] else { return }
        let biasName = graph[bias].name
        let products = weights.scales.map { quantization.scale * $0 }
        let rounded = freshName(biasName + "/dequantized")
        let operands = [
            initializer(biasName + "/codes", weights.bias),
            initializer(biasName + "/scale", Tensor(products, shape: [products.count])),
        ]
        emit("DequantizeLinear", biasName + "/dequantize", inputs: operands, outputs: [rounded], [("axis", .int(0))])
        read(bias, from: rounded)
    }
}

extension Node {
    /// Whether the weights of a matrix product are laid out a column for each output.
    fileprivate var readsColumns: Bool {
        switch operation {
        case .gemm(let gemm): !gemm.transposesB
        case .matrixProduct: true
        default: false
        }
    }
}

extension QuantizedGraph {
    /// The graph with products that say what the integers do: their weights and biases hold the factors of a gemm, and
    /// correcting biases gives one to products that had none.
    func withIntegerProducts() -> QuantizedGraph {
        var graph = graph
        var activations = activations
        for id in graph.nodeIDs {
            guard let weights = weights[id.index], let input = graph[id].inputs[0], let scale = self[input]?.scale
            else {
                continue
            }
            let bias = weights.bias.array(of: Int32.self)
            let wantsBias = graph[id].inputs.count == 2 && bias.contains { $0 != 0 }
            switch graph[id].operation {
            case .gemm(var gemm):
                (gemm.alpha, gemm.beta) = (1, 1)
                graph[id].operation = .gemm(gemm)
            case .matrixProduct where wantsBias && graph[input].type.shape.rank == 2:
                graph[id].operation = .gemm(Gemm())
            default: break
            }
            guard wantsBias, graph[id].takesBias else { continue }
            var name = graph[graph[id].outputs[0]].name + "/bias"
            while graph.value(named: name) != nil { name += "_" }
            let exact = zip(bias, weights.scales).map { Float($0) * scale * $1 }
            graph[id].inputs.append(graph.addConstant(name, Tensor(exact, shape: [bias.count])))
            activations.append(nil)
        }
        return QuantizedGraph(graph: graph, activations: activations, weights: weights)
    }
}

extension Node {
    fileprivate var takesBias: Bool {
        switch operation {
        case .convolution, .gemm: true
        default: false
        }
    }
}
