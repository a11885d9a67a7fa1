/// The path between edge and cloud.
package struct LinkProfile: ProfileDocument, Hashable {
    package static let schema = "cleave.link-profile"
    package static let version = 1

    package var name: String
    package var roundTrip: Duration
    package var uplink: BitRate
    package var downlink: BitRate
    /// The round trip that one in twenty exceeds.
    package var roundTripP95: Duration?
    /// The uplink that one transfer in twenty falls short of.
    package var uplinkP5: BitRate?
    package var radio: RadioPower?
    /// Who measured the figures, and what was assumed.
    package var source: String

    /// - Precondition: `roundTrip` ≥ 0; it is kept to whole nanoseconds.
    package init(
        name: String, roundTrip: Duration, uplink: BitRate, downlink: BitRate, radio: RadioPower? = nil, source: String
    ) {
        precondition(roundTrip >= .zero)
        self.name = name
        self.roundTrip = .nanoseconds(roundTrip.wholeNanoseconds)
        self.uplink = uplink
        self.downlink = downlink
        self.radio = radio
        self.source = source
    }

    private enum CodingKeys: String, CodingKey {
        case name, source, radio
        case roundTrip = "roundTripNanoseconds"
        case uplink = "uplinkBitsPerSecond"
        case downlink = "downlinkBitsPerSecond"
        case roundTripP95 = "roundTripP95Nanoseconds"
        case uplinkP5 = "uplinkP5BitsPerSecond"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        roundTrip = try container.decode(Nanoseconds.self, forKey: .roundTrip).duration
        uplink = try container.decode(BitRate.self, forKey: .uplink)
        downlink = try container.decode(BitRate.self, forKey: .downlink)
        roundTripP95 = try container.decodeIfPresent(Nanoseconds.self, forKey: .roundTripP95)?.duration
        uplinkP5 = try container.decodeIfPresent(BitRate.self, forKey: .uplinkP5)
        radio = try container.decodeIfPresent(RadioPower.self, forKey: .radio)
        source = try container.decode(String.self, forKey: .source)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(Nanoseconds(roundTrip), forKey: .roundTrip)
        try container.encode(uplink, forKey: .uplink)
        try container.encode(downlink, forKey: .downlink)
        try container.encodeIfPresent(roundTripP95.map(Nanoseconds.init), forKey: .roundTripP95)
        try container.encodeIfPresent(uplinkP5, forKey: .uplinkP5)
        try container.encodeIfPresent(radio, forKey: .radio)
        try container.encode(source, forKey: .source)
    }

    package func validate() throws(PlanningError) {
        if let radio, !(radio.perMegabit.isFinite && radio.perMegabit >= 0 && radio.base.isFinite && radio.base >= 0) {
            throw PlanningError(.invalidNumber, "expected finite watts ≥ 0", at: "radio")
        }
        if let roundTripP95, roundTripP95 < roundTrip {
            throw PlanningError(.invalidNumber, "expected at least the round trip", at: "roundTripP95Nanoseconds")
        }
        if let uplinkP5, uplinkP5 > uplink {
            throw PlanningError(.invalidNumber, "expected at most the uplink", at: "uplinkP5BitsPerSecond")
        }
    }
}

extension LinkProfile {
    private static func mobile(
        _ name: String, _ uplink: Double, roundTrip: Duration, radio: RadioPower
    ) -> LinkProfile {
        LinkProfile(
            name: name, roundTrip: roundTrip, uplink: .megabits(uplink), downlink: .megabits(uplink), radio: radio,
            source: "Average uplink as split-computing studies commonly use it, not measured here; round trip assumed; "
                + "downlink assumed equal to the uplink, which hardly matters for answers of a few kilobytes.")
    }

    /// 1.1 Mbit/s, 100 ms.
    package static let mobile3G = mobile("3g", 1.1, roundTrip: .milliseconds(100), radio: .mobile3G)
    /// 5.85 Mbit/s, 60 ms.
    package static let mobile4G = mobile("4g", 5.85, roundTrip: .milliseconds(60), radio: .mobile4G)
    /// 18.88 Mbit/s, 20 ms.
    package static let wifi = mobile("wifi", 18.88, roundTrip: .milliseconds(20), radio: .wifi)
    /// Gigabit within one building.
    package static let ethernet = LinkProfile(
        name: "ethernet", roundTrip: .microseconds(300), uplink: .megabits(940), downlink: .megabits(940),
        source: "Nominal: TCP payload rate of 1000BASE-T; round trip of a switched local network assumed.")
    /// Both programs on one machine.
    package static let loopback = LinkProfile(
        name: "loopback", roundTrip: .microseconds(100), uplink: .megabits(10_000), downlink: .megabits(10_000),
        source: "Nominal: far above what a split needs, so that only computation counts.")

    package static let presets = [mobile3G, mobile4G, wifi, ethernet, loopback]

    package static func preset(named name: String) -> LinkProfile? { presets.first { $0.name == name } }
}
