internal import CKernels
internal import ModelGraph

/// Weights as they lie in the graph, with all else that enters packing: equal sources give equal packed bytes.
///
/// Values are told apart by where they lie, not by what they are: graphs cut from one package share its mapping.
struct WeightSource: Hashable, Sendable {
    enum Numbers: Hashable, Sendable {
        /// Weights count `factor` times.
        case float(factor: Float, bias: [Float]?)
        case integer(bias: [Int32], multipliers: [Float], zeroPoint: UInt8)
    }

    /// Int8 or float32, in `order`.
    let values: Tensor
    let order: ck_weight_order
    let shape: ck_weight_shape
    let numbers: Numbers
    let method: ConvolutionMethod

    init(
        _ values: Tensor, order: ck_weight_order, shape: ck_weight_shape, _ numbers: Numbers,
        for method: ConvolutionMethod
    ) {
        self.values = values
        self.order = order
        self.shape = shape
        self.numbers = numbers
        self.method = method
    }

    static func == (left: WeightSource, right: WeightSource) -> Bool {
        left.values.storage === right.values.storage && left.values.byteOffset == right.values.byteOffset
            && left.order == right.order && left.shape.extents == right.shape.extents && left.method == right.method
            && left.numbers == right.numbers
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(values.storage))
        hasher.combine(values.byteOffset)
        hasher.combine(method)
    }

    /// One pixel of the input's zero, which padding reads.
    var paddingByteCount: Int {
        let channels = shape.group_channels * shape.groups
        return switch numbers {
        case .float: channels * MemoryLayout<Float>.size
        case .integer: channels
        }
    }

    func packedByteCount(by kernels: KernelTable) -> Int {
        var shape = shape
        return switch (numbers, method) {
        case (.integer, .depthwise): kernels.dwconv_u8s8_u8_packed_size(&shape)
        case (.integer, _): kernels.conv_u8s8_u8_packed_size(&shape)
        case (.float, .depthwise): kernels.dwconv_f32_packed_size(&shape)
        case (.float, .indirect): kernels.conv_f32_packed_size(&shape)
        case (.float, .bfloat16): kernels.bfloat16!.pointee.packed_size(&shape)
        case (.float, .winograd(let tile)): kernels.winograd_f32_packed_size(&shape, tile)
        }
    }

    /// Writes `packedByteCount(by:)` bytes to `packed` and `paddingByteCount` to `padding`.
    func pack(by kernels: KernelTable, to packed: UnsafeMutableRawPointer, padding: UnsafeMutableRawPointer) {
        operands.withUnsafeBytes { values in
            switch numbers {
            case .float(_, let bias):
                padding.initializeMemory(as: UInt8.self, repeating: 0, count: paddingByteCount)
                var source = ck_weights_f32()
                (source.shape, source.order) = (shape, order)
                source.weights = values.assumingMemoryBound(to: Float.self).baseAddress
                (bias ?? []).withUnsafeBufferPointer { biasValues in
                    source.bias = bias == nil ? nil : biasValues.baseAddress
                    pack(&source, by: kernels, to: packed)
                }
            case .integer(let bias, let multipliers, let zeroPoint):
                padding.initializeMemory(as: UInt8.self, repeating: zeroPoint, count: paddingByteCount)
                var source = ck_weights_s8()
                (source.shape, source.order) = (shape, order)
                source.weights = values.assumingMemoryBound(to: Int8.self).baseAddress
                source.in_zero_point = zeroPoint
                bias.withUnsafeBufferPointer { bias in
                    multipliers.withUnsafeBufferPointer { multipliers in
                        (source.bias, source.multipliers) = (bias.baseAddress, multipliers.baseAddress)
                        if method == .depthwise {
                            kernels.dwconv_u8s8_u8_pack(&source, packed)
                        } else {
                            kernels.conv_u8s8_u8_pack(&source, packed)
                        }
                    }
                }
            }
        }
    }

    /// The values, multiplied and aligned as the kernels want them: as they are, or a copy.
    private var operands: Tensor {
        if case .float(let factor, _) = numbers, factor != 1 {
            return Tensor(values.array(of: Float.self).map { factor * $0 }, shape: values.shape)
        }
        return values.aligned()
    }

    private func pack(_ source: inout ck_weights_f32, by kernels: KernelTable, to packed: UnsafeMutableRawPointer) {
        switch method {
        case .depthwise: kernels.dwconv_f32_pack(&source, packed)
        case .indirect: kernels.conv_f32_pack(&source, packed)
        case .bfloat16: kernels.bfloat16!.pointee.pack(&source, packed)
        case .winograd(let tile): kernels.winograd_f32_pack(&source, tile, packed)
        }
    }
}

extension Tensor {
    /// The same elements where the kernels may read them: a mapped ONNX file aligns nothing.
    fileprivate func aligned() -> Tensor {
        withUnsafeBytes { bytes in
            guard Int(bitPattern: bytes.baseAddress) % elementType.byteCount != 0 else { return self }
            return Tensor(type, storage: TensorStorage(byteCount: bytes.count) { $0.copyMemory(from: bytes) })
        }
    }
}

extension ck_weight_shape {
    fileprivate var extents: [Int] { [out_channels, taps, group_channels, groups] }
}
