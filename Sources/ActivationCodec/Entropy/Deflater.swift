internal import CZlib

/// A zlib compressor that is reused from band to band.
///
/// Holds about 268 KB. The stream lives on the heap because zlib keeps its address.
struct Deflater: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>
    let compression: Compression

    /// - Parameter compression: any valid form of zlib's own.
    init(_ compression: Compression) throws(CodecError) {
        let (level, strategy): (Int32, Int32) =
            switch compression {
            case .raw, .blocks, .contexts: preconditionFailure("zlib does not compress these")
            case .zlib(let level): (Int32(level), Z_DEFAULT_STRATEGY)
            case .filtered(let level): (Int32(level), Z_FILTERED)
            case .huffmanOnly: (1, Z_HUFFMAN_ONLY)
            case .runLength: (1, Z_RLE)
            }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = czlib_deflate_init(stream, level, MAX_WBITS, 8, strategy)
        guard status == Z_OK else {
            stream.deallocate()
            throw CodecError(.zlibUnavailable, "deflateInit2", expected: "status 0", got: "\(status)")
        }
        self.stream = stream
        self.compression = compression
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Compresses all of `input` into one zlib stream.
    ///
    /// - Returns: the number of bytes written, or nil when the stream does not fit `output`.
    mutating func compress(
        _ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int? {
        guard input.count > 0, output.count > 0, input.count <= UInt32.max, output.count <= UInt32.max else {
            return nil
        }
        deflateReset(stream)
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = UInt32(output.count)
        guard deflate(stream, Z_FINISH) == Z_STREAM_END else { return nil }
        return output.count - Int(stream.pointee.avail_out)
    }
}
