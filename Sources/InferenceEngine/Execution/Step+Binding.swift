internal import CKernels
internal import ModelGraph

extension Step {
    /// The bytes of scratch that each part of the step's work needs.
    func scratchByteCount(_ kernels: KernelTable) -> Int {
        let anywhere = UnsafeMutableRawPointer(bitPattern: TensorStorage.alignment)!
        return bound({ _ in anywhere }, kernels).scratchBytes
    }

    /// Fills in addresses and strides.
    /// - Returns: the work, and the bytes of scratch each part of it needs.
    func bound(
        _ address: (BufferView) -> UnsafeMutableRawPointer, _ kernels: KernelTable
    ) -> (work: BoundWork, scratchBytes: Int) {
        func source<Element>(_ index: Int = 0) -> (UnsafePointer<Element>, Int) {
            (UnsafePointer(address(reads[index]).assumingMemoryBound(to: Element.self)), reads[index].stride)
        }
        func target<Element>() -> (UnsafeMutablePointer<Element>, Int) {
            (address(writes[0]).assumingMemoryBound(to: Element.self), writes[0].stride)
        }
        switch work {
        case .convolutionU8(var arguments, let weights):
            (arguments.input, arguments.in_stride) = source()
            (arguments.output, arguments.out_stride) = target()
            if reads.count > 1 { (arguments.residual, arguments.residual_stride) = source(1) }
            arguments.weights = weights.bytes
            arguments.padding = weights.padding.assumingMemoryBound(to: UInt8.self)
            let pixels = arguments.geometry.outputPixels
            if case .depthwise = weights.method {
                return (.depthwiseU8(arguments, pixels: pixels), kernels.dwconv_u8s8_u8_scratch_size(&arguments))
            }
            var shape = arguments.weightShape
            let panels = kernels.conv_u8s8_u8_panel_count(&shape)
            return (
                .convolutionU8(arguments, pixels: pixels, panels: panels), kernels.conv_u8s8_u8_scratch_size(&arguments)
            )
        case .convolutionF32(var arguments, let weights):
            (arguments.input, arguments.in_stride) = source()
            (arguments.output, arguments.out_stride) = target()
            if reads.count > 1 { (arguments.residual, arguments.residual_stride) = source(1) }
            arguments.weights = weights.bytes
            arguments.padding = weights.padding.assumingMemoryBound(to: Float.self)
            let pixels = arguments.geometry.outputPixels
            var shape = arguments.weightShape
            switch weights.method {
            case .depthwise:
                return (.depthwiseF32(arguments, pixels: pixels), kernels.dwconv_f32_scratch_size(&arguments))
            case .indirect:
                let panels = kernels.conv_f32_panel_count(&shape)
                return (
                    .convolutionF32(arguments, pixels: pixels, panels: panels),
                    kernels.conv_f32_scratch_size(&arguments)
                )
            case .bfloat16:
                let bfloat16 = kernels.bfloat16!.pointee
                return (
                    .convolutionBF16(arguments, pixels: pixels, panels: bfloat16.panel_count(&shape)),
                    bfloat16.scratch_size(&arguments)
                )
            case .winograd(let tile):
                let tiles = ck_winograd_tile_count(&arguments.geometry, tile)
                return (
                    .winogradF32(
                        arguments, tile: tile, tiles: tiles, panels: kernels.winograd_f32_panel_count(&shape)),
                    kernels.winograd_f32_scratch_size(&arguments, tile)
                )
            }
        case .maxPoolU8(var arguments):
            (arguments.input, arguments.in_stride) = source()
            (arguments.output, arguments.out_stride) = target()
            return (.maxPoolU8(arguments, pixels: arguments.geometry.outputPixels), 0)
        case .maxPoolF32(var arguments):
            (arguments.input, arguments.in_stride) = source()
            (arguments.output, arguments.out_stride) = target()
            return (.maxPoolF32(arguments, pixels: arguments.geometry.outputPixels), 0)
        case .averagePoolU8(var arguments):
            (arguments.input, arguments.in_stride) = source()
            (arguments.output, arguments.out_stride) = target()
            return (.averagePoolU8(arguments, pixels: arguments.geometry.outputPixels), 0)
        case .averagePoolF32(var arguments):
            (arguments.input, arguments.in_stride) = source()
            (arguments.output, arguments.out_stride) = target()
            return (.averagePoolF32(arguments, pixels: arguments.geometry.outputPixels), 0)
        case .addU8(var arguments, let pixels):
            (arguments.a, arguments.a_stride) = source()
            (arguments.b, arguments.b_stride) = source(1)
            (arguments.output, arguments.out_stride) = target()
            return (.addU8(arguments, pixels: pixels), 0)
        case .multiplyU8(var arguments, let pixels):
            (arguments.a, arguments.a_stride) = source()
            (arguments.b, arguments.b_stride) = source(1)
            (arguments.output, arguments.out_stride) = target()
            return (.multiplyU8(arguments, pixels: pixels), 0)
        case .lookupU8(var arguments, let table, let pixels):
            (arguments.input, arguments.in_stride) = source()
            (arguments.output, arguments.out_stride) = target()
            arguments.table = table.bytes.assumingMemoryBound(to: UInt8.self).baseAddress
            return (.lookupU8(arguments, pixels: pixels), 0)
        case .requantize(var arguments, let pixels):
            (arguments.input, arguments.in_stride) = source()
            (arguments.output, arguments.out_stride) = target()
            return (.requantize(arguments, pixels: pixels), 0)
        case .quantize(var arguments, let pixels):
            (arguments.input, arguments.in_stride) = source()
            (arguments.output, arguments.out_stride) = target()
            return (.quantize(arguments, pixels: pixels), 0)
        case .dequantize(var arguments, let pixels):
            (arguments.input, arguments.in_stride) = source()
            (arguments.output, arguments.out_stride) = target()
            return (.dequantize(arguments, pixels: pixels), 0)
        case .addF32(var arguments, let pixels):
            (arguments.a, arguments.a_stride) = source()
            (arguments.b, arguments.b_stride) = source(1)
            (arguments.output, arguments.out_stride) = target()
            return (.addF32(arguments, pixels: pixels), 0)
        case .multiplyF32(var arguments, let pixels):
            (arguments.a, arguments.a_stride) = source()
            (arguments.b, arguments.b_stride) = source(1)
            (arguments.output, arguments.out_stride) = target()
            return (.multiplyF32(arguments, pixels: pixels), 0)
        case .clampF32(var arguments, let pixels):
            (arguments.a, arguments.a_stride) = source()
            (arguments.output, arguments.out_stride) = target()
            return (.clampF32(arguments, pixels: pixels), 0)
        case .layoutU8(var arguments, let layout):
            let (input, inStride): (UnsafePointer<UInt8>, Int) = source()
            let (output, outStride): (UnsafeMutablePointer<UInt8>, Int) = target()
            (arguments.input, arguments.output) = (input, output)
            arguments.nhwc_stride = layout == .channelsLast ? outStride : inStride
            return (.layoutU8(arguments, to: layout), 0)
        case .layoutF32(var arguments, let layout):
            let (input, inStride): (UnsafePointer<Float>, Int) = source()
            let (output, outStride): (UnsafeMutablePointer<Float>, Int) = target()
            (arguments.input, arguments.output) = (input, output)
            arguments.nhwc_stride = layout == .channelsLast ? outStride : inStride
            return (.layoutF32(arguments, to: layout), 0)
        case .copyBlocks(let copies):
            let into = address(writes[0])
            let bound = copies.map { BoundCopy(source: UnsafeRawPointer(address($0.source)), target: into, copy: $0) }
            return (.copyBlocks(bound), 0)
        case .move(let movement, let elementBytes):
            return (
                .move(
                    movement, UnsafeRawPointer(address(reads[0])), address(writes[0]), elementBytes: elementBytes), 0
            )
        case .binaryF32(let operation): return (.binaryF32(operation, source().0, source(1).0, target().0), 0)
        case .reduceF32(let plan): return (.reduceF32(plan, source().0, target().0), 0)
        case .resizeF32(let plan): return (.resizeF32(plan, source().0, target().0), 0)
        case .normalizeF32(let plan): return (.normalizeF32(plan, source().0, target().0), 0)
        case .unaryF32(let function, let count):
            if var arguments = function.kernelArguments {
                (arguments.input, arguments.output) = (source().0, target().0)
                return (.functionF32(arguments, count: count), 0)
            }
            return (.unaryF32(function, source().0, target().0, count: count), 0)
        case .softmax(let rows, let columns, let isLogarithmic):
            return (.softmax(source().0, target().0, rows: rows, columns: columns, isLogarithmic: isLogarithmic), 0)
        case .localResponseNormalization(let normalization, let pixels, let channels):
            return (
                .localResponseNormalization(
                    normalization, source().0, target().0, pixels: pixels, channels: channels), 0
            )
        case .reference(let call):
            return (.reference(call), 0)
        case .banded(let banded):
            let bands = BoundBands(banded) { $0.bound(address, kernels) }
            return (.banded(bands), bands.scratchByteCount)
        }
    }
}

extension ck_geometry {
    fileprivate var outputPixels: Int { batch * out_height * out_width }
}

extension ck_conv_u8 {
    var weightShape: ck_weight_shape {
        ck_weight_shape(geometry, inChannels: in_channels, outChannels: out_channels, groups: groups)
    }
}

extension ck_conv_f32 {
    var weightShape: ck_weight_shape {
        ck_weight_shape(geometry, inChannels: in_channels, outChannels: out_channels, groups: groups)
    }
}

extension ck_weight_shape {
    fileprivate init(_ geometry: ck_geometry, inChannels: Int, outChannels: Int, groups: Int) {
        self.init(
            out_channels: outChannels, taps: geometry.kernel_height * geometry.kernel_width,
            group_channels: inChannels / Swift.max(groups, 1), groups: groups)
    }

    /// Multiply-adds for one output element.
    var reduction: Int { taps * group_channels }
}

extension UnaryFunction {
    /// The function as the kernels know it, without addresses; `nil` for those they do not compute.
    fileprivate var kernelArguments: ck_function_f32? {
        func arguments(_ function: ck_function, alpha: Float = 0, beta: Float = 0) -> ck_function_f32 {
            ck_function_f32(function: function, alpha: alpha, beta: beta, input: nil, output: nil)
        }
        return switch self {
        case .sigmoid: arguments(CK_SIGMOID)
        case .swish(let alpha): arguments(CK_SWISH, alpha: alpha)
        case .hardSigmoid(let alpha, let beta): arguments(CK_HARD_SIGMOID, alpha: alpha, beta: beta)
        case .hardSwish: arguments(CK_HARD_SWISH)
        case .leakyRelu(let alpha): arguments(CK_LEAKY_RELU, alpha: alpha)
        case .elu(let alpha): arguments(CK_ELU, alpha: alpha)
        case .tanh: arguments(CK_TANH)
        case .exp: arguments(CK_EXP)
        case .clamp, .selu, .celu, .gelu, .mish, .softsign, .log, .sqrt, .reciprocal, .erf, .softplus, .negate,
            .absolute, .sign, .floor, .ceil, .round:
            nil
        }
    }
}
