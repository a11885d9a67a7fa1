/// One way to make a graph smaller without changing what it computes (beyond rounding).
///
/// All rewrites keep the names of graph inputs and outputs; a node that takes in its successors computes the value of
/// the last of them, so boundary tensors keep their names too.
package enum Rewrite: String, CaseIterable, Sendable {
    /// Computes what depends on constants only.
    case foldConstants
    /// Drops nodes that pass their operand on unchanged.
    case removeIdentities
    /// Expresses operators by plainer ones: constant clips by clamps, matrix products of rank 2 by gemm, pooling and means
    /// over whole planes by global pools.
    case useSimplerOperators
    /// Recognises channel shuffle, depth to space and space to depth written as reshapes and a transpose.
    case recogniseMovements
    /// Expresses transposed convolutions by convolutions.
    case lowerTransposedConvolutions
    /// Moves explicit zero padding into the window that reads it.
    case foldPadding
    /// Moves scales and shifts by channel, batch normalisation among them, into the weights before them.
    case foldChannelAffine
    /// Moves a clamp into the convolution, gemm or addition before it.
    case fuseActivations
    /// Recognises functions written as several nodes: swish, hard-swish, hard-sigmoid, mish, gelu.
    case fuseGates
    /// Turns scales and shifts by channel that found no weights to fold into into depthwise convolutions.
    case lowerChannelAffine
    /// Drops nodes and constants that no output depends on.
    case removeDeadNodes

    /// - Throws: `GraphError.malformed` when the graph has a cycle.
    package func callAsFunction(_ graph: Graph) throws(GraphError) -> Graph {
        switch self {
        case .foldConstants: try graph.foldingConstants()
        case .removeIdentities: try graph.removingIdentities()
        case .useSimplerOperators: try graph.usingSimplerOperators()
        case .recogniseMovements: try graph.recognisingMovements()
        case .lowerTransposedConvolutions: try graph.loweringTransposedConvolutions()
        case .fuseGates: try graph.fusingGates()
        case .foldPadding: try graph.foldingPadding()
        case .foldChannelAffine: try graph.foldingChannelAffine()
        case .fuseActivations: try graph.fusingActivations()
        case .lowerChannelAffine: try graph.loweringChannelAffine()
        case .removeDeadNodes: try graph.removingDeadNodes()
        }
    }
}

extension Graph {
    /// The graph after `rewrites`, repeated in their order until none finds anything more to do.
    ///
    /// The result is verified after each of them.
    /// - Throws: `GraphError` when the graph is malformed to begin with.
    package func simplified(by rewrites: [Rewrite] = Rewrite.allCases) throws(GraphError) -> Graph {
        try verifyReferences()
        var graph = try removingDeadNodes()
        try graph.verify()
        var previous: [Node]
        repeat {
            previous = graph.nodes
            for rewrite in rewrites {
                graph = try rewrite(graph)
                try graph.verify()
            }
        } while graph.nodes != previous
        return graph
    }
}
