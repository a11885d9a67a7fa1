internal import CKernels
internal import ModelGraph

extension Step {
    /// Fills in addresses.
    /// - Returns: the work, and the bytes of scratch each part of it needs.
    func bound(
        _ address: (BufferID) -> UnsafeMutableRawPointer, _ kernels: KernelTable
    ) -> (work: BoundWork, scratchBytes: Int) {
        func source<Element>(_ index: Int = 0, _: Element.Type = Element.self) -> UnsafePointer<Element> {
            UnsafePointer(address(reads[index]).assumingMemoryBound(to: Element.self))
        }
        func target<Element>(_: Element.Type = Element.self) -> UnsafeMutablePointer<Element> {
            address(writes[0]).assumingMemoryBound(to: Element.self)
        }
        switch work {
        case .convolutionU8(var arguments, let weights):
            (arguments.input, arguments.output) = (source(), target())
            arguments.weights = weights.storage.bytes.baseAddress
            arguments.padding = weights.padding.bytes.assumingMemoryBound(to: UInt8.self).baseAddress
            let pixels = arguments.geometry.outputPixels
            if weights.isDepthwise {
                return (.depthwiseU8(arguments, pixels: pixels), kernels.dwconv_u8s8_u8_scratch_size(&arguments))
            }
            var shape = arguments.weightShape
            let panels = kernels.conv_u8s8_u8_panel_count(&shape)
            return (
                .convolutionU8(arguments, pixels: pixels, panels: panels), kernels.conv_u8s8_u8_scratch_size(&arguments)
            )
        case .convolutionF32(var arguments, let weights):
            (arguments.input, arguments.output) = (source(), target())
            arguments.weights = weights.storage.bytes.baseAddress
            arguments.padding = weights.padding.bytes.assumingMemoryBound(to: Float.self).baseAddress
            let pixels = arguments.geometry.outputPixels
            if weights.isDepthwise {
                return (.depthwiseF32(arguments, pixels: pixels), kernels.dwconv_f32_scratch_size(&arguments))
            }
            var shape = arguments.weightShape
            let panels = kernels.conv_f32_panel_count(&shape)
            return (
                .convolutionF32(arguments, pixels: pixels, panels: panels), kernels.conv_f32_scratch_size(&arguments)
            )
        case .maxPoolU8(var arguments):
            (arguments.input, arguments.output) = (source(), target())
            return (.maxPoolU8(arguments, pixels: arguments.geometry.outputPixels), 0)
        case .maxPoolF32(var arguments):
            (arguments.input, arguments.output) = (source(), target())
            return (.maxPoolF32(arguments, pixels: arguments.geometry.outputPixels), 0)
        case .averagePoolU8(var arguments):
            (arguments.input, arguments.output) = (source(), target())
            return (.averagePoolU8(arguments, pixels: arguments.geometry.outputPixels), 0)
        case .averagePoolF32(var arguments):
            (arguments.input, arguments.output) = (source(), target())
            return (.averagePoolF32(arguments, pixels: arguments.geometry.outputPixels), 0)
        case .addU8(var arguments, let pixels):
            (arguments.a, arguments.b, arguments.output) = (source(), source(1), target())
            return (.addU8(arguments, pixels: pixels), 0)
        case .multiplyU8(var arguments, let pixels):
            (arguments.a, arguments.b, arguments.output) = (source(), source(1), target())
            return (.multiplyU8(arguments, pixels: pixels), 0)
        case .lookupU8(var arguments, let table, let pixels):
            (arguments.input, arguments.output) = (source(), target())
            arguments.table = table.bytes.assumingMemoryBound(to: UInt8.self).baseAddress
            return (.lookupU8(arguments, pixels: pixels), 0)
        case .requantize(var arguments, let pixels):
            (arguments.input, arguments.output) = (source(), target())
            return (.requantize(arguments, pixels: pixels), 0)
        case .quantize(var arguments, let pixels):
            (arguments.input, arguments.output) = (source(), target())
            return (.quantize(arguments, pixels: pixels), 0)
        case .dequantize(var arguments, let pixels):
            (arguments.input, arguments.output) = (source(), target())
            return (.dequantize(arguments, pixels: pixels), 0)
        case .addF32(var arguments, let pixels):
            (arguments.a, arguments.b, arguments.output) = (source(), source(1), target())
            return (.addF32(arguments, pixels: pixels), 0)
        case .multiplyF32(var arguments, let pixels):
            (arguments.a, arguments.b, arguments.output) = (source(), source(1), target())
            return (.multiplyF32(arguments, pixels: pixels), 0)
        case .clampF32(var arguments, let pixels):
            (arguments.a, arguments.output) = (source(), target())
            return (.clampF32(arguments, pixels: pixels), 0)
        case .layoutU8(var arguments, let layout):
            (arguments.input, arguments.output) = (source(), target())
            return (.layoutU8(arguments, to: layout), 0)
        case .layoutF32(var arguments, let layout):
            (arguments.input, arguments.output) = (source(), target())
            return (.layoutF32(arguments, to: layout), 0)
        case .copyBlocks(let copies):
            let into = address(writes[0])
            let bound = copies.map { BoundCopy(source: UnsafeRawPointer(address($0.source)), target: into, copy: $0) }
            return (.copyBlocks(bound), 0)
        case .unaryF32(let function, let count):
            return (.unaryF32(function, source(), target(), count: count), 0)
        case .softmax(let rows, let columns, let isLogarithmic):
            return (.softmax(source(), target(), rows: rows, columns: columns, isLogarithmic: isLogarithmic), 0)
        case .localResponseNormalization(let normalization, let pixels, let channels):
            return (
                .localResponseNormalization(normalization, source(), target(), pixels: pixels, channels: channels), 0
            )
        case .reference(let call):
            return (.reference(call), 0)
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
