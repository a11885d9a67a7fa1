package import InferenceProtocol
package import Logging
package import ModelGraph
private import NIOPosix
private import Synchronization

/// The edge's standing link to the cloud: one long-lived stream, made anew in the background whenever it is lost.
///
/// `complete` never waits longer than its deadline, and not at all while there is no connection: whoever asks finishes
/// locally instead.
package final class CloudLink: Sendable {
    package struct Configuration: Sendable {
        /// Program and version, as the cloud logs it.
        package var agent = "cleave-edge"
        /// For connecting and the greeting together.
        package var connectTimeout: Duration = .seconds(5)
        package var backoff = Backoff()
        /// So many frames in a row without an answer in time, and the connection is made anew.
        package var maximumTimeouts = 3
        /// Cuts to open as soon as there is a connection, by their boundaries; others are opened when first used.
        package var cutsAhead: [[String]] = []
        /// Frames are told as changes to earlier ones, and at least every so many is not; `nil`: each by itself.
        package var keyFrameInterval: Int?

        package init() {}
    }

    private struct State {
        var connection: CloudConnection?
        /// Why there is none; `nil` before the first attempt ended.
        var lastFailure: CloudFailure?
    }

    /// Frames wait here for the first attempt.
    private let state: Mutex<State>
    private let connector: any CloudConnector
    private let identity: ModelIdentity
    private let configuration: Configuration
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let encoder: NIOThreadPool

    /// - Parameter clock: measures deadlines and delays.
    package init(
        to connector: any CloudConnector, identity: ModelIdentity, configuration: Configuration = Configuration(),
        clock: any Clock<Duration> = ContinuousClock(), logger: Logger
    ) {
        self.connector = connector
        self.identity = identity
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        encoder = NIOThreadPool(numberOfThreads: 1)
        state = Mutex(State())
        state.withLock { $0.connection = makeConnection() }
    }

    /// Keeps the link up until the task is cancelled.
    package func run() async {
        encoder.start()
        var backoff = configuration.backoff
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            let connection = state.withLock { state in
                let connection = state.connection ?? makeConnection()
                state.connection = connection
                return connection
            }
            let reason = await connection.run(
                over: connector, welcomeWithin: configuration.connectTimeout, clock: clock)
            state.withLock { state in
                state.connection = nil
                state.lastFailure = reason
            }
            guard !Task.isCancelled else { break }
            if case .success = connection.welcomed.result { backoff.reset() }
            switch reason.code {
            case nil, .draining, .overloaded: break
            default: backoff.saturate()
            }
            let delay = backoff.next(using: &generator)
            logger.notice("no cloud", metadata: ["reason": "\(reason)", "retry": "\(delay)"])
            try? await clock.sleep(for: delay)
        }
        await Task { [encoder] in try? await encoder.shutdownGracefully() }.value
    }

    /// Sends a frame and returns what the cloud made of it.
    ///
    /// - Parameters:
    ///   - boundary: the cut's tensor names.
    ///   - deadline: for everything: opening the cut, encoding, sending, computing, receiving.
    ///   - encode: hands on the frame's bytes; runs on a thread of the link's own, one frame at a time.
    /// - Throws: `CloudFailure`, or `CancellationError` when the caller is cancelled.
    package func complete(
        cut boundary: [String], deadline: Duration,
        encode: @escaping FrameEncoding
    ) async throws -> CloudCompletion {
        let (current, lastFailure) = state.withLock { ($0.connection, $0.lastFailure) }
        guard let connection = current else {
            throw lastFailure ?? CloudFailure(.unreachable, "the link is not running")
        }
        // Only the first connection is worth waiting for: later ones are made while the edge works by itself.
        if connection.welcomed.result == nil, let lastFailure { throw lastFailure }
        let exchange = try await withDeadline(deadline, clock: clock) {
            try await connection.welcomed.value
            return try await connection.exchange(cut: boundary, deadline: deadline, encode: encode)
        }
        guard let exchange else {
            if case .success = connection.welcomed.result { connection.noteTimeout() }
            throw CloudFailure(.deadlineExceeded, "no result within \(deadline)")
        }
        return CloudCompletion(
            outputs: exchange.result.outputs, bytesSent: exchange.bytesSent, encode: exchange.encodeTime,
            wait: exchange.waitTime, result: exchange.result, passage: exchange.passage)
    }

    /// Measures the link with few bytes; for when no frames do.
    /// - Throws: `CloudFailure`, or `CancellationError` when the caller is cancelled.
    package func probe(bytes: Int, deadline: Duration) async throws -> LinkProbeResult {
        let (connection, lastFailure) = state.withLock { ($0.connection, $0.lastFailure) }
        guard let connection, case .success = connection.welcomed.result else {
            throw lastFailure ?? CloudFailure(.unreachable, "there is no connection yet")
        }
        guard let result = try await withDeadline(deadline, clock: clock, { try await connection.probe(bytes: bytes) })
        else { throw CloudFailure(.deadlineExceeded, "no answer to a probe within \(deadline)") }
        return result
    }

    private func makeConnection() -> CloudConnection {
        CloudConnection(
            session: EdgeSession(identity: identity, agent: configuration.agent), encoder: encoder,
            maximumTimeouts: configuration.maximumTimeouts, cutsAhead: configuration.cutsAhead,
            keyFrameInterval: configuration.keyFrameInterval)
    }
}

/// A frame that the cloud finished.
package struct CloudCompletion: Sendable {
    package let outputs: [(name: String, tensor: Tensor)]
    package let bytesSent: Int
    package let encode: Duration
    /// From the end of encoding to the result: the rest of sending, the cloud's work, and the way back.
    package let wait: Duration
    /// The cloud's own account of its time.
    package let result: CloudResult
    /// When its bytes left and arrived.
    package let passage: FramePassage
}
