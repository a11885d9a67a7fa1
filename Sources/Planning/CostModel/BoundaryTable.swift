internal import ModelGraph

/// Figures by the boundary they were measured at, for many look-ups.
///
/// Profiles name a boundary by its tensors' names joined by `+`; a tensor's name may hold a `+` itself.
struct BoundaryTable<Element: Sendable>: Sendable {
    private struct Entry: Sendable {
        var boundary: [ValueID]
        var element: Element
    }

    /// By the boundary's first value.
    private var entries: [[Entry]]
    private(set) var isEmpty = true

    /// Of entries for one boundary the first counts; names that the graph lacks are passed over.
    init(_ named: some Sequence<(name: String, element: Element)>, graph: Graph) {
        entries = Array(repeating: [], count: graph.values.count)
        let values = Dictionary(graph.values.enumerated().map { ($1.name, ValueID($0)) }) { first, _ in first }
        for (name, element) in named {
            guard let boundary = Self.boundary(name[...], values), let first = boundary.first else { continue }
            guard self[boundary[...]] == nil else { continue }
            entries[first.index].append(Entry(boundary: boundary, element: element))
            isEmpty = false
        }
    }

    /// - Parameter boundary: ascending.
    subscript(boundary: ArraySlice<ValueID>) -> Element? {
        guard let first = boundary.first else { return nil }
        return entries[first.index].first { $0.boundary.elementsEqual(boundary) }?.element
    }

    private static func boundary(_ name: Substring, _ values: [String: ValueID]) -> [ValueID]? {
        if let value = values[String(name)] { return [value] }
        for index in name.indices where name[index] == "+" {
            if let first = values[String(name[..<index])],
                let rest = boundary(name[name.index(after: index)...], values)
            {
                return [first] + rest
            }
        }
        return nil
    }
}
