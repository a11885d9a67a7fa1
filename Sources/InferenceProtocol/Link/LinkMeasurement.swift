private import FoundationEssentials
package import GRPCCore
private import SwiftProtobuf

/// What a link to the cloud does, as seen by the messages of the split stream. Medians of several probes.
package struct LinkMeasurement: Hashable, Sendable {
    package let roundTrip: Duration
    package let uplinkBytesPerSecond: Double
    package let downlinkBytesPerSecond: Double

    /// How much to measure.
    package struct Plan: Hashable, Sendable {
        package var roundTrips = 21
        /// Bulk transfers each way whose rate counts.
        package var transfers = 5
        /// The first transfer's bytes; doubled until one takes `transferTime` or `maximumBytes` is reached.
        package var initialBytes = 16 << 10
        package var maximumBytes = 4 << 20
        package var transferTime: Duration = .milliseconds(100)
        /// The whole measurement fails after this.
        package var timeout: Duration = .seconds(30)

        package init() {}
    }

    /// Measures over a call of its own, alongside whatever else the connection carries.
    ///
    /// A rate is bytes over the time between the arrival of a small message and of a bulk one sent right after it, on the
    /// receiver's clock: neither the round trip nor the clocks' offset enters.
    package static func measure(
        _ client: some Cleave_V1_SplitInference.ClientProtocol, plan: Plan = Plan(), options: CallOptions = .defaults
    ) async throws -> LinkMeasurement {
        var options = options
        options.timeout = plan.timeout
        // Above the transport's default limit; room for the message around the padding.
        options.maxRequestMessageBytes = max(options.maxRequestMessageBytes ?? 0, plan.maximumBytes + 1024)
        let (probes, send) = AsyncStream.makeStream(of: Cleave_V1_LinkProbe.self)
        let request = StreamingClientRequest(of: Cleave_V1_LinkProbe.self) { writer in
            for await probe in probes { try await writer.write(probe) }
        }
        return try await client.measureLink(request: request, options: options) { response in
            defer { send.finish() }
            var replies = Replies(messages: response.messages.makeAsyncIterator(), send: send)
            let roundTrip = try await replies.roundTrip(count: plan.roundTrips)
            let uplink = try await replies.rate(plan: plan) { try await $0.uplinkTime(bytes: $1) }
            let downlink = try await replies.rate(plan: plan) { try await $0.downlinkTime(bytes: $1) }
            return LinkMeasurement(
                roundTrip: roundTrip, uplinkBytesPerSecond: uplink, downlinkBytesPerSecond: downlink)
        }
    }
}

/// What a small message and a larger one right after it tell of a link.
package struct LinkProbeResult: Hashable, Sendable {
    package let roundTrip: Duration
    /// The larger message's.
    package let bytes: Int
    /// Between the two arrivals, on the cloud's clock.
    package let spacing: Duration

    package init(roundTrip: Duration, bytes: Int, spacing: Duration) {
        self.roundTrip = roundTrip
        self.bytes = bytes
        self.spacing = spacing
    }
}

extension LinkMeasurement {
    /// A glance at the uplink and the round trip, at the price of `bytes`.
    package static func probe(
        _ client: some Cleave_V1_SplitInference.ClientProtocol, bytes: Int, options: CallOptions = .defaults
    ) async throws -> LinkProbeResult {
        let (probes, send) = AsyncStream.makeStream(of: Cleave_V1_LinkProbe.self)
        let request = StreamingClientRequest(of: Cleave_V1_LinkProbe.self) { writer in
            for await probe in probes { try await writer.write(probe) }
        }
        return try await client.measureLink(request: request, options: options) { response in
            defer { send.finish() }
            var replies = Replies(messages: response.messages.makeAsyncIterator(), send: send)
            let roundTrip = try await replies.roundTrip(count: 1)
            return LinkProbeResult(
                roundTrip: roundTrip, bytes: bytes, spacing: try await replies.uplinkTime(bytes: bytes))
        }
    }
}

/// The client's half of the measuring call.
private struct Replies<Messages: AsyncIteratorProtocol> where Messages.Element == Cleave_V1_LinkReply {
    var messages: Messages
    let send: AsyncStream<Cleave_V1_LinkProbe>.Continuation
    var nextID: UInt64 = 0

    mutating func probe(padding: Int = 0, replyBytes: Int = 0) {
        send.yield(
            .with {
                $0.probeID = nextID
                $0.padding = Data(count: padding)
                $0.replyBytes = UInt32(replyBytes)
            })
        nextID += 1
    }

    /// Replies come in the order of the probes.
    mutating func reply(_ id: UInt64, bytes: Int = 0) async throws -> Cleave_V1_LinkReply {
        guard let reply = try await messages.next() else {
            throw WireError(.peerViolation, "the call ended before its reply", at: "probe \(id)")
        }
        guard reply.probeID == id, reply.padding.count == bytes else {
            throw WireError(
                .peerViolation, "expected \(bytes) bytes, got \(reply.padding.count) for probe \(reply.probeID)",
                at: "probe \(id)")
        }
        return reply
    }

    mutating func roundTrip(count: Int) async throws -> Duration {
        var samples: [Duration] = []
        for _ in 0..<max(count, 1) {
            let start = ContinuousClock.now
            probe()
            _ = try await reply(nextID - 1)
            samples.append(ContinuousClock.now - start)
        }
        return samples.sorted()[samples.count / 2]
    }

    /// The time the link takes for `bytes` towards the cloud, on the cloud's clock.
    mutating func uplinkTime(bytes: Int) async throws -> Duration {
        probe()
        probe(padding: bytes)
        let first = try await reply(nextID - 2)
        let second = try await reply(nextID - 1)
        guard second.receivedNs >= first.receivedNs else {
            throw WireError(.peerViolation, "the peer's clock runs backwards", at: "probe \(nextID - 1)")
        }
        return Duration(wireNanoseconds: second.receivedNs - first.receivedNs)
    }

    /// The time the link takes for `bytes` from the cloud, on this clock.
    mutating func downlinkTime(bytes: Int) async throws -> Duration {
        probe()
        probe(replyBytes: bytes)
        _ = try await reply(nextID - 2)
        let start = ContinuousClock.now
        _ = try await reply(nextID - 1, bytes: bytes)
        return ContinuousClock.now - start
    }

    /// Bytes per second: doubles the size until a transfer is long enough to be timed, then takes the median.
    mutating func rate(
        plan: LinkMeasurement.Plan, time: (inout Self, Int) async throws -> Duration
    ) async throws -> Double {
        var bytes = plan.initialBytes
        while bytes < plan.maximumBytes, try await time(&self, bytes) < plan.transferTime {
            bytes = min(bytes * 2, plan.maximumBytes)
        }
        var rates: [Double] = []
        for _ in 0..<max(plan.transfers, 1) {
            let elapsed = try await time(&self, bytes).milliseconds / 1e3
            rates.append(Double(bytes) / max(elapsed, 1e-9))
        }
        return rates.sorted()[rates.count / 2]
    }
}
