internal import ArgumentParser
internal import KernelBenchmarks

struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure", abstract: "Time each layer and relate it to the machine's peak.",
        discussion: """
            Pin it to one core: taskset -c 1 kernel-benchmarks tools/Benchmarks/shapes/resnet50.txt
            """)

    @OptionGroup var layers: LayerOptions
    @OptionGroup var timing: TimingOptions

    @Option(
        help: ArgumentHelp(
            "Rotate through copies of each layer's weights that fill so much: more than a cache to find them beyond it.",
            valueName: "mebibytes"))
    var coldWeights = 0

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (0...4096).contains(coldWeights) else {
            throw ValidationError("--cold-weights: expected 0...4096, got \(coldWeights)")
        }
    }

    func run() throws {
        let networks = try layers.networks()
        let tables = try layers.calls(weightBytes: coldWeights << 20)
        let peaks = MachinePeaks(timing.peakStopwatch)
        var results: [NetworkResult] = []
        for (name, shapes) in networks {
            for (calls, arithmetic) in tables {
                results.append(
                    NetworkResult(
                        network: name, layers: shapes, calls: calls, arithmetic: arithmetic, peaks: peaks,
                        stopwatch: timing.stopwatch))
            }
        }
        let report = Report(peaks: peaks, networks: results)
        print(json ? try report.json() : report.text)
    }
}

struct PeaksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peaks", abstract: "Measure only what one core of this machine reaches at most.")

    @OptionGroup var timing: TimingOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let report = Report(peaks: MachinePeaks(timing.peakStopwatch), networks: [])
        print(json ? try report.json() : report.text)
    }
}
