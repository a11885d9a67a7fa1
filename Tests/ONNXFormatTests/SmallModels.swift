internal import ONNXFormat

/// Models of a few hundred bytes that between them reach most of the reader.
enum SmallModels {
    /// A small network that reaches most of the reader and the importer.
    static let vision: [UInt8] = {
        var model = TestModel(
            operatorSet: 13, inputs: [("x", ["N", 2, 4, 4])],
            initializers: [
                .init("w", float: [Float](repeating: 0.5, count: 36), extents: [2, 2, 3, 3]),
                .init("p", float: [1, 2], extents: [2]), .init("rest", int64: [-1]), .init("zero", int64: [0]),
                .init("axes", int64: [1]), .init("low", float: [0], extents: []), .init("big", int64: [2, 3]),
            ])
        var typed = TestModel.Initializer(name: "typed", extents: [2], dataType: 7)
        typed.write = { writer in
            writer.write(7, Int64(1))
            writer.write(7, Int64(1))
        }
        model.initializers.append(typed)
        model.nodes = [
            .init(
                type: "Conv", inputs: ["x", "w", "p"], outputs: ["c"], ints: ["group": 1],
                lists: ["pads": [1, 1, 1, 1], "kernel_shape": [3, 3]]),
            .init(
                type: "BatchNormalization", inputs: ["c", "p", "p", "p", "p"], outputs: ["b"], floats: ["epsilon": 0.1]),
            .init(type: "Clip", inputs: ["b", "low"], outputs: ["r"]),
            .init(
                type: "MaxPool", inputs: ["r"], outputs: ["m"], lists: ["kernel_shape": [2, 2], "strides": [2, 2]],
                strings: ["auto_pad": "SAME_UPPER"]),
            .init(type: "Shape", inputs: ["m"], outputs: ["s"]),
            .init(type: "Gather", inputs: ["s", "zero"], outputs: ["g"], ints: ["axis": 0]),
            .init(type: "Concat", inputs: ["g", "rest"], outputs: ["shape"], ints: ["axis": 0]),
            .init(type: "Reshape", inputs: ["m", "shape"], outputs: ["f"]),
            .init(type: "ConstantOfShape", inputs: ["big"], outputs: ["ones"]),
            .init(type: "ReduceSum", inputs: ["ones", "axes"], outputs: ["q"], ints: ["keepdims": 0]),
            .init(type: "Slice", inputs: ["f", "typed", "big"], outputs: ["l"]),
            .init(type: "Softmax", inputs: ["f"], outputs: ["y"], ints: ["axis": -1]),
        ]
        return model.bytes
    }()

    /// One of the operators that choose extents themselves or become several nodes.
    static let growing: [UInt8] = {
        var model = TestModel(
            operatorSet: 18, inputs: [("x", ["N", 4, 4, 4])],
            initializers: [
                .init("w", float: [Float](repeating: 0.5, count: 72), extents: [4, 2, 3, 3]),
                .init("p", float: [1, 2], extents: [2]), .init("scales", float: [1, 1, 2, 1.5], extents: [4]),
                .init("sizes", int64: [8, 6]), .init("repeats", int64: [1, 2, 1, 1]), .init("start", int64: [0]),
                .init("region", float: [0, 0, 1, 1], extents: [4]), .init("delta", int64: [2]),
                .init("limit", int64: [7]),
            ])
        model.nodes = [
            .init(
                type: "ConvTranspose", inputs: ["x", "w"], outputs: ["t"],
                lists: [
                    "strides": [2, 2], "output_shape": [8, 8], "kernel_shape": [3, 3], "output_padding": [1, 0],
                ],
                strings: ["auto_pad": "SAME_UPPER"]),
            .init(type: "GroupNormalization", inputs: ["t", "p", "p"], outputs: ["g"], ints: ["num_groups": 2]),
            .init(type: "Resize", inputs: ["g", "", "scales"], outputs: ["r"], strings: ["mode": "cubic"]),
            .init(
                type: "Resize", inputs: ["r", "region", "", "sizes"], outputs: ["c"], lists: ["axes": [2, 3]],
                strings: ["mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize"]),
            .init(type: "SpaceToDepth", inputs: ["c"], outputs: ["s"], ints: ["blocksize": 2]),
            .init(type: "DepthToSpace", inputs: ["s"], outputs: ["d"], ints: ["blocksize": 2]),
            .init(
                type: "LpPool", inputs: ["d"], outputs: ["l"], ints: ["p": 2, "ceil_mode": 1],
                lists: ["kernel_shape": [2, 2], "strides": [2, 2]]),
            .init(type: "Tile", inputs: ["l", "repeats"], outputs: ["i"]),
            .init(type: "LayerNormalization", inputs: ["i", "p3"], outputs: ["n"], ints: ["axis": -1]),
            .init(type: "Range", inputs: ["start", "limit", "delta"], outputs: ["q"]),
            .init(type: "DynamicQuantizeLinear", inputs: ["n"], outputs: ["v", "vscale", "vzero"]),
            .init(type: "ConvInteger", inputs: ["v", "k", "vzero"], outputs: ["y"]),
        ]
        model.initializers.append(.init("p3", float: [1, 1, 1], extents: [3]))
        var kernel = TestModel.Initializer(name: "k", extents: [1, 4, 1, 1], dataType: 3)
        kernel.write = { writer in for _ in 0..<4 { writer.write(5, Int64(1)) } }
        model.initializers.append(kernel)
        return model.bytes
    }()
}
