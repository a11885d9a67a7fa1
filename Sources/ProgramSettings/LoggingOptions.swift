package import ArgumentParser
package import Logging

/// How much a program tells on standard error.
package struct LoggingOptions: ParsableArguments {
    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    package var logLevel: String?

    package init() {}

    /// - Parameter label: the program's name.
    /// - Throws: `SettingsError` for a level that does not exist.
    package func logger(_ label: String, _ settings: Settings, default level: Logger.Level) throws -> Logger {
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        if let text = try settings.string(logLevel, "log.level") {
            guard let chosen = Logger.Level(rawValue: text) else {
                let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                throw SettingsError("log.level: expected one of \(levels), got \"\(text)\"")
            }
            logger.logLevel = chosen
        }
        return logger
    }
}
