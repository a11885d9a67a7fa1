/// What a picture takes beside time: the board's power and the server's prices.
package struct RunningCosts: ProfileDocument, Hashable {
    package static let schema = "cleave.running-costs"
    package static let version = 1

    /// The board's power, the radio aside (`LinkProfile.radio`).
    package struct BoardPower: Hashable, Sendable, Codable {
        /// While it waits, in watts.
        package var idle: Double
        /// More for each thread that computes, in watts.
        package var perBusyThread: Double
        /// The most that was seen over 20 ms or a run, in watts; `nil` unless measured. For who chooses a supply.
        package var peak: Double?
        /// Who measured the figures, or what they assume.
        package var source: String

        package init(idle: Double, perBusyThread: Double, source: String) {
            self.idle = idle
            self.perBusyThread = perBusyThread
            self.source = source
        }

        private enum CodingKeys: String, CodingKey {
            case source
            case idle = "idleWatts"
            case perBusyThread = "wattsPerBusyThread"
            case peak = "peakWatts"
        }

        /// A Raspberry Pi 4 as its reviewers commonly measure it.
        package static let assumed = BoardPower(
            idle: 2.7, perBusyThread: 0.9,
            source:
                "Assumed, not measured here: a Raspberry Pi 4 takes about 2.7 W idle and 6.4 W with four cores busy.")
    }

    package struct Prices: Hashable, Sendable, Codable {
        /// For 10⁹ bytes sent or received.
        package var perGigabyte: Double
        /// For one core of the server.
        package var perCoreHour: Double
        /// For people: `USD`.
        package var currency: String

        package init(perGigabyte: Double, perCoreHour: Double, currency: String) {
            self.perGigabyte = perGigabyte
            self.perCoreHour = perCoreHour
            self.currency = currency
        }

        /// Round figures of a metered mobile plan and of a rented virtual core.
        package static let assumed = Prices(perGigabyte: 2, perCoreHour: 0.04, currency: "USD")
    }

    package var board: BoardPower
    package var prices: Prices

    package init(board: BoardPower = .assumed, prices: Prices = .assumed) {
        self.board = board
        self.prices = prices
    }

    package func validate() throws(PlanningError) {
        for (name, value) in [
            ("board.idleWatts", board.idle), ("board.wattsPerBusyThread", board.perBusyThread),
            ("board.peakWatts", board.peak ?? 0),
            ("prices.perGigabyte", prices.perGigabyte), ("prices.perCoreHour", prices.perCoreHour),
        ] where !(value.isFinite && value >= 0) {
            throw PlanningError(.invalidNumber, "expected a finite number ≥ 0, got \(value)", at: name)
        }
    }
}

/// What one picture takes beside time.
package struct Resources: Hashable, Sendable, Codable {
    /// Of the board, from the picture to the answer, in joules.
    package var energy: Double
    /// Of the server, in seconds of one core.
    package var coreTime: Double
    /// In `RunningCosts.Prices.currency`.
    package var money: Double

    private enum CodingKeys: String, CodingKey {
        case energy = "joules"
        case coreTime = "coreSeconds"
        case money
    }
}

/// What a radio takes while it sends: watts = perMegabit · rate + base.
package struct RadioPower: Hashable, Sendable, Codable {
    /// In watts for each Mbit/s sent.
    package var perMegabit: Double
    /// In watts, while sending or receiving.
    package var base: Double
    package var source: String

    package init(perMegabit: Double, base: Double, source: String) {
        self.perMegabit = perMegabit
        self.base = base
        self.source = source
    }

    private enum CodingKeys: String, CodingKey {
        case source
        case perMegabit = "wattsPerMegabit"
        case base = "baseWatts"
    }

    private static func huang(_ perMegabit: Double, _ base: Double) -> RadioPower {
        RadioPower(
            perMegabit: perMegabit / 1e3, base: base / 1e3,
            source:
                "Huang et al., A Close Examination of Performance and Power Characteristics of 4G LTE Networks, MobiSys 2012: uplink"
        )
    }

    package static let mobile3G = huang(868.98, 817.88)
    package static let mobile4G = huang(438.39, 1288.04)
    package static let wifi = huang(283.17, 132.86)
}
