internal import CKernels

extension KernelCalls {
    func addU8(_ layer: LayerShape) -> KernelCall {
        let (a, b) = (Memory.randomBytes(layer.inputCount), Memory.randomBytes(layer.inputCount))
        let output = Memory(byteCount: layer.outputCount)
        var arguments = ck_add_u8(
            channels: layer.channels, a: a.u8, b: b.u8, a_stride: layer.channels, b_stride: layer.channels,
            a_zero_point: 3, b_zero_point: 5, a_multiplier: 0.75, b_multiplier: 0.5, output: output.u8,
            out_stride: layer.channels, out: ck_output_u8(zero_point: 4, min: 0, max: 255))
        let (kernel, pixels) = (table.add_u8!, pixels(layer))
        return call("add_u8", [a, b, output]) { kernel(&arguments, pixels) }
    }

    func multiplyU8(_ layer: LayerShape) -> KernelCall {
        let other = layer.kind == .scale ? layer.channels : layer.inputCount
        let (a, b) = (Memory.randomBytes(layer.inputCount), Memory.randomBytes(other))
        let output = Memory(byteCount: layer.outputCount)
        var arguments = ck_mul_u8(
            channels: layer.channels, a: a.u8, b: b.u8, a_stride: layer.channels,
            b_stride: layer.kind == .scale ? 0 : layer.channels, a_zero_point: 3, b_zero_point: 5, multiplier: 0.01,
            output: output.u8, out_stride: layer.channels, out: ck_output_u8(zero_point: 4, min: 0, max: 255))
        let (kernel, pixels) = (table.mul_u8!, pixels(layer))
        return call("mul_u8", [a, b, output]) { kernel(&arguments, pixels) }
    }

    func binaryF32(_ layer: LayerShape) -> KernelCall {
        let other = layer.kind == .scale ? layer.channels : layer.inputCount
        let (a, b) = (Memory.randomFloats(layer.inputCount), Memory.randomFloats(other))
        let output = Memory(byteCount: layer.outputCount * 4)
        var arguments = ck_binary_f32(
            channels: layer.channels, a: a.f32, b: b.f32, a_stride: layer.channels,
            b_stride: layer.kind == .scale ? 0 : layer.channels, output: output.f32, out_stride: layer.channels,
            min: -.infinity, max: .infinity)
        let pixels = pixels(layer)
        let (name, kernel) = layer.kind == .add ? ("add_f32", table.add_f32!) : ("mul_f32", table.mul_f32!)
        return call(name, [a, b, output]) { kernel(&arguments, pixels) }
    }

    func lookupU8(_ layer: LayerShape) -> KernelCall {
        let (input, lookup) = (Memory.randomBytes(layer.inputCount), Memory.randomBytes(256))
        let output = Memory(byteCount: layer.outputCount)
        var arguments = ck_lut_u8(
            channels: layer.channels, input: input.u8, in_stride: layer.channels, output: output.u8,
            out_stride: layer.channels, table: lookup.u8)
        let (kernel, pixels) = (table.lut_u8!, pixels(layer))
        return call("lut_u8", [input, lookup, output]) { kernel(&arguments, pixels) }
    }

    func quantize(_ layer: LayerShape) -> KernelCall {
        let input = Memory.randomFloats(layer.inputCount), output = Memory(byteCount: layer.outputCount)
        var arguments = ck_quantize_f32(
            channels: layer.channels, input: input.f32, in_stride: layer.channels, output: output.u8,
            out_stride: layer.channels, scale: 1 / 128, zero_point: 128)
        let (kernel, pixels) = (table.quantize_f32_u8!, pixels(layer))
        return call("quantize_f32_u8", [input, output]) { kernel(&arguments, pixels) }
    }

    func layoutU8(_ layer: LayerShape) -> KernelCall {
        let input = Memory.randomBytes(layer.inputCount), output = Memory(byteCount: layer.outputCount)
        var arguments = ck_layout_u8(
            batch: layer.batch, pixels: layer.height * layer.width, channels: layer.channels,
            nhwc_stride: layer.channels, input: input.u8, output: output.u8)
        let (kernel, pixels) = (table.nchw_to_nhwc_u8!, pixels(layer))
        return call("nchw_to_nhwc_u8", [input, output]) { kernel(&arguments, pixels) }
    }

    func layoutF32(_ layer: LayerShape) -> KernelCall {
        let input = Memory.randomFloats(layer.inputCount), output = Memory(byteCount: layer.outputCount * 4)
        var arguments = ck_layout_f32(
            batch: layer.batch, pixels: layer.height * layer.width, channels: layer.channels,
            nhwc_stride: layer.channels, input: input.f32, output: output.f32)
        let (kernel, pixels) = (table.nchw_to_nhwc_f32!, pixels(layer))
        return call("nchw_to_nhwc_f32", [input, output]) { kernel(&arguments, pixels) }
    }

    private func call(_ kernel: String, _ tensors: [Memory], run: @escaping () -> Void) -> KernelCall {
        KernelCall(
            kernel: kernel, arithmetic: kernel.hasSuffix("f32") ? .f32 : .u8,
            run: { withExtendedLifetime(tensors, run) },
            bytesMoved: tensors.reduce(0) { $0 + $1.bytes.count })
    }
}
