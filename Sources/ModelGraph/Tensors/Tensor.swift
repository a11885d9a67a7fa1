/// An immutable, dense, row-major tensor.
///
/// The bytes may lie in a mapped file at any alignment: read them through `withUnsafeBytes` and unaligned loads, or
/// through `array(of:)`.
package struct Tensor: Sendable {
    package let type: TensorType
    package let storage: TensorStorage
    /// Where this tensor's bytes begin in `storage`.
    package let byteOffset: Int

    package var elementType: ElementType { type.elementType }
    package var shape: Shape { type.shape }
    package var byteCount: Int { type.byteCount }

    /// - Precondition: the bytes lie within `storage`.
    package init(_ type: TensorType, storage: TensorStorage, byteOffset: Int = 0) {
        precondition(byteOffset >= 0 && byteOffset + type.byteCount <= storage.bytes.count)
        self.type = type
        self.storage = storage
        self.byteOffset = byteOffset
    }

    /// Copies `values`, row-major.
    /// - Precondition: as many values as `shape` has elements.
    package init<Element: TensorElement>(_ values: [Element], shape: Shape) {
        precondition(values.count == shape.elementCount, "\(values.count) values for shape \(shape)")
        let type = TensorType(Element.elementType, shape)
        let storage = TensorStorage(byteCount: type.byteCount) { target in
            values.withUnsafeBytes { target.copyMemory(from: $0) }
        }
        self.init(type, storage: storage)
    }

    package init<Element: TensorElement>(scalar value: Element) {
        self.init([value], shape: [])
    }

    /// Fills a new tensor in place; `initialize` must write every element.
    package init<Element: TensorElement>(
        shape: Shape, of _: Element.Type, initialize: (UnsafeMutableBufferPointer<Element>) throws -> Void
    ) rethrows {
        let type = TensorType(Element.elementType, shape)
        let storage = try TensorStorage(byteCount: type.byteCount) { target in
            try initialize(target.bindMemory(to: Element.self))
        }
        self.init(type, storage: storage)
    }

    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(rebasing: storage.bytes[byteOffset..<byteOffset + byteCount]))
    }

    /// Gives back the memory behind the elements where a file holds them, too.
    package func releasePages() {
        storage.releasePages(byteOffset..<byteOffset + byteCount)
    }

    /// The elements, copied, row-major.
    /// - Precondition: `Element` is this tensor's element type.
    package func array<Element: TensorElement>(of _: Element.Type = Element.self) -> [Element] {
        precondition(Element.elementType == elementType, "\(elementType) tensor read as \(Element.elementType)")
        return withUnsafeBytes { source in
            [Element](unsafeUninitializedCapacity: shape.elementCount) { target, count in
                UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
                count = shape.elementCount
            }
        }
    }

    /// The same bytes under another shape.
    /// - Precondition: the element counts agree.
    package func reshaped(to shape: Shape) -> Tensor {
        precondition(shape.elementCount == self.shape.elementCount, "\(self.shape) reshaped to \(shape)")
        return Tensor(TensorType(elementType, shape), storage: storage, byteOffset: byteOffset)
    }

    /// Integer elements of any width as `Int`; `nil` for other element types or values beyond `Int`.
    package var integers: [Int]? {
        switch elementType {
        case .int8: array(of: Int8.self).map(Int.init)
        case .uint8: array(of: UInt8.self).map(Int.init)
        case .int16: array(of: Int16.self).map(Int.init)
        case .uint16: array(of: UInt16.self).map(Int.init)
        case .int32: array(of: Int32.self).map(Int.init)
        case .uint32: array(of: UInt32.self).map(Int.init)
        case .int64: array(of: Int64.self).map(Int.init)
        case .uint64:
            array(of: UInt64.self).reduce(into: [Int]?([])) { result, value in
                guard let exact = Int(exactly: value) else { return result = nil }
                result?.append(exact)
            }
        case .bool, .float16, .float32, .float64: nil
        }
    }
}
