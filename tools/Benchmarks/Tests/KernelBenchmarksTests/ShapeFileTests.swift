internal import FoundationEssentials
internal import KernelBenchmarks
internal import Testing

@Suite struct ShapeFileTests {
    private func layers(_ text: String) throws -> [LayerShape] { try ShapeFile(text, path: "net.txt").layers }

    @Test func readsFieldsInOrder() throws {
        let read = try layers("# a network\n\nconv 1 224 112 3 64 7 2 3 1 5  # the first\nadd 2 7 7 96 96 1 1 0 1 1\n")
        try #require(read.count == 2)
        let first = read[0]
        #expect(first.kind == .convolution)
        #expect([first.batch, first.height, first.width, first.channels] == [1, 224, 112, 3])
        #expect([first.outputs, first.kernel, first.stride, first.pad] == [64, 7, 2, 3])
        #expect([first.groups, first.repeats] == [1, 5])
        #expect([first.outHeight, first.outWidth] == [112, 56])
        #expect(first.multiplyAdds == 59_006_976)
        #expect(first.text == "conv 7×7/2 224×112×3 → 64")
        #expect(read[1].kind == .add && read[1].batch == 2 && read[1].multiplyAdds == 0)
    }

    @Test(arguments: [
        ("conv 1 7 7 8 8 1 1 0 1", "net.txt:2: expected 11 fields"),
        ("conv 1 7 7 8 8 1 1 0 1 1 1", "net.txt:2: expected 11 fields"),
        ("convolution 1 7 7 8 8 1 1 0 1 1", "net.txt:2: expected a kind (conv, "),
        ("conv 1 7 x 8 8 1 1 0 1 1", "net.txt:2: expected width in 1...65536, got 'x'"),
        ("conv 1 7 7 8 8 1 0 0 1 1", "net.txt:2: expected stride in 1...65536, got '0'"),
        ("conv 1 7 7 8 8 1 1 -1 1 1", "net.txt:2: expected pad in 0...255, got '-1'"),
        ("conv 1 7 7 8 8 1 1 0 1 99999999999999999999", "net.txt:2: expected repeats in 1...65536"),
        ("conv 1 7 7 8 9 1 1 0 4 1", "net.txt:2: expected channels and outputs that 4 groups divide, got 8 and 9"),
        ("conv 1 2 7 8 8 3 1 0 1 1", "net.txt:2: expected a kernel within the padded image"),
        ("conv 1 7 7 8 8 3 1 3 1 1", "net.txt:2: expected a kernel within the padded image and larger than pad"),
        ("add 1 7 7 8 9 1 1 0 1 1", "net.txt:2: expected outputs 8 and groups 1 of 'add'"),
        ("add 1 7 7 8 8 3 1 0 1 1", "net.txt:2: expected kernel 1, stride 1, pad 0 of 'add'"),
        (
            "conv 1 65536 65536 65536 8 1 1 0 1 1",
            "net.txt:2: expected at most 1073741824 elements a tensor, got 1 × 65536 × 65536 × 65536"
        ),
        ("add 65536 65536 65536 65536 65536 1 1 0 1 1", "net.txt:2: expected at most 1073741824 elements"),
    ])
    func namesTheLineThatIsWrong(line: String, message: String) {
        let error = #expect(throws: ShapeFileError.self) { try layers("# header\n" + line) }
        let description = error?.description ?? ""
        #expect(description.hasPrefix(message), "\(description)")
    }

    @Test func refusesAFileWithoutLayers() {
        let error = #expect(throws: ShapeFileError.self) { try layers("# nothing\n") }
        #expect(error?.description == "net.txt:1: expected at least one layer, got none")
    }

    /// Published multiply-adds, in millions: what the derived files must come to.
    @Test(arguments: [
        ("resnet18", 1814), ("resnet50", 4089), ("mobilenet_v2", 301), ("squeezenet1_1", 349), ("vgg16", 15470),
        ("efficientnet_b0", 386), ("mobilenet_v3_large", 217),
    ])
    func networksHaveTheirMultiplyAdds(name: String, millions: Int) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../shapes")
        let path = folder.appending(path: name + ".txt").path
        let layers = try ShapeFile(String(contentsOfFile: path, encoding: .utf8), path: path).layers
        let total = layers.reduce(0) { $0 + $1.repeats * $1.multiplyAdds }
        #expect((total + 500_000) / 1_000_000 == millions)
    }

    @Test func classesFollowFromShapes() throws {
        let read = try layers(
            """
            conv 1 224 224 3 32 3 2 1 1 1
            conv 1 56 56 24 144 1 1 0 1 1
            conv 1 56 56 144 144 3 1 1 144 1
            conv 1 56 56 64 64 3 1 1 2 1
            conv 1 1 1 1280 1000 1 1 0 1 1
            avgpool 1 7 7 1280 1280 7 1 0 1 1
            scale 1 7 7 96 96 1 1 0 1 1
            """)
        let expected: [LayerClass] = [
            .first, .pointwise, .depthwise, .spatial, .fullyConnected, .pooling, .elementwise,
        ]
        #expect(read.map { LayerClass($0) } == expected)
    }
}
