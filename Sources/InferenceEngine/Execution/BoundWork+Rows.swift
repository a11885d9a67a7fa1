internal import CKernels

/// Some rows of one image that a step computes.
struct RowBand {
    let window: RowWindow
    let image: Int
    /// Rows of the step's input, all that its windows over `outputRows` lie on.
    let inputRows: Range<Int>
    let outputRows: Range<Int>
    /// The memory of the first of `inputRows`, and of the first of `outputRows`; `nil` where it is that of the whole tensor
    /// in the step's arguments.
    var source: UnsafeRawPointer?
    var target: UnsafeMutableRawPointer?

    private var inputPixel: Int { (image * window.inputRows + inputRows.lowerBound) * window.inputWidth }
    fileprivate var outputPixel: Int { (image * window.outputRows + outputRows.lowerBound) * window.outputWidth }
    fileprivate var outputPixels: Int { outputRows.count * window.outputWidth }

    /// The same rows of the result, to be changed where they are.
    var inPlace: RowBand {
        RowBand(
            window: window, image: image, inputRows: outputRows, outputRows: outputRows,
            source: target.map(UnsafeRawPointer.init), target: target)
    }

    /// Of a tensor of so many elements with the result's pixels.
    fileprivate func channels(of count: Int) -> Int {
        count / window.outputPixels
    }

    fileprivate func input<Element>(_ whole: UnsafePointer<Element>!, _ stride: Int) -> UnsafePointer<Element> {
        source?.assumingMemoryBound(to: Element.self) ?? whole + inputPixel * stride
    }

    fileprivate func output<Element>(
        _ whole: UnsafeMutablePointer<Element>!, _ stride: Int
    ) -> UnsafeMutablePointer<Element> {
        target?.assumingMemoryBound(to: Element.self) ?? whole + outputPixel * stride
    }
}

/// Arguments of a kernel that moves a window over an image.
private protocol WindowArguments {
    associatedtype Element
    var geometry: ck_geometry { get set }
    var input: UnsafePointer<Element>! { get set }
    var in_stride: Int { get }
    var output: UnsafeMutablePointer<Element>! { get set }
    var out_stride: Int { get }
}

/// Arguments of a convolution, which may add an image of the result's shape.
private protocol ProductArguments: WindowArguments {
    var residual: UnsafePointer<Element>! { get set }
    var residual_stride: Int { get }
}

/// Arguments of a kernel that combines two images pixel by pixel.
private protocol PairArguments {
    associatedtype Element
    var a: UnsafePointer<Element>! { get set }
    var a_stride: Int { get }
    var b: UnsafePointer<Element>! { get set }
    var b_stride: Int { get }
    var output: UnsafeMutablePointer<Element>! { get set }
    var out_stride: Int { get }
}

extension ck_conv_u8: ProductArguments {}
extension ck_conv_f32: ProductArguments {}
extension ck_maxpool_u8: WindowArguments {}
extension ck_maxpool_f32: WindowArguments {}
extension ck_avgpool_u8: WindowArguments {}
extension ck_avgpool_f32: WindowArguments {}
extension ck_add_u8: PairArguments {}
extension ck_mul_u8: PairArguments {}
extension ck_binary_f32: PairArguments {}

extension WindowArguments {
    fileprivate func windows(of band: RowBand) -> Self {
        var limited = self
        limited.geometry.batch = 1
        limited.geometry.in_height = band.inputRows.count
        limited.geometry.out_height = band.outputRows.count
        limited.geometry.pad_top =
            band.window.pad + band.inputRows.lowerBound - band.outputRows.lowerBound * band.window.stride
        limited.input = band.input(input, in_stride)
        limited.output = band.output(output, out_stride)
        return limited
    }
}

extension PairArguments {
    fileprivate func pairs(of band: RowBand) -> Self {
        var limited = self
        limited.a = band.input(a, a_stride)
        limited.b = b.map { $0 + band.outputPixel * b_stride }
        limited.output = band.output(output, out_stride)
        return limited
    }
}

extension ProductArguments {
    fileprivate func products(of band: RowBand) -> Self {
        var limited = windows(of: band)
        limited.residual = residual.map { $0 + band.outputPixel * residual_stride }
        return limited
    }
}

extension BoundWork {
    /// The work on some rows, for those kinds that stages are made of.
    func limited(to band: RowBand) -> BoundWork {
        let pixels = band.outputPixels
        switch self {
        case .convolutionU8(let arguments, _, let panels):
            return .convolutionU8(arguments.products(of: band), pixels: pixels, panels: panels)
        case .depthwiseU8(let arguments, _): return .depthwiseU8(arguments.products(of: band), pixels: pixels)
        case .convolutionF32(let arguments, _, let panels):
            return .convolutionF32(arguments.products(of: band), pixels: pixels, panels: panels)
        case .convolutionBF16(let arguments, _, let panels):
            return .convolutionBF16(arguments.products(of: band), pixels: pixels, panels: panels)
        case .depthwiseF32(let arguments, _): return .depthwiseF32(arguments.products(of: band), pixels: pixels)
        case .maxPoolU8(let arguments, _): return .maxPoolU8(arguments.windows(of: band), pixels: pixels)
        case .maxPoolF32(let arguments, _): return .maxPoolF32(arguments.windows(of: band), pixels: pixels)
        case .averagePoolU8(let arguments, _): return .averagePoolU8(arguments.windows(of: band), pixels: pixels)
        case .averagePoolF32(let arguments, _): return .averagePoolF32(arguments.windows(of: band), pixels: pixels)
        case .addU8(let arguments, _): return .addU8(arguments.pairs(of: band), pixels: pixels)
        case .multiplyU8(let arguments, _): return .multiplyU8(arguments.pairs(of: band), pixels: pixels)
        case .addF32(let arguments, _): return .addF32(arguments.pairs(of: band), pixels: pixels)
        case .multiplyF32(let arguments, _): return .multiplyF32(arguments.pairs(of: band), pixels: pixels)
        case .clampF32(let arguments, _): return .clampF32(arguments.pairs(of: band), pixels: pixels)
        case .lookupU8(var arguments, _):
            arguments.input = band.input(arguments.input, arguments.in_stride)
            arguments.output = band.output(arguments.output, arguments.out_stride)
            return .lookupU8(arguments, pixels: pixels)
        case .functionF32(var arguments, let count):
            let channels = band.channels(of: count)
            arguments.input = band.input(arguments.input, channels)
            arguments.output = band.output(arguments.output, channels)
            return .functionF32(arguments, count: pixels * channels)
        case .unaryF32(let function, let source, let target, let count):
            let channels = band.channels(of: count)
            return .unaryF32(
                function, band.input(source, channels), band.output(target, channels), count: pixels * channels)
        default:
            preconditionFailure("not computed in bands")
        }
    }

    /// Where the work's result is, a whole tensor.
    var output: UnsafeMutableRawPointer {
        switch self {
        case .addU8(let arguments, _): UnsafeMutableRawPointer(arguments.output)
        case .multiplyU8(let arguments, _): UnsafeMutableRawPointer(arguments.output)
        case .lookupU8(let arguments, _): UnsafeMutableRawPointer(arguments.output)
        case .addF32(let arguments, _), .multiplyF32(let arguments, _), .clampF32(let arguments, _):
            UnsafeMutableRawPointer(arguments.output)
        case .functionF32(let arguments, _): UnsafeMutableRawPointer(arguments.output)
        case .unaryF32(_, _, let target, _): UnsafeMutableRawPointer(target)
        default: preconditionFailure("changes no pixels in place")
        }
    }
}
