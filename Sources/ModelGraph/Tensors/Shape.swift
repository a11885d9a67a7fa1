/// The extents of a tensor, outermost first; rank 0 is a scalar.
///
/// Every extent is ≥ 0 and the product of the extents fits in `maximumElementCount`, so sizes derived from a shape
/// never overflow: untrusted extents enter through `init(validating:)`.
package struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, RandomAccessCollection {
    /// The largest number of elements a tensor may have (2⁴⁰): far above any CNN, far below overflow.
    package static let maximumElementCount = 1 << 40

    package let dimensions: [Int]

    /// - Precondition: the extents are valid; for untrusted extents use `init(validating:)`.
    package init(_ dimensions: [Int]) {
        precondition(Self.checkedElementCount(dimensions) != nil, "invalid extents \(dimensions)")
        self.dimensions = dimensions
    }

    package init(arrayLiteral elements: Int...) {
        self.init(elements)
    }

    /// - Throws: `GraphError.invalidShape` when an extent is negative or the element count is out of range.
    package init(validating dimensions: [Int], context: @autoclosure () -> String = "shape") throws(GraphError) {
        guard Self.checkedElementCount(dimensions) != nil else {
            throw GraphError(
                .invalidShape, "extents \(dimensions) are negative or exceed 2^40 elements", at: context())
        }
        self.dimensions = dimensions
    }

    package var rank: Int { dimensions.count }
    package var startIndex: Int { 0 }
    package var endIndex: Int { dimensions.count }
    package subscript(axis: Int) -> Int { dimensions[axis] }

    /// The product of the extents; 1 for a scalar.
    package var elementCount: Int { dimensions.reduce(1, *) }

    /// Row-major strides in elements.
    package var strides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for axis in stride(from: rank - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * dimensions[axis + 1]
        }
        return strides
    }

    /// Extents `axes` multiplied together.
    package func elementCount(in axes: some Sequence<Int>) -> Int {
        axes.reduce(1) { $0 * dimensions[$1] }
    }

    /// Maps ONNX's negative axes to 0..<rank; `nil` when out of range.
    package func normalizedAxis(_ axis: Int) -> Int? {
        let resolved = axis < 0 ? axis + rank : axis
        return (0..<rank).contains(resolved) ? resolved : nil
    }

    /// The common shape of two operands under ONNX's multidirectional broadcasting; `nil` when they do not broadcast.
    package func broadcast(with other: Shape) -> Shape? {
        let resultRank = Swift.max(rank, other.rank)
        var result = [Int](repeating: 1, count: resultRank)
        for axis in 0..<resultRank {
            let left = axis - (resultRank - rank) < 0 ? 1 : self[axis - (resultRank - rank)]
            let right = axis - (resultRank - other.rank) < 0 ? 1 : other[axis - (resultRank - other.rank)]
            guard left == right || left == 1 || right == 1 else { return nil }
            result[axis] = left == 1 ? right : left
        }
        return Self.checkedElementCount(result) == nil ? nil : Shape(result)
    }

    /// The element count, or `nil` when an extent is negative or the count exceeds the maximum.
    private static func checkedElementCount(_ dimensions: [Int]) -> Int? {
        var count = 1
        for extent in dimensions {
            guard extent >= 0 else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: Swift.max(extent, 1))
            guard !overflow, product <= maximumElementCount else { return nil }
            count = product
        }
        return dimensions.contains(0) ? 0 : count
    }
}

extension Shape: CustomStringConvertible {
    /// `1×64×56×56`; `scalar` for rank 0.
    package var description: String {
        dimensions.isEmpty ? "scalar" : dimensions.map(String.init).joined(separator: "×")
    }
}

extension Shape: Codable {
    package init(from decoder: any Decoder) throws {
        let dimensions = try decoder.singleValueContainer().decode([Int].self)
        try self.init(validating: dimensions)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(dimensions)
    }
}

/// What is known of a tensor without its values.
package struct TensorType: Hashable, Sendable, Codable, CustomStringConvertible {
    package var elementType: ElementType
    package var shape: Shape

    package init(_ elementType: ElementType, _ shape: Shape) {
        self.elementType = elementType
        self.shape = shape
    }

    package var byteCount: Int { shape.elementCount * elementType.byteCount }
    package var description: String { "\(elementType)[\(shape)]" }
}
