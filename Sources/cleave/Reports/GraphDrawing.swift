internal import ModelGraph
internal import Planning
internal import Reports

/// A graph as an SVG drawing: nodes in rows, each below all it reads from, and a dashed line where one tensor alone crosses.
struct GraphDrawing {
    private let graph: Graph
    /// Nodes by row, from left to right.
    private let rows: [[NodeID]]
    private let places: [NodeID: (row: Int, column: Int)]

    private static let boxWidth = 210.0
    private static let boxHeight = 40.0
    private static let columnWidth = 230.0
    private static let rowHeight = 76.0
    private static let margin = 20.0

    init(_ graph: Graph) {
        self.graph = graph
        let producers = graph.producers()
        var depths = [Int](repeating: 0, count: graph.nodes.count)
        for id in graph.nodeIDs {
            let before = graph[id].inputs.compactMap { $0.flatMap { producers[$0.index] } }
            depths[id.index] = before.map { depths[$0.index] + 1 }.max() ?? 0
        }
        var rows = [[NodeID]](repeating: [], count: (depths.max() ?? -1) + 1)
        for id in graph.nodeIDs { rows[depths[id.index]].append(id) }
        // Under the middle of what they read, so that few lines cross.
        var columns = [Double](repeating: 0, count: graph.nodes.count)
        var places: [NodeID: (row: Int, column: Int)] = [:]
        for row in rows.indices {
            func middle(_ id: NodeID) -> Double {
                let before = graph[id].inputs.compactMap { $0.flatMap { producers[$0.index] } }
                return before.isEmpty ? 0 : before.reduce(0) { $0 + columns[$1.index] } / Double(before.count)
            }
            rows[row].sort { (middle($0), $0) < (middle($1), $1) }
            for (column, id) in rows[row].enumerated() {
                columns[id.index] = Double(column) - Double(rows[row].count - 1) / 2
                places[id] = (row, column)
            }
        }
        self.rows = rows
        self.places = places
    }

    private var width: Double {
        2 * Self.margin + Self.columnWidth * Double(max(1, rows.map(\.count).max() ?? 1)) + 120
    }

    private func centre(_ id: NodeID) -> (x: Double, y: Double) {
        guard let place = places[id] else { return (0, 0) }
        let offset = Double(place.column) - Double(rows[place.row].count - 1) / 2
        return (width / 2 + offset * Self.columnWidth, Self.margin + Self.rowHeight * (Double(place.row) + 0.5))
    }

    /// A file of its own, with its colours.
    var svg: String {
        let height = 2 * Self.margin + Self.rowHeight * Double(max(1, rows.count))
        let sheet = Markup.style(
            """
            text{font:12px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#1b2027}
            .soft{fill:#5d6775;font-size:11px}
            rect{stroke:#8793a1;fill:#eef1f4}
            .product{fill:#cfeadf}.pool{fill:#dcd8f6}.joint{fill:#fbe3cd}
            path{fill:none;stroke:#8793a1;stroke-width:1.2}
            .cut{stroke:#e06c1b;stroke-dasharray:5 4}
            """)
        let body = sheet + edges + cutLines + boxes
        let attributes = [
            ("xmlns", "http://www.w3.org/2000/svg"), ("width", width.fixed(0)), ("height", height.fixed(0)),
            ("viewBox", "0 0 \(width.fixed(0)) \(height.fixed(0))"),
        ]
        return Markup.element("svg", attributes, body).text + "\n"
    }

    private var edges: Markup {
        var drawing = Markup()
        let producers = graph.producers()
        for id in graph.nodeIDs {
            let to = centre(id)
            for case let input? in graph[id].inputs {
                guard let producer = producers[input.index] else { continue }
                let from = centre(producer)
                let (top, bottom) = (from.y + Self.boxHeight / 2, to.y - Self.boxHeight / 2)
                let bend = (bottom - top) / 2
                let path =
                    "M\(from.x.fixed(1)) \(top.fixed(1))C\(from.x.fixed(1)) \((top + bend).fixed(1)) "
                    + "\(to.x.fixed(1)) \((bottom - bend).fixed(1)) \(to.x.fixed(1)) \(bottom.fixed(1))"
                drawing += .element("path", [("d", path)], .element("title", [], graph[input].name))
            }
        }
        return drawing
    }

    private var boxes: Markup {
        var drawing = Markup()
        for id in graph.nodeIDs {
            let (node, middle) = (graph[id], centre(id))
            let value = graph[node.outputs[0]]
            let cost = graph.multiplyAdds(of: id)
            let details =
                "\(value.type.shape)" + (cost > 0 ? " · \((Double(cost) / 1e6).fixed(1)) M" : "")
            let tip =
                "\(node.name): \(node.operation.kind), \(value.name) \(value.type), \(cost) multiply-adds, "
                + "\(graph.parameterCount(of: id)) parameters"
            let box = Markup.element(
                "rect",
                [
                    ("x", (middle.x - Self.boxWidth / 2).fixed(1)), ("y", (middle.y - Self.boxHeight / 2).fixed(1)),
                    ("width", Self.boxWidth.fixed(0)), ("height", Self.boxHeight.fixed(0)), ("rx", "6"),
                    ("class", node.operation.style),
                ])
            drawing += .element(
                "g", [],
                .element("title", [], tip) + box + text(node.operation.kind, middle.x, middle.y - 4, "")
                    + text(details, middle.x, middle.y + 12, "soft"))
        }
        return drawing
    }

    private func text(_ text: String, _ x: Double, _ y: Double, _ style: String) -> Markup {
        .element(
            "text", [("x", x.fixed(1)), ("y", y.fixed(1)), ("text-anchor", "middle"), ("class", style)], text)
    }

    /// Below the row of the tensor that crosses, with what it weighs in int8.
    private var cutLines: Markup {
        var drawing = Markup()
        let producers = graph.producers()
        let set = CutEnumerator().cuts(of: graph)
        for position in set.indices {
            let boundary = set.boundary(at: position)
            guard boundary.count == 1, let producer = producers[boundary[0].index], let place = places[producer] else {
                continue
            }
            let y = Self.margin + Self.rowHeight * Double(place.row + 1)
            let bytes = graph[boundary[0]].type.shape.elementCount
            drawing += .element(
                "path", [("class", "cut"), ("d", "M\(Self.margin) \(y.fixed(1))H\((width - 110).fixed(1))")])
            drawing += .element(
                "text", [("x", (width - 104).fixed(1)), ("y", (y + 4).fixed(1)), ("class", "soft")],
                "cut \(position): \(bytes) B")
        }
        return drawing
    }
}

extension Operator {
    fileprivate var style: String {
        switch self {
        case .convolution, .transposedConvolution, .gemm, .matrixProduct: "product"
        case .maxPool, .averagePool, .globalMaxPool, .globalAveragePool, .reduce: "pool"
        case .binary, .concat, .split: "joint"
        default: ""
        }
    }
}
