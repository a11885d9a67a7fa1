internal import CKernels
internal import ModelGraph

/// A step with the addresses of one session filled in: what runs.
struct BoundStep {
    var work: BoundWork
    /// How many threads may share it.
    var parts: Int
    /// By `NodeID`; −1 for conversions at the model's ends. Joined steps know their own.
    var nodeIndex: Int
}

enum BoundWork {
    case convolutionU8(ck_conv_u8, pixels: Int, panels: Int)
    case depthwiseU8(ck_conv_u8, pixels: Int)
    case convolutionF32(ck_conv_f32, pixels: Int, panels: Int)
    case convolutionBF16(ck_conv_f32, pixels: Int, panels: Int)
    case depthwiseF32(ck_conv_f32, pixels: Int)
    case winogradF32(ck_conv_f32, tile: Int, tiles: Int, panels: Int)
    case maxPoolU8(ck_maxpool_u8, pixels: Int)
    case maxPoolF32(ck_maxpool_f32, pixels: Int)
    case averagePoolU8(ck_avgpool_u8, pixels: Int)
    case averagePoolF32(ck_avgpool_f32, pixels: Int)
    case addU8(ck_add_u8, pixels: Int)
    case multiplyU8(ck_mul_u8, pixels: Int)
    case lookupU8(ck_lut_u8, pixels: Int)
    case requantize(ck_requantize_u8, pixels: Int)
    case quantize(ck_quantize_f32, pixels: Int)
    case dequantize(ck_dequantize_u8, pixels: Int)
    case addF32(ck_binary_f32, pixels: Int)
    case multiplyF32(ck_binary_f32, pixels: Int)
    case clampF32(ck_binary_f32, pixels: Int)
    case layoutU8(ck_layout_u8, to: Layout)
    case layoutF32(ck_layout_f32, to: Layout)
    case copyBlocks([BoundCopy])
    case move(Movement, UnsafeRawPointer, UnsafeMutableRawPointer, elementBytes: Int)
    case binaryF32(BroadcastOperation, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>)
    case reduceF32(ReductionPlan, UnsafePointer<Float>, UnsafeMutablePointer<Float>)
    case resizeF32(ResizePlan, UnsafePointer<Float>, UnsafeMutablePointer<Float>)
    case normalizeF32(NormalizationPlan, UnsafePointer<Float>, UnsafeMutablePointer<Float>)
    case functionF32(ck_function_f32, count: Int)
    case unaryF32(UnaryFunction, UnsafePointer<Float>, UnsafeMutablePointer<Float>, count: Int)
    case softmax(UnsafePointer<Float>, UnsafeMutablePointer<Float>, rows: Int, columns: Int, isLogarithmic: Bool)
    case localResponseNormalization(
        LocalResponseNormalization, UnsafePointer<Float>, UnsafeMutablePointer<Float>, pixels: Int, channels: Int)
    case reference(ReferenceCall)
    case banded(BoundBands)
}

struct BoundCopy {
    var source: UnsafeRawPointer
    var target: UnsafeMutableRawPointer
    var copy: BlockCopy
}

extension BoundWork {
    /// Runs part `part` of `parts` equal parts.
    /// - Parameters:
    ///   - scratch: memory for this part alone, as large as the step asked for.
    ///   - measures: whether joined steps take their times.
    func run(
        part: Int, of parts: Int, kernels: KernelTable, scratch: UnsafeMutableRawPointer, measures: Bool = false
    ) {
        func share(_ count: Int) -> ck_range {
            ck_range(first: count * part / parts, last: count * (part + 1) / parts)
        }
        let all = { (count: Int) in ck_range(first: 0, last: count) }
        switch self {
        case .convolutionU8(var arguments, let pixels, let panels):
            let byPixels = Self.dividesPixels(pixels, panels, parts)
            kernels.conv_u8s8_u8(
                &arguments, byPixels ? share(pixels) : all(pixels), byPixels ? all(panels) : share(panels), scratch)
        case .convolutionF32(var arguments, let pixels, let panels):
            let byPixels = Self.dividesPixels(pixels, panels, parts)
            kernels.conv_f32(
                &arguments, byPixels ? share(pixels) : all(pixels), byPixels ? all(panels) : share(panels), scratch)
        case .convolutionBF16(var arguments, let pixels, let panels):
            let byPixels = Self.dividesPixels(pixels, panels, parts)
            kernels.bfloat16!.pointee.conv(
                &arguments, byPixels ? share(pixels) : all(pixels), byPixels ? all(panels) : share(panels), scratch)
        case .winogradF32(var arguments, let tile, let tiles, let panels):
            let byTiles = Self.dividesTiles(tiles, panels, parts)
            kernels.winograd_f32(
                &arguments, tile, byTiles ? share(tiles) : all(tiles), byTiles ? all(panels) : share(panels), scratch)
        case .depthwiseU8(var arguments, let pixels): kernels.dwconv_u8s8_u8(&arguments, share(pixels), scratch)
        case .depthwiseF32(var arguments, let pixels): kernels.dwconv_f32(&arguments, share(pixels), scratch)
        case .maxPoolU8(var arguments, let pixels): kernels.maxpool_u8(&arguments, share(pixels))
        case .maxPoolF32(var arguments, let pixels): kernels.maxpool_f32(&arguments, share(pixels))
        case .averagePoolU8(var arguments, let pixels): kernels.avgpool_u8(&arguments, share(pixels))
        case .averagePoolF32(var arguments, let pixels): kernels.avgpool_f32(&arguments, share(pixels))
        case .addU8(var arguments, let pixels): kernels.add_u8(&arguments, share(pixels))
        case .multiplyU8(var arguments, let pixels): kernels.mul_u8(&arguments, share(pixels))
        case .lookupU8(var arguments, let pixels): kernels.lut_u8(&arguments, share(pixels))
        case .requantize(var arguments, let pixels): kernels.requantize_u8(&arguments, share(pixels))
        case .quantize(var arguments, let pixels): kernels.quantize_f32_u8(&arguments, share(pixels))
        case .dequantize(var arguments, let pixels): kernels.dequantize_u8_f32(&arguments, share(pixels))
        case .addF32(var arguments, let pixels): kernels.add_f32(&arguments, share(pixels))
        case .multiplyF32(var arguments, let pixels): kernels.mul_f32(&arguments, share(pixels))
        case .clampF32(var arguments, let pixels): kernels.clamp_f32(&arguments, share(pixels))
        case .layoutU8(var arguments, let layout):
            let range = share(arguments.batch * arguments.pixels)
            if layout == .rowMajor {
                kernels.nhwc_to_nchw_u8(&arguments, range)
            } else {
                kernels.nchw_to_nhwc_u8(&arguments, range)
            }
        case .layoutF32(var arguments, let layout):
            let range = share(arguments.batch * arguments.pixels)
            if layout == .rowMajor {
                kernels.nhwc_to_nchw_f32(&arguments, range)
            } else {
                kernels.nchw_to_nhwc_f32(&arguments, range)
            }
        case .copyBlocks(let copies):
            for bound in copies {
                let range = share(bound.copy.count)
                for block in range.first..<range.last {
                    (bound.target + bound.copy.targetOffset + block * bound.copy.targetStride).copyMemory(
                        from: bound.source + block * bound.copy.sourceStride, byteCount: bound.copy.blockBytes)
                }
            }
        case .move(let movement, let source, let target, let elementBytes):
            let range = share(movement.runCount)
            movement.run(source, target, elementBytes: elementBytes, first: range.first, last: range.last)
        case .binaryF32(let operation, let left, let right, let target):
            let range = share(operation.rowCount)
            operation.run(left, right, target, first: range.first, last: range.last)
        case .reduceF32(let plan, let source, let target):
            let range = share(plan.outer)
            plan.run(source, target, first: range.first, last: range.last)
        case .resizeF32(let plan, let source, let target):
            let range = share(plan.rowCount)
            plan.run(source, target, first: range.first, last: range.last)
        case .normalizeF32(let plan, let source, let target):
            let range = share(plan.rows)
            plan.run(source, target, first: range.first, last: range.last)
        case .functionF32(var arguments, let count): kernels.function_f32(&arguments, share(count))
        case .unaryF32(let function, let source, let target, let count):
            let range = share(count)
            function.apply(source + range.first, target + range.first, range.last - range.first)
        case .softmax(let source, let target, let rows, let columns, let isLogarithmic):
            let range = share(rows)
            for row in range.first..<range.last {
                softmaxRow(source + row * columns, target + row * columns, columns, isLogarithmic)
            }
        case .localResponseNormalization(let normalization, let source, let target, let pixels, let channels):
            let range = share(pixels)
            for pixel in range.first..<range.last {
                normalization.normalizePixel(source + pixel * channels, target + pixel * channels, channels)
            }
        case .banded(let bands):
            bands.run(part: part, of: parts, kernels: kernels, scratch: scratch, measures: measures)
        case .reference:
            preconditionFailure("operators without a kernel are run by the session")
        }
    }

    /// Pixels are divided where there are enough of them for whole tiles, else output channels are.
    private static func dividesPixels(_ pixels: Int, _ panels: Int, _ parts: Int) -> Bool {
        pixels >= 16 * parts || panels < parts
    }

    /// Tiles are divided where each part gets a block of them; of fewer tiles every part transforms all, which takes less
    /// time than for every part to read all the weights.
    private static func dividesTiles(_ tiles: Int, _ panels: Int, _ parts: Int) -> Bool {
        tiles >= 24 * parts || panels < parts
    }

    /// Parts worth starting threads for.
    func usefulParts(width: Int) -> Int {
        /// Elements below which a layer takes less time than waking a thread.
        let smallestShare = 4096
        func byElements(_ pixels: Int, _ channels: Int) -> Int {
            Swift.max(1, Swift.min(width, pixels, pixels * channels / smallestShare))
        }
        func byProducts(_ pixels: Int, _ panels: Int, _ productsPerPixel: Int, perThread: Int) -> Int {
            Swift.max(1, Swift.min(width, Swift.max(pixels / 16, panels), pixels * productsPerPixel / perThread))
        }
        switch self {
        case .convolutionU8(let arguments, let pixels, let panels):
            return byProducts(
                pixels, panels, arguments.out_channels * arguments.weightShape.reduction, perThread: 65536)
        case .convolutionF32(let arguments, let pixels, let panels),
            .convolutionBF16(let arguments, let pixels, let panels):
            return byProducts(
                pixels, panels, arguments.out_channels * arguments.weightShape.reduction, perThread: 16384)
        case .winogradF32(let arguments, let tile, let tiles, let panels):
            let reduction = arguments.in_channels * (tile + 2) * (tile + 2)
            return byProducts(tiles, panels, arguments.out_channels * reduction, perThread: 16384)
        case .depthwiseU8(let arguments, let pixels): return byElements(pixels, arguments.out_channels)
        case .depthwiseF32(let arguments, let pixels): return byElements(pixels, arguments.out_channels)
        case .maxPoolU8(let arguments, let pixels): return byElements(pixels, arguments.channels)
        case .maxPoolF32(let arguments, let pixels): return byElements(pixels, arguments.channels)
        case .averagePoolU8(let arguments, let pixels): return byElements(pixels, arguments.channels)
        case .averagePoolF32(let arguments, let pixels): return byElements(pixels, arguments.channels)
        case .addU8(let arguments, let pixels): return byElements(pixels, arguments.channels)
        case .multiplyU8(let arguments, let pixels): return byElements(pixels, arguments.channels)
        case .lookupU8(let arguments, let pixels): return byElements(pixels, arguments.channels)
        case .requantize(let arguments, let pixels): return byElements(pixels, arguments.channels)
        case .quantize(let arguments, let pixels): return byElements(pixels, arguments.channels)
        case .dequantize(let arguments, let pixels): return byElements(pixels, arguments.channels)
        case .addF32(let arguments, let pixels): return byElements(pixels, arguments.channels)
        case .multiplyF32(let arguments, let pixels): return byElements(pixels, arguments.channels)
        case .clampF32(let arguments, let pixels): return byElements(pixels, arguments.channels)
        case .layoutU8(let arguments, _): return byElements(arguments.batch * arguments.pixels, arguments.channels)
        case .layoutF32(let arguments, _): return byElements(arguments.batch * arguments.pixels, arguments.channels)
        case .copyBlocks(let copies):
            let count = copies.map(\.copy.count).min() ?? 0
            return byElements(count, copies.reduce(0) { $0 + $1.copy.blockBytes })
        case .move(let movement, _, _, _): return byElements(movement.runCount, movement.inner.count)
        case .binaryF32(let operation, _, _, _): return byElements(operation.rowCount, operation.columns)
        case .reduceF32(let plan, _, _): return byElements(plan.outer, plan.reduced * plan.inner)
        case .resizeF32(let plan, _, _): return byElements(plan.rowCount, plan.rowElements * 4)
        case .normalizeF32(let plan, _, _): return byElements(plan.rows, plan.columns * 4)
        case .functionF32(_, let count), .unaryF32(_, _, _, let count):
            return Swift.max(1, Swift.min(width, count / 1024))
        case .softmax(_, _, let rows, let columns, _): return byElements(rows, columns)
        case .localResponseNormalization(_, _, _, let pixels, let channels): return byElements(pixels, channels * 8)
        case .banded(let bands):
            let parts = bands.stages.lazy.flatMap(\.works).map { $0.usefulParts(width: width) }.max() ?? 1
            return Swift.min(parts, bands.mostParts)
        case .reference: return 1
        }
    }
}
