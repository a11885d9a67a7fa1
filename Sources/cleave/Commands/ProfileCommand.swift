internal import ActivationCodec
internal import ArgumentParser
internal import FoundationEssentials
internal import ImageInput
internal import InferenceEngine
internal import InferenceProtocol
internal import ModelGraph
internal import ModelStore
internal import Planning
internal import Profiling
internal import ProgramSettings

extension DeviceProfile.Precision: ExpressibleByArgument {}

struct ProfileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Measure layers, codec, input and link on this machine.",
        discussion: """
            Writes edge.json (each layer in int8), cloud.json (each layer in float32), codec.json (every cut's boundary in \
            every mode, and in the codings that `cleave codec calibrate` put into the package), input.json (JPEG upload), where the machine \
            can tell its power (RAPL, INA sensors) costs.json, and with --cloud link.json. Run it on the board with --only edge and on the \
            server with --only cloud to have each from its own machine.

            Examples:
              cleave profile digits.cleave --images test/ --output profiles/
              cleave profile digits.cleave --images test/ --output profiles/ --cloud 127.0.0.1:8500
              cleave profile mobilenet.cleave --images val/ --output board/ --only edge --threads 1 --kernels scalar
              cleave profile mobilenet.cleave --images val/ --output board/ --only edge --threads 2 --variant 2threads
              cleave profile mobilenet.cleave --images val/ --output board/ --only cloud --precision int8 --variant int8
            """)

    enum Part: String, CaseIterable, ExpressibleByArgument {
        case edge, cloud, codec, input, power, link
    }

    @Argument(help: "A quantised package.")
    var package: String

    @Option(help: ArgumentHelp("Pictures to measure on.", valueName: "folder"))
    var images: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The folder for the profiles.", valueName: "folder"))
    var output: String = "profiles"

    @Option(help: ArgumentHelp("Measure only this; may be repeated.", valueName: "part"))
    var only: [Part] = []

    @Option(help: ArgumentHelp("Codec modes, separated by commas.", valueName: "modes"))
    var modes: String = "8bit/contexts,8bit/rle,4bit/rle,2bit/rle"

    @Option(help: ArgumentHelp("Use the first so many pictures.", valueName: "n"))
    var limit: Int = 20

    @Option(help: ArgumentHelp("Counted runs of each network.", valueName: "n"))
    var runs: Int = 30

    @Option(
        help: ArgumentHelp(
            "Time so many heads and tails as one, spread evenly over the cuts of one tensor; the others are taken from their layers.",
            valueName: "n"))
    var parts: Int = 24

    @Option(
        help: ArgumentHelp(
            "Time the cloud's network on so many pictures at once too, separated by commas.", valueName: "n,n"))
    var batches: String = ""

    @Flag(help: "Keep what is already in the folder, of this package and measured in this way; measure the rest.")
    var resume = false

    @Option(help: ArgumentHelp("Quality of the JPEG that cloud-only would upload.", valueName: "1...100"))
    var jpegQuality: Int = 90

    @Option(
        help: ArgumentHelp(
            "Name of another way to run the same machine: kept beside the usual one, for the planner to choose from.",
            valueName: "name"))
    var variant: String?

    @Option(help: "Of the cloud's layers: float32, bfloat16 or int8; the edge's are int8.")
    var precision: DeviceProfile.Precision = .float32

    @Option(help: "Kernels to use: \(InstructionSet.available.map(\.rawValue).joined(separator: ", ")).")
    var kernels: InstructionSet = .best

    @Option(help: ArgumentHelp("Settings as a JSON file.", valueName: "file"))
    var config: String?

    @OptionGroup var machine: MachineOptions
    @OptionGroup var cloud: CloudConnectionOptions

    func validate() throws {
        if parts < 0 { throw ValidationError("--parts: expected 0 or more, got \(parts)") }
        if batchSizes == nil { throw ValidationError("--batches: expected numbers of 2...256, got \"\(batches)\"") }
        if limit < 1 { throw ValidationError("--limit: expected 1 or more, got \(limit)") }
        if !(1...100_000).contains(runs) { throw ValidationError("--runs: expected 1...100000, got \(runs)") }
        if let variant, variant.isEmpty || variant.contains(where: { !$0.isLetter && !$0.isNumber && $0 != "_" }) {
            throw ValidationError("--variant: expected letters, digits and underscores, got \"\(variant)\"")
        }
        if variant != nil && (only.isEmpty || !only.allSatisfy { $0 == .edge || $0 == .cloud }) {
            throw ValidationError("--variant: needs --only edge or --only cloud")
        }
        if precision == .bfloat16 && !kernels.hasBFloat16 {
            throw ValidationError("--precision: this CPU does not compute in bfloat16 with \(kernels.rawValue) kernels")
        }
        if !(1...100).contains(jpegQuality) {
            throw ValidationError("--jpeg-quality: expected 1...100, got \(jpegQuality)")
        }
    }

    /// `nil` where they are no numbers in range.
    private var batchSizes: [Int]? {
        let sizes = batches.split(separator: ",").map { Int($0) }
        return sizes.allSatisfy { $0.map((2...256).contains) ?? false } ? sizes.compactMap(\.self) : nil
    }

    func run() async throws {
        let modes = try modes.split(separator: ",").map { try CodecMode(parsing: String($0)) }
        let settings = try await Settings(file: config)
        let client = try cloud.client(settings)
        if only.contains(.link) && client == nil { throw ValidationError("--only link: needs --cloud") }
        let wanted = only.isEmpty ? Part.allCases : only
        let opened = try OpenedPackage(path: package, verifying: .everything)
        let subject = try Subject(
            opened, pictures: PictureSet(folder: images, for: opened, limit: limit), threads: machine.threads,
            kernels: kernels)
        let folder = ProfileFolder(path: output)

        let suffix = variant.map { "-\($0).json" } ?? ".json"
        func measure<Profile: ProfileDocument>(
            _ part: Part, as name: String, unless isMeasured: (Profile) -> Bool, _ body: () throws -> Profile
        ) throws {
            guard wanted.contains(part) else { return }
            if resume, let old: Profile = folder.existing(name), isMeasured(old) {
                print("\(part.rawValue)  kept: \(name)")
            } else {
                try folder.write(body(), as: name)
            }
        }
        func isMeasured(_ role: DeviceProfile.Role, _ precision: DeviceProfile.Precision) -> (DeviceProfile) -> Bool {
            {
                $0.isMeasurement(
                    of: subject.identity, role, precision, threads: subject.pool.width,
                    instructionSet: kernels.rawValue, batches: role == .cloud ? batchSizes ?? [] : [])
            }
        }
        try measure(.edge, as: "edge" + suffix, unless: isMeasured(.edge, .int8)) {
            try measureDevice(subject, .edge, .int8)
        }
        try measure(.cloud, as: "cloud" + suffix, unless: isMeasured(.cloud, precision)) {
            try measureDevice(subject, .cloud, precision)
        }
        try measure(.codec, as: "codec.json") { (old: CodecProfile) in
            old.isMeasurement(
                of: subject.identity, modes: Set(modes.map(\.description)), images: subject.pictures.count,
                instructionSet: kernels.rawValue)
        } _: {
            try measureCodec(subject, modes)
        }
        try measure(.input, as: "input.json") { (old: InputProfile) in
            old.isMeasurement(of: subject.identity, images: subject.pictures.count, jpegQuality: jpegQuality)
        } _: {
            try measureInput(subject)
        }
        if wanted.contains(.power) { try measurePower(subject, folder) }
        if wanted.contains(.link), let client {
            let link = try await measureLink(client)
            try folder.write(link, as: "link.json")
            print(
                "link   \(client.endpoint): round trip \(link.roundTrip.millisecondsText) ms, "
                    + "up \((link.uplink.bitsPerSecond / 1e6).fixed(1)) Mbit/s, down \((link.downlink.bitsPerSecond / 1e6).fixed(1)) Mbit/s"
            )
        }
        print("profiles in \(output)")
    }

    /// What is measured.
    private struct Subject {
        let opened: OpenedPackage
        let quantized: QuantizedGraph
        let pictures: PictureSet
        let pool: WorkerPool
        let identity: ModelIdentity
        let provenance: Provenance
        let kernels: InstructionSet

        init(_ opened: OpenedPackage, pictures: PictureSet, threads: Int, kernels: InstructionSet) throws {
            self.opened = opened
            self.pictures = pictures
            self.kernels = kernels
            // Float32 weights are measured too, so the graph must be the verified one.
            _ = try opened.graph()
            quantized = try opened.requiredQuantizedGraph()
            pool = WorkerPool(width: threads)
            identity = ModelIdentity(name: "\(opened.card.name)", digest: "\(opened.digest)")
            provenance = .current(
                command: CommandLine.arguments.joined(separator: " "), toolVersion: Cleave.toolVersion,
                instructionSet: kernels)
        }
    }

    private func measureDevice(
        _ subject: Subject, _ role: DeviceProfile.Role, _ precision: DeviceProfile.Precision
    ) throws -> DeviceProfile {
        let bar = ProgressBar("profiling \(role)")
        let profile = try DeviceProfile.measure(
            subject.quantized, role: role, precision: precision, parts: partsToTime(subject.quantized.graph),
            batches: role == .cloud ? batchSizes ?? [] : [], model: subject.identity,
            provenance: subject.provenance, pool: subject.pool,
            instructionSet: subject.kernels, inputs: subject.pictures.tensors(0), effort: MeasurementEffort(runs: runs),
            progress: bar.update)
        print(
            "\(role == .edge ? "edge " : "cloud")  \(profile.precision), \(profile.threads) threads, \(subject.kernels.rawValue): "
                + "whole network \(profile.wholeNetwork.median.millisecondsText) ms, sum of layers \(profile.sumOfNodes.millisecondsText) ms"
        )
        for batch in profile.batches ?? [] {
            print("       \(batch.pictures) pictures at once \(batch.timing.median.millisecondsText) ms")
        }
        return profile
    }

    /// Cuts of one tensor, at most `parts` of them, spread evenly.
    private func partsToTime(_ graph: Graph) -> [Cut] {
        let cuts = CutEnumerator().cuts(of: graph)
        let single = cuts.indices.filter { cuts.boundary(at: $0).count == 1 && !cuts.isCloudOnly(at: $0) }
        guard single.count > parts else { return single.map { cuts[$0] } }
        return (0..<parts).map { cuts[single[$0 * single.count / parts]] }
    }

    private func measureCodec(_ subject: Subject, _ modes: [CodecMode]) throws -> CodecProfile {
        let bar = ProgressBar("profiling codec")
        let cuts = CutEnumerator().cuts(of: subject.quantized.graph)
        let profile = try CodecProfile.measure(
            subject.quantized, cuts: Array(cuts), modes: modes, codecs: subject.opened.card.codecs ?? [],
            model: subject.identity, provenance: subject.provenance, pool: subject.pool,
            instructionSet: subject.kernels, count: subject.pictures.count, measuresAccuracy: true,
            input: subject.pictures.tensors, label: { subject.pictures.items[$0].label }, progress: bar.update)
        for mode in modes {
            let bits = profile.entries.filter { $0.mode == mode.description }.map(\.bitsPerElement).sorted()
            guard !bits.isEmpty else { continue }
            print(
                "codec  \(mode): \(bits[bits.count / 2].fixed(2)) bits an element (median of \(bits.count) boundaries, "
                    + "\(bits[0].fixed(2))...\(bits[bits.count - 1].fixed(2)))")
        }
        let calibrated = profile.entries.filter { $0.isCalibrated == true }
        if let least = calibrated.map(\.bitsPerElement).min(), let most = calibrated.map(\.bitsPerElement).max() {
            print(
                "codec  calibrated: \(calibrated.count) codings of \(Set(calibrated.map(\.boundary)).count) boundaries, "
                    + "\(least.fixed(2))...\(most.fixed(2)) bits an element")
        }
        return profile
    }

    private func measureInput(_ subject: Subject) throws -> InputProfile {
        guard let preprocessing = subject.opened.card.preprocessing else {
            throw CommandError("\(package): the package has no preprocessing")
        }
        let profile = try InputProfile.measure(
            images: subject.pictures.items.map(\.path), preprocessing: preprocessing, jpegQuality: jpegQuality,
            model: subject.identity, provenance: subject.provenance)
        print("input  JPEG quality \(jpegQuality): \(profile.jpeg.bytes) bytes, raw \(profile.raw.bytes) bytes")
        return profile
    }

    /// Most machines cannot tell; that is an error only when it was asked for by name.
    private func measurePower(_ subject: Subject, _ folder: ProfileFolder) throws {
        let options = PreparationOptions(instructionSet: subject.kernels, workers: subject.pool)
        let session = InferenceSession(try PreparedModel(subject.quantized, options: options), pool: subject.pool)
        try session.feed(subject.pictures.tensors(0))
        // Prices that somebody wrote stay.
        var costs = try folder.measuredCosts() ?? RunningCosts()
        do {
            guard let meter = try PowerMeter.find() else {
                throw CommandError("no RAPL counters in /sys/class/powercap and no INA sensor in /sys/class/hwmon")
            }
            costs.board = try .measure(with: meter, threads: subject.pool.width) { try session.run() }
        } catch  where only.isEmpty {
            print("power  not measured: \(error)")
            return
        }
        try folder.write(costs, as: "costs.json")
        print(
            "power  \(costs.board.idle.fixed(2)) W idle, \(costs.board.perBusyThread.fixed(2)) W a busy thread, "
                + "at most \((costs.board.peak ?? 0).fixed(2)) W. \(costs.board.source)")
    }

    private func measureLink(_ client: WireClient) async throws -> LinkProfile {
        let options = client.callOptions
        let measured = try await client.withClient { client in
            try await LinkMeasurement.measure(Cleave_V1_SplitInference.Client(wrapping: client), options: options)
        }
        return LinkProfile(
            name: "\(client.endpoint)", roundTrip: measured.roundTrip,
            uplink: BitRate(bitsPerSecond: 8 * measured.uplinkBytesPerSecond),
            downlink: BitRate(bitsPerSecond: 8 * measured.downlinkBytesPerSecond),
            source: "measured over cleave.v1.SplitInference/MeasureLink")
    }
}
