internal import ActivationCodec
internal import ArgumentParser
internal import EdgeAgent
internal import FoundationEssentials
internal import InferenceEngine
internal import Logging
internal import ModelGraph
internal import ModelStore
internal import Planning
internal import ProgramSettings
internal import Synchronization
internal import SystemPackage
internal import UnixSignals

@main
struct CleaveEdge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleave-edge",
        abstract:
            "Classify pictures: the first layers here in int8, the rest in the cloud, or here as well if it must be.",
        discussion: """
            Prints one line of JSON for each picture. When the cloud cannot be reached, refuses, or misses the deadline, the \
            picture is finished here, and its line says so and why. Lines come in order of completion. Exit status 1 when any \
            picture failed.

            Each setting is a flag, else CLEAVE_… in the environment, else in the JSON file of --config: the key cloud.endpoint is \
            CLEAVE_CLOUD_ENDPOINT, and {"cloud": {"endpoint": …}} in the file.

            Examples:
              cleave-edge --model digits.cleave --cloud 127.0.0.1:8500 --plan plan.json frames/*.jpg
              cleave-edge --model digits.cleave --cloud server:8500 --plan plan.json --adapt --watch /run/camera
              cleave-edge --model digits.cleave --cloud server:8500 --tls-ca ca.pem --token-file token --cut middle --watch /run/camera
              cleave-edge --model digits.cleave frame.jpg
            """,
        version: "0.1.0")

    @Option(help: ArgumentHelp("The quantised package (edge.model).", valueName: "file"))
    var model: String?

    @Option(help: ArgumentHelp("Classify pictures as they appear in this folder (edge.watch).", valueName: "folder"))
    var watch: String?

    @Option(
        help: ArgumentHelp(
            "The plan that `cleave plan --plan` wrote: its cut and codec (edge.plan).", valueName: "file"))
    var plan: String?

    @Flag(
        help:
            "Choose cut and codec anew for each picture, by the plan and by what its traffic tells of the link (edge.adapt)."
    )
    var adapt = false

    @Option(
        help: ArgumentHelp(
            "The cut, in place of a plan's: middle, edge-only, a number, or tensor names joined by + (edge.cut)."))
    var cut: String?

    @Option(
        help: ArgumentHelp(
            "How the boundary is coded, in place of a plan's: a mode, or a coding that the package has for the cut (edge.codec); 8bit/contexts unless given.",
            valueName: "coding"))
    var codec: String?

    @Flag(
        help:
            "Send what has changed since the picture before, for a fixed camera (edge.temporal); with 8 bits or a calibrated coding."
    )
    var temporal = false

    @Option(
        help: ArgumentHelp(
            "With --temporal, at least every so many pictures one is sent whole (edge.keyInterval); 250 unless given.",
            valueName: "n"))
    var keyInterval: Int?

    @Option(
        help: ArgumentHelp(
            "Milliseconds the cloud has for a picture (edge.deadlineMs); 500 unless given.", valueName: "ms"))
    var deadlineMs: Int?

    @Option(help: ArgumentHelp("Pictures under way at once (edge.depth); 2 unless given.", valueName: "n"))
    var depth: Int?

    @Option(help: ArgumentHelp("Threads to compute with (edge.threads); all cores unless given.", valueName: "n"))
    var threads: Int?

    @Option(
        help:
            "Kernels to use: \(InstructionSet.available.map(\.rawValue).joined(separator: ", ")); the fastest unless given."
    )
    var kernels: InstructionSet = .best

    @Option(help: ArgumentHelp("Settings as a JSON file.", valueName: "file"))
    var config: String?

    @OptionGroup var cloud: CloudConnectionOptions
    @OptionGroup var logging: LoggingOptions

    @Argument(help: "JPEG or PNG pictures.")
    var pictures: [String] = []

    func run() async throws {
        let settings = try await Settings(file: config)
        let logger = try logging.logger("cleave-edge", settings, default: .warning)
        guard let path = try settings.string(model, "edge.model") else {
            throw ValidationError("--model: needed: a package that `cleave quantize` made")
        }
        guard InstructionSet.available.contains(kernels) else {
            throw ValidationError(
                "--kernels: this machine has \(InstructionSet.available.map(\.rawValue).joined(separator: ", ")), not \(kernels.rawValue)"
            )
        }
        let input = try imageFeed(settings)
        let package = try OpenedPackage(path: path, verifying: .sectionsOnUse)
        let choice = try chosenCut(settings, package)
        let workers = WorkerPool(
            width: try settings.integer(threads, "edge.threads", in: 1...256)
                ?? ProcessInfo.processInfo.activeProcessorCount)
        let edgeModel = try PackagedEdgeModel(package, coding: choice.coding, workers: workers, instructionSet: kernels)

        var configuration = Agent.Configuration()
        configuration.labels = package.card.labels
        if let milliseconds = try settings.integer(deadlineMs, "edge.deadlineMs", in: 1...3_600_000) {
            configuration.deadline = .milliseconds(milliseconds)
        }
        if let depth = try settings.integer(depth, "edge.depth", in: 1...64) { configuration.depth = depth }
        let client = try cloud.client(settings)
        let adaptation = try followedPlan(settings, package).map { try CutAdaptation($0) }
        var linking = CloudLink.Configuration()
        linking.cutsAhead = adaptation?.boundaries ?? []
        linking.keyFrameInterval = try keyFrameInterval(settings, choice.coding)
        let link = client.map {
            CloudLink(to: $0, identity: edgeModel.identity, configuration: linking, logger: logger)
        }
        let boundary = choice.boundary
        let agent = Agent(
            model: edgeModel, link: link, configuration: configuration, logger: logger, adaptation: adaptation,
            chooseCut: { boundary })
        let writer = RecordWriter { line in _ = try FileDescriptor.standardOutput.writeAll(line.utf8) }
        let failures = Mutex(0)
        try await agent.run(untilStopped(input)) { record in
            if record.error != nil { failures.withLock { $0 += 1 } }
            try writer.write(record)
        }
        if failures.withLock({ $0 }) > 0 { throw ExitCode.failure }
    }

    /// The feed's pictures; on SIGTERM or SIGINT no more of them, so that what was taken is finished and the program ends well.
    private func untilStopped(_ input: ImageFeed) -> AsyncThrowingStream<String, any Error> {
        if case .files(let paths) = input {
            let remaining = Mutex(paths[...])
            Task {
                for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) { remaining.withLock { $0 = [] } }
            }
            return AsyncThrowingStream { remaining.withLock { $0.popFirst() } }
        }
        let (pictures, continuation) = AsyncThrowingStream.makeStream(of: String.self)
        let feeding = Task {
            do {
                for try await picture in input.images() { continuation.yield(picture) }
                continuation.finish()
            } catch is CancellationError {
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        Task {
            for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
                feeding.cancel()
                continuation.finish()
            }
        }
        return pictures
    }

    private func imageFeed(_ settings: Settings) throws -> ImageFeed {
        if let folder = try settings.string(watch, "edge.watch") {
            guard pictures.isEmpty else { throw ValidationError("--watch: not together with pictures") }
            return .folder(folder, interval: .milliseconds(100))
        }
        guard !pictures.isEmpty else { throw ValidationError("name pictures, or a folder with --watch") }
        return .files(pictures)
    }

    private func readPlan(_ path: String, _ package: OpenedPackage) throws -> SplitPlan {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SettingsError("\(path): the plan cannot be read")
        }
        let plan = try SplitPlan.read(data, named: path)
        guard plan.model.digest == "\(package.digest)" else {
            throw SettingsError(
                "\(path): the plan is for digest \(plan.model.digest), but \(package.path) has \(package.digest)")
        }
        return plan
    }

    /// The plan to adapt by; `nil` unless asked for.
    private func followedPlan(_ settings: Settings, _ package: OpenedPackage) throws -> SplitPlan? {
        guard try settings.boolean(adapt, "edge.adapt") else { return nil }
        guard let path = try settings.string(plan, "edge.plan") else {
            throw ValidationError("--adapt: needs --plan")
        }
        guard try settings.string(cut, "edge.cut") == nil, try settings.string(codec, "edge.codec") == nil else {
            throw ValidationError("--adapt: not together with --cut or --codec")
        }
        return try readPlan(path, package)
    }

    /// `nil` without --temporal.
    private func keyFrameInterval(_ settings: Settings, _ coding: String) throws -> Int? {
        let interval = try settings.integer(keyInterval, "edge.keyInterval", in: 1...1_000_000)
        guard try settings.boolean(temporal, "edge.temporal") else { return nil }
        if let mode = CodecMode(coding), mode.precision != .lossless8 {
            throw ValidationError("--temporal: needs 8 bits or a calibrated coding, not \(mode)")
        }
        return interval ?? 250
    }

    /// The boundary (empty: all on the edge) and coding of the flags, else of the plan, else the middle of the network.
    private func chosenCut(_ settings: Settings, _ package: OpenedPackage) throws -> (
        boundary: [String], coding: String
    ) {
        let graph = package.structure
        var cut: Cut?
        var coding = "\(CodecMode.lossless8)"
        if let path = try settings.string(plan, "edge.plan") {
            let plan = try readPlan(path, package)
            cut = try plan.cut(of: graph)
            if let mode = plan.chosen.mode { coding = mode }
        }
        if let text = try settings.string(self.cut, "edge.cut") {
            cut = try CutEnumerator().cuts(of: graph).cut(matching: text)
        }
        if let name = try settings.string(codec, "edge.codec") { coding = name }
        let chosen = try cut ?? CutEnumerator().cuts(of: graph).cut(matching: "middle")
        guard chosen.isEdgeOnly || chosen.headOutputs.isEmpty else {
            throw SettingsError(
                "cut \(chosen.name(in: graph)): keeps an output of the network on the edge, which cannot be served yet")
        }
        guard !chosen.isEdgeOnly else { return ([], coding) }
        let boundary = chosen.boundary.map { graph[$0].name }
        _ = try package.coding(named: coding, at: boundary)
        return (boundary, coding)
    }
}
