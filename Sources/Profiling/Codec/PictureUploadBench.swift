package import ImageInput
package import InferenceEngine
package import ModelGraph
internal import Quantization
internal import SplitExecution

/// What the alternative to a split costs: the picture itself as a JPEG, completed by the whole float32 network.
package struct PictureUploadBench: Sendable {
    package struct Point: Sendable {
        /// 1...100, the scale of libjpeg.
        package let quality: Int
        package let medianBytes: Int
        /// Nil without labels.
        package let top1: Double?
        /// Share of pictures answered as without the JPEG.
        package let agreement: Double
    }

    package static let qualities = [5, 10, 16, 20, 25, 30, 40, 50, 60, 75, 85, 90, 95, 98, 100]

    /// From the lowest quality up.
    package let points: [Point]

    /// The bytes of the smallest JPEGs that answer at least as well; nil when even the best quality does not.
    package func bytes(forTop1 top1: Double) -> Int? {
        points.filter { ($0.top1 ?? -1) >= top1 - 1e-9 }.map(\.medianBytes).min()
    }

    /// - Parameters:
    ///   - count: pictures to measure on.
    ///   - picture: picture 0 ..< count at the network's size, and its class where known.
    package static func measure(
        _ graph: Graph, preprocessing: Preprocessing, pool: WorkerPool, count: Int,
        picture: (Int) throws -> (image: Image, label: Int?), progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> PictureUploadBench {
        let sessions = SessionPool(try PreparedModel(graph), pool: pool)
        func answer(_ image: Image) throws -> Int? {
            let tensor = try Tensor(shape: Shape(preprocessing.shape(.nchw)), of: Float.self) { target in
                var span = target.mutableSpan
                try preprocessing.fill(&span, from: image, layout: .nchw)
            }
            return try sessions.run([tensor])[0].array(of: Float.self).indexOfLargest
        }
        var sizes = qualities.map { _ in [Int]() }
        var (right, same) = (qualities.map { _ in 0 }, qualities.map { _ in 0 })
        var labelled = 0
        for index in 0..<count {
            let (image, label) = try picture(index)
            let reference = try answer(image)
            if label != nil { labelled += 1 }
            for (position, quality) in qualities.enumerated() {
                let file = try image.encodeJPEG(quality: quality)
                sizes[position].append(file.count)
                let found = try answer(try Image(decoding: file.span.bytes))
                if found == reference { same[position] += 1 }
                if let label, found == label { right[position] += 1 }
            }
            progress(index + 1, count)
        }
        return PictureUploadBench(
            points: qualities.indices.map { position in
                Point(
                    quality: qualities[position], medianBytes: sizes[position].sorted()[count / 2],
                    top1: labelled > 0 ? Double(right[position]) / Double(labelled) : nil,
                    agreement: Double(same[position]) / Double(count))
            })
    }
}

extension BoundaryBench {
    /// The coding that takes least of what a JPEG takes that answers as well; nil where no JPEG does.
    package func cheapestAgainst(
        _ uploads: PictureUploadBench
    ) -> (point: BoundaryCodingPoint, bytes: Int, ratio: Double)? {
        guard let referenceTop1 else { return nil }
        let candidates = points.compactMap { point -> (point: BoundaryCodingPoint, bytes: Int, ratio: Double)? in
            guard let change = point.top1Change, let bytes = uploads.bytes(forTop1: referenceTop1 + change) else {
                return nil
            }
            return (point, bytes, Double(point.medianBytes) / Double(bytes))
        }
        // Of the losses that users accept: a coding that answers nothing right needs no picture either.
        return candidates.filter { $0.point.loss <= 0.0100001 }.min { $0.ratio < $1.ratio }
    }
}
