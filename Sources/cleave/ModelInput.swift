internal import ArgumentParser
internal import FoundationEssentials
internal import ImageInput
internal import ModelGraph
internal import ModelStore
internal import ONNXFormat

/// A mistake in what a command was given, beyond what its options say.
struct CommandError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Imports an ONNX file; errors begin with its name.
func importGraph(at path: String, options: ONNXImportOptions = ONNXImportOptions()) throws(CommandError) -> Graph {
    do {
        return try importONNX(at: path, options: options)
    } catch {
        throw CommandError("\(path): \(error)")
    }
}

/// A package and a folder, or a list, of pictures prepared for it.
struct PictureSet: Sendable {
    let items: [ImageFolder.Item]
    let preprocessing: Preprocessing

    /// - Parameter limit: the first so many pictures; all when `nil`.
    init(folder: String, for package: OpenedPackage, limit: Int? = nil) throws {
        guard let preprocessing = package.card.preprocessing else {
            throw CommandError(
                "\(package.path): the package has no preprocessing; import it again with --preprocessing")
        }
        self.preprocessing = preprocessing
        let all = try ImageFolder(path: folder).items
        items = limit.map { Array(all.prefix($0)) } ?? all
        guard !items.isEmpty else { throw CommandError("\(folder): no JPEG or PNG pictures") }
        let shape = preprocessing.shape(.nchw)
        let inputs = package.structure.inputs.map { package.structure[$0] }
        guard inputs.count == 1, inputs[0].type.shape.dimensions == shape else {
            throw CommandError(
                "\(package.path): the preprocessing makes \(shape), the network takes "
                    + inputs.map { "\($0.name) \($0.type)" }.joined(separator: ", "))
        }
    }

    var count: Int { items.count }

    /// Picture `index` at the network's size, before normalisation.
    func picture(_ index: Int) throws -> Image {
        try preprocessing.picture(from: try Image(contentsOf: items[index].path))
    }

    /// The network's input for picture `index`.
    func tensors(_ index: Int) throws -> [Tensor] {
        let image = try Image(contentsOf: items[index].path)
        return [
            try Tensor(shape: Shape(preprocessing.shape(.nchw)), of: Float.self) { target in
                var span = target.mutableSpan
                try preprocessing.fill(&span, from: image, layout: .nchw)
            }
        ]
    }
}

extension OpenedPackage {
    /// - Throws: `CommandError` when the package has no integer weights yet.
    func requiredQuantizedGraph() throws -> QuantizedGraph {
        guard let quantized = try quantizedGraph() else {
            throw CommandError("\(path): not quantised; run: cleave quantize \(path) --calibration FOLDER")
        }
        return quantized
    }
}

/// Options that say how much of the machine to use.
struct MachineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads to compute with; all cores unless given.", valueName: "n"))
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard (1...256).contains(threads) else {
            throw ValidationError("--threads: expected 1...256, got \(threads)")
        }
    }
}
