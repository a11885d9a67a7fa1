internal import ModelGraph

extension NodeTranslation {
    /// Every ONNX operator that the graph's operators express; those of another domain begin with its name.
    static let table: [String: Translator] = windows.merging(elementwise, uniquingKeysWith: unreachable)
        .merging(products, uniquingKeysWith: unreachable).merging(layout, uniquingKeysWith: unreachable)
        .merging(selection, uniquingKeysWith: unreachable).merging(constants, uniquingKeysWith: unreachable)
        .merging(reductions, uniquingKeysWith: unreachable).merging(resizing, uniquingKeysWith: unreachable)
        .merging(normalizations, uniquingKeysWith: unreachable).merging(integers, uniquingKeysWith: unreachable)

    /// "ai.onnx" is the default domain's other name.
    static func key(domain: String, type: String) -> String {
        domain.isEmpty || domain == "ai.onnx" ? type : "\(domain):\(type)"
    }

    private static let unreachable: @Sendable (Translator, Translator) -> Translator = { _, _ in
        preconditionFailure("an operator is translated twice")
    }
}
