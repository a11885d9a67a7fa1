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

from comparison.engines import UNCOUNTED, VARIANTS, Agreement, Batch, EngineFailure, Lane, Place
from comparison.preparation import Cache, PreparationFailure

BATCH = 5
"""Counted runs of one engine before it is the next one's turn."""
REWARMING = 2
"""Runs at the beginning of a turn that do not count: the caches hold the last engine's data."""
SETTLING_SECONDS = 0.03
"""Between turns: threads of the last engine that still spin fall asleep."""
DISTURBED = 0.02
"""A batch whose threads waited for longer than this share of it, because other programs ran, is repeated."""
PATIENCE = 3
"""So many times the batches that would do on a quiet machine are tried; then the least disturbed count."""
HOPELESS = 1.25
"""A variant this much slower than its engine's best while warming up is not measured further."""


@dataclass
class Row:
    """One variant with one network."""

    engine: str
    variant: str
    command: list[str]
    ready: dict | None = None
    """What the engine's process said when it was ready: its version, its own view of its settings."""
    failure: str = ""
    dropped: bool = False
    """Another variant of the engine was so much faster while warming up that this one was measured no further."""
    milliseconds: float | None = None
    """The median."""
    fastest: float | None = None
    nanoseconds: list[int] | None = None
    batches: int = 0
    """Tried, with those that were disturbed."""
    is_disturbed: bool = False
    """Too few batches were quiet, so that the least disturbed count, too."""
    busy: int | None = None
    """The most threads that worked in a batch."""
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
                    lane = Lane(row.command, cpus)
                    lanes.append((lane, row))
                    judge(row, lane, numpy.fromfile(answers, dtype="<f4").reshape(expected.shape), expected, precision)
                    answers.unlink()
                except (PreparationFailure, EngineFailure, OSError, ValueError) as failure:
                    row.failure = str(failure)
            lanes = warmed(lanes, warmups)
            take_turns(lanes, -(-runs // BATCH))
        finally:
            for lane, _ in lanes:
                lane.end()
    return measured


def take_turns(lanes: list[tuple[Lane, Row]], batches: int):
    """Runs each lane until so many of its batches were undisturbed, and fills its row."""
    taken: list[list[Batch]] = [[] for _ in lanes]

    def quiet(index: int) -> list[Batch]:
        return [batch for batch in taken[index] if batch.waited <= DISTURBED]

    for turn in range(PATIENCE * batches):
        waiting = [index for index in range(len(lanes)) if len(quiet(index)) < batches]
        if not waiting:
            break
        first = turn % len(waiting)
        for index in waiting[first:] + waiting[:first]:
            time.sleep(SETTLING_SECONDS)
            lanes[index][0].run(REWARMING)
            taken[index].append(lanes[index][0].run(BATCH))
    for index, (_, row) in enumerate(lanes):
        row.is_disturbed = len(quiet(index)) < batches
        kept = sorted(taken[index], key=lambda batch: batch.waited)[:batches]
        row.batches = len(taken[index])
        row.nanoseconds = [nanoseconds for batch in kept for nanoseconds in batch.nanoseconds]
        row.busy = max(batch.busy for batch in kept)
        row.milliseconds = statistics.median(row.nanoseconds) / 1e6
        row.fastest = min(row.nanoseconds) / 1e6


def judge(row: Row, lane: Lane, got: numpy.ndarray, expected: numpy.ndarray, precision: str):
    agreement = Agreement.of(got, expected)
    row.correlation, row.distinguishing = agreement.correlation, agreement.distinguishing
    # Less is asked of what computes in another precision than the table's, and does not count.
    row.agrees = agreement.is_good("int8" if row.engine in UNCOUNTED else precision, len(expected))
    row.ready = lane.ready


def warmed(lanes: list[tuple[Lane, Row]], warmups: int) -> list[tuple[Lane, Row]]:
    """Warms all up, and ends those that another variant of the same engine leaves far behind."""
    # The least, which other programs disturb least.
    times = [min(lane.run(warmups).nanoseconds) for lane, _ in lanes]
    kept = []
    for (lane, row), least in zip(lanes, times, strict=True):
        # A variant whose answers do not agree ousts none.
        rivals = [other for (_, one), other in zip(lanes, times, strict=True)
                  if one.engine == row.engine and one.agrees]
        row.dropped = least > HOPELESS * min(rivals, default=least)
        if row.dropped:
            row.fastest = least / 1e6
            lane.end()
        else:
            kept.append((lane, row))
    return kept
