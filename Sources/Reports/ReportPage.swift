/// A report as one HTML page: no script, no external resource, light and dark.
package struct ReportPage: Sendable {
    private let title: String
    private let style: String
    private var main: Markup

    /// - Parameter style: what the page's own drawings want beyond the common sheet.
    package init(title: String, subtitle: String, style: String = "") {
        self.title = title
        self.style = style
        main = .element("h1", [], title) + .element("p", [("class", "sub")], subtitle)
    }

    /// Figures in large type, side by side.
    package mutating func addTiles(_ tiles: [(name: String, value: String)]) {
        main += .element(
            "div", [("class", "tiles")],
            .joined(
                tiles.map { name, value in
                    .element("div", [("class", "tile")], .element("b", [], value) + .element("span", [], name))
                }))
    }

    package mutating func addSection(_ title: String, _ body: Markup) {
        main += .element("section", [], .element("h2", [], title) + body)
    }

    package var html: String {
        let head = Markup.element("head", [], .element("title", [], title) + .style(Self.commonStyle + style))
        let page = Markup.element("html", [("lang", "en")], head + .element("body", [], .element("main", [], main)))
        return "<!DOCTYPE html>\n\(page.text)\n"
    }

    /// A table that scrolls when it is long; the first column is text, the others are figures.
    package static func table(_ headings: [String], _ rows: [[String]]) -> Markup {
        func cells(_ texts: [String], _ name: String) -> Markup {
            .element(
                "tr", [],
                .joined(
                    texts.enumerated().map { column, text in
                        .element(name, column == 0 ? [("class", "name")] : [], text)
                    }))
        }
        let head = Markup.element("thead", [], cells(headings, "th"))
        let body = Markup.element("tbody", [], .joined(rows.map { cells($0, "td") }))
        return .element("div", [("class", "scroll")], .element("table", [], head + body))
    }

    /// - Parameter label: says in words what is to be seen.
    package static func drawing(width: Double, height: Double, label: String, _ body: Markup) -> Markup {
        let box = "0 0 \(Int(width.rounded(.up))) \(Int(height.rounded(.up)))"
        return .element("svg", [("viewBox", box), ("role", "img"), ("aria-label", label)], body)
    }

    private static let commonStyle = """
        :root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1b2027;--soft:#5d6775;--rule:#dde2e8;\
        --accent:#e06c1b;--good:#2f9e78}
        @media(prefers-color-scheme:dark){:root{--page:#12151a;--card:#1b2027;--ink:#e7eaee;--soft:#9aa5b3;\
        --rule:#323a45;--accent:#f59a52;--good:#45c398}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,\
        "DejaVu Sans",sans-serif}
        main{max-width:1080px;margin:0 auto;padding:28px 20px 48px}
        h1{font-size:24px;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}
        h2{font-size:16px;margin:0 0 12px}
        .sub{color:var(--soft);margin:0 0 20px}
        section{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:18px 20px;margin:0 0 18px}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:0 0 18px}
        .tile{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:12px 14px}
        .tile b{display:block;font-size:22px;line-height:1.3;font-variant-numeric:tabular-nums}
        .tile span{color:var(--soft);font-size:13px}
        .reasons{margin:0;padding-left:20px}.reasons li{margin:3px 0;overflow-wrap:anywhere}
        .reasons li:first-child{font-weight:600}
        .legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:0 0 10px;padding:0;list-style:none;font-size:13px;\
        color:var(--soft)}
        .legend i{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:6px;vertical-align:-1px}
        svg{display:block;width:100%;height:auto}
        svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--ink)}
        svg .soft{fill:var(--soft)}svg .strong{font-weight:700}svg .rule{stroke:var(--rule)}
        svg .now{stroke:var(--soft);stroke-dasharray:4 3}
        svg polyline{fill:none;stroke-width:2.25;stroke-linejoin:round}
        .scroll{overflow:auto;max-height:640px}
        table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
        th,td{padding:5px 7px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
        th{color:var(--soft);font-weight:600;position:sticky;top:0;background:var(--card)}
        th.name,td.name{text-align:left}
        td.wrap{white-space:normal;overflow-wrap:anywhere;min-width:150px}
        tr.chosen td{font-weight:700}tr.chosen td.name{box-shadow:inset 3px 0 var(--accent)}
        code{font:12px ui-monospace,"DejaVu Sans Mono",monospace}

        """
}
