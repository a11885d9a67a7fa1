internal import ModelGraph

// Operators that ONNX has in other forms, or not at all.
extension ONNXExporter {
    mutating func export(_ comparison: Comparison, _ node: Node) {
        let (inputs, outputs) = (inputs(node), outputs(node))
        let type: String
        switch comparison {
        case .equal: type = "Equal"
        case .less: type = "Less"
        case .lessOrEqual: type = "LessOrEqual"
        case .greater: type = "Greater"
        case .greaterOrEqual: type = "GreaterOrEqual"
        case .notEqual:
            let equal = freshName(outputs[0] + "/equal")
            emit("Equal", node.name + "/equal", inputs: inputs, outputs: [equal])
            return emit("Not", node.name, inputs: [equal], outputs: outputs)
        }
        emit(type, node.name, inputs: inputs, outputs: outputs)
    }

    mutating func export(_ resize: Resize, _ node: Node) {
        let none = ""
        var attributes: [(name: String, value: ExportedNode.Attribute)] = [
            ("coordinate_transformation_mode", .string(resize.coordinates.rawValue))
        ]
        switch resize.interpolation {
        case .nearest(let rounding):
            attributes += [("mode", .string("nearest")), ("nearest_mode", .string(rounding.rawValue))]
        case .linear: attributes.append(("mode", .string("linear")))
        case .cubic(let coefficient):
            attributes += [("mode", .string("cubic")), ("cubic_coeff_a", .float(coefficient))]
        }
        if resize.excludesOutside { attributes.append(("exclude_outside", .int(1))) }
        if resize.antialiases { attributes.append(("antialias", .int(1))) }
        if resize.extrapolation != 0 { attributes.append(("extrapolation_value", .float(resize.extrapolation))) }
        let region =
            resize.region.isEmpty
            ? none : initializer(node.name + "/roi", Tensor(resize.region, shape: [resize.region.count]))
        // Scales, where the extents follow from them, since the coordinates are computed from scales.
        let source = node.inputs[0].map { graph[$0].type.shape.dimensions } ?? []
        let followFromScales = zip(zip(source, resize.scales), resize.extents).allSatisfy {
            Int(exactly: (Float($0.0) * $0.1).rounded(.down)) == $1
        }
        let parameters =
            followFromScales
            ? [initializer(node.name + "/scales", Tensor(resize.scales, shape: [resize.scales.count]))]
            : [none, initializer(node.name + "/sizes", resize.extents)]
        emit(
            "Resize", node.name, inputs: inputs(node) + [region] + parameters, outputs: outputs(node), attributes)
    }

    /// Instance normalisation where groups are channels; else as ONNX has it since operator set 21, with scale and bias
    /// by channel.
    mutating func export(_ normalization: GroupNormalization, _ node: Node) {
        let channels = node.inputs[0].map { graph[$0].type.shape[1] }
        let isInstance = channels == normalization.groups
        emit(
            isInstance ? "InstanceNormalization" : "GroupNormalization", node.name, inputs: inputs(node),
            outputs: outputs(node),
            [("epsilon", .float(normalization.epsilon))]
                + (isInstance ? [] : [("num_groups", .int(normalization.groups))]))
    }

    /// Channels split into groups, the two axes exchanged, and joined again.
    mutating func exportChannelShuffle(groups: Int, _ node: Node) {
        let shape = graph[node.outputs[0]].type.shape
        let split = [shape[0], groups, shape[1] / groups] + shape.dropFirst(2)
        let (apart, exchanged) = (freshName(outputs(node)[0] + "/groups"), freshName(outputs(node)[0] + "/exchanged"))
        emit(
            "Reshape", node.name + "/split", inputs: inputs(node) + [initializer(node.name + "/groups", split)],
            outputs: [apart], [("allowzero", .int(1))])
        emit(
            "Transpose", node.name, inputs: [apart], outputs: [exchanged],
            [("perm", .ints([0, 2, 1] + Array(3..<max(split.count, 3))))])
        emit(
            "Reshape", node.name + "/join",
            inputs: [exchanged, initializer(node.name + "/shape", shape.dimensions)], outputs: outputs(node),
            [("allowzero", .int(1))])
    }

    /// ONNX has Mish since operator set 18, Gelu since 20; a head for an older runtime should not need them.
    mutating func exportGelu(isApproximate: Bool, _ node: Node) {
        let (input, output) = (inputs(node)[0], outputs(node)[0])
        let elementType = graph[node.outputs[0]].type.elementType
        func constant(_ role: String, _ value: Double) -> String {
            initializer("\(node.name)/\(role)", Tensor(number: value, as: elementType))
        }
        func step(_ type: String, _ role: String, _ operands: [String]) -> String {
            let result = freshName("\(output)/\(role)")
            emit(type, "\(node.name)/\(role)", inputs: operands, outputs: [result])
            return result
        }
        let curve: String
        if isApproximate {
            let square = step("Mul", "square", [input, input])
            let weighted = step("Mul", "weighted", [square, constant("a", 0.044715)])
            let factor = step("Add", "factor", [weighted, constant("one", 1)])
            let scaled = step("Mul", "scaled", [input, constant("b", (2 / Double.pi).squareRoot())])
            curve = step("Tanh", "curve", [step("Mul", "argument", [scaled, factor])])
        } else {
            curve = step("Erf", "curve", [step("Mul", "argument", [input, constant("a", 0.5.squareRoot())])])
        }
        let risen = step("Add", "risen", [curve, constant("unit", 1)])
        let half = step("Mul", "half", [input, constant("half", 0.5)])
        emit("Mul", node.name, inputs: [half, risen], outputs: [output])
    }

    mutating func exportMish(_ node: Node) {
        let (input, output) = (inputs(node)[0], outputs(node)[0])
        let (softened, curve) = (freshName(output + "/softplus"), freshName(output + "/tanh"))
        emit("Softplus", node.name + "/softplus", inputs: [input], outputs: [softened])
        emit("Tanh", node.name + "/tanh", inputs: [softened], outputs: [curve])
        emit("Mul", node.name, inputs: [input, curve], outputs: [output])
    }
}
