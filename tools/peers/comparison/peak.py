"""Measures what the machine's processors can do at most, with peak.c."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from comparison.measurement import processors


def peak(threads: int) -> dict:
    """Multiply-adds a second of as many cores at once, by precision, and with which instruction."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        raise FileNotFoundError("no C compiler: cc, gcc or clang")
    with tempfile.TemporaryDirectory(prefix="cleave-speed-") as scratch:
        program = Path(scratch) / "peak"
        subprocess.run([compiler, "-O2", "-o", program, Path(__file__).with_name("peak.c")], check=True)
        runs = [
            subprocess.Popen(
                program, stdout=subprocess.PIPE, preexec_fn=lambda cpu=cpu: os.sched_setaffinity(0, [cpu]))
            for cpu in processors(threads)]
        rates = [json.loads(run.communicate()[0]) for run in runs]
    return rates[0] | {precision: sum(rate[precision] for rate in rates) for precision in ("float32", "int8")}
