internal import CKernels
internal import Testing

/// The kernels of the activation codec, against their definitions.
@Suite struct SymbolTests {
    private func forLanes(_ seed: UInt64, _ body: (_ lanes: Int, _ pixels: Int, inout SeededGenerator) -> Void) {
        var generator = SeededGenerator(seed: seed)
        for lanes in WindowShape.channelCounts {
            for pixels in [0, 1, 2, 7] { body(lanes, pixels, &generator) }
        }
    }

    @Test(arguments: KernelTable.available) func ranks(table: KernelTable) {
        forLanes(51) { lanes, pixels, generator in
            let thresholds = Int.random(in: 0...15, using: &generator)
            let stride = lanes + (generator.oneIn(2) ? 0 : 3)
            let extent = WindowShape.extent(pixels: pixels, channels: lanes, stride: stride)
            let rows = Fenced<UInt8>(generator.integers(thresholds * lanes))
            let input = Fenced<UInt8>(generator.integers(extent))
            let output = Fenced<UInt8>(count: extent)
            var rank = ck_rank_u8(
                channels: lanes, in_stride: stride, out_stride: stride, thresholds: thresholds, table_stride: lanes,
                table: rows.pointer, input: input.pointer, output: output.pointer)
            table.kernels.rank_u8(&rank, ck_range(first: 0, last: pixels))
            let expected = (0..<pixels).flatMap { pixel in
                (0..<lanes).map { lane in
                    UInt8(
                        (0..<thresholds).count {
                            input.pointer[pixel * stride + lane] >= rows.pointer[$0 * lanes + lane]
                        })
                }
            }
            #expect(
                output.valuesWithoutGaps(pixels: pixels, channels: lanes, stride: stride) == expected,
                "\(pixels) pixels of \(lanes) lanes, \(thresholds) thresholds")
            rank.output = input.pointer
            table.kernels.rank_u8(&rank, ck_range(first: 0, last: pixels))
            let inPlace = (0..<pixels).flatMap { pixel in (0..<lanes).map { input.pointer[pixel * stride + $0] } }
            #expect(inPlace == expected, "in place, \(pixels) pixels of \(lanes) lanes")
        }
    }

    @Test(arguments: KernelTable.available) func selections(table: KernelTable) {
        forLanes(52) { lanes, pixels, generator in
            let levels = Int.random(in: 1...16, using: &generator)
            let rows = Fenced<UInt8>(generator.integers(levels * lanes))
            let input = Fenced<UInt8>(
                (0..<pixels * lanes).map { _ in UInt8.random(in: 0..<UInt8(levels), using: &generator) })
            let output = Fenced<UInt8>(count: pixels * lanes)
            var select = ck_select_u8(
                channels: lanes, in_stride: lanes, out_stride: lanes, levels: levels, table_stride: lanes,
                table: rows.pointer, input: input.pointer, output: output.pointer)
            table.kernels.select_u8(&select, ck_range(first: 0, last: pixels))
            let expected = (0..<pixels * lanes).map { rows.pointer[Int(input.pointer[$0]) * lanes + $0 % lanes] }
            #expect(output.guardIsIntact && output.values == expected, "\(pixels) pixels of \(lanes) lanes")
        }
    }

    @Test(arguments: KernelTable.available) func contexts(table: KernelTable) {
        forLanes(53) { lanes, pixels, generator in
            let west = Int.random(in: 0...2, using: &generator)
            // A row above, and a pixel of margin on either side of both rows.
            let stride = (pixels + 2) * lanes
            let field = Fenced<UInt8>(generator.integers(2 * stride))
            let output = Fenced<UInt16>(count: pixels * lanes)
            var context = ck_context_u8(
                lanes: lanes, row_stride: stride, west: UInt16(west), input: field.pointer + stride + lanes,
                output: output.pointer)
            table.kernels.context_u8(&context, ck_range(first: 0, last: pixels * lanes))
            let expected = (0..<pixels * lanes).map { index in
                let above = index + lanes
                let here = above + stride
                return UInt16(
                    west * Int(field.pointer[here - lanes]) + 2 * Int(field.pointer[above])
                        + Int(field.pointer[above - lanes]) + Int(field.pointer[above + lanes]))
            }
            #expect(output.guardIsIntact && output.values == expected, "\(pixels) pixels of \(lanes) lanes")
        }
    }
}
