internal import KernelBenchmarks
internal import Testing

@Suite struct TotalTests {
    private let peaks = MachinePeaks(
        rates: [.init(instruction: "vpdpbusd zmm", gigaMultiplyAddsPerSecond: 200)],
        bandwidths: [
            .init(level: "L1", byteCount: 1000, gigabytesPerSecond: 100),
            .init(level: "memory", byteCount: 100_000, gigabytesPerSecond: 10),
        ])

    private func result(_ repeats: Int, seconds: Double, secondsAtPeak: Double?) -> LayerResult {
        LayerResult(
            layer: "layer", layerClass: .pointwise, kernel: "kernel", repeats: repeats, multiplyAdds: 100,
            bytesMoved: 10, seconds: seconds, secondsAtPeak: secondsAtPeak)
    }

    @Test func countsEachLayerAsOftenAsTheNetworkHasIt() {
        let total = Total([
            result(2, seconds: 3, secondsAtPeak: 1), result(1, seconds: 4, secondsAtPeak: 2),
        ])
        #expect(total.layers == 3)
        #expect(total.multiplyAdds == 300)
        #expect(total.bytesMoved == 30)
        #expect(total.seconds == 10)
        #expect(total.secondsAtPeak == 4)
    }

    @Test func aTotalWithALayerWithoutPeakHasNone() {
        let total = Total([result(1, seconds: 3, secondsAtPeak: 1), result(1, seconds: 3, secondsAtPeak: nil)])
        #expect(total.secondsAtPeak == nil)
    }

    @Test func bytesAreHeldToTheNearestLevelThatHoldsThem() {
        #expect(peaks.bandwidth(for: 1000)?.level == "L1")
        #expect(peaks.bandwidth(for: 1001)?.level == "memory")
        #expect(peaks.bandwidth(for: 1_000_000)?.level == "memory")
    }

    @Test func aTableIsHeldToItsOwnInstruction() {
        #expect(peaks.rate(of: "avx512vnni", .u8)?.gigaMultiplyAddsPerSecond == 200)
        #expect(peaks.rate(of: "avx512vnni", .f32) == nil)
        #expect(peaks.rate(of: "unheard of", .u8) == nil)
    }

    /// Every table of this machine has a peak to be held to.
    @Test func thisMachineHasAPeakForEachOfItsTables() {
        let measured = MachinePeaks(Stopwatch(sampleCount: 1, sampleSeconds: 0))
        for instructionSet in KernelCalls.available {
            for arithmetic in KernelCalls(instructionSet: instructionSet)?.arithmetics ?? [] {
                #expect(measured.rate(of: instructionSet, arithmetic) != nil, "\(instructionSet) \(arithmetic)")
            }
        }
        #expect(measured.bandwidths.last?.level == "memory")
    }

    @Test func reportsSayWhatWasMeasured() throws {
        let network = NetworkResult(
            network: "net", instructionSet: "avx512vnni", arithmetic: .u8, weightBytes: 0,
            layers: [result(2, seconds: 2e-6, secondsAtPeak: 1e-6)], layersWithoutKernel: 3)
        let report = Report(processor: "a processor", peaks: peaks, networks: [network])
        #expect(
            report.text == """
                peaks of one core of a processor
                vpdpbusd zmm      200.0  GMAC/s
                read from L1      100.0    GB/s
                read from memory   10.0    GB/s

                net, u8, avx512vnni
                layer    ×  MMAC   µs  GMAC/s  GB/s  % of peak
                layer    2  0.00  2.0     0.1   0.0       50.0

                1×1      2  0.00  4.0     0.1   0.0       50.0
                network  2  0.00  4.0     0.1   0.0       50.0
                layers without a kernel: 3

                """)
        #expect(try report.json().contains("\"instruction\" : \"vpdpbusd zmm\""))
    }
}
