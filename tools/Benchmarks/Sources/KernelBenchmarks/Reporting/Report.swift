internal import FoundationEssentials

/// All that one run measured.
package struct Report: Sendable, Codable {
    package let processor: String
    package let peaks: MachinePeaks
    package let networks: [NetworkResult]

    package init(processor: String = Report.processorName, peaks: MachinePeaks, networks: [NetworkResult]) {
        (self.processor, self.peaks, self.networks) = (processor, peaks, networks)
    }

    /// As the system names it.
    package static var processorName: String {
        let description = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = description.split(separator: "\n").first { $0.hasPrefix("model name") || $0.hasPrefix("CPU part") }
        return line?.split(separator: ":").last.map { String($0.drop { $0 == " " }) } ?? "unknown processor"
    }

    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    package var text: String { ([peaks.text(on: processor)] + networks.map(\.text)).joined(separator: "\n") }
}

extension MachinePeaks {
    fileprivate func text(on processor: String) -> String {
        var table = TextTable()
        table.add("peaks of one core of \(processor)")
        for rate in rates { table.add(rate.instruction, rate.gigaMultiplyAddsPerSecond.decimals(1), "GMAC/s") }
        for bandwidth in bandwidths {
            table.add("read from \(bandwidth.level)", bandwidth.gigabytesPerSecond.decimals(1), "GB/s")
        }
        return table.text
    }
}

extension NetworkResult {
    fileprivate var text: String {
        var table = TextTable()
        let weights = weightBytes > 0 ? ", weights from \(weightBytes >> 20) MiB of copies" : ""
        table.add("\(network), \(arithmetic.rawValue), \(instructionSet)\(weights)")
        table.add("layer", "×", "MMAC", "µs", "GMAC/s", "GB/s", "% of peak")
        for layer in layers {
            add(layer.layer, Total([layer.once]), count: layer.repeats, to: &table)
        }
        table.separate()
        for (layerClass, total) in classTotals { add(layerClass.rawValue, total, count: total.layers, to: &table) }
        add("network", total, count: total.layers, to: &table)
        if layersWithoutKernel > 0 { table.add("layers without a kernel: \(layersWithoutKernel)") }
        return table.text
    }

    private func add(_ name: String, _ total: Total, count: Int, to table: inout TextTable) {
        let computes = total.multiplyAdds > 0
        table.add(
            name, "\(count)", computes ? (Double(total.multiplyAdds) * 1e-6).decimals(2) : "",
            (total.seconds * 1e6).decimals(1),
            computes ? (Double(total.multiplyAdds) / total.seconds * 1e-9).decimals(1) : "",
            (Double(total.bytesMoved) / total.seconds * 1e-9).decimals(1),
            total.secondsAtPeak.map { ($0 / total.seconds * 100).decimals(1) } ?? "–")
    }
}

extension LayerResult {
    /// Not as often as the network has it.
    fileprivate var once: LayerResult {
        LayerResult(
            layer: layer, layerClass: layerClass, kernel: kernel, repeats: 1, multiplyAdds: multiplyAdds,
            bytesMoved: bytesMoved, seconds: seconds, secondsAtPeak: secondsAtPeak)
    }
}
