internal import ModelGraph

/// Elements copied to where they belong: transposed, sliced, padded, repeated, shuffled.
///
/// The result is written from its first element to its last. Each of its axes has a table of where, in elements of the
/// operand, an index along it leads; an element comes from the sum of its indices' entries. A hole, in any axis, is filled.
struct Movement: Sendable {
    /// An entry that leads nowhere.
    static let hole = Int.min

    /// Outermost first; the product of their counts is the number of runs.
    let outer: [[Int]]
    /// The offsets of one run's elements, from where the run begins.
    let inner: [Int32]
    /// Whether a run's elements lie side by side in the operand as they do in the result.
    let isContiguous: Bool
    /// What stands in holes: an element's bits.
    let fill: UInt64

    /// Runs shorter than this are joined with the axis around them.
    private static let shortRun = 64

    /// - Parameter axes: tables of the result's axes, outermost first.
    init(_ axes: [[Int]], fill: UInt64 = 0) {
        var outer = axes.filter { $0 != [0] }
        var run = outer.popLast() ?? [0]
        while let next = outer.last, run.count * next.count <= 1 << 16, !next.contains(Self.hole),
            !run.contains(Self.hole), run.count < Self.shortRun || Self.continues(run, next)
        {
            run = next.flatMap { base in run.map { base + $0 } }
            outer.removeLast()
        }
        // What has holes, or reaches far, goes element by element through the outer tables.
        let fits = run.allSatisfy { $0 >= 0 && $0 <= Int(Int32.max) }
        self.outer = fits ? outer : outer + [run]
        inner = fits ? run.map(Int32.init) : [0]
        isContiguous = fits && run.enumerated().allSatisfy { $0 == $1 }
        self.fill = fill
    }

    private static func continues(_ run: [Int], _ next: [Int]) -> Bool {
        run.enumerated().allSatisfy { $0 == $1 } && next.enumerated().allSatisfy { $0 * run.count == $1 }
    }

    var runCount: Int { outer.reduce(1) { $0 * $1.count } }
    var elementCount: Int { runCount * inner.count }
}

extension Movement {
    /// Copies runs `first..<last` of `Element`s.
    func run<Element: FixedWidthInteger & UnsignedInteger>(
        _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, first: Int, last: Int
    ) {
        guard first < last else { return }
        var position = [Int](repeating: 0, count: outer.count)
        var rest = first
        for axis in outer.indices.reversed() {
            (rest, position[axis]) = rest.quotientAndRemainder(dividingBy: outer[axis].count)
        }
        let fill = Element(truncatingIfNeeded: fill)
        inner.withUnsafeBufferPointer { inner in
            var target = target + first * inner.count
            for _ in first..<last {
                var base = 0
                for axis in outer.indices {
                    let offset = outer[axis][position[axis]]
                    if offset == Self.hole { base = Self.hole; break }
                    base += offset
                }
                if base == Self.hole {
                    target.update(repeating: fill, count: inner.count)
                } else if isContiguous {
                    target.update(from: source + base, count: inner.count)
                } else {
                    let start = source + base
                    for index in 0..<inner.count { target[index] = start[Int(inner[index])] }
                }
                target += inner.count
                var axis = outer.count - 1
                while axis >= 0 {
                    position[axis] += 1
                    if position[axis] < outer[axis].count { break }
                    position[axis] = 0
                    axis -= 1
                }
            }
        }
    }

    /// As `run`, for elements of 1, 2, 4 or 8 bytes.
    func run(
        _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, elementBytes: Int, first: Int, last: Int
    ) {
        func copy<Element: FixedWidthInteger & UnsignedInteger>(_: Element.Type) {
            run(
                source.assumingMemoryBound(to: Element.self), target.assumingMemoryBound(to: Element.self),
                first: first, last: last)
        }
        switch elementBytes {
        case 1: copy(UInt8.self)
        case 2: copy(UInt16.self)
        case 4: copy(UInt32.self)
        default: copy(UInt64.self)
        }
    }
}
