package import InferenceProtocol
private import SwiftProtobuf

/// How the completion service is run.
package struct CloudConfiguration: Sendable {
    /// Where gRPC is served; port 0 lets the system choose.
    package var grpcEndpoint: WireEndpoint
    /// Where health and metrics are served over plain HTTP; `nil`: nowhere.
    package var httpEndpoint: WireEndpoint?
    package var wire = WireSettings()
    /// `nil`: plaintext.
    package var security: ServerSecurity?
    /// What every gRPC call must present; `nil`: nothing.
    package var token: BearerToken?
    /// Whether the token may arrive unencrypted from other machines.
    package var allowsPlaintextToken = false

    /// Computations that run at once, each on one thread.
    package var computeThreads = 1
    /// Computations that run or wait before requests are refused.
    package var computeQueueCapacity = 64
    /// Prepared tails that are kept.
    package var tailCapacity = 16

    package var maximumFrameBytes = 16 << 20
    package var maximumFramesInFlight = 8
    package var maximumCutsPerSession = 64
    /// Frames that a session keeps for later ones to refer to; 0: none.
    package var maximumReferences = 4
    /// Bytes that they take together, for each session.
    package var maximumReferenceBytes = 32 << 20

    /// How long a drain waits for what is under way.
    package var drainTimeout: Duration = .seconds(20)
    /// What the server calls itself.
    package var serverName = "cleave-cloud"
    package var serverVersion = "0"

    package init(grpcEndpoint: WireEndpoint, httpEndpoint: WireEndpoint? = nil) {
        self.grpcEndpoint = grpcEndpoint
        self.httpEndpoint = httpEndpoint
    }

    /// - Throws: `CloudError.configuration` for a number out of range, `WireError.configuration` for a token in the clear.
    package func validate() throws {
        for (name, value, range) in [
            ("computeThreads", computeThreads, 1...1024), ("tailCapacity", tailCapacity, 1...65536),
            ("computeQueueCapacity", computeQueueCapacity, max(computeThreads, 1)...1_000_000),
            ("maximumFrameBytes", maximumFrameBytes, 1...(1 << 30)),
            ("maximumFramesInFlight", maximumFramesInFlight, 1...4096),
            ("maximumCutsPerSession", maximumCutsPerSession, 1...4096),
            ("maximumReferences", maximumReferences, 0...64),
            ("maximumReferenceBytes", maximumReferenceBytes, 0...(1 << 30)),
            ("eventLoopThreads", wire.eventLoopThreads, 1...256),
        ] where !range.contains(value) {
            throw CloudError(.configuration, "\(name) is \(value), expected \(range)")
        }
        try BearerToken.checkPlaintext(
            to: grpcEndpoint, hasToken: token != nil, isSecure: security != nil, isAllowed: allowsPlaintextToken)
    }

    /// What sessions are told.
    var splitLimits: SplitLimits {
        .with {
            $0.maxFrameBytes = UInt64(maximumFrameBytes)
            $0.maxChunkBytes = UInt32(clamping: min(1 << 20, wire.maximumMessageBytes / 2))
            $0.maxFramesInFlight = UInt32(clamping: maximumFramesInFlight)
            $0.maxCuts = UInt32(clamping: maximumCutsPerSession)
            $0.maxReferences = UInt32(clamping: maximumReferences)
            $0.maxReferenceBytes = UInt64(clamping: maximumReferenceBytes)
        }
    }
}
