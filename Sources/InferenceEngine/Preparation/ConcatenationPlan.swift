internal import ModelGraph

/// Which values are computed right where a concatenation wants them, so that it has nothing left to copy.
///
/// A concatenation over channels, in the kernels' layout, interleaves its operands pixel by pixel; the kernels write and
/// read with a stride, so an operand can be some channels of the result from the start. A value read by several
/// concatenations lies in the last of them, and earlier ones whose operands then lie side by side are themselves a part of
/// it: a dense block is one buffer.
struct ConcatenationPlan {
    /// Channels of the result of a concatenation.
    struct Slice {
        /// The outermost concatenation's result.
        let whole: ValueID
        let firstChannel: Int
        let form: TensorForm
    }

    /// Where a value lies in the result of the concatenation around it.
    private struct Place {
        let whole: ValueID
        let firstChannel: Int
    }

    /// By value index; `nil` for what is not in a concatenation, or is an outermost one.
    private var places: [Place?]
    /// By value index: the form of the result of a concatenation over channels.
    private var forms: [TensorForm?]

    init(_ quantized: QuantizedGraph) {
        let graph = quantized.graph
        places = Array(repeating: nil, count: graph.values.count)
        forms = Array(repeating: nil, count: graph.values.count)
        for node in graph.nodes.reversed() {
            guard let form = quantized.formOfChannelConcatenation(node) else { continue }
            let whole = node.outputs[0]
            forms[whole.index] = form
            let operands = node.inputs.compactMap(\.self)
            if places[whole.index] == nil, let place = commonPlace(of: operands, in: graph),
                forms[place.whole.index] == form
            {
                places[whole.index] = place
                continue
            }
            var channel = 0
            for operand in operands {
                if places[operand.index] == nil, !graph.inputs.contains(operand) {
                    places[operand.index] = Place(whole: whole, firstChannel: channel)
                }
                channel += graph[operand].type.shape[1]
            }
        }
    }

    /// The place of the first operand, when they all lie side by side, in order.
    private func commonPlace(of operands: [ValueID], in graph: Graph) -> Place? {
        guard let first = places[operands[0].index] else { return nil }
        var channel = first.firstChannel
        for operand in operands {
            guard let place = places[operand.index], place.whole == first.whole, place.firstChannel == channel else {
                return nil
            }
            channel += graph[operand].type.shape[1]
        }
        return first
    }

    /// Where `value` lies when it is computed in place; also for a concatenation itself.
    func slice(of value: ValueID) -> Slice? {
        guard var place = places[value.index] else {
            return forms[value.index].map { Slice(whole: value, firstChannel: 0, form: $0) }
        }
        guard let form = forms[place.whole.index] else { return nil }
        // An operand that is a concatenation of another form is computed apart, and then copied.
        if let own = forms[value.index], own != form { return Slice(whole: value, firstChannel: 0, form: own) }
        while let outer = places[place.whole.index], forms[outer.whole.index] == form {
            place = Place(whole: outer.whole, firstChannel: outer.firstChannel + place.firstChannel)
        }
        return Slice(whole: place.whole, firstChannel: place.firstChannel, form: form)
    }
}

extension QuantizedGraph {
    /// The form in which a concatenation of images over their channels is computed; `nil` for any other node.
    ///
    /// It is in integers when all it touches is quantised.
    func formOfChannelConcatenation(_ node: Node) -> TensorForm? {
        guard case .concat(let axis) = node.operation, let result = node.outputs.first,
            graph[result].type.elementType == .float32, graph[result].type.shape.rank == 4,
            graph[result].type.shape.normalizedAxis(axis) == 1
        else { return nil }
        let operands = node.inputs.compactMap(\.self)
        guard !operands.isEmpty, operands.allSatisfy({ graph[$0].constant == nil }) else { return nil }
        let isInteger = operands.allSatisfy { self[$0] != nil }
        return TensorForm(quantization: isInteger ? self[result] : nil, layout: .channelsLast)
    }
}
