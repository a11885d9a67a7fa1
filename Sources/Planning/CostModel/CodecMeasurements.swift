internal import ModelGraph

/// The codec profile, indexed for many look-ups.
struct CodecMeasurements: Sendable {
    /// The modes the profile has, sorted.
    let modes: [String]
    /// By mode, then by value index.
    private var single: [[CostModel.Encoding?]]
    /// By mode, then by boundary name; only boundaries of several tensors.
    private var several: [[String: CostModel.Encoding]]

    init(_ profile: CodecProfile, graph: Graph) {
        modes = Set(profile.entries.map(\.mode)).sorted()
        single = modes.map { _ in Array(repeating: nil, count: graph.values.count) }
        several = modes.map { _ in [:] }
        let modeIndex = Dictionary(uniqueKeysWithValues: modes.enumerated().map { ($1, $0) })
        let valueIndex = Dictionary(graph.values.enumerated().map { ($1.name, $0) }) { first, _ in first }
        for entry in profile.entries {
            guard let mode = modeIndex[entry.mode] else { continue }
            let encoding = CostModel.Encoding(
                size: entry.encoded, encode: entry.encode.median, decode: entry.decode.median,
                top1Agreement: entry.top1Agreement, isComposed: false)
            if let value = valueIndex[entry.boundary] {
                single[mode][value] = encoding
            } else {
                several[mode][entry.boundary] = encoding
            }
        }
    }

    /// - Parameter mode: an index into `modes`.
    func encoding(of boundary: [ValueID], mode: Int, graph: Graph) -> CostModel.Encoding? {
        if boundary.count == 1 { return single[mode][boundary[0].index] }
        if !several[mode].isEmpty, let encoding = several[mode][graph.joinedNames(of: boundary)] { return encoding }
        guard !boundary.isEmpty else { return nil }
        var sum = CostModel.Encoding(size: .zero, encode: .zero, decode: .zero, isComposed: true)
        for value in boundary {
            guard let part = single[mode][value.index] else { return nil }
            sum.size = sum.size + part.size
            sum.encode += part.encode
            sum.decode += part.decode
        }
        return sum
    }
}

extension Graph {
    /// As `Cut.name(in:)` for a cut that is not edge-only.
    func joinedNames(of boundary: [ValueID]) -> String {
        boundary.map { self[$0].name }.joined(separator: "+")
    }
}
