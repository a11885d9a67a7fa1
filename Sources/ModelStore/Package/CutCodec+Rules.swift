internal import ActivationCodec
internal import ModelGraph

extension ModelCard {
    /// Checks the calibrated codings: edge and cloud will code by them.
    /// - Throws: `ModelStoreError.malformed`.
    func checkCodecs(against graph: Graph) throws(ModelStoreError) {
        var boundaries: Set<[String]> = []
        for codec in codecs ?? [] {
            guard boundaries.insert(codec.boundary.sorted()).inserted else {
                throw ModelStoreError(
                    .malformed, "codings of one cut stand twice", part: "codec of \(codec.boundary)")
            }
            try codec.check(against: graph)
        }
    }
}

extension CutCodec {
    fileprivate func check(against graph: Graph) throws(ModelStoreError) {
        let place = "codec of \(boundary.joined(separator: "+"))"
        func require(_ holds: Bool, _ what: String, expected: String, got: String) throws(ModelStoreError) {
            guard holds else {
                throw ModelStoreError(.malformed, what, part: place, expected: expected, got: got)
            }
        }
        var geometries: [PlaneGeometry] = []
        for name in boundary {
            guard let value = graph.value(named: name), graph[value].constant == nil,
                graph[value].type.elementType == .float32
            else {
                throw ModelStoreError(
                    .malformed, "a boundary tensor", part: place, expected: "a float32 activation", got: name)
            }
            do throws(CodecError) {
                geometries.append(try PlaneGeometry(shape: graph[value].type.shape.dimensions))
            } catch {
                throw ModelStoreError(.malformed, "\(error)", part: place)
            }
        }
        try require(
            !boundary.isEmpty && Set(boundary).count == boundary.count, "boundary", expected: "different tensors",
            got: "\(boundary)")
        try require(sampleCount >= 1, "samples", expected: "at least 1", got: "\(sampleCount)")
        try require(
            settings.count <= Self.maximumSettings, "settings", expected: "at most \(Self.maximumSettings)",
            got: "\(settings.count)")
        try require(
            Set(settings.map(\.name)).count == settings.count, "names of settings", expected: "different names",
            got: "\(settings.map(\.name))")
        try require(
            zip(settings, settings.dropFirst()).allSatisfy { $0.encodedBytes <= $1.encodedBytes }, "order of settings",
            expected: "ascending sizes", got: "\(settings.map(\.encodedBytes))")
        for setting in settings { try setting.check(geometries, at: "\(place), \(setting.name.prefix(80))") }
    }
}

extension CutCodec.Setting {
    fileprivate func check(_ geometries: [PlaneGeometry], at place: String) throws(ModelStoreError) {
        func require(_ holds: Bool, _ what: String, expected: String, got: String) throws(ModelStoreError) {
            guard holds else {
                throw ModelStoreError(.malformed, what, part: place, expected: expected, got: got)
            }
        }
        try require(
            (1...CutCodec.maximumNameLength).contains(name.utf8.count)
                && name.utf8.allSatisfy { (0x21...0x7E).contains($0) } && CodecMode(name) == nil,
            "name of a coding", expected: "1 to \(CutCodec.maximumNameLength) visible characters, and no codec mode's",
            got: "\(name.utf8.count) bytes")
        try require(encodedBytes >= 1, "encoded bytes", expected: "at least 1", got: "\(encodedBytes)")
        for (what, share) in [("loss", loss), ("top-1 agreement", top1Agreement)] {
            try require((0...1).contains(share), what, expected: "0...1", got: "\(share)")
        }
        // A hair beyond 1 is rounding.
        try require(
            abs(outputCosine) <= 1 + 1e-6, "output cosine", expected: "-1...1", got: "\(outputCosine)")
        try require(
            divergence.isFinite && divergence >= -1e-6, "divergence", expected: "a finite number ≥ 0",
            got: "\(divergence)")
        try require(
            tensors.count == geometries.count, "quantisers", expected: "\(geometries.count)", got: "\(tensors.count)")
        for (levels, geometry) in zip(tensors, geometries) {
            let channels: Int
            do throws(CodecError) {
                channels = try levels.quantizer().channelCount
            } catch {
                throw ModelStoreError(
                    .malformed, error.message, part: place, expected: error.expected, got: error.got)
            }
            try require(
                channels == 1 || channels == geometry.channelCount, "channels of a quantiser",
                expected: "1 or \(geometry.channelCount)", got: "\(channels)")
        }
    }
}
