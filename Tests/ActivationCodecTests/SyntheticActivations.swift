internal import ActivationCodec

/// SplitMix64: small, seeded and the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Codes that look like the output of a rectifier: about two thirds zero, the rest falling off, in row-major order.
func syntheticCodes(count: Int, using generator: inout SeededGenerator) -> [UInt8] {
    (0..<count).map { _ in
        let draw = generator.next()
        guard draw % 3 == 0 else { return 0 }
        // The least of three is skewed towards small codes.
        return UInt8(min(draw >> 8 & 255, draw >> 16 & 255, draw >> 24 & 255))
    }
}

/// The channels-last order of row-major codes, one element at a time.
func channelsLast(_ codes: [UInt8], shape: [Int]) -> [UInt8] {
    guard shape.count >= 3 else { return codes }
    let channels = shape[1]
    let plane = shape[2...].reduce(1, *)
    var result = codes
    for batch in 0..<shape[0] {
        for channel in 0..<channels {
            for position in 0..<plane {
                result[(batch * plane + position) * channels + channel] =
                    codes[(batch * channels + channel) * plane + position]
            }
        }
    }
    return result
}

let allModes: [CodecMode] = Precision.allCases.flatMap { precision in
    [
        .raw, .zlib(level: 0), .zlib(level: 1), .zlib(level: 9), .filtered(level: 6), .huffmanOnly, .runLength, .blocks,
        .contexts,
    ].map { CodecMode(precision, $0) }
}

/// Every rank, odd and even plane sizes, one and many batches, edges of the 8×8 tiles.
let someShapes: [[Int]] = [
    [1], [7], [1, 10], [3, 5], [1, 3, 4], [2, 9, 17], [1, 8, 8, 8], [1, 5, 7, 3], [2, 3, 5, 5], [1, 64, 14, 14],
    [3, 17, 9, 1], [1, 33, 1, 1], [1, 1, 16, 16], [1, 2, 3, 2, 2], [1, 2, 1, 2, 3, 2], [1, 4, 1, 1, 2, 1, 3],
    [2, 2, 1, 2, 1, 2, 1, 2],
]

/// Codes that are small in some patches of a plane and large in others, as a network's are: neighbours tell about each other.
/// In row-major order; below the zero point too unless that is 0.
func patchyCodes(shape: [Int], zeroPoint: UInt8, using generator: inout SeededGenerator) -> [UInt8] {
    let width = shape[shape.count - 1]
    let rows = shape.reduce(1, *) / width
    var reach = [Int](repeating: 0, count: width)
    var codes: [UInt8] = []
    for row in 0..<rows {
        for column in 0..<width {
            if row % 3 == 0 {
                reach[column] = column % 5 == 0 ? [0, 0, 3, 70].randomElement(using: &generator)! : reach[column - 1]
            }
            let reach = reach[column]
            let distance = Int.random(in: (zeroPoint > 0 ? -reach : 0)...reach, using: &generator)
            codes.append(UInt8(min(max(Int(zeroPoint) + distance, 0), 255)))
        }
    }
    return codes
}
