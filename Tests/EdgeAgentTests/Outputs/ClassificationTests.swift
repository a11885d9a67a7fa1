internal import EdgeAgent
internal import FoundationEssentials
internal import ModelGraph
internal import Synchronization
internal import Testing

@Suite struct ClassificationTests {
    @Test func ranksLogits() throws {
        let output = Tensor([Float(0), 2, 1, -1, 2, 0.5], shape: [1, 6])
        let top = try Classification(of: output, named: "y", kind: .logits, labels: ["a", "b"]).top
        #expect(top.map(\.index) == [1, 4, 2, 5, 0])
        #expect(top.map(\.label) == ["b", "4", "2", "5", "a"])
        #expect(abs(top[0].score - 0.3474) < 1e-3)
        #expect(top[0].score == top[1].score)
    }

    @Test func takesProbabilitiesAsTheyAre() throws {
        let output = Tensor([Float(0.25), 0.75], shape: [2])
        let top = try Classification(of: output, named: "y", kind: .probabilities, labels: []).top
        #expect(top.map(\.score) == [0.75, 0.25])
    }

    @Test func refusesWhatIsNoVectorOfNumbers() {
        let outputs = [
            Tensor([Float.nan, 1], shape: [2]), Tensor([Float(1), 2, 3, 4], shape: [2, 2]),
            Tensor([UInt8(1)], shape: [1]), Tensor([Float](), shape: [0]), Tensor([Float.infinity], shape: [1]),
            Tensor(scalar: Float(1)),
        ]
        for output in outputs {
            #expect(throws: EdgeError.self, "\(output.type)") {
                try Classification(of: output, named: "y", kind: .logits, labels: [])
            }
        }
    }

    @Test func recordsAreLinesOfJSON() throws {
        let lines = Mutex<[String]>([])
        let writer = RecordWriter { line in lines.withLock { $0.append(line) } }
        var record = InferenceRecord(image: "/x/\"y\"\n.jpg", cut: ["a", "b"])
        record.source = .local
        record.reason = "deadline_exceeded"
        record.timesMs.total = 12.5
        try writer.write(record)
        let line = try #require(lines.withLock { $0 }.first)
        #expect(line.hasSuffix("}\n") && line.dropLast().allSatisfy { !$0.isNewline })
        #expect(line.contains(#""cut":"a+b""#) && line.contains(#""source":"local""#))
        #expect(try JSONDecoder().decode(InferenceRecord.self, from: Data(line.utf8)) == record)
    }
}
