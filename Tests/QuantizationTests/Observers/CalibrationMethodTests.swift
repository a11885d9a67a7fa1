internal import Quantization
internal import Testing

@Suite struct CalibrationMethodTests {
    @Test func everyFormIsRead() throws {
        #expect(try CalibrationMethod("minmax") == .minMax)
        #expect(try CalibrationMethod("mse") == .meanSquaredError)
        #expect(try CalibrationMethod("percentile") == .percentile(0.9999))
        #expect(try CalibrationMethod("percentile:99.5") == .percentile(0.995))
        #expect(try CalibrationMethod("percentile:100") == .percentile(1))
        #expect(try CalibrationMethod("percentile:50") == .percentile(0.5))
        #expect(try CalibrationMethod("entropy") == .entropy)
        #expect(try CalibrationMethod("average") == .movingAverage(0.9))
        #expect(try CalibrationMethod("average:0") == .movingAverage(0))
        #expect(try CalibrationMethod("average:0.99") == .movingAverage(0.99))
    }

    @Test(arguments: [
        "minmax", "mse", "entropy", "average:0.9", "percentile:99.9", "percentile:99.99", "percentile:99.999",
        "percentile:50.0",
    ])
    func descriptionsAreReadBack(text: String) throws {
        let method = try CalibrationMethod(text)
        #expect(method.description == text)
    }

    @Test(arguments: [
        "", "MSE", "percentile:", "percentile:x", "percentile:nan", "percentile:inf", "percentile:49.9",
        "percentile:100.1", "percentile:-1", "minmax:1", "percentile:99:9", "average:1", "average:-0.1",
        "average:", "mse:1", "entropy:", "minmax:",
    ])
    func anythingElseIsRefused(text: String) {
        do {
            let method = try CalibrationMethod(text)
            Issue.record("\(text) was read as \(method)")
        } catch {
            #expect(error.code == .invalidOption && error.message.contains("percentile:P"))
        }
    }
}
