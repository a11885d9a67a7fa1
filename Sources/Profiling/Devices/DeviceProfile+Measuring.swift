internal import Glibc
package import InferenceEngine
package import ModelGraph
package import Planning

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
    /// Times every node and the whole of a network on this machine.
    ///
    /// - Parameters:
    ///   - quantized: run in `precision`: in integers, or its graph alone.
    ///   - inputs: float32 tensors for the graph's inputs; times do not depend on the values.
    ///   - progress: runs done, runs to do.
    package static func measure(
        _ quantized: QuantizedGraph, role: Role, precision: Precision, model: ModelIdentity, provenance: Provenance,
        pool: WorkerPool,
        instructionSet: InstructionSet, inputs: [Tensor], effort: MeasurementEffort,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> DeviceProfile {
        let graph = quantized.graph
        let options = PreparationOptions(instructionSet: instructionSet, allowsBFloat16: precision == .bfloat16)
        let prepared =
            switch precision {
            case .int8: try PreparedModel(quantized, options: options)
            case .float32, .bfloat16: try PreparedModel(graph, options: options)
            }
        let session = InferenceSession(prepared, pool: pool)
        let total = 2 * effort.runs + effort.warmUps
        var done = 0
        func advance() {
            done += 1
            progress(done, total)
        }
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
        return DeviceProfile(
            provenance: provenance, model: model, role: role, precision: precision,
            threads: pool.width,
            nodes: zip(graph.nodes, nodeSamples).map { node, samples in
                NodeTiming(name: node.name, kind: node.operation.kind, timing: Timing(samples: samples))
            },
            wholeNetwork: Timing(samples: wholeSamples),
            wholeNetworkPeakMemory: ByteCount(prepared.arenaByteCount + prepared.weightByteCount))
    }
}
