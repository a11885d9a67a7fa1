package import InferenceEngine
package import ModelGraph

/// Runs the nodes after a cut on the boundary's codes; for any number of callers at once.
package final class TailRunner: Sendable {
    package enum Arithmetic: String, Hashable, Sendable, Codable {
        /// The cloud's: dequantises the boundary and loses nothing more.
        case float32
        /// The same, with the operands of convolutions rounded to bfloat16 where the CPU computes that faster.
        case bfloat16
        /// The edge's own, when it must finish alone: head and tail together equal the whole integer network, bit for
        /// bit where integers compute the boundary. What an operator computes in float32 is rounded only to be sent.
        case int8
    }

    package let boundary: [BoundaryPort]
    /// The graph outputs that the tail computes; float32, row-major.
    package let outputs: [Port]
    private let sessions: SessionPool

    /// - Parameters:
    ///   - layout: of the codes that `complete` takes.
    ///   - sharedWeights: of the same graph's other heads and tails.
    /// - Throws: `SplitExecutionError.unquantizedBoundary`, or what preparation throws.
    package init(
        _ quantized: QuantizedGraph, cut: Cut, arithmetic: Arithmetic = .float32, layout: Layout = .rowMajor,
        pool: WorkerPool, instructionSet: InstructionSet = .best, sharedWeights: SharedWeights? = nil
    ) throws {
        boundary = try BoundaryPort.ports(of: cut, in: quantized)
        let name = quantized.graph.name + ".tail"
        var options = PreparationOptions(
            instructionSet: instructionSet, allowsBFloat16: arithmetic == .bfloat16, workers: pool,
            sharedWeights: sharedWeights)
        for port in boundary {
            options.inputForms[port.name] = .exactly(TensorForm(quantization: port.quantization, layout: layout))
        }
        let model: PreparedModel
        switch arithmetic {
        case .float32, .bfloat16:
            let tail = try quantized.graph.extracting(inputs: cut.boundary, outputs: cut.tailOutputs, name: name)
            model = try PreparedModel(tail, options: options)
        case .int8:
            let tail = try quantized.extracting(inputs: cut.boundary, outputs: cut.tailOutputs, name: name)
            model = try PreparedModel(tail, options: options)
        }
        outputs = model.outputs
        sessions = SessionPool(model, pool: pool)
    }

    package var model: PreparedModel { sessions.model }

    /// - Parameter codes: one buffer for each boundary tensor, in order, of exactly its size.
    /// - Returns: float32 tensors, in the order of `outputs`.
    /// - Throws: `SplitExecutionError.inputMismatch`, `EngineError.layerFailed`.
    package func complete(_ codes: [UnsafeRawBufferPointer]) throws -> [Tensor] {
        try sessions.withSession { session in
            try feed(session, byteCounts: codes.map(\.count)) { $1.copyMemory(from: codes[$0]) }
            try session.run()
            return session.copyOutputs()
        }
    }

    /// - Parameter codes: one array for each boundary tensor, in order, of exactly its size.
    package func complete(_ codes: [[UInt8]]) throws -> [Tensor] {
        try sessions.withSession { session in
            try feed(session, byteCounts: codes.map(\.count)) { index, target in
                codes[index].withUnsafeBytes { target.copyMemory(from: $0) }
            }
            try session.run()
            return session.copyOutputs()
        }
    }

    /// Runs on codes and adds each node's time to `times`.
    package func complete(_ codes: [UnsafeRawBufferPointer], measuring times: inout LayerTimes) throws {
        try sessions.withSession { session in
            try feed(session, byteCounts: codes.map(\.count)) { $1.copyMemory(from: codes[$0]) }
            try session.run(measuring: &times)
        }
    }

    private func feed(
        _ session: InferenceSession, byteCounts: [Int], copy: (Int, UnsafeMutableRawBufferPointer) -> Void
    ) throws(SplitExecutionError) {
        guard byteCounts.count == boundary.count else {
            throw SplitExecutionError(
                .inputMismatch, "expected \(boundary.count) boundary tensors, got \(byteCounts.count)",
                at: sessions.model.name)
        }
        for (index, byteCount) in byteCounts.enumerated() {
            let target = session.input(index)
            guard byteCount == target.count else {
                throw SplitExecutionError(
                    .inputMismatch, "expected \(target.count) bytes, got \(byteCount)", at: boundary[index].name)
            }
            copy(index, target)
        }
    }
}
