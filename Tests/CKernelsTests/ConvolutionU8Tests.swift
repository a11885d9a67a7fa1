internal import CKernels
internal import Testing

/// A quantised layer with random contents and its result by the definition.
private struct Layer {
    var shape: WindowShape
    /// How `weights`, `[outputs, taps, group channels]`, are given to the kernels.
    var order: ck_weight_order
    var zeroPoint: UInt8
    var weights: [Int8]
    var bias: [Int32]
    var multipliers: [Float]
    var input: [UInt8]
    var residual: [UInt8]
    var residualZeroPoint: UInt8
    var residualMultiplier: Float
    var ownMultiplier: Float
    var out: ck_output_u8
    /// Of the sum with the residual.
    var sum: ck_output_u8
    /// Whether the kernel finds the residual where it writes its output.
    var isInPlace = false

    init(_ shape: WindowShape, using generator: inout SeededGenerator) {
        self.shape = shape
        order = shape.weightOrder(using: &generator)
        zeroPoint = generator.byte()
        let depth = shape.taps * shape.groupChannels
        weights = generator.integers(shape.outputs * depth)
        bias = (0..<shape.outputs).map { _ in Int32.random(in: -100_000...100_000, using: &generator) }
        let scale = 1 / (100 * Float(depth).squareRoot())
        multipliers = (0..<shape.outputs).map { _ in Float.random(in: 0...(2 * scale), using: &generator) }
        input = generator.integers(shape.inExtent)
        residual = shape.hasResidual ? generator.integers(shape.outExtent) : []
        residualZeroPoint = generator.byte()
        residualMultiplier = Float.random(in: 0...2, using: &generator)
        let bounds: [UInt8] = generator.oneIn(3) ? generator.integers(2).sorted() : [0, 255]
        out = ck_output_u8(zero_point: generator.byte(), min: bounds[0], max: bounds[1])
        ownMultiplier = Float.random(in: 0...2, using: &generator)
        sum = ck_output_u8(zero_point: generator.byte(), min: bounds[0], max: bounds[1])
    }

    func expectedValue(pixel: Int, output: Int, taps: [WindowShape.Tap]) -> UInt8 {
        let depth = shape.groupChannels
        let firstChannel = output / shape.groupOutputs * depth
        var accumulator = bias[output]
        for tap in taps {
            guard let inPixel = tap.pixel else { continue }
            for channel in 0..<depth {
                let x = Int32(input[inPixel * shape.inStride + firstChannel + channel]) - Int32(zeroPoint)
                accumulator &+= x * Int32(weights[(output * shape.taps + tap.index) * depth + channel])
            }
        }
        let own = requantized(Float(accumulator) * multipliers[output], out)
        guard shape.hasResidual else { return own }
        let r = Int32(residual[pixel * shape.outStride + output]) - Int32(residualZeroPoint)
        let value = Float(Int32(own) - Int32(out.zero_point)) * ownMultiplier
        return requantized(value + Float(r) * residualMultiplier, sum)
    }

    /// The values of all pixels, without gaps.
    func expected() -> [UInt8] {
        (0..<shape.outPixels).flatMap { pixel in
            let taps = shape.taps(ofOutputPixel: pixel)
            return (0..<shape.outputs).map { expectedValue(pixel: pixel, output: $0, taps: taps) }
        }
    }

    /// Packs, then computes two ranges of pixels and two of panels. Returns the values of all pixels without gaps, or nil
    /// where a byte outside them was written.
    func computed(by table: KernelTable, depthwise: Bool, split: (pixel: Int, panel: Int)) -> [UInt8]? {
        let kernels = table.kernels
        let weights = Fenced(shape.weights(weights, in: order))
        let bias = Fenced(bias)
        let multipliers = Fenced(multipliers)
        var packing = ck_weights_s8(
            shape: shape.weightShape, weights: weights.pointer, bias: bias.pointer, multipliers: multipliers.pointer,
            in_zero_point: zeroPoint, order: order)
        let packedSize = (depthwise ? kernels.dwconv_u8s8_u8_packed_size : kernels.conv_u8s8_u8_packed_size)!(
            &packing.shape)
        let packed = Fenced<UInt32>(count: (packedSize + 3) / 4)
        (depthwise ? kernels.dwconv_u8s8_u8_pack : kernels.conv_u8s8_u8_pack)!(&packing, packed.pointer)

        let input = Fenced(input)
        let residual = Fenced(residual)
        let padding = Fenced([UInt8](repeating: zeroPoint, count: shape.channels))
        let output = isInPlace ? residual : Fenced<UInt8>(count: shape.outExtent)
        var layer = ck_conv_u8(
            geometry: shape.geometry, in_channels: shape.channels, out_channels: shape.outputs, groups: shape.groups,
            input: input.pointer, in_stride: shape.inStride, output: output.pointer, out_stride: shape.outStride,
            weights: packed.pointer, padding: padding.pointer, in_zero_point: zeroPoint, out: out,
            residual: shape.hasResidual ? UnsafePointer(residual.pointer) : nil, residual_stride: shape.outStride,
            residual_zero_point: residualZeroPoint, residual_multiplier: residualMultiplier,
            own_multiplier: ownMultiplier, sum: sum)
        let scratch = Fenced<UInt8>.scratch(
            size: (depthwise ? kernels.dwconv_u8s8_u8_scratch_size : kernels.conv_u8s8_u8_scratch_size)!(&layer))
        let pixels = [
            ck_range(first: split.pixel, last: shape.outPixels), ck_range(first: 0, last: split.pixel),
        ]
        if depthwise {
            for range in pixels { kernels.dwconv_u8s8_u8(&layer, range, scratch.pointer) }
        } else {
            var weightShape = shape.weightShape
            let panelCount = kernels.conv_u8s8_u8_panel_count(&weightShape)
            let middle = min(split.panel, panelCount)
            let panels = [ck_range(first: 0, last: middle), ck_range(first: middle, last: panelCount)]
            for range in pixels {
                for panelRange in panels { kernels.conv_u8s8_u8(&layer, range, panelRange, scratch.pointer) }
            }
        }
        return output.valuesWithoutGaps(pixels: shape.outPixels, channels: shape.outputs, stride: shape.outStride)
    }
}

extension Fenced {
    /// The channels of every pixel; nil where the guard or a gap between pixels no longer holds its pattern.
    func valuesWithoutGaps(pixels: Int, channels: Int, stride: Int) -> [Element]? {
        guard guardIsIntact else { return nil }
        let isGapIntact = (0..<max(pixels - 1, 0)).allSatisfy { pixel in
            let gap = UnsafeRawBufferPointer(
                UnsafeBufferPointer(start: pointer + pixel * stride + channels, count: stride - channels))
            return gap.allSatisfy { $0 == 0xA5 }
        }
        guard isGapIntact else { return nil }
        return (0..<pixels).flatMap { pixel in (0..<channels).map { pointer[pixel * stride + $0] } }
    }
}

@Suite struct ConvolutionU8Tests {
    private func check(
        _ shape: WindowShape, _ table: KernelTable, seed: UInt64, depthwise: Bool = false,
        using generator: inout SeededGenerator
    ) {
        let layer = Layer(shape, using: &generator)
        let split = (
            pixel: Int.random(in: 0...shape.outPixels, using: &generator),
            panel: Int.random(in: 0...4, using: &generator)
        )
        let computed = layer.computed(by: table, depthwise: depthwise, split: split)
        #expect(computed == layer.expected(), "seed \(seed), \(shape)")
    }

    /// Rows around every tile height, channels around every vector and panel width.
    @Test(arguments: KernelTable.available) func pointwiseMatchesTheDefinition(table: KernelTable) {
        let seed: UInt64 = 1
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
        let seed: UInt64 = 2
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
        let seed: UInt64 = 3
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            check(.randomDepthwise(using: &generator), table, seed: seed, depthwise: true, using: &generator)
        }
    }

    /// A residual block's sum may overwrite its operand.
    @Test(arguments: KernelTable.available, [false, true])
    func residualMayBeTheOutput(table: KernelTable, depthwise: Bool) {
        var generator = SeededGenerator(seed: 7)
        for channels in WindowShape.channelCounts {
            var shape = WindowShape()
            shape.height = 5
            shape.width = 4
            shape.channels = channels
            shape.outputs = channels
            shape.groups = depthwise ? channels : 1
            shape.hasResidual = true
            var layer = Layer(shape, using: &generator)
            layer.isInPlace = true
            #expect(layer.computed(by: table, depthwise: depthwise, split: (9, 1)) == layer.expected(), "\(shape)")
        }
    }

    /// Pixels 4096 bytes apart meet in one set of the cache: their rows are copied together first.
    @Test(arguments: KernelTable.available) func collidingRowsMatchTheDefinition(table: KernelTable) {
        let seed: UInt64 = 8
        var generator = SeededGenerator(seed: seed)
        var shape = WindowShape()
        shape.height = 31
        shape.channels = 64
        shape.outputs = 33
        shape.gap = 4096 - shape.channels
        check(shape, table, seed: seed, using: &generator)
    }

    /// The largest products of uint8 and int8, which 16-bit sums would saturate.
    @Test(arguments: KernelTable.available, [Int8.min, Int8.max])
    func extremesDoNotSaturate(table: KernelTable, weight: Int8) {
        var generator = SeededGenerator(seed: 4)
        var shape = WindowShape()
        shape.height = 17
        shape.channels = 64
        shape.outputs = 33
        for zeroPoint: UInt8 in [0, 128, 255] {
            for activation: UInt8 in [0, 255] {
                var layer = Layer(shape, using: &generator)
                layer.weights = layer.weights.map { _ in weight }
                layer.input = layer.input.map { _ in activation }
                layer.zeroPoint = zeroPoint
                layer.out = ck_output_u8(zero_point: 128, min: 0, max: 255)
                // The largest sum, 64 * 255 * 128, comes out near the ends of the range.
                layer.multipliers = layer.multipliers.map { _ in 120 / Float(64 * 255 * 128) }
                let computed = layer.computed(by: table, depthwise: false, split: (0, 0))
                #expect(computed == layer.expected(), "zero point \(zeroPoint), activation \(activation)")
            }
        }
    }

    /// int32 sums wrap.
    @Test(arguments: KernelTable.available) func sumsWrap(table: KernelTable) {
        var generator = SeededGenerator(seed: 5)
        var shape = WindowShape()
        shape.channels = 20
        shape.outputs = 20
        var layer = Layer(shape, using: &generator)
        layer.zeroPoint = 0
        layer.input = layer.input.map { _ in 200 }
        layer.weights = layer.weights.map { _ in 100 }
        layer.bias = layer.bias.map { _ in .max - 1000 }
        layer.multipliers = layer.multipliers.map { _ in 100 / Float(Int32.max) }
        layer.out = ck_output_u8(zero_point: 128, min: 0, max: 255)
        let expected = [UInt8](repeating: 128 - 100, count: 20)
        #expect(layer.expected() == expected)
        #expect(layer.computed(by: table, depthwise: false, split: (0, 0)) == expected)
    }

    /// Ties round to the even neighbour, on either side of zero.
    @Test(arguments: KernelTable.available) func tiesRoundToEven(table: KernelTable) {
        var generator = SeededGenerator(seed: 6)
        var shape = WindowShape()
        shape.outputs = 64
        var layer = Layer(shape, using: &generator)
        layer.zeroPoint = 0
        layer.input = [0]
        layer.bias = (0..<64).map { $0 - 32 }
        layer.multipliers = layer.multipliers.map { _ in 0.5 }
        layer.out = ck_output_u8(zero_point: 100, min: 0, max: 255)
        let expected = (0..<64).map { UInt8(100 + (Double($0 - 32) / 2).rounded(.toNearestOrEven)) }
        #expect(layer.computed(by: table, depthwise: false, split: (0, 0)) == expected)
    }
}
