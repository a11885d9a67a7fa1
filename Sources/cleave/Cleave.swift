internal import ArgumentParser

@main
struct Cleave: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleave",
        abstract: "Import, quantise, measure and split convolutional networks between an edge board and a server.",
        discussion: """
            A first session:
              cleave import digits.onnx --preprocessing preprocessing.json --labels labels.txt -o digits.cleave
              cleave quantize digits.cleave --calibration calibration/ --validation test/
              cleave profile digits.cleave --images test/ --output profiles/
              cleave plan digits.cleave --profiles profiles/ --link wifi --report plan.html
              cleave store publish digits.cleave --store models/
            """,
        version: toolVersion,
        subcommands: [
            ImportCommand.self, QuantizeCommand.self, InspectCommand.self, EvaluateCommand.self, SplitCommand.self,
            ProfileCommand.self, CharacterizeCommand.self, PredictCommand.self, CodecCommand.self,
            BenchmarkCommand.self, PlanCommand.self, SimulateCommand.self, StoreCommand.self,
            VerifyCommand.self,
        ])

    static let toolVersion = "0.1.0"
}
