package import ModelGraph

/// What the file leaves open and the graph must know.
package struct ONNXImportOptions: Sendable {
    /// The extent of a symbolic first axis.
    package var batchSize: Int
    /// Extents of graph inputs by name, for those whose other axes are symbolic too.
    package var inputShapes: [String: [Int]]
    /// Graph inputs that become constants: they may then shape results, as Reshape's `shape` does.
    package var fixedInputs: [String: Tensor]
    /// The most bytes that constants computed during the import may take together, and the evaluation of one on the
    /// way: a small file must not claim all memory.
    package var maximumFoldedByteCount: Int
    /// Whether 8-bit weights become float32 at once; else they stay behind their dequantizeLinear, with the scales that
    /// `StatedQuantization` looks for.
    package var dequantizesWeights: Bool

    package init(
        batchSize: Int = 1, inputShapes: [String: [Int]] = [:], fixedInputs: [String: Tensor] = [:],
        maximumFoldedByteCount: Int = 2 << 30, dequantizesWeights: Bool = true
    ) {
        self.batchSize = batchSize
        self.inputShapes = inputShapes
        self.fixedInputs = fixedInputs
        self.maximumFoldedByteCount = maximumFoldedByteCount
        self.dequantizesWeights = dequantizesWeights
    }
}
