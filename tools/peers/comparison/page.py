"""A page of bars that needs no other file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from comparison.measurement import Measured
from comparison.report import HEADINGS, cell, geometric_mean

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --faint: #6a737d; --own: #d9480f; --peer: #9aa5b1; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --faint: #98a1ab; --own: #ff8a4c; --peer: #5a6673; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); max-width: 60em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em; } h2 { font-size: 1.1em; margin-top: 2em; } p { color: var(--faint); }
svg { display: block; width: 100%; height: auto; font-size: 12px; } text { fill: var(--ink); }
.own { fill: var(--own); } .peer { fill: var(--peer); } .uncounted { fill: var(--peer); opacity: .45; }
"""
WIDTH, LEFT, LABEL, BAR, GAP = 900, 130, 110, 15, 14
"""Of the picture, the networks' names, the engines' names, a bar, the space between networks."""


def bars(group: Sequence[Measured], engines: Sequence[str]) -> str:
    """One picture: for each network a bar an engine, as long as its time is against the slowest's."""
    parts, top = [], 0
    for measured in group:
        rows = [(engine, row) for engine in engines if (row := measured.best(engine)) and row.milliseconds]
        slowest = max((row.milliseconds for _, row in rows), default=1)
        parts.append(f'<text x="0" y="{top + 12}" font-weight="600">{escape(measured.network)}</text>')
        for engine, row in rows:
            kind = "own" if engine == "cleave" else "peer" if row.counts else "uncounted"
            length = (WIDTH - LEFT - LABEL - 80) * row.milliseconds / slowest
            name = escape(HEADINGS.get(engine, engine))
            parts.append(
                f'<text x="{LEFT + LABEL - 8}" y="{top + 12}" text-anchor="end">{name}</text>'
                f'<rect class="{kind}" x="{LEFT + LABEL}" y="{top + 1}" width="{length:.1f}" height="{BAR - 2}" rx="2"/>'
                f'<text x="{LEFT + LABEL + length + 6:.1f}" y="{top + 12}">{cell(row, measured.threads)} ms</text>')
            top += BAR
        top += GAP
    return f'<svg viewBox="0 0 {WIDTH} {top}" role="img">{"".join(parts)}</svg>'


def page(groups: Sequence[Sequence[Measured]], engines: Sequence[str], everything: dict) -> str:
    machine = everything["machine"]
    sections = []
    for group in groups:
        threads, ratios = group[0].threads, [ratio for measured in group if (ratio := measured.ratio())]
        title = f"{group[0].precision}, {threads} thread{'s' if threads > 1 else ''}"
        mean = f"Fastest peer's time over cleave's, geometric mean: {geometric_mean(ratios):.2f}." if ratios else ""
        sections.append(f"<h2>{title}</h2><p>{mean}</p>{bars(group, engines)}")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Speed, side by side</title><style>{STYLE}</style></head><body>
<h1>Speed, side by side</h1>
<p>{escape(machine["processor"])}, {machine["cores"]} cores, {everything["time"]}. Milliseconds for one picture, median of
{everything["runs"]} runs taken by turns; shorter is faster, each network has its own scale. Pale bars do not count: another
precision, or answers that do not agree (!).</p>
{"".join(sections)}
</body></html>
"""
