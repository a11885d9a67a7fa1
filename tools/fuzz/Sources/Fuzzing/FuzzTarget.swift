package import TestSupport

/// A reader of untrusted bytes, and what a fuzzer must know of them.
package protocol FuzzTarget {
    /// Inputs to begin with, made by our own writers, by the names of their files.
    static func seeds() throws -> [String: [UInt8]]

    /// Reads the input as the programs would. Errors of the reader's own type are welcome, anything else is a finding.
    static func read(_ input: [UInt8])

    /// Changes the input below its lengths and checksums, and makes those right again, so that the change reaches what
    /// lies behind them.
    ///
    /// - Parameter limit: the most bytes that the input may have afterwards; a longer one is thrown away.
    static func mutate(_ input: inout [UInt8], limit: Int, using generator: inout SplitMix64)
}
