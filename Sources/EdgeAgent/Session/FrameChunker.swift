private import FoundationEssentials
package import InferenceProtocol
private import SwiftProtobuf

/// Cuts the bytes of one frame into chunks: large enough to be few, small enough that decoding begins early.
///
/// The first bytes, a container's header, go at once in a chunk of their own: the cloud's clock at their arrival is what the link's
/// rate is measured from.
package struct FrameChunker {
    /// A chunk is sent once this many bytes are ready.
    package static let targetBytes = 32 << 10

    private let frame: UInt64
    private let cut: UInt32
    private let deadline: Duration
    private let maximumBytes: Int
    private var buffer = Data()
    private var sequence: UInt32 = 0
    package private(set) var byteCount = 0
    /// Bytes of the first chunk; 0 before it is made.
    package private(set) var firstChunkByteCount = 0

    /// - Parameters:
    ///   - deadline: how long the cloud may take.
    ///   - maximumBytes: of one chunk, at least 1.
    package init(frame: UInt64, cut: UInt32, deadline: Duration, maximumBytes: Int) {
        self.frame = frame
        self.cut = cut
        self.deadline = deadline
        self.maximumBytes = max(maximumBytes, 1)
    }

    /// Takes in bytes and returns the chunks that are complete.
    package mutating func append(_ bytes: [UInt8]) -> [EdgeMessage] {
        buffer.append(contentsOf: bytes)
        byteCount += bytes.count
        let size = min(Self.targetBytes, maximumBytes)
        var chunks: [EdgeMessage] = []
        if sequence == 0 && !buffer.isEmpty {
            chunks.append(chunk(of: min(buffer.count, maximumBytes, Self.targetBytes), last: false))
        }
        // What is ready goes in one chunk if that is allowed; the last bytes are kept for the last chunk.
        while buffer.count > size {
            chunks.append(chunk(of: min(buffer.count - 1, maximumBytes), last: false))
        }
        return chunks
    }

    /// The last chunk.
    package mutating func finish() -> [EdgeMessage] {
        var chunks: [EdgeMessage] = []
        while buffer.count > maximumBytes { chunks.append(chunk(of: maximumBytes, last: false)) }
        chunks.append(chunk(of: buffer.count, last: true))
        return chunks
    }

    private mutating func chunk(of count: Int, last: Bool) -> EdgeMessage {
        if sequence == 0 { firstChunkByteCount = count }
        let payload = Data(buffer.prefix(count))
        buffer = count == buffer.count ? Data() : Data(buffer.dropFirst(count))
        let sequence = sequence
        self.sequence += 1
        return .with {
            $0.frameChunk = .with {
                $0.frameID = frame
                $0.cutID = cut
                $0.sequence = sequence
                $0.payload = payload
                $0.last = last
                if sequence == 0 { $0.deadlineMs = UInt32(clamping: max(1, Int(deadline.milliseconds))) }
            }
        }
    }
}
