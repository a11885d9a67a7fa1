internal import Fuzzing
internal import Simulation
internal import TestSupport

/// The readers of link traces, and what the simulator asks of a trace that was read.
enum TraceTarget: FuzzTarget {
    static func read(_ input: [UInt8]) {
        guard let trace = try? LinkTrace.read(input, named: "input") else { return }
        check(trace)
        check(trace.scaled(by: 0.3, roundTrip: 1_000_000))
    }

    /// What has been sent at the end of a transfer are its bytes, and one nanosecond earlier they are not all.
    private static func check(_ trace: LinkTrace) {
        let starts = [0, trace.period / 3, trace.period - 1, trace.period, 5 * trace.period / 2]
        for start in starts {
            precondition(trace.rate(at: start) >= 0 && trace.roundTrip(at: start) >= 0)
            for bytes in [1, 1_500, 123_456_789] as [Int64] {
                guard let end = trace.end(ofSending: bytes, from: start) else { continue }
                guard end > start, trace.bytes(from: start, to: end) >= bytes,
                    trace.bytes(from: start, to: end - 1) < bytes
                else { fatalError("\(bytes) bytes from \(start) end at \(end)") }
            }
        }
    }

    static func seeds() -> [String: [UInt8]] {
        let json =
            #"[{"duration_ms": 840, "bandwidth_kbps": 16823, "latency_ms": 20}, {"x": "a\"b", "ok": true, "#
            + #""bandwidth_kbps": 0, "duration_ms": 1e3, "n": null}, {"duration_ms": 0, "bandwidth_kbps": 5.5}]"#
        let texts = [
            "json": json, "columns": "time,Mbit/s\n66.5,0.5\n68.5,1.25\n# a comment\n69,0\n",
            "three-columns": "0 1 10\n1 2 30\r\n2.5 0 7\n", "mahimahi": "# log\n0\n1\n1\n4\n4\n4\n97\n",
        ]
        return texts.mapValues { Array($0.utf8) }
    }

    /// Numbers are what decides: one is replaced by one of interest, or by another of the file.
    static func mutate(_ input: inout [UInt8], limit: Int, using generator: inout SplitMix64) {
        let numbers = numbers(in: input)
        guard let place = numbers.randomElement(using: &generator) else { return }
        let replacement: [UInt8]
        switch Int.random(in: 0..<3, using: &generator) {
        case 0:
            let texts = [
                "0", "-1", "1e-9", "0.5", "1e9", "1e12", "9e18", "1e19", "1e400", "2592000000", "nan", "1e", "1.5.2",
            ]
            replacement = Array(texts.randomElement(using: &generator)!.utf8)
        case 1: replacement = Array(input[numbers.randomElement(using: &generator)!])
        default: replacement = mutated(input[place], limit: place.count + 4)
        }
        input.replaceSubrange(place, with: replacement)
    }

    private static func numbers(in input: [UInt8]) -> [Range<Int>] {
        var places: [Range<Int>] = []
        var start: Int?
        for (index, byte) in input.enumerated() {
            let isPart = (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte)
            if isPart, start == nil { start = index }
            if !isPart, let first = start {
                places.append(first..<index)
                start = nil
            }
        }
        return start.map { places + [$0..<input.count] } ?? places
    }
}
