internal import CloudService
internal import CoreMetrics
internal import Testing

@Suite struct PrometheusRegistryTests {
    @Test func writesCountersGaugesAndHistograms() {
        let registry = PrometheusRegistry()
        Counter(label: "b_total", dimensions: [("z", "1"), ("a", "2")], factory: registry).increment(by: 3)
        Counter(label: "b_total", dimensions: [("z", "1"), ("a", "2")], factory: registry).increment()
        Meter(label: "gauge", factory: registry).set(1.5)
        let timer = CoreMetrics.Timer(label: "wait.seconds", dimensions: [("phase", "x")], factory: registry)
        timer.recordNanoseconds(200_000)
        timer.recordNanoseconds(20_000_000_000)
        let lines = registry.exposition().split(separator: "\n").map(String.init)
        #expect(lines.prefix(2) == ["# TYPE b_total counter", "b_total{a=\"2\",z=\"1\"} 4"])
        #expect(lines.contains("# TYPE gauge gauge"))
        #expect(lines.contains("gauge 1.5"))
        #expect(lines.contains("# TYPE wait_seconds histogram"))
        #expect(lines.contains("wait_seconds_bucket{phase=\"x\",le=\"0.0001\"} 0"))
        #expect(lines.contains("wait_seconds_bucket{phase=\"x\",le=\"0.00025\"} 1"))
        #expect(lines.contains("wait_seconds_bucket{phase=\"x\",le=\"10\"} 1"))
        #expect(lines.contains("wait_seconds_bucket{phase=\"x\",le=\"+Inf\"} 2"))
        #expect(lines.contains("wait_seconds_sum{phase=\"x\"} 20.0002"))
        #expect(lines.contains("wait_seconds_count{phase=\"x\"} 2"))
    }

    @Test func escapesLabels() {
        let registry = PrometheusRegistry()
        Counter(label: "c", dimensions: [("1 bad-name", "a\\b\"c\nd")], factory: registry).increment()
        #expect(registry.exposition().contains(#"c{_1_bad_name="a\\b\"c\nd"} 1"#))
    }

    @Test func aTypeIsNamedOnceForAllSeries() {
        let registry = PrometheusRegistry()
        for value in ["x", "y"] {
            Counter(label: "c", dimensions: [("l", value)], factory: registry).increment()
        }
        #expect(registry.exposition() == "# TYPE c counter\nc{l=\"x\"} 1\nc{l=\"y\"} 1\n")
    }
}
