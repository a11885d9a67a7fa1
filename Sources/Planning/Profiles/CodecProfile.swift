/// What the activation codec makes of each boundary, measured on real activations.
package struct CodecProfile: ProfileDocument, Hashable {
    package static let schema = "cleave.codec-profile"
    package static let version = 1

    package struct Entry: Hashable, Sendable, Codable {
        /// `Cut.name(in:)`: one tensor's name, or several joined by `+`.
        package var boundary: String
        /// The codec's setting, as the codec spells it.
        package var mode: String
        /// Elements before encoding.
        package var elements: Int64
        /// The median over the images.
        package var encoded: ByteCount
        /// On the edge.
        package var encode: Timing
        /// In the cloud.
        package var decode: Timing
        /// The fraction of images, 0...1, whose top-1 class, with an int8 head and this encoding, is that of the float32
        /// network.
        package var top1Agreement: Double?
        /// The mean cosine between those outputs and the float32 network's, −1...1.
        package var outputCosine: Double?
        /// The top-1 accuracy lost against the float32 network, 0...1; `nil` without labelled images.
        package var accuracyLoss: Double?
        /// How many images agreement and loss were measured over, where not over the profile's own.
        package var accuracyImages: Int?
        /// True for a coding that the model package has for this very boundary: those of single tensors make none for several.
        package var isCalibrated: Bool?

        package init(
            boundary: String, mode: String, elements: Int64, encoded: ByteCount, encode: Timing, decode: Timing,
            top1Agreement: Double? = nil, outputCosine: Double? = nil, accuracyLoss: Double? = nil,
            accuracyImages: Int? = nil, isCalibrated: Bool? = nil
        ) {
            self.boundary = boundary
            self.mode = mode
            self.elements = elements
            self.encoded = encoded
            self.encode = encode
            self.decode = decode
            self.top1Agreement = top1Agreement
            self.outputCosine = outputCosine
            self.accuracyLoss = accuracyLoss
            self.accuracyImages = accuracyImages
            self.isCalibrated = isCalibrated
        }

        private enum CodingKeys: String, CodingKey {
            case boundary, mode, elements, encode, decode, top1Agreement, outputCosine
            case accuracyLoss, accuracyImages, isCalibrated
            case encoded = "encodedBytes"
        }

        package var bitsPerElement: Double { elements == 0 ? 0 : 8 * Double(encoded.bytes) / Double(elements) }
    }

    package var provenance: Provenance
    package var model: ModelIdentity
    /// How many images the entries were measured over.
    package var images: Int
    package var entries: [Entry]
    /// The fraction of images, 0...1, whose top-1 class the whole network in int8 shares with float32: what edge-only keeps.
    package var edgeOnlyTop1Agreement: Double?
    /// The top-1 accuracy, 0...1, that the whole network in int8 loses against float32; `nil` without labelled images.
    package var edgeOnlyAccuracyLoss: Double?

    package init(
        provenance: Provenance, model: ModelIdentity, images: Int, entries: [Entry],
        edgeOnlyTop1Agreement: Double? = nil, edgeOnlyAccuracyLoss: Double? = nil
    ) {
        self.provenance = provenance
        self.model = model
        self.images = images
        self.entries = entries
        self.edgeOnlyTop1Agreement = edgeOnlyTop1Agreement
        self.edgeOnlyAccuracyLoss = edgeOnlyAccuracyLoss
    }

    /// Whether this is what measuring in these ways would give again: what `cleave profile --resume` keeps.
    package func isMeasurement(
        of model: ModelIdentity, modes: Set<String>, images: Int, instructionSet: String
    ) -> Bool {
        self.model == model && Set(entries.filter { $0.isCalibrated != true }.map(\.mode)) == modes
            && self.images == images
            && provenance.instructionSet == instructionSet
    }

    package func validate() throws(PlanningError) {
        guard images >= 1 else {
            throw PlanningError(.invalidNumber, "expected at least one image, got \(images)", at: "images")
        }
        for (name, share) in [
            ("edgeOnlyTop1Agreement", edgeOnlyTop1Agreement), ("edgeOnlyAccuracyLoss", edgeOnlyAccuracyLoss),
        ] {
            guard let share, !(0...1).contains(share) else { continue }
            throw PlanningError(.invalidNumber, "expected 0...1, got \(share)", at: name)
        }
        for (index, entry) in entries.enumerated() {
            let field = "entries[\(index)]"
            guard entry.elements >= 0 else {
                throw PlanningError(
                    .invalidNumber, "expected a number ≥ 0, got \(entry.elements)", at: "\(field).elements")
            }
            for (name, share) in [("top1Agreement", entry.top1Agreement), ("accuracyLoss", entry.accuracyLoss)] {
                guard let share, !(0...1).contains(share) else { continue }
                throw PlanningError(.invalidNumber, "expected 0...1, got \(share)", at: "\(field).\(name)")
            }
            if let images = entry.accuracyImages, images < 1 {
                throw PlanningError(
                    .invalidNumber, "expected at least one image, got \(images)", at: "\(field).accuracyImages")
            }
            if let cosine = entry.outputCosine, !(-1...1).contains(cosine) {
                throw PlanningError(.invalidNumber, "expected -1...1, got \(cosine)", at: "\(field).outputCosine")
            }
        }
        try entries.checkUnique("entries") { "\($0.boundary) in mode \($0.mode)" }
    }
}
