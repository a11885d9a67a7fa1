package import ActivationCodec
internal import FoundationEssentials

extension CutCodec.Levels {
    package init(_ quantizer: LevelQuantizer) {
        self.init(
            count: quantizer.levelCount, thresholds: Data(quantizer.thresholds), codes: Data(quantizer.codes))
    }

    /// - Throws: `CodecError.invalidArgument`; never for what a package that opened holds.
    package func quantizer() throws(CodecError) -> LevelQuantizer {
        try LevelQuantizer(levelCount: count, thresholds: Array(thresholds), codes: Array(codes))
    }
}

extension CutCodec {
    /// The settings as encoders take them, in order.
    package func codings() throws(CodecError) -> [BoundaryCoding] {
        var codings: [BoundaryCoding] = []
        for setting in settings { codings.append(try setting.coding()) }
        return codings
    }
}

extension CutCodec.Setting {
    package func coding() throws(CodecError) -> BoundaryCoding {
        var quantizers: [LevelQuantizer] = []
        for levels in tensors { quantizers.append(try levels.quantizer()) }
        return .calibrated(name: name, quantizers: quantizers)
    }
}

extension OpenedPackage {
    /// What was calibrated for the cut that sends these tensors, in whatever order they are named.
    package func codec(at boundary: [String]) -> CutCodec? {
        card.codecs?.first { $0.boundary.count == boundary.count && Set($0.boundary) == Set(boundary) }
    }

    /// A mode of the codec, or a coding that was calibrated for the cut that sends these tensors.
    ///
    /// - Parameter boundary: in the cut's order.
    /// - Throws: `ModelStoreError.notFound`, saying what there is.
    package func coding(named name: String, at boundary: [String]) throws(ModelStoreError) -> BoundaryCoding {
        if let mode = CodecMode(name) { return .mode(mode) }
        let codec = codec(at: boundary)
        if let codec, codec.boundary == boundary, let setting = codec.settings.first(where: { $0.name == name }),
            let coding = try? setting.coding()
        {
            return coding
        }
        let calibrated = codec.map { $0.settings.map(\.name).joined(separator: ", ") }
        throw ModelStoreError(
            .notFound, "no coding \"\(name)\" of \(boundary.joined(separator: "+"))", file: path,
            expected: "a mode such as 8bit/rle, or one calibrated for this cut: \(calibrated ?? "none was")")
    }

    /// For each of a cut's boundary tensors the calibrated quantisers that frames may refer to.
    package func quantizers(at boundary: [String]) throws(CodecError) -> [[LevelQuantizer]] {
        guard let codec = codec(at: boundary) else { return boundary.map { _ in [] } }
        var quantizers: [[LevelQuantizer]] = []
        for name in boundary {
            var ofTensor: [LevelQuantizer] = []
            if let index = codec.boundary.firstIndex(of: name) {
                for setting in codec.settings { ofTensor.append(try setting.tensors[index].quantizer()) }
            }
            quantizers.append(ofTensor)
        }
        return quantizers
    }
}
