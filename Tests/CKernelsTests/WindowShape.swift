internal import CKernels

/// A convolution or pooling layer to test; also the plain definition of which input a window covers.
struct WindowShape: CustomStringConvertible {
    var batch = 1
    var height = 1
    var width = 1
    /// Of all groups.
    var channels = 1
    var outputs = 1
    var groups = 1
    var kernelHeight = 1
    var kernelWidth = 1
    var stride = 1
    var dilation = 1
    var padTop = 0
    var padLeft = 0
    var padBottom = 0
    var padRight = 0
    /// Elements between neighbouring pixels that belong to other tensors.
    var gap = 0
    var hasResidual = false
    /// Rows and columns beyond the windows that fit, as ceil_mode has them.
    var extraOutputs = 0

    static let channelCounts = [1, 3, 4, 5, 15, 16, 17, 31, 32, 33, 61, 64]

    var outHeight: Int {
        let room = height + padTop + padBottom - (kernelHeight - 1) * dilation - 1
        return room < 0 ? 0 : room / stride + 1 + extraOutputs
    }
    var outWidth: Int {
        let room = width + padLeft + padRight - (kernelWidth - 1) * dilation - 1
        return room < 0 ? 0 : room / stride + 1 + extraOutputs
    }
    var inPixels: Int { batch * height * width }
    var outPixels: Int { batch * outHeight * outWidth }
    var inStride: Int { channels + gap }
    var outStride: Int { outputs + gap }
    var taps: Int { kernelHeight * kernelWidth }
    var groupChannels: Int { channels / groups }
    var groupOutputs: Int { outputs / groups }

    /// Elements of a tensor of pixels; nothing follows the last channel of the last pixel.
    static func extent(pixels: Int, channels: Int, stride: Int) -> Int {
        pixels == 0 ? 0 : (pixels - 1) * stride + channels
    }

    var inExtent: Int { Self.extent(pixels: inPixels, channels: channels, stride: inStride) }
    var outExtent: Int { Self.extent(pixels: outPixels, channels: outputs, stride: outStride) }

    /// An order in which weights of this shape may lie.
    func weightOrder(using generator: inout SeededGenerator) -> ck_weight_order {
        if generator.oneIn(2) { return CK_WEIGHTS_OUTPUT_TAP_INPUT }
        return taps == 1 && groups == 1 && generator.oneIn(2) ? CK_WEIGHTS_INPUT_OUTPUT : CK_WEIGHTS_OUTPUT_INPUT_TAP
    }

    /// Weights `[outputs, taps, groupChannels]` as they lie in `order`.
    func weights<Element>(_ weights: [Element], in order: ck_weight_order) -> [Element] {
        let positions = weights.indices.map { index in
            let (output, tap, channel) = (
                index / (taps * groupChannels), index / groupChannels % taps, index % groupChannels
            )
            return switch order {
            case CK_WEIGHTS_OUTPUT_INPUT_TAP: (output * groupChannels + channel) * taps + tap
            case CK_WEIGHTS_INPUT_OUTPUT: channel * outputs + output
            default: index
            }
        }
        var ordered = weights
        for (position, weight) in zip(positions, weights) { ordered[position] = weight }
        return ordered
    }

    var description: String {
        """
        \(batch)x\(height)x\(width)x\(channels) -> \(outputs), groups \(groups), kernel \(kernelHeight)x\(kernelWidth), \
        stride \(stride), dilation \(dilation), pads \(padTop) \(padLeft) \(padBottom) \(padRight), gap \(gap), \
        residual \(hasResidual), extra outputs \(extraOutputs)
        """
    }

    var geometry: ck_geometry {
        ck_geometry(
            batch: batch, in_height: height, in_width: width, out_height: outHeight, out_width: outWidth,
            kernel_height: kernelHeight, kernel_width: kernelWidth, stride_height: stride, stride_width: stride,
            dilation_height: dilation, dilation_width: dilation, pad_top: padTop, pad_left: padLeft,
            pad_bottom: padBottom, pad_right: padRight)
    }

    var weightShape: ck_weight_shape {
        ck_weight_shape(out_channels: outputs, taps: taps, group_channels: groupChannels, groups: groups)
    }

    /// A tap of a window: its index in the kernel, the input pixel under it (nil in the padding), and whether it lies in
    /// the input extended by its padding.
    struct Tap {
        var index: Int
        var pixel: Int?
        var isInPaddedInput: Bool
    }

    func taps(ofOutputPixel pixel: Int) -> [Tap] {
        let image = pixel / (outHeight * outWidth)
        let outY = pixel / outWidth % outHeight
        let outX = pixel % outWidth
        return (0..<taps).map { index in
            let y = outY * stride - padTop + index / kernelWidth * dilation
            let x = outX * stride - padLeft + index % kernelWidth * dilation
            let isInside = (0..<height).contains(y) && (0..<width).contains(x)
            return Tap(
                index: index, pixel: isInside ? (image * height + y) * width + x : nil,
                isInPaddedInput: y < height + padBottom && x < width + padRight)
        }
    }

    /// A shape at random; it may have no output pixel at all.
    static func random(groups: Int = 1, using generator: inout SeededGenerator) -> WindowShape {
        var shape = WindowShape()
        shape.batch = Int.random(in: 1...2, using: &generator)
        shape.height = Int.random(in: 1...9, using: &generator)
        shape.width = Int.random(in: 1...9, using: &generator)
        shape.groups = groups
        shape.channels = groups * generator.element(of: channelCounts)
        shape.outputs = groups * generator.element(of: channelCounts)
        shape.kernelHeight = Int.random(in: 1...4, using: &generator)
        shape.kernelWidth = Int.random(in: 1...4, using: &generator)
        shape.stride = Int.random(in: 1...3, using: &generator)
        shape.dilation = Int.random(in: 1...2, using: &generator)
        shape.padTop = Int.random(in: 0...3, using: &generator)
        shape.padLeft = Int.random(in: 0...3, using: &generator)
        shape.padBottom = Int.random(in: 0...3, using: &generator)
        shape.padRight = Int.random(in: 0...3, using: &generator)
        shape.gap = generator.oneIn(2) ? 0 : Int.random(in: 1...7, using: &generator)
        shape.hasResidual = generator.oneIn(3)
        return shape
    }

    /// Depthwise: as many groups as channels.
    static func randomDepthwise(using generator: inout SeededGenerator) -> WindowShape {
        var shape = random(using: &generator)
        shape.channels = generator.oneIn(3) ? Int.random(in: 1...300, using: &generator) : shape.channels
        shape.outputs = shape.channels
        shape.groups = shape.channels
        return shape
    }
}

/// Requantisation as CKernels.h defines it.
func requantized(_ value: Float, _ out: ck_output_u8) -> UInt8 {
    let zeroPoint = Float(out.zero_point)
    let low = Float(out.min) - zeroPoint
    let high = Float(out.max) - zeroPoint
    let clamped = value > low ? (value < high ? value : high) : low
    return UInt8(clamped.rounded(.toNearestOrEven) + zeroPoint)
}
