/// Columns of text; the first is set to the left, numbers to the right. A row of one cell is a line of its own.
struct TextTable {
    private var rows: [[String]] = []

    mutating func add(_ cells: String...) { rows.append(cells) }

    /// An empty line.
    mutating func separate() { rows.append([]) }

    var text: String {
        let aligned = rows.filter { $0.count > 1 }
        let widths = (0..<(aligned.map(\.count).max() ?? 0)).map { column in
            aligned.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { cells in
            guard cells.count > 1 else { return cells.joined() }
            return cells.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }.joined(separator: "  ")
        }.joined(separator: "\n") + "\n"
    }
}

extension Double {
    /// With a fixed number of decimals, rounded half away from zero.
    func decimals(_ count: Int) -> String {
        guard isFinite, magnitude < 1e15 else { return "\(self)" }
        let unit = (0..<count).reduce(1) { unit, _ in unit * 10 }
        let scaled = Int((magnitude * Double(unit)).rounded())
        let sign = self < 0 && scaled > 0 ? "-" : ""
        guard count > 0 else { return sign + "\(scaled)" }
        let fraction = "\(scaled % unit)"
        return sign + "\(scaled / unit)." + String(repeating: "0", count: count - fraction.count) + fraction
    }
}
