package import ModelGraph

extension Inference_ModelInferRequest {
    /// A request with raw contents.
    package init(model: String, version: String = "", id: String = "", inputs: [(name: String, value: InferValue)]) {
        self.init()
        modelName = model
        modelVersion = version
        self.id = id
        for (name, value) in inputs {
            var input = InferInputTensor()
            input.name = name
            input.datatype = value.datatype
            input.shape = value.shape.wireExtents
            self.inputs.append(input)
            rawInputContents.append(value.rawContents)
        }
    }

    /// The request's inputs in the signature's order.
    ///
    /// - Throws: `WireError.invalidRequest` when an input is missing, unknown or named twice, has another datatype or
    ///   shape, when its contents do not fit, or when raw and typed contents are mixed.
    package func tensors(matching signature: [NamedTensorType]) throws(WireError) -> [Tensor] {
        let isRaw = !rawInputContents.isEmpty
        guard !isRaw || rawInputContents.count == inputs.count else {
            throw WireError(
                .invalidRequest, "\(inputs.count) inputs but \(rawInputContents.count) raw contents",
                at: "raw_input_contents")
        }
        var found: [String: Tensor] = [:]
        for (index, input) in inputs.enumerated() {
            guard let expected = signature.first(where: { $0.name == input.name }) else {
                throw WireError(
                    .invalidRequest, "no such input; the model takes \(signature.map(\.name).joined(separator: ", "))",
                    at: input.name)
            }
            guard found[input.name] == nil else { throw WireError(.invalidRequest, "given twice", at: input.name) }
            guard input.datatype == expected.type.elementType.datatype else {
                throw WireError(
                    .invalidRequest, "expected \(expected.type.elementType.datatype), got \(input.datatype)",
                    at: input.name)
            }
            guard input.shape == expected.type.shape.wireExtents else {
                throw WireError(
                    .invalidRequest, "expected shape \(expected.type.shape.dimensions), got \(input.shape)",
                    at: input.name)
            }
            guard !isRaw || input.contents.elementCount == 0 else {
                throw WireError(.invalidRequest, "raw and typed contents are mixed", at: input.name)
            }
            let value =
                if isRaw {
                    try InferValue(
                        raw: rawInputContents[index], datatype: input.datatype, shape: input.shape, name: input.name)
                } else {
                    try InferValue(
                        typed: input.contents, datatype: input.datatype, shape: input.shape, name: input.name)
                }
            if case .tensor(let tensor) = value { found[input.name] = tensor }
        }
        var tensors: [Tensor] = []
        for expected in signature {
            guard let tensor = found[expected.name] else {
                throw WireError(.invalidRequest, "missing input", at: expected.name)
            }
            tensors.append(tensor)
        }
        return tensors
    }

    /// Which of the model's outputs the request asks for, as indices into `signature`; all when it names none.
    /// - Throws: `WireError.invalidRequest` for a name the model lacks.
    package func requestedOutputs(of signature: [NamedTensorType]) throws(WireError) -> [Int] {
        guard !outputs.isEmpty else { return Array(signature.indices) }
        var indices: [Int] = []
        for output in outputs {
            guard let index = signature.firstIndex(where: { $0.name == output.name }) else {
                throw WireError(
                    .invalidRequest,
                    "no such output; the model computes \(signature.map(\.name).joined(separator: ", "))",
                    at: output.name)
            }
            indices.append(index)
        }
        return indices
    }
}

extension Inference_ModelInferResponse {
    /// A response with raw contents, which every client reads.
    package init(model: String, version: String, id: String, outputs: [(name: String, value: InferValue)]) {
        self.init()
        modelName = model
        modelVersion = version
        self.id = id
        for (name, value) in outputs {
            var output = InferOutputTensor()
            output.name = name
            output.datatype = value.datatype
            output.shape = value.shape.wireExtents
            self.outputs.append(output)
            rawOutputContents.append(value.rawContents)
        }
    }

    /// The outputs by name, from raw or typed contents: servers differ in which they send.
    /// - Throws: `WireError.invalidRequest` when contents do not fit their declaration.
    package func values() throws(WireError) -> [(name: String, value: InferValue)] {
        guard rawOutputContents.isEmpty || rawOutputContents.count == outputs.count else {
            throw WireError(
                .invalidRequest, "\(outputs.count) outputs but \(rawOutputContents.count) raw contents",
                at: "raw_output_contents")
        }
        var values: [(name: String, value: InferValue)] = []
        for (index, output) in outputs.enumerated() {
            let value =
                if rawOutputContents.isEmpty {
                    try InferValue(
                        typed: output.contents, datatype: output.datatype, shape: output.shape, name: output.name)
                } else {
                    try InferValue(
                        raw: rawOutputContents[index], datatype: output.datatype, shape: output.shape, name: output.name
                    )
                }
            values.append((output.name, value))
        }
        return values
    }
}

extension Inference_ModelMetadataResponse.TensorMetadata {
    package init(_ tensor: NamedTensorType) {
        self.init()
        name = tensor.name
        datatype = tensor.type.elementType.datatype
        shape = tensor.type.shape.wireExtents
    }
}
