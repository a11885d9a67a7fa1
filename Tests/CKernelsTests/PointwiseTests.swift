internal import CKernels
internal import Testing

/// Two operands and the output of a kernel that works pixel by pixel.
private struct Operands<Input: BitwiseCopyable, Output: BitwiseCopyable> {
    let pixels: Int
    let channels: Int
    let stride: Int
    /// 0 where the second operand is one pixel, repeated.
    let secondStride: Int
    let first: Fenced<Input>
    let second: Fenced<Input>
    let output: Fenced<Output>

    /// Output by the definition, without gaps.
    func values(_ value: (Input, Input) -> Output) -> [Output] {
        (0..<pixels).flatMap { pixel in
            (0..<channels).map {
                value(first.pointer[pixel * stride + $0], second.pointer[pixel * secondStride + $0])
            }
        }
    }

    var computed: [Output]? { output.valuesWithoutGaps(pixels: pixels, channels: channels, stride: stride) }
    var all: ck_range { ck_range(first: 0, last: pixels) }
    var description: String { "\(pixels) pixels of \(channels) channels, strides \(stride) and \(secondStride)" }
}

@Suite struct PointwiseTests {
    /// Runs `body` on every number of channels and a few of pixels, dense and with gaps.
    private func forOperands<Input, Output>(
        seed: UInt64, _ contents: (Int, inout SeededGenerator) -> [Input],
        _ body: (Operands<Input, Output>, inout SeededGenerator) -> Void
    ) {
        var generator = SeededGenerator(seed: seed)
        for channels in WindowShape.channelCounts {
            for pixels in [0, 1, 2, 7] {
                for gap in [0, 3] {
                    let stride = channels + gap
                    let count = WindowShape.extent(pixels: pixels, channels: channels, stride: stride)
                    let isBroadcast = generator.oneIn(3)
                    body(
                        Operands(
                            pixels: pixels, channels: channels, stride: stride,
                            secondStride: isBroadcast ? 0 : stride, first: Fenced(contents(count, &generator)),
                            second: Fenced(contents(isBroadcast ? channels : count, &generator)),
                            output: Fenced(count: count)), &generator)
                }
            }
        }
    }

    private func bytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] { generator.integers(count) }
    private func floats(_ count: Int, _ generator: inout SeededGenerator) -> [Float] { generator.floats(count) }

    @Test(arguments: KernelTable.available) func additionOfBytes(table: KernelTable) {
        forOperands(seed: 31, bytes) { (o: Operands<UInt8, UInt8>, generator) in
            var add = ck_add_u8(
                channels: o.channels, a: o.first.pointer, b: o.second.pointer, a_stride: o.stride,
                b_stride: o.secondStride, a_zero_point: generator.byte(), b_zero_point: generator.byte(),
                a_multiplier: Float.random(in: 0...2, using: &generator),
                b_multiplier: Float.random(in: 0...2, using: &generator), output: o.output.pointer,
                out_stride: o.stride, out: ck_output_u8(zero_point: generator.byte(), min: 1, max: 254))
            table.kernels.add_u8(&add, o.all)
            let expected = o.values { a, b in
                let left = Float(Int(a) - Int(add.a_zero_point)) * add.a_multiplier
                let right = Float(Int(b) - Int(add.b_zero_point)) * add.b_multiplier
                return requantized(left + right, add.out)
            }
            #expect(o.computed == expected, "\(o.description)")
        }
    }

    @Test(arguments: KernelTable.available) func productOfBytes(table: KernelTable) {
        forOperands(seed: 32, bytes) { (o: Operands<UInt8, UInt8>, generator) in
            var mul = ck_mul_u8(
                channels: o.channels, a: o.first.pointer, b: o.second.pointer, a_stride: o.stride,
                b_stride: o.secondStride, a_zero_point: generator.byte(), b_zero_point: generator.byte(),
                multiplier: Float.random(in: 0...0.02, using: &generator), output: o.output.pointer,
                out_stride: o.stride, out: ck_output_u8(zero_point: generator.byte(), min: 0, max: 255))
            table.kernels.mul_u8(&mul, o.all)
            let expected = o.values { a, b in
                let product = (Int(a) - Int(mul.a_zero_point)) * (Int(b) - Int(mul.b_zero_point))
                return requantized(Float(product) * mul.multiplier, mul.out)
            }
            #expect(o.computed == expected, "\(o.description)")
        }
    }

    @Test(arguments: KernelTable.available) func lookup(table: KernelTable) {
        forOperands(seed: 33, bytes) { (o: Operands<UInt8, UInt8>, generator) in
            let entries = Fenced<UInt8>(generator.integers(256))
            var lut = ck_lut_u8(
                channels: o.channels, input: o.first.pointer, in_stride: o.stride, output: o.output.pointer,
                out_stride: o.stride, table: entries.pointer)
            table.kernels.lut_u8(&lut, o.all)
            #expect(o.computed == o.values { a, _ in entries.pointer[Int(a)] }, "\(o.description)")
        }
    }

    @Test(arguments: KernelTable.available) func requantisation(table: KernelTable) {
        forOperands(seed: 34, bytes) { (o: Operands<UInt8, UInt8>, generator) in
            var requantize = ck_requantize_u8(
                channels: o.channels, input: o.first.pointer, in_stride: o.stride, in_zero_point: generator.byte(),
                multiplier: generator.oneIn(2) ? 0.5 : Float.random(in: 0...3, using: &generator),
                output: o.output.pointer, out_stride: o.stride,
                out: ck_output_u8(zero_point: generator.byte(), min: 0, max: 255))
            let expected = o.values { a, _ in
                requantized(Float(Int(a) - Int(requantize.in_zero_point)) * requantize.multiplier, requantize.out)
            }
            table.kernels.requantize_u8(&requantize, o.all)
            #expect(o.computed == expected, "\(o.description)")

            requantize.output = o.first.pointer
            table.kernels.requantize_u8(&requantize, o.all)
            let inPlace = (0..<o.pixels).flatMap { p in (0..<o.channels).map { o.first.pointer[p * o.stride + $0] } }
            #expect(inPlace == expected, "in place, \(o.description)")
        }
    }

    /// Halves fall on ties; the rest is what a quantiser must survive.
    private func roughFloats(_ count: Int, _ generator: inout SeededGenerator) -> [Float] {
        let special: [Float] = [.nan, -.nan, .infinity, -.infinity, 1e30, -1e30, -0.0, .leastNonzeroMagnitude]
        return (0..<count).map { _ in
            generator.oneIn(8)
                ? generator.element(of: special) : Float(Int.random(in: -300...600, using: &generator)) / 2
        }
    }

    @Test(arguments: KernelTable.available) func quantisation(table: KernelTable) {
        forOperands(seed: 35, roughFloats) { (o: Operands<Float, UInt8>, generator) in
            var quantize = ck_quantize_f32(
                channels: o.channels, input: o.first.pointer, in_stride: o.stride, output: o.output.pointer,
                out_stride: o.stride, scale: generator.oneIn(2) ? 1 : Float.random(in: 0.1...3, using: &generator),
                zero_point: generator.byte())
            table.kernels.quantize_f32_u8(&quantize, o.all)
            let expected = o.values { x, _ in
                let out = ck_output_u8(zero_point: quantize.zero_point, min: 0, max: 255)
                return x.isNaN ? quantize.zero_point : requantized(x / quantize.scale, out)
            }
            #expect(o.computed == expected, "\(o.description)")
        }
    }

    @Test(arguments: KernelTable.available) func dequantisation(table: KernelTable) {
        forOperands(seed: 36, bytes) { (o: Operands<UInt8, Float>, generator) in
            let zeroPoint = generator.byte()
            var dequantize = ck_dequantize_u8(
                channels: o.channels, input: o.first.pointer, in_stride: o.stride, output: o.output.pointer,
                out_stride: o.stride, scale: Float.random(in: 0.001...2, using: &generator), zero_point: zeroPoint)
            table.kernels.dequantize_u8_f32(&dequantize, o.all)
            let expected = (0..<o.pixels).flatMap { p in
                (0..<o.channels).map {
                    Float(Int(o.first.pointer[p * o.stride + $0]) - Int(zeroPoint)) * dequantize.scale
                }
            }
            #expect(o.computed == expected, "\(o.description)")
        }
    }

    @Test(arguments: KernelTable.available) func floatArithmetic(table: KernelTable) {
        forOperands(seed: 37, floats) { (o: Operands<Float, Float>, generator) in
            let bounds: ClosedRange<Float> = generator.oneIn(2) ? -0.5...0.75 : -.infinity ... .infinity
            var binary = ck_binary_f32(
                channels: o.channels, a: o.first.pointer, b: o.second.pointer, a_stride: o.stride,
                b_stride: o.secondStride, output: o.output.pointer, out_stride: o.stride, min: bounds.lowerBound,
                max: bounds.upperBound)
            let clamped = { (x: Float) in min(max(x, bounds.lowerBound), bounds.upperBound) }
            // One rounding each, so exactly the same on every machine.
            table.kernels.add_f32(&binary, o.all)
            #expect(o.computed == o.values { clamped($0 + $1) }, "sum, \(o.description)")
            table.kernels.mul_f32(&binary, o.all)
            #expect(o.computed == o.values { clamped($0 * $1) }, "product, \(o.description)")
            table.kernels.clamp_f32(&binary, o.all)
            #expect(o.computed == o.values { a, _ in clamped(a) }, "clamp, \(o.description)")
        }
    }
}
