internal import ImageInput
internal import Testing

@Suite struct GreyImageTests {
    private let picture = {
        let bytes = (0..<33 * 17).map { (index: Int) -> UInt8 in
            let (row, column) = index.quotientAndRemainder(dividingBy: 33)
            return UInt8(column * 6 + row * 3)
        }
        return GreyImage(width: 33, height: 17, bytes: bytes)
    }()

    @Test func comesBackNearlyAsItWas() throws {
        let file = try picture.encodeJPEG(quality: 95)
        let decoded = try GreyImage(decodingJPEG: file, width: 33, height: 17)
        let error = zip(picture.bytes, decoded.bytes).map { abs(Int($0) - Int($1)) }.max() ?? 0
        #expect(error <= 12)
        #expect(try picture.encodeJPEG(quality: 10).count < file.count)
    }

    @Test func otherSizesAndFilesAreRefused() throws {
        let file = try picture.encodeJPEG(quality: 50)
        #expect(throws: ImageError.self) { try GreyImage(decodingJPEG: file, width: 17, height: 33) }
        #expect(throws: ImageError.self) { try GreyImage(decodingJPEG: [1, 2, 3], width: 33, height: 17) }
        #expect(throws: ImageError.self) { try GreyImage(decodingJPEG: [], width: 33, height: 17) }
    }
}
