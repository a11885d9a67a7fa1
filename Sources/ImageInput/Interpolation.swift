/// The filter of a resize; widened when shrinking, so that nothing aliases, as in Pillow's `Image.resize`.
package enum Interpolation: String, CaseIterable, Codable, Equatable, Sendable {
    /// Triangle of radius 1.
    case bilinear
    /// Cubic convolution of radius 2 with a = −1/2 (Keys 1981, eq. 4).
    case bicubic

    var radius: Double {
        switch self {
        case .bilinear: 1
        case .bicubic: 2
        }
    }

    func weight(at position: Double) -> Double {
        let x = position.magnitude
        guard x < radius else { return 0 }
        let a = -0.5
        return switch self {
        case .bilinear: 1 - x
        case .bicubic: x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * a
        }
    }
}
