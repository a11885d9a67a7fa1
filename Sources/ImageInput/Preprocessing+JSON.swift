internal import FoundationEssentials

/// The JSON form. Every key is required, `shortestSide` if and only if `resize` names it; unknown keys are ignored.
///
/// ```json
/// {"width": 224, "height": 224, "resize": "shortestSide", "shortestSide": 256, "interpolation": "bilinear",
///  "channels": "rgb", "scale": 0.00392156862745098, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
///  "layout": "nchw"}
/// ```
extension Preprocessing: Codable {
    private enum Key: String, CodingKey {
        case width, height, resize, shortestSide, interpolation, channels, scale, mean, std, layout
    }

    private enum ResizeName: String, Codable {
        case none, stretch, shortestSide
    }

    /// - Throws: `DecodingError` for missing keys and wrong types, `ImageError` for values out of range.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let name = try values.decode(ResizeName.self, forKey: .resize)
        if values.contains(.shortestSide), name != .shortestSide {
            throw ImageError(
                .invalidPreprocessing, "preprocessing: shortestSide beside another resize", expected: "none",
                got: "resize \(name.rawValue)")
        }
        let resize: Resize =
            switch name {
            case .none: .none
            case .stretch: .stretch
            case .shortestSide: .shortestSide(try values.decode(Int.self, forKey: .shortestSide))
            }
        try self.init(
            width: values.decode(Int.self, forKey: .width),
            height: values.decode(Int.self, forKey: .height),
            resize: resize,
            interpolation: values.decode(Interpolation.self, forKey: .interpolation),
            channels: values.decode(Channels.self, forKey: .channels),
            scale: values.decode(Double.self, forKey: .scale),
            mean: values.decode([Double].self, forKey: .mean),
            std: values.decode([Double].self, forKey: .std),
            layout: values.decode(Layout.self, forKey: .layout))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(width, forKey: .width)
        try values.encode(height, forKey: .height)
        switch resize {
        case .none: try values.encode(ResizeName.none, forKey: .resize)
        case .stretch: try values.encode(ResizeName.stretch, forKey: .resize)
        case .shortestSide(let side):
            try values.encode(ResizeName.shortestSide, forKey: .resize)
            try values.encode(side, forKey: .shortestSide)
        }
        try values.encode(interpolation, forKey: .interpolation)
        try values.encode(channels, forKey: .channels)
        try values.encode(scale, forKey: .scale)
        try values.encode(mean, forKey: .mean)
        try values.encode(std, forKey: .std)
        try values.encode(layout, forKey: .layout)
    }

    /// Reads a JSON file.
    ///
    /// - Throws: `ImageError` `.unreadable`, `.tooLarge` beyond 64 KiB, or `.invalidPreprocessing`.
    package init(contentsOf path: String) throws(ImageError) {
        let bytes = try readFile(path, limits: ImageLimits(maxFileBytes: 64 << 10))
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch var error as ImageError {
            error.file = path
            throw error
        } catch {
            throw ImageError(.invalidPreprocessing, "preprocessing: \(error)", file: path)
        }
    }
}
