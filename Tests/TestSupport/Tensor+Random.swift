package import ModelGraph

extension Tensor {
    /// A float32 tensor of values drawn evenly from `range`.
    package static func random(
        _ shape: Shape, in range: ClosedRange<Float> = -1...1, using generator: inout SplitMix64
    ) -> Tensor {
        let values = (0..<shape.elementCount).map { _ in Float.random(in: range, using: &generator) }
        return Tensor(values, shape: shape)
    }

    /// The largest difference to `other`, relative to the largest magnitude in `other` (at least 1).
    ///
    /// NaN against NaN and equal infinities differ by 0; a NaN against a number differs by infinity.
    /// - Precondition: both are float32 of the same shape.
    package func relativeDifference(from other: Tensor) -> Float {
        precondition(type == other.type, "\(type) compared with \(other.type)")
        let (left, right) = (array(of: Float.self), other.array(of: Float.self))
        let magnitude = right.lazy.filter(\.isFinite).map(abs).max() ?? 1
        return zip(left, right).reduce(0) { worst, pair in
            if pair.0 == pair.1 || (pair.0.isNaN && pair.1.isNaN) { return worst }
            let difference = abs(pair.0 - pair.1)
            return difference.isNaN ? .infinity : max(worst, difference / max(magnitude, 1))
        }
    }
}

extension Graph {
    /// Tensors for all inputs, float32.
    package func randomInputs(seed: UInt64) -> [Tensor] {
        var generator = SplitMix64(seed: seed)
        return inputs.map { .random(self[$0].type.shape, using: &generator) }
    }
}
