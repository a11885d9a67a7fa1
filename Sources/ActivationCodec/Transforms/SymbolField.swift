internal import CKernels

/// The symbols of a band, pixel by pixel, with a margin around the picture: what contexts are read from.
///
/// A row is `width + 2` pixels of `lanes` bytes, a pixel of margin on either side; a row of margin stands above. A lane is a plane that is sent; the lanes of a pixel lie side by side, so what is done to one lane is done to a
/// vector of them.
struct SymbolField: ~Copyable {
    /// Planes that are neighbours in a channels-last tensor.
    struct Run {
        /// First lane.
        let lane: Int
        let count: Int
        /// First plane.
        let plane: Int
        let channel: Int
    }

    private var memory = ScratchBuffer<UInt8>()
    private(set) var runs: [Run] = []
    private(set) var lanes = 0
    private(set) var width = 0
    private(set) var height = 0
    /// Bytes from a pixel to that below.
    private(set) var stride = 0
    /// The first pixel.
    private(set) var origin: UnsafeMutablePointer<UInt8>

    /// Vectors may be read past the last pixel.
    private static let slack = 32

    init() {
        origin = memory.reserve(1).baseAddress!
    }

    /// Elements of the picture.
    var symbolCount: Int { lanes * width * height }

    @inline(__always)
    func row(_ row: Int) -> UnsafeMutablePointer<UInt8> { origin + row &* stride }

    /// Makes room for the planes of a band that are not constant.
    mutating func arrange(_ planes: Range<Int>, of header: TensorHeader) {
        let geometry = header.geometry
        runs.removeAll(keepingCapacity: true)
        lanes = 0
        for plane in planes {
            let channel = plane % geometry.channelCount
            guard !header.isConstant(channel: channel) else { continue }
            if let last = runs.last, last.plane + last.count == plane, channel > 0 {
                runs[runs.count - 1] = Run(
                    lane: last.lane, count: last.count + 1, plane: last.plane, channel: last.channel)
            } else {
                runs.append(Run(lane: lanes, count: 1, plane: plane, channel: channel))
            }
            lanes += 1
        }
        width = geometry.rowSize
        height = geometry.planeSize / geometry.rowSize
        stride = (width + 2) * lanes
        origin = memory.reserve((height + 1) * stride + Self.slack).baseAddress!
        origin += stride + lanes
    }

    // MARK: Margins

    /// Fills the row above the picture.
    ///
    /// - Parameter outside: the symbol of each lane.
    func fillRowAbove(with outside: UnsafePointer<UInt8>) {
        var pixel = origin - stride - lanes
        for _ in 0..<width + 2 {
            pixel.update(from: outside, count: lanes)
            pixel += lanes
        }
    }

    /// Fills the margin to the left of a row with the pixel above its first.
    func fillLeft(ofRow row: Int) {
        let first = self.row(row)
        (first - lanes).update(from: first - stride, count: lanes)
    }

    /// Fills the margin to the right of a complete row with its last pixel.
    func fillRight(ofRow row: Int) {
        let end = self.row(row) + width * lanes
        end.update(from: end - lanes, count: lanes)
    }

    // MARK: Tensors

    /// Copies a row out of a tensor.
    func fill(row: Int, from tensor: UnsafePointer<UInt8>, geometry: PlaneGeometry, isPlanar: Bool) {
        let target = self.row(row)
        for run in runs {
            if isPlanar {
                ck_transpose_u8(
                    tensor + (run.plane * geometry.planeSize + row * width), geometry.planeSize, target + run.lane,
                    lanes, run.count, width)
                continue
            }
            var source = tensor + geometry.channelsLastOffset(ofPlane: run.plane, pixel: row * width)
            if run.count == geometry.channelCount, run.count == lanes {
                target.update(from: source, count: width * lanes)
                continue
            }
            var pixel = target + run.lane
            for _ in 0..<width {
                pixel.update(from: source, count: run.count)
                pixel += lanes
                source += geometry.channelCount
            }
        }
    }

    /// Copies a row of codes, `width · lanes` of them, into a tensor.
    func place(
        row: Int, from codes: UnsafePointer<UInt8>, into tensor: UnsafeMutablePointer<UInt8>, geometry: PlaneGeometry,
        isPlanar: Bool
    ) {
        for run in runs {
            if isPlanar {
                ck_transpose_u8(
                    codes + run.lane, lanes, tensor + (run.plane * geometry.planeSize + row * width),
                    geometry.planeSize, width, run.count)
                continue
            }
            var target = tensor + geometry.channelsLastOffset(ofPlane: run.plane, pixel: row * width)
            if run.count == geometry.channelCount, run.count == lanes {
                target.update(from: codes, count: width * lanes)
                continue
            }
            var pixel = codes + run.lane
            for _ in 0..<width {
                target.update(from: pixel, count: run.count)
                pixel += lanes
                target += geometry.channelCount
            }
        }
    }
}

extension PlaneGeometry {
    /// Where a pixel of a plane lies in a channels-last tensor.
    func channelsLastOffset(ofPlane plane: Int, pixel: Int) -> Int {
        let (batch, channel) = plane.quotientAndRemainder(dividingBy: channelCount)
        return (batch * planeSize + pixel) * channelCount + channel
    }
}
