"""Runs the engines side by side and takes their times."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy

from comparison.engines import UNCOUNTED, VARIANTS, Agreement, EngineFailure, Lane, Place
from comparison.preparation import Cache, PreparationFailure

BATCH = 5
"""Counted runs of one engine before it is the next one's turn."""
REWARMING = 2
"""Runs at the beginning of a turn that do not count: the caches hold the last engine's data."""
SETTLING_SECONDS = 0.03
"""Between turns: threads of the last engine that still spin fall asleep."""
HOPELESS = 1.25
"""A variant this much slower than its engine's best while warming up is not measured further."""


@dataclass
class Row:
    """One variant with one network."""

    engine: str
    variant: str
    command: list[str]
    version: str = ""
    notes: dict | None = None
    failure: str = ""
    dropped: bool = False
    milliseconds: float | None = None
    """The median."""
    fastest: float | None = None
    nanoseconds: list[int] | None = None
    busiest: int | None = None
    correlation: float | None = None
    distinguishing: float | None = None
    agrees: bool | None = None

    @property
    def counts(self) -> bool:
        return self.milliseconds is not None and bool(self.agrees) and self.engine not in UNCOUNTED


@dataclass
class Measured:
    """One network in one precision with so many threads."""

    network: str
    precision: str
    threads: int
    multiply_adds: int
    rows: list[Row]

    def best(self, engine: str) -> Row | None:
        """The engine's fastest variant, a right answer before a wrong one; else one that failed."""
        rows = [row for row in self.rows if row.engine == engine and not row.dropped]
        return min(rows, key=lambda row: (not row.agrees, row.milliseconds or float("inf")), default=None)

    def fastest_peer(self) -> Row | None:
        rows = [row for row in self.rows if row.counts and row.engine != "cleave"]
        return min(rows, key=lambda row: row.milliseconds, default=None)

    def ratio(self) -> float | None:
        """The fastest peer's time over cleave's: above 1 cleave is faster."""
        own, peer = self.best("cleave"), self.fastest_peer()
        return peer.milliseconds / own.milliseconds if own and own.counts and peer else None


def processors(threads: int) -> list[int]:
    """The last ones allowed: the first is where the system's own work goes."""
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise ValueError(f"{threads} threads need as many processors; {len(allowed)} are allowed")
    return allowed[-threads:]


def measure(
    network: str, precision: str, threads: int, engines: Sequence[str], cache: Cache, runs: int, warmups: int
) -> Measured:
    """Makes the files that are missing, then runs the engines by turns."""
    cache.make(network, "float32.onnx")
    place = Place(cache.folder / network, cache.programs)
    expected = numpy.load(place.folder / "expected.npy")
    cpus = processors(threads)
    lanes: list[tuple[Lane, Row]] = []
    measured = Measured(network, precision, threads, cache.multiply_adds(network), [])
    with tempfile.TemporaryDirectory(prefix="cleave-speed-") as scratch:
        answers = Path(scratch) / "answers.f32"
        try:
            for variant in (variant for variant in VARIANTS[precision] if variant.engine in engines):
                row = Row(variant.engine, variant.label, place.command(variant, precision, threads, answers))
                measured.rows.append(row)
                try:
                    cache.make(network, variant.file)
                    lane = Lane(variant, row.command, cpus)
                    lanes.append((lane, row))
                    judge(row, lane, numpy.fromfile(answers, dtype="<f4").reshape(expected.shape), expected, precision)
                    answers.unlink()
                except (PreparationFailure, EngineFailure, OSError, ValueError) as failure:
                    row.failure = str(failure)
            lanes = warmed(lanes, warmups)
            rounds = -(-runs // BATCH)
            for turn in range(rounds):
                order = lanes[turn % len(lanes):] + lanes[:turn % len(lanes)]
                for lane, _ in order:
                    time.sleep(SETTLING_SECONDS)
                    lane.run(REWARMING, counted=False)
                    lane.run(BATCH)
            for lane, row in lanes:
                row.nanoseconds, row.busiest = lane.nanoseconds, lane.busiest
                row.milliseconds = statistics.median(lane.nanoseconds) / 1e6
                row.fastest = min(lane.nanoseconds) / 1e6
        finally:
            for lane, _ in lanes:
                lane.end()
    return measured


def judge(row: Row, lane: Lane, got: numpy.ndarray, expected: numpy.ndarray, precision: str):
    agreement = Agreement.of(got, expected)
    row.correlation, row.distinguishing = agreement.correlation, agreement.distinguishing
    row.agrees = agreement.is_good(precision, len(expected))
    row.version, row.notes = lane.ready["version"], lane.ready["notes"]


def warmed(lanes: list[tuple[Lane, Row]], warmups: int) -> list[tuple[Lane, Row]]:
    """Warms all up, and ends those that another variant of the same engine leaves far behind."""
    medians = [statistics.median(lane.run(warmups, counted=False)[warmups // 2:]) for lane, _ in lanes]
    kept = []
    for (lane, row), median in zip(lanes, medians, strict=True):
        rivals = [other for (_, one), other in zip(lanes, medians, strict=True) if one.engine == row.engine]
        row.dropped = median > HOPELESS * min(rivals)
        if row.dropped:
            row.milliseconds = median / 1e6
            lane.end()
        else:
            kept.append((lane, row))
    return kept
