private import FoundationEssentials
package import InferenceProtocol
private import SwiftProtobuf
private import Synchronization

/// What `ModelStatistics` reports of whole-model requests, by model version.
package final class InferenceStatistics: Sendable {
    private struct Key: Hashable {
        let name: String
        let version: String
    }

    private struct Sum {
        var count: UInt64 = 0
        var nanoseconds: UInt64 = 0

        mutating func add(_ duration: Duration) {
            count += 1
            nanoseconds &+= duration.wireNanoseconds
        }

        var message: Inference_StatisticDuration {
            .with {
                $0.count = count
                $0.ns = nanoseconds
            }
        }
    }

    private struct Sums {
        var lastInference: UInt64 = 0
        var success = Sum()
        var failure = Sum()
        var queue = Sum()
        var compute = Sum()
    }

    private let sums = Mutex<[Key: Sums]>([:])

    package init() {}

    package func succeeded(_ model: any CompletionModel, total: Duration, queued: Duration, computed: Duration) {
        let now = UInt64(max(Date.now.timeIntervalSince1970 * 1000, 0))
        update(model) {
            $0.lastInference = now
            $0.success.add(total)
            $0.queue.add(queued)
            $0.compute.add(computed)
        }
    }

    package func failed(_ model: any CompletionModel, total: Duration) {
        update(model) { $0.failure.add(total) }
    }

    private func update(_ model: any CompletionModel, _ body: (inout Sums) -> Void) {
        let key = Key(name: model.name, version: model.version)
        sums.withLock { body(&$0[key, default: Sums()]) }
    }

    package func message(for model: any CompletionModel) -> Inference_ModelStatistics {
        let sums = self.sums.withLock { $0[Key(name: model.name, version: model.version)] ?? Sums() }
        return .with {
            $0.name = model.name
            $0.version = model.version
            $0.lastInference = sums.lastInference
            $0.inferenceCount = sums.success.count
            $0.executionCount = sums.success.count
            $0.inferenceStats = .with {
                $0.success = sums.success.message
                $0.fail = sums.failure.message
                $0.queue = sums.queue.message
                $0.computeInfer = sums.compute.message
            }
        }
    }
}
