internal import CKernels
internal import Testing

@Suite struct PoolingTests {
    /// Runs `body` on shapes at random. Pooling has as many outputs as channels; some shapes have the size of ceil_mode,
    /// where the last windows reach past the padding.
    private func forShapes(seed: UInt64, _ body: (WindowShape, inout SeededGenerator) -> Void) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<150 {
            var shape = WindowShape.randomDepthwise(using: &generator)
            shape.hasResidual = false
            shape.extraOutputs = generator.oneIn(3) ? 1 : 0
            body(shape, &generator)
        }
    }

    private func divisor(_ taps: [WindowShape.Tap], countIncludesPadding: Bool) -> Int {
        max(taps.count { countIncludesPadding ? $0.isInPaddedInput : $0.pixel != nil }, 1)
    }

    /// Every value by the definition, without gaps.
    private func values<T>(_ shape: WindowShape, _ value: ([WindowShape.Tap], Int) -> T) -> [T] {
        (0..<shape.outPixels).flatMap { pixel in
            let taps = shape.taps(ofOutputPixel: pixel)
            return (0..<shape.channels).map { value(taps, $0) }
        }
    }

    /// Two ranges of pixels, the later first.
    private func ranges(_ shape: WindowShape, using generator: inout SeededGenerator) -> [ck_range] {
        let middle = Int.random(in: 0...shape.outPixels, using: &generator)
        return [ck_range(first: middle, last: shape.outPixels), ck_range(first: 0, last: middle)]
    }

    @Test(arguments: KernelTable.available) func maximumOfBytes(table: KernelTable) {
        forShapes(seed: 21) { shape, generator in
            let input = Fenced<UInt8>(generator.integers(shape.inExtent))
            let output = Fenced<UInt8>(count: shape.outExtent)
            var pool = ck_maxpool_u8(
                geometry: shape.geometry, channels: shape.channels, input: input.pointer, in_stride: shape.inStride,
                output: output.pointer, out_stride: shape.outStride)
            for range in ranges(shape, using: &generator) { table.kernels.maxpool_u8(&pool, range) }
            let expected = values(shape) { taps, channel in
                taps.compactMap(\.pixel).map { input.pointer[$0 * shape.inStride + channel] }.max() ?? 0
            }
            #expect(output.valuesWithoutGaps(of: shape) == expected, "\(shape)")
        }
    }

    @Test(arguments: KernelTable.available) func maximumOfFloats(table: KernelTable) {
        forShapes(seed: 22) { shape, generator in
            let input = Fenced<Float>(generator.floats(shape.inExtent))
            let output = Fenced<Float>(count: shape.outExtent)
            var pool = ck_maxpool_f32(
                geometry: shape.geometry, channels: shape.channels, input: input.pointer, in_stride: shape.inStride,
                output: output.pointer, out_stride: shape.outStride)
            for range in ranges(shape, using: &generator) { table.kernels.maxpool_f32(&pool, range) }
            let expected = values(shape) { taps, channel in
                taps.compactMap(\.pixel).map { input.pointer[$0 * shape.inStride + channel] }.max() ?? -.infinity
            }
            #expect(output.valuesWithoutGaps(of: shape) == expected, "\(shape)")
        }
    }

    @Test(arguments: KernelTable.available) func notANumberNeverWins(table: KernelTable) {
        let input = Fenced<Float>([.nan, 1, .nan, 2, -1, .nan])
        let output = Fenced<Float>(count: 2)
        let geometry = ck_geometry(
            batch: 1, in_height: 1, in_width: 3, out_height: 1, out_width: 1, kernel_height: 1, kernel_width: 3,
            stride_height: 1, stride_width: 1, dilation_height: 1, dilation_width: 1, pad_top: 0, pad_left: 0,
            pad_bottom: 0, pad_right: 0)
        var pool = ck_maxpool_f32(
            geometry: geometry, channels: 2, input: input.pointer, in_stride: 2, output: output.pointer, out_stride: 2)
        table.kernels.maxpool_f32(&pool, ck_range(first: 0, last: 1))
        #expect(output.values == [-1, 2])
    }

    @Test(arguments: KernelTable.available, [false, true])
    func averageOfBytes(table: KernelTable, countIncludesPadding: Bool) {
        forShapes(seed: 23) { shape, generator in
            let input = Fenced<UInt8>(generator.integers(shape.inExtent))
            let output = Fenced<UInt8>(count: shape.outExtent)
            var pool = ck_avgpool_u8(
                geometry: shape.geometry, channels: shape.channels, input: input.pointer, in_stride: shape.inStride,
                output: output.pointer, out_stride: shape.outStride, in_zero_point: generator.byte(),
                out: ck_output_u8(zero_point: generator.byte(), min: 3, max: 250),
                multiplier: Float.random(in: 0...2, using: &generator), count_include_pad: countIncludesPadding)
            for range in ranges(shape, using: &generator) { table.kernels.avgpool_u8(&pool, range) }
            let expected = values(shape) { taps, channel in
                let sum = taps.compactMap(\.pixel).reduce(0) {
                    $0 + Int(input.pointer[$1 * shape.inStride + channel]) - Int(pool.in_zero_point)
                }
                let count = divisor(taps, countIncludesPadding: countIncludesPadding)
                return requantized(Float(sum) * (pool.multiplier / Float(count)), pool.out)
            }
            #expect(output.valuesWithoutGaps(of: shape) == expected, "\(shape)")
        }
    }

    @Test(arguments: KernelTable.available, [false, true])
    func averageOfFloats(table: KernelTable, countIncludesPadding: Bool) {
        forShapes(seed: 24) { shape, generator in
            let input = Fenced<Float>(generator.floats(shape.inExtent))
            let output = Fenced<Float>(count: shape.outExtent)
            var pool = ck_avgpool_f32(
                geometry: shape.geometry, channels: shape.channels, input: input.pointer, in_stride: shape.inStride,
                output: output.pointer, out_stride: shape.outStride, count_include_pad: countIncludesPadding)
            for range in ranges(shape, using: &generator) { table.kernels.avgpool_f32(&pool, range) }
            let expected = values(shape) { taps, channel in
                let sum = taps.compactMap(\.pixel).reduce(0.0) {
                    $0 + Double(input.pointer[$1 * shape.inStride + channel])
                }
                return sum / Double(divisor(taps, countIncludesPadding: countIncludesPadding))
            }
            let computed = output.valuesWithoutGaps(of: shape) ?? []
            #expect(computed.count == expected.count, "\(shape)")
            #expect(zip(computed, expected).allSatisfy { abs(Double($0) - $1) <= 1e-5 }, "\(shape)")
        }
    }
}

extension Fenced {
    fileprivate func valuesWithoutGaps(of shape: WindowShape) -> [Element]? {
        valuesWithoutGaps(pixels: shape.outPixels, channels: shape.channels, stride: shape.outStride)
    }
}
