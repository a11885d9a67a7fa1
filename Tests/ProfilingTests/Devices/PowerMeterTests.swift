internal import FoundationEssentials
internal import Planning
internal import Profiling
internal import Testing

/// Power meters on a sysfs of the test's own.
@Suite struct PowerMeterTests {
    /// A folder that is removed with all it holds.
    private final class Sysfs: Sendable {
        let path: String

        init(_ files: [String: String]) throws {
            let url = FileManager.default.temporaryDirectory.appending(path: "sysfs-\(UUID().uuidString)")
            path = url.path
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            for (name, text) in files { try write(text, to: name) }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ text: String, to name: String) throws {
            let file = URL(filePath: path).appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data((text + "\n").utf8).write(to: file)
        }
    }

    private static let counter = "class/powercap/intel-rapl:0/energy_uj"
    private static let rapl = [
        "class/powercap/intel-rapl:0/name": "package-0", counter: "900000",
        "class/powercap/intel-rapl:0/max_energy_range_uj": "1000000",
        "class/powercap/intel-rapl:0:0/name": "core", "class/powercap/intel-rapl:0:0/energy_uj": "5",
        "class/powercap/intel-rapl:1/name": "psys", "class/powercap/intel-rapl:1/energy_uj": "7",
    ]

    /// The counter passes its range while one interval is measured.
    @Test func countersOfPackagesAreReadAndBeginAnew() throws {
        let sysfs = try Sysfs(Self.rapl)
        let meter = try #require(try PowerMeter.find(under: sysfs.path))
        #expect(meter.source == "RAPL: package-0")
        var isFirst = true
        let start = ContinuousClock.now
        let draw = try meter.measure(for: .milliseconds(20)) {
            if isFirst { try sysfs.write("100000", to: Self.counter) }
            isFirst = false
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        // 0.2 J in at least 20 ms, and no more than the whole call took.
        #expect(draw.mean <= 10.001 && draw.mean >= 0.2 / seconds)
        #expect(draw.peak >= draw.mean)
    }

    @Test func sensorsAreRead() throws {
        let sysfs = try Sysfs([
            "class/hwmon/hwmon0/name": "cpu_thermal", "class/hwmon/hwmon3/name": "ina226",
            "class/hwmon/hwmon3/power1_input": "2500000",
        ])
        let meter = try #require(try PowerMeter.find(under: sysfs.path))
        #expect(meter.source == "ina226 at hwmon3")
        let draw = try meter.measure(for: .milliseconds(1)) {}
        #expect(abs(draw.mean - 2.5) < 1e-9 && draw.peak == 2.5)
    }

    /// The supply where it has a channel, else all channels.
    @Test(arguments: [("VDD_IN", 10.0, ", channels 1"), ("rail", 10.0 + 1.65, ", channels 1, 2, 3")])
    func channelsAreVoltsTimesAmperes(label: String, watts: Double, channels: String) throws {
        let sysfs = try Sysfs([
            "class/hwmon/hwmon1/name": "ina3221", "class/hwmon/hwmon1/in1_label": label,
            "class/hwmon/hwmon1/in1_input": "5000", "class/hwmon/hwmon1/curr1_input": "2000",
            "class/hwmon/hwmon1/in2_input": "12000", "class/hwmon/hwmon1/curr2_input": "-2",
            "class/hwmon/hwmon1/in3_input": "3300", "class/hwmon/hwmon1/curr3_input": "500",
        ])
        let meter = try #require(try PowerMeter.find(under: sysfs.path))
        #expect(meter.source.hasSuffix(channels))
        #expect(abs(try meter.measure(for: .milliseconds(1)) {}.mean - watts) < 1e-9)
    }

    @Test func aMachineWithoutAMeterHasNone() throws {
        let sysfs = try Sysfs(["class/hwmon/hwmon0/name": "acpitz"])
        #expect(try PowerMeter.find(under: sysfs.path) == nil)
        #expect(try PowerMeter.find(under: sysfs.path + "/missing") == nil)
    }

    @Test func whatCannotBeReadIsNamed() throws {
        let path = "class/powercap/intel-rapl:0/energy_uj"
        var files = Self.rapl
        files[path] = "3W"
        let wrong = try Sysfs(files)
        #expect(throws: PowerMeterError(path: "\(wrong.path)/\(path)", message: #"expected a whole number, got "3W""#))
        {
            try PowerMeter.find(under: wrong.path)
        }
        files[path] = nil
        let missing = try Sysfs(files)
        #expect(
            throws: PowerMeterError(path: "\(missing.path)/\(path)", message: "cannot be read; the superuser can")
        ) { try PowerMeter.find(under: missing.path) }
    }

    @Test func theBoardIsMeasuredAtRestAndAtWork() throws {
        let sensor = "class/hwmon/hwmon0/power1_input"
        let sysfs = try Sysfs(["class/hwmon/hwmon0/name": "ina219", sensor: "1000000"])
        let meter = try #require(try PowerMeter.find(under: sysfs.path))
        let power = try RunningCosts.BoardPower.measure(
            with: meter, threads: 2, rest: .milliseconds(1), workDuration: .milliseconds(1)
        ) { try sysfs.write("4000000", to: sensor) }
        #expect(abs(power.idle - 1) < 1e-9 && abs(power.perBusyThread - 1.5) < 1e-9 && power.peak == 4)
        let costs = RunningCosts(board: power)
        #expect(try RunningCosts.read(Data(try costs.json()), named: "costs.json") == costs)
    }
}
