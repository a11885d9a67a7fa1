internal import ONNXFormat
internal import Testing

/// Single-operator cases through importer and reference executor. The list of those that pass is committed: it can only
/// change knowingly.
@Suite(.enabled(if: ConformanceData.isAvailable, "CLEAVE_TEST_DATA is not set"))
struct NodeCaseTests {
    @Test(arguments: ConformanceData.supportedNodeCases)
    func passes(name: String) throws {
        try ConformanceData.nodeCase(name).run()
    }

    @Test
    func noUnlistedCasePasses() throws {
        let listed = Set(ConformanceData.supportedNodeCases)
        var failures: [String: [String]] = [:]
        for name in try ConformanceData.nodeCases() where !listed.contains(name) {
            do {
                try ConformanceData.nodeCase(name).run()
                Issue.record("\(name) passes: promote it to supported-node-cases.txt")
            } catch let error as ONNXError {
                failures["\(error.code): \(error.message)", default: []].append(name)
            } catch {
                failures["\(type(of: error))", default: []].append("\(name) (\(error))")
            }
        }
        print("\(listed.count) node cases listed, \(failures.values.reduce(0) { $0 + $1.count }) unsupported:")
        for (reason, names) in failures.sorted(by: { ($1.value.count, $0.key) < ($0.value.count, $1.key) }) {
            print("  \(names.count) × \(reason): \(names.joined(separator: ", "))")
        }
    }

    @Test
    func listIsSortedAndKnown() throws {
        let listed = ConformanceData.supportedNodeCases
        #expect(!listed.isEmpty)
        #expect(listed == listed.sorted() && Set(listed).count == listed.count)
        #expect(Set(listed).subtracting(try ConformanceData.nodeCases()).isEmpty)
    }
}
