package import CoreMetrics
private import Synchronization

/// Keeps metrics in memory and writes them in Prometheus' text exposition format 0.0.4.
///
/// Counters and meters become counters and gauges, timers histograms in seconds, aggregating recorders histograms. A metric
/// is its name and its labels; making it again returns the same one.
package final class PrometheusRegistry: MetricsFactory {
    private struct Key: Hashable {
        let name: String
        let labels: String
    }

    private enum Series {
        case counter(CounterSeries)
        case gauge(GaugeSeries)
        case histogram(HistogramSeries)

        var kind: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    /// 100 µs to 10 s.
    package static let secondsBuckets: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    /// 256 to 16 Mi, in fours: sizes of frames.
    package static let sizeBuckets: [Double] = (4...12).map { Double(1 << ($0 * 2)) }

    private let series = Mutex<[Key: Series]>([:])

    package init() {}

    // MARK: MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, dimensions)
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        counter(label, dimensions)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? histogram(label, dimensions, Self.sizeBuckets) : gauge(label, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions, Self.secondsBuckets)
    }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    private func counter(_ label: String, _ dimensions: [(String, String)]) -> CounterSeries {
        guard case .counter(let series) = find(label, dimensions, orMake: { .counter(CounterSeries()) }) else {
            preconditionFailure("metric \(label) is not a counter")
        }
        return series
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries {
        guard case .gauge(let series) = find(label, dimensions, orMake: { .gauge(GaugeSeries()) }) else {
            preconditionFailure("metric \(label) is not a gauge")
        }
        return series
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)], _ buckets: [Double]) -> HistogramSeries {
        guard
            case .histogram(let series) = find(
                label, dimensions, orMake: { .histogram(HistogramSeries(bounds: buckets)) })
        else {
            preconditionFailure("metric \(label) is not a histogram")
        }
        return series
    }

    private func find(_ label: String, _ dimensions: [(String, String)], orMake make: () -> Series) -> Series {
        let key = Key(name: Self.name(label), labels: Self.labels(dimensions))
        return series.withLock { series in
            if let existing = series[key] { return existing }
            let made = make()
            series[key] = made
            return made
        }
    }

    private func remove(_ handler: AnyObject) {
        series.withLock { series in
            series = series.filter { entry in
                switch entry.value {
                case .counter(let counter): counter !== handler
                case .gauge(let gauge): gauge !== handler
                case .histogram(let histogram): histogram !== handler
                }
            }
        }
    }

    // MARK: Exposition

    /// All metrics, sorted by name and labels.
    package func exposition() -> String {
        let sorted = series.withLock { $0 }.sorted { ($0.key.name, $0.key.labels) < ($1.key.name, $1.key.labels) }
        var text = ""
        var previous: String?
        for (key, series) in sorted {
            if key.name != previous { text += "# TYPE \(key.name) \(series.kind)\n" }
            previous = key.name
            switch series {
            case .counter(let counter): text += Self.line(key.name, key.labels, counter.value)
            case .gauge(let gauge): text += Self.line(key.name, key.labels, gauge.value)
            case .histogram(let histogram):
                let (counts, sum) = histogram.snapshot
                var cumulative = 0
                for (bound, count) in zip(histogram.bounds.map(Self.number) + ["+Inf"], counts) {
                    cumulative += count
                    let label = "le=\"\(bound)\""
                    text += Self.line(
                        key.name + "_bucket", key.labels.isEmpty ? label : key.labels + "," + label, Double(cumulative))
                }
                text += Self.line(key.name + "_sum", key.labels, sum)
                text += Self.line(key.name + "_count", key.labels, Double(cumulative))
            }
        }
        return text
    }

    private static func line(_ name: String, _ labels: String, _ value: Double) -> String {
        "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(number(value))\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map(String.init) ?? "\(value)"
    }

    /// A legal metric or label name: other characters become underscores.
    private static func name(_ text: String) -> String {
        let mapped = String(text.unicodeScalars.map { Character($0).isASCIILetterOrDigit ? Character($0) : "_" })
        return mapped.first.map { $0.isNumber ? "_" + mapped : mapped } ?? "_"
    }

    private static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.sorted { $0.0 < $1.0 }.map { label, value in
            var escaped = ""
            for character in value.unicodeScalars {
                switch character {
                case "\\": escaped += "\\\\"
                case "\"": escaped += "\\\""
                case "\n": escaped += "\\n"
                default: escaped.unicodeScalars.append(character)
                }
            }
            return "\(name(label))=\"\(escaped)\""
        }.joined(separator: ",")
    }
}

extension Character {
    fileprivate var isASCIILetterOrDigit: Bool { isASCII && (isLetter || isNumber) }
}

/// Only grows.
private final class CounterSeries: CounterHandler, FloatingPointCounterHandler {
    private let total = Mutex(0.0)

    var value: Double { total.withLock { $0 } }
    func increment(by amount: Int64) { increment(by: Double(amount)) }
    func increment(by amount: Double) { total.withLock { $0 += max(amount, 0) } }
    func reset() { total.withLock { $0 = 0 } }
}

private final class GaugeSeries: MeterHandler, RecorderHandler {
    private let current = Mutex(0.0)

    var value: Double { current.withLock { $0 } }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { current.withLock { $0 = value } }
    func increment(by amount: Double) { current.withLock { $0 += amount } }
    func decrement(by amount: Double) { current.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }
}

private final class HistogramSeries: RecorderHandler, TimerHandler {
    private struct State {
        var counts: [Int]
        var sum = 0.0
    }

    /// Ascending upper bounds; one bucket more holds what exceeds the last.
    let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: [Int](repeating: 0, count: bounds.count + 1)))
    }

    var snapshot: (counts: [Int], sum: Double) { state.withLock { ($0.counts, $0.sum) } }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
