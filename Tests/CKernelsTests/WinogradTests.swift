internal import CKernels
internal import Testing

/// A 3 × 3 layer with random contents, and what Winograd's algorithm may make of it.
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
        weights = generator.floats(shape.outputs * shape.taps * shape.channels)
        bias = generator.floats(shape.outputs)
        input = generator.floats(shape.inExtent)
        // Some pixels dwarf the others, so that the errors they leave in their whole tiles show.
        for index in input.indices where generator.oneIn(50) { input[index] *= 1e4 }
        residual = shape.hasResidual ? generator.floats(shape.outExtent) : []
        bounds = generator.oneIn(2) ? 0...6 : -.infinity ... .infinity
    }

    private func value(_ image: Int, _ y: Int, _ x: Int, _ channel: Int) -> Double {
        guard (0..<shape.height).contains(y), (0..<shape.width).contains(x) else { return 0 }
        return Double(input[((image * shape.height + y) * shape.width + x) * shape.inStride + channel])
    }

    /// The definition in double precision, and the bound of CKernels.h on the error.
    func expected(pixel: Int, output: Int, tile: Int) -> (value: Double, error: Double) {
        let image = pixel / (shape.outHeight * shape.outWidth)
        let y = pixel / shape.outWidth % shape.outHeight
        let x = pixel % shape.outWidth
        let own = shape.hasResidual ? Double(residual[pixel * shape.outStride + output]) : 0
        var sum = Double(bias[output]) + own
        var magnitude = abs(Double(bias[output])) + abs(own)
        let firstRow = y / tile * tile - shape.padTop
        let firstColumn = x / tile * tile - shape.padLeft
        for channel in 0..<shape.channels {
            var filter = 0.0
            for tap in 0..<9 {
                let weight = Double(weights[(output * 9 + tap) * shape.channels + channel])
                filter += abs(weight)
                sum += weight * value(image, y - shape.padTop + tap / 3, x - shape.padLeft + tap % 3, channel)
            }
            var largest = 0.0
            for row in firstRow..<firstRow + tile + 2 {
                for column in firstColumn..<firstColumn + tile + 2 {
                    largest = max(largest, abs(value(image, row, column, channel)))
                }
            }
            magnitude += largest * filter
        }
        let clamped = min(max(sum, Double(bounds.lowerBound)), Double(bounds.upperBound))
        let amplification: Double = tile == 2 ? 16 : 160
        return (clamped, Double(shape.channels + 16) * 0x1p-24 * amplification * magnitude)
    }

    /// Results with the tiles and panels divided in two each; `nil` when something else was written, too.
    func computed(by table: KernelTable, tile: Int, split: (tile: Int, panel: Int)) -> [Float]? {
        let kernels = table.kernels
        let weights = Fenced(shape.weights(weights, in: order))
        let bias = Fenced(bias)
        var packing = ck_weights_f32(
            shape: shape.weightShape, weights: weights.pointer, bias: bias.pointer, order: order)
        let packed = Fenced<Float>(count: kernels.winograd_f32_packed_size(&packing.shape, tile) / 4)
        kernels.winograd_f32_pack(&packing, tile, packed.pointer)
        let input = Fenced(input)
        let residual = Fenced(residual)
        let padding = Fenced([Float](repeating: 0, count: shape.channels))
        let output = Fenced<Float>(count: shape.outExtent)
        var layer = ck_conv_f32(
            geometry: shape.geometry, in_channels: shape.channels, out_channels: shape.outputs, groups: 1,
            input: input.pointer, in_stride: shape.inStride, output: output.pointer, out_stride: shape.outStride,
            weights: packed.pointer, padding: padding.pointer, min: bounds.lowerBound, max: bounds.upperBound,
            residual: shape.hasResidual ? UnsafePointer(residual.pointer) : nil, residual_stride: shape.outStride)
        let scratch = Fenced<UInt8>.scratch(size: kernels.winograd_f32_scratch_size(&layer, tile))
        let tiles = ck_winograd_tile_count(&layer.geometry, tile)
        let panels = kernels.winograd_f32_panel_count(&packing.shape)
        let (middle, half) = (min(split.tile, tiles), min(split.panel, panels))
        for range in [ck_range(first: middle, last: tiles), ck_range(first: 0, last: middle)] {
            for panelRange in [ck_range(first: 0, last: half), ck_range(first: half, last: panels)] {
                kernels.winograd_f32(&layer, tile, range, panelRange, scratch.pointer)
            }
        }
        return output.valuesWithoutGaps(pixels: shape.outPixels, channels: shape.outputs, stride: shape.outStride)
    }
}

@Suite struct WinogradTests {
    private static let tables = KernelTable.available.filter { $0.kernels.winograd_f32 != nil }

    private func randomShape(using generator: inout SeededGenerator) -> WindowShape {
        var shape = WindowShape.random(using: &generator)
        (shape.kernelHeight, shape.kernelWidth, shape.stride, shape.dilation) = (3, 3, 1, 1)
        shape.extraOutputs = generator.oneIn(4) && shape.outPixels > 0 ? 1 : 0
        return shape
    }

    @Test func everyTableButTheReferenceHasIt() {
        #expect(KernelTable.scalar.kernels.winograd_f32_tile == nil)
        #expect(Self.tables.count == KernelTable.available.count - 1)
    }

    @Test(arguments: tables, [2, 4]) func staysWithinItsBound(table: KernelTable, tile: Int) {
        let seed: UInt64 = 21
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let shape = randomShape(using: &generator)
            let layer = Layer(shape, using: &generator)
            let split = (
                tile: Int.random(in: 0...9, using: &generator), panel: Int.random(in: 0...2, using: &generator)
            )
            guard let computed = layer.computed(by: table, tile: tile, split: split) else {
                Issue.record("wrote outside the output: seed \(seed), \(shape)")
                continue
            }
            let wrong = computed.indices.first { index in
                let wanted = layer.expected(
                    pixel: index / shape.outputs, output: index % shape.outputs, tile: tile)
                return !(abs(Double(computed[index]) - wanted.value) <= wanted.error)
            }
            #expect(wrong == nil, "seed \(seed), \(shape)")
        }
    }

    /// However the work is divided, the results are the same bits.
    @Test(arguments: tables, [2, 4]) func divisionChangesNothing(table: KernelTable, tile: Int) {
        var generator = SeededGenerator(seed: 22)
        var shape = WindowShape()
        (shape.batch, shape.height, shape.width, shape.channels, shape.outputs) = (2, 23, 31, 19, 70)
        (shape.kernelHeight, shape.kernelWidth, shape.padTop, shape.padLeft) = (3, 3, 1, 2)
        let layer = Layer(shape, using: &generator)
        let whole = layer.computed(by: table, tile: tile, split: (tile: 0, panel: 0))
        #expect(whole != nil)
        for _ in 0..<10 {
            let split = (
                tile: Int.random(in: 0...60, using: &generator), panel: Int.random(in: 0...3, using: &generator)
            )
            #expect(layer.computed(by: table, tile: tile, split: split) == whole)
        }
    }

    @Test(arguments: tables) func isChosenOnlyWhereItAppliesAndPays(table: KernelTable) {
        func choice(_ change: (inout ck_conv_f32) -> Void) -> Int {
            var layer = ck_conv_f32()
            layer.geometry = ck_geometry(
                batch: 1, in_height: 28, in_width: 28, out_height: 28, out_width: 28, kernel_height: 3,
                kernel_width: 3, stride_height: 1, stride_width: 1, dilation_height: 1, dilation_width: 1, pad_top: 1,
                pad_left: 1, pad_bottom: 1, pad_right: 1)
            (layer.in_channels, layer.out_channels, layer.groups) = (128, 128, 1)
            change(&layer)
            return table.kernels.winograd_f32_tile(&layer)
        }
        #expect(choice { _ in } == 4)
        #expect(choice { $0.geometry.batch = 16 } == 4)
        #expect(choice { $0.geometry.kernel_width = 1 } == 0)
        #expect(choice { $0.geometry.kernel_height = 5 } == 0)
        #expect(choice { $0.geometry.stride_width = 2 } == 0)
        #expect(choice { $0.geometry.dilation_height = 2 } == 0)
        #expect(choice { $0.groups = 2 } == 0)
        #expect(choice { ($0.geometry.out_height, $0.geometry.out_width) = (6, 6) } == 2)
        #expect(choice { ($0.geometry.out_height, $0.geometry.out_width) = (1, 1) } == 0)
        #expect(choice { ($0.geometry.out_height, $0.geometry.out_width) = (0, 0) } == 0)
        #expect(choice { $0.in_channels = 1 } == 0)
    }
}
