/// The speed of one layer by one kernel.
package struct LayerResult: Sendable, Codable {
    package let layer: String
    package let layerClass: LayerClass
    package let kernel: String
    package let repeats: Int
    /// Of one run, as all that follows.
    package let multiplyAdds: Int
    package let bytesMoved: Int
    package let seconds: Double
    /// Seconds at the machine's peak: of the multiply-adds, or of the bytes where there are none. Nil if not known.
    package let secondsAtPeak: Double?

    package init(
        layer: LayerShape, call: KernelCall, instructionSet: String, seconds: Double, peaks: MachinePeaks
    ) {
        self.layer = layer.text + (call.algorithm.map { ", \($0)" } ?? "")
        layerClass = LayerClass(layer)
        kernel = call.kernel
        repeats = layer.repeats
        multiplyAdds = layer.multiplyAdds
        bytesMoved = call.bytesMoved
        self.seconds = seconds
        if layer.multiplyAdds > 0 {
            let rate = peaks.rate(of: instructionSet, call.arithmetic)
            secondsAtPeak = rate.map { Double(layer.multiplyAdds) / ($0.gigaMultiplyAddsPerSecond * 1e9) }
        } else {
            let bandwidth = peaks.bandwidth(for: call.bytesMoved)
            secondsAtPeak = bandwidth.map { Double(call.bytesMoved) / ($0.gigabytesPerSecond * 1e9) }
        }
    }

    package init(
        layer: String, layerClass: LayerClass, kernel: String, repeats: Int, multiplyAdds: Int, bytesMoved: Int,
        seconds: Double, secondsAtPeak: Double?
    ) {
        (self.layer, self.layerClass, self.kernel, self.repeats) = (layer, layerClass, kernel, repeats)
        (self.multiplyAdds, self.bytesMoved) = (multiplyAdds, bytesMoved)
        (self.seconds, self.secondsAtPeak) = (seconds, secondsAtPeak)
    }
}

/// Layers together, each as often as the network has it.
package struct Total: Sendable, Codable, Equatable {
    package private(set) var layers = 0
    package private(set) var multiplyAdds = 0
    package private(set) var bytesMoved = 0
    package private(set) var seconds = 0.0
    /// Nil as soon as one layer's is.
    package private(set) var secondsAtPeak: Double? = 0

    package init(_ results: some Sequence<LayerResult>) {
        for result in results {
            layers += result.repeats
            multiplyAdds += result.repeats * result.multiplyAdds
            bytesMoved += result.repeats * result.bytesMoved
            seconds += Double(result.repeats) * result.seconds
            secondsAtPeak = secondsAtPeak.flatMap { sum in
                result.secondsAtPeak.map { sum + Double(result.repeats) * $0 }
            }
        }
    }
}

/// A network's layers by one table, in one number system.
package struct NetworkResult: Sendable, Codable {
    package let network: String
    package let instructionSet: String
    package let arithmetic: Arithmetic
    /// Bytes of weights rotated through; 0 where each call found them as the one before had left them.
    package let weightBytes: Int
    package let layers: [LayerResult]
    package let total: Total
    /// Layers that the number system has no kernel for.
    package let layersWithoutKernel: Int

    package init(
        network: String, instructionSet: String, arithmetic: Arithmetic, weightBytes: Int, layers: [LayerResult],
        layersWithoutKernel: Int
    ) {
        (self.network, self.instructionSet, self.arithmetic) = (network, instructionSet, arithmetic)
        (self.weightBytes, self.layers, self.layersWithoutKernel) = (weightBytes, layers, layersWithoutKernel)
        total = Total(layers)
    }

    /// Measures every layer that has a kernel.
    package init(
        network: String, layers: [LayerShape], calls: KernelCalls, arithmetic: Arithmetic, peaks: MachinePeaks,
        stopwatch: Stopwatch
    ) {
        var (results, without) = ([LayerResult](), 0)
        for layer in layers {
            guard let call = calls.call(layer, arithmetic) else {
                without += layer.repeats
                continue
            }
            let seconds = stopwatch.medianSeconds(call.run)
            results.append(
                LayerResult(
                    layer: layer, call: call, instructionSet: calls.instructionSet, seconds: seconds, peaks: peaks))
        }
        self.init(
            network: network, instructionSet: calls.instructionSet, arithmetic: arithmetic,
            weightBytes: calls.weightBytes, layers: results, layersWithoutKernel: without)
    }

    /// The totals of the classes that occur.
    package var classTotals: [(layerClass: LayerClass, total: Total)] {
        LayerClass.allCases.compactMap { layerClass in
            let members = layers.filter { $0.layerClass == layerClass }
            return members.isEmpty ? nil : (layerClass, Total(members))
        }
    }
}
