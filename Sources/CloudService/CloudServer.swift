private import CoreMetrics
private import GRPCCore
private import GRPCNIOTransportHTTP2Posix
private import Hummingbird
package import InferenceProtocol
package import Logging
private import NIOCore
private import NIOPosix
private import ServiceLifecycle

/// The completion service: both gRPC services, health and metrics, and an orderly end.
///
/// On graceful shutdown (SIGTERM under a `ServiceGroup`) readiness goes false, new streams and frames are refused as
/// unavailable, frames under way are finished, and the server ends, after `drainTimeout` at the latest.
package struct CloudServer: Service, CustomStringConvertible {
    /// Where the server can be reached, once it listens.
    package struct Addresses: Hashable, Sendable {
        package let grpc: WireEndpoint
        package let http: WireEndpoint?
    }

    private let configuration: CloudConfiguration
    private let models: ModelRegistry
    private let logger: Logger
    private let metrics: PrometheusRegistry
    private let onListening: @Sendable (Addresses) async throws -> Void

    /// - Parameter onListening: called once with the bound addresses, before the server reports itself ready.
    /// - Throws: `CloudError` or `WireError` when the configuration or the models do not hold together.
    package init(
        configuration: CloudConfiguration, models: [any CompletionModel], logger: Logger,
        metrics: PrometheusRegistry = PrometheusRegistry(),
        onListening: @escaping @Sendable (Addresses) async throws -> Void = { _ in }
    ) throws {
        try configuration.validate()
        self.configuration = configuration
        self.models = try ModelRegistry(models)
        self.logger = logger
        self.metrics = metrics
        self.onListening = onListening
    }

    package var description: String { "\(configuration.serverName) on \(configuration.grpcEndpoint)" }

    /// Serves until graceful shutdown or cancellation.
    package func run() async throws {
        let state = ServingState()
        let queue = ComputeQueue(
            threads: configuration.computeThreads, capacity: configuration.computeQueueCapacity)
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: configuration.wire.eventLoopThreads)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await serve(state: state, queue: queue, loops: loops))
        } catch {
            outcome = .failure(error)
        }
        // Resources are given back whatever happened, and also in a cancelled task.
        await Task {
            try? await queue.shutdown()
            try? await loops.shutdownGracefully()
        }.value
        try outcome.get()
    }

    private func serve(state: ServingState, queue: ComputeQueue, loops: MultiThreadedEventLoopGroup) async throws {
        let server = try makeServer(state: state, queue: queue, loops: loops)
        let (httpAddress, bound) = AsyncStream.makeStream(of: WireEndpoint?.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await loops.withPreferredExecutor { try await server.serve() }
            }
            let http = configuration.httpEndpoint.map { endpoint in
                makeHTTP(endpoint, state: state, queue: queue) { bound.yield($0) }
            }
            // Not a child task: it must not see the graceful shutdown, because it tells of the drain until the end.
            let httpTask = http.map { http in
                Task.detached {
                    defer { bound.finish() }
                    try await http.run()
                }
            }
            defer { httpTask?.cancel() }
            if let httpTask {
                group.addTask {
                    try await withTaskCancellationHandler {
                        try await httpTask.value
                    } onCancel: {
                        httpTask.cancel()
                    }
                }
            } else {
                bound.yield(nil)
            }
            group.addTask {
                guard let grpcAddress = WireEndpoint(try await server.transport.listeningAddress) else {
                    throw CloudError(
                        .configuration, "\(configuration.grpcEndpoint) was bound to an address of unknown kind")
                }
                // The stream ends without an address when HTTP could not be bound; its task then throws why.
                for await httpAddress in httpAddress {
                    logger.info(
                        "listening",
                        metadata: ["grpc": "\(grpcAddress)", "http": "\(httpAddress.map(\.description) ?? "off")"])
                    try await onListening(Addresses(grpc: grpcAddress, http: httpAddress))
                    state.advance(to: .serving)
                    break
                }
                try await gracefulShutdown()
                logger.info("draining")
                state.advance(to: .draining)
                let deadline = ContinuousClock.now + configuration.drainTimeout
                // Until what was accepted is computed, new calls are answered as unavailable: refused by HTTP/2 instead,
                // they can end the connection, and accepted calls with it.
                while queue.depth > 0, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(5))
                }
                server.beginGracefulShutdown()
                try await Task.sleep(until: deadline, clock: .continuous)
                logger.warning("drain timed out", metadata: ["after": "\(configuration.drainTimeout)"])
            }
            // Whichever ends first: the drained server, the drain's time limit, or a failure.
            defer { group.cancelAll() }
            try await group.next()
        }
        logger.info("stopped")
    }

    private func makeServer(
        state: ServingState, queue: ComputeQueue, loops: MultiThreadedEventLoopGroup
    ) throws -> GRPCServer<HTTP2ServerTransport.Posix> {
        let cloudMetrics = CloudMetrics(factory: metrics)
        let tails = TailCache(capacity: configuration.tailCapacity, queue: queue)
        let services: [any RegistrableRPCService] = [
            SplitService(
                models: models, tails: tails, queue: queue, state: state, limits: configuration.splitLimits,
                metrics: cloudMetrics, logger: logger,
                server: "\(configuration.serverName)/\(configuration.serverVersion)"),
            OpenInferenceService(
                models: models, queue: queue, state: state, metrics: cloudMetrics, logger: logger,
                server: (configuration.serverName, configuration.serverVersion)),
            HealthService(
                state: state,
                services: [Cleave_V1_SplitInference.descriptor, Inference_GRPCInferenceService.descriptor]),
        ]
        let transport = HTTP2ServerTransport.Posix(
            address: configuration.grpcEndpoint.listeningAddress,
            transportSecurity: try configuration.security?.makeTransportSecurity() ?? .plaintext,
            config: configuration.wire.makeServerConfiguration(isSecure: configuration.security != nil),
            eventLoopGroup: loops)
        // Health is probed by orchestrators, which have no secret.
        let guarded = [Cleave_V1_SplitInference.descriptor, Inference_GRPCInferenceService.descriptor]
        let interceptors: [ConditionalInterceptor<any ServerInterceptor>] =
            configuration.token.map { [.apply(BearerTokenServerInterceptor($0), to: .services(Set(guarded)))] } ?? []
        return GRPCServer(transport: transport, services: services, interceptorPipeline: interceptors)
    }

    private func makeHTTP(
        _ endpoint: WireEndpoint, state: ServingState, queue: ComputeQueue,
        onBound: @escaping @Sendable (WireEndpoint?) -> Void
    ) -> some ApplicationProtocol {
        let depth = Meter(label: "cleave_compute_queue_depth", factory: metrics)
        let ready = Meter(label: "cleave_ready", factory: metrics)
        let address: BindAddress =
            switch endpoint {
            case .host(let host, let port): .hostname(host, port: port)
            case .unixSocket(let path): .unixDomainSocket(path: path)
            }
        var logger = logger
        // It is ended by cancellation, once all else is, which it reports as an error.
        logger.logLevel = .critical
        return Application(
            router: ObservationRoutes.router(state: state, metrics: metrics) {
                depth.set(queue.depth)
                ready.set(state.isServing ? 1 : 0)
            },
            configuration: ApplicationConfiguration(address: address, serverName: configuration.serverName),
            onServerRunning: { channel in
                switch endpoint {
                case .host(let host, _): onBound(channel.localAddress?.port.map { .host(host, port: $0) })
                case .unixSocket: onBound(endpoint)
                }
            },
            logger: logger)
    }
}
