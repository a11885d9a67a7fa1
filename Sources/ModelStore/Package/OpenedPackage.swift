package import ModelGraph

/// A package opened for reading: the file stays mapped, and its tensors are parts of the mapping.
///
/// Opening reads the header and the manifest and checks both in full. The tensors' bytes are read and held to their
/// digests at once, or when something first asks for them; an edge that runs in integers never reads the float32
/// weights, whose pages then stay on the disk.
package final class OpenedPackage: Sendable {
    package enum Verification: Sendable {
        case everything
        case sectionsOnUse
    }

    package let path: String
    /// SHA-256 of header and manifest, and so of all that the package holds.
    package let digest: ContentDigest
    package let card: ModelCard
    /// The graph's structure, for planning: constants have their types, but their elements may be unverified.
    package let structure: Graph
    /// Of the whole file.
    package let byteCount: Int

    private let graphRecord: Manifest.GraphRecord
    private let quantization: Manifest.QuantizationRecord?
    /// By node.
    private let weights: [MappedWeights?]
    private let sections: PackageSections

    /// - Throws: `ModelStoreError` for a file that cannot be read or breaks any rule of the format; no bytes trap.
    package convenience init(path: String, verifying verification: Verification) throws(ModelStoreError) {
        let storage: TensorStorage
        do throws(GraphError) {
            storage = try MappedFile(path: path).storage
        } catch {
            throw ModelStoreError(.unreadable, error.message, file: path)
        }
        try self.init(storage, path: path, verifying: verification)
    }

    /// Opens a package that is in memory.
    /// - Parameter path: names the package in errors.
    package convenience init(
        _ storage: TensorStorage, path: String, verifying verification: Verification
    ) throws(ModelStoreError) {
        do throws(ModelStoreError) {
            try self.init(parsing: storage, path: path)
            if verification == .everything { try sections.verifyAll() }
        } catch {
            throw error.located(in: path)
        }
    }

    private init(parsing storage: TensorStorage, path: String) throws(ModelStoreError) {
        let header = try PackageHeader(parsing: storage.bytes)
        let manifestRange = PackageHeader.byteCount..<PackageHeader.byteCount + header.manifestByteCount
        let manifestBytes = UnsafeRawBufferPointer(rebasing: storage.bytes[manifestRange])
        let manifestDigest = ContentDigest(of: manifestBytes)
        guard manifestDigest == header.manifestDigest else {
            throw ModelStoreError(
                .digestMismatch, "the bytes are not those that were written", part: "manifest",
                expected: "\(header.manifestDigest)", got: "\(manifestDigest)")
        }
        guard storage.bytes[manifestRange.upperBound..<header.dataOffset].allSatisfy({ $0 == 0 }) else {
            throw ModelStoreError(.malformed, "the padding is not zero", part: "manifest")
        }
        let manifest = try Manifest(parsing: manifestBytes)
        let data = TensorStorage(header.dataOffset..<storage.bytes.count, of: storage)
        var claims = try SectionClaims(manifest.sections, storage: data)

        try manifest.card.check()
        structure = try manifest.makeGraph { (section, type, holder) throws(ModelStoreError) in
            try claims.claim(section, as: type, for: holder)
        }
        try manifest.card.checkCodecs(against: structure)
        try manifest.quantization?.check(against: structure)
        var weights: [MappedWeights?] = []
        for (node, record) in zip(structure.nodes, manifest.quantization?.weights ?? []) {
            weights.append(
                try record.map { (record) throws(ModelStoreError) in
                    try MappedWeights(record, of: node.name, claiming: &claims)
                })
        }
        sections = try claims.finished()
        self.weights = weights
        self.path = path
        digest = ContentDigest(
            of: UnsafeRawBufferPointer(rebasing: storage.bytes[..<manifestRange.upperBound]))
        card = manifest.card
        byteCount = storage.bytes.count
        graphRecord = manifest.graph
        quantization = manifest.quantization
    }

    package var isQuantized: Bool { quantization != nil }

    /// Holds every section to its digest.
    package func verify() throws(ModelStoreError) {
        try located { () throws(ModelStoreError) in try sections.verifyAll() }
    }

    /// The graph for execution in float32: every constant is verified, none is copied.
    package func graph() throws(ModelStoreError) -> Graph {
        try located { () throws(ModelStoreError) in
            for value in graphRecord.values {
                if let section = value.section { try sections.verify(section) }
            }
        }
        return structure
    }

    /// The graph for execution in integers of `nodes`, or of all; `nil` when the package is not quantised.
    ///
    /// Verified is what those nodes read: integer weights where a node has them, its constant operands where it has
    /// none. Float32 weights behind integer weights, and all that only other nodes read, stay unread.
    package func quantizedGraph(running nodes: [NodeID]? = nil) throws(ModelStoreError) -> QuantizedGraph? {
        guard let quantization else { return nil }
        return try located { () throws(ModelStoreError) in
            for node in nodes ?? Array(structure.nodeIDs) { try verifyOperands(of: node) }
            for output in structure.outputs {
                if let section = graphRecord.values[output.index].section { try sections.verify(section) }
            }
            var loaded: [QuantizedWeights?] = []
            for mapped in weights {
                loaded.append(try mapped.map { (mapped) throws(ModelStoreError) in try mapped.load(sections) })
            }
            return QuantizedGraph(graph: structure, activations: quantization.activations, weights: loaded)
        }
    }

    private func verifyOperands(of node: NodeID) throws(ModelStoreError) {
        var operands = structure[node].inputs[...]
        if let weights = weights[node.index] {
            try sections.verify(weights.record.values)
            try sections.verify(weights.record.bias)
            operands = operands.prefix(1)
        }
        for case let operand? in operands {
            if let section = graphRecord.values[operand.index].section { try sections.verify(section) }
        }
    }

    private func located<Result>(
        _ body: () throws(ModelStoreError) -> Result
    ) throws(ModelStoreError) -> Result {
        do throws(ModelStoreError) {
            return try body()
        } catch {
            throw error.located(in: path)
        }
    }
}

/// Integer weights of one node, in the file.
private struct MappedWeights: Sendable {
    let record: Manifest.WeightsRecord
    private let node: String
    private let values: Tensor
    private let scales: Tensor
    private let bias: Tensor

    /// - Precondition: the record's shape has been checked, and has at least one extent.
    init(
        _ record: Manifest.WeightsRecord, of node: String, claiming claims: inout SectionClaims
    ) throws(ModelStoreError) {
        let channels: Shape = [record.shape[0]]
        self.record = record
        self.node = node
        values = try claims.claim(
            record.values, as: TensorType(.int8, record.shape), for: "integer weights of \(node)")
        scales = try claims.claim(record.scales, as: TensorType(.float32, channels), for: "weight scales of \(node)")
        bias = try claims.claim(record.bias, as: TensorType(.int32, channels), for: "integer bias of \(node)")
    }

    /// The scales are copied, and so verified and checked here; the rest stays mapped.
    func load(_ sections: PackageSections) throws(ModelStoreError) -> QuantizedWeights {
        try sections.verify(record.scales)
        let scales = scales.array(of: Float.self)
        if let wrong = scales.first(where: { !($0.isFinite && $0 > 0) }) {
            throw ModelStoreError(
                .malformed, "a weight scale", part: "node \(node)", expected: "finite and > 0", got: "\(wrong)")
        }
        return QuantizedWeights(values: values, scales: scales, bias: bias)
    }
}
