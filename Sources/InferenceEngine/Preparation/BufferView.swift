struct BufferID: Hashable, Sendable {
    let index: Int
}

/// Where a value lies: in a buffer of its own or, with a wider stride, in some of the channels of a buffer that several
/// values share.
struct BufferView: Hashable, Sendable {
    let buffer: BufferID
    /// Of the value's first element.
    var byteOffset = 0
    /// Elements from one pixel to the next: the value's channels where it lies alone, else those of all values
    /// together. Where a value's elements have no pixels (row-major), its innermost axis stands for the channels.
    var stride: Int

    /// The channels from `channel` on, of elements `elementBytes` wide.
    func channels(from channel: Int, elementBytes: Int) -> BufferView {
        BufferView(buffer: buffer, byteOffset: byteOffset + channel * elementBytes, stride: stride)
    }

    /// The pixels from `pixel` on.
    func pixels(from pixel: Int, elementBytes: Int) -> BufferView {
        BufferView(buffer: buffer, byteOffset: byteOffset + pixel * stride * elementBytes, stride: stride)
    }

    /// The first pixel again and again.
    var repeated: BufferView { BufferView(buffer: buffer, byteOffset: byteOffset, stride: 0) }
}

extension TensorForm {
    /// Of float32 values.
    var elementBytes: Int { quantization == nil ? 4 : 1 }
}
