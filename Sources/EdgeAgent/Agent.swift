private import InferenceProtocol
package import Logging
private import ModelGraph
private import NIOPosix

/// Classifies images: the head here, the rest in the cloud, or here as well when the cloud does not answer in time.
package struct Agent: Sendable {
    package struct Configuration: Sendable {
        /// For the cloud's part of one image; then the edge finishes it itself.
        package var deadline: Duration = .milliseconds(500)
        /// Images under way at the same time. More than the cloud's `max_frames_in_flight` finish locally.
        package var depth = 2
        package var scores: ScoreKind = .logits
        package var labels: [String] = []

        package init() {}
    }

    private let model: any EdgeModel
    private let link: CloudLink?
    private let configuration: Configuration
    private let logger: Logger
    private let chooseCut: @Sendable () -> [String]
    private let follower: LinkFollower?

    /// - Parameters:
    ///   - link: `nil`: everything runs here.
    ///   - adaptation: chooses the cut and the codec of each image by what it learns of the link, in place of `chooseCut`.
    ///   - chooseCut: the cut for the next image; empty: everything runs here.
    package init(
        model: any EdgeModel, link: CloudLink?, configuration: Configuration = Configuration(), logger: Logger,
        adaptation: CutAdaptation? = nil, chooseCut: @escaping @Sendable () -> [String]
    ) {
        precondition(configuration.depth >= 1)
        self.model = model
        self.link = link
        self.configuration = configuration
        self.logger = logger
        self.chooseCut = chooseCut
        follower = link == nil ? nil : adaptation.map(LinkFollower.init)
    }

    /// Processes images until there are no more, and hands on a record of each in the order of completion.
    ///
    /// An image that cannot be read or computed becomes a record with an error.
    /// - Throws: what `images` or `record` throws, or `CancellationError`.
    package func run<Images: AsyncSequence & Sendable>(
        _ images: Images, record: @escaping @Sendable (InferenceRecord) throws -> Void
    ) async throws where Images.Element == String {
        // Heads and local finishes share the model's memory: one thread runs them one after another.
        let worker = NIOThreadPool(numberOfThreads: 1)
        worker.start()
        let outcome: Result<Void, any Error>
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                if let link {
                    group.addTask { await link.run() }
                    if let follower { group.addTask { await follower.probeWhenIdle(link) } }
                }
                defer { group.cancelAll() }
                try await process(images, on: worker, record: record)
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await Task { try? await worker.shutdownGracefully() }.value
        try outcome.get()
    }

    private func process<Images: AsyncSequence & Sendable>(
        _ images: Images, on worker: NIOThreadPool, record: @escaping @Sendable (InferenceRecord) throws -> Void
    ) async throws where Images.Element == String {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var heads: [CutChoice: any EdgeHead] = [:]
            var underWay = 0
            for try await image in images {
                if underWay == configuration.depth {
                    try await group.next()
                    underWay -= 1
                }
                let start = ContinuousClock.now
                let decided = follower?.decide()
                let choice = decided?.choice ?? CutChoice(boundary: link == nil ? [] : chooseCut())
                var result = InferenceRecord(image: image, cut: choice.boundary)
                result.codec = choice.codec
                result.decision = decided?.record
                let run: any HeadRun
                do {
                    if heads[choice] == nil {
                        heads[choice] = try await worker.runIfActive { [model] in try model.prepareHead(choice) }
                    }
                    guard let head = heads[choice] else { preconditionFailure("the head was prepared") }
                    run = try await worker.runIfActive { try head.run(imageAt: image) }
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    result.error = "\(error)"
                    logger.warning("image failed", metadata: ["image": "\(image)", "reason": "\(error)"])
                    try record(result)
                    continue
                }
                result.timesMs.preprocess = run.preprocessTime.roundedMilliseconds
                result.timesMs.head = run.headTime.roundedMilliseconds
                group.addTask { [result] in
                    var result = result
                    try await finish(run, choice, on: worker, into: &result)
                    result.timesMs.total = (ContinuousClock.now - start).roundedMilliseconds
                    try record(result)
                }
                underWay += 1
            }
            try await group.waitForAll()
        }
    }

    /// Lets the cloud finish, or finishes here.
    private func finish(
        _ run: any HeadRun, _ choice: CutChoice, on worker: NIOThreadPool, into result: inout InferenceRecord
    ) async throws {
        let name: String
        let output: Tensor?
        if let completion = try await tryCloud(run, choice, into: &result) {
            result.source = .cloud
            (name, output) = completion.outputs.first.map { ($0.name, $0.tensor) } ?? ("output", nil)
        } else {
            let start = ContinuousClock.now
            result.source = .local
            do {
                output = try await worker.runIfActive { try run.finishLocally() }.first
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                result.error = "\(error)"
                return
            }
            result.timesMs.local = (ContinuousClock.now - start).roundedMilliseconds
            name = "output"
        }
        do throws(EdgeError) {
            guard let output else { throw EdgeError(.unusableOutput, "the model has no output", at: result.image) }
            let classification = try Classification(
                of: output, named: name, kind: configuration.scores, labels: configuration.labels)
            result.label = classification.top.first?.label
            result.score = classification.top.first?.score
            result.top5 = classification.top
        } catch {
            result.error = error.description
        }
    }

    /// `nil` when the cloud was not to be asked, or did not answer; then `result` says why.
    private func tryCloud(
        _ run: any HeadRun, _ choice: CutChoice, into result: inout InferenceRecord
    ) async throws -> CloudCompletion? {
        guard let link, !choice.boundary.isEmpty else { return nil }
        do {
            let completion = try await link.complete(cut: choice.boundary, deadline: configuration.deadline) {
                terms, emit in
                try run.encode(terms, emit: emit)
            }
            result.bytesSent = completion.bytesSent
            result.timesMs.encode = completion.encode.roundedMilliseconds
            result.timesMs.wait = completion.wait.roundedMilliseconds
            result.timesMs.decode = completion.result.decode.roundedMilliseconds
            result.timesMs.queue = completion.result.queue.roundedMilliseconds
            result.timesMs.compute = completion.result.compute.roundedMilliseconds
            follower?.observe(completion)
            return completion
        } catch let failure as CloudFailure {
            if failure.kind == .deadlineExceeded {
                follower?.observeTimeout(of: choice, within: configuration.deadline)
            }
            result.reason = failure.label
            result.detail = failure.message
            logger.info("finishing locally", metadata: ["image": "\(result.image)", "reason": "\(failure)"])
            return nil
        }
    }
}
