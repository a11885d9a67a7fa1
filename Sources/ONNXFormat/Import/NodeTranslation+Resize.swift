internal import ModelGraph

extension NodeTranslation {
    /// Operators that change how many pixels there are without weights.
    static let resizing: [String: Translator] = [
        "Resize": { (node) throws(ONNXError) in try node.resize() },
        "Upsample": { (node) throws(ONNXError) in try node.upsample() },
        "DepthToSpace": { (node) throws(ONNXError) in
            let size = try node.requiredInt("blocksize")
            let mode = try node.string("mode") ?? "DCR"
            guard let order = ["DCR": DepthOrder.depthColumnRow, "CRD": .columnRowDepth][mode] else {
                throw node.invalid("mode", expected: "DCR or CRD", got: mode)
            }
            return .operation(.depthToSpace(blockSize: size, order: order), inputs: node.ids)
        },
        "SpaceToDepth": { (node) throws(ONNXError) in
            .operation(.spaceToDepth(blockSize: try node.requiredInt("blocksize")), inputs: node.ids)
        },
    ]
}

extension NodeContext {
    /// Nearest and linear only, and `asymmetric` coordinates; what Resize was in operator set 10, too.
    fileprivate mutating func upsample() throws(ONNXError) -> NodeTranslation {
        let data = try required(0, "data")
        let mode = try string("mode") ?? "nearest"
        let interpolation: Resize.Interpolation
        switch mode {
        case "nearest": interpolation = .nearest(.down)
        case "linear", "bilinear": interpolation = .linear
        default: throw invalid("mode", expected: "nearest or linear", got: mode)
        }
        let scales: [Float]
        if type == "Upsample" && operatorSet < 9 {
            guard let given = try floats("scales") else { throw missing("scales") }
            scales = given
        } else {
            try expect(operands: 2...2)
            scales = try floats(1, "scales") ?? []
        }
        try check(scales, count: data.type.shape.rank)
        let extents = try zip(data.type.shape, scales).map { (extent, scale) throws(ONNXError) in
            try scaled(extent, scale)
        }
        let resize = Resize(
            extents: extents, scales: scales, interpolation: interpolation, coordinates: .asymmetric)
        return .operation(.resize(resize), inputs: [data.id])
    }

    fileprivate mutating func resize() throws(ONNXError) -> NodeTranslation {
        guard operatorSet >= 11 else { return try upsample() }
        try expect(operands: 1...4)
        let data = try required(0, "data")
        let shape = data.type.shape
        let axes = try self.axes(try ints("axes") ?? Array(shape.indices), rank: shape.rank)
        let coordinates = try named("coordinate_transformation_mode", Resize.Coordinates.halfPixel)
        var resize = Resize(
            extents: shape.dimensions, scales: shape.map { _ in 1 }, interpolation: try interpolation(),
            coordinates: coordinates, excludesOutside: try flag("exclude_outside"), antialiases: try flag("antialias"),
            extrapolation: try float("extrapolation_value") ?? 0)
        let policy = try string("keep_aspect_ratio_policy") ?? "stretch"
        // An operand left out is an empty list, too.
        if let scales = try floats(2, "scales"), !scales.isEmpty {
            try check(scales, count: axes.count)
            for (axis, scale) in zip(axes, scales) {
                resize.extents[axis] = try scaled(shape[axis], scale)
                resize.scales[axis] = scale
            }
        } else {
            try set(try requiredIntegers(3, "sizes"), axes, policy, of: shape, in: &resize)
        }
        if coordinates == .cropAndResize {
            let region = try floats(1, "roi") ?? []
            guard region.count == 2 * axes.count else {
                throw ONNXError(
                    .invalidNode, "the region has a start and an end for each axis", at: location(),
                    expected: "\(2 * axes.count) numbers", got: "\(region)")
            }
            resize.region = shape.map { _ in 0 } + shape.map { _ in 1 }
            for (index, axis) in axes.enumerated() {
                resize.region[axis] = region[index]
                resize.region[axis + shape.rank] = region[index + axes.count]
            }
        }
        return .operation(.resize(resize), inputs: [data.id])
    }

    private mutating func interpolation() throws(ONNXError) -> Resize.Interpolation {
        let rounding = try named("nearest_mode", Resize.Rounding.halfDown)
        let coefficient = try float("cubic_coeff_a") ?? -0.75
        let mode = try string("mode") ?? "nearest"
        switch mode {
        case "nearest": return .nearest(rounding)
        case "linear": return .linear
        case "cubic": return .cubic(coefficient: coefficient)
        default: throw invalid("mode", expected: "nearest, linear or cubic", got: mode)
        }
    }

    private mutating func named<Choice: RawRepresentable<String>>(
        _ attribute: String, _ fallback: Choice
    ) throws(ONNXError) -> Choice {
        guard let name = try string(attribute) else { return fallback }
        guard let choice = Choice(rawValue: name) else {
            throw unsupported(attribute, got: name)
        }
        return choice
    }

    /// Extents from sizes asked for; all axes by one scale where the policy says so.
    private func set(
        _ sizes: [Int], _ axes: [Int], _ policy: String, of shape: Shape, in resize: inout Resize
    ) throws(ONNXError) {
        guard sizes.count == axes.count, sizes.allSatisfy({ (0...Shape.maximumElementCount).contains($0) }) else {
            throw ONNXError(
                .invalidNode, "there is one size for each axis, ≥ 0", at: location(), expected: "\(axes.count) sizes",
                got: "\(sizes)")
        }
        let scales = zip(axes, sizes).map { axis, size in Float(size) / Float(max(shape[axis], 1)) }
        let common: Float?
        switch policy {
        case "stretch": common = nil
        case "not_larger": common = scales.min()
        case "not_smaller": common = scales.max()
        default:
            throw invalid("keep_aspect_ratio_policy", expected: "stretch, not_larger or not_smaller", got: policy)
        }
        for (index, axis) in axes.enumerated() {
            resize.scales[axis] = common ?? scales[index]
            resize.extents[axis] = sizes[index]
            if let common { resize.extents[axis] = try scaled(shape[axis], common, .toNearestOrAwayFromZero) }
        }
    }

    private func check(_ scales: [Float], count: Int) throws(ONNXError) {
        guard scales.count == count, scales.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw ONNXError(
                .invalidNode, "there is one scale for each axis, > 0", at: location(), expected: "\(count) scales",
                got: "\(scales)")
        }
    }

    private func scaled(
        _ extent: Int, _ scale: Float, _ rule: FloatingPointRoundingRule = .down
    ) throws(ONNXError) -> Int {
        let product = (Float(extent) * scale).rounded(rule)
        guard let scaled = Int(exactly: product), scaled <= Shape.maximumElementCount else {
            throw ONNXError(.invalidNode, "the scale is out of range", at: location(), got: "\(extent) · \(scale)")
        }
        return scaled
    }

    /// A list of floats known before execution; `nil` when it is left out.
    private func floats(_ index: Int, _ role: String) throws(ONNXError) -> [Float]? {
        guard let constant = try constant(index, role) else { return nil }
        guard constant.elementType.isFloatingPoint, constant.shape.rank <= 1, let values = constant.doubles else {
            throw ONNXError(
                .invalidNode, "operand \(index), \(role), is no list of floats", at: location(), got: "\(constant.type)"
            )
        }
        return values.map(Float.init)
    }
}
