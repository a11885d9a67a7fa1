internal import Glibc
package import InferenceEngine
package import ModelGraph
package import Planning
internal import SplitExecution

/// How often to measure.
package struct MeasurementEffort: Sendable {
    /// Runs before the first that counts: caches fill, the processor's clock settles.
    package var warmUps: Int
    package var runs: Int

    package init(warmUps: Int = 3, runs: Int = 20) {
        precondition(warmUps >= 0 && runs >= 1)
        self.warmUps = warmUps
        self.runs = runs
    }
}

extension DeviceProfile {
    /// Times every node, the whole of a network and some heads or tails on this machine.
    ///
    /// A run of layers takes neither the sum of its layers (each timed alone pays for its timer and cold caches) nor its share of
    /// the whole, so heads (edge) and tails (cloud) of `parts` are run as they will be. All are run in turn, round by round, so
    /// that a clock that drifts meets them alike, batches too.
    ///
    /// - Throws: `GraphError.fixedBatchSize` where a network takes no batches; what preparation throws.
    /// - Parameters:
    ///   - quantized: run in `precision`: in integers, or its graph alone.
    ///   - parts: cuts whose head or tail is timed as one; edge-only cuts and those that cannot be sent are passed over.
    ///   - batches: how many pictures the whole network is timed on at once, each 2 or more.
    ///   - inputs: float32 tensors for the graph's inputs; times do not depend on the values.
    ///   - progress: runs done, runs to do.
    package static func measure(
        _ quantized: QuantizedGraph, role: Role, precision: Precision, parts: [Cut] = [], batches: [Int] = [],
        model: ModelIdentity, provenance: Provenance, pool: WorkerPool, instructionSet: InstructionSet,
        inputs: [Tensor],
        effort: MeasurementEffort, progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> DeviceProfile {
        let graph = quantized.graph
        let weights = SharedWeights()
        let options = PreparationOptions(
            instructionSet: instructionSet, allowsBFloat16: precision == .bfloat16, workers: pool,
            sharedWeights: weights)
        func prepare(_ quantized: QuantizedGraph) throws -> PreparedModel {
            switch precision {
            case .int8: try PreparedModel(quantized, options: options)
            case .float32, .bfloat16: try PreparedModel(quantized.graph, options: options)
            }
        }
        let prepared = try prepare(quantized)
        let session = InferenceSession(prepared, pool: pool)
        var timed = try parts.filter { !$0.isEdgeOnly && !$0.isCloudOnly }.compactMap { cut in
            try TimedPart(
                quantized, cut, role: role, precision: precision, pool: pool, instructionSet: instructionSet,
                weights: weights, inputs: inputs)
        }
        let total = effort.warmUps + effort.runs * 2
        var done = 0
        func advance() {
            done += 1
            progress(done, total)
        }
        // Before anything is timed: a network that takes no batches says so at once.
        let batched = try batches.map { pictures in
            let session = InferenceSession(try prepare(quantized.withBatchSize(pictures)), pool: pool)
            try session.feed(inputs.map { $0.repeated(pictures) })
            try session.run()
            return session
        }
        var batchSamples = [[Duration]](repeating: [], count: batches.count)
        for _ in 0..<effort.warmUps {
            _ = try session.run(inputs)
            advance()
        }
        var wholeSamples: [Duration] = []
        for _ in 0..<effort.runs {
            try session.feed(inputs)
            let start = ContinuousClock.now
            try session.run()
            wholeSamples.append(ContinuousClock.now - start)
            for index in timed.indices { try timed[index].run() }
            for (index, session) in batched.enumerated() {
                let start = ContinuousClock.now
                try session.run()
                batchSamples[index].append(ContinuousClock.now - start)
            }
            advance()
        }
        var nodeSamples = [[Duration]](repeating: [], count: graph.nodes.count)
        for _ in 0..<effort.runs {
            try session.feed(inputs)
            var times = LayerTimes(for: prepared)
            try session.run(measuring: &times)
            for (node, nanoseconds) in times.nanoseconds.enumerated() {
                nodeSamples[node].append(.nanoseconds(Int64(nanoseconds)))
            }
            advance()
        }
        let batchTimings = zip(batches, batchSamples).map { pictures, samples in
            BatchTiming(pictures: pictures, timing: Timing(samples: samples))
        }
        return DeviceProfile(
            provenance: provenance, model: model, role: role, precision: precision, threads: pool.width,
            nodes: zip(graph.nodes, nodeSamples).map { node, samples in
                NodeTiming(name: node.name, kind: node.operation.kind, timing: Timing(samples: samples))
            },
            wholeNetwork: Timing(samples: wholeSamples),
            wholeNetworkPeakMemory: ByteCount(prepared.arenaByteCount + prepared.weightByteCount),
            parts: timed.map(\.timing), batches: batches.isEmpty ? nil : batchTimings,
            drift: Timing.drift(of: wholeSamples))
    }
}

/// A head or a tail as it will be run, and how long its runs took.
private struct TimedPart {
    private let name: String
    private let execution: Execution
    private let memory: Int
    private var samples: [Duration] = []

    private enum Execution {
        case head(HeadRunner)
        case tail(TailRunner, codes: [[UInt8]])
    }

    /// `nil` when the cut's boundary cannot be sent.
    init?(
        _ quantized: QuantizedGraph, _ cut: Cut, role: DeviceProfile.Role, precision: DeviceProfile.Precision,
        pool: WorkerPool, instructionSet: InstructionSet, weights: SharedWeights, inputs: [Tensor]
    ) throws {
        guard cut.boundary.allSatisfy({ quantized[$0] != nil }) else { return nil }
        name = cut.name(in: quantized.graph)
        switch role {
        case .edge:
            let head = try HeadRunner(
                quantized, cut: cut, pool: pool, instructionSet: instructionSet, sharedWeights: weights)
            try head.feed(inputs)
            execution = .head(head)
            memory = head.model.arenaByteCount + head.model.weightByteCount
        case .cloud:
            let arithmetic: TailRunner.Arithmetic =
                switch precision {
                case .float32: .float32
                case .bfloat16: .bfloat16
                case .int8: .int8
                }
            let tail = try TailRunner(
                quantized, cut: cut, arithmetic: arithmetic, pool: pool, instructionSet: instructionSet,
                sharedWeights: weights)
            execution = .tail(tail, codes: tail.boundary.map { Array(repeating: 1, count: $0.shape.elementCount) })
            memory = tail.model.arenaByteCount + tail.model.weightByteCount
        }
    }

    mutating func run() throws {
        let start: ContinuousClock.Instant
        switch execution {
        case .head(let head):
            start = ContinuousClock.now
            try head.run()
        case .tail(let tail, let codes):
            let buffers = codes.map { codes in
                let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: codes.count, alignment: 64)
                buffer.copyBytes(from: codes)
                return UnsafeRawBufferPointer(buffer)
            }
            defer { for buffer in buffers { buffer.deallocate() } }
            start = ContinuousClock.now
            _ = try tail.complete(buffers)
        }
        samples.append(ContinuousClock.now - start)
    }

    var timing: DeviceProfile.PartTiming {
        DeviceProfile.PartTiming(cut: name, timing: Timing(samples: samples), peakMemory: ByteCount(memory))
    }
}

extension Tensor {
    /// Float32 elements, so often one after another along the outermost axis.
    fileprivate func repeated(_ times: Int) -> Tensor {
        let elements = array(of: Float.self)
        return Tensor(
            (0..<times).flatMap { _ in elements }, shape: Shape([times * shape[0]] + shape.dimensions.dropFirst()))
    }
}
