internal import KernelBenchmarks
internal import Testing

@Suite struct KernelCallTests {
    private static let lines = """
        conv 1 9 9 6 10 3 2 1 1 1
        conv 1 9 9 6 6 3 1 1 6 1
        conv 1 1 1 16 10 1 1 0 1 1
        maxpool 1 9 9 5 5 3 2 0 1 1
        avgpool 1 7 7 5 5 7 1 0 1 1
        add 1 3 3 5 5 1 1 0 1 1
        mul 1 3 3 5 5 1 1 0 1 1
        scale 1 3 3 5 5 1 1 0 1 1
        lut 1 3 3 5 5 1 1 0 1 1
        quantize 1 3 3 5 5 1 1 0 1 1
        layout 1 3 3 5 5 1 1 0 1 1
        """

    /// Every kind runs on every table, also with several copies of its weights.
    @Test(arguments: KernelCalls.available, [0, 4096])
    func everyKindRuns(instructionSet: String, weightBytes: Int) throws {
        let calls = try #require(KernelCalls(instructionSet: instructionSet, weightBytes: weightBytes))
        var kernels: Set<String> = []
        for layer in try ShapeFile(Self.lines, path: "lines").layers {
            for arithmetic in calls.arithmetics {
                guard let call = calls.call(layer, arithmetic) else {
                    #expect(arithmetic != .u8 && [.lookup, .quantize].contains(layer.kind))
                    continue
                }
                for _ in 0..<3 { call.run() }
                #expect(call.bytesMoved > 0)
                kernels.insert(call.kernel)
            }
        }
        #expect(kernels.count == (calls.arithmetics.contains(.bf16) ? 17 : 16))
    }

    @Test func anUnknownInstructionSetHasNoCalls() {
        #expect(KernelCalls(instructionSet: "mmx") == nil)
    }

    @Test func theCountedRegionRunsItsBodyOnce() {
        var runs = 0
        inCountedRegion { runs += 1 }
        #expect(runs == 1)
    }
}
