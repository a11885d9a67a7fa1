extension PlanReport {
    /// Greens for the edge, oranges for the link, violets for the cloud, in both colour schemes.
    static let styleSheet = """
        :root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1b2027;--soft:#5d6775;--rule:#dde2e8;\
        --accent:#e06c1b;--edgePreprocess:#a5dcc5;--head:#2f9e78;--encode:#12634a;--uplink:#e8833a;\
        --roundTrip:#f4b878;--downlink:#f9dbb4;--decode:#c2baf0;--cloudPreprocess:#9486dc;--tail:#5a47b0;\
        --line-cloudOnly:#5a47b0;--line-edgeOnly:#2f9e78;--line-split:#e06c1b}
        @media(prefers-color-scheme:dark){:root{--page:#12151a;--card:#1b2027;--ink:#e7eaee;--soft:#9aa5b3;\
        --rule:#323a45;--accent:#f59a52;--edgePreprocess:#8fd3b8;--head:#36ad84;--encode:#1c7a5c;--uplink:#ef8f47;\
        --roundTrip:#c98a4a;--downlink:#8d6a45;--decode:#c2baf0;--cloudPreprocess:#9c8fe6;--tail:#7462d0;\
        --line-cloudOnly:#a79bf0;--line-edgeOnly:#45c398;--line-split:#f59a52}}
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
