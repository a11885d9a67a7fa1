/// Columns aligned for a terminal: text to the left, numbers to the right.
struct TextTable {
    private let header: [String]
    private let isNumeric: [Bool]
    private var rows: [[String]] = []

    /// - Parameter columns: titles; a title that begins with `#` heads numbers.
    init(_ columns: String...) {
        isNumeric = columns.map { $0.hasPrefix("#") }
        header = columns.map { $0.hasPrefix("#") ? String($0.dropFirst()) : $0 }
    }

    mutating func add(_ cells: String...) {
        rows.append(cells)
    }

    var text: String {
        var widths = header.map(\.count)
        for row in rows {
            for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
        }
        return ([header] + rows).map { row in
            let line = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return isNumeric[column] ? padding + cell : cell + padding
            }
            return line.joined(separator: "  ").trimmingSuffix(while: { $0 == " " })
        }.joined(separator: "\n")
    }
}

extension String {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var end = endIndex
        while end > startIndex, predicate(self[index(before: end)]) { end = index(before: end) }
        return String(self[..<end])
    }
}
