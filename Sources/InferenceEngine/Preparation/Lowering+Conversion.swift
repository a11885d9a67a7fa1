internal import CKernels
internal import ModelGraph

/// Values from one form to another.
extension Lowering {
    /// Converts a float32 value that lies at `source` in the form `natural`.
    mutating func convert(
        _ value: ValueID, at source: BufferView, _ natural: TensorForm, to form: TensorForm
    ) throws -> BufferView {
        guard graph[value].type.elementType == .float32 else {
            throw EngineError(.unsupportedForm, "\(graph[value].type) asked for as \(form)", at: graph[value].name)
        }
        guard natural.layout != form.layout else {
            return changeElements(of: value, at: source, from: natural, to: form)
        }
        // Change the layout of the narrower element type.
        if natural.quantization != nil {
            let middle = TensorForm(quantization: natural.quantization, layout: form.layout)
            if middle != form {
                return changeElements(of: value, at: try read(value, as: middle), from: middle, to: form)
            }
        } else if form.quantization != nil {
            let middle = TensorForm(quantization: form.quantization, layout: natural.layout)
            return changeLayout(of: value, try read(value, as: middle), to: form)
        }
        return changeLayout(of: value, source, to: form)
    }

    private mutating func changeLayout(of value: ValueID, _ source: BufferView, to form: TensorForm) -> BufferView {
        let target = place(value, as: form)
        let shape = self.shape(value)
        let (batch, channels, pixels) = (shape[0], shape[1], shape[2] * shape[3])
        if form.quantization == nil {
            var arguments = ck_layout_f32()
            (arguments.batch, arguments.pixels, arguments.channels) = (batch, pixels, channels)
            emit(.layoutF32(arguments, to: form.layout), reads: [source], writes: [target])
        } else {
            var arguments = ck_layout_u8()
            (arguments.batch, arguments.pixels, arguments.channels) = (batch, pixels, channels)
            emit(.layoutU8(arguments, to: form.layout), reads: [source], writes: [target])
        }
        return target
    }

    /// Quantises, dequantises or requantises, layout unchanged.
    private mutating func changeElements(
        of value: ValueID, at source: BufferView, from: TensorForm, to: TensorForm
    ) -> BufferView {
        let target = place(value, as: to)
        let (pixels, channels) = rows(of: shape(value))
        switch (from.quantization, to.quantization) {
        case (nil, let wanted?):
            var arguments = ck_quantize_f32()
            arguments.channels = channels
            (arguments.scale, arguments.zero_point) = (wanted.scale, wanted.zeroPoint)
            emit(.quantize(arguments, pixels: pixels), reads: [source], writes: [target])
        case (let present?, nil):
            var arguments = ck_dequantize_u8()
            arguments.channels = channels
            (arguments.scale, arguments.zero_point) = (present.scale, present.zeroPoint)
            emit(.dequantize(arguments, pixels: pixels), reads: [source], writes: [target])
        case (let present?, let wanted?):
            var arguments = ck_requantize_u8()
            arguments.channels = channels
            arguments.in_zero_point = present.zeroPoint
            arguments.multiplier = Float(Double(present.scale) / Double(wanted.scale))
            arguments.out = ck_output_u8(zero_point: wanted.zeroPoint, min: 0, max: 255)
            emit(.requantize(arguments, pixels: pixels), reads: [source], writes: [target])
        case (nil, nil):
            preconditionFailure("no conversion needed from \(from) to \(to)")
        }
        return target
    }
}
