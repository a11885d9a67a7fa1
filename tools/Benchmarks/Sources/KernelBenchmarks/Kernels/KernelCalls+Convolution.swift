internal import CKernels

extension KernelCalls {
    func convolutionU8(_ layer: LayerShape) -> KernelCall {
        var shape = weightShape(layer)
        let weights = packU8(layer, table.conv_u8s8_u8_packed_size, table.conv_u8s8_u8_pack)
        var arguments = argumentsU8(layer, weights)
        let panels = ck_range(first: 0, last: table.conv_u8s8_u8_panel_count(&shape))
        let scratch = Memory(byteCount: table.conv_u8s8_u8_scratch_size(&arguments.layer))
        let (kernel, pixels) = (table.conv_u8s8_u8!, pixels(layer))
        return call(layer, "conv_u8s8_u8", .u8) {
            arguments.layer.weights = arguments.nextWeights()
            kernel(&arguments.layer, pixels, panels, scratch.raw)
        }
    }

    func depthwiseU8(_ layer: LayerShape) -> KernelCall {
        let weights = packU8(layer, table.dwconv_u8s8_u8_packed_size, table.dwconv_u8s8_u8_pack)
        var arguments = argumentsU8(layer, weights)
        let scratch = Memory(byteCount: table.dwconv_u8s8_u8_scratch_size(&arguments.layer))
        let (kernel, pixels) = (table.dwconv_u8s8_u8!, pixels(layer))
        return call(layer, "dwconv_u8s8_u8", .u8) {
            arguments.layer.weights = arguments.nextWeights()
            kernel(&arguments.layer, pixels, scratch.raw)
        }
    }

    func convolutionF32(_ layer: LayerShape) -> KernelCall {
        if usesWinograd, let call = winogradF32(layer) { return call }
        var shape = weightShape(layer)
        let weights = packF32(layer, table.conv_f32_packed_size, table.conv_f32_pack)
        var arguments = argumentsF32(layer, weights)
        let panels = ck_range(first: 0, last: table.conv_f32_panel_count(&shape))
        let scratch = Memory(byteCount: table.conv_f32_scratch_size(&arguments.layer))
        let (kernel, pixels) = (table.conv_f32!, pixels(layer))
        return call(layer, "conv_f32", .f32) {
            arguments.layer.weights = arguments.nextWeights()
            kernel(&arguments.layer, pixels, panels, scratch.raw)
        }
    }

    /// - Returns: nil where plain convolution is faster, and where the table has no other.
    private func winogradF32(_ layer: LayerShape) -> KernelCall? {
        guard let fastestTile = table.winograd_f32_tile else { return nil }
        var plain = argumentsF32(layer, []).layer
        let tile = fastestTile(&plain)
        guard tile > 0 else { return nil }
        var shape = weightShape(layer)
        let weights = packF32(
            layer, { table.winograd_f32_packed_size($0, tile) }, { table.winograd_f32_pack($0, tile, $1) })
        var arguments = argumentsF32(layer, weights)
        let tiles = ck_range(first: 0, last: ck_winograd_tile_count(&arguments.layer.geometry, tile))
        let panels = ck_range(first: 0, last: table.winograd_f32_panel_count(&shape))
        let scratch = Memory(byteCount: table.winograd_f32_scratch_size(&arguments.layer, tile))
        let kernel = table.winograd_f32!
        var call = call(layer, "winograd_f32", .f32) {
            arguments.layer.weights = arguments.nextWeights()
            kernel(&arguments.layer, tile, tiles, panels, scratch.raw)
        }
        call.algorithm = "Winograd \(tile)×\(tile)"
        return call
    }

    /// - Returns: nil for what is no convolution, and where the instruction set has no such kernels.
    func convolutionBF16(_ layer: LayerShape) -> KernelCall? {
        guard let bf16Table, layer.kind == .convolution else { return nil }
        var shape = weightShape(layer)
        let weights = packF32(layer, bf16Table.packed_size, bf16Table.pack)
        var arguments = argumentsF32(layer, weights)
        let panels = ck_range(first: 0, last: bf16Table.panel_count(&shape))
        let scratch = Memory(byteCount: bf16Table.scratch_size(&arguments.layer))
        let (kernel, pixels) = (bf16Table.conv!, pixels(layer))
        return call(layer, "conv_bf16", .bf16) {
            arguments.layer.weights = arguments.nextWeights()
            kernel(&arguments.layer, pixels, panels, scratch.raw)
        }
    }

    func depthwiseF32(_ layer: LayerShape) -> KernelCall {
        let weights = packF32(layer, table.dwconv_f32_packed_size, table.dwconv_f32_pack)
        var arguments = argumentsF32(layer, weights)
        let scratch = Memory(byteCount: table.dwconv_f32_scratch_size(&arguments.layer))
        let (kernel, pixels) = (table.dwconv_f32!, pixels(layer))
        return call(layer, "dwconv_f32", .f32) {
            arguments.layer.weights = arguments.nextWeights()
            kernel(&arguments.layer, pixels, scratch.raw)
        }
    }

    private func call(
        _ layer: LayerShape, _ kernel: String, _ arithmetic: Arithmetic, run: @escaping () -> Void
    ) -> KernelCall {
        let activations = (layer.inputCount + layer.outputCount) * arithmetic.elementBytes
        return KernelCall(
            kernel: kernel, arithmetic: arithmetic, run: run,
            bytesMoved: activations + layer.weightCount * arithmetic.weightBytes)
    }

    // MARK: Operands

    private typealias Size = (UnsafePointer<ck_weight_shape>?) -> Int

    private func packU8(
        _ layer: LayerShape, _ size: Size, _ pack: (UnsafePointer<ck_weights_s8>?, UnsafeMutableRawPointer?) -> Void
    ) -> [Memory] {
        let weights = Memory.randomBytes(layer.weightCount), bias = Memory(byteCount: layer.outputs * 4)
        // Spreads the results over the range of a byte.
        let multipliers = Memory.filled(layer.outputs, with: 1e-3)
        var source = ck_weights_s8()
        source.shape = weightShape(layer)
        source.weights = UnsafePointer(weights.i8)
        source.bias = UnsafePointer(bias.i32)
        source.multipliers = UnsafePointer(multipliers.f32)
        source.in_zero_point = inputZeroPoint
        return withExtendedLifetime((weights, bias, multipliers)) {
            copies(byteCount: size(&source.shape)) { pack(&source, $0) }
        }
    }

    private func packF32(
        _ layer: LayerShape, _ size: Size, _ pack: (UnsafePointer<ck_weights_f32>?, UnsafeMutableRawPointer?) -> Void
    ) -> [Memory] {
        let weights = Memory.randomFloats(layer.weightCount), bias = Memory(byteCount: layer.outputs * 4)
        var source = ck_weights_f32()
        source.shape = weightShape(layer)
        source.weights = UnsafePointer(weights.f32)
        source.bias = UnsafePointer(bias.f32)
        return withExtendedLifetime((weights, bias)) {
            copies(byteCount: size(&source.shape)) { pack(&source, $0) }
        }
    }

    private func argumentsU8(_ layer: LayerShape, _ weights: [Memory]) -> Arguments<ck_conv_u8> {
        let input = Memory.randomBytes(layer.inputCount), output = Memory(byteCount: layer.outputCount)
        let padding = Memory(byteCount: layer.channels)
        padding.bytes.initializeMemory(as: UInt8.self, repeating: inputZeroPoint)
        var arguments = ck_conv_u8()
        arguments.geometry = geometry(layer)
        (arguments.in_channels, arguments.out_channels) = (layer.channels, layer.outputs)
        arguments.groups = layer.groups
        (arguments.input, arguments.in_stride) = (UnsafePointer(input.u8), layer.channels)
        (arguments.output, arguments.out_stride) = (output.u8, layer.outputs)
        arguments.padding = UnsafePointer(padding.u8)
        arguments.in_zero_point = inputZeroPoint
        arguments.out = ck_output_u8(zero_point: 128, min: 0, max: 255)
        return Arguments(layer: arguments, weights: weights, tensors: [input, output, padding])
    }

    private func argumentsF32(_ layer: LayerShape, _ weights: [Memory]) -> Arguments<ck_conv_f32> {
        let input = Memory.randomFloats(layer.inputCount), output = Memory(byteCount: layer.outputCount * 4)
        let padding = Memory(byteCount: layer.channels * 4)
        var arguments = ck_conv_f32()
        arguments.geometry = geometry(layer)
        (arguments.in_channels, arguments.out_channels) = (layer.channels, layer.outputs)
        arguments.groups = layer.groups
        (arguments.input, arguments.in_stride) = (UnsafePointer(input.f32), layer.channels)
        (arguments.output, arguments.out_stride) = (output.f32, layer.outputs)
        arguments.padding = UnsafePointer(padding.f32)
        (arguments.min, arguments.max) = (-.infinity, .infinity)
        return Arguments(layer: arguments, weights: weights, tensors: [input, output, padding])
    }
}

/// Not 0, as that would spare a kernel the correction.
private let inputZeroPoint: UInt8 = 3

/// What a convolution is called with, and the memory that it points to.
private struct Arguments<Layer> {
    var layer: Layer
    private let weights: [Memory]
    private let tensors: [Memory]
    private var turn = 0

    init(layer: Layer, weights: [Memory], tensors: [Memory]) {
        (self.layer, self.weights, self.tensors) = (layer, weights, tensors)
    }

    mutating func nextWeights() -> UnsafeRawPointer {
        turn = turn + 1 == weights.count ? 0 : turn + 1
        return UnsafeRawPointer(weights[turn].raw)
    }
}
