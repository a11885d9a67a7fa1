internal import FoundationEssentials
internal import Simulation
internal import TestSupport
internal import Testing

@Suite struct LinkTraceReadingTests {
    private static let fuzzed: [URL] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../FuzzFindings")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().map { folder.appending(path: $0) }
    }()

    /// Replays the inputs that `tools/fuzz/run traces` left.
    @Test(arguments: fuzzed) func fuzzedFilesAreReadOrRefused(file: URL) throws {
        do {
            let trace = try LinkTrace.read(Array(try Data(contentsOf: file)), named: file.lastPathComponent)
            let end = trace.end(ofSending: 1_500, from: trace.period / 3)
            #expect(end.map { trace.bytes(from: trace.period / 3, to: $0) >= 1_500 } ?? true)
        } catch is SimulationError {}
    }

    private func read(_ text: String) throws(SimulationError) -> LinkTrace {
        try LinkTrace.read([UInt8](text.utf8), named: "t.log")
    }

    @Test func jsonIsRead() throws {
        let trace = try read(
            """
            [ {"duration_ms": 840, "bandwidth_kbps": 16823, "latency_ms": 20},
              {"note": "tunnel", "ok": true, "x": null, "bandwidth_kbps": 0, "duration_ms": 1e3},
              {"duration_ms": 0, "bandwidth_kbps": 5} ]

            """)
        #expect(trace.segmentCount == 2, "an interval of no duration is passed over")
        #expect(trace.period == 1_840 * millisecond)
        #expect(trace.rate(at: 0) == 16_823_000)
        #expect(trace.rate(at: 840 * millisecond) == 0)
        #expect(trace.roundTrip(at: 0) == 20 * millisecond)
        #expect(trace.hasRoundTrips)
    }

    @Test(arguments: ["\t", " ", ",", ";", ", ", "  \t"], ["\n", "\r\n"])
    func columnsAreRead(separator: String, lineEnd: String) throws {
        let rows = [["time", "Mbit/s"], ["66.5", "0.5"], ["68.5", "1.25"], ["# a comment", ""], ["69", "0"]]
        let trace = try read(rows.map { $0.joined(separator: separator) }.joined(separator: lineEnd))
        #expect(trace.period == 2_500 * millisecond)
        #expect(trace.rate(at: 0) == 1_250_000, "a rate holds up to its own row")
        #expect(trace.rate(at: 2_000 * millisecond) == 0)
        #expect(!trace.hasRoundTrips)
        #expect(try read("0 1 10\n1 2 30\n").roundTrip(at: 0) == 30 * millisecond)
    }

    /// Two opportunities in the first millisecond, none in the two after, one in the fourth.
    @Test(arguments: ["0\n1\n4\n", "1\n1\n4", "# log\n1\r\n1\r\n4\r\n"])
    func mahimahiIsRead(text: String) throws {
        let trace = try read(text)
        #expect(trace.period == 4 * millisecond)
        #expect(trace.rate(at: 0) == 24_000_000)
        #expect(trace.rate(at: millisecond) == 0)
        #expect(trace.rate(at: 3 * millisecond) == 12_000_000)
        #expect(trace.bytes(from: 0, to: 4 * millisecond) == 4_500, "3 packets of 1,500 bytes a pass")
    }

    @Test func mahimahiKeepsEveryOpportunity() throws {
        let seed: UInt64 = 5
        var generator = SplitMix64(seed: seed)
        for round in 0..<200 {
            var times = [Int64.random(in: 0...3, using: &generator)]
            for _ in 0..<Int.random(in: 1...60, using: &generator) {
                times.append(times[times.count - 1] + .random(in: 0...3, using: &generator))
            }
            guard times[times.count - 1] > 0 else { continue }
            let trace = try read(times.map(String.init).joined(separator: "\n"))
            #expect(trace.period == max(1, times[times.count - 1]) * millisecond, "seed \(seed), round \(round)")
            for time in Set(times) {
                let passed = trace.bytes(from: 0, to: max(1, time) * millisecond)
                #expect(passed == 1_500 * Int64(times.count { $0 <= max(1, time) }), "seed \(seed), round \(round)")
            }
        }
    }

    @Test(arguments: [
        ("", SimulationError.Code.empty, "t.log"), ("\n \n", .empty, "t.log"), ("# nothing\n", .empty, "t.log"),
        ("{}", .unknownFormat, "t.log: line 1, byte 0"), ("\u{1}\u{2}", .unknownFormat, "t.log: line 1, byte 0"),
        ("[]", .empty, "t.log"), ("[", .malformed, "t.log: line 1, byte 1"),
        ("[{}]", .malformed, "t.log: line 1, byte 2"),
        (#"[{"duration_ms": 1}]"#, .malformed, "t.log: line 1, byte 18"),
        ("[{\"duration_ms\": 1, \"bandwidth_kbps\": 1}\n{", .malformed, "t.log: line 2, byte 41"),
        (#"[{"duration_ms": -1, "bandwidth_kbps": 1}]"#, .invalidNumber, "t.log: line 1, byte 19"),
        (#"[{"duration_ms": 1e400, "bandwidth_kbps": 1}]"#, .malformed, "t.log: line 1, byte 17"),
        (#"[{"duration_ms": 1, "bandwidth_kbps": 1e30}]"#, .invalidNumber, "t.log: line 1, byte 42"),
        (#"[{"duration_ms": 1, "bandwidth_kbps": 1, "x": [1]}]"#, .malformed, "t.log: line 1, byte 46"),
        (#"[{"duration_ms": 1, "bandwidth_kbps": 1}] x"#, .malformed, "t.log: line 1, byte 42"),
        (#"[{"duration_ms": 9e12, "bandwidth_kbps": 1}]"#, .invalidNumber, "t.log: line 1, byte 21"),
        ("0 1\n", .empty, "t.log"), ("0 1\n1 -2\n", .invalidNumber, "t.log: line 2, byte 8"),
        ("0 1\n0 2\n", .malformed, "t.log: line 2, byte 7"), ("0 1\n1 x\n", .malformed, "t.log: line 2, byte 6"),
        ("0 1\n1 2 3 4\n", .malformed, "t.log: line 2, byte 10"),
        ("0 1\n1 inf\n", .malformed, "t.log: line 2, byte 6"), ("0 nan\n", .malformed, "t.log: line 1, byte 2"),
        ("3\n2\n", .malformed, "t.log: line 2, byte 3"), ("1.5\n", .invalidNumber, "t.log: line 1, byte 3"),
        ("1\n2 3\n", .malformed, "t.log: line 2, byte 4"),
        ("99999999999999\n", .invalidNumber, "t.log: line 1, byte 14"),
        ("1\nx\n", .malformed, "t.log: line 2, byte 2"),
    ])
    func whatIsWrongIsNamed(text: String, code: SimulationError.Code, location: String) {
        let error = #expect(throws: SimulationError.self) { try read(text) }
        #expect(error?.code == code)
        #expect(error?.location == location)
    }

    @Test func largeFilesAreRefusedUnread() {
        let error = #expect(throws: SimulationError.self) {
            try LinkTrace.read([UInt8](repeating: 0x31, count: LinkTrace.largestFile + 1), named: "t")
        }
        #expect(error?.code == .tooLarge)
    }

    @Test func hostileBytesNeverTrap() {
        let seed: UInt64 = 77
        var generator = SplitMix64(seed: seed)
        let samples = [
            "[{\"duration_ms\": 840, \"bandwidth_kbps\": 16823, \"latency_ms\": 20}, {\"a\": \"b\\\"\", \"duration_ms\": 1, \"bandwidth_kbps\": 0}]",
            "time,rate\n0.0\t1.10\n2.56\t0.766\n4.3\t0.82 20\n", "1\n1\n5\n900\n",
        ].map { [UInt8]($0.utf8) }
        let alphabet = [UInt8]("[]{}\":,; \t\n0123456789+-.eE#x\\".utf8)
        var read = 0
        for _ in 0..<20_000 {
            var bytes = samples.randomElement(using: &generator)!
            for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes.removeSubrange(place...)
                case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 2: bytes[place] = alphabet.randomElement(using: &generator)!
                default: bytes.insert(contentsOf: bytes.suffix(from: place).prefix(9), at: place)
                }
            }
            // Either a trace that answers, or the one typed error.
            guard let trace = try? LinkTrace.read(bytes, named: "t") else { continue }
            read += 1
            _ = trace.end(ofSending: 1_000_000, from: 12_345)
            _ = trace.roundTrip(at: 12_345)
        }
        #expect(read > 1_000, "seed \(seed): some of them are still traces")
    }

    @Test(.enabled(if: TestData.file("traces") != nil))
    func recordedTracesAreRead() throws {
        var counts: [String: Int] = [:]
        for folder in ["ghent-4g", "norway-3g", "hsdpa-cooked"] {
            let url = try #require(TestData.file("traces/\(folder)"))
            for name in try FileManager.default.contentsOfDirectory(atPath: url.path) {
                let data = try Data(contentsOf: url.appending(path: name))
                let trace = try LinkTrace.read([UInt8](data), named: name)
                #expect(trace.meanRate > 10_000 && trace.meanRate < 100_000_000, "\(name)")
                counts[folder, default: 0] += 1
            }
        }
        #expect(counts == ["ghent-4g": 40, "norway-3g": 43, "hsdpa-cooked": 144])
    }
}
