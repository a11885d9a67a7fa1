internal import ArgumentParser
internal import KernelBenchmarks

struct CountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "count", abstract: "Run each layer once, for a profiler that counts instructions.",
        discussion: """
            Each run is one call of the function mp_counted_region; one line names it. tools/Benchmarks/check-instructions
            puts the two together.
            """)

    @OptionGroup var layers: LayerOptions

    func run() throws {
        for (_, shapes) in try layers.networks() {
            for (calls, arithmetic) in try layers.calls() {
                for layer in shapes {
                    guard let call = calls.call(layer, arithmetic) else { continue }
                    inCountedRegion(call.run)
                    print("\(calls.instructionSet) \(call.kernel): \(layer.text)")
                }
            }
        }
    }
}
