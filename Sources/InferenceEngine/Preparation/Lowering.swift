internal import CKernels
internal import ModelGraph

/// Turns nodes into steps, one after the other, keeping track of the forms in which each value exists in memory.
///
/// A value is computed in one form and converted, once, to each other form that a reader asks for.
struct Lowering {
    let quantized: QuantizedGraph
    let kernels: KernelTable
    var graph: Graph { quantized.graph }

    private(set) var steps: [Step] = []
    private(set) var buffers: [BufferPlan] = []
    private(set) var inputs: [(port: Port, buffer: BufferID)] = []
    private(set) var outputs: [(port: Port, buffer: BufferID)] = []
    /// By value index.
    private var forms: [[TensorForm: BufferID]]
    /// By value index: the form in which a value was first computed.
    private var naturalForms: [TensorForm?]
    /// The node being lowered.
    private var currentNode: NodeID?

    init(_ quantized: QuantizedGraph, kernels: KernelTable) {
        self.quantized = quantized
        self.kernels = kernels
        forms = Array(repeating: [:], count: quantized.graph.values.count)
        naturalForms = Array(repeating: nil, count: quantized.graph.values.count)
    }

    mutating func lower(_ options: PreparationOptions) throws {
        try check(options.inputForms, name: graph.inputs, as: "input")
        try check(options.outputForms, name: graph.outputs, as: "output")
        for input in graph.inputs {
            let request = options.inputForms[graph[input].name] ?? options.defaultInput
            let form: TensorForm
            switch request {
            case .natural:
                let isFloat = graph[input].type.elementType == .float32
                form = isFloat ? TensorForm(quantization: quantized[input], layout: .channelsLast) : .plain
            case .exactly(let wanted): form = wanted
            }
            guard form == .plain || graph[input].type.elementType == .float32 else {
                throw EngineError(
                    .unsupportedForm, "\(graph[input].type) is only taken row-major and unquantised",
                    at: graph[input].name)
            }
            let buffer = define(input, as: form)
            inputs.append((Port(name: graph[input].name, type: graph[input].type, form: form), buffer))
        }
        for node in graph.nodeIDs {
            currentNode = node
            try lower(node)
            for output in graph[node].outputs { try settle(output) }
        }
        currentNode = nil
        for output in graph.outputs {
            let request = options.outputForms[graph[output].name] ?? options.defaultOutput
            let form: TensorForm
            switch request {
            case .natural: form = naturalForms[output.index] ?? .plain
            case .exactly(let wanted): form = wanted
            }
            let buffer = try read(output, as: form)
            outputs.append((Port(name: graph[output].name, type: graph[output].type, form: form), buffer))
        }
        // Inputs are written before the first step, outputs are read after the last.
        for (_, buffer) in inputs { buffers[buffer.index].firstStep = -1 }
        for (_, buffer) in outputs { buffers[buffer.index].lastStep = steps.count }
    }

    private func check(
        _ requests: [String: PortRequest], name ports: [ValueID], as kind: String
    ) throws(EngineError) {
        for name in requests.keys.sorted() where !ports.contains(where: { graph[$0].name == name }) {
            throw EngineError(.unknownPort, "no \(kind) \"\(name)\"", at: graph.name)
        }
    }

    // MARK: Memory

    func shape(_ value: ValueID) -> Shape { graph[value].type.shape }

    mutating func newBuffer(byteCount: Int) -> BufferID {
        buffers.append(BufferPlan(byteCount: byteCount, constant: nil, firstStep: steps.count, lastStep: steps.count))
        return BufferID(index: buffers.count - 1)
    }

    mutating func constantBuffer(_ storage: TensorStorage) -> BufferID {
        buffers.append(BufferPlan(byteCount: storage.bytes.count, constant: storage, firstStep: 0, lastStep: 0))
        return BufferID(index: buffers.count - 1)
    }

    mutating func emit(_ work: Work, reads: [BufferID], writes: [BufferID]) {
        for buffer in reads + writes {
            buffers[buffer.index].lastStep = max(buffers[buffer.index].lastStep, steps.count)
        }
        steps.append(Step(work: work, reads: reads, writes: writes, node: currentNode))
    }

    /// A new buffer that holds `value` in `form`.
    mutating func define(_ value: ValueID, as form: TensorForm) -> BufferID {
        let type = graph[value].type
        let buffer = newBuffer(byteCount: form.quantization == nil ? type.byteCount : type.shape.elementCount)
        alias(value, as: form, to: buffer)
        return buffer
    }

    /// Declares that `buffer` also holds `value` in `form`.
    mutating func alias(_ value: ValueID, as form: TensorForm, to buffer: BufferID) {
        let normalized = form.normalized(for: shape(value))
        forms[value.index][normalized] = buffer
        if naturalForms[value.index] == nil { naturalForms[value.index] = normalized }
    }

    func naturalForm(_ value: ValueID) -> TensorForm? { naturalForms[value.index] }

    // MARK: Conversion

    /// The buffer that holds `value` in `form`, converting it first if no reader has asked for that form before.
    mutating func read(_ value: ValueID, as requested: TensorForm) throws -> BufferID {
        let form = requested.normalized(for: shape(value))
        if let buffer = forms[value.index][form] { return buffer }
        let type = graph[value].type
        if let constant = graph[value].constant {
            guard form == .plain else {
                throw EngineError(.unsupportedForm, "constant asked for as \(form)", at: graph[value].name)
            }
            let storage = constant.withUnsafeBytes { bytes in
                TensorStorage(byteCount: bytes.count) { $0.copyMemory(from: bytes) }
            }
            let buffer = constantBuffer(storage)
            forms[value.index][form] = buffer
            return buffer
        }
        guard let natural = naturalForms[value.index], let source = forms[value.index][natural] else {
            throw EngineError(.unsupportedForm, "read before it is computed", at: graph[value].name)
        }
        guard type.elementType == .float32 else {
            throw EngineError(.unsupportedForm, "\(type) asked for as \(form)", at: graph[value].name)
        }
        guard natural.layout != form.layout else { return changeElements(of: value, from: natural, to: form) }
        // Change the layout of the narrower element type.
        if natural.quantization != nil {
            let middle = TensorForm(quantization: natural.quantization, layout: form.layout)
            if middle != form {
                _ = try read(value, as: middle)
                return changeElements(of: value, from: middle, to: form)
            }
        } else if form.quantization != nil {
            let middle = TensorForm(quantization: form.quantization, layout: natural.layout)
            return changeLayout(of: value, try read(value, as: middle), to: form)
        }
        return changeLayout(of: value, source, to: form)
    }

    /// Brings a value that an operator left in its operand's quantisation into its own, which is how every reader must
    /// see it: those before a cut and those after it, which know nothing of the operand.
    private mutating func settle(_ value: ValueID) throws {
        guard let wanted = quantized[value], let natural = naturalForms[value.index],
            natural.quantization != nil, natural.quantization != wanted
        else { return }
        let form = TensorForm(quantization: wanted, layout: natural.layout)
        forms[value.index] = [form: try read(value, as: form)]
        naturalForms[value.index] = form
    }

    private mutating func changeLayout(of value: ValueID, _ source: BufferID, to form: TensorForm) -> BufferID {
        let target = define(value, as: form)
        let shape = self.shape(value)
        let (batch, channels, pixels) = (shape[0], shape[1], shape[2] * shape[3])
        if form.quantization == nil {
            var arguments = ck_layout_f32()
            (arguments.batch, arguments.pixels, arguments.channels) = (batch, pixels, channels)
            arguments.nhwc_stride = channels
            emit(.layoutF32(arguments, to: form.layout), reads: [source], writes: [target])
        } else {
            var arguments = ck_layout_u8()
            (arguments.batch, arguments.pixels, arguments.channels) = (batch, pixels, channels)
            arguments.nhwc_stride = channels
            emit(.layoutU8(arguments, to: form.layout), reads: [source], writes: [target])
        }
        return target
    }

    /// Quantises, dequantises or requantises, layout unchanged.
    private mutating func changeElements(of value: ValueID, from: TensorForm, to: TensorForm) -> BufferID {
        guard let source = forms[value.index][from] else { preconditionFailure("\(graph[value].name) not in \(from)") }
        if let done = forms[value.index][to] { return done }
        let target = define(value, as: to)
        let (pixels, channels) = rows(of: shape(value))
        switch (from.quantization, to.quantization) {
        case (nil, let wanted?):
            var arguments = ck_quantize_f32()
            arguments.channels = channels
            (arguments.in_stride, arguments.out_stride) = (channels, channels)
            (arguments.scale, arguments.zero_point) = (wanted.scale, wanted.zeroPoint)
            emit(.quantize(arguments, pixels: pixels), reads: [source], writes: [target])
        case (let present?, nil):
            var arguments = ck_dequantize_u8()
            arguments.channels = channels
            (arguments.in_stride, arguments.out_stride) = (channels, channels)
            (arguments.scale, arguments.zero_point) = (present.scale, present.zeroPoint)
            emit(.dequantize(arguments, pixels: pixels), reads: [source], writes: [target])
        case (let present?, let wanted?):
            emitRequantize(source, present, to: target, wanted, pixels: pixels, channels: channels)
        case (nil, nil):
            preconditionFailure("no conversion needed from \(from) to \(to)")
        }
        return target
    }

    mutating func emitRequantize(
        _ source: BufferID, _ present: ActivationQuantization, to target: BufferID, _ wanted: ActivationQuantization,
        pixels: Int, channels: Int
    ) {
        var arguments = ck_requantize_u8()
        arguments.channels = channels
        (arguments.in_stride, arguments.out_stride) = (channels, channels)
        arguments.in_zero_point = present.zeroPoint
        arguments.multiplier = Float(Double(present.scale) / Double(wanted.scale))
        arguments.out = ck_output_u8(zero_point: wanted.zeroPoint, min: 0, max: 255)
        emit(.requantize(arguments, pixels: pixels), reads: [source], writes: [target])
    }

    /// Element-by-element work as the kernels divide it: `pixels` rows of `channels` contiguous elements.
    func rows(of shape: Shape) -> (pixels: Int, channels: Int) {
        guard shape.elementCount > 0 else { return (0, 1) }
        let channels = shape.rank == 4 ? shape[1] : (shape.last ?? 1)
        return (shape.elementCount / channels, channels)
    }
}
