package import ModelGraph

/// The contents of a package to be written: a graph, its quantisation if there is one, and what is known of both.
package struct ModelPackage: Sendable {
    package var card: ModelCard
    package let graph: Graph
    /// The quantisation of `graph`.
    package let quantized: QuantizedGraph?

    package init(_ card: ModelCard, graph: Graph) {
        self.card = card
        self.graph = graph
        quantized = nil
    }

    package init(_ card: ModelCard, quantized: QuantizedGraph) {
        self.card = card
        graph = quantized.graph
        self.quantized = quantized
    }
}

extension ModelPackage {
    /// Writes the package as one file, in place of any file at `path`, all or nothing.
    ///
    /// A reader that has the old file open keeps reading the old one.
    /// - Returns: the package's digest, by which edge and cloud know that they run the same model.
    /// - Throws: `ModelStoreError`: `.invalidGraph` or `.malformed` for contents that could not be opened again,
    ///   `.unwritable` when the file cannot be written.
    @discardableResult
    package func write(to path: String) throws(ModelStoreError) -> ContentDigest {
        let image = try PackageImage(self)
        do {
            try writeFileAtomically(path) { (file) throws(ModelStoreError) in try image.write(to: &file) }
        } catch {
            throw error.located(in: path)
        }
        return image.digest
    }
}

/// A package laid out: all but the writing.
private struct PackageImage {
    let digest: ContentDigest
    /// Header and manifest.
    private let beginning: [UInt8]
    private let tensors: [Tensor]

    init(_ package: ModelPackage) throws(ModelStoreError) {
        var sections = SectionTable()
        // Integers first: the edge reads them alone, from as few pages as possible.
        let quantization = package.quantized.map { quantized in
            Manifest.QuantizationRecord(
                activations: quantized.activations,
                weights: quantized.weights.map { weights in weights.map { sections.append($0) } })
        }
        let values = package.graph.values.map { value in
            Manifest.ValueRecord(
                name: value.name, elementType: value.type.elementType, shape: value.type.shape,
                section: value.constant.map { sections.append($0) })
        }
        let nodes = package.graph.nodes.map { node in
            Manifest.NodeRecord(
                name: node.name, operation: node.operation, inputs: node.inputs.map { $0?.index },
                outputs: node.outputs.map(\.index))
        }
        let graph = Manifest.GraphRecord(
            name: package.graph.name, values: values, nodes: nodes, inputs: package.graph.inputs.map(\.index),
            outputs: package.graph.outputs.map(\.index))
        let manifest = Manifest(
            card: package.card, graph: graph, quantization: quantization, sections: sections.sections)
        try package.card.check()
        try package.graph.checkForPackage()
        try package.card.checkCodecs(against: package.graph)
        try quantization?.check(against: package.graph)
        let bytes = try manifest.encoded()
        guard bytes.count <= PackageHeader.maximumManifestByteCount else {
            throw ModelStoreError(
                .malformed, "the manifest is too long", part: "manifest",
                expected: "at most \(PackageHeader.maximumManifestByteCount) bytes", got: "\(bytes.count) bytes")
        }
        let header = PackageHeader(
            manifestByteCount: bytes.count,
            fileByteCount: Section.aligned(PackageHeader.byteCount + bytes.count) + sections.byteCount,
            manifestDigest: ContentDigest(of: bytes))
        beginning = header.bytes + bytes
        digest = ContentDigest(of: beginning)
        tensors = sections.tensors
    }

    func write(to file: inout FileWriter) throws(ModelStoreError) {
        try file.write(beginning)
        try file.pad(to: Section.alignment)
        for tensor in tensors {
            try tensor.withUnsafeBytes { (bytes) throws(ModelStoreError) in try file.write(bytes) }
            try file.pad(to: Section.alignment)
        }
    }
}

/// Gives each tensor its section.
private struct SectionTable {
    private(set) var sections: [Section] = []
    private(set) var tensors: [Tensor] = []
    private(set) var byteCount = 0

    /// The number of the new section.
    mutating func append(_ tensor: Tensor) -> Int {
        let digest = tensor.withUnsafeBytes { ContentDigest(of: $0) }
        sections.append(Section(offset: byteCount, length: tensor.byteCount, sha256: digest))
        tensors.append(tensor)
        byteCount = Section.aligned(byteCount + tensor.byteCount)
        return sections.count - 1
    }

    mutating func append(_ weights: QuantizedWeights) -> Manifest.WeightsRecord {
        Manifest.WeightsRecord(
            shape: weights.values.shape, values: append(weights.values),
            scales: append(Tensor(weights.scales, shape: [weights.scales.count])), bias: append(weights.bias))
    }
}
