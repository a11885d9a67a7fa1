"""Tables, JSON and a page of bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

from comparison.engines import ABSENT, UNCOUNTED, VARIANTS
from comparison.measurement import Measured, Row
from comparison.memory import Footprint

HEADINGS = {"openvino-default": "openvino*"}
PRECISION_NOTE = "* openvino* computes in the precision it takes by default, {default}; shown, but not counted"


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def share(measured: Measured, row: Row | None, peak: dict) -> str:
    """How much of the peak the network's multiply-adds make up in the row's time."""
    if row is None or row.milliseconds is None or row.failure:
        return "-"
    return f"{100 * measured.multiply_adds / (row.milliseconds / 1e3) / peak[measured.precision]:.0f} %"


def cell(row: Row | None, threads: int) -> str:
    if row is None:
        return "-"
    if row.failure or row.milliseconds is None:
        return "failed"
    marks = ("" if row.agrees else "!") + ("+" if row.busy and row.busy > threads else "") + "~" * row.is_disturbed
    return f"{row.milliseconds:.2f}{marks}"


def table(group: Sequence[Measured], engines: Sequence[str], peak: dict) -> str:
    """One precision and number of threads: a line a network, and below it what needs saying."""
    precision, threads = group[0].precision, group[0].threads
    columns = [engine for engine in engines if any(variant.engine == engine for variant in VARIANTS[precision])]
    has_cleave = "cleave" in columns
    lines = [
        ["network", "MMAC", *(HEADINGS.get(engine, engine) for engine in columns), "fastest peer", "of peak"]
        + (["cleave of peak", "peer/cleave"] if has_cleave else [])]
    for measured in group:
        fastest = measured.fastest_peer()
        line = [measured.network, f"{measured.multiply_adds / 1e6:.0f}"]
        line += [cell(measured.best(engine), threads) for engine in columns]
        line += [fastest.engine if fastest else "-", share(measured, fastest, peak)]
        if has_cleave:
            ratio = measured.ratio()
            line += [share(measured, measured.best("cleave"), peak), f"{ratio:.2f}" if ratio else "-"]
        lines.append(line)
    ratios = [ratio for measured in group if (ratio := measured.ratio())]
    if ratios:
        lines.append(["geometric mean"] + [""] * (len(lines[0]) - 2) + [f"{geometric_mean(ratios):.2f}"])
    plural = "s" if threads > 1 else ""
    title = f"{precision}, {threads} thread{plural}: milliseconds (median); peak {peak[precision] / 1e9:.0f} GMAC/s"
    return "\n".join([title, "", aligned(lines), *notes(group, engines, threads)])


def notes(group: Sequence[Measured], engines: Sequence[str], threads: int) -> list[str]:
    """What the reader must know of the table: marks, failures, wrong answers, which variants won."""
    said = [text for (engine, precision), text in ABSENT.items()
            if precision == group[0].precision and engine in engines]
    rows = [(measured.network, row) for measured in group for row in measured.rows if not row.dropped]
    defaults = {row.ready["precision"] for _, row in rows if row.engine in UNCOUNTED and row.ready}
    said += [PRECISION_NOTE.format(default=default) for default in sorted(defaults)]
    for network, row in rows:
        name = f"{network}, {row.engine}{f' ({row.variant})' if row.variant else ''}"
        if row.failure:
            said.append(f"failed: {name}: {row.failure}")
        elif not row.agrees:
            said.append(
                f"! {name}: answers differ from float32's: correlation {row.correlation:.4f}, of what tells pictures "
                f"apart {row.distinguishing:.4f}")
        if row.busy and row.busy > threads:
            said.append(f"+ {name}: {row.busy} threads worked")
    if any(row.is_disturbed for _, row in rows):
        said.append("~ other programs ran on the same processors most of the time; repeat on a quiet machine")
    return said


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines)


def memory_table(precision: str, group: dict[str, list[Footprint]]) -> str:
    """A line a network: MiB at most, and milliseconds to the first answer, by engine."""
    engines = [one.engine for one in next(iter(group.values()))]
    lines = [["network", *(f"{engine} MiB" for engine in engines), *(f"{engine} ms" for engine in engines)]]
    for network, found in group.items():
        sizes = ["failed" if one.failure else f"{one.peak_bytes / 2**20:.0f}" for one in found]
        times = ["failed" if one.failure else f"{one.first_answer_nanoseconds / 1e6:.0f}" for one in found]
        lines.append([network, *sizes, *times])
    title = f"{precision}, 1 thread: memory at most, and time from opening the file to the first answer"
    failures = [f"failed: {network}, {one.engine}: {one.failure}"
                for network, found in group.items() for one in found if one.failure]
    return "\n".join([title, "", aligned(lines), *failures])


def document(measured: Measured) -> dict:
    return asdict(measured) | {"ratio": measured.ratio()}
