extension PlanReport {
    /// Greens for the edge, oranges for the link, violets for the cloud, in both colour schemes.
    static let styleSheet = """
        :root{--edgePreprocess:#a5dcc5;--head:#2f9e78;--encode:#12634a;--uplink:#e8833a;\
        --roundTrip:#f4b878;--cloudWait:#c9c4b8;--downlink:#f9dbb4;--decode:#c2baf0;--cloudPreprocess:#9486dc;--tail:#5a47b0;\
        --line-cloudOnly:#5a47b0;--line-edgeOnly:#2f9e78;--line-split:#e06c1b}
        @media(prefers-color-scheme:dark){:root{--edgePreprocess:#8fd3b8;--head:#36ad84;--encode:#1c7a5c;\
        --uplink:#ef8f47;--roundTrip:#c98a4a;--cloudWait:#78746a;--downlink:#8d6a45;--decode:#c2baf0;--cloudPreprocess:#9c8fe6;\
        --tail:#7462d0;--line-cloudOnly:#a79bf0;--line-edgeOnly:#45c398;--line-split:#f59a52}}

        """
}
