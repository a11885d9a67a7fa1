internal import ArgumentParser
internal import FoundationEssentials
internal import ModelStore

struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Publish packages into a store folder, list them, remove them.",
        subcommands: [Publish.self, List.self, Remove.self])

    struct Location: ParsableArguments {
        @Option(help: ArgumentHelp("The store: a folder of NAME/VERSION/model.cleave.", valueName: "folder"))
        var store: String
    }

    struct Publish: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy a package into the store, verified, all or nothing.",
            discussion: "Example: cleave store publish digits.cleave --store models/")

        @Argument(help: "The package.")
        var package: String

        @OptionGroup var location: Location

        func run() throws {
            let entry = try ModelDirectory(path: location.store).publish(contentsOf: package)
            print("\(entry.name) \(entry.version): \(entry.path)")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List names, versions and digests.", discussion: "Example: cleave store list --store models/")

        @OptionGroup var location: Location

        @Flag(help: "Print JSON.")
        var json = false

        private struct Row: Encodable {
            let name: String
            let version: String
            let digest: String
            let bytes: Int
            let isQuantized: Bool
        }

        func run() throws {
            guard FileManager.default.fileExists(atPath: location.store) else {
                throw CommandError("\(location.store): no such store")
            }
            let rows = try ModelDirectory(path: location.store).list().map { entry in
                let opened = try OpenedPackage(path: entry.path, verifying: .sectionsOnUse)
                return Row(
                    name: "\(entry.name)", version: "\(entry.version)", digest: "\(opened.digest)",
                    bytes: opened.byteCount, isQuantized: opened.isQuantized)
            }
            guard !json else { return print(try jsonText(rows)) }
            var table = TextTable("name", "version", "#bytes", "int8", "digest")
            for row in rows {
                table.add(row.name, row.version, "\(row.bytes)", row.isQuantized ? "yes" : "no", row.digest)
            }
            print(table.text)
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove one version.", discussion: "Example: cleave store remove digits 1 --store models/")

        @Argument(help: "The model's name.")
        var name: String

        @Argument(help: "The version to remove.")
        var version: String

        @OptionGroup var location: Location

        func run() throws {
            try ModelDirectory(path: location.store).remove(try ModelName(name), version: try ModelVersion(version))
        }
    }
}
