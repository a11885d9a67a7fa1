/// How a board's cuts are chosen.
package enum Policy: Hashable, Sendable {
    case edgeOnly
    /// The picture as a JPEG.
    case cloudOnly
    /// Always the same choice, by its place in the set.
    case fixed(Int)
    /// Neurosurgeon's: the best prefix of the layers at the last uplink seen.
    case chain
    /// DADS's: the best cut at the last uplink seen; under heavy load the one of most throughput.
    case dads
    /// The decision table with hysteresis, at the uplink estimated from past transfers.
    case cleave
    /// Knows the trace: at each picture the choice that will be the fastest, queues of other boards aside.
    case clairvoyant

    /// Whether it follows the link, and so needs to hear of it.
    var isAdaptive: Bool {
        switch self {
        case .chain, .dads, .cleave: true
        case .edgeOnly, .cloudOnly, .fixed, .clairvoyant: false
        }
    }
}
