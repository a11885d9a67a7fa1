/// What will happen, in order of time; what happens at one time, in the order in which it was added.
///
/// A heap of four children a node: half the depth of a binary one, and siblings share a cache line or two.
struct EventQueue {
    enum Kind: UInt8 {
        /// A picture comes; the subject is a board.
        case arrival
        /// A board's processor is done with its job.
        case computed
        /// An uplink is done with its transfer; the number is the transfer's.
        case sent
        /// A frame is complete in the cloud.
        case received
        /// A server's worker is done; the subject is a worker.
        case served
        /// A worker's batch has waited long enough; the subject is a server.
        case batchDue
        /// The answer to a frame is back.
        case answered
        /// A server's refusal is back.
        case refused
        /// The cloud's time for a frame is over.
        case overdue
        /// A board tries to connect.
        case retry
        /// A transfer that measures the link has taken too long; the subject is an uplink, the number the transfer's.
        case probeOverdue
    }

    struct Event {
        var time: Int64
        fileprivate var order: UInt64
        /// Tells an event that still counts from one for a frame, a transfer that has ended.
        var number: UInt32
        var subject: Int32
        var kind: Kind
    }

    private var heap: [Event] = []
    private var added: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }
    var count: Int { heap.count }

    mutating func add(_ kind: Kind, at time: Int64, subject: Int, number: UInt32 = 0) {
        let event = Event(time: time, order: added, number: number, subject: Int32(subject), kind: kind)
        added += 1
        heap.append(event)
        var place = heap.count - 1
        while place > 0 {
            let parent = (place - 1) / 4
            guard Self.precedes(event, heap[parent]) else { break }
            heap[place] = heap[parent]
            place = parent
        }
        heap[place] = event
    }

    mutating func next() -> Event? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return first }
        var place = 0
        while true {
            let child = 4 * place + 1
            guard child < heap.count else { break }
            var least = child
            for other in child + 1..<max(child + 1, min(child + 4, heap.count))
            where Self.precedes(heap[other], heap[least]) { least = other }
            guard Self.precedes(heap[least], last) else { break }
            heap[place] = heap[least]
            place = least
        }
        heap[place] = last
        return first
    }

    private static func precedes(_ left: Event, _ right: Event) -> Bool {
        left.time != right.time ? left.time < right.time : left.order < right.order
    }
}

/// A queue that allocates only to grow.
struct FIFO<Element> {
    private var elements: [Element] = []
    private var first = 0

    var isEmpty: Bool { first == elements.count }
    var count: Int { elements.count - first }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard first < elements.count else { return nil }
        let element = elements[first]
        first += 1
        if first == elements.count {
            elements.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 32 && 2 * first >= elements.count {
            elements.removeFirst(first)
            first = 0
        }
        return element
    }

    /// Takes out, from the front, up to `count` elements that satisfy `condition`.
    mutating func take(_ count: Int, where condition: (Element) -> Bool) -> [Element] {
        var taken: [Element] = []
        var place = first
        while place < elements.count && taken.count < count {
            if condition(elements[place]) {
                taken.append(elements.remove(at: place))
            } else {
                place += 1
            }
        }
        return taken
    }

    /// The elements in order.
    var all: ArraySlice<Element> { elements[first...] }
}
