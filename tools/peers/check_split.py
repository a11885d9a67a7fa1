#!/usr/bin/env python3
"""Splits the shipped network at each of its cuts and lets ONNX Runtime run head, then tail: equal to running the whole.

    check_split.py [CLEAVE]     CLEAVE: the program (default: the one that `swift build -c release` made)
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

import compare_export

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "Models" / "digits" / "digits.onnx"


def output_of(*command):
    return subprocess.run([str(word) for word in command], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def splits_exactly(cleave, cut, folder):
    """Whether the parts at `cut`, one after the other, give what the whole gives."""
    output_of(cleave, "split", MODEL, "--cut", cut, "--output", folder)
    whole, head, tail = (compare_export.load(str(folder / f"{part}.onnx")) for part in ("whole", "head", "tail"))
    operands = compare_export.draw(whole, numpy.random.default_rng(cut))
    boundary = compare_export.run(head, operands)
    completed = compare_export.run(tail, operands | boundary)
    return compare_export.compare(boundary | completed, compare_export.run(whole, operands), rtol=1e-4, atol=1e-5)


def main():
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    cleave = sys.argv[1] if len(sys.argv) == 2 else pathlib.Path(
        output_of("swift", "build", "-c", "release", "--show-bin-path").strip()) / "cleave"
    cuts = json.loads(output_of(cleave, "inspect", MODEL, "--cuts", "--json"))
    inner = [cut["number"] for cut in cuts if cut["boundary"] and cut["headNodes"] > 0]
    if not inner:
        sys.exit(f"{MODEL} has no cut with work on both sides")
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for cut in inner:
            print(f"cut {cut}")
            if not splits_exactly(cleave, cut, pathlib.Path(folder)):
                failed.append(cut)
    print(f"{len(inner) - len(failed)} of {len(inner)} cuts of {MODEL.name} give ONNX Runtime what the whole gives")
    if failed:
        sys.exit(f"not so at {failed}")


if __name__ == "__main__":
    main()
