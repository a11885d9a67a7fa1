package import ActivationCodec
package import ModelGraph

/// What names a model package to the cloud.
package struct ModelIdentity: Hashable, Sendable {
    package let name: String
    /// Empty: whichever version has the digest.
    package let version: String
    /// SHA-256 of the package, lower-case hexadecimal.
    package let digest: String

    package init(name: String, version: String = "", digest: String) {
        self.name = name
        self.version = version
        self.digest = digest
    }
}

/// How one picture is divided: where, and how what crosses is coded.
package struct CutChoice: Hashable, Sendable {
    /// The boundary's tensor names; empty when everything is to run on the edge.
    package var boundary: [String]
    /// A mode of the codec, or the name of a coding calibrated for this cut; `nil`: the model's own.
    package var codec: String?

    package init(boundary: [String], codec: String? = nil) {
        self.boundary = boundary
        self.codec = codec
    }
}

/// The model as the agent sees it, whatever computes it.
package protocol EdgeModel: Sendable {
    var identity: ModelIdentity { get }

    /// Prepares the part before a cut, and what finishing locally needs. Called once a cut, never at the same time as `run`
    /// or `finishLocally` of any head.
    /// - Parameter cut: the boundary's tensor names; empty when everything is to run on the edge.
    /// - Throws: when the names are no legal cut.
    func prepareHead(cut: [String]) throws -> any EdgeHead

    /// The same, coded as the choice says.
    func prepareHead(_ choice: CutChoice) throws -> any EdgeHead
}

extension EdgeModel {
    /// For models with one codec.
    package func prepareHead(_ choice: CutChoice) throws -> any EdgeHead { try prepareHead(cut: choice.boundary) }
}

/// The prepared part of a model before a cut.
package protocol EdgeHead: Sendable {
    /// Reads an image and computes the boundary. Never called at the same time as another `run` or `finishLocally`.
    func run(imageAt path: String) throws -> any HeadRun
}

/// One image's activations at the boundary; they stay valid while later images are computed.
package protocol HeadRun: Sendable {
    var preprocessTime: Duration { get }
    var headTime: Duration { get }

    /// Encodes the boundary as one frame and hands its bytes on, piece by piece, as they become ready.
    ///
    /// May be called at the same time as `run` and `finishLocally`.
    /// - Returns: what a later frame may refer to, if the terms allow that there is such a thing.
    func encode(_ terms: FrameTerms, emit: ([UInt8]) -> Void) throws -> FrameReference?

    /// The network's outputs, computed here.
    func finishLocally() throws -> [Tensor]
}
