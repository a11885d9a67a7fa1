private import InferenceProtocol
private import Synchronization

/// An adaptation shared by the pictures under way, fed with what they and, in silence, probes learn of the link.
final class LinkFollower: Sendable {
    private static let probeDeadline = Duration.seconds(2)

    private let adaptation: Mutex<CutAdaptation>

    init(_ adaptation: CutAdaptation) {
        self.adaptation = Mutex(adaptation)
    }

    func decide() -> CutAdaptation.Decision { adaptation.withLock { $0.decide() } }

    func observe(_ completion: CloudCompletion) {
        adaptation.withLock { $0.estimator.observe(completion.passage) }
    }

    /// - Parameter time: what the frame had.
    func observeTimeout(of choice: CutChoice, within time: Duration) {
        adaptation.withLock { $0.observeTimeout(of: choice, within: time, at: .now) }
    }

    /// Sends a small probe whenever no frame has told of the link for a while; until cancelled.
    func probeWhenIdle(_ link: CloudLink) async {
        while !Task.isCancelled {
            if let bytes = adaptation.withLock({ $0.estimator.dueProbe(at: .now) }) {
                do {
                    let result = try await link.probe(bytes: bytes, deadline: Self.probeDeadline)
                    adaptation.withLock {
                        $0.estimator.observeProbe(
                            roundTrip: result.roundTrip, bytes: result.bytes, spacing: result.spacing, at: .now)
                    }
                } catch let failure as CloudFailure where failure.kind == .deadlineExceeded {
                    adaptation.withLock {
                        $0.estimator.observeTimeout(bytes: bytes, within: Self.probeDeadline, at: .now)
                    }
                } catch {
                    // Without a connection there is nothing to learn; the next probe tries again.
                }
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }
}
