// swift-tools-version: 6.2
import PackageDescription

let upcoming: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
/// Coverage is counted, and memory watched, in our own code alone.
let instrumented = upcoming + [.unsafeFlags(["-sanitize=fuzzer,address"])]
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

/// A link to a target of the root package.
func room(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: instrumented)
}

/// The program that fuzzes one reader. The fuzzer's runtime is linked by `run`, which knows where the toolchain has it.
func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: ["Fuzzing", "TestSupport"] + dependencies, swiftSettings: upcoming,
        linkerSettings: [.unsafeFlags(["-sanitize=address"])])
}

let package = Package(
    name: "fuzz",
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2")
    ],
    targets: [
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg"),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng"),
        room("ModelGraph"),
        room("ONNXFormat", ["ModelGraph"]),
        // Its loops read up to a register's width at once, within what is theirs; so they run as they are built for users.
        .target(name: "CKernels"),
        room("InferenceEngine", ["ModelGraph", "CKernels"]),
        room("Quantization", ["ModelGraph", "InferenceEngine"]),
        room("ActivationCodec", ["CZlib", "CKernels"]),
        room("ImageInput", ["CTurboJPEG", "CPNG"]),
        room("Reports"),
        room("Planning", ["ModelGraph", "Reports"]),
        room("Simulation", ["ModelGraph", "Planning", "Reports"]),
        room("ModelStore", ["ActivationCodec", "ModelGraph", "ImageInput", crypto], exclude: ["FORMAT.md"]),
        .target(name: "TestSupport", dependencies: ["ModelGraph"], swiftSettings: upcoming),

        .systemLibrary(name: "CLibFuzzer"),
        .target(name: "Fuzzing", dependencies: ["CLibFuzzer", "TestSupport"], swiftSettings: upcoming),
        fuzzer("fuzz-onnx", ["ONNXFormat", "ModelGraph", "Quantization"]),
        fuzzer("fuzz-package", ["ModelStore", "ModelGraph", "ImageInput"]),
        fuzzer("fuzz-container", ["ActivationCodec", "CZlib"]),
        fuzzer("fuzz-inflate", ["ActivationCodec", "CZlib"]),
        fuzzer("fuzz-traces", ["Simulation"]),
    ],
    swiftLanguageModes: [.v6]
)
