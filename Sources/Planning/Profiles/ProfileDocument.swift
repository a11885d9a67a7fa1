package import FoundationEssentials

/// A measurement or a plan kept as a JSON file: one object that names its schema and version beside its fields.
package protocol ProfileDocument: Codable, Sendable, Equatable {
    static var schema: String { get }
    static var version: Int { get }
    /// Checks what the types of the fields do not.
    func validate() throws(PlanningError)
}

extension ProfileDocument {
    /// - Parameter name: stands for the file in errors.
    /// - Throws: `PlanningError` whose location is `name: field`.
    package static func read(_ data: Data, named name: String) throws(PlanningError) -> Self {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        do {
            let header = try decoder.decode(Header.self, from: data)
            guard header.schema == schema else {
                throw PlanningError(.unknownSchema, "expected schema \(schema), got \(header.schema)", at: "schema")
            }
            guard header.version == version else {
                throw PlanningError(
                    .unsupportedVersion, "expected version \(version) of \(schema), got \(header.version)",
                    at: "version")
            }
            let document = try decoder.decode(Self.self, from: data)
            try document.validate()
            return document
        } catch let error as PlanningError {
            throw PlanningError(error.code, error.message, at: "\(name): \(error.location)")
        } catch let error as DecodingError {
            throw PlanningError(error, in: name)
        } catch {
            throw PlanningError(.malformed, "\(error)", at: name)
        }
    }

    /// The document as JSON text: sorted keys, so that equal documents are equal bytes.
    package func json() throws(PlanningError) -> Data {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(Envelope(document: self))
        } catch {
            throw PlanningError(.malformed, "cannot be written as JSON: \(error)", at: Self.schema)
        }
    }
}

private struct Header: Codable {
    var schema: String
    var version: Int
}

private struct Envelope<Document: ProfileDocument>: Encodable {
    var document: Document

    func encode(to encoder: any Encoder) throws {
        try document.encode(to: encoder)
        try Header(schema: Document.schema, version: Document.version).encode(to: encoder)
    }
}

extension PlanningError {
    fileprivate init(_ error: DecodingError, in name: String) {
        let (path, message): ([any CodingKey], String) =
            switch error {
            case .keyNotFound(let key, let context): (context.codingPath + [key], "the field is missing")
            case .typeMismatch(let type, let context):
                (context.codingPath, "expected \(type): \(context.debugDescription)")
            case .valueNotFound(let type, let context): (context.codingPath, "expected \(type), got null")
            case .dataCorrupted(let context): (context.codingPath, context.debugDescription)
            @unknown default: ([], "\(error)")
            }
        self.init(.malformed, message, at: path.isEmpty ? name : "\(name): \(path.fieldPath)")
    }
}
