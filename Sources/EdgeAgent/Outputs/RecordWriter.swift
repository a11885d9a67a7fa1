private import FoundationEssentials
private import Synchronization

/// Writes each record as one line of JSON.
package final class RecordWriter: Sendable {
    private let write: @Sendable (String) throws -> Void
    private let order = Mutex(())

    /// - Parameter write: takes one line, its line break included; never called twice at the same time.
    package init(write: @escaping @Sendable (String) throws -> Void) {
        self.write = write
    }

    /// - Throws: `EdgeError.unwritableOutput`.
    package func write(_ record: InferenceRecord) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            let line = String(decoding: try encoder.encode(record), as: UTF8.self) + "\n"
            try order.withLock { _ in try write(line) }
        } catch {
            throw EdgeError(.unwritableOutput, "\(error)", at: record.image)
        }
    }
}
