internal import ArgumentParser
internal import ModelStore

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every byte of a package against its digests.",
        discussion: "Example: cleave verify digits.cleave")

    @Argument(help: "The package.")
    var package: String

    func run() throws {
        let opened = try OpenedPackage(path: package, verifying: .everything)
        print("\(package): good\n  digest  \(opened.digest)")
    }
}
