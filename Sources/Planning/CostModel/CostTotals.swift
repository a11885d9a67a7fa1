/// A `CostBreakdown` summed by place, in nanoseconds and bytes: what planning compares by the hundred thousand.
struct CostTotals: Sendable {
    var edge: Int64
    var uplink: Int64
    /// Round trip and wait.
    var delay: Int64
    var cloud: Int64
    var downlink: Int64
    var uplinkBytes: Int64
    var downlinkBytes: Int64

    var latency: Int64 { edge + uplink + delay + cloud + downlink }
    var bottleneck: Int64 { max(max(edge, uplink), max(cloud, downlink)) }
}

extension CostTotals {
    init(_ cost: CostBreakdown) {
        edge = cost.edgeTime.wholeNanoseconds
        uplink = cost.uplink.wholeNanoseconds
        delay = (cost.roundTrip + cost.cloudWait).wholeNanoseconds
        cloud = cost.cloudTime.wholeNanoseconds
        downlink = cost.downlink.wholeNanoseconds
        uplinkBytes = cost.uplinkBytes.bytes
        downlinkBytes = cost.downlinkBytes.bytes
    }
}

extension RunningCosts {
    /// What one picture takes.
    func resources(of cost: CostTotals, edgeThreads: Int, cloudThreads: Int, over link: LinkProfile) -> Resources {
        let board =
            board.idle * Double(cost.latency) + board.perBusyThread * Double(edgeThreads) * Double(cost.edge)
        let radio =
            link.radio.map { radio in
                (radio.perMegabit * link.uplink.bitsPerSecond / 1e6 + radio.base) * Double(cost.uplink)
                    + radio.base * Double(cost.downlink)
            } ?? 0
        let coreTime = Double(cost.cloud) * Double(cloudThreads) / 1e9
        let bytes = Double(cost.uplinkBytes) + Double(cost.downlinkBytes)
        return Resources(
            energy: (board + radio) / 1e9, coreTime: coreTime,
            money: bytes / 1e9 * prices.perGigabyte + coreTime / 3600 * prices.perCoreHour)
    }
}

extension CostModel {
    /// What one picture takes beside time, run in the ways `edge` and `cloud`.
    func resources(of cost: CostTotals, edge: Int, cloud: Int) -> Resources {
        costs.resources(
            of: cost, edgeThreads: edges[edge].threads, cloudThreads: clouds[cloud].threads, over: link)
    }

    /// The latency that one picture in twenty exceeds, in nanoseconds: independent spreads of the board, the server and the
    /// link, added as squares to the usual.
    func p95Latency(of cost: CostTotals, edge: Int, cloud: Int) -> Double {
        var squares = 0.0
        func add(_ excess: Double) { squares += excess * excess }
        add(Double(cost.edge) * edges[edge].spread)
        add(Double(cost.cloud) * clouds[cloud].spread)
        if cost.uplinkBytes > 0 {
            if let slow = link.uplinkP5 {
                add(8e9 * Double(cost.uplinkBytes) / slow.bitsPerSecond - Double(cost.uplink))
            }
            if let late = link.roundTripP95 { add(Double((late - link.roundTrip).wholeNanoseconds)) }
        }
        return Double(cost.latency) + squares.squareRoot()
    }

    /// What the objective makes small: nanoseconds, bytes, joules or money.
    func value(_ objective: Objective, of cost: CostTotals, edge: Int, cloud: Int) -> Double {
        switch objective {
        case .latency: Double(cost.latency)
        case .p95Latency: p95Latency(of: cost, edge: edge, cloud: cloud)
        case .throughput: Double(cost.bottleneck)
        case .uplinkBytes: Double(cost.uplinkBytes)
        case .edgeTime: Double(cost.edge)
        case .energy: resources(of: cost, edge: edge, cloud: cloud).energy
        case .cloudTime: resources(of: cost, edge: edge, cloud: cloud).coreTime
        case .money: resources(of: cost, edge: edge, cloud: cloud).money
        }
    }
}
