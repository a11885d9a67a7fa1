internal import CKernels
package import ModelGraph

/// Nanoseconds each node of a model took in one run, by `NodeID`; conversions count for the node that needed them.
///
/// Nodes that are computed together, some rows at a time, share the time of that as they share a thread's. A convolution that does the addition after it has the time of both, and the addition has none: a cut between the two
/// leaves all but a pass over memory on the convolution's side, so sums over nodes before a cut stay honest.
package struct LayerTimes: Sendable {
    package internal(set) var nanoseconds: [UInt64]
    /// Conversions at the outputs, which belong to no node.
    package internal(set) var otherNanoseconds: UInt64 = 0

    package init(for model: PreparedModel) {
        nanoseconds = Array(repeating: 0, count: model.nodeNames.count)
    }
}

/// The memory and threads with which one model runs, again and again, without allocating.
///
/// Write the inputs into `input(_:)`, call `run()`, read `output(_:)`. One thread at a time: create a session for each
/// concurrent run; they share the model's weights.
package final class InferenceSession {
    package let model: PreparedModel
    private let pool: WorkerPool
    private let arena: Arena
    private let scratch: UnsafeMutableRawPointer
    /// Scratch bytes of one part.
    private let scratchStride: Int
    private var steps: [BoundStep]

    /// - Parameter pool: the threads to use; sessions may share it.
    package init(_ model: PreparedModel, pool: WorkerPool) {
        self.model = model
        self.pool = pool
        let alignment = TensorStorage.alignment
        let largestScratch = model.steps.map { $0.scratchByteCount(model.kernels) }.max() ?? 0
        scratchStride = (largestScratch + alignment - 1) / alignment * alignment
        let scratchOffset = (model.arena.byteCount + alignment - 1) / alignment * alignment
        arena = Arena(byteCount: scratchOffset + scratchStride * pool.width)
        let base = arena.bytes.baseAddress!
        scratch = base + scratchOffset
        let address = { (view: BufferView) -> UnsafeMutableRawPointer in
            if let constant = model.buffers[view.buffer.index].constant {
                // Constants are only ever read; the C structs share one pointer type for operands.
                return UnsafeMutableRawPointer(mutating: constant.bytes.baseAddress!) + view.byteOffset
            }
            return base + model.arena.offsets[view.buffer.index] + view.byteOffset
        }
        steps = model.steps.map { step in
            let (work, _) = step.bound(address, model.kernels)
            return BoundStep(work: work, parts: work.usefulParts(width: pool.width), nodeIndex: step.node?.index ?? -1)
        }
    }

    /// The memory of an input, in the form that `model.inputs[index]` states; read by `run`, clobbered afterwards.
    package func input(_ index: Int) -> UnsafeMutableRawBufferPointer {
        memory(of: model.inputViews[index], byteCount: model.inputs[index].byteCount)
    }

    /// The memory of an output, in the form that `model.outputs[index]` states; valid until the next run.
    package func output(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(memory(of: model.outputViews[index], byteCount: model.outputs[index].byteCount))
    }

    private func memory(of view: BufferView, byteCount: Int) -> UnsafeMutableRawBufferPointer {
        if let constant = model.buffers[view.buffer.index].constant {
            return UnsafeMutableRawBufferPointer(mutating: constant.bytes)
        }
        let start = model.arena.offsets[view.buffer.index] + view.byteOffset
        return UnsafeMutableRawBufferPointer(rebasing: arena.bytes[start..<start + byteCount])
    }

    /// Runs the model on what the input memory holds.
    /// - Throws: `EngineError.layerFailed` when an operator without a kernel refuses its operands.
    package func run() throws {
        for index in steps.indices { try runStep(index) }
    }

    /// Runs the model and adds each node's time to `times`.
    package func run(measuring times: inout LayerTimes) throws {
        let clock = ContinuousClock()
        var start = clock.now
        for index in steps.indices {
            try runStep(index, measures: true)
            let end = clock.now
            let elapsed = UInt64((end - start) / .nanoseconds(1))
            let node = steps[index].nodeIndex
            if case .banded(let bands) = steps[index].work {
                bands.divide(elapsed, measuredIn: scratch, into: &times)
            } else if node >= 0 {
                times.nanoseconds[node] += elapsed
            } else {
                times.otherNanoseconds += elapsed
            }
            start = end
        }
    }

    private struct PartContext {
        let step: UnsafePointer<BoundStep>
        let kernels: KernelTable
        let scratch: UnsafeMutableRawPointer
        let scratchStride: Int
        let measures: Bool
    }

    private func runStep(_ index: Int, measures: Bool = false) throws {
        if case .reference(let call) = steps[index].work { return try runByDefinition(call) }
        steps.withUnsafeBufferPointer { steps in
            let step = steps.baseAddress! + index
            if step.pointee.parts == 1 {
                step.pointee.work.run(part: 0, of: 1, kernels: model.kernels, scratch: scratch, measures: measures)
                return
            }
            let context = PartContext(
                step: step, kernels: model.kernels, scratch: scratch, scratchStride: scratchStride,
                measures: measures)
            withUnsafePointer(to: context) { context in
                pool.run(parts: step.pointee.parts, context: context) { context, part, parts in
                    let context = context.assumingMemoryBound(to: PartContext.self).pointee
                    context.step.pointee.work.run(
                        part: part, of: parts, kernels: context.kernels,
                        scratch: context.scratch + part * context.scratchStride, measures: context.measures)
                }
            }
        }
    }

    private func runByDefinition(_ call: ReferenceCall) throws {
        let operands = call.operands.map { operand -> Tensor? in
            switch operand {
            case .absent: return nil
            case .constant(let tensor): return tensor
            case .activation(let view, let type):
                let memory = memory(of: view, byteCount: type.byteCount)
                return Tensor(
                    type,
                    storage: TensorStorage(byteCount: memory.count) {
                        $0.copyMemory(from: UnsafeRawBufferPointer(memory))
                    })
            }
        }
        let results: [Tensor]
        do {
            results = try call.operation.evaluate(operands, outputCount: call.outputs.count, node: call.name)
        } catch {
            throw EngineError(.layerFailed, error.message, at: call.name)
        }
        for (view, tensor) in zip(call.outputs, results) {
            tensor.withUnsafeBytes { memory(of: view, byteCount: $0.count).copyMemory(from: $0) }
        }
    }
}

extension InferenceSession {
    /// Runs the model on tensors, copying them in and out; for inputs in plain form.
    /// - Throws: `EngineError.inputMismatch` for a tensor of another type than its port.
    package func run(_ tensors: [Tensor]) throws -> [Tensor] {
        try feed(tensors)
        try run()
        return copyOutputs()
    }

    /// Copies tensors into the inputs, which are in plain form.
    /// - Throws: `EngineError.inputMismatch` for a tensor of another type than its port.
    package func feed(_ tensors: [Tensor]) throws(EngineError) {
        guard tensors.count == model.inputs.count else {
            throw EngineError(
                .inputMismatch, "expected \(model.inputs.count) inputs, got \(tensors.count)", at: model.name)
        }
        for (index, tensor) in tensors.enumerated() {
            let port = model.inputs[index]
            guard port.form.normalized(for: port.type.shape) == .plain else {
                throw EngineError(.inputMismatch, "takes \(port.form), not plain tensors", at: port.name)
            }
            guard tensor.type == port.type else {
                throw EngineError(.inputMismatch, "expected \(port.type), got \(tensor.type)", at: port.name)
            }
            tensor.withUnsafeBytes { input(index).copyMemory(from: $0) }
        }
    }

    /// The outputs of the last run as tensors: uint8 where the port is quantised.
    package func copyOutputs() -> [Tensor] {
        model.outputs.indices.map { index in
            let bytes = output(index)
            let port = model.outputs[index]
            let type = port.form.quantization == nil ? port.type : TensorType(.uint8, port.type.shape)
            return Tensor(type, storage: TensorStorage(byteCount: bytes.count) { $0.copyMemory(from: bytes) })
        }
    }
}
