internal import Foundation
internal import ModelGraph
internal import ONNXFormat
internal import Testing

/// ONNX's own conformance cases, outside the project: `$CLEAVE_TEST_DATA/conformance`.
enum ConformanceData {
    static let root: String? = ProcessInfo.processInfo.environment["CLEAVE_TEST_DATA"].map { $0 + "/conformance" }

    /// The names committed beside this file; `#` begins a comment.
    static let supportedNodeCases: [String] = {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "supported-node-cases.txt")
        guard let text = try? String(contentsOf: path, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").map { $0.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
    }()

    static func nodeCase(_ name: String) throws -> ConformanceCase {
        // This case states its results to four digits.
        let isCoarse = name == "test_averagepool_2d_ceil_last_window_starts_on_pad"
        return ConformanceCase(folder: "\(try #require(root))/node/\(name)", tolerance: isCoarse ? 1e-3 : 1e-5)
    }

    static func nodeCases() throws -> [String] {
        guard let root else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: root + "/node").sorted()
    }

    static let modelsRoot: String? = ProcessInfo.processInfo.environment["CLEAVE_TEST_DATA"].map { $0 + "/models" }

    static var isAvailable: Bool { root != nil }
}

/// One case: a model, and sets of operands with the results they must give.
struct ConformanceCase {
    let folder: String
    /// How far floats may differ relatively; ONNX's own backend test allows 1e-3.
    var tolerance = 1e-5

    /// - Throws: what the import or an operator throws, or `Mismatch`.
    func run() throws {
        let sets = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("test_data_set_") }
        for set in sets.sorted() {
            try run(set: "\(folder)/\(set)")
        }
    }

    private func run(set: String) throws {
        let inputs = try tensors(set, prefix: "input_")
        let graph = try importFixingParameters(inputs)
        try graph.verify()
        let operands = try graph.inputs.map { id in
            guard let input = inputs.first(where: { $0.name == graph[id].name }) else {
                throw Mismatch(description: "no operand for graph input \(graph[id].name)")
            }
            return input.tensor
        }
        let results = try ReferenceExecutor(graph).run(operands)
        let expected = try tensors(set, prefix: "output_")
        guard results.count == expected.count else {
            throw Mismatch(description: "\(results.count) results, expected \(expected.count)")
        }
        for (result, expected) in zip(results, expected) {
            try expectEqual(result, expected.tensor, relative: tolerance)
        }
    }

    /// Operands that shape the result must be known at import, but the cases pass them as graph inputs. What can stay
    /// an input does: first all, then the first only, then none.
    private func importFixingParameters(_ inputs: [(name: String, tensor: Tensor)]) throws -> Graph {
        var failure: ONNXError?
        for fixed in [inputs.prefix(0), inputs.dropFirst(), inputs[...]] {
            let fixedInputs = Dictionary(fixed.map { ($0.name, $0.tensor) }) { first, _ in first }
            do throws(ONNXError) {
                return try importONNX(at: folder + "/model.onnx", options: ONNXImportOptions(fixedInputs: fixedInputs))
            } catch {
                guard error.code == .notConstant else { throw error }
                failure = error
            }
        }
        throw failure ?? ONNXError(.notConstant, "nothing to fix", at: .model)
    }

    private func tensors(_ folder: String, prefix: String) throws -> [(name: String, tensor: Tensor)] {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix(prefix) }
        return try files.indices.map { try readONNXTensor(at: "\(folder)/\(prefix)\($0).pb") }
    }
}

/// A result that is not what the case expects.
struct Mismatch: Error, CustomStringConvertible {
    let description: String
}

/// Integers and booleans exactly; floats within `relative` and `absolute`, NaN equal to NaN.
func expectEqual(_ result: Tensor, _ expected: Tensor, relative: Double, absolute: Double = 1e-7) throws {
    guard result.type == expected.type else {
        throw Mismatch(description: "result is \(result.type), expected \(expected.type)")
    }
    guard let values = result.floatingPoint, let wanted = expected.floatingPoint else {
        let isSame = result.withUnsafeBytes { left in expected.withUnsafeBytes { left.elementsEqual($0) } }
        guard isSame else { throw Mismatch(description: "\(result.type) differs") }
        return
    }
    // float16 keeps eleven bits.
    let relative = result.elementType == .float16 ? max(relative, 1e-3) : relative
    for (index, (value, wanted)) in zip(values, wanted).enumerated() {
        let isClose =
            value == wanted || (value.isNaN && wanted.isNaN) || abs(value - wanted) <= absolute + relative * abs(wanted)
        guard isClose else {
            throw Mismatch(description: "element \(index) of \(result.type) is \(value), expected \(wanted)")
        }
    }
}

extension Tensor {
    /// The elements of a floating-point tensor; `nil` for other types.
    var floatingPoint: [Double]? {
        switch elementType {
        case .float16: array(of: Float16.self).map(Double.init)
        case .float32: array(of: Float.self).map(Double.init)
        case .float64: array(of: Double.self)
        default: nil
        }
    }
}
