internal import ActivationCodec
internal import FoundationEssentials
internal import Testing

#if os(Linux)
/// Decoding hostile and honest frames stays within the memory that the limits state, as the kernel counts it.
@Suite struct MemoryBoundTests {
    private static let limits = {
        var limits = DecodeLimits()
        limits.maximumContainerBytes = 1 << 20
        limits.maximumElements = 4 << 20
        limits.maximumBandBytes = 1 << 20
        limits.maximumHeaderBytes = 1 << 18
        return limits
    }()

    /// Most bytes this process has held so far; `reset` makes it what it holds now.
    private static func peakBytes(reset: Bool = false) throws -> Int {
        if reset { try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs")) }
        let status = String(decoding: try Data(contentsOf: URL(filePath: "/proc/self/status")), as: UTF8.self)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.filter(\.isNumber))) << 10
    }

    /// Where the frames lie for the process that decodes them: it must not have made them, or what it freed then would
    /// hide what it takes.
    private static let folder = FileManager.default.temporaryDirectory.appending(path: "cleave-memory-bound-frames")

    private static func storeFrames() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (index, frame) in try frames().enumerated() {
            try Data(frame).write(to: folder.appending(path: "\(index)"), options: .atomic)
        }
    }

    /// The stored frame of a number; nil beyond the last.
    private static func frame(_ index: Int) -> [UInt8]? {
        (try? Data(contentsOf: folder.appending(path: "\(index)"))).map { Array($0) }
    }

    /// Frames as large as the limits allow, in forms that spread few bytes to many, and frames that claim more.
    private static func frames() throws -> [[UInt8]] {
        let quantizer = try LevelQuantizer(levelCount: 2, thresholds: [1], codes: [0, 9])
        var frames: [[UInt8]] = []
        for shape in [[1, 4, 1024, 1024], [1, 1 << 20, 1, 1], [1, 64, 256, 256], [4 << 20]] {
            let signature = TensorSignature(shape: shape, scale: 1, zeroPoint: 0)
            let codes = [UInt8](repeating: 0, count: shape.reduce(1, *))
            for coding in [TensorSource.Coding.precision(.lossless8, .measured), .inline(quantizer)] {
                for compression in [Compression.contexts, .blocks] {
                    frames.append(
                        try encodeFrame(
                            id: 1,
                            [
                                TensorSource(
                                    signature, layout: .rowMajor, coding: coding, compression: compression, codes: codes
                                )
                            ], bandBytes: 1 << 20))
                }
            }
        }
        // A stream that goes on for 64 MB behind what the band declares.
        let bomb = stockDeflate([UInt8](repeating: 0, count: 64 << 20))
        var container = ContainerSurgery(
            try encodeFrame(
                id: 1,
                [
                    TensorSource(
                        TensorSignature(shape: [1, 1, 1024, 1000], scale: 1, zeroPoint: 0), layout: .rowMajor,
                        mode: CodecMode(.lossless8, .blocks), codes: [UInt8](repeating: 0, count: 1_024_000))
                ], bandBytes: 1 << 20))
        let band = container.bandOffsets[0]
        container.bytes.replaceSubrange((band + 28)..., with: bomb)
        container.set(UInt32(bomb.count), at: band + 16)
        container.sign()
        frames.append(container.bytes)
        return frames
    }

    @Test func peakStaysWithinTheBound() async throws {
        try Self.storeFrames()
        await #expect(processExitsWith: .success) {
            var index = 0
            while let frame = MemoryBoundTests.frame(index) {
                for layout in TensorLayout.allCases {
                    let before = try MemoryBoundTests.peakBytes(reset: true)
                    let decoded = try? decodeFrame(frame, limits: MemoryBoundTests.limits, layout: layout)
                    let grown = try MemoryBoundTests.peakBytes() - before
                    try #require(
                        grown <= MemoryBoundTests.limits.memoryBound, "frame \(index), \(layout): \(grown) bytes")
                    // That the measurement sees memory: the first frame's tensor is all new.
                    if index == 0, layout == .rowMajor { try #require(grown >= (decoded?.tensors[0].count ?? 0) / 2) }
                }
                index += 1
            }
            try #require(index > 10)
        }
    }
}
#endif
