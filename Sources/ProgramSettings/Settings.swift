internal import Configuration
internal import SystemPackage

/// A setting that is there but cannot be used.
package struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Where a program's settings come from: its flags, else `CLEAVE_*` in the environment, else a JSON file.
///
/// The key `cloud.endpoint` is `CLEAVE_CLOUD_ENDPOINT` in the environment and `{"cloud": {"endpoint": …}}` in the file.
package struct Settings: Sendable {
    private struct Source: Sendable {
        let name: String
        let provider: any ConfigProvider
        let prefix: [String]
    }

    private let sources: [Source]

    /// - Parameter file: the JSON file; `nil`: the one that `CLEAVE_CONFIG` names, if any.
    /// - Throws: `SettingsError` naming a file that cannot be read or is not JSON.
    package init(file: String?) async throws(SettingsError) {
        let environment = Source(name: "environment", provider: EnvironmentVariablesProvider(), prefix: ["cleave"])
        let path = try Settings(sources: [environment]).string(file, "config")
        guard let path else {
            sources = [environment]
            return
        }
        do {
            let provider = try await FileProvider<JSONSnapshot>(filePath: FilePath(path))
            sources = [environment, Source(name: path, provider: provider, prefix: [])]
        } catch {
            throw SettingsError("\(path): cannot be read as a JSON object of settings: \(error)")
        }
    }

    private init(sources: [Source]) {
        self.sources = sources
    }

    package func string(_ flag: String?, _ key: String) throws(SettingsError) -> String? {
        if let flag { return flag }
        guard case .string(let text)? = try find(key, .string), !text.isEmpty else { return nil }
        return text
    }

    package func integer(_ flag: Int?, _ key: String, in range: ClosedRange<Int>) throws(SettingsError) -> Int? {
        var value = flag
        if value == nil, case .int(let number)? = try find(key, .int) { value = number }
        if let value, !range.contains(value) {
            throw SettingsError("\(key): expected \(range.lowerBound)...\(range.upperBound), got \(value)")
        }
        return value
    }

    /// True when the flag is given; else what the environment or the file says, else false.
    package func boolean(_ flag: Bool, _ key: String) throws(SettingsError) -> Bool {
        if flag { return true }
        guard case .bool(let value)? = try find(key, .bool) else { return false }
        return value
    }

    private func find(_ key: String, _ type: ConfigType) throws(SettingsError) -> ConfigContent? {
        for source in sources {
            let path = source.prefix + key.split(separator: ".").map(String.init)
            do {
                if let value = try source.provider.value(forKey: AbsoluteConfigKey(path), type: type).value {
                    return value.content
                }
            } catch {
                throw SettingsError("\(source.name): \(key): expected \(type.rawValue): \(error)")
            }
        }
        return nil
    }
}
