/// A step of one split inference, in order of time.
package enum CostComponent: String, Hashable, Sendable, Codable, CaseIterable {
    /// Picture → network input, or nothing where the edge sends the picture itself.
    case edgePreprocess
    case head
    /// Boundary tensors → bytes, or picture → JPEG.
    case encode
    case uplink
    /// Paid once where anything is remote.
    case roundTrip
    /// Until the cloud begins to compute: other boards' pictures come first.
    case cloudWait
    case decode
    case cloudPreprocess
    case tail
    case downlink

    /// What is busy with the step; waiting keeps nothing busy and counts with the link.
    package enum Place: Hashable, Sendable {
        case edge, link, cloud
    }

    package var place: Place {
        switch self {
        case .edgePreprocess, .head, .encode: .edge
        case .uplink, .roundTrip, .cloudWait, .downlink: .link
        case .decode, .cloudPreprocess, .tail: .cloud
        }
    }
}

/// What one inference costs, step by step; times are whole nanoseconds.
package struct CostBreakdown: Hashable, Sendable {
    package var edgePreprocess = Duration.zero
    package var head = Duration.zero
    package var encode = Duration.zero
    package var uplink = Duration.zero
    package var roundTrip = Duration.zero
    package var cloudWait = Duration.zero
    package var decode = Duration.zero
    package var cloudPreprocess = Duration.zero
    package var tail = Duration.zero
    package var downlink = Duration.zero
    package var uplinkBytes = ByteCount.zero
    package var downlinkBytes = ByteCount.zero

    package init() {}

    package subscript(component: CostComponent) -> Duration {
        get { self[keyPath: component.field] }
        set { self[keyPath: component.field] = newValue }
    }

    /// From the picture on the edge to the answer on the edge.
    package var latency: Duration { edgeTime + uplink + roundTrip + cloudWait + cloudTime + downlink }

    /// How long the edge computes.
    package var edgeTime: Duration { edgePreprocess + head + encode }

    /// How long the cloud computes.
    package var cloudTime: Duration { decode + cloudPreprocess + tail }

    /// The time between two answers when edge, link and cloud work on different pictures at once: the busiest of them.
    /// The round trip and the wait delay an answer but keep nothing busy.
    package var bottleneck: Duration { max(edgeTime, uplink, cloudTime, downlink) }

    /// Answers a second, pipelined; infinite when nothing takes time.
    package var throughput: Double { 1 / bottleneck.inSeconds }
}

extension CostComponent {
    fileprivate var field: WritableKeyPath<CostBreakdown, Duration> {
        switch self {
        case .edgePreprocess: \.edgePreprocess
        case .head: \.head
        case .encode: \.encode
        case .uplink: \.uplink
        case .roundTrip: \.roundTrip
        case .cloudWait: \.cloudWait
        case .decode: \.decode
        case .cloudPreprocess: \.cloudPreprocess
        case .tail: \.tail
        case .downlink: \.downlink
        }
    }
}

extension CostBreakdown: Codable {
    private enum Key: CodingKey {
        case time(CostComponent)
        case uplinkBytes, downlinkBytes

        var stringValue: String {
            switch self {
            case .time(let component): component.rawValue + "Nanoseconds"
            case .uplinkBytes: "uplinkBytes"
            case .downlinkBytes: "downlinkBytes"
            }
        }

        var intValue: Int? { nil }

        init?(stringValue: String) {
            let keys: [Key] = CostComponent.allCases.map { .time($0) } + [.uplinkBytes, .downlinkBytes]
            guard let key = keys.first(where: { $0.stringValue == stringValue }) else { return nil }
            self = key
        }

        init?(intValue: Int) { nil }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        for component in CostComponent.allCases {
            // Breakdowns from before the wait was counted lack it.
            let time =
                component == .cloudWait
                ? try container.decodeIfPresent(Nanoseconds.self, forKey: .time(component))
                : try container.decode(Nanoseconds.self, forKey: .time(component))
            self[component] = time?.duration ?? .zero
        }
        uplinkBytes = try container.decode(ByteCount.self, forKey: .uplinkBytes)
        downlinkBytes = try container.decode(ByteCount.self, forKey: .downlinkBytes)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for component in CostComponent.allCases {
            try container.encode(Nanoseconds(self[component]), forKey: .time(component))
        }
        try container.encode(uplinkBytes, forKey: .uplinkBytes)
        try container.encode(downlinkBytes, forKey: .downlinkBytes)
    }
}
