package import ActivationCodec
package import InferenceProtocol
package import ModelGraph

/// One loaded version of a model: what the service needs to know and do, whatever computes it.
package protocol CompletionModel: Sendable {
    var name: String { get }
    var version: String { get }
    /// SHA-256 of the model package, lower-case hexadecimal.
    var digest: String { get }
    var inputs: [NamedTensorType] { get }
    var outputs: [NamedTensorType] { get }
    /// The threads on which frames are decoded.
    var bandLoop: BandLoop { get }

    /// Runs the whole model in float32. Called from several threads at once.
    ///
    /// `inputs` are of the declared types, in order, and so are the results.
    func infer(_ inputs: [Tensor]) throws -> [Tensor]

    /// Prepares the part after a cut; may take long. The service keeps what it returns for all sessions.
    /// - Throws: when `boundary` names no legal cut of the model.
    func makeTail(boundary: [String]) throws -> any CompletionTail
}

/// The prepared part of a model after a cut.
package protocol CompletionTail: Sendable {
    /// What a frame must hold, in order.
    var boundary: [BoundaryTensor] { get }
    var outputs: [NamedTensorType] { get }

    /// Computes the outputs, in the declared order, from the boundary's codes, row-major, one array a boundary tensor.
    ///
    /// Called from several threads at once.
    func complete(_ codes: [[UInt8]]) throws -> [Tensor]
}

/// A boundary tensor as it is sent.
package struct BoundaryTensor: Hashable, Sendable {
    package let name: String
    /// Logical shape, quantisation, and the clip ranges and level quantisers that both sides know.
    package let expected: ExpectedTensor

    package init(name: String, expected: ExpectedTensor) {
        self.name = name
        self.expected = expected
    }
}
