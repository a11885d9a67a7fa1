internal import Planning

/// A picture under way; its place in the simulator is used again afterwards.
struct Frame {
    enum Stage: UInt8 {
        case free, onBoard
        /// Behind other transfers, or being sent.
        case beforeUplink, inUplink
        case toCloud, inQueue, inService, toBoard
        /// Back on the board, to be finished there.
        case finishing

        /// Whether the board waits for the cloud.
        var isAway: Bool { rawValue >= Stage.beforeUplink.rawValue && rawValue <= Stage.toBoard.rawValue }
    }

    /// The picture's place in the plan of arrivals.
    var picture: Int32
    var board: Int32
    var choice: Int32
    /// One more each time the place is used.
    var number: UInt32
    var stage = Stage.onBoard
    /// Whether the board hands the head to the link when it is done.
    var asksCloud = false
    var sendStart: Int64 = 0
    var sendEnd: Int64 = 0
    var roundTrip: Int64 = 0
    var received: Int64 = 0
    var serviceStart: Int64 = 0
    var serviceEnd: Int64 = 0
    /// Factors on this picture's compute times.
    var edgeFactor = 1.0
    var cloudFactor = 1.0
}

struct Board {
    struct Job {
        var frame: Int32
        /// The rest of the network after the cloud failed, not the head.
        var isFinish: Bool
    }

    var nextArrival: Int
    /// Pictures for which there is no place under way yet.
    var waiting = FIFO<Int32>()
    var underWay = 0
    /// Of the one processor: the job it is at, and the jobs that follow.
    var job: Job?
    var jobs = FIFO<Job>()
    var busyUntil: Int64 = 0
    var estimate: LinkEstimate
    var switching: SwitchingPolicy
    var lastChoice: Int32 = -1
    var isProbing = false
    /// Without a transfer for so long, the link is measured.
    var probeDelay: Int64
    var isConnected = true
    var timeouts = 0
    var retries = 0
    var generator: SeededGenerator
}

struct Uplink {
    struct Transfer {
        /// A frame, or a board that measures its link.
        enum Subject {
            case frame(Int32, number: UInt32)
            case probe(board: Int32)
        }

        var subject: Subject
        var bytes: Int64
        var start: Int64 = 0
    }

    /// Which of the scenario's traces, and where in it the world begins.
    var trace: Int
    var offset: Int64
    var queue = FIFO<Transfer>()
    var current: Transfer?
    /// Of the current transfer; tells its events from those of earlier ones.
    var number: UInt32 = 0
    /// When it will be done; `nil` for never.
    var end: Int64?
}

struct Server {
    struct Entry {
        var frame: Int32
        var number: UInt32
        var choice: Int32
    }

    var queue = FIFO<Entry>()
    /// Entries of the queue that still count.
    var waiting = 0
    var freeWorkers: [Int32]
}
