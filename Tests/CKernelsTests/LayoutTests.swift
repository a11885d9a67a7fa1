internal import CKernels
internal import Testing

@Suite struct LayoutTests {
    private struct Shape: CustomStringConvertible {
        var batch: Int
        var pixels: Int
        var channels: Int
        var stride: Int
        var description: String { "\(batch) images of \(pixels) pixels, \(channels) channels, stride \(stride)" }

        var count: Int { batch * pixels * channels }
        var nhwcExtent: Int { WindowShape.extent(pixels: batch * pixels, channels: channels, stride: stride) }

        /// The NHWC offset of every element, in NCHW order.
        var nhwcOffsets: [Int] {
            (0..<count).map { index in
                let (image, channel, pixel) = (index / pixels / channels, index / pixels % channels, index % pixels)
                return (image * pixels + pixel) * stride + channel
            }
        }
    }

    private func forShapes(_ body: (Shape, [ck_range], inout SeededGenerator) -> Void) {
        var generator = SeededGenerator(seed: 41)
        for channels in WindowShape.channelCounts {
            for pixels in [1, 3, 7, 8, 9, 49, 64] {
                let batch = Int.random(in: 1...3, using: &generator)
                let stride = channels + (generator.oneIn(2) ? 0 : 5)
                let middle = Int.random(in: 0...(batch * pixels), using: &generator)
                body(
                    Shape(batch: batch, pixels: pixels, channels: channels, stride: stride),
                    [ck_range(first: middle, last: batch * pixels), ck_range(first: 0, last: middle)], &generator)
            }
        }
    }

    @Test(arguments: KernelTable.available) func bytes(table: KernelTable) {
        forShapes { shape, ranges, generator in
            let nhwc = Fenced<UInt8>(generator.integers(shape.nhwcExtent))
            let nchw = Fenced<UInt8>(count: shape.count)
            var layout = ck_layout_u8(
                batch: shape.batch, pixels: shape.pixels, channels: shape.channels, nhwc_stride: shape.stride,
                input: nhwc.pointer, output: nchw.pointer)
            for range in ranges { table.kernels.nhwc_to_nchw_u8(&layout, range) }
            #expect(nchw.guardIsIntact && nchw.values == shape.nhwcOffsets.map { nhwc.pointer[$0] }, "\(shape)")

            let back = Fenced<UInt8>(count: shape.nhwcExtent)
            layout.input = UnsafePointer(nchw.pointer)
            layout.output = back.pointer
            for range in ranges { table.kernels.nchw_to_nhwc_u8(&layout, range) }
            let pixels = shape.batch * shape.pixels
            let expected = (0..<pixels).flatMap { p in
                (0..<shape.channels).map { nhwc.pointer[p * shape.stride + $0] }
            }
            #expect(
                back.valuesWithoutGaps(pixels: pixels, channels: shape.channels, stride: shape.stride) == expected,
                "\(shape)")
        }
    }

    @Test(arguments: KernelTable.available) func floats(table: KernelTable) {
        forShapes { shape, ranges, generator in
            let nhwc = Fenced<Float>(generator.floats(shape.nhwcExtent))
            let nchw = Fenced<Float>(count: shape.count)
            var layout = ck_layout_f32(
                batch: shape.batch, pixels: shape.pixels, channels: shape.channels, nhwc_stride: shape.stride,
                input: nhwc.pointer, output: nchw.pointer)
            for range in ranges { table.kernels.nhwc_to_nchw_f32(&layout, range) }
            #expect(nchw.guardIsIntact && nchw.values == shape.nhwcOffsets.map { nhwc.pointer[$0] }, "\(shape)")

            let back = Fenced<Float>(count: shape.nhwcExtent)
            layout.input = UnsafePointer(nchw.pointer)
            layout.output = back.pointer
            for range in ranges { table.kernels.nchw_to_nhwc_f32(&layout, range) }
            let pixels = shape.batch * shape.pixels
            let expected = (0..<pixels).flatMap { p in
                (0..<shape.channels).map { nhwc.pointer[p * shape.stride + $0] }
            }
            #expect(
                back.valuesWithoutGaps(pixels: pixels, channels: shape.channels, stride: shape.stride) == expected,
                "\(shape)")
        }
    }
}
