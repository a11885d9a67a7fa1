#!/usr/bin/env python3
"""Runs what `cleave split` writes in ONNX Runtime: the shipped model at every legal cut.

In float32, the tail on what the head gives must give the whole network's outputs. With --quantized-boundary the parts must be
the float32 parts with exactly the rounding of the package at the cut: the head's uint8 is its float boundary quantised, and the
tail gives what the float32 tail gives for those bytes dequantised; scales and zero points are those that `cleave quantize`
reports. Every file must pass onnx.checker.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy
import onnx
from onnxruntime import InferenceSession

from cleave_peers import Bench, Table, digits, labelled, relative_errors, run_checks
from check_export import load, run

TOLERANCE = 1e-5
PICTURES = 20
Values = dict[str, numpy.ndarray]


@dataclass
class Rounding:
    """How a float32 tensor crosses a cut as uint8."""

    scale: numpy.float32
    zero_point: numpy.uint8

    def quantized(self, values: numpy.ndarray) -> numpy.ndarray:
        return numpy.clip(numpy.rint(values / self.scale) + self.zero_point, 0, 255).astype(numpy.uint8)

    def dequantized(self, codes: numpy.ndarray) -> numpy.ndarray:
        return (codes.astype(numpy.float32) - self.zero_point) * self.scale


@dataclass
class Parts:
    """What `cleave split` wrote to a folder."""

    whole: InferenceSession
    head: InferenceSession
    tail: InferenceSession

    @classmethod
    def written(cls, bench: Bench, package: Path, cut: int, *options: str) -> Parts:
        folder = bench.scratch / "parts"
        bench.cleave("split", package, "--cut", cut, "--output", folder, *options)
        return cls(*(load(folder / f"{part}.onnx") for part in ("whole", "head", "tail")))

    def complete(self, boundary: Values, operands: Values) -> Values:
        return run(self.tail, operands | boundary)


def worst(got: list[Values], expected: list[Values]) -> float:
    """The largest relative error of any tensor; infinite where one is missing or has another shape."""
    errors = [0.0]
    for values, wanted in zip(got, expected, strict=True):
        for name, tensor in wanted.items():
            if name not in values or values[name].shape != tensor.shape:
                return numpy.inf
            errors.append(float(relative_errors(values[name].reshape(1, -1), tensor.reshape(1, -1)).max()))
    return max(errors)


def check(bench: Bench):
    network = digits()
    package = bench.imported(network)
    report = json.loads(bench.cleave("quantize", package, "--calibration", network.folder.with_name("calibration"), "--json"))
    roundings = {
        layer["name"]: Rounding(numpy.float32(layer["scale"]), numpy.uint8(layer["zeroPoint"])) for layer in report["layers"]}
    original = load(network.onnx)
    pictures = [network.tensor(picture) for picture in labelled(network.folder)[:: 200 // PICTURES]]
    operands = [{original.get_inputs()[0].name: tensor} for tensor in pictures]
    expected = [run(original, operand) for operand in operands]
    cuts = json.loads(bench.cleave("inspect", package, "--cuts", "--json"))
    table = Table("cut", "elements", "float error", "uint8 codes", "tail error", "same class", first=40)
    for cut in cuts:
        name = f"{cut['number']} {'+'.join(cut['boundary']) or 'edge-only'}"
        with bench.tally.programs_run(f"cut {name}"):
            check_cut(bench, package, cut, name, operands, expected, roundings, table)


def check_cut(
    bench: Bench, package: Path, cut: dict, name: str, operands: list[Values], expected: list[Values],
    roundings: dict[str, Rounding], table: Table
):
    check = bench.tally.check
    parts = Parts.written(bench, package, cut["number"])
    whole_error = worst([run(parts.whole, operand) for operand in operands], expected)
    check(f"cut {name}: whole.onnx is the network", whole_error <= TOLERANCE, whole_error)
    boundaries = [run(parts.head, operand) for operand in operands]
    results = [b | parts.complete(b, operand) for b, operand in zip(boundaries, operands)]
    float_error = worst(results, expected)
    check(f"cut {name}: float32 parts make the whole", float_error <= TOLERANCE, float_error)

    rounded = Parts.written(bench, package, cut["number"], "--quantized-boundary")
    codes = [run(rounded.head, operand) for operand in operands]
    wanted = [
        boundary | {key: roundings[key].quantized(boundary[key]) for key in cut["boundary"]} for boundary in boundaries]
    elements = sum(codes[0][key].size for key in cut["boundary"] if key in codes[0])
    unequal = sum(
        numpy.count_nonzero(got[key] != want[key]) if got[key].shape == want[key].shape else want[key].size
        for got, want in zip(codes, wanted) for key in cut["boundary"])
    check(f"cut {name}: the head's uint8 is its boundary quantised", unequal == 0, f"{unequal} codes differ")

    outputs = [c | rounded.complete(c, operand) for c, operand in zip(codes, operands)]
    dequantized = [c | {key: roundings[key].dequantized(c[key]) for key in cut["boundary"]} for c in codes]
    references = [parts.complete(d, operand) for d, operand in zip(dequantized, operands)]
    tail_error = worst(outputs, references)
    check(f"cut {name}: the tail dequantises its boundary", tail_error <= TOLERANCE, tail_error)

    final = next(iter(expected[0]))
    same = sum(got[final].argmax() == want[final].argmax() for got, want in zip(outputs, expected))
    check(f"cut {name}: same class across the quantised boundary", same >= 0.9 * len(expected), same)
    table.add(name, elements, f"{float_error:.1e}", f"{unequal} differ", f"{tail_error:.1e}", f"{same}/{len(expected)}")


if __name__ == "__main__":
    run_checks(__doc__, check)
