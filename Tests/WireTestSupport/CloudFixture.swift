package import CloudService
private import InferenceProtocol
package import Logging
private import ServiceLifecycle

/// A cloud server on loopback, on ports that the system chose.
package enum CloudFixture {
    package static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    package static var configuration: CloudConfiguration {
        CloudConfiguration(grpcEndpoint: .host("127.0.0.1", port: 0), httpEndpoint: .host("127.0.0.1", port: 0))
    }

    /// Runs a server, hands its addresses and a way to begin its graceful shutdown to `body`, then stops it.
    package static func withServer<Result: Sendable>(
        _ models: [any CompletionModel] = [ToyCompletionModel()], configuration: CloudConfiguration = configuration,
        _ body: @escaping @Sendable (CloudServer.Addresses, _ drain: @escaping @Sendable () async -> Void) async throws ->
            Result
    ) async throws -> Result {
        let (addresses, listening) = AsyncStream.makeStream(of: CloudServer.Addresses.self)
        let server = try CloudServer(configuration: configuration, models: models, logger: logger) {
            listening.yield($0)
        }
        let group = ServiceGroup(services: [server], logger: logger)
        return try await withThrowingTaskGroup(of: Result?.self) { tasks in
            tasks.addTask {
                defer { listening.finish() }
                try await group.run()
                return nil
            }
            tasks.addTask {
                for await addresses in addresses {
                    let result = try await body(addresses) { await group.triggerGracefulShutdown() }
                    await group.triggerGracefulShutdown()
                    return result
                }
                throw CancellationError()
            }
            var result: Result?
            while let finished = try await tasks.next() { result = finished ?? result }
            guard let result else { throw CancellationError() }
            return result
        }
    }
}
