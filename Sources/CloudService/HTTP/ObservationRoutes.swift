package import Hummingbird

/// Health for orchestrators and metrics for Prometheus.
package enum ObservationRoutes {
    /// - Parameter refresh: brings gauges up to date before they are read.
    package static func router(
        state: ServingState, metrics: PrometheusRegistry, refresh: @escaping @Sendable () -> Void
    ) -> Router<BasicRequestContext> {
        let router = Router()
        let live: @Sendable (Request, BasicRequestContext) -> Response = { _, _ in text(.ok, "live\n") }
        let ready: @Sendable (Request, BasicRequestContext) -> Response = { _, _ in
            switch state.phase {
            case .starting: text(.serviceUnavailable, "starting\n")
            case .serving: text(.ok, "ready\n")
            case .draining: text(.serviceUnavailable, "draining\n")
            }
        }
        router.get("/healthz", use: live)
        router.get("/v2/health/live", use: live)
        router.get("/readyz", use: ready)
        router.get("/v2/health/ready", use: ready)
        router.get("/metrics") { _, _ in
            refresh()
            return text(.ok, metrics.exposition(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        return router
    }

    private static func text(
        _ status: HTTPResponse.Status, _ body: String, type: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: status, headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }
}
