// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "kernel-benchmarks",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // A link to the root package's target, which is no product: users do not get the kernels by themselves.
        .target(name: "CKernels"),
        .target(name: "CMachinePeaks"),
        .target(name: "KernelBenchmarks", dependencies: ["CKernels", "CMachinePeaks"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "kernel-benchmarks",
            dependencies: [
                "KernelBenchmarks", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings),
        // Links to the root package's targets and, within the program, to the graphs and profiles of the planner's tests.
        .target(name: "ModelGraph", swiftSettings: swiftSettings),
        .target(name: "Reports", swiftSettings: swiftSettings),
        .target(name: "Planning", dependencies: ["ModelGraph", "Reports"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "planner-benchmarks", dependencies: ["ModelGraph", "Planning"], swiftSettings: swiftSettings),
        .testTarget(name: "KernelBenchmarksTests", dependencies: ["KernelBenchmarks"], swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6]
)
