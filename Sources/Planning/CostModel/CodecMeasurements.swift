internal import ModelGraph

/// The codec profile, indexed for many look-ups.
struct CodecMeasurements: Sendable {
    /// By mode, then by value index.
    private let single: [String: [CodecProfile.Entry?]]
    /// By mode, then by boundary name; only boundaries of several tensors.
    private let several: [String: [String: CodecProfile.Entry]]

    init(_ profile: CodecProfile, graph: Graph) {
        let index = Dictionary(graph.values.enumerated().map { ($1.name, $0) }) { first, _ in first }
        var single: [String: [CodecProfile.Entry?]] = [:]
        var several: [String: [String: CodecProfile.Entry]] = [:]
        for entry in profile.entries {
            if let value = index[entry.boundary] {
                single[entry.mode, default: Array(repeating: nil, count: graph.values.count)][value] = entry
            } else {
                several[entry.mode, default: [:]][entry.boundary] = entry
            }
        }
        self.single = single
        self.several = several
    }

    func encoding(of boundary: [ValueID], mode: String, graph: Graph) -> CostModel.Encoding? {
        let tensors = single[mode]
        if boundary.count == 1, let entry = tensors?[boundary[0].index] {
            return CostModel.Encoding(entry)
        }
        if boundary.count > 1, let several = several[mode],
            let entry = several[boundary.map { graph[$0].name }.joined(separator: "+")]
        {
            return CostModel.Encoding(entry)
        }
        guard boundary.count > 1, let tensors else { return nil }
        var sum = CostModel.Encoding(size: .zero, encode: .zero, decode: .zero, isComposed: true)
        for value in boundary {
            guard let entry = tensors[value.index] else { return nil }
            sum.size = sum.size + entry.encoded
            sum.encode += entry.encode.median
            sum.decode += entry.decode.median
        }
        return sum
    }
}

extension CostModel.Encoding {
    init(_ entry: CodecProfile.Entry) {
        self.init(
            size: entry.encoded, encode: entry.encode.median, decode: entry.decode.median,
            top1Agreement: entry.top1Agreement, isComposed: false)
    }
}
