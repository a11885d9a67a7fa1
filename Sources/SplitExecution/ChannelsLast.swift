internal import InferenceEngine
internal import ModelGraph

extension Shape {
    /// Calls `body` with the row-major and the channels-last position of each element of a rank-4 shape.
    func forEachPosition(_ body: (_ rowMajor: Int, _ channelsLast: Int) -> Void) {
        let (channels, pixels) = (self[1], self[2] * self[3])
        for image in 0..<self[0] {
            for channel in 0..<channels {
                let plane = (image * channels + channel) * pixels
                for pixel in 0..<pixels { body(plane + pixel, (image * pixels + pixel) * channels + channel) }
            }
        }
    }
}

extension Tensor {
    /// Calls `body` with each element of a float32 tensor and its position in `layout`, which below rank 4 is row-major.
    func forEachElement(in layout: Layout, _ body: (_ position: Int, _ value: Float) -> Void) {
        let values = array(of: Float.self)
        if layout == .channelsLast, shape.rank == 4 {
            shape.forEachPosition { body($1, values[$0]) }
        } else {
            for position in values.indices { body(position, values[position]) }
        }
    }
}

extension BoundaryPort {
    /// The real values of this port's codes.
    func tensor(fromChannelsLast codes: UnsafeRawBufferPointer) -> Tensor {
        Tensor(shape: shape, of: Float.self) { target in
            if shape.rank == 4 {
                shape.forEachPosition { target[$0] = quantization.dequantize(codes[$1]) }
            } else {
                for position in target.indices { target[position] = quantization.dequantize(codes[position]) }
            }
        }
    }
}
