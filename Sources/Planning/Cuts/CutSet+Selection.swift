package import ModelGraph

extension CutSet {
    /// The cut that a person means by `text`: `cloud-only`, `edge-only`, `middle` (the single-tensor cut whose head
    /// holds closest to half of the multiply-adds), the number of a cut in this set, or its boundary's names joined by `+`.
    /// - Throws: `PlanningError.unknownName`, naming the forms.
    package func cut(matching text: String) throws(PlanningError) -> Cut {
        switch text {
        case "cloud-only": return .cloudOnly(of: graph)
        case "edge-only": return .edgeOnly(of: graph)
        case "middle": return middle
        default: break
        }
        if let position = Int(text) {
            guard indices.contains(position) else {
                throw PlanningError(.unknownName, "expected a cut in 0..<\(count), got \(position)", at: graph.name)
            }
            return self[position]
        }
        for position in indices where boundary(at: position).map({ graph[$0].name }).joined(separator: "+") == text {
            return self[position]
        }
        throw PlanningError(
            .unknownName,
            "no cut \"\(text)\"; expected cloud-only, edge-only, middle, a number in 0..<\(count) or tensor names joined by +",
            at: graph.name)
    }

    private var middle: Cut {
        let costs = graph.nodeIDs.map { Int64(graph.multiplyAdds(of: $0)) }
        let half = costs.reduce(0, +) / 2
        let inner = indices.filter { boundary(at: $0).count == 1 && !isCloudOnly(at: $0) && !isEdgeOnly(at: $0) }
        let closest = inner.min { abs(headSum(of: costs, at: $0) - half) < abs(headSum(of: costs, at: $1) - half) }
        return closest.map { self[$0] } ?? .cloudOnly(of: graph)
    }
}
