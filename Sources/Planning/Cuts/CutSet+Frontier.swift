package import ModelGraph

extension CutSet {
    /// The cuts that may turn out best for some machines and link: those whose boundary is about as small as that of any cut
    /// with a smaller head.
    ///
    /// Multiply-adds stand for the board's time and elements for bytes. Of cuts with equal multiply-adds only the smallest
    /// boundary counts, and of equal boundaries that of fewer tensors and more nodes: behind an activation or a pooling
    /// rather than before. Cuts without a head or a tail, and those that keep an output of the network, are left out.
    ///
    /// - Parameters:
    ///   - slack: how many times larger a boundary may be than the smallest before it; codings differ by about that much.
    ///   - isCodable: whether a value can be sent.
    /// - Returns: positions, by growing heads.
    package func frontier(slack: Double = 1.25, isCodable: (ValueID) -> Bool = { _ in true }) -> [Int] {
        struct Candidate {
            var position: Int
            var multiplyAdds: Int64
            var elements: Int
            var tensors: Int
            var nodes: Int
        }
        let sums = headSums(of: graph.nodeIDs.map { Int64(graph.multiplyAdds(of: $0)) })
        var candidates: [Candidate] = []
        for position in indices where !isCloudOnly(at: position) && !isEdgeOnly(at: position) {
            let boundary = boundary(at: position)
            guard !boundary.isEmpty, headOutputs(at: position).isEmpty, boundary.allSatisfy(isCodable) else { continue }
            candidates.append(
                Candidate(
                    position: position, multiplyAdds: sums[position],
                    elements: boundary.reduce(0) { $0 + graph[$1].type.shape.elementCount }, tensors: boundary.count,
                    nodes: headNodeCount(at: position)))
        }
        candidates.sort {
            ($0.multiplyAdds, $0.elements, $0.tensors, -$0.nodes, $0.position)
                < ($1.multiplyAdds, $1.elements, $1.tensors, -$1.nodes, $1.position)
        }
        var chosen: [Int] = []
        var (least, latest): (Int?, Int64?) = (nil, nil)
        for candidate in candidates where candidate.multiplyAdds != latest {
            latest = candidate.multiplyAdds
            if let least, Double(candidate.elements) > slack * Double(least) { continue }
            chosen.append(candidate.position)
            least = Swift.min(least ?? .max, candidate.elements)
        }
        return chosen
    }
}
