/// One layer as its kernel sees it, and how often a network has it.
///
/// Images are NHWC; windows are square, with the same stride and padding on all sides.
package struct LayerShape: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Hashable, Sendable {
        /// A convolution; on images of 1 × 1 a matrix product, with as many groups as channels depthwise.
        case convolution = "conv"
        case maxPool = "maxpool"
        case averagePool = "avgpool"
        case add
        case multiply = "mul"
        /// Multiplication by one value a channel.
        case scale
        /// A function of one uint8 operand, as a table.
        case lookup = "lut"
        case quantize
        /// From NCHW to NHWC.
        case layout

        /// Whether a window slides over the image.
        var hasWindow: Bool { [.convolution, .maxPool, .averagePool].contains(self) }
    }

    package var kind: Kind
    package var batch: Int
    package var height: Int
    package var width: Int
    package var channels: Int
    package var outputs: Int
    package var kernel: Int
    package var stride: Int
    package var pad: Int
    package var groups: Int
    package var repeats: Int

    package var outHeight: Int { (height + 2 * pad - kernel) / stride + 1 }
    package var outWidth: Int { (width + 2 * pad - kernel) / stride + 1 }
    package var outPixels: Int { batch * outHeight * outWidth }
    package var isDepthwise: Bool { kind == .convolution && groups > 1 && groups == channels && groups == outputs }

    /// Elements of the tensors read and written, and of the weights.
    package var inputCount: Int { batch * height * width * channels }
    package var outputCount: Int { outPixels * outputs }
    package var weightCount: Int { kind == .convolution ? outputs * kernel * kernel * (channels / groups) : 0 }
    /// 0 for layers that are bound by memory.
    package var multiplyAdds: Int { outPixels * weightCount }

    /// As people write it: `conv 3×3/2 56×56×64 → 128`.
    package var text: String {
        var text = isDepthwise ? "depthwise" : kind.rawValue
        if kind.hasWindow {
            text += " \(kernel)×\(kernel)"
            if stride > 1 { text += "/\(stride)" }
        }
        text += batch > 1 ? " \(batch)×\(height)×\(width)×\(channels)" : " \(height)×\(width)×\(channels)"
        if kind == .convolution && !isDepthwise { text += " → \(outputs)" }
        if groups > 1 && !isDepthwise { text += " in \(groups) groups" }
        return text
    }
}

/// Layers that ask the same of a kernel.
package enum LayerClass: String, CaseIterable, Hashable, Sendable, Codable {
    /// The convolution of at most four channels, the picture's.
    case first = "first layer"
    case pointwise = "1×1"
    case spatial = "3×3 and larger"
    case depthwise = "depthwise"
    case fullyConnected = "fully connected"
    case pooling = "pooling"
    case elementwise = "elementwise"

    package init(_ layer: LayerShape) {
        switch layer.kind {
        case .convolution where layer.isDepthwise: self = .depthwise
        case .convolution where layer.channels <= 4: self = .first
        case .convolution where layer.height * layer.width == 1: self = .fullyConnected
        case .convolution where layer.kernel == 1: self = .pointwise
        case .convolution: self = .spatial
        case .maxPool, .averagePool: self = .pooling
        case .add, .multiply, .scale, .lookup, .quantize, .layout: self = .elementwise
        }
    }
}
