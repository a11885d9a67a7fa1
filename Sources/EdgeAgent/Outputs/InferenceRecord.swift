/// What became of one image: one line of the agent's output.
package struct InferenceRecord: Hashable, Sendable, Codable {
    package enum Source: String, Hashable, Sendable, Codable {
        case cloud, local
    }

    /// Milliseconds; what did not happen is absent.
    package struct Times: Hashable, Sendable, Codable {
        package var preprocess: Double = 0
        package var head: Double = 0
        package var encode: Double?
        /// From the end of encoding to the result.
        package var wait: Double?
        /// Within `wait`, by the cloud's account.
        package var decode: Double?
        package var queue: Double?
        package var compute: Double?
        /// Finishing on the edge.
        package var local: Double?
        package var total: Double = 0
    }

    /// Why an agent that adapts took this cut: what it believed of the link and the cloud.
    package struct Decision: Hashable, Sendable, Codable {
        package var uplinkMbps: Double
        package var roundTripMs: Double
        /// How late packets come beside the usual, on average.
        package var jitterMs: Double?
        /// Until the cloud begins to compute.
        package var cloudWaitMs: Double
        package var predictedMs: Double
        /// Whether the cut or the codec changed with this picture.
        package var isSwitch: Bool

        private enum CodingKeys: String, CodingKey {
            case uplinkMbps = "uplink_mbps"
            case roundTripMs = "round_trip_ms"
            case jitterMs = "jitter_ms"
            case cloudWaitMs = "cloud_wait_ms"
            case predictedMs = "predicted_ms"
            case isSwitch = "switch"
        }
    }

    package var image: String
    /// Absent when the image could not be read or computed: then `error` says why.
    package var label: String?
    package var score: Float?
    package var top5: [ScoredLabel] = []
    package var source: Source?
    /// Why the cloud did not finish it; absent when it did, or was not to.
    package var reason: String?
    package var detail: String?
    /// The boundary's names joined by `+`; empty when all runs on the edge.
    package var cut: String
    /// Absent where the cut does not change from picture to picture.
    package var codec: String?
    package var decision: Decision?
    package var bytesSent = 0
    package var timesMs = Times()
    package var error: String?

    package init(image: String, cut: [String]) {
        self.image = image
        self.cut = cut.joined(separator: "+")
    }

    private enum CodingKeys: String, CodingKey {
        case image, label, score, top5, source, reason, detail, cut, codec, decision
        case bytesSent = "bytes_sent"
        case timesMs = "times_ms"
        case error
    }
}

extension Duration {
    /// To the microsecond: finer digits of a measured time mean nothing.
    var roundedMilliseconds: Double {
        (Double(components.seconds) * 1e6 + Double(components.attoseconds) * 1e-12).rounded() / 1e3
    }
}
