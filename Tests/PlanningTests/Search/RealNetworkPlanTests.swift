private import FoundationEssentials
private import ModelGraph
private import ONNXFormat
private import Planning
internal import TestSupport
internal import Testing

/// The planner on real networks, with random costs, against costing every cut.
@Suite(.enabled(if: TestData.directory != nil, "CLEAVE_TEST_DATA is not set"))
struct RealNetworkPlanTests {
    private static let files = [
        "imagenet/squeezenet1.1_fp32", "imagenet/mobilenetv2_fp32", "imagenet/mobilenetv1_0.25_224_fp32",
        "imagenet/tiny_darknet_fp32", "imagenet/resnet50_abm_w8", "imagenet_int8/mobilenet_v1_0.5_160_int8_qdq",
        "imagenet_int8/mobilenet_v2_1.0_224_qat_int8_qdq", "small/vww_mobilenetv1_fp32",
        "small/vww_mobilenetv1_int8_qdq", "small/cifar10_resnet8_fp32", "small/cifar10_resnet8_int8_qdq",
        "small/cifar10_resnet20_fp32", "small/kws_dscnn_fp32", "small/kws_dscnn_int8_qdq", "small/mnist_cntk",
        "small/super_resolution", "detect/version-RFB-320", "detect/faceboxes_fp32",
    ]

    @Test(arguments: files) func choosesWhatBruteForceChooses(file: String) throws {
        let path = try #require(TestData.file("models/\(file).onnx")).path
        let graph = try importONNX(at: path).simplified()
        var generator = SeededGenerator(seed: 11)
        let profiles = ProfileSet.random(additive: graph, using: &generator)
        let cuts = CutEnumerator().cuts(of: graph)
        // A graph with too many cuts is planned by minimum cuts, which other tests hold to enumeration.
        guard cuts.isExhaustive else { return }
        for link in LinkProfile.presets {
            let model = try CostModel(cuts: cuts, profiles: profiles, link: link)
            var least = min(model.cloudOnlyCost().latency, model.edgeOnlyCost().latency)
            for position in cuts.indices.dropLast() {
                let boundary = cuts.boundary(at: position)
                for mode in model.modes.indices {
                    guard let encoding = model.encoding(of: boundary, mode: mode) else { continue }
                    least = min(least, model.cost(ofCutAt: position, boundary: boundary, encoding: encoding).latency)
                }
            }
            #expect(try Planner(model).plan(.latency).chosen.cost.latency == least, "\(file) over \(link.name)")
        }
    }

    /// The same without the cost model's indices, where cuts are few enough for the naive way.
    @Test(arguments: files) func choosesWhatTheNaivePlannerChooses(file: String) throws {
        let path = try #require(TestData.file("models/\(file).onnx")).path
        let graph = try importONNX(at: path).simplified()
        let cuts = CutEnumerator(limit: 400).cuts(of: graph)
        guard cuts.isExhaustive else { return }
        var generator = SeededGenerator(seed: 12)
        let profiles = ProfileSet.random(graph, cuts: cuts, using: &generator)
        let link = LinkProfile.wifi
        let expected = NaivePlanner.options(
            graph, Array(cuts), profiles, link, wait: .zero, RunningCosts(), PlanConstraints())
        let planner = Planner(try CostModel(cuts: cuts, profiles: profiles, link: link))
        for objective in [Objective.latency, .throughput, .uplinkBytes, .edgeTime] {
            let best = try #require(expected.map { $0.value(objective) }.min())
            #expect(try objective.value(planner.plan(objective).chosen) == best, "\(file), \(objective)")
        }
    }
}
