"""Compares cleave's speed with that of the fastest engines, side by side on this machine.

Networks are torchvision's with seeded weights, exported to ONNX once; each engine gets its own files from them, in int8 by
its own tools with the same calibration pictures. Every engine runs in a process of its own, pinned to the last
processors allowed. They take turns of five counted runs in an order that rotates, so that whatever else the machine does falls on
all alike. Of several variants of one engine (ways to quantise, precision of the rest) the fastest counts.

In the same run every engine's logits for test pictures are compared with PyTorch's in float32: in float32 their correlation
must be above 0.999, in int8 above 0.9 and every picture told from the others. Times of wrong answers never count.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from comparison import report
from comparison.engines import ENGINES, PRECISIONS, VARIANTS
from comparison.measurement import measure
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
    parser.add_argument("--precisions", type=names(PRECISIONS), default=PRECISIONS, metavar="NAME,…", help=",".join(PRECISIONS))
    parser.add_argument(
        "--threads", type=numbers, default=sorted({1, min(2, cores)}), metavar="N,…", help="default: 1 and 2")
    parser.add_argument("--runs", type=int, help="counted runs of each engine; default: 60, with --quick 20")
    parser.add_argument("--warmups", type=int, default=10, help="runs before the first turn; default: %(default)s")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}, fewer runs")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write everything measured as JSON")
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
    fields = dict(
        line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    return {
        "processor": fields.get("model name", platform.machine()), "cores": os.cpu_count(), "kernel": platform.release(),
        "flags": fields.get("flags", fields.get("Features", "")), "python": platform.python_version(),
    }


def main():
    given = arguments()
    cache = Cache(given.cache, given.bin)
    everything = {
        "command": sys.argv, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(),
        "runs": given.runs, "warmups": given.warmups, "peaks": {}, "measurements": [],
    }
    print(f"{everything['machine']['processor']}, {everything['machine']['cores']} cores")
    for threads in given.threads:
        everything["peaks"][threads] = limits = peak(threads)
        for precision in given.precisions:
            group = []
            for network in given.networks:
                print(f"measuring {network}, {precision}, {threads} thread(s)", file=sys.stderr, flush=True)
                group.append(measure(network, precision, threads, given.engines, cache, given.runs, given.warmups))
            print(f"\n{report.table(group, given.engines, limits)}", flush=True)
            everything["measurements"] += map(report.document, group)
            if given.output:
                given.output.write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
