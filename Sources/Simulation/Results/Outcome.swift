/// What came of one run of one policy.
package struct Outcome: Sendable {
    /// By picture, board after board, in nanoseconds; -1 for one that was dropped.
    package var latencies: [Int64]
    /// By picture; -1 for one that was dropped.
    package var choices: [Int32]
    /// Pictures that were dropped while they waited for a place.
    package var dropped = 0
    /// Pictures that the cloud finished.
    package var remote = 0
    /// Pictures whose deadline for the cloud passed, that a server refused, and that the board did not offer as there was no link.
    package var timeouts = 0
    package var refusals = 0
    package var unasked = 0
    /// Changes of choice from one picture of a board to its next.
    package var switches = 0
    /// Everything sent up, parts of transfers that were cut off and measurements of the link included.
    package var uploadedBytes: Int64 = 0
    package var probeBytes: Int64 = 0
    package var answerBytes: Int64 = 0
    /// Of all boards, in nanoseconds: computing (and times threads), sending and receiving.
    package var edgeBusy: Int64 = 0
    package var edgeThreadTime = 0.0
    package var sendingTime: Int64 = 0
    package var receivingTime: Int64 = 0
    /// By server, of all its workers, in nanoseconds.
    package var cloudBusy: [Int64]
    package var cloudThreadTime = 0.0
    /// Pictures that a server began with, and how long they waited for it in all.
    package var served = 0
    package var cloudWait: Int64 = 0
    /// When the last answer was known, in nanoseconds.
    package var end: Int64 = 0

    init(pictures: Int, servers: Int) {
        latencies = Array(repeating: -1, count: pictures)
        choices = Array(repeating: -1, count: pictures)
        cloudBusy = Array(repeating: 0, count: servers)
    }
}
