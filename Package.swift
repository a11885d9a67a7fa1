// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
/// gRPC over HTTP/2 on NIO, and the messages' runtime.
let grpc: [Target.Dependency] = [
    .product(name: "GRPCCore", package: "grpc-swift-2"),
    .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
    .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "SwiftProtobuf", package: "swift-protobuf"),
]

/// A target of the house: one folder under `Sources/`, imports only what it names.
func room(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swiftSettings)
}

/// An executable: argument parsing and wiring only.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name,
        dependencies: dependencies + [arguments],
        swiftSettings: swiftSettings)
}

/// Tests mirror the room of the same name.
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swiftSettings)
}

/// What several test targets share.
func testSupport(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: swiftSettings)
}

let package = Package(
    name: "cleave",
    products: [
        .executable(name: "cleave", targets: ["cleave"]),
        .executable(name: "cleave-edge", targets: ["cleave-edge"]),
        .executable(name: "cleave-cloud", targets: ["cleave-cloud"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // L0: C, quarantined
        .target(name: "CKernels"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),

        // L1
        room("ModelGraph"),
        room("Reports"),

        // L2
        room("ONNXFormat", ["ModelGraph"]),
        room("InferenceEngine", ["ModelGraph", "CKernels"]),
        room("ActivationCodec", ["CZlib", "CKernels"]),
        room("Planning", ["ModelGraph", "Reports"]),
        room("ImageInput", ["CTurboJPEG", "CPNG"]),

        // L3
        room("Quantization", ["ModelGraph", "InferenceEngine"]),
        room("SplitExecution", ["ModelGraph", "InferenceEngine", "ActivationCodec", "ImageInput"]),
        room("ModelStore", ["ActivationCodec", "ModelGraph", "ImageInput", crypto], exclude: ["FORMAT.md"]),
        room("InferenceProtocol", ["ModelGraph"] + grpc, exclude: ["Protos"]),
        room("Simulation", ["ModelGraph", "Planning", "Reports"]),

        // L4
        room(
            "Profiling",
            [
                "ModelGraph", "InferenceEngine", "ActivationCodec", "ImageInput", "ModelStore", "Planning",
                "Quantization", "SplitExecution",
            ]),
        room(
            "EdgeAgent",
            [
                "ModelGraph", "InferenceEngine", "ActivationCodec", "ImageInput", "SplitExecution", "ModelStore",
                "InferenceProtocol", "Planning", logging,
            ] + grpc),
        room(
            "CloudService",
            [
                "ModelGraph", "InferenceEngine", "ActivationCodec", "SplitExecution", "ModelStore", "InferenceProtocol",
                logging, metrics, lifecycle, hummingbird,
            ] + grpc),
        room(
            "ProgramSettings",
            ["InferenceEngine", "InferenceProtocol", arguments, configuration, logging, systemPackage]),

        // L5: argument parsing and wiring only
        program(
            "cleave",
            [
                "ModelGraph", "ONNXFormat", "InferenceEngine", "ActivationCodec", "ImageInput", "Planning",
                "Quantization", "Reports",
                "Simulation", "SplitExecution", "ModelStore", "Profiling", "InferenceProtocol", "ProgramSettings",
            ]),
        program(
            "cleave-edge",
            [
                "ActivationCodec", "EdgeAgent", "InferenceEngine", "ModelGraph", "ModelStore", "Planning",
                "ProgramSettings",
                logging, systemPackage, unixSignals,
            ]),
        program(
            "cleave-cloud",
            [
                "CloudService", "InferenceEngine", "InferenceProtocol", "ModelStore", "ProgramSettings", lifecycle,
                logging, unixSignals,
            ]),

        testSupport("TestSupport", ["ModelGraph"]),
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        testSupport(
            "WireTestSupport",
            ["ActivationCodec", "CloudService", "EdgeAgent", "InferenceProtocol", "ModelGraph", lifecycle, logging]
                + grpc),
        tests("CKernelsTests", ["CKernels"]),
        tests("ModelGraphTests", ["ModelGraph", "TestSupport"]),
        tests("ONNXFormatTests", ["ONNXFormat", "ModelGraph", "Quantization"], exclude: ["FuzzFindings"]),
        tests("ConformanceTests", ["ONNXFormat", "ModelGraph"], exclude: ["supported-node-cases.txt"]),
        tests("ActivationCodecTests", ["ActivationCodec", "CZlib"], exclude: ["FuzzFindings", "InflateFindings"]),
        tests("ImageInputTests", ["ImageInput"]),
        tests("PlanningTests", ["Planning", "ModelGraph", "ONNXFormat", "TestSupport", "AllocationCounter"]),
        tests("SimulationTests", ["Simulation", "Planning", "ModelGraph", "TestSupport"], exclude: ["FuzzFindings"]),
        tests(
            "ModelStoreTests", ["ModelStore", "ModelGraph", "ImageInput", "TestSupport"], exclude: ["FuzzFindings"]),
        tests("InferenceProtocolTests", ["InferenceProtocol", "ModelGraph", "WireTestSupport"] + grpc),
        tests(
            "CloudServiceTests",
            ["CloudService", "ActivationCodec", "InferenceProtocol", "ModelGraph", "WireTestSupport", logging, metrics]
                + grpc),
        tests(
            "EdgeAgentTests",
            [
                "EdgeAgent", "ActivationCodec", "CloudService", "InferenceProtocol", "ModelGraph", "Planning",
                "WireTestSupport", logging,
            ] + grpc),
        tests(
            "InferenceEngineTests", ["InferenceEngine", "ModelGraph", "ONNXFormat", "TestSupport", "AllocationCounter"]),
        tests("QuantizationTests", ["Quantization", "InferenceEngine", "ModelGraph", "TestSupport"]),
        tests(
            "SplitExecutionTests",
            [
                "SplitExecution", "Quantization", "InferenceEngine", "ActivationCodec", "Planning", "ImageInput",
                "ONNXFormat",
                "ModelGraph", "TestSupport",
            ]),
        tests(
            "ProfilingTests",
            [
                "Profiling", "Quantization", "InferenceEngine", "ActivationCodec", "ModelStore", "Planning",
                "SplitExecution", "ModelGraph", "TestSupport",
            ]),
        tests(
            "EndToEndTests",
            [
                "ActivationCodec", "CloudService", "EdgeAgent", "ImageInput", "InferenceEngine", "InferenceProtocol",
                "ModelGraph", "ModelStore", "ONNXFormat", "Planning", "Profiling", "Quantization", "SplitExecution",
                "TestSupport", "WireTestSupport",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
