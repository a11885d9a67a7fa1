internal import ModelGraph

/// The codec profile, indexed for many look-ups.
struct CodecMeasurements: Sendable {
    /// The modes the profile has, sorted.
    let modes: [String]
    /// By mode, then by value index.
    private var single: [[Part?]]
    /// By mode; only boundaries of several tensors.
    private var several: [BoundaryTable<CostModel.Encoding>]

    /// A tensor's own encoding; times in nanoseconds, as adding and dividing 128-bit `Duration`s takes long by the million.
    private struct Part: Sendable {
        var encoding: CostModel.Encoding
        var size: Int64
        var encode: Int64
        var decode: Int64
        var isCalibrated: Bool
    }

    init(_ profile: CodecProfile, graph: Graph) {
        modes = Set(profile.entries.map(\.mode)).sorted()
        let modeIndex = Dictionary(uniqueKeysWithValues: modes.enumerated().map { ($1, $0) })
        let valueIndex = Dictionary(graph.values.enumerated().map { ($1.name, $0) }) { first, _ in first }
        var single = modes.map { _ in [Part?](repeating: nil, count: graph.values.count) }
        var named = modes.map { _ in [(name: String, element: CostModel.Encoding)]() }
        for entry in profile.entries {
            guard let mode = modeIndex[entry.mode] else { continue }
            let encoding = CostModel.Encoding(
                size: entry.encoded, encode: entry.encode.median, decode: entry.decode.median,
                top1Agreement: entry.top1Agreement, accuracyLoss: entry.accuracyLoss,
                accuracyImages: entry.accuracyImages, isComposed: false)
            if let value = valueIndex[entry.boundary] {
                single[mode][value] = Part(
                    encoding: encoding, size: encoding.size.bytes, encode: encoding.encode.wholeNanoseconds,
                    decode: encoding.decode.wholeNanoseconds, isCalibrated: entry.isCalibrated ?? false)
            } else {
                named[mode].append((entry.boundary, encoding))
            }
        }
        self.single = single
        several = named.map { BoundaryTable($0, graph: graph) }
    }

    /// - Parameters:
    ///   - boundary: ascending.
    ///   - mode: an index into `modes`.
    func encoding(of boundary: ArraySlice<ValueID>, mode: Int) -> CostModel.Encoding? {
        guard let first = boundary.first else { return nil }
        if boundary.count == 1 { return single[mode][first.index]?.encoding }
        if let encoding = several[mode][boundary] { return encoding }
        var (size, encode, decode) = (ByteCount.zero, Int64(0), Int64(0))
        for value in boundary {
            guard let part = single[mode][value.index], !part.isCalibrated else { return nil }
            size = size + ByteCount(part.size)
            encode += part.encode
            decode += part.decode
        }
        return CostModel.Encoding(
            size: size, encode: .nanoseconds(encode), decode: .nanoseconds(decode), isComposed: true)
    }
}
