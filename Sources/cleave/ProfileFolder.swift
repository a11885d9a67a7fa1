internal import FoundationEssentials
internal import Planning

/// The folder in which `cleave profile` leaves its measurements and `cleave plan` finds them.
struct ProfileFolder {
    let path: String

    private func file(_ name: String) -> String { path.hasSuffix("/") ? path + name : path + "/" + name }

    private func read<Document: ProfileDocument>(_ path: String) throws -> Document {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandError("\(path): cannot be read; `cleave profile` writes it")
        }
        return try Document.read(data, named: path)
    }

    func profiles() throws -> ProfileSet {
        ProfileSet(
            edge: try read(file("edge.json")), cloud: try read(file("cloud.json")),
            otherEdges: try variants(of: "edge"), otherClouds: try variants(of: "cloud"),
            codec: try read(file("codec.json")), input: try read(file("input.json")))
    }

    /// What `cleave profile --variant NAME` measured: `edge-NAME.json` beside `edge.json`.
    private func variants(of device: String) throws -> [DeviceProfile] {
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
            .filter { $0.hasPrefix(device + "-") && $0.hasSuffix(".json") }
        return try names.sorted().map { try read(file($0)) }
    }

    func link(at path: String) throws -> LinkProfile { try read(path) }

    func costs(at path: String) throws -> RunningCosts { try read(path) }

    /// With the board's power as measured together with the rest, if it was.
    func measuredCosts() throws -> RunningCosts? {
        FileManager.default.fileExists(atPath: file("costs.json")) ? try costs(at: file("costs.json")) : nil
    }

    /// The link measured together with the rest, if it was.
    func measuredLink() throws -> LinkProfile? {
        FileManager.default.fileExists(atPath: file("link.json")) ? try link(at: file("link.json")) : nil
    }

    /// `nil` when there is none, or none that can be read.
    func existing<Document: ProfileDocument>(_ name: String) -> Document? { try? read(file(name)) }

    func write(_ document: some ProfileDocument, as name: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data(try document.json()).write(to: URL(fileURLWithPath: file(name)), options: .atomic)
    }
}
