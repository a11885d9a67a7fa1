internal import ModelGraph

extension NodeTranslation {
    /// Every ONNX operator that the graph's operators express, default domain.
    static let table: [String: Translator] = windows.merging(elementwise, uniquingKeysWith: unreachable)
        .merging(products, uniquingKeysWith: unreachable).merging(layout, uniquingKeysWith: unreachable)
        .merging(selection, uniquingKeysWith: unreachable).merging(constants, uniquingKeysWith: unreachable)
        .merging(reductions, uniquingKeysWith: unreachable)

    private static let unreachable: @Sendable (Translator, Translator) -> Translator = { _, _ in
        preconditionFailure("an operator is translated twice")
    }
}
