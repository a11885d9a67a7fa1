/// 8-bit samples of 1 or 3 interleaved channels, shape `[height, width, channels]`.
struct Samples {
    var width: Int
    var height: Int
    var channels: Int
    var bytes: [UInt8]
}

/// The weights that make outputs of one axis from its inputs, in fixed point with 22 fractional bits.
///
/// Output `i` is centred on `(i + ½)·input/output` and reaches `radius·max(1, input/output)` to either side; the
/// filter is sampled at the inputs' centres and normalised to sum 1 before it is rounded.
struct ResamplingAxis {
    /// 32 bits less 8 of the samples, less 2 of headroom for the filter's negative lobes.
    static let fractionBits: Int32 = 22

    /// First input of every output.
    private(set) var starts: [Int] = []
    /// `taps` weights for every output, padded with zeros; `starts[i] + taps` is never beyond the axis.
    private(set) var weights: [Int32] = []
    let taps: Int

    /// Weights of the outputs in `window`, out of `output` outputs that cover `input` inputs.
    init(input: Int, output: Int, window: Range<Int>, filter: Interpolation) {
        let step = Double(input) / Double(output)
        let stretch = max(step, 1)
        let reach = filter.radius * stretch
        let reachedInputs = window.map { i in
            let center = (Double(i) + 0.5) * step
            return max(0, Int(center - reach + 0.5))..<min(input, Int(center + reach + 0.5))
        }
        taps = reachedInputs.map(\.count).max() ?? 0
        starts.reserveCapacity(window.count)
        weights.reserveCapacity(window.count * taps)

        for (i, inputs) in zip(window, reachedInputs) {
            let center = (Double(i) + 0.5) * step
            let real = inputs.map { filter.weight(at: (Double($0) - center + 0.5) * (1 / stretch)) }
            let sum = real.reduce(0, +)
            let fixed = real.map {
                Int32(($0 / sum * Double(1 << Self.fractionBits)).rounded(.toNearestOrAwayFromZero))
            }
            let start = min(inputs.lowerBound, input - taps)
            let lead = inputs.lowerBound - start
            starts.append(start)
            weights += repeatElement(0, count: lead) + fixed + repeatElement(0, count: taps - lead - fixed.count)
        }
    }
}

extension Samples {
    /// The window `columns` × `rows` of the picture resized to `newWidth` × `newHeight`.
    ///
    /// Equal, bit for bit, to `resize` and `crop` of Pillow up to 12: each row is resampled and rounded to 8 bits, then
    /// the columns. (Pillow 13 takes columns first where that is cheaper, which moves single samples by one.) Only what
    /// the window needs is computed, and one resampled row is held at a time.
    /// - Complexity: O(columns · height · taps + columns · rows · taps).
    func resized(
        toWidth newWidth: Int, height newHeight: Int, columns: Range<Int>, rows: Range<Int>, filter: Interpolation
    ) -> Samples {
        if newWidth == width, newHeight == height, columns.count == width, rows.count == height { return self }
        let horizontal = ResamplingAxis(input: width, output: newWidth, window: columns, filter: filter)
        let vertical = ResamplingAxis(input: height, output: newHeight, window: rows, filter: filter)
        let rowSize = columns.count * channels

        var resampledRow = [UInt8](repeating: 0, count: rowSize)
        var sums = [Int32](repeating: roundingHalf, count: rows.count * rowSize)
        let output = [UInt8](unsafeUninitializedCapacity: rows.count * rowSize) { output, initializedCount in
            var complete = 0
            for inputRow in vertical.starts.first!..<vertical.starts.last! + vertical.taps {
                resampleRow(inputRow, by: horizontal, into: &resampledRow)
                for row in complete..<rows.count {
                    let tap = inputRow - vertical.starts[row]
                    if tap < 0 { break }
                    let window = row * rowSize..<(row + 1) * rowSize
                    sums.withUnsafeMutableBufferPointer { sums in
                        let sums = UnsafeMutableBufferPointer(rebasing: sums[window])
                        accumulate(resampledRow, times: vertical.weights[row * vertical.taps + tap], into: sums)
                        if tap == vertical.taps - 1 {
                            for i in 0..<rowSize { output[window.lowerBound + i] = saturated(sums[i]) }
                            complete = row + 1
                        }
                    }
                }
            }
            initializedCount = rows.count * rowSize
        }
        return Samples(width: columns.count, height: rows.count, channels: channels, bytes: output)
    }

    /// Applies `axis` along one row.
    private func resampleRow(_ row: Int, by axis: ResamplingAxis, into output: inout [UInt8]) {
        output.withUnsafeMutableBufferPointer { output in
            bytes.withUnsafeBufferPointer { input in
                axis.weights.withUnsafeBufferPointer { weights in
                    for x in axis.starts.indices {
                        let first = (row * width + axis.starts[x]) * channels
                        for channel in 0..<channels {
                            var sum = roundingHalf
                            for tap in 0..<axis.taps {
                                let sample = Int32(truncatingIfNeeded: input[first + tap * channels + channel])
                                sum &+= sample &* weights[x * axis.taps + tap]
                            }
                            output[x * channels + channel] = saturated(sum)
                        }
                    }
                }
            }
        }
    }
}

private func accumulate(_ samples: [UInt8], times weight: Int32, into sums: UnsafeMutableBufferPointer<Int32>) {
    samples.withUnsafeBufferPointer { samples in
        for i in 0..<sums.count { sums[i] &+= Int32(truncatingIfNeeded: samples[i]) &* weight }
    }
}

/// One half in fixed point: where sums begin, so that dropping the fraction rounds to nearest.
private let roundingHalf: Int32 = 1 << (ResamplingAxis.fractionBits - 1)

private func saturated(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(max(sum >> ResamplingAxis.fractionBits, 0), 255))
}
