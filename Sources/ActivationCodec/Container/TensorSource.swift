/// One boundary tensor to encode.
package struct TensorSource {
    enum Storage {
        case owned([UInt8])
        case borrowed(UnsafeBufferPointer<UInt8>)
    }

    /// How elements become symbols.
    package enum Coding: Sendable {
        /// As the precision says, between bounds from this source; a source is not used at 8 bits.
        case precision(Precision, RangeSource)
        /// By a calibrated quantiser that the receiver holds too: only its checksum is sent.
        case agreed(LevelQuantizer)
        /// By a calibrated quantiser that is sent along with the frame.
        case inline(LevelQuantizer)
    }

    package let signature: TensorSignature
    package let layout: TensorLayout
    package let coding: Coding
    package let compression: Compression
    let storage: Storage

    /// - Parameter codes: memory of the caller's in `layout` order that must stay valid and unchanged until the last band is
    ///   encoded.
    package init(
        _ signature: TensorSignature, layout: TensorLayout, coding: Coding, compression: Compression = .contexts,
        borrowing codes: UnsafeBufferPointer<UInt8>
    ) {
        self.init(signature, layout, coding, compression, .borrowed(codes))
    }

    /// As the other, for an array.
    package init(
        _ signature: TensorSignature, layout: TensorLayout, coding: Coding, compression: Compression = .contexts,
        codes: [UInt8]
    ) {
        self.init(signature, layout, coding, compression, .owned(codes))
    }

    private init(
        _ signature: TensorSignature, _ layout: TensorLayout, _ coding: Coding, _ compression: Compression,
        _ storage: Storage
    ) {
        self.signature = signature
        self.layout = layout
        self.coding = coding
        self.compression = compression
        self.storage = storage
    }

    /// - Parameters:
    ///   - codes: the elements in `layout` order.
    ///   - ranges: where clip bounds come from; not used at 8 bits.
    package init(
        _ signature: TensorSignature, layout: TensorLayout, mode: CodecMode, ranges: RangeSource = .measured,
        codes: [UInt8]
    ) {
        self.signature = signature
        self.layout = layout
        coding = .precision(mode.precision, ranges)
        compression = mode.compression
        storage = .owned(codes)
    }

    /// As the other, over memory of the caller's that must stay valid and unchanged until the last band is encoded.
    package init(
        _ signature: TensorSignature, layout: TensorLayout, mode: CodecMode, ranges: RangeSource = .measured,
        borrowing codes: UnsafeBufferPointer<UInt8>
    ) {
        self.signature = signature
        self.layout = layout
        coding = .precision(mode.precision, ranges)
        compression = mode.compression
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
