/// The layers of a network, a line each; `#` begins a comment.
///
/// A line is `kind batch height width channels outputs kernel stride pad groups repeats`, separated by spaces. Kinds
/// without a window have kernel 1, stride 1, pad 0, groups 1; all but convolutions have as many outputs as channels.
package struct ShapeFile: Sendable {
    package let layers: [LayerShape]

    /// - Parameter path: what errors name.
    /// - Throws: at the first line that is not a layer.
    package init(_ text: String, path: String) throws(ShapeFileError) {
        var layers: [LayerShape] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard !content.isEmpty else { continue }
            var fields = Fields(content: content, path: path, line: index + 1)
            layers.append(try fields.layer())
        }
        guard !layers.isEmpty else {
            throw ShapeFileError(path: path, line: 1, expected: "at least one layer", got: "none")
        }
        self.layers = layers
    }
}

package struct ShapeFileError: Error, Equatable, CustomStringConvertible {
    package let path: String
    package let line: Int
    package let expected: String
    package let got: String

    package var description: String { "\(path):\(line): expected \(expected), got \(got)" }
}

/// What every size is at most. No product of the sizes below overflows or asks for more memory than a machine has.
private let largestExtent = 1 << 16
private let mostElements = 1 << 30

private struct Fields {
    private static let names = [
        "kind", "batch", "height", "width", "channels", "outputs", "kernel", "stride", "pad", "groups", "repeats",
    ]

    let content: [Substring]
    let path: String
    let line: Int

    init(content: [Substring], path: String, line: Int) {
        (self.content, self.path, self.line) = (content, path, line)
    }

    private func error(expected: String, got: String) -> ShapeFileError {
        ShapeFileError(path: path, line: line, expected: expected, got: got)
    }

    private func number(_ index: Int, _ range: ClosedRange<Int>) throws(ShapeFileError) -> Int {
        guard let value = Int(content[index]), range.contains(value) else {
            throw error(
                expected: "\(Self.names[index]) in \(range.lowerBound)...\(range.upperBound)",
                got: "'\(content[index])'")
        }
        return value
    }

    mutating func layer() throws(ShapeFileError) -> LayerShape {
        guard content.count == Self.names.count else {
            throw error(
                expected: "\(Self.names.count) fields (\(Self.names.joined(separator: " ")))", got: "\(content.count)")
        }
        guard let kind = LayerShape.Kind(rawValue: String(content[0])) else {
            let kinds = LayerShape.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw error(expected: "a kind (\(kinds))", got: "'\(content[0])'")
        }
        let size = 1...largestExtent
        let layer = LayerShape(
            kind: kind, batch: try number(1, size), height: try number(2, size), width: try number(3, size),
            channels: try number(4, size), outputs: try number(5, size), kernel: try number(6, 1...256),
            stride: try number(7, size), pad: try number(8, 0...255), groups: try number(9, size),
            repeats: try number(10, size))
        try check(layer)
        return layer
    }

    private func check(_ layer: LayerShape) throws(ShapeFileError) {
        let window = (layer.kernel, layer.stride, layer.pad)
        guard layer.kind.hasWindow || window == (1, 1, 0) else {
            throw error(
                expected: "kernel 1, stride 1, pad 0 of '\(layer.kind.rawValue)'",
                got: "kernel \(layer.kernel), stride \(layer.stride), pad \(layer.pad)")
        }
        guard layer.kind == .convolution || (layer.outputs == layer.channels && layer.groups == 1) else {
            throw error(
                expected: "outputs \(layer.channels) and groups 1 of '\(layer.kind.rawValue)'",
                got: "outputs \(layer.outputs) and groups \(layer.groups)")
        }
        guard layer.channels.isMultiple(of: layer.groups), layer.outputs.isMultiple(of: layer.groups) else {
            throw error(
                expected: "channels and outputs that \(layer.groups) groups divide",
                got: "\(layer.channels) and \(layer.outputs)")
        }
        guard layer.kernel <= min(layer.height, layer.width) + 2 * layer.pad, layer.pad < layer.kernel else {
            throw error(
                expected: "a kernel within the padded image and larger than pad",
                got: "kernel \(layer.kernel), pad \(layer.pad), image \(layer.height)×\(layer.width)")
        }
        let extents = [
            [layer.batch, layer.height, layer.width, layer.channels],
            [layer.batch, layer.outHeight, layer.outWidth, layer.outputs],
            [layer.outputs, layer.kernel, layer.kernel, layer.channels / layer.groups],
        ]
        for tensor in extents {
            let count = tensor.reduce(1) { min($0 * $1, mostElements + 1) }
            guard count <= mostElements else {
                throw error(
                    expected: "at most \(mostElements) elements a tensor",
                    got: tensor.map(String.init).joined(separator: " × "))
            }
        }
    }
}
