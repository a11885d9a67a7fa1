/// What the network's input costs: as a JPEG for the cloud-only baseline, and to prepare for the network.
package struct InputProfile: ProfileDocument, Hashable {
    package static let schema = "cleave.input-profile"
    package static let version = 1

    package var provenance: Provenance
    package var model: ModelIdentity
    /// How many images the figures are medians over.
    package var images: Int
    /// 1...100, of the JPEG that cloud-only uploads.
    package var jpegQuality: Int
    package var jpeg: ByteCount
    /// The uncompressed picture.
    package var raw: ByteCount
    /// Makes the JPEG, on the edge; zero for a camera that delivers JPEG.
    package var jpegEncode: Timing
    /// Unpacks the JPEG, in the cloud.
    package var jpegDecode: Timing
    /// From the unpacked picture to the network's input, in the cloud.
    package var cloudPreprocess: Timing
    /// From the camera's picture to the network's input, on the edge.
    package var edgePreprocess: Timing
    /// Unpacks the picture's file, on the edge; `nil` for a camera that delivers pixels, and in profiles that do not say.
    package var edgeDecode: Timing?

    package init(
        provenance: Provenance, model: ModelIdentity, images: Int, jpegQuality: Int, jpeg: ByteCount, raw: ByteCount,
        jpegEncode: Timing, jpegDecode: Timing, cloudPreprocess: Timing, edgePreprocess: Timing,
        edgeDecode: Timing? = nil
    ) {
        self.provenance = provenance
        self.model = model
        self.images = images
        self.jpegQuality = jpegQuality
        self.jpeg = jpeg
        self.raw = raw
        self.jpegEncode = jpegEncode
        self.jpegDecode = jpegDecode
        self.cloudPreprocess = cloudPreprocess
        self.edgePreprocess = edgePreprocess
        self.edgeDecode = edgeDecode
    }

    /// From the camera to the network's input, on the edge.
    package var edgeTime: Duration { edgePreprocess.median + (edgeDecode?.median ?? .zero) }

    private enum CodingKeys: String, CodingKey {
        case provenance, model, images, jpegQuality, jpegEncode, jpegDecode, cloudPreprocess, edgePreprocess, edgeDecode
        case jpeg = "jpegBytes"
        case raw = "rawBytes"
    }

    /// Whether this is what measuring in these ways would give again: what `cleave profile --resume` keeps.
    package func isMeasurement(of model: ModelIdentity, images: Int, jpegQuality: Int) -> Bool {
        self.model == model && self.images == images && self.jpegQuality == jpegQuality
    }

    package func validate() throws(PlanningError) {
        guard images >= 1 else {
            throw PlanningError(.invalidNumber, "expected at least one image, got \(images)", at: "images")
        }
        guard (1...100).contains(jpegQuality) else {
            throw PlanningError(.invalidNumber, "expected 1...100, got \(jpegQuality)", at: "jpegQuality")
        }
    }
}
