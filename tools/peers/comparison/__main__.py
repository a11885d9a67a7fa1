"""Compares cleave's speed with that of the fastest engines, side by side on this machine.

Networks are torchvision's with seeded weights, exported to ONNX once; each engine gets its own files from them, in
int8 by its own tools with the same calibration pictures. Every engine runs in a process of its own, pinned to the last
processors allowed, from the input in float32 to the answer in float32. They take turns of five counted runs in an order
that rotates, so that whatever else the machine does falls on all alike; a turn in which they had to wait for a
processor is repeated. Of several variants of one engine (ways to quantise, precision of the rest) the fastest counts.

In the same run every engine's logits for test pictures are compared with PyTorch's in float32: in float32 their
correlation must be above 0.999, in int8 above 0.9 and every picture told from the others. What does not agree never counts.

How to read the tables: times are medians. `of peak` is the share that the network's multiply-adds, in the time
given, make up of what the processors can do at most, measured just before; convolutions by Winograd's method need fewer, so
that it may exceed 100 %. `peer/cleave` is the fastest peer's time over cleave's: above 1 cleave is faster. Marks: `!`
the answers do not agree, `+` more threads worked than allowed, `~` other programs disturbed the measurement; a line
below the table says more.

With --memory: what new processes held at most up to their answers, less what the Python interpreter and numpy hold by
themselves (nothing is taken from cleave's), and the time from opening the file to the first answer, the library being
loaded already. `cleave head` is what a board runs when the network is cut in the middle.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict
from pathlib import Path

from comparison import page, report
from comparison.engines import ENGINES, PRECISIONS
from comparison.measurement import Measured, measure
from comparison.memory import footprints
from comparison.peak import peak
from comparison.preparation import Cache, PreparationFailure

ROOT = Path(__file__).resolve().parents[3]
NETWORKS = ["resnet18", "resnet50", "mobilenet_v2", "squeezenet1_1", "vgg16", "efficientnet_b0", "mobilenet_v3_large"]
QUICK = ["resnet18", "mobilenet_v2", "squeezenet1_1"]


def names(allowed: list[str] | None):
    """Parses names separated by commas."""
    def parse(text: str) -> list[str]:
        given = text.split(",")
        for name in given:
            if allowed and name not in allowed:
                raise argparse.ArgumentTypeError(f"expected some of {', '.join(allowed)}, got {name!r}")
        return given
    return parse


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/peers/speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cores = len(os.sched_getaffinity(0))
    parser.add_argument(
        "--networks", type=names(None), metavar="NAME,…",
        help=f"any classifiers of torchvision; default: {','.join(NETWORKS)}")
    parser.add_argument("--engines", type=names(ENGINES), default=ENGINES, metavar="NAME,…", help=",".join(ENGINES))
    parser.add_argument(
        "--precisions", type=names(PRECISIONS), default=PRECISIONS, metavar="NAME,…", help=",".join(PRECISIONS))
    parser.add_argument(
        "--threads", type=numbers, default=sorted({1, min(2, cores)}), metavar="N,…", help="default: 1 and 2")
    parser.add_argument("--runs", type=int, help="counted runs of each engine; default: 60, with --quick 20")
    parser.add_argument("--warmups", type=int, default=10, help="runs before the first turn; default: %(default)s")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}, fewer runs")
    parser.add_argument(
        "--memory", action="store_true",
        help="also measure memory and the time to the first answer, of new processes with one thread")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write everything measured as JSON")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a page of bars as HTML")
    parser.add_argument("--cache", type=Path, default=ROOT / ".build-speed", metavar="DIR", help="default: %(default)s")
    parser.add_argument(
        "--bin", type=Path, default=ROOT / ".build/release", metavar="DIR",
        help="where cleave is; default: %(default)s")
    given = parser.parse_args()
    given.networks = given.networks or (QUICK if given.quick else NETWORKS)
    given.runs = given.runs or (20 if given.quick else 60)
    if max(given.threads) > cores:
        parser.error(f"--threads {max(given.threads)}: {cores} processors are allowed")
    if "cleave" in given.engines and not (given.bin / "cleave").exists():
        parser.error(f"{given.bin} has no cleave; run `swift build -c release`, or leave it out with --engines")
    return given


def machine() -> dict:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return {
        "processor": fields.get("model name", platform.machine()), "cores": os.cpu_count(), "kernel": platform.release(),
        "flags": fields.get("flags", fields.get("Features", "")), "python": platform.python_version(),
    }


def save(everything: dict, given: argparse.Namespace):
    if given.output:
        given.output.write_text(json.dumps(everything, indent=1))


def main():
    given = arguments()
    cache = Cache(given.cache, given.bin)
    everything = {
        "command": sys.argv, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(),
        "runs": given.runs, "warmups": given.warmups, "peaks": {}, "measurements": [], "memory": [],
    }
    print(f"{everything['machine']['processor']}, {everything['machine']['cores']} cores")
    groups: list[list[Measured]] = []
    for threads in given.threads:
        everything["peaks"][threads] = limits = peak(threads)
        for precision in given.precisions:
            group: list[Measured] = []
            for network in given.networks:
                print(f"measuring {network}, {precision}, {threads} thread(s)", file=sys.stderr, flush=True)
                try:
                    group.append(measure(network, precision, threads, given.engines, cache, given.runs, given.warmups))
                except PreparationFailure as failure:
                    sys.exit(f"{network}: {failure}")
            print(f"\n{report.table(group, given.engines, limits)}", flush=True)
            everything["measurements"] += map(report.document, group)
            groups.append(group)
            save(everything, given)
    if given.report:
        given.report.write_text(page.page(groups, given.engines, everything))
    if given.memory:
        for precision in given.precisions:
            group = {network: footprints(network, precision, given.engines, cache) for network in given.networks}
            print(f"\n{report.memory_table(precision, group)}", flush=True)
            everything["memory"] += [
                {"network": network, "precision": precision} | asdict(one)
                for network, found in group.items() for one in found]
        save(everything, given)


if __name__ == "__main__":
    main()
