/// Where a window over the spatial axes reads: for each tap of the kernel, which outputs it feeds from which inputs.
///
/// The outputs that a tap feeds are listed as runs along the last axis; positions in the padding belong to no run.
struct SlidingWindow {
    /// Outputs `output..<output + count` read inputs `input`, `input + inputStep`, …
    struct Run {
        var output: Int
        var input: Int
        var count: Int
    }

    /// Row-major over the kernel.
    let taps: [[Run]]
    let inputStep: Int
    /// Elements of one input plane.
    let inputCount: Int
    /// Elements of one output plane.
    let outputCount: Int

    init(_ window: Window, inputExtents: [Int], outputExtents: [Int]) {
        // A pointwise window sees one long row, whatever the spatial axes.
        let isPointwise = window.isPointwise
        let window = isPointwise ? Window(kernel: [1]) : window
        let inputs = isPointwise ? [inputExtents.reduce(1, *)] : inputExtents
        let outputs = isPointwise ? [outputExtents.reduce(1, *)] : outputExtents
        inputStep = window.strides[window.rank - 1]
        inputCount = inputs.reduce(1, *)
        outputCount = outputs.reduce(1, *)

        var taps = [[Run(output: 0, input: 0, count: 1)]]
        // Each axis multiplies the taps by its kernel extent and the runs by the outputs a tap feeds on it.
        for axis in 0..<window.rank {
            let isLast = axis == window.rank - 1
            taps = taps.flatMap { runs in
                (0..<window.kernel[axis]).map { tap in
                    let offset = tap * window.dilations[axis] - window.padsBegin[axis]
                    let fed = Self.outputs(
                        at: offset, stride: window.strides[axis], inputExtent: inputs[axis], outputExtent: outputs[axis]
                    )
                    return runs.flatMap { run -> [Run] in
                        let row = Run(output: run.output * outputs[axis], input: run.input * inputs[axis], count: 1)
                        let first = row.input + offset
                        if isLast {
                            guard let lower = fed.first else { return [] }
                            return [
                                Run(
                                    output: row.output + lower, input: first + lower * window.strides[axis],
                                    count: fed.count)
                            ]
                        }
                        return fed.map {
                            Run(output: row.output + $0, input: first + $0 * window.strides[axis], count: 1)
                        }
                    }
                }
            }
        }
        self.taps = taps
    }

    /// The outputs `o` whose input `o · stride + offset` lies inside.
    private static func outputs(at offset: Int, stride: Int, inputExtent: Int, outputExtent: Int) -> Range<Int> {
        let lower = offset < 0 ? (-offset + stride - 1) / stride : 0
        let upper = offset < inputExtent ? min((inputExtent - offset + stride - 1) / stride, outputExtent) : 0
        return lower..<max(lower, upper)
    }

    /// For each output, how many taps read an element.
    var tapCounts: [Int] {
        var counts = [Int](repeating: 0, count: outputCount)
        for run in taps.joined() {
            for index in run.output..<run.output + run.count { counts[index] += 1 }
        }
        return counts
    }
}
