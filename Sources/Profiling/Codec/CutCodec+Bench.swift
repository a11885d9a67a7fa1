package import ModelStore

extension CutCodec {
    /// What a package keeps of a calibration: the codings on the front of size and divergence that lose at most `maximumLoss`.
    ///
    /// Times are left out: they are those of a machine, and the same calibration gives the same package.
    /// - Parameter boundary: the tensors' names, in the cut's order.
    package init(_ bench: BoundaryBench, boundary: [String], maximumLoss: Double) {
        self.init(
            boundary: boundary, sampleCount: bench.pictures,
            settings: bench.front.filter { $0.loss <= maximumLoss }.map { point in
                Setting(
                    name: point.name, tensors: point.quantizers.map(Levels.init), encodedBytes: point.medianBytes,
                    loss: point.loss, top1Agreement: point.agreement, outputCosine: point.cosine,
                    divergence: max(0, point.divergence))
            })
    }
}
