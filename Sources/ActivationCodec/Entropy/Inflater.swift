internal import CZlib

/// A zlib decompressor that is reused from band to band and never writes more than the declared length.
///
/// Holds about 40 KB, allocated on first use. The stream lives on the heap because zlib keeps its address.
struct Inflater: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(CodecError) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = czlib_inflate_init(stream, MAX_WBITS)
        guard status == Z_OK else {
            stream.deallocate()
            throw CodecError(.zlibUnavailable, "inflateInit2", expected: "status 0", got: "\(status)")
        }
        self.stream = stream
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Decompresses one zlib stream that must fill `output` exactly and use up all of `input`.
    ///
    /// - Throws: `corruptPayload` when the stream is damaged, ends early, has a tail, or is shorter or longer than
    ///   `output`.
    mutating func decompress(
        _ input: UnsafeBufferPointer<UInt8>, filling output: UnsafeMutableBufferPointer<UInt8>,
        at location: CodecError.Location
    ) throws(CodecError) {
        guard input.count <= UInt32.max, output.count > 0, output.count <= UInt32.max else {
            throw CodecError(
                .corruptPayload, "zlib stream", at: location, expected: "1...2^32-1 bytes", got: "\(output.count)")
        }
        inflateReset(stream)
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = UInt32(output.count)
        let status = inflate(stream, Z_FINISH)
        let missing = Int(stream.pointee.avail_out)
        let unread = Int(stream.pointee.avail_in)
        switch status {
        case Z_STREAM_END where missing == 0 && unread == 0:
            return
        case Z_STREAM_END where missing > 0:
            throw CodecError(
                .corruptPayload, "zlib stream is short", at: location, expected: "\(output.count) bytes",
                got: "\(output.count - missing)")
        case Z_STREAM_END:
            throw CodecError(
                .corruptPayload, "bytes after the zlib stream", at: location, expected: "0", got: "\(unread)")
        case Z_OK where missing == 0, Z_BUF_ERROR where missing == 0:
            throw CodecError(
                .corruptPayload, "zlib stream is longer than declared", at: location,
                expected: "\(output.count) bytes", got: "more, or no end")
        case Z_OK, Z_BUF_ERROR:
            throw CodecError(
                .corruptPayload, "zlib stream ends early", at: location, expected: "\(output.count) bytes",
                got: "\(output.count - missing)")
        default:
            let reason = stream.pointee.msg.map { String(cString: $0) } ?? "status \(status)"
            throw CodecError(.corruptPayload, "zlib stream", at: location, expected: "RFC 1950", got: reason)
        }
    }
}
