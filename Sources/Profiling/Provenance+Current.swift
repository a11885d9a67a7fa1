internal import FoundationEssentials
internal import Glibc
package import InferenceEngine
package import Planning

extension Provenance {
    /// This machine, now.
    /// - Parameter command: the command line, for the next person to repeat.
    package static func current(command: String, toolVersion: String, instructionSet: InstructionSet) -> Provenance {
        var name = utsname()
        uname(&name)
        return Provenance(
            host: text(of: name.nodename), cpu: processorName(), cores: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            kernel: "\(text(of: name.sysname)) \(text(of: name.release)) \(text(of: name.machine))",
            instructionSet: instructionSet.rawValue, compiler: compilerName, date: Date(), command: command,
            toolVersion: toolVersion)
    }

    /// The version is compiled in; Swift has no run-time query for it.
    private static var compilerName: String {
        #if compiler(>=6.4)
        "Swift 6.4 or later"
        #elseif compiler(>=6.3)
        "Swift 6.3"
        #else
        "Swift 6.2"
        #endif
    }

    private static func text<Tuple>(of field: Tuple) -> String {
        withUnsafeBytes(of: field) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// As Linux names it; boards name themselves in the device tree instead.
    private static func processorName() -> String {
        if let data = FileManager.default.contents(atPath: "/proc/cpuinfo") {
            let text = String(decoding: data, as: UTF8.self)
            for key in ["model name", "Model"] {
                if let line = text.split(separator: "\n").first(where: { $0.hasPrefix(key) }),
                    let colon = line.firstIndex(of: ":")
                {
                    return String(line[line.index(after: colon)...].drop { $0 == " " })
                }
            }
        }
        if let data = FileManager.default.contents(atPath: "/proc/device-tree/model") {
            return String(decoding: data.prefix { $0 != 0 }, as: UTF8.self)
        }
        return "unknown"
    }
}
