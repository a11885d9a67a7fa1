package import FoundationEssentials
package import ImageInput
package import ModelGraph

/// What a package says about its model beside the graph itself.
package struct ModelCard: Equatable, Sendable, Codable {
    package var name: ModelName
    package var version: ModelVersion
    /// When the package was made, in whole seconds.
    package let created: Date
    /// The program that made the package, with its version.
    package var tool: String
    /// How a picture becomes the network's input; `nil` for networks of other inputs.
    package var preprocessing: Preprocessing?
    /// By class index; empty when the classes have no names.
    package var labels: [String] = []
    /// How the activations' ranges were found; `nil` when the model is not quantised.
    package var calibration: CalibrationSummary?
    /// What was measured at cuts of the graph.
    package var accuracy: [CutAccuracy] = []
    /// Codings of boundaries, by cut; absent in packages that nobody calibrated a codec for.
    package var codecs: [CutCodec]?
    /// What quantisation costs at each activation.
    package var layers: [LayerReport] = []
    package var metadata: [String: String] = [:]

    package init(name: ModelName, version: ModelVersion, created: Date = Date(), tool: String) {
        self.name = name
        self.version = version
        self.created = Date(timeIntervalSince1970: created.timeIntervalSince1970.rounded(.down))
        self.tool = tool
    }
}

/// How the ranges of the activations were found.
package struct CalibrationSummary: Hashable, Sendable, Codable {
    package var method: String
    package var inputCount: Int
    /// Where the inputs came from, in words.
    package var source: String

    package init(method: String, inputCount: Int, source: String) {
        self.method = method
        self.inputCount = inputCount
        self.source = source
    }
}

/// How well head, codec and tail together agree with the unsplit float32 network at one cut.
package struct CutAccuracy: Hashable, Sendable, Codable {
    /// Names of the boundary's values; with `headOutputs` they name the cut, see `Cut.init(sending:keeping:of:)`.
    package var boundary: [String]
    /// Names of the graph outputs that the head computes.
    package var headOutputs: [String]
    /// The codec's mode as its description says it.
    package var codecMode: String
    /// Cosine between the outputs, averaged over the samples: −1 to 1.
    package var outputCosine: Double
    /// Share of the samples whose strongest class is the same: 0 to 1.
    package var top1Agreement: Double
    package var sampleCount: Int

    package init(
        boundary: [String], headOutputs: [String] = [], codecMode: String, outputCosine: Double, top1Agreement: Double,
        sampleCount: Int
    ) {
        self.boundary = boundary
        self.headOutputs = headOutputs
        self.codecMode = codecMode
        self.outputCosine = outputCosine
        self.top1Agreement = top1Agreement
        self.sampleCount = sampleCount
    }
}

/// What quantisation costs at one activation.
package struct LayerReport: Hashable, Sendable, Codable {
    /// The activation's name in the graph.
    package var name: String
    package var quantization: ActivationQuantization
    /// Signal to quantisation noise, in decibels; infinite where nothing is lost.
    package var sqnrDecibels: Double

    package init(name: String, quantization: ActivationQuantization, sqnrDecibels: Double) {
        self.name = name
        self.quantization = quantization
        self.sqnrDecibels = sqnrDecibels
    }
}
