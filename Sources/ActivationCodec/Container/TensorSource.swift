/// One boundary tensor to encode.
package struct TensorSource {
    enum Storage {
        case owned([UInt8])
        case borrowed(UnsafeBufferPointer<UInt8>)
    }

    package let signature: TensorSignature
    package let layout: TensorLayout
    package let mode: CodecMode
    package let ranges: RangeSource
    let storage: Storage

    /// - Parameters:
    ///   - codes: the elements in `layout` order.
    ///   - ranges: where clip bounds come from; not used at 8 bits.
    package init(
        _ signature: TensorSignature, layout: TensorLayout, mode: CodecMode, ranges: RangeSource = .measured,
        codes: [UInt8]
    ) {
        self.signature = signature
        self.layout = layout
        self.mode = mode
        self.ranges = ranges
        storage = .owned(codes)
    }

    /// As the other, over memory of the caller's that must stay valid and unchanged until the last band is encoded.
    package init(
        _ signature: TensorSignature, layout: TensorLayout, mode: CodecMode, ranges: RangeSource = .measured,
        borrowing codes: UnsafeBufferPointer<UInt8>
    ) {
        self.signature = signature
        self.layout = layout
        self.mode = mode
        self.ranges = ranges
        storage = .borrowed(codes)
    }

    func withCodes<Result>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(CodecError) -> Result
    ) throws(CodecError) -> Result {
        switch storage {
        case .owned(let codes): try codes.withUnsafeBufferPointer(body)
        case .borrowed(let codes): try body(codes)
        }
    }
}
