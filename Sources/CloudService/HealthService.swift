package import GRPCCore
package import InferenceProtocol
private import SwiftProtobuf

/// Answers `grpc.health.v1.Health` for the whole server and for each of its services.
package struct HealthService: Grpc_Health_V1_Health.SimpleServiceProtocol {
    private let state: ServingState
    private let services: Set<String>

    package init(state: ServingState, services: [ServiceDescriptor]) {
        self.state = state
        self.services = Set(services.map(\.fullyQualifiedService) + [""])
    }

    package func check(
        request: Grpc_Health_V1_HealthCheckRequest, context: ServerContext
    ) async throws -> Grpc_Health_V1_HealthCheckResponse {
        guard services.contains(request.service) else {
            throw RPCError(code: .notFound, message: "no service \(request.service)")
        }
        return response(for: request.service)
    }

    package func watch(
        request: Grpc_Health_V1_HealthCheckRequest, response: RPCWriter<Grpc_Health_V1_HealthCheckResponse>,
        context: ServerContext
    ) async throws {
        try await response.write(self.response(for: request.service))
        for phase in [ServingState.Phase.serving, .draining] where services.contains(request.service) && state.phase < phase {
            await state.wait(for: phase)
            try Task.checkCancellation()
            try await response.write(self.response(for: request.service))
        }
        // A watch lasts until the client or the server ends it.
        if state.phase < .draining { await state.wait(for: .draining) }
    }

    private func response(for service: String) -> Grpc_Health_V1_HealthCheckResponse {
        .with {
            $0.status =
                if !services.contains(service) { .serviceUnknown } else if state.isServing { .serving } else { .notServing }
        }
    }
}
