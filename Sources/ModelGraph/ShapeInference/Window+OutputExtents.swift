extension Window {
    /// Kernel extents, strides, dilations and pads beyond this are refused, so that sums and products of two never
    /// overflow.
    static let maximumAttribute = Int(Int32.max)

    /// How far one window reaches along `axis`, dilation included.
    func reach(_ axis: Int) -> Int { (kernel[axis] - 1) * dilations[axis] + 1 }

    /// `nil`, or what is wrong with the window over `spatialRank` axes.
    func flaw(spatialRank: Int) -> String? {
        let attributes = [
            ("kernel", kernel, 1), ("strides", strides, 1), ("dilations", dilations, 1), ("leading pads", padsBegin, 0),
            ("trailing pads", padsEnd, 0),
        ]
        for (name, values, minimum) in attributes {
            guard values.count == spatialRank else {
                return "\(name) \(values) must have \(spatialRank) entries, one a spatial axis"
            }
            guard values.allSatisfy({ (minimum...Self.maximumAttribute).contains($0) }) else {
                return "\(name) \(values) must lie in \(minimum)...\(Self.maximumAttribute)"
            }
        }
        return nil
    }

    /// How many positions the window takes along `axis` over `extent` elements; `nil` when it does not fit once.
    ///
    /// Rounding up admits a last window that is only partly inside, unless it would start in the trailing padding.
    /// - Precondition: `flaw` found nothing.
    func outputExtent(_ axis: Int, over extent: Int, roundsUp: Bool = false) -> Int? {
        let slack = extent + padsBegin[axis] + padsEnd[axis] - reach(axis)
        guard slack >= 0 else { return nil }
        let count = slack / strides[axis] + 1
        guard roundsUp, slack % strides[axis] != 0, count * strides[axis] < extent + padsBegin[axis] else {
            return count
        }
        return count + 1
    }
}

extension Operands {
    /// The spatial extents after `window` has slid over those of `activation`.
    /// - Precondition: the activation has at least two axes.
    private func outputExtents(
        of window: Window, over activation: TensorType, roundsUp: Bool = false
    ) throws(GraphError) -> [Int] {
        let spatial = activation.shape.dimensions.dropFirst(2)
        if let flaw = window.flaw(spatialRank: spatial.count) { throw failure(.invalidAttribute, flaw) }
        return try spatial.enumerated().map { (axis, extent) throws(GraphError) in
            guard let count = window.outputExtent(axis, over: extent, roundsUp: roundsUp) else {
                throw failure(
                    .shapeMismatch,
                    "the window reaches over \(window.reach(axis)) elements of spatial axis \(axis), but \(activation) "
                        + "padded by \(window.padsBegin[axis]) and \(window.padsEnd[axis]) has fewer")
            }
            return count
        }
    }

    func convolution(_ convolution: Convolution) throws(GraphError) -> [TensorType] {
        try expect(operands: 2...3)
        let activation = try required(0, "activation")
        let weights = try required(1, "weights")
        try expectFloatingPoint(activation, "activation")
        try expect(activation, "activation", rankIn: 3...)
        try expect(weights, "weights", is: activation.elementType)
        let extents = try outputExtents(of: convolution.window, over: activation)
        let channels = activation.shape[1]
        let groups = convolution.groups
        guard groups >= 1, channels.isMultiple(of: groups) else {
            throw failure(.invalidAttribute, "groups \(groups) must be ≥ 1 and divide the \(channels) channels")
        }
        let kernel = convolution.window.kernel
        guard let outputChannels = weights.shape.first,
            weights.shape.dropFirst().elementsEqual([channels / groups] + kernel)
        else {
            let expected = ([channels / groups] + kernel).map(String.init).joined(separator: "×")
            throw failure(.shapeMismatch, "weights must have shape O×\(expected), are \(weights)")
        }
        guard outputChannels.isMultiple(of: groups) else {
            throw failure(.shapeMismatch, "groups \(groups) must divide the \(outputChannels) output channels")
        }
        if let bias = optional(2) {
            try expect(bias, "bias", is: activation.elementType)
            try expect(bias, "bias", shape: [outputChannels])
        }
        return [TensorType(activation.elementType, try shape([activation.shape[0], outputChannels] + extents))]
    }

    func transposedConvolution(_ convolution: TransposedConvolution) throws(GraphError) -> [TensorType] {
        try expect(operands: 2...3)
        let activation = try required(0, "activation")
        let weights = try required(1, "weights")
        try expectFloatingPoint(activation, "activation")
        try expect(activation, "activation", rankIn: 3...)
        try expect(weights, "weights", is: activation.elementType)
        let (window, groups) = (convolution.window, convolution.groups)
        let spatial = activation.shape.dimensions.dropFirst(2)
        if let flaw = window.flaw(spatialRank: spatial.count) { throw failure(.invalidAttribute, flaw) }
        let channels = activation.shape[1]
        guard groups >= 1, channels.isMultiple(of: groups) else {
            throw failure(.invalidAttribute, "groups \(groups) must be ≥ 1 and divide the \(channels) channels")
        }
        guard weights.shape.rank == activation.shape.rank, weights.shape[0] == channels,
            weights.shape.dropFirst(2).elementsEqual(window.kernel)
        else {
            let expected = ([channels, weights.shape.dropFirst().first ?? 1] + window.kernel).map(String.init)
            throw failure(
                .shapeMismatch, "weights must have shape \(expected.joined(separator: "×")), are \(weights)")
        }
        let outputChannels = try shape([weights.shape[1], groups]).elementCount
        if let bias = optional(2) {
            try expect(bias, "bias", is: activation.elementType)
            try expect(bias, "bias", shape: [outputChannels])
        }
        guard convolution.outputPads.count == spatial.count,
            convolution.outputPads.allSatisfy({ (0...Window.maximumAttribute).contains($0) })
        else {
            throw failure(.invalidAttribute, "output pads \(convolution.outputPads) must be ≥ 0, one a spatial axis")
        }
        let extents = try spatial.enumerated().map { (axis, extent) throws(GraphError) in
            // Extents are below 2⁴⁰, attributes below 2³¹: only this product can overflow.
            let (reach, overflow) = max(extent - 1, 0).multipliedReportingOverflow(by: window.strides[axis])
            let full = overflow ? -1 : reach + window.reach(axis) + convolution.outputPads[axis]
            let count = full - window.padsBegin[axis] - window.padsEnd[axis]
            guard extent > 0, full >= 0, count > 0 else {
                throw failure(.shapeMismatch, "nothing is left on spatial axis \(axis) of \(activation)")
            }
            return count
        }
        return [TensorType(activation.elementType, try shape([activation.shape[0], outputChannels] + extents))]
    }

    func maxPool(_ pooling: Pooling) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1, outputs: 1...2)
        let activation = try required(0, "activation")
        let elementType = activation.elementType
        guard elementType.isFloatingPoint || elementType == .int8 || elementType == .uint8 else {
            throw failure(.typeMismatch, "activation must be floating-point, int8 or uint8, is \(activation)")
        }
        let output = try pooled(pooling, over: activation)
        return wantedOutputs == 1 ? [output] : [output, TensorType(.int64, output.shape)]
    }

    func averagePool(_ pooling: Pooling) throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let activation = try required(0, "activation")
        try expectFloatingPoint(activation, "activation")
        return [try pooled(pooling, over: activation)]
    }

    private func pooled(_ pooling: Pooling, over activation: TensorType) throws(GraphError) -> TensorType {
        try expect(activation, "activation", rankIn: 3...)
        let extents = try outputExtents(of: pooling.window, over: activation, roundsUp: pooling.roundsUp)
        for axis in extents.indices {
            let pads = (pooling.window.padsBegin[axis], pooling.window.padsEnd[axis])
            guard max(pads.0, pads.1) < pooling.window.reach(axis) else {
                throw failure(
                    .invalidAttribute, "pads \(pads) on spatial axis \(axis) put a whole window into the padding")
            }
        }
        return TensorType(activation.elementType, try shape(activation.shape.dimensions.prefix(2) + extents))
    }

    func globalPool() throws(GraphError) -> [TensorType] {
        try expect(operands: 1...1)
        let activation = try required(0, "activation")
        try expectFloatingPoint(activation, "activation")
        try expect(activation, "activation", rankIn: 3...)
        guard !activation.shape.dropFirst(2).contains(0) else {
            throw failure(.shapeMismatch, "nothing to pool in \(activation)")
        }
        let spatial = activation.shape.dropFirst(2).map { _ in 1 }
        return [TensorType(activation.elementType, try shape(activation.shape.dimensions.prefix(2) + spatial))]
    }
}
