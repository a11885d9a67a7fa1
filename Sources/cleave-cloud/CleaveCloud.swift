internal import ArgumentParser
internal import CloudService
internal import FoundationEssentials
internal import InferenceEngine
internal import InferenceProtocol
internal import Logging
internal import ModelStore
internal import ProgramSettings
internal import ServiceLifecycle
internal import UnixSignals

@main
struct CleaveCloud: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleave-cloud",
        abstract: "Finish split inferences, and answer whole ones by the Open Inference Protocol.",
        discussion: """
            Serves every version of every model in a store. gRPC carries cleave.v1.SplitInference for cleave-edge and \
            inference.GRPCInferenceService for stock clients; plain HTTP carries /healthz, /readyz and /metrics.

            Each setting is a flag, else CLEAVE_… in the environment, else in the JSON file of --config: the key serve.listen is \
            CLEAVE_SERVE_LISTEN, and {"serve": {"listen": …}} in the file.

            Examples:
              cleave-cloud --store models/
              cleave-cloud --store models/ --listen 0.0.0.0:8500 --tls-certificate server.pem --tls-key server.key --token-file token
              cleave-cloud --store models/ --listen 127.0.0.1:0 --http 127.0.0.1:0 --addresses addresses.json
            """,
        version: serverVersion)

    static let serverVersion = "0.1.0"

    @Option(help: ArgumentHelp("The store to serve (serve.store).", valueName: "folder"))
    var store: String?

    @Option(
        help: ArgumentHelp(
            "Where to serve gRPC (serve.listen); 127.0.0.1:8500 unless given; port 0: any.", valueName: "endpoint"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Where to serve health and metrics (serve.http), or off; 127.0.0.1:8501 unless given.",
            valueName: "endpoint"))
    var http: String?

    @Option(help: ArgumentHelp("The server's certificate chain (serve.tls.certificate).", valueName: "pem"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key (serve.tls.key).", valueName: "pem"))
    var tlsKey: String?

    @Option(help: ArgumentHelp("Demand client certificates of this authority (serve.tls.clientCa).", valueName: "pem"))
    var tlsClientCa: String?

    @Option(help: ArgumentHelp("Demand the bearer token in this file (serve.tokenFile).", valueName: "file"))
    var tokenFile: String?

    @Flag(help: "Accept the token unencrypted from other machines (serve.allowPlaintextToken).")
    var allowPlaintextToken = false

    @Option(
        help: ArgumentHelp(
            "What to compute in (serve.arithmetic): float32, bfloat16 where the CPU has it, or int8; float32 unless given.",
            valueName: "arithmetic"))
    var arithmetic: String?

    @Option(
        help: ArgumentHelp(
            "Threads of one computation (serve.threads); all cores unless given, which answers one request soonest.",
            valueName: "n"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Computations at once (serve.concurrency); 1 unless given. As many as cores, with --threads 1, answers most requests.",
            valueName: "n"))
    var concurrency: Int?

    @Option(help: ArgumentHelp("Computations that may run or wait (serve.queue); 64 unless given.", valueName: "n"))
    var queue: Int?

    @Option(
        help: ArgumentHelp(
            "Seconds that work under way gets on SIGTERM (serve.drainSeconds); 20 unless given.", valueName: "s"))
    var drainSeconds: Int?

    @Option(help: ArgumentHelp("Write the bound addresses here, as JSON, once the service listens.", valueName: "file"))
    var addresses: String?

    @Option(help: ArgumentHelp("Settings as a JSON file.", valueName: "file"))
    var config: String?

    @OptionGroup var logging: LoggingOptions

    func run() async throws {
        let settings = try await Settings(file: config)
        let logger = try logging.logger("cleave-cloud", settings, default: .info)
        guard let store = try settings.string(store, "serve.store") else {
            throw ValidationError("--store: needed: the folder that `cleave store publish` filled")
        }
        // Settings are checked before models take their time to load.
        let configured = try cloudConfiguration(settings)
        let workers = WorkerPool(
            width: try settings.integer(threads, "serve.threads", in: 1...256)
                ?? ProcessInfo.processInfo.activeProcessorCount)
        let arithmetic = try arithmetic(settings)
        let models = try loadModels(store, workers: workers, arithmetic: arithmetic, logger: logger)
        let addresses = addresses
        let server = try CloudServer(
            configuration: configured, models: models, logger: logger
        ) { bound in
            guard let addresses else { return }
            let text = try JSONEncoder().encode(
                BoundAddresses(grpc: "\(bound.grpc)", http: bound.http.map { "\($0)" }))
            try text.write(to: URL(fileURLWithPath: addresses), options: .atomic)
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [ServiceGroupConfiguration.ServiceConfiguration(service: server)],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        do {
            try await group.run()
        } catch {
            throw SettingsError(
                "serving gRPC on \(configured.grpcEndpoint), HTTP on \(configured.httpEndpoint.map { "\($0)" } ?? "off"): \(error)"
            )
        }
    }

    private struct BoundAddresses: Encodable {
        let grpc: String
        let http: String?
    }

    private func cloudConfiguration(_ settings: Settings) throws -> CloudConfiguration {
        func endpoint(_ flag: String?, _ key: String, default standard: String) throws -> WireEndpoint {
            let text = try settings.string(flag, key) ?? standard
            guard let endpoint = WireEndpoint(text) else {
                throw SettingsError("\(key): expected HOST:PORT or unix:PATH, got \"\(text)\"")
            }
            return endpoint
        }
        let isHTTPOff = try settings.string(http, "serve.http") == "off"
        var configuration = CloudConfiguration(
            grpcEndpoint: try endpoint(listen, "serve.listen", default: "127.0.0.1:8500"),
            httpEndpoint: isHTTPOff ? nil : try endpoint(http, "serve.http", default: "127.0.0.1:8501"))
        let certificate = try settings.string(tlsCertificate, "serve.tls.certificate")
        let key = try settings.string(tlsKey, "serve.tls.key")
        switch (certificate, key) {
        case (let certificate?, let key?):
            configuration.security = ServerSecurity(
                certificate: certificate, privateKey: key,
                clientAuthority: try settings.string(tlsClientCa, "serve.tls.clientCa"))
        case (nil, nil):
            break
        default:
            throw SettingsError("serve.tls: a certificate and its key are needed together")
        }
        configuration.token = try settings.string(tokenFile, "serve.tokenFile").map {
            try BearerToken(contentsOfFile: $0)
        }
        configuration.allowsPlaintextToken = try settings.boolean(allowPlaintextToken, "serve.allowPlaintextToken")
        if let concurrency = try settings.integer(concurrency, "serve.concurrency", in: 1...256) {
            configuration.computeThreads = concurrency
        }
        if let queue = try settings.integer(queue, "serve.queue", in: 1...100_000) {
            configuration.computeQueueCapacity = queue
        }
        if let seconds = try settings.integer(drainSeconds, "serve.drainSeconds", in: 0...3600) {
            configuration.drainTimeout = .seconds(seconds)
        }
        configuration.serverVersion = Self.serverVersion
        return configuration
    }

    /// Every version of every model; one that cannot be used is left out with an error in the log.
    private func arithmetic(_ settings: Settings) throws -> PackagedModel.Arithmetic {
        let text = try settings.string(arithmetic, "serve.arithmetic") ?? PackagedModel.Arithmetic.float32.rawValue
        guard let arithmetic = PackagedModel.Arithmetic(rawValue: text) else {
            throw SettingsError("serve.arithmetic: expected float32, bfloat16 or int8, got \"\(text)\"")
        }
        return arithmetic
    }

    private func loadModels(
        _ store: String, workers: WorkerPool, arithmetic: PackagedModel.Arithmetic, logger: Logger
    ) throws -> [any CompletionModel] {
        let entries = try ModelDirectory(path: store).list()
        var models: [any CompletionModel] = []
        for entry in entries {
            do {
                let package = try OpenedPackage(path: entry.path, verifying: .everything)
                models.append(try PackagedModel(package, workers: workers, arithmetic: arithmetic))
                logger.info(
                    "model loaded",
                    metadata: ["name": "\(entry.name)", "version": "\(entry.version)", "digest": "\(package.digest)"])
            } catch {
                logger.error("model refused", metadata: ["path": "\(entry.path)", "reason": "\(error)"])
            }
        }
        guard !models.isEmpty else { throw SettingsError("\(store): no usable model; `cleave store publish` adds one") }
        return models
    }
}
