package import ActivationCodec
package import ImageInput
package import InferenceEngine
package import ModelGraph

/// Runs the nodes before a cut in integers and offers the boundary to the codec without a copy.
///
/// One thread at a time: feed, `run()`, then encode `sources(_:)` before the next feed.
package final class HeadRunner {
    package let cut: Cut
    package let boundary: [BoundaryPort]
    /// The graph outputs that the head computes itself.
    package let outputNames: [String]
    private let session: InferenceSession
    /// Where each head output is found.
    private let outputOrigins: [OutputOrigin]

    private enum OutputOrigin {
        /// By position in the session's outputs: in plain form.
        case plain(Int)
        /// By position in `boundary`: a value that is sent and an output, too, exists as codes.
        case boundary(Int)
    }

    /// - Parameter sharedWeights: of the same graph's other heads and tails.
    /// - Throws: `SplitExecutionError.unquantizedBoundary`, or what preparation throws.
    package init(
        _ quantized: QuantizedGraph, cut: Cut, pool: WorkerPool, instructionSet: InstructionSet = .best,
        sharedWeights: SharedWeights? = nil
    ) throws {
        self.cut = cut
        let graph = quantized.graph
        boundary = try BoundaryPort.ports(of: cut, in: quantized)
        outputNames = cut.headOutputs.map { graph[$0].name }
        var outputs = cut.boundary
        outputOrigins = cut.headOutputs.map { output in
            if let position = cut.boundary.firstIndex(of: output) { return .boundary(position) }
            outputs.append(output)
            return .plain(outputs.count - 1)
        }
        let head = try quantized.extracting(inputs: graph.inputs, outputs: outputs, name: graph.name + ".head")
        var options = PreparationOptions(
            instructionSet: instructionSet, defaultInput: .natural, workers: pool, sharedWeights: sharedWeights)
        for port in boundary {
            options.outputForms[port.name] = .exactly(
                TensorForm(quantization: port.quantization, layout: .channelsLast))
        }
        session = InferenceSession(try PreparedModel(head, options: options), pool: pool)
    }

    package var model: PreparedModel { session.model }

    /// Feeds a picture through the package's preprocessing straight into the quantised input.
    /// - Throws: `ImageError`; `SplitExecutionError.inputMismatch` when the network's input is not one such picture.
    package func feed(_ image: Image, _ preprocessing: Preprocessing) throws {
        let port = session.model.inputs[0]
        guard session.model.inputs.count == 1, port.type.shape.dimensions == preprocessing.shape(.nchw) else {
            throw SplitExecutionError(
                .inputMismatch,
                "the preprocessing makes \(preprocessing.shape(.nchw)), the network takes \(port.type.shape)",
                at: port.name)
        }
        let layout: Preprocessing.Layout = port.form.layout == .channelsLast ? .nhwc : .nchw
        if let quantization = port.form.quantization {
            let target = session.input(0).bindMemory(to: UInt8.self)
            var span = target.mutableSpan
            try preprocessing.fillQuantized(
                &span, from: image, scale: quantization.scale, zeroPoint: quantization.zeroPoint, layout: layout)
        } else {
            var span = session.input(0).bindMemory(to: Float.self).mutableSpan
            try preprocessing.fill(&span, from: image, layout: layout)
        }
    }

    /// Feeds float32 tensors, one for each graph input, row-major.
    /// - Throws: `SplitExecutionError.inputMismatch`.
    package func feed(_ tensors: [Tensor]) throws { try session.feed(tensors) }

    /// - Throws: `EngineError.layerFailed`.
    package func run() throws {
        try session.run()
    }

    /// The boundary for the codec; it refers to this runner's memory, which the next feed overwrites.
    package func sources(_ mode: CodecMode) -> [TensorSource] { sources(.mode(mode)) }

    /// As the other, also for codings that were calibrated for this boundary.
    ///
    /// - Parameter held: whether the receiver has a calibrated quantiser; if not, the frame brings it.
    package func sources(
        _ coding: BoundaryCoding, held: (_ checksum: UInt32) -> Bool = { _ in true }
    ) -> [TensorSource] {
        boundary.indices.map { index in
            TensorSource(
                boundary[index].signature, layout: .channelsLast, coding: coding.symbols(ofTensor: index, held: held),
                compression: coding.compression, borrowing: session.output(index).bindMemory(to: UInt8.self))
        }
    }

    /// The boundary's codes, channels last; valid until the next feed.
    package func codes(_ index: Int) -> UnsafeRawBufferPointer { session.output(index) }

    /// The graph outputs that the head computed, float32, in the order of `outputNames`.
    package func outputs() -> [Tensor] {
        outputOrigins.map { origin in
            switch origin {
            case .plain(let position):
                let bytes = session.output(position)
                return Tensor(
                    session.model.outputs[position].type,
                    storage: TensorStorage(byteCount: bytes.count) { $0.copyMemory(from: bytes) })
            case .boundary(let position):
                return boundary[position].tensor(fromChannelsLast: session.output(position))
            }
        }
    }
}
