private import FoundationEssentials
internal import ImageInput
internal import Testing

@Suite struct PreprocessingTests {
    static let json = """
        {"width": 224, "height": 224, "resize": "shortestSide", "shortestSide": 256, "interpolation": "bilinear",
         "channels": "rgb", "scale": 0.00392156862745098, "mean": [0.485, 0.456, 0.406],
         "std": [0.229, 0.224, 0.225], "layout": "nchw"}
        """

    private func decode(_ json: String) throws -> Preprocessing {
        try JSONDecoder().decode(Preprocessing.self, from: Data(json.utf8))
    }

    @Test func jsonIsTheImageNetPreset() throws {
        #expect(try decode(Self.json) == .imageNet)
    }

    @Test(arguments: Preprocessing.Preset.allCases) func jsonKeepsEverything(preset: Preprocessing.Preset) throws {
        let preprocessing = try preset.preprocessing(width: 320, height: 240)
        let data = try JSONEncoder().encode(preprocessing)
        #expect(try JSONDecoder().decode(Preprocessing.self, from: data) == preprocessing)
    }

    @Test(arguments: [
        (#""width": 224"#, #""width": 0"#, "width"), (#""height": 224"#, #""height": 8193"#, "height"),
        (#""shortestSide": 256"#, #""shortestSide": 223"#, "shortestSide"),
        (#""resize": "shortestSide""#, #""resize": "none""#, "shortestSide beside another resize"),
        (#""channels": "rgb""#, #""channels": "gray""#, "count of mean"),
        ("[0.229, 0.224, 0.225]", "[0.229, 0.224]", "count of std"),
        ("[0.229, 0.224, 0.225]", "[0.229, 0, 0.225]", "std"),
        ("[0.229, 0.224, 0.225]", "[0.229, 1e-300, 0.225]", "values"),
        ("0.00392156862745098", "1e300", "values"),
    ])
    func nonsenseIsRefused(key: String, replacement: String, message: String) {
        let json = Self.json.split(separator: key, omittingEmptySubsequences: false).joined(separator: replacement)
        let error = #expect(throws: ImageError.self) { try decode(json) }
        #expect(error?.code == .invalidPreprocessing)
        #expect(error?.message == "preprocessing: \(message)")
    }

    @Test(arguments: [
        #""width": 224,"#, #""shortestSide": 256, "#, #""interpolation": "bilinear","#, #""layout": "nchw""#,
    ])
    func everyKeyIsRequired(key: String) {
        let json = Self.json.split(separator: key, omittingEmptySubsequences: false).joined()
        #expect(throws: DecodingError.self) { try decode(json) }
    }

    @Test func infinityIsRefused() {
        let error = #expect(throws: ImageError.self) {
            try Preprocessing(
                width: 8, height: 8, resize: .none, scale: .infinity, mean: [0, 0, 0], std: [1, 1, 1])
        }
        #expect(error?.message == "preprocessing: scale, mean and std")
    }

    @Test func fileErrorsNameTheFile() throws {
        let path = FileManager.default.temporaryDirectory.path + "/cleave-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(Self.json.utf8).write(to: URL(filePath: path))
        #expect(try Preprocessing(contentsOf: path) == .imageNet)
        for text in ["{}", Self.json.split(separator: "224,").joined(separator: "-1,")] {
            try Data(text.utf8).write(to: URL(filePath: path))
            let error = #expect(throws: ImageError.self) { try Preprocessing(contentsOf: path) }
            #expect(error?.code == .invalidPreprocessing)
            #expect(error?.file == path)
        }
    }

    @Test func noneDemandsTheExactSize() throws {
        let preprocessing = try Preprocessing(
            width: 4, height: 3, resize: .none, scale: 1, mean: [0, 0, 0], std: [1, 1, 1], layout: .nhwc)
        let fitting = Image.synthetic(width: 4, height: 3)
        #expect(try preprocessing.tensor(from: fitting) == fitting.bytes.map(Float.init))
        let error = #expect(throws: ImageError.self) {
            try preprocessing.tensor(from: .synthetic(width: 3, height: 4))
        }
        #expect(error?.code == .wrongSize)
        #expect(error?.expected == "4×3")
        #expect(error?.got == "3×4")
    }

    /// Two pixels, worked by hand.
    @Test func valuesStandWhereTheLayoutSays() throws {
        let image = Image(width: 2, height: 1, bytes: [0, 100, 200, 50, 150, 250])
        func tensor(_ channels: Preprocessing.Channels, _ layout: Preprocessing.Layout) throws -> [Float] {
            try Preprocessing(
                width: 2, height: 1, resize: .none, channels: channels, scale: 0.5,
                mean: Array([1, 2, 3].prefix(channels.count)), std: Array([1, -2, 4].prefix(channels.count)),
                layout: layout
            ).tensor(from: image)
        }
        #expect(try tensor(.rgb, .nchw) == [-1, 24, -24, -36.5, 24.25, 30.5])
        #expect(try tensor(.rgb, .nhwc) == [-1, -24, 24.25, 24, -36.5, 30.5])
        #expect(try tensor(.bgr, .nchw) == [99, 124, -24, -36.5, -0.75, 5.5])
        // (38470·100 + 7471·200 + 2¹⁵) >> 16 = 82; (19595·50 + 38470·150 + 7471·250 + 2¹⁵) >> 16 = 132.
        #expect(try tensor(.gray, .nchw) == [40, 65])
    }

    @Test func presetsMeanWhatTheySay() throws {
        let image = Image(width: 1, height: 1, bytes: [0, 128, 255])
        func values(_ preset: Preprocessing.Preset) throws -> [Float] {
            try preset.preprocessing(width: 1, height: 1).tensor(from: image)
        }
        #expect(try values(.raw) == [0, 128, 255])
        #expect(try values(.unit) == [0, Float(128.0 / 255), 1])
        #expect(try values(.signed) == [-1, Float(128 / 127.5 - 1), 1])
        #expect(try values(.signed128) == [-1, 0, 127.0 / 128])
        let imagenet = [-0.485 / 0.229, (128 / 255.0 - 0.456) / 0.224, 0.594 / 0.225] as [Double]
        #expect(try zip(values(.imagenetStretch), imagenet).allSatisfy { abs(Double($0) - $1) <= 1.2e-7 })
        #expect(try Preprocessing.Preset.imagenet.preprocessing(width: 160, height: 160).resize == .shortestSide(183))
        #expect(throws: ImageError.self) { try Preprocessing.Preset.imagenet.preprocessing(width: 0, height: 8193) }
        #expect(throws: ImageError.self) { try Preprocessing.Preset.unit.preprocessing(width: .max, height: .min) }
    }

    /// Without a change of scale the central part is copied; the odd margin goes as Python's `round` has it.
    @Test(arguments: [(10, 4, 3), (4, 10, 3), (5, 4, 0), (7, 4, 2), (9, 4, 2)])
    func theCentreIsTaken(width: Int, height: Int, margin: Int) throws {
        let image = Image.synthetic(width: width, height: height)
        let preprocessing = try Preprocessing(
            width: 4, height: 4, resize: .shortestSide(4), scale: 1, mean: [0, 0, 0], std: [1, 1, 1], layout: .nhwc)
        let samples = try preprocessing.tensor(from: image)
        let (left, top) = width > height ? (margin, 0) : (0, margin)
        for y in 0..<4 {
            for x in 0..<12 {
                #expect(samples[y * 12 + x] == Float(image.bytes[((top + y) * width + left) * 3 + x]))
            }
        }
    }

    /// The window of a resize is the resize's window.
    @Test func croppingComputesTheSameSamples() throws {
        let image = Image.synthetic(width: 50, height: 31)
        let all = try Preprocessing(
            width: 32, height: 20, resize: .stretch, interpolation: .bicubic, scale: 1, mean: [0, 0, 0],
            std: [1, 1, 1],
            layout: .nhwc
        ).tensor(from: image)
        let central = try Preprocessing(
            width: 20, height: 20, resize: .shortestSide(20), interpolation: .bicubic, scale: 1, mean: [0, 0, 0],
            std: [1, 1, 1], layout: .nhwc
        ).tensor(from: image)
        for y in 0..<20 {
            #expect(central[y * 60..<(y + 1) * 60] == all[(y * 32 + 6) * 3..<(y * 32 + 26) * 3])
        }
    }

    @Test(arguments: [(0.018658, 114), (0.0078125, 128), (1e-6, 3), (1000, 255), (0.02, 0)] as [(Float, UInt8)])
    func quantisedInputEqualsQuantisedFloats(scale: Float, zeroPoint: UInt8) throws {
        let image = Image.synthetic(width: 61, height: 47)
        for preset in Preprocessing.Preset.allCases {
            let preprocessing = try preset.preprocessing(width: 33, height: 29)
            for layout in [Preprocessing.Layout.nchw, .nhwc] {
                var floats = [Float](repeating: .nan, count: preprocessing.elementCount)
                var output = floats.mutableSpan
                try preprocessing.fill(&output, from: image, layout: layout)
                var quantised = [UInt8](repeating: 0, count: preprocessing.elementCount)
                var levels = quantised.mutableSpan
                try preprocessing.fillQuantized(
                    &levels, from: image, scale: scale, zeroPoint: zeroPoint, layout: layout)
                let expected = floats.map { value in
                    UInt8(max(0, min(255, (value / scale).rounded(.toNearestOrEven) + Float(zeroPoint))))
                }
                #expect(quantised == expected, "\(preset) \(layout)")
            }
        }
    }

    /// A line of pixels at the longest side allowed is work, not harm.
    @Test func extremeShapesAreResized() throws {
        for (width, height) in [(65_535, 1), (1, 65_535)] {
            let line = Image(width: width, height: height, bytes: [UInt8](repeating: 9, count: 3 * 65_535))
            for resize in [Preprocessing.Resize.stretch, .shortestSide(64)] {
                let preprocessing = try Preprocessing(
                    width: 8, height: 8, resize: resize, interpolation: .bicubic, scale: 1, mean: [0, 0, 0],
                    std: [1, 1, 1])
                #expect(try preprocessing.tensor(from: line).allSatisfy { $0 == 9 })
            }
        }
    }
}
