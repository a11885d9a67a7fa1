internal import CKernels

extension KernelCalls {
    func maxPoolU8(_ layer: LayerShape) -> KernelCall {
        let input = Memory.randomBytes(layer.inputCount), output = Memory(byteCount: layer.outputCount)
        var arguments = ck_maxpool_u8(
            geometry: geometry(layer), channels: layer.channels, input: input.u8, in_stride: layer.channels,
            output: output.u8, out_stride: layer.channels)
        let (kernel, pixels) = (table.maxpool_u8!, pixels(layer))
        return call(layer, "maxpool_u8", .u8, [input, output]) { kernel(&arguments, pixels) }
    }

    func maxPoolF32(_ layer: LayerShape) -> KernelCall {
        let input = Memory.randomFloats(layer.inputCount), output = Memory(byteCount: layer.outputCount * 4)
        var arguments = ck_maxpool_f32(
            geometry: geometry(layer), channels: layer.channels, input: input.f32, in_stride: layer.channels,
            output: output.f32, out_stride: layer.channels)
        let (kernel, pixels) = (table.maxpool_f32!, pixels(layer))
        return call(layer, "maxpool_f32", .f32, [input, output]) { kernel(&arguments, pixels) }
    }

    func averagePoolU8(_ layer: LayerShape) -> KernelCall {
        let input = Memory.randomBytes(layer.inputCount), output = Memory(byteCount: layer.outputCount)
        var arguments = ck_avgpool_u8(
            geometry: geometry(layer), channels: layer.channels, input: input.u8, in_stride: layer.channels,
            output: output.u8, out_stride: layer.channels, in_zero_point: 3,
            out: ck_output_u8(zero_point: 4, min: 0, max: 255), multiplier: 1.25, count_include_pad: false)
        let (kernel, pixels) = (table.avgpool_u8!, pixels(layer))
        return call(layer, "avgpool_u8", .u8, [input, output]) { kernel(&arguments, pixels) }
    }

    func averagePoolF32(_ layer: LayerShape) -> KernelCall {
        let input = Memory.randomFloats(layer.inputCount), output = Memory(byteCount: layer.outputCount * 4)
        var arguments = ck_avgpool_f32(
            geometry: geometry(layer), channels: layer.channels, input: input.f32, in_stride: layer.channels,
            output: output.f32, out_stride: layer.channels, count_include_pad: false)
        let (kernel, pixels) = (table.avgpool_f32!, pixels(layer))
        return call(layer, "avgpool_f32", .f32, [input, output]) { kernel(&arguments, pixels) }
    }

    private func call(
        _ layer: LayerShape, _ kernel: String, _ arithmetic: Arithmetic, _ tensors: [Memory],
        run: @escaping () -> Void
    ) -> KernelCall {
        KernelCall(
            kernel: kernel, arithmetic: arithmetic, run: { withExtendedLifetime(tensors, run) },
            bytesMoved: (layer.inputCount + layer.outputCount) * arithmetic.elementBytes)
    }
}
