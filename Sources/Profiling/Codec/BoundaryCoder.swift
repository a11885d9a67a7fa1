internal import ActivationCodec
internal import ImageInput

/// Encodes and decodes with memory kept from picture to picture, as a session does.
struct BoundaryCoder: ~Copyable {
    /// What one coding made of one picture's boundary.
    struct Outcome {
        var size: Int
        var encode: Duration
        var decode: Duration
        /// Channels last.
        var tensors: [[UInt8]]
    }

    private var encoder: FrameEncoder
    private let loop: BandLoop
    private var bytes: [UInt8] = []

    /// - Parameter loop: as many bands are coded at once as it is wide.
    init(loop: BandLoop = .serial) {
        encoder = FrameEncoder(loop: loop)
        self.loop = loop
    }

    /// - Parameter sources: coded as `coding` says.
    mutating func code(_ sources: [TensorSource], as coding: BoundaryCoding) throws(CodecError) -> Outcome {
        bytes.removeAll(keepingCapacity: true)
        let expected = coding.expected(of: sources)
        let start = ContinuousClock.now
        bytes += try encoder.begin(frameID: 0, tensors: sources)
        while try encoder.appendNextBand(to: &bytes) {}
        let encoded = ContinuousClock.now
        let frame = try decodeFrame(bytes, expecting: expected, layout: .channelsLast, loop: loop)
        return Outcome(
            size: bytes.count, encode: encoded - start, decode: ContinuousClock.now - encoded, tensors: frame.tensors)
    }

    /// One grey JPEG a tensor, its channels as tiles.
    mutating func measureTiles(
        _ codes: [UnsafeRawBufferPointer], _ mosaics: [ChannelMosaic], quality: Int, into samples: inout PointSamples
    ) throws -> [[UInt8]] {
        var size = 0
        var times = (encode: Duration.zero, decode: Duration.zero)
        let decoded = try zip(codes, mosaics).map { tensor, mosaic in
            let start = ContinuousClock.now
            let file = try mosaic.picture(tensor.bindMemory(to: UInt8.self)).encodeJPEG(quality: quality)
            let encoded = ContinuousClock.now
            let codes = try mosaic.decode(file)
            times.encode += encoded - start
            times.decode += ContinuousClock.now - encoded
            size += file.count
            return codes
        }
        samples.add(size: size, encode: times.encode, decode: times.decode)
        return decoded
    }

    /// One zlib stream a tensor over the bytes as they are.
    mutating func measureBytes(
        _ codes: [UnsafeRawBufferPointer], _ compression: Compression, into samples: inout PointSamples
    ) throws(CodecError) {
        var size = 0
        var times = (encode: Duration.zero, decode: Duration.zero)
        for tensor in codes {
            let flat = TensorSignature(shape: [tensor.count], scale: 1, zeroPoint: 0)
            let source = TensorSource(
                flat, layout: .rowMajor, coding: .precision(.lossless8, .measured), compression: compression,
                borrowing: tensor.bindMemory(to: UInt8.self))
            bytes.removeAll(keepingCapacity: true)
            let start = ContinuousClock.now
            bytes += try encoder.begin(frameID: 0, tensors: [source])
            while try encoder.appendNextBand(to: &bytes) {}
            let encoded = ContinuousClock.now
            _ = try decodeFrame(bytes)
            times.encode += encoded - start
            times.decode += ContinuousClock.now - encoded
            size += bytes.count
        }
        samples.add(size: size, encode: times.encode, decode: times.decode)
    }
}
