/// A directed network with capacities, whose minimum cut is found by Dinic's algorithm (E. A. Dinic, 1970).
///
/// Arcs are added once; capacities can be set again for another cut of the same network.
struct FlowNetwork {
    /// More than all finite capacities of a network together may sum to.
    static let unlimited: Int64 = 1 << 61

    private struct Arc {
        var target: Int32
        var residual: Int64
    }

    private let vertexCount: Int
    /// Arc 2k and its reverse 2k + 1.
    private var arcs: [Arc] = []
    private var sources: [Int32] = []
    private var capacities: [Int64] = []
    /// By vertex, where its arcs begin in `order`; made when the arcs are complete.
    private var starts: [Int32] = []
    private var order: [Int32] = []

    init(vertices: Int) {
        vertexCount = vertices
    }

    /// - Returns: the arc's number, for `setCapacity`.
    mutating func addArc(from source: Int, to target: Int, capacity: Int64 = 0) -> Int {
        arcs.append(Arc(target: Int32(target), residual: 0))
        arcs.append(Arc(target: Int32(source), residual: 0))
        sources += [Int32(source), Int32(target)]
        capacities.append(capacity)
        return capacities.count - 1
    }

    mutating func setCapacity(_ capacity: Int64, of arc: Int) { capacities[arc] = capacity }

    /// The vertices on the source's side of a minimum cut: of several the one with the fewest.
    /// - Complexity: O(V² · E) at worst, far less on networks of layers.
    mutating func sourceSide(from source: Int, to sink: Int) -> [Bool] {
        index()
        for (arc, capacity) in capacities.enumerated() {
            arcs[2 * arc].residual = capacity
            arcs[2 * arc + 1].residual = 0
        }
        var levels = [Int32](repeating: -1, count: vertexCount)
        var queue = [Int32](repeating: 0, count: vertexCount)
        setLevels(&levels, &queue, from: source)
        while levels[sink] >= 0 {
            augment(levels, from: source, to: sink)
            setLevels(&levels, &queue, from: source)
        }
        return levels.map { $0 >= 0 }
    }

    private mutating func index() {
        guard starts.count != vertexCount + 1 || order.count != arcs.count else { return }
        starts = [Int32](repeating: 0, count: vertexCount + 1)
        for source in sources { starts[Int(source) + 1] += 1 }
        for vertex in 0..<vertexCount { starts[vertex + 1] += starts[vertex] }
        order = [Int32](repeating: 0, count: arcs.count)
        var next = starts
        for (arc, source) in sources.enumerated() {
            order[Int(next[Int(source)])] = Int32(arc)
            next[Int(source)] += 1
        }
    }

    /// Distances from the source over arcs with room; -1 for what cannot be reached.
    private func setLevels(_ levels: inout [Int32], _ queue: inout [Int32], from source: Int) {
        for vertex in levels.indices { levels[vertex] = -1 }
        levels[source] = 0
        queue[0] = Int32(source)
        var (head, tail) = (0, 1)
        while head < tail {
            let vertex = Int(queue[head])
            head += 1
            for place in Int(starts[vertex])..<Int(starts[vertex + 1]) {
                let arc = arcs[Int(order[place])]
                guard arc.residual > 0, levels[Int(arc.target)] < 0 else { continue }
                levels[Int(arc.target)] = levels[vertex] + 1
                queue[tail] = arc.target
                tail += 1
            }
        }
    }

    /// A blocking flow along the levels.
    private mutating func augment(_ levels: [Int32], from source: Int, to sink: Int) {
        var next = starts
        var path: [Int32] = []
        var vertex = source
        while true {
            if vertex == sink {
                let room = path.reduce(Int64.max) { min($0, arcs[Int($1)].residual) }
                var firstFull = path.count - 1
                for (step, arc) in path.enumerated().reversed() {
                    arcs[Int(arc)].residual -= room
                    arcs[Int(arc) ^ 1].residual += room
                    if arcs[Int(arc)].residual == 0 { firstFull = step }
                }
                vertex = Int(sources[Int(path[firstFull])])
                path.removeSubrange(firstFull...)
                continue
            }
            let end = starts[vertex + 1]
            var place = next[vertex]
            while place < end {
                let arc = arcs[Int(order[Int(place)])]
                if arc.residual > 0 && levels[Int(arc.target)] == levels[vertex] + 1 { break }
                place += 1
            }
            next[vertex] = place
            if place < end {
                path.append(order[Int(place)])
                vertex = Int(arcs[Int(order[Int(place)])].target)
            } else {
                guard let last = path.popLast() else { return }
                vertex = Int(sources[Int(last)])
                next[vertex] += 1
            }
        }
    }
}
