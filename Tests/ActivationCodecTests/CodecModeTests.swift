internal import ActivationCodec
internal import FoundationEssentials
internal import Testing

@Suite struct CodecModeTests {
    @Test(arguments: allModes)
    func textAndJSONRoundTrip(mode: CodecMode) throws {
        #expect(CodecMode(mode.description) == mode)
        let json = try JSONEncoder().encode([mode])
        #expect(try JSONDecoder().decode([CodecMode].self, from: json) == [mode])
    }

    @Test func textIsWhatPeopleType() throws {
        #expect(try CodecMode(parsing: "8bit/zlib6") == CodecMode(.lossless8, .zlib(level: 6)))
        #expect(try CodecMode(parsing: "4bit/huffman") == CodecMode(.quantized4, .huffmanOnly))
        #expect(try CodecMode(parsing: "2bit/rle") == .quantized2)
        #expect(try CodecMode(parsing: "4bit/blocks") == CodecMode(.quantized4, .blocks))
        #expect(CodecMode(.lossless8, .raw).description == "8bit/raw")
        #expect(CodecMode(.lossless8, .filtered(level: 3)).description == "8bit/filtered3")
    }

    @Test(arguments: [
        "", "/", "8bit", "8bit/", "/rle", "3bit/rle", "8 bit/rle", "8bit/zlib", "8bit/zlib10", "8bit/zlib-1",
        "8bit/zlib٣",
        "8bit/zlib½", "8bit/RLE", "8bit/rle/", "8bit/huffman6", "16bit/raw",
    ])
    func otherTextIsRefusedByName(text: String) throws {
        let error = #expect(throws: CodecError.self) { try CodecMode(parsing: text) }
        #expect(error?.code == .unknownMode)
        #expect(error?.expected != nil)
        #expect(CodecMode(text) == nil)
        let json = try JSONEncoder().encode([text])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([CodecMode].self, from: json) }
    }

    @Test func impossibleLevelIsRefusedByTheEncoder() throws {
        let signature = TensorSignature(shape: [4], scale: 1, zeroPoint: 0)
        let source = TensorSource(
            signature, layout: .rowMajor, mode: CodecMode(.lossless8, .zlib(level: 10)), codes: [1, 2, 3, 4])
        let error = #expect(throws: CodecError.self) { try encodeFrame(id: 0, [source]) }
        #expect(error?.code == .invalidArgument)
    }
}
