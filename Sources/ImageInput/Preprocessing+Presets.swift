extension Preprocessing {
    /// Preprocessing that many networks share, by a name fit for a command line.
    package enum Preset: String, CaseIterable, Sendable {
        /// ImageNet as torchvision evaluates: shorter side to 8/7 of the input, centre, mean and deviation of ImageNet.
        case imagenet
        /// The same numbers, stretched to the input's size.
        case imagenetStretch = "imagenet-224"
        /// `x / 255`
        case unit
        /// `x / 127.5 − 1`
        case signed
        /// `(x − 128) / 128`
        case signed128 = "signed-128"
        /// `x`
        case raw

        /// The preset for an input of this size.
        ///
        /// - Throws: `ImageError` `.invalidPreprocessing` for a size out of range.
        package func preprocessing(width: Int = 224, height: Int = 224) throws(ImageError) -> Preprocessing {
            func pixels(scale: Double, mean: Double) throws(ImageError) -> Preprocessing {
                try Preprocessing(
                    width: width, height: height, resize: .stretch, scale: scale,
                    mean: [mean, mean, mean], std: [1, 1, 1])
            }
            switch self {
            case .imagenet, .imagenetStretch:
                let longer = min(max(width, height), Preprocessing.sides.upperBound)
                return try Preprocessing(
                    width: width, height: height,
                    resize: self == .imagenet ? .shortestSide((8 * longer + 3) / 7) : .stretch,
                    scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])
            case .unit: return try pixels(scale: 1 / 255, mean: 0)
            case .signed: return try pixels(scale: 2 / 255, mean: 1)
            case .signed128: return try pixels(scale: 1 / 128, mean: 1)
            case .raw: return try pixels(scale: 1, mean: 0)
            }
        }
    }

    /// 224 × 224 from the centre of a picture whose shorter side is 256; see `Preset.imagenet`.
    package static let imageNet = try! Preset.imagenet.preprocessing()
}
