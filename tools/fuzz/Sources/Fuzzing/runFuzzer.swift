internal import CLibFuzzer
private import FoundationEssentials
private import Glibc
private import TestSupport

/// The program's target: libFuzzer calls functions without context. Set once, before it runs.
nonisolated(unsafe) private var target: any FuzzTarget.Type = NoTarget.self

/// The main program of a fuzzer.
///
///     fuzz-NAME --seeds DIR             writes the target's seeds
///     fuzz-NAME OPTIONS CORPUS…         libFuzzer: https://llvm.org/docs/LibFuzzer.html#options
package func runFuzzer(_ chosen: any FuzzTarget.Type) throws -> Never {
    target = chosen
    let arguments = CommandLine.arguments
    if arguments.count == 3, arguments[1] == "--seeds" {
        for (name, bytes) in try chosen.seeds() {
            try Data(bytes).write(to: URL(filePath: arguments[2]).appending(path: name))
        }
        exit(0)
    }
    var count = CommandLine.argc
    var values: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    let status = withUnsafeMutablePointer(to: &values) { values in
        LLVMFuzzerRunDriver(&count, values) { bytes, byteCount in
            target.read(Array(UnsafeBufferPointer(start: bytes, count: byteCount)))
            return 0
        }
    }
    exit(status)
}

/// What libFuzzer calls, where a program has it, instead of its own ways of changing an input.
@_cdecl("LLVMFuzzerCustomMutator")
package func mutate(_ bytes: UnsafeMutablePointer<UInt8>, count: Int, limit: Int, seed: UInt32) -> Int {
    var generator = SplitMix64(seed: UInt64(seed))
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    var result = input
    // Now and then as a stranger would: without regard to lengths and checksums.
    if Int.random(in: 0..<8, using: &generator) > 0 {
        target.mutate(&result, limit: limit, using: &generator)
    }
    if result == input || result.count > limit { result = mutated(input[...], limit: limit) }
    bytes.update(from: result, count: result.count)
    return result.count
}

/// Bytes changed in one of libFuzzer's own ways: flips, insertions, copies, words of the dictionary.
package func mutated(_ bytes: ArraySlice<UInt8>, limit: Int) -> [UInt8] {
    var memory = [UInt8](repeating: 0, count: max(limit, bytes.count, 1))
    memory.replaceSubrange(0..<bytes.count, with: bytes)
    let count = memory.withUnsafeMutableBufferPointer { LLVMFuzzerMutate($0.baseAddress, bytes.count, $0.count) }
    return Array(memory[..<count])
}

private enum NoTarget: FuzzTarget {
    static func seeds() -> [String: [UInt8]] { [:] }
    static func read(_ input: [UInt8]) {}
    static func mutate(_ input: inout [UInt8], limit: Int, using generator: inout SplitMix64) {}
}
