internal import Glibc
internal import ModelGraph

// Layers without kernels in C: plain loops, prepared such that the innermost runs over neighbours in memory.

/// A function of two operands with broadcasting.
struct BroadcastOperation: Sendable {
    let function: BinaryFunction
    let clamp: Clamp?
    /// Extents of the result but for the innermost axis, outermost first, with the operands' strides.
    let outer: [(extent: Int, left: Int, right: Int)]
    /// Elements of a row: all that advance together.
    let columns: Int
    /// Strides within a row: 1, or 0 for an operand that is one number there.
    let leftStep: Int
    let rightStep: Int

    /// - Parameter axes: of the result, outermost first, as it lies in memory; axes that both operands step through like
    ///   one are joined.
    init(
        _ function: BinaryFunction, clamp: Clamp?, axes: [(extent: Int, left: Int, right: Int)]
    ) {
        self.function = function
        self.clamp = clamp
        var joined: [(extent: Int, left: Int, right: Int)] = []
        for axis in axes where axis.extent != 1 {
            if let last = joined.last, last.left == axis.left * axis.extent, last.right == axis.right * axis.extent {
                joined[joined.count - 1] = (last.extent * axis.extent, axis.left, axis.right)
            } else {
                joined.append(axis)
            }
        }
        let inner = joined.last ?? (1, 1, 1)
        if inner.left <= 1 && inner.right <= 1 {
            joined = joined.dropLast()
            (columns, leftStep, rightStep) = (inner.extent, inner.left, inner.right)
        } else {
            (columns, leftStep, rightStep) = (1, 0, 0)
        }
        outer = joined
    }

    var rowCount: Int { outer.reduce(1) { $0 * $1.extent } }

    func run(
        _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, first: Int,
        last: Int
    ) {
        switch function {
        case .add: run(left, right, target, first, last) { $0 + $1 }
        case .subtract: run(left, right, target, first, last) { $0 - $1 }
        case .multiply: run(left, right, target, first, last) { $0 * $1 }
        case .divide: run(left, right, target, first, last) { $0 / $1 }
        case .power: run(left, right, target, first, last) { $1 == 2 ? $0 * $0 : powf($0, $1) }
        // As numpy: a NaN in either is the result.
        case .maximum: run(left, right, target, first, last) { $0.isNaN || $0 > $1 ? $0 : $1 }
        case .minimum: run(left, right, target, first, last) { $0.isNaN || $0 < $1 ? $0 : $1 }
        case .prelu: run(left, right, target, first, last) { $0 < 0 ? $1 * $0 : $0 }
        }
    }

    @inline(__always)
    private func run(
        _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>,
        _ first: Int, _ last: Int, _ function: (Float, Float) -> Float
    ) {
        for row in first..<last {
            var (rest, leftStart, rightStart) = (row, 0, 0)
            for axis in outer.reversed() {
                let index = rest % axis.extent
                rest /= axis.extent
                leftStart += index * axis.left
                rightStart += index * axis.right
            }
            let (a, b, into) = (left + leftStart, right + rightStart, target + row * columns)
            switch (leftStep, rightStep) {
            case (1, 1): for column in 0..<columns { into[column] = function(a[column], b[column]) }
            case (1, 0):
                let constant = b[0]
                for column in 0..<columns { into[column] = function(a[column], constant) }
            case (0, 1):
                let constant = a[0]
                for column in 0..<columns { into[column] = function(constant, b[column]) }
            default:
                let constant = function(a[0], b[0])
                for column in 0..<columns { into[column] = constant }
            }
            guard let clamp else { continue }
            for column in 0..<columns { into[column] = clamp(into[column]) }
        }
    }
}

/// A reduction over neighbouring axes: `[outer, reduced, inner]` → `[outer, inner]`.
struct ReductionPlan: Sendable {
    let kind: Reduction.Kind
    let outer: Int
    let reduced: Int
    let inner: Int

    func run(_ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, first: Int, last: Int) {
        switch kind {
        case .sum: run(source, target, first, last, from: 0) { $0 + $1 }
        case .mean:
            run(source, target, first, last, from: 0) { $0 + $1 }
            for index in first * inner..<last * inner { target[index] /= Float(reduced) }
        case .maximum: run(source, target, first, last, from: -.infinity) { $0.isNaN || $0 > $1 ? $0 : $1 }
        case .minimum: run(source, target, first, last, from: .infinity) { $0.isNaN || $0 < $1 ? $0 : $1 }
        case .product: run(source, target, first, last, from: 1) { $0 * $1 }
        case .l1: run(source, target, first, last, from: 0) { $0 + abs($1) }
        case .sumOfSquares: run(source, target, first, last, from: 0) { $0 + $1 * $1 }
        case .l2:
            run(source, target, first, last, from: 0) { $0 + $1 * $1 }
            for index in first * inner..<last * inner { target[index] = target[index].squareRoot() }
        }
    }

    /// Pairs of partial results, sixteen at a time where there is one result, keep both speed and precision.
    @inline(__always)
    private func run(
        _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ first: Int, _ last: Int,
        from neutral: Float, _ function: (Float, Float) -> Float
    ) {
        for row in first..<last {
            let from = source + row * reduced * inner
            let into = target + row * inner
            if inner == 1 {
                let isFolding = kind == .l1 || kind == .sumOfSquares || kind == .l2
                var result = neutral
                for start in stride(from: 0, to: reduced, by: 256) {
                    var partial = neutral
                    for index in start..<min(start + 256, reduced) { partial = function(partial, from[index]) }
                    result = isFolding ? result + partial : function(result, partial)
                }
                into[0] = result
            } else {
                for column in 0..<inner { into[column] = neutral }
                for index in 0..<reduced {
                    let line = from + index * inner
                    for column in 0..<inner { into[column] = function(into[column], line[column]) }
                }
            }
        }
    }
}

/// Interpolation along the rows and columns of `[images, rows, columns, channels]`.
struct ResizePlan: Sendable {
    let images: Int
    let sourceRows: Int
    let sourceColumns: Int
    let channels: Int
    /// Elements between neighbouring pixels of the operand.
    let pixelStride: Int
    let rows: ResizeTaps
    let columns: ResizeTaps
    let extrapolation: Float

    var targetRows: Int { rows.isOutside.count }
    var targetColumns: Int { columns.isOutside.count }
    var rowCount: Int { images * targetRows }
    var rowElements: Int { targetColumns * channels }

    func run(_ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, first: Int, last: Int) {
        for row in first..<last {
            let (image, y) = row.quotientAndRemainder(dividingBy: targetRows)
            let from = source + image * sourceRows * sourceColumns * pixelStride
            for x in 0..<targetColumns {
                let into = target + (row * targetColumns + x) * channels
                guard !rows.isOutside[y], !columns.isOutside[x] else {
                    into.update(repeating: extrapolation, count: channels)
                    continue
                }
                into.update(repeating: 0, count: channels)
                for tapY in y * rows.count..<(y + 1) * rows.count {
                    for tapX in x * columns.count..<(x + 1) * columns.count {
                        let weight = Float(rows.weights[tapY] * columns.weights[tapX])
                        guard weight != 0 else { continue }
                        let pixel =
                            from + (rows.indices[tapY] * sourceColumns + columns.indices[tapX]) * pixelStride
                        for channel in 0..<channels { into[channel] += weight * pixel[channel] }
                    }
                }
            }
        }
    }
}

/// Each row normalised by its own mean and variance, then scaled and shifted.
struct NormalizationPlan: Sendable {
    let rows: Int
    let columns: Int
    let epsilon: Float
    /// Each number of scale and bias serves so many neighbours of a row.
    let share: Int
    /// So many rows come before scale and bias repeat.
    let period: Int
    /// `period · columns / share` numbers each.
    let scale: [Float]
    let bias: [Float]

    func run(_ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, first: Int, last: Int) {
        scale.withUnsafeBufferPointer { scale in
            bias.withUnsafeBufferPointer { bias in
                for row in first..<last {
                    let (from, into) = (source + row * columns, target + row * columns)
                    let mean = sum(columns) { from[$0] } / Float(columns)
                    let variance = sum(columns) { (from[$0] - mean) * (from[$0] - mean) } / Float(columns)
                    let factor = 1 / (variance + epsilon).squareRoot()
                    let parameters = row % period * (columns / share)
                    if share == 1 {
                        let (scale, bias) = (scale.baseAddress! + parameters, bias.baseAddress! + parameters)
                        for column in 0..<columns {
                            into[column] = (from[column] - mean) * factor * scale[column] + bias[column]
                        }
                        continue
                    }
                    for index in 0..<columns / share {
                        let (a, b) = (factor * scale[parameters + index], bias[parameters + index])
                        for column in index * share..<(index + 1) * share {
                            into[column] = (from[column] - mean) * a + b
                        }
                    }
                }
            }
        }
    }

    /// In sixteen partial sums, which is faster and more precise than one.
    @inline(__always)
    private func sum(_ count: Int, _ term: (Int) -> Float) -> Float {
        var partial = SIMD16<Float>()
        let whole = count / 16 * 16
        for start in stride(from: 0, to: whole, by: 16) {
            var terms = SIMD16<Float>()
            for lane in 0..<16 { terms[lane] = term(start + lane) }
            partial += terms
        }
        var result = partial.sum()
        for index in whole..<count { result += term(index) }
        return result
    }
}
