/// Text for HTML and SVG, in which every element that is opened is closed.
package struct Markup: Sendable {
    package private(set) var text: String

    /// Markup as it stands; only for literals of this module.
    private init(verbatim text: String) {
        self.text = text
    }

    /// Text of any origin, escaped.
    package init(_ text: String) {
        self.text = Self.escape(text)
    }

    package init() {
        text = ""
    }

    /// `<name attribute="value"…>body</name>`; attribute values are escaped.
    package static func element(_ name: String, _ attributes: [(String, String)] = [], _ body: Markup = Markup())
        -> Markup
    {
        let attributeText = attributes.map { " \($0)=\"\(escape($1))\"" }.joined()
        return Markup(verbatim: "<\(name)\(attributeText)>\(body.text)</\(name)>")
    }

    package static func element(_ name: String, _ attributes: [(String, String)] = [], _ text: String) -> Markup {
        element(name, attributes, Markup(text))
    }

    /// A style sheet; must not contain `</`.
    package static func style(_ sheet: String) -> Markup {
        precondition(!sheet.contains("</"))
        return Markup(verbatim: "<style>\(sheet)</style>")
    }

    package static func joined(_ parts: some Sequence<Markup>, separator: String = "") -> Markup {
        Markup(verbatim: parts.map(\.text).joined(separator: escape(separator)))
    }

    package static func + (left: Markup, right: Markup) -> Markup { Markup(verbatim: left.text + right.text) }

    package static func += (left: inout Markup, right: Markup) { left.text += right.text }

    private static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\t", "\n", "\r": escaped.unicodeScalars.append(character)
            case _ where character.value < 0x20 || (0x7F...0x9F).contains(character.value): escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
