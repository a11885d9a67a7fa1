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
        // A watch lasts until the client ends it, or the server's own end is told.
        var told: Grpc_Health_V1_HealthCheckResponse?
        for phase in [ServingState.Phase.starting, .serving, .draining] {
            await state.wait(for: phase)
            try Task.checkCancellation()
            let current = self.response(for: request.service)
            if current != told { try await response.write(current) }
            told = current
        }
    }

    private func response(for service: String) -> Grpc_Health_V1_HealthCheckResponse {
        let known: Grpc_Health_V1_HealthCheckResponse.ServingStatus = state.isServing ? .serving : .notServing
        return .with { $0.status = services.contains(service) ? known : .serviceUnknown }
    }
}
