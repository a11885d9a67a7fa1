package import CoreMetrics
package import InferenceProtocol

/// What the service counts and times.
package struct CloudMetrics: Sendable {
    package let sessions: Meter
    package let frameBytes: Recorder
    private let results: Counter
    private let receive: CoreMetrics.Timer
    private let decode: CoreMetrics.Timer
    private let queue: CoreMetrics.Timer
    private let compute: CoreMetrics.Timer
    private let factory: any MetricsFactory

    package init(factory: any MetricsFactory) {
        self.factory = factory
        sessions = Meter(label: "cleave_split_sessions", factory: factory)
        frameBytes = Recorder(label: "cleave_frame_bytes", dimensions: [], aggregate: true, factory: factory)
        results = Counter(label: "cleave_frames_total", dimensions: [("outcome", "ok")], factory: factory)
        func phase(_ name: String) -> CoreMetrics.Timer {
            CoreMetrics.Timer(label: "cleave_frame_seconds", dimensions: [("phase", name)], factory: factory)
        }
        receive = phase("receive")
        decode = phase("decode")
        queue = phase("queue")
        compute = phase("compute")
    }

    package func record(_ times: FrameTimes) {
        receive.recordNanoseconds(Int64(clamping: times.receive.wireNanoseconds))
        decode.recordNanoseconds(Int64(clamping: times.decode.wireNanoseconds))
        queue.recordNanoseconds(Int64(clamping: times.queue.wireNanoseconds))
        compute.recordNanoseconds(Int64(clamping: times.compute.wireNanoseconds))
    }

    /// Counts results and refusals as they are sent.
    package func count(_ message: CloudMessage) {
        switch message.message {
        case .frameResult: results.increment()
        case .error(let error) where error.hasFrameID:
            Counter(label: "cleave_frames_total", dimensions: [("outcome", error.code.label)], factory: factory)
                .increment()
        case .error(let error):
            Counter(label: "cleave_split_errors_total", dimensions: [("code", error.code.label)], factory: factory)
                .increment()
        default: break
        }
    }

    /// One whole-model request.
    package func countInference(of model: any CompletionModel, outcome: String) {
        Counter(
            label: "cleave_inferences_total",
            dimensions: [("model", model.name), ("version", model.version), ("outcome", outcome)], factory: factory
        ).increment()
    }
}
