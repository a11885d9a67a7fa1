package import InferenceProtocol

/// The models that this process serves.
package struct ModelRegistry: Sendable {
    /// By name, then by version, newest last.
    package let models: [any CompletionModel]

    /// - Throws: `CloudError.duplicateModel` when two models share a name and a version.
    package init(_ models: [any CompletionModel]) throws(CloudError) {
        var seen: Set<[String]> = []
        for model in models where !seen.insert([model.name, model.version]).inserted {
            throw CloudError(.duplicateModel, "model \(model.name) has version \(model.version) twice")
        }
        self.models = models.sorted {
            ($0.name, Self.order($0.version), $0.version) < ($1.name, Self.order($1.version), $1.version)
        }
    }

    /// The version asked for, or the newest when `version` is empty.
    /// - Throws: `WireError.notFound`.
    package func model(named name: String, version: String) throws(WireError) -> any CompletionModel {
        let versions = versions(of: name)
        guard !versions.isEmpty else { throw WireError(.notFound, "no such model", at: name) }
        guard let match = versions.last(where: { version.isEmpty || $0.version == version }) else {
            throw WireError(
                .notFound, "no version \(version); there are \(versions.map(\.version).joined(separator: ", "))",
                at: name)
        }
        return match
    }

    package func versions(of name: String) -> [any CompletionModel] {
        models.filter { $0.name == name }
    }

    /// Versions that are numbers sort as numbers, before all others.
    private static func order(_ version: String) -> Int {
        Int(version) ?? .max
    }
}
