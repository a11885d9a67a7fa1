internal import ActivationCodec
internal import CZlib
internal import Fuzzing
internal import TestSupport

/// The inflater, held to stock zlib: the same verdict on every stream, and the same bytes.
///
/// An input is two bytes that give the declared length, less one, and a zlib stream.
enum InflateTarget: FuzzTarget {
    private static let longest = 1 << 13

    private static func parts(_ input: [UInt8]) -> (length: Int, stream: [UInt8])? {
        guard input.count > 2 else { return nil }
        return ((Int(input[0]) | Int(input[1]) << 8) % longest + 1, Array(input[2...]))
    }

    static func read(_ input: [UInt8]) {
        guard let (length, stream) = parts(input) else { return }
        precondition(ours(stream, length: length) == stock(stream, length: length, windowBits: MAX_WBITS)?.bytes)
    }

    private static func ours(_ stream: [UInt8], length: Int) -> [UInt8]? {
        var inflater = Inflater()
        // On the heap and of just this size, where the address sanitizer sees a byte too many.
        let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: length)
        output.initialize(repeating: 0)
        defer { output.deallocate() }
        let source = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: stream.count)
        _ = source.initialize(fromContentsOf: stream)
        defer { source.deallocate() }
        do throws(CodecError) {
            try inflater.decompress(UnsafeBufferPointer(source), filling: output, at: .init())
            return Array(output)
        } catch {
            return nil
        }
    }

    /// By zlib, which must fill the output and use up the stream but for `trailer` bytes.
    private static func stock(
        _ stream: [UInt8], length: Int, windowBits: Int32, trailer: Int = 0
    ) -> (bytes: [UInt8], used: Int)? {
        var input = stream
        var output = [UInt8](repeating: 0, count: length)
        return input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                var state = z_stream()
                guard czlib_inflate_init(&state, windowBits) == Z_OK else { fatalError("no zlib") }
                defer { inflateEnd(&state) }
                state.next_in = input.baseAddress
                state.avail_in = uInt(input.count)
                state.next_out = output.baseAddress
                state.avail_out = uInt(output.count)
                guard inflate(&state, Z_FINISH) == Z_STREAM_END, state.avail_out == 0, state.avail_in == trailer else {
                    return nil
                }
                return (Array(output), input.count - Int(state.avail_in))
            }
        }
    }

    static func seeds() throws -> [String: [UInt8]] {
        var seeds: [String: [UInt8]] = [:]
        var generator = SplitMix64(seed: 3)
        for level in [0, 1, 6, 9] {
            for strategy in 0...4 {
                let count = Int.random(in: 1...3000, using: &generator)
                let values = UInt8.random(in: 1...255, using: &generator)
                let bytes = (0..<count).map { _ in
                    min(
                        UInt8.random(in: 0...values, using: &generator), UInt8.random(in: 0...values, using: &generator)
                    )
                }
                seeds["level\(level)-strategy\(strategy)"] =
                    [UInt8(truncatingIfNeeded: count - 1), UInt8((count - 1) >> 8)]
                    + deflated(bytes, level: Int32(level), strategy: Int32(strategy))
            }
        }
        return seeds
    }

    private static func deflated(_ bytes: [UInt8], level: Int32, strategy: Int32) -> [UInt8] {
        var input = bytes
        var output = [UInt8](repeating: 0, count: bytes.count + 1000)
        let count = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                var state = z_stream()
                guard czlib_deflate_init(&state, level, MAX_WBITS, 8, strategy) == Z_OK else { fatalError("no zlib") }
                defer { deflateEnd(&state) }
                state.next_in = input.baseAddress
                state.avail_in = uInt(input.count)
                state.next_out = output.baseAddress
                state.avail_out = uInt(output.count)
                guard deflate(&state, Z_FINISH) == Z_STREAM_END else { fatalError("no room") }
                return output.count - Int(state.avail_out)
            }
        }
        return Array(output[..<count])
    }

    /// Flips bits; then the length is what zlib finds, and Adler-32 is right, so that what is changed is read to its end.
    static func mutate(_ input: inout [UInt8], limit: Int, using generator: inout SplitMix64) {
        guard let (_, old) = parts(input), old.count > 6 else { return }
        var stream = old
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let bit = Int.random(in: 16..<8 * (stream.count - 4), using: &generator)
            stream[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        for length in [1, 2, 3, 10, 100, 1000, 3000].shuffled(using: &generator) {
            guard let found = stock(Array(stream[2..<(stream.count - 4)]), length: length, windowBits: -MAX_WBITS)
            else {
                continue
            }
            let sum = found.bytes.withUnsafeBufferPointer { UInt32(adler32(1, $0.baseAddress, uInt($0.count))) }
            withUnsafeBytes(of: sum.bigEndian) { stream.replaceSubrange((stream.count - 4)..., with: $0) }
            input[0] = UInt8(truncatingIfNeeded: length - 1)
            input[1] = UInt8((length - 1) >> 8)
            break
        }
        input.replaceSubrange(2..., with: stream)
    }
}
