package import GRPCCore
package import InferenceProtocol
package import Logging
private import ModelGraph
private import SwiftProtobuf

/// Answers `inference.GRPCInferenceService` with whole models in float32.
package struct OpenInferenceService: Inference_GRPCInferenceService.SimpleServiceProtocol {
    /// What `ServerMetadata` offers beyond the protocol's core.
    package static let extensions = ["model_configuration", "model_repository", "statistics", "cleave.v1.SplitInference"]

    private let models: ModelRegistry
    private let queue: ComputeQueue
    private let state: ServingState
    private let statistics = InferenceStatistics()
    private let metrics: CloudMetrics
    private let logger: Logger
    private let server: (name: String, version: String)

    package init(
        models: ModelRegistry, queue: ComputeQueue, state: ServingState, metrics: CloudMetrics, logger: Logger,
        server: (name: String, version: String)
    ) {
        self.models = models
        self.queue = queue
        self.state = state
        self.metrics = metrics
        self.logger = logger
        self.server = server
    }

    // MARK: Health and metadata

    package func serverLive(
        request: Inference_ServerLiveRequest, context: ServerContext
    ) async throws -> Inference_ServerLiveResponse {
        .with { $0.live = true }
    }

    package func serverReady(
        request: Inference_ServerReadyRequest, context: ServerContext
    ) async throws -> Inference_ServerReadyResponse {
        .with { $0.ready = state.isServing }
    }

    package func modelReady(
        request: Inference_ModelReadyRequest, context: ServerContext
    ) async throws -> Inference_ModelReadyResponse {
        _ = try models.model(named: request.name, version: request.version)
        return .with { $0.ready = state.isServing }
    }

    package func serverMetadata(
        request: Inference_ServerMetadataRequest, context: ServerContext
    ) async throws -> Inference_ServerMetadataResponse {
        .with {
            $0.name = server.name
            $0.version = server.version
            $0.extensions = Self.extensions
        }
    }

    package func modelMetadata(
        request: Inference_ModelMetadataRequest, context: ServerContext
    ) async throws -> Inference_ModelMetadataResponse {
        let model = try models.model(named: request.name, version: request.version)
        return .with {
            $0.name = model.name
            $0.versions = models.versions(of: model.name).map(\.version)
            $0.platform = "cleave"
            $0.inputs = model.inputs.map { .init($0) }
            $0.outputs = model.outputs.map { .init($0) }
            $0.properties = ["digest": model.digest]
        }
    }

    package func modelConfig(
        request: Inference_ModelConfigRequest, context: ServerContext
    ) async throws -> Inference_ModelConfigResponse {
        let model = try models.model(named: request.name, version: request.version)
        return .with {
            $0.config = .with {
                $0.name = model.name
                $0.platform = "cleave"
                $0.backend = "cleave"
                $0.input = model.inputs.map { input in
                    .with {
                        $0.name = input.name
                        $0.dataType = input.type.elementType.configDataType
                        $0.dims = input.type.shape.wireExtents
                    }
                }
                $0.output = model.outputs.map { output in
                    .with {
                        $0.name = output.name
                        $0.dataType = output.type.elementType.configDataType
                        $0.dims = output.type.shape.wireExtents
                    }
                }
            }
        }
    }

    package func modelStatistics(
        request: Inference_ModelStatisticsRequest, context: ServerContext
    ) async throws -> Inference_ModelStatisticsResponse {
        let reported =
            request.name.isEmpty ? models.models : [try models.model(named: request.name, version: request.version)]
        return .with { $0.modelStats = reported.map(statistics.message(for:)) }
    }

    package func repositoryIndex(
        request: Inference_RepositoryIndexRequest, context: ServerContext
    ) async throws -> Inference_RepositoryIndexResponse {
        let isReady = state.isServing
        return .with {
            $0.models = models.models.filter { _ in isReady || !request.ready }.map { model in
                .with {
                    $0.name = model.name
                    $0.version = model.version
                    $0.state = isReady ? "READY" : "UNAVAILABLE"
                }
            }
        }
    }

    package func repositoryModelLoad(
        request: Inference_RepositoryModelLoadRequest, context: ServerContext
    ) async throws -> Inference_RepositoryModelLoadResponse {
        throw RPCError(code: .unimplemented, message: "models are loaded when the server starts")
    }

    package func repositoryModelUnload(
        request: Inference_RepositoryModelUnloadRequest, context: ServerContext
    ) async throws -> Inference_RepositoryModelUnloadResponse {
        throw RPCError(code: .unimplemented, message: "models are loaded when the server starts")
    }

    // MARK: Inference

    package func modelInfer(
        request: Inference_ModelInferRequest, context: ServerContext
    ) async throws -> Inference_ModelInferResponse {
        try await infer(request)
    }

    package func modelStreamInfer(
        request: RPCAsyncSequence<Inference_ModelInferRequest, any Error>,
        response: RPCWriter<Inference_ModelStreamInferResponse>, context: ServerContext
    ) async throws {
        for try await request in request {
            var reply = Inference_ModelStreamInferResponse()
            do {
                reply.inferResponse = try await infer(request)
            } catch {
                reply.errorMessage = error.message
                // Which of the requests failed is told by its identifier alone.
                reply.inferResponse.id = request.id
            }
            try await response.write(reply)
        }
    }

    private func infer(_ request: Inference_ModelInferRequest) async throws(RPCError) -> Inference_ModelInferResponse {
        let start = ContinuousClock.now
        guard state.isServing else { throw RPCError(code: .unavailable, message: "the server is not serving") }
        let model: any CompletionModel
        do {
            model = try models.model(named: request.modelName, version: request.modelVersion)
        } catch {
            throw RPCError(error)
        }
        do {
            let inputs = try request.tensors(matching: model.inputs)
            let requested = try request.requestedOutputs(of: model.outputs)
            let completion = try await queue.run { try model.infer(inputs) }
            statistics.succeeded(
                model, total: ContinuousClock.now - start, queued: completion.queued, computed: completion.computed)
            metrics.countInference(of: model, outcome: "ok")
            return Inference_ModelInferResponse(
                model: model.name, version: model.version, id: request.id,
                outputs: requested.map { (model.outputs[$0].name, .tensor(completion.result[$0])) })
        } catch {
            let failure = RPCError(inference: error)
            statistics.failed(model, total: ContinuousClock.now - start)
            metrics.countInference(of: model, outcome: "\(failure.code)")
            logger.debug("inference refused", metadata: ["model": "\(model.name)", "reason": "\(failure.message)"])
            throw failure
        }
    }
}

extension RPCError {
    fileprivate init(inference error: any Error) {
        switch error {
        case let error as WireError: self.init(error)
        case let error as CloudError where error.code == .overloaded:
            self.init(code: .resourceExhausted, message: error.message)
        case is CancellationError: self.init(code: .cancelled, message: "the call was cancelled")
        default: self.init(code: .internalError, message: "\(error)", cause: error)
        }
    }
}
