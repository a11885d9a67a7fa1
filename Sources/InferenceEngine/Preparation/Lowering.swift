internal import ModelGraph

/// Turns nodes into steps, one after the other, keeping track of the forms in which each value exists in memory.
///
/// A value is computed in one form and converted, once, to each other form that a reader asks for. Where it lies is
/// decided beforehand only for operands of concatenations (`ConcatenationPlan`); additions that a convolution does on the
/// way are found beforehand, too (`FusedAddition`).
struct Lowering {
    let quantized: QuantizedGraph
    let kernels: KernelTable
    let allowsWinograd: Bool
    var graph: Graph { quantized.graph }

    var weights: WeightPacker
    private(set) var steps: [Step] = []
    private(set) var buffers: [BufferPlan] = []
    private(set) var inputs: [(port: Port, view: BufferView)] = []
    private(set) var outputs: [(port: Port, view: BufferView)] = []
    /// By value index.
    private var forms: [[TensorForm: BufferView]]
    /// By value index: the form in which a value was first computed.
    private var naturalForms: [TensorForm?]
    /// By value index: copies without gaps of what lies among other values' channels.
    private var compactCopies: [[TensorForm: BufferView]]
    /// The node that steps are emitted for.
    private var currentNode: NodeID?

    private var concatenations: ConcatenationPlan
    /// By the result of the outermost concatenation.
    private var concatenationBuffers: [ValueID: BufferID] = [:]
    private var fusedAdditions: [NodeID: FusedAddition] = [:]
    let storedQuantizations: [ValueID: StoredQuantization]

    init(
        _ quantized: QuantizedGraph, kernels: KernelTable, allowsWinograd: Bool, sharing shared: SharedWeights?
    ) {
        self.quantized = quantized
        self.kernels = kernels
        self.allowsWinograd = allowsWinograd
        weights = WeightPacker(kernels, sharing: shared)
        let count = quantized.graph.values.count
        forms = Array(repeating: [:], count: count)
        naturalForms = Array(repeating: nil, count: count)
        compactCopies = Array(repeating: [:], count: count)
        concatenations = ConcatenationPlan(quantized)
        storedQuantizations = StoredQuantization.all(of: quantized.graph)
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
            let view = define(input, as: form)
            inputs.append((Port(name: graph[input].name, type: graph[input].type, form: form), view))
        }
        let additions = fusibleAdditions()
        for addition in additions { fusedAdditions[addition.node] = addition }
        let absorbed = Set(additions.map(\.convolution))
        for node in quantized.frugalOrder() where !absorbed.contains(node) {
            currentNode = node
            if let addition = fusedAdditions[node] { try lower(addition) } else { try lower(node) }
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
            let view = try readCompact(output, as: form)
            outputs.append((Port(name: graph[output].name, type: graph[output].type, form: form), view))
        }
        joinInBands(options.cacheByteCount)
        // Inputs are written before the first step, outputs are read after the last.
        for (_, view) in inputs { buffers[view.buffer.index].firstStep = -1 }
        for (_, view) in outputs { buffers[view.buffer.index].lastStep = steps.count }
        reuseOperands()
    }

    /// Joins steps that gain from being computed some rows at a time.
    private mutating func joinInBands(_ cacheByteCount: Int) {
        let kept = Set((inputs + outputs).map(\.view.buffer))
        let plan = BandPlan(steps, buffers, keeping: kept, cache: cacheByteCount)
        var (joined, places) = plan.joined()
        // Of what no step touches, an input that is an output.
        places.append(joined.count)
        for index in buffers.indices where buffers[index].constant == nil {
            buffers[index].firstStep = places[buffers[index].firstStep]
            buffers[index].lastStep = places[buffers[index].lastStep]
        }
        for case .banded(let banded) in joined.map(\.work) {
            for step in banded.steps.dropLast() { buffers[step.writes[0].buffer.index].byteCount = 0 }
        }
        steps = joined
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

    /// Element-by-element work as the kernels divide it: `pixels` rows of `channels` contiguous elements.
    func rows(of shape: Shape) -> (pixels: Int, channels: Int) {
        guard shape.elementCount > 0 else { return (0, 1) }
        let channels = shape.rank == 4 ? shape[1] : (shape.last ?? 1)
        return (shape.elementCount / channels, channels)
    }

    private mutating func newBuffer(byteCount: Int) -> BufferID {
        buffers.append(BufferPlan(byteCount: byteCount, constant: nil, firstStep: steps.count, lastStep: steps.count))
        return BufferID(index: buffers.count - 1)
    }

    private mutating func constantBuffer(_ storage: TensorStorage) -> BufferID {
        buffers.append(BufferPlan(byteCount: storage.bytes.count, constant: storage, firstStep: 0, lastStep: 0))
        return BufferID(index: buffers.count - 1)
    }

    mutating func emit(_ work: Work, reads: [BufferView], writes: [BufferView]) {
        for view in reads + writes {
            buffers[view.buffer.index].lastStep = max(buffers[view.buffer.index].lastStep, steps.count)
        }
        steps.append(Step(work: work, reads: reads, writes: writes, node: currentNode))
    }

    /// Emits what `body` emits as part of `node`.
    mutating func attributing<Result>(to node: NodeID, _ body: (inout Lowering) throws -> Result) rethrows -> Result {
        let outer = currentNode
        currentNode = node
        defer { currentNode = outer }
        return try body(&self)
    }

    /// A new buffer that holds `value` in `form`, without gaps.
    mutating func define(_ value: ValueID, as form: TensorForm) -> BufferView {
        let type = graph[value].type
        let buffer = newBuffer(byteCount: form.quantization == nil ? type.byteCount : type.shape.elementCount)
        let view = BufferView(buffer: buffer, stride: rows(of: type.shape).channels)
        alias(value, as: form, to: view)
        return view
    }

    /// Where a step that writes pixel by pixel puts `value`: its channels of the concatenation it is for, or a new buffer.
    mutating func place(_ value: ValueID, as form: TensorForm) -> BufferView {
        guard let slice = concatenations.slice(of: value),
            slice.form.normalized(for: shape(value)) == form.normalized(for: shape(value))
        else { return define(value, as: form) }
        let view = concatenated(slice)
        alias(value, as: form, to: view)
        return view
    }

    /// The memory of some channels of a concatenation.
    private mutating func concatenated(_ slice: ConcatenationPlan.Slice) -> BufferView {
        let whole = shape(slice.whole)
        let bytes = slice.form.elementBytes
        let buffer =
            concatenationBuffers[slice.whole] ?? newBuffer(byteCount: whole.elementCount * bytes)
        concatenationBuffers[slice.whole] = buffer
        return BufferView(buffer: buffer, stride: rows(of: whole).channels)
            .channels(from: slice.firstChannel, elementBytes: bytes)
    }

    /// Declares that `view` also holds `value` in `form`.
    mutating func alias(_ value: ValueID, as form: TensorForm, to view: BufferView) {
        let normalized = form.normalized(for: shape(value))
        forms[value.index][normalized] = view
        if naturalForms[value.index] == nil { naturalForms[value.index] = normalized }
    }

    func naturalForm(_ value: ValueID) -> TensorForm? { naturalForms[value.index] }

    func isCompact(_ view: BufferView, _ shape: Shape) -> Bool {
        let (pixels, channels) = rows(of: shape)
        return pixels <= 1 || view.stride == channels
    }

    /// Lets results take the memory of an operand that nobody reads afterwards, where the kernel allows that.
    private mutating func reuseOperands() {
        for (index, step) in steps.enumerated() {
            guard let result = step.writes.first, step.writes.count == 1,
                buffers[result.buffer.index].firstStep == index
            else { continue }
            let operand = step.work.replaceableReads.lazy.filter(step.reads.indices.contains).map { step.reads[$0] }
                .first { candidate in
                    candidate.byteOffset == result.byteOffset && candidate.stride == result.stride
                        && step.reads.indices.allSatisfy {
                            step.reads[$0].buffer != candidate.buffer || step.work.replaceableReads.contains($0)
                        }
                        && canTake(result.buffer, over: candidate.buffer, at: index)
                }
            if let operand { buffers[result.buffer.index].predecessor = operand.buffer }
        }
    }

    private func canTake(_ buffer: BufferID, over predecessor: BufferID, at step: Int) -> Bool {
        let (new, old) = (buffers[buffer.index], buffers[predecessor.index])
        return old.constant == nil && old.lastStep == step && old.byteCount == new.byteCount
    }

    // MARK: Forms

    /// Where `value` is in `form`, converting it first if no reader has asked for that form before.
    ///
    /// Its pixels may be wider apart than its channels are many; see `readCompact`.
    mutating func read(_ value: ValueID, as requested: TensorForm) throws -> BufferView {
        let form = requested.normalized(for: shape(value))
        if let view = forms[value.index][form] { return view }
        if let constant = graph[value].constant {
            guard form == .plain else {
                throw EngineError(.unsupportedForm, "constant asked for as \(form)", at: graph[value].name)
            }
            let storage = constant.withUnsafeBytes { bytes in
                TensorStorage(byteCount: bytes.count) { $0.copyMemory(from: bytes) }
            }
            let view = BufferView(buffer: constantBuffer(storage), stride: rows(of: shape(value)).channels)
            forms[value.index][form] = view
            return view
        }
        guard let natural = naturalForms[value.index], let source = forms[value.index][natural] else {
            throw EngineError(.unsupportedForm, "read before it is computed", at: graph[value].name)
        }
        return try convert(value, at: source, natural, to: form)
    }

    /// Where `value` is in `form` without gaps, for readers that know no pixels.
    mutating func readCompact(_ value: ValueID, as requested: TensorForm) throws -> BufferView {
        let form = requested.normalized(for: shape(value))
        let view = try read(value, as: form)
        guard !isCompact(view, shape(value)) else { return view }
        if let copy = compactCopies[value.index][form] { return copy }
        let (pixels, channels) = rows(of: shape(value))
        let copy = BufferView(
            buffer: newBuffer(byteCount: pixels * channels * form.elementBytes), stride: channels)
        compactCopies[value.index][form] = copy
        let bytes = form.elementBytes
        let blocks = BlockCopy(
            source: view, blockBytes: channels * bytes, sourceStride: view.stride * bytes, targetOffset: 0,
            targetStride: channels * bytes, count: pixels)
        emit(.copyBlocks([blocks]), reads: [view], writes: [copy])
        return copy
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
}
