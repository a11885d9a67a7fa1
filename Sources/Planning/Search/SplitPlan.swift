package import ModelGraph

/// A decision where to cut a network, with the reasons, the alternatives and the measurements it rests on.
package struct SplitPlan: ProfileDocument, Hashable {
    package static let schema = "cleave.split-plan"
    package static let version = 1

    package enum Strategy: String, Hashable, Sendable, Codable {
        /// The edge sends the picture as a JPEG.
        case cloudOnly
        /// The edge runs the head and sends the boundary; with an empty head it sends the input tensor.
        case split
        case edgeOnly
    }

    /// One way to run the network.
    package struct Option: Hashable, Sendable, Codable {
        package var strategy: Strategy
        /// The tensors sent; empty unless split.
        package var boundary: [String]
        /// Graph outputs that the head computes although the network is split.
        package var headOutputs: [String]
        /// The codec's mode; `nil` unless split.
        package var mode: String?
        package var headNodeCount: Int
        /// The place in the enumeration of cuts: from cloud to edge.
        package var position: Int
        package var cost: CostBreakdown
        package var top1Agreement: Double?
        /// Of top-1 accuracy against float32; `nil` when not measured on labelled images.
        package var accuracyLoss: Double?
        /// Images that the two were measured over, where not over the codec profile's.
        package var accuracyImages: Int?
        /// The codec's figures are sums over the boundary's tensors, which were measured one by one.
        package var isComposed: Bool
        /// On the board; `nil` in plans without it and where the board does not compute.
        package var edgeThreads: Int?
        package var cloudThreads: Int?
        package var cloudPrecision: DeviceProfile.Precision?
        package var resources: Resources?
        /// The latency that one picture in twenty exceeds.
        package var p95Nanoseconds: Int64?

        /// `cloud-only (JPEG)`, `edge-only`, or the boundary and the mode.
        package var label: String {
            switch strategy {
            case .cloudOnly: "cloud-only (JPEG)"
            case .edgeOnly: "edge-only"
            case .split: boundary.joined(separator: " + ") + (mode.map { " · \($0)" } ?? "")
            }
        }
    }

    /// An option a plan compares with, whether the constraints allow it or not.
    package struct Baseline: Hashable, Sendable, Codable {
        package var option: Option
        package var refusal: Refusal?
    }

    /// A range of uplinks over which one option has the lowest latency.
    package struct Range: Hashable, Sendable, Codable {
        package var option: Option
        /// `nil`: however slow the uplink.
        package var fromUplink: BitRate?
        /// `nil`: however fast the uplink.
        package var toUplink: BitRate?

        private enum CodingKeys: String, CodingKey {
            case option
            case fromUplink = "fromUplinkBitsPerSecond"
            case toUplink = "toUplinkBitsPerSecond"
        }
    }

    package struct RefusalCount: Hashable, Sendable, Codable {
        package var refusal: Refusal
        /// Options, that is, pairs of a cut and a codec mode.
        package var count: Int
    }

    package struct Search: Hashable, Sendable, Codable {
        package var cuts: Int
        package var isExhaustive: Bool
        /// Cuts passed over because a boundary tensor is not a float32 activation.
        package var withheldCuts: Int
        /// Options allowed and ranked, the ranking's cut-off aside.
        package var allowedOptions: Int
        package var refusals: [RefusalCount]
    }

    package struct Source: Hashable, Sendable, Codable {
        package var title: String
        package var provenance: Provenance
    }

    package var model: ModelIdentity
    package var objective: Objective
    /// Where several objectives count; the first of them is `objective`.
    package var goal: Goal?
    package var constraints: PlanConstraints
    package var link: LinkProfile
    package var costs: RunningCosts?
    package var chosen: Option
    package var cloudOnly: Baseline
    package var edgeOnly: Baseline
    /// The best allowed cut, also where a baseline was chosen.
    package var bestSplit: Option?
    package var reasons: [String]
    /// The fastest allowed option for every uplink, the rest of the link unchanged; from slow to fast.
    package var byUplink: [Range]
    /// The same among the cuts alone.
    package var splitsByUplink: [Range]
    /// The fastest allowed option for every uplink, round trip and wait, for an agent that follows the link; `nil` in plans
    /// made before there was one.
    package var decisions: DecisionTable?
    /// The allowed options, best first; of each cut its best mode.
    package var ranking: [Option]
    package var search: Search
    package var sources: [Source]

    package func validate() throws(PlanningError) {}

    /// The chosen cut as the graph's own type.
    /// - Throws: `GraphError` when `graph` is not the one the plan was made for.
    package func cut(of graph: Graph) throws(GraphError) -> Cut {
        switch chosen.strategy {
        case .cloudOnly: .cloudOnly(of: graph)
        case .edgeOnly: .edgeOnly(of: graph)
        case .split: try Cut(sending: chosen.boundary, keeping: chosen.headOutputs, of: graph)
        }
    }
}
