internal import CKernels
internal import Testing

/// A float layer with random contents in -1...1 and its result in double precision.
private struct Layer {
    var shape: WindowShape
    /// How `weights`, `[outputs, taps, group channels]`, are given to the kernels.
    var order: ck_weight_order
    var weights: [Float]
    var bias: [Float]
    var input: [Float]
    var residual: [Float]
    var bounds: ClosedRange<Float>

    init(_ shape: WindowShape, using generator: inout SeededGenerator) {
        self.shape = shape
        order = shape.weightOrder(using: &generator)
        weights = generator.floats(shape.outputs * shape.taps * shape.groupChannels)
        bias = generator.floats(shape.outputs)
        input = generator.floats(shape.inExtent)
        residual = shape.hasResidual ? generator.floats(shape.outExtent) : []
        bounds = generator.oneIn(2) ? 0...6 : -.infinity ... .infinity
    }

    /// An exact value and the error a kernel may make: 1e-5 of the sum of the magnitudes added.
    struct Expected {
        var value: Double
        var tolerance: Double
    }

    func expectedValue(pixel: Int, output: Int, taps: [WindowShape.Tap]) -> Expected {
        let depth = shape.groupChannels
        let firstChannel = output / shape.groupOutputs * depth
        var sum = Double(bias[output])
        var magnitude = abs(sum)
        for tap in taps {
            guard let inPixel = tap.pixel else { continue }
            for channel in 0..<depth {
                let product =
                    Double(input[inPixel * shape.inStride + firstChannel + channel])
                    * Double(weights[(output * shape.taps + tap.index) * depth + channel])
                sum += product
                magnitude += abs(product)
            }
        }
        if shape.hasResidual {
            sum += Double(residual[pixel * shape.outStride + output])
            magnitude += 1
        }
        let clamped = min(max(sum, Double(bounds.lowerBound)), Double(bounds.upperBound))
        return Expected(value: clamped, tolerance: 1e-5 * magnitude + 1e-30)
    }

    func expected() -> [Expected] {
        (0..<shape.outPixels).flatMap { pixel in
            let taps = shape.taps(ofOutputPixel: pixel)
            return (0..<shape.outputs).map { expectedValue(pixel: pixel, output: $0, taps: taps) }
        }
    }

    /// As in the quantised tests: two ranges of pixels by two of panels.
    func computed(by table: KernelTable, depthwise: Bool, split: (pixel: Int, panel: Int)) -> [Float]? {
        let kernels = table.kernels
        let weights = Fenced(shape.weights(weights, in: order))
        let bias = Fenced(bias)
        var packing = ck_weights_f32(
            shape: shape.weightShape, weights: weights.pointer, bias: bias.pointer, order: order)
        let packedSize = (depthwise ? kernels.dwconv_f32_packed_size : kernels.conv_f32_packed_size)!(&packing.shape)
        let packed = Fenced<UInt32>(count: (packedSize + 3) / 4)
        (depthwise ? kernels.dwconv_f32_pack : kernels.conv_f32_pack)!(&packing, packed.pointer)

        let input = Fenced(input)
        let residual = Fenced(residual)
        let padding = Fenced([Float](repeating: 0, count: shape.channels))
        let output = Fenced<Float>(count: shape.outExtent)
        var layer = ck_conv_f32(
            geometry: shape.geometry, in_channels: shape.channels, out_channels: shape.outputs, groups: shape.groups,
            input: input.pointer, in_stride: shape.inStride, output: output.pointer, out_stride: shape.outStride,
            weights: packed.pointer, padding: padding.pointer, min: bounds.lowerBound, max: bounds.upperBound,
            residual: shape.hasResidual ? UnsafePointer(residual.pointer) : nil, residual_stride: shape.outStride)
        let scratch = Fenced<UInt8>.scratch(
            size: (depthwise ? kernels.dwconv_f32_scratch_size : kernels.conv_f32_scratch_size)!(&layer))
        let pixels = [
            ck_range(first: split.pixel, last: shape.outPixels), ck_range(first: 0, last: split.pixel),
        ]
        if depthwise {
            for range in pixels { kernels.dwconv_f32(&layer, range, scratch.pointer) }
        } else {
            var weightShape = shape.weightShape
            let panelCount = kernels.conv_f32_panel_count(&weightShape)
            let middle = min(split.panel, panelCount)
            let panels = [ck_range(first: 0, last: middle), ck_range(first: middle, last: panelCount)]
            for range in pixels {
                for panelRange in panels { kernels.conv_f32(&layer, range, panelRange, scratch.pointer) }
            }
        }
        return output.valuesWithoutGaps(pixels: shape.outPixels, channels: shape.outputs, stride: shape.outStride)
    }
}

@Suite struct ConvolutionF32Tests {
    private func check(
        _ shape: WindowShape, _ table: KernelTable, seed: UInt64, depthwise: Bool = false,
        using generator: inout SeededGenerator
    ) {
        let layer = Layer(shape, using: &generator)
        let split = (
            pixel: Int.random(in: 0...shape.outPixels, using: &generator),
            panel: Int.random(in: 0...4, using: &generator)
        )
        guard let computed = layer.computed(by: table, depthwise: depthwise, split: split) else {
            Issue.record("wrote outside the output: seed \(seed), \(shape)")
            return
        }
        let expected = layer.expected()
        #expect(computed.count == expected.count)
        let worst = zip(computed, expected).first { !(abs(Double($0) - $1.value) <= $1.tolerance) }
        #expect(worst == nil, "seed \(seed), \(shape)")
    }

    @Test(arguments: KernelTable.available) func pointwiseMatchesTheDefinition(table: KernelTable) {
        let seed: UInt64 = 11
        var generator = SeededGenerator(seed: seed)
        for rows in [0, 1, 2, 3, 4, 5, 6, 7, 13, 14, 15, 29, 127] {
            for channels in WindowShape.channelCounts {
                var shape = WindowShape()
                shape.height = rows
                shape.channels = channels
                shape.outputs = generator.element(of: WindowShape.channelCounts)
                shape.gap = generator.oneIn(2) ? 0 : 5
                shape.hasResidual = generator.oneIn(2)
                check(shape, table, seed: seed, using: &generator)
            }
        }
    }

    @Test(arguments: KernelTable.available) func convolutionMatchesTheDefinition(table: KernelTable) {
        let seed: UInt64 = 12
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let groups = generator.oneIn(4) ? Int.random(in: 2...4, using: &generator) : 1
            check(.random(groups: groups, using: &generator), table, seed: seed, using: &generator)
        }
    }

    /// Groups so small that a table may compute several as one.
    @Test(arguments: KernelTable.available) func smallGroupsMatchTheDefinition(table: KernelTable) {
        let seed: UInt64 = 9
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            var shape = WindowShape.random(groups: Int.random(in: 2...36, using: &generator), using: &generator)
            shape.channels = shape.groups * Int.random(in: 1...9, using: &generator)
            shape.outputs = shape.groups * Int.random(in: 1...9, using: &generator)
            check(shape, table, seed: seed, using: &generator)
        }
    }

    @Test(arguments: KernelTable.available) func depthwiseMatchesTheDefinition(table: KernelTable) {
        let seed: UInt64 = 13
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            check(.randomDepthwise(using: &generator), table, seed: seed, depthwise: true, using: &generator)
        }
    }

    @Test(arguments: KernelTable.available) func collidingRowsMatchTheDefinition(table: KernelTable) {
        let seed: UInt64 = 14
        var generator = SeededGenerator(seed: seed)
        var shape = WindowShape()
        shape.height = 31
        shape.channels = 1024
        shape.outputs = 33
        check(shape, table, seed: seed, using: &generator)
    }
}
