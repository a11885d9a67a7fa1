internal import ImageInput
internal import Testing

/// What Pillow 12.0 computes, as checksums that `tools/peers/compare_preprocessing.py pin` prints.
struct Pin: CustomTestStringConvertible, Sendable {
    let (width, height): (Int, Int)
    let (newWidth, newHeight): (Int, Int)
    let interpolation: Interpolation
    let channels: Preprocessing.Channels
    let checksum: UInt64

    init(
        _ width: Int, _ height: Int, _ newWidth: Int, _ newHeight: Int, _ interpolation: Interpolation,
        _ channels: Preprocessing.Channels, _ checksum: UInt64
    ) {
        (self.width, self.height) = (width, height)
        (self.newWidth, self.newHeight) = (newWidth, newHeight)
        self.interpolation = interpolation
        self.channels = channels
        self.checksum = checksum
    }

    var testDescription: String { "\(width)×\(height) → \(newWidth)×\(newHeight) \(interpolation) \(channels)" }

    static let all = [
        Pin(97, 61, 32, 32, .bilinear, .rgb, 0xbf58_08a8_b8f1_d980),
        Pin(97, 61, 32, 32, .bilinear, .gray, 0xaccd_3f3e_78ec_b100),
        Pin(97, 61, 32, 32, .bicubic, .rgb, 0xf01f_ffde_7357_3fd5),
        Pin(97, 61, 32, 32, .bicubic, .gray, 0x0d30_1f67_2d72_e5c4),
        Pin(500, 375, 224, 224, .bilinear, .rgb, 0xd248_cb32_4b53_043c),
        Pin(500, 375, 224, 224, .bilinear, .gray, 0x5110_6a17_1f93_2319),
        Pin(500, 375, 224, 224, .bicubic, .rgb, 0x34c5_9fc4_7a1a_e4d1),
        Pin(500, 375, 224, 224, .bicubic, .gray, 0x4d0d_14c1_2cc0_1e35),
        Pin(31, 17, 96, 64, .bilinear, .rgb, 0xecc6_0b9a_dda7_e211),
        Pin(31, 17, 96, 64, .bilinear, .gray, 0x23e2_a2ba_fb7d_7328),
        Pin(31, 17, 96, 64, .bicubic, .rgb, 0xc8d1_e8ad_97f7_144d),
        Pin(31, 17, 96, 64, .bicubic, .gray, 0x7b6d_9005_cbc2_f48c),
        Pin(40, 90, 80, 30, .bilinear, .rgb, 0x2a67_1dfa_0105_4870),
        Pin(40, 90, 80, 30, .bilinear, .gray, 0x1836_8b22_8c35_50d3),
        Pin(40, 90, 80, 30, .bicubic, .rgb, 0x16a2_d2a4_57ed_ac40),
        Pin(40, 90, 80, 30, .bicubic, .gray, 0x58a9_b22c_89ed_0d68),
        Pin(64, 48, 64, 20, .bilinear, .rgb, 0x545e_2b11_04c5_e6e6),
        Pin(64, 48, 64, 20, .bilinear, .gray, 0x7056_24c8_cfb4_cef4),
        Pin(64, 48, 64, 20, .bicubic, .rgb, 0x43ab_f310_3230_ef42),
        Pin(64, 48, 64, 20, .bicubic, .gray, 0x8bf2_e04e_f420_d79b),
        Pin(1, 1, 5, 3, .bilinear, .rgb, 0x02fd_d01c_a365_7487),
        Pin(1, 1, 5, 3, .bilinear, .gray, 0x0a1d_f355_ae8d_c016),
        Pin(1, 1, 5, 3, .bicubic, .rgb, 0x02fd_d01c_a365_7487),
        Pin(1, 1, 5, 3, .bicubic, .gray, 0x0a1d_f355_ae8d_c016),
        Pin(1, 50, 8, 8, .bilinear, .rgb, 0x2cd4_0453_5357_b285),
        Pin(1, 50, 8, 8, .bilinear, .gray, 0x2da1_50e8_3ab4_33ad),
        Pin(1, 50, 8, 8, .bicubic, .rgb, 0xaedb_089d_163d_cb4d),
        Pin(1, 50, 8, 8, .bicubic, .gray, 0xc381_34e4_47f3_fa25),
        Pin(333, 1, 10, 4, .bilinear, .rgb, 0x9974_5ab0_fb5f_d87d),
        Pin(333, 1, 10, 4, .bilinear, .gray, 0x20f0_d2e5_318f_2025),
        Pin(333, 1, 10, 4, .bicubic, .rgb, 0xc7e1_6475_75e3_2ee5),
        Pin(333, 1, 10, 4, .bicubic, .gray, 0x7702_aa97_7912_96e5),
        Pin(224, 224, 224, 224, .bilinear, .rgb, 0x7c61_5f2b_21b0_b4d0),
        Pin(224, 224, 224, 224, .bilinear, .gray, 0x137e_74d9_2b08_9136),
        Pin(224, 224, 224, 224, .bicubic, .rgb, 0x7c61_5f2b_21b0_b4d0),
        Pin(224, 224, 224, 224, .bicubic, .gray, 0x137e_74d9_2b08_9136),
    ]
}

@Suite struct PillowParityTests {
    @Test(arguments: Pin.all) func resizeEqualsPillows(pin: Pin) throws {
        let zeros = [Double](repeating: 0, count: pin.channels.count)
        let preprocessing = try Preprocessing(
            width: pin.newWidth, height: pin.newHeight, resize: .stretch, interpolation: pin.interpolation,
            channels: pin.channels, scale: 1, mean: zeros, std: zeros.map { _ in 1 }, layout: .nhwc)
        let samples = try preprocessing.tensor(from: .synthetic(width: pin.width, height: pin.height))
        #expect(checksum(samples.map { UInt8($0) }) == pin.checksum)
    }

    /// Photographs, decoded and brought to 224 × 224 from the centre of 256.
    @Test(.enabled(if: TestData.folder != nil, "set CLEAVE_TEST_DATA")) func photographsEqualPillows() throws {
        let folder = try ImageFolder(path: #require(TestData.folder) + "/images/imagenet-full")
        let preprocessing = try Preprocessing(
            width: 224, height: 224, resize: .shortestSide(256), scale: 1, mean: [0, 0, 0], std: [1, 1, 1],
            layout: .nhwc)
        #expect(folder.items.count == 59)
        let samples = try folder.items.map { try preprocessing.tensor(from: Image(contentsOf: $0.path)) }
        #expect(checksum(samples.joined().lazy.map { UInt8($0) }) == 0x2f7f_1e30_27a4_83ba)
    }
}
