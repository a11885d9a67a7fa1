internal import ArgumentParser
internal import FoundationEssentials
internal import Planning
internal import Simulation

/// Which links `cleave simulate` replays.
struct SimulatedLinkOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A link trace, or a folder of them; may be repeated.", valueName: "path"))
    var trace: [String] = []

    @Option(
        help: ArgumentHelp(
            "A link of constant rate in place of traces: \(LinkProfile.presets.map(\.name).joined(separator: ", ")).",
            valueName: "name"))
    var link: String?

    @Option(
        help: ArgumentHelp(
            "Multiply the traces' rates; logs of downlinks stand for uplinks otherwise.", valueName: "factor"))
    var uplinkScale: Double = 1

    @Option(help: ArgumentHelp("The downlink, as a multiple of the uplink.", valueName: "factor"))
    var downlinkScale: Double = 1

    @Option(help: ArgumentHelp("Round trip in milliseconds; the trace's own, else 50, unless given.", valueName: "ms"))
    var rtt: Double?

    @Option(
        help: ArgumentHelp(
            "The radio that energy is counted for: 3g, 4g or wifi (Huang et al., MobiSys 2012).", valueName: "name"))
    var radio: String?

    func validate() throws {
        if trace.isEmpty == (link == nil) { throw ValidationError("name traces with --trace, or a link with --link") }
        for (name, value) in [("--uplink-scale", uplinkScale), ("--downlink-scale", downlinkScale)]
        where !(value > 0 && value <= 1e6) {
            throw ValidationError("\(name): expected more than 0 and at most 10⁶, got \(value)")
        }
        if let rtt, !(rtt >= 0 && rtt < 3.6e6) { throw ValidationError("--rtt: expected 0 or more, got \(rtt)") }
        if let link, LinkProfile.preset(named: link) == nil { throw ValidationError("--link: no link \"\(link)\"") }
        if let radio, Self.radios[radio] == nil { throw ValidationError("--radio: expected 3g, 4g or wifi") }
    }

    private static let radios = ["3g": RadioPower.mobile3G, "4g": .mobile4G, "wifi": .wifi]

    var radioPower: RadioPower? {
        radio.flatMap { Self.radios[$0] } ?? link.flatMap { LinkProfile.preset(named: $0)?.radio }
    }

    /// The planner's link; the simulation takes only the options from its plan, which hold for every link.
    var plannedLink: LinkProfile { link.flatMap(LinkProfile.preset(named:)) ?? .mobile4G }

    /// Every trace, scaled and with a round trip.
    func traces() throws -> [LinkTrace] {
        if let preset = link.flatMap(LinkProfile.preset(named:)) {
            let rate = Int64(min(preset.uplink.bitsPerSecond * uplinkScale, Double(LinkTrace.Limit.bitsPerSecond)))
            let roundTrip = rtt.map { Int64($0 * 1e6) } ?? preset.roundTrip.wholeNanoseconds
            return [.constant(name: preset.name, bitsPerSecond: rate, roundTrip: roundTrip)]
        }
        return try trace.flatMap(files).map { path in
            guard let data = FileManager.default.contents(atPath: path) else {
                throw CommandError("\(path): cannot be read")
            }
            let read = try LinkTrace.read([UInt8](data), named: path)
            let roundTrip = rtt.map { Int64($0 * 1e6) } ?? (read.hasRoundTrips ? nil : 50_000_000)
            return read.scaled(by: uplinkScale, roundTrip: roundTrip)
        }
    }

    /// A folder's files in the order of their names.
    private func files(_ path: String) throws -> [String] {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let type = attributes?[.type] as? FileAttributeType else {
            throw CommandError("\(path): no such file or folder")
        }
        guard type == .typeDirectory else { return [path] }
        let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }.sorted()
        guard !names.isEmpty else { throw CommandError("\(path): no traces") }
        return names.map { (path.hasSuffix("/") ? path : path + "/") + $0 }
    }
}
