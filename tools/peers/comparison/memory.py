"""What memory each engine takes, and how long a new process needs to its first answer."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from comparison.engines import UNCOUNTED, VARIANTS, EngineFailure, Lane, Place, Variant
from comparison.measurement import processors
from comparison.preparation import Cache, PreparationFailure

PROCESSES = 5
HEAD = "cleave head"
"""The column of a head cut where half of the multiply-adds are done: what a board runs."""


@dataclass
class Footprint:
    """Of one engine's first variant with one network, on one thread: medians over a few new processes."""

    engine: str
    command: list[str]
    peak_bytes: float | None = None
    """The most memory the process held up to its answers, less what the interpreter and numpy hold by themselves."""
    first_answer_nanoseconds: float | None = None
    """From before the file is opened to the first answer; the library is loaded already, the file in the page cache."""
    failure: str = ""


def ready(command: list[str]) -> tuple[float, float]:
    """Peak bytes and nanoseconds to the first answer."""
    said = []
    for _ in range(PROCESSES):
        lane = Lane(command, processors(1))
        lane.end()
        said.append(lane.ready)
    return (statistics.median(one["peakBytes"] for one in said),
            statistics.median(one["firstAnswerNanoseconds"] for one in said))


def footprints(network: str, precision: str, engines: Sequence[str], cache: Cache) -> list[Footprint]:
    place = Place(cache.folder / network, cache.programs)
    cases: list[tuple[str, Variant, list[str]]] = []
    for variant in VARIANTS[precision]:
        if variant.engine in engines and variant.engine not in {*UNCOUNTED, *(engine for engine, _, _ in cases)}:
            cases.append((variant.engine, variant, []))
            if variant.engine == "cleave" and precision == "int8":
                cases.append((HEAD, variant, ["--cut", "middle"]))
    found = []
    with tempfile.TemporaryDirectory(prefix="cleave-speed-") as scratch:
        answers = Path(scratch) / "answers.f32"
        interpreter, _ = ready(place.worker("nothing", Path(os.devnull), 1, answers))
        for engine, variant, options in cases:
            case = Footprint(engine, place.command(variant, precision, 1, answers, *options))
            try:
                cache.make(network, variant.file)
                peak, case.first_answer_nanoseconds = ready(case.command)
                # cleave is a program of its own, from which nothing is taken.
                case.peak_bytes = peak - interpreter if variant.worker else peak
            except (PreparationFailure, EngineFailure, OSError) as failure:
                case.failure = str(failure)
            found.append(case)
    return found
