internal import FoundationEssentials

/// What the board itself says of its power: RAPL's energy counters, else an INA219, INA226 or INA3221 on the supply.
///
/// RAPL counts the processor package alone; a sensor sees the rail it sits on. ``source`` says which it is.
/// - SeeAlso: Linux, Documentation/power/powercap/powercap.rst and Documentation/hwmon/ina2xx.rst, ina3221.rst.
package struct PowerMeter: Sendable {
    /// For people.
    package let source: String
    private let rails: [Rail]

    private enum Rail {
        /// Microjoules that begin anew beyond `range`.
        case energy(path: String, range: UInt64)
        /// Microwatts.
        case power(path: String)
        /// Millivolts and milliamperes.
        case product(voltage: String, current: String)
    }

    /// In watts.
    package struct Draw: Hashable, Sendable {
        package var mean: Double
        /// The highest over intervals of whole runs, each 20 ms or longer; of a sensor, what it read at the end of one.
        package var peak: Double
    }

    /// Counters are updated about every millisecond, sensors about every ten.
    private static let interval = Duration.milliseconds(20)

    /// The first meter there is.
    ///
    /// - Parameter root: where sysfs is mounted.
    /// - Returns: nil when there is none.
    /// - Throws: `PowerMeterError` when there is one that may not be read.
    package static func find(under root: String = "/sys") throws(PowerMeterError) -> PowerMeter? {
        if let meter = try findCounters(root + "/class/powercap") { return meter }
        return try findSensor(root + "/class/hwmon")
    }

    private static func findCounters(_ folder: String) throws(PowerMeterError) -> PowerMeter? {
        var rails: [Rail] = []
        var names: [String] = []
        // intel-rapl:0 is a package, intel-rapl:0:1 a part of it.
        for zone in entries(folder) where zone.hasPrefix("intel-rapl:") && zone.count(where: { $0 == ":" }) == 1 {
            let zone = "\(folder)/\(zone)"
            guard let name = text(zone + "/name"), name.hasPrefix("package") else { continue }
            let path = zone + "/energy_uj"
            // Since 2020 for the superuser alone: power betrays what is computed.
            _ = try number(path)
            rails.append(.energy(path: path, range: try number(zone + "/max_energy_range_uj")))
            names.append(name)
        }
        guard !rails.isEmpty else { return nil }
        return PowerMeter(source: "RAPL: " + names.joined(separator: ", "), rails: rails)
    }

    private static func findSensor(_ folder: String) throws(PowerMeterError) -> PowerMeter? {
        for entry in entries(folder) {
            let sensor = "\(folder)/\(entry)"
            guard let name = text(sensor + "/name") else { continue }
            switch name {
            case "ina219", "ina220", "ina226", "ina230", "ina231":
                let path = sensor + "/power1_input"
                _ = try number(path)
                return PowerMeter(source: "\(name) at \(entry)", rails: [.power(path: path)])
            case "ina3221":
                let channels = (1...3).filter { text("\(sensor)/curr\($0)_input") != nil }
                // Where the whole supply is a channel of its own, the others are parts of it.
                let supply = channels.filter { ["VDD_IN", "POM_5V_IN"].contains(text("\(sensor)/in\($0)_label")) }
                let counted = supply.isEmpty ? channels : supply
                guard !counted.isEmpty else { continue }
                let rails = counted.map { channel in
                    Rail.product(
                        voltage: "\(sensor)/in\(channel)_input", current: "\(sensor)/curr\(channel)_input")
                }
                let list = counted.map(String.init).joined(separator: ", ")
                for rail in rails { _ = try reading(rail) }
                return PowerMeter(source: "\(name) at \(entry), channels \(list)", rails: rails)
            default: continue
            }
        }
        return nil
    }

    /// The power while `body` is repeated for `duration`.
    ///
    /// - Throws: `PowerMeterError` when the meter cannot be read any more; what `body` throws.
    package func measure(for duration: Duration, _ body: () throws -> Void) throws -> Draw {
        let start = ContinuousClock.now
        var last = start
        var readings = try rails.map(Self.reading)
        var (joules, peak) = (0.0, 0.0)
        while last - start < duration {
            repeat { try body() } while ContinuousClock.now - last < Self.interval
            let now = ContinuousClock.now
            let current = try rails.map(Self.reading)
            let seconds = (now - last) / .seconds(1)
            var watts = 0.0
            for (index, rail) in rails.enumerated() {
                switch rail {
                case .energy(_, let range):
                    let (before, after) = (readings[index], current[index])
                    let passed = after >= before ? after - before : after &+ (range &- before)
                    watts += Double(passed) * 1e-6 / seconds
                case .power, .product: watts += Double(current[index]) * 1e-6
                }
            }
            joules += watts * seconds
            peak = max(peak, watts)
            readings = current
            last = now
        }
        return Draw(mean: joules / ((last - start) / .seconds(1)), peak: peak)
    }

    /// Microjoules or microwatts.
    private static func reading(_ rail: Rail) throws(PowerMeterError) -> UInt64 {
        switch rail {
        case .energy(let path, _), .power(let path): try number(path)
        case .product(let voltage, let current): try number(voltage).multipliedClamping(by: number(current))
        }
    }

    private static func entries(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    private static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map {
            String(String(decoding: $0, as: UTF8.self).prefix { !$0.isWhitespace })
        }
    }

    private static func number(_ path: String) throws(PowerMeterError) -> UInt64 {
        guard let text = text(path) else {
            throw PowerMeterError(path: path, message: "cannot be read; the superuser can")
        }
        if let number = UInt64(text) { return number }
        // Sensors read a little below nothing on a rail at rest.
        guard Int64(text) != nil else {
            throw PowerMeterError(path: path, message: "expected a whole number, got \"\(text)\"")
        }
        return 0
    }
}

extension UInt64 {
    fileprivate func multipliedClamping(by other: UInt64) -> UInt64 {
        let (product, isOver) = multipliedReportingOverflow(by: other)
        return isOver ? .max : product
    }
}

/// A power meter that is there but tells nothing.
package struct PowerMeterError: Error, Hashable, Sendable, CustomStringConvertible {
    package let path: String
    package let message: String

    package init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    package var description: String { "\(path): \(message)" }
}
