#!/usr/bin/env python3
"""Runs what `cleave split` writes in ONNX Runtime: the shipped model, and two of the test data, at every legal cut.

In float32, the tail on what the head gives must give the original network's outputs. With --quantized-boundary the parts must
be the float32 parts and exactly the rounding that `cleave quantize` reports for the boundary: the head's uint8 is the float32
head's result quantised, and the tail gives what the float32 tail gives for that dequantised. Every file must pass
onnx.checker. At the ends of the network, where one part has no nodes, a split may also be refused.

Twenty pictures go through the shipped model, two through each of the others.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy
import onnx
from onnxruntime import InferenceSession

from cleave_peers import Bench, Network, ProgramFailure, Table, digits, labelled, linked, relative_errors, run_checks
from compare_export import load, run

TOLERANCE = 1e-5
LEAST_AGREEMENT = 0.9
PICTURES = 20
PICTURES_OF_OTHERS = 2
CALIBRATION_PICTURES = 40
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

    whole: bytes
    head: InferenceSession
    tail: InferenceSession

    @classmethod
    def written(cls, bench: Bench, package: Path, cut: dict, is_end: bool, *options: str) -> Parts | None:
        """The parts at `cut`; `None` if that is an end of the network, where one part has no nodes, and cleave refuses it."""
        folder = bench.scratch / "parts"
        try:
            bench.cleave("split", package, "--cut", cut["number"], "--output", folder, *options)
        except ProgramFailure:
            if is_end:
                return None
            raise
        try:
            whole = (folder / "whole.onnx").read_bytes()
            return cls(whole, *(load(folder / f"{part}.onnx") for part in ("head", "tail")))
        # The peers have no exception in common for a file that they do not take.
        except Exception as error:
            raise ProgramFailure(f"what `cleave split` wrote is not valid: {str(error)[:200]}") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

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
    # Not Python's max, which can lose a NaN.
    return float(numpy.max(errors))


@dataclass
class Subject:
    """The quantised package, and what ONNX Runtime computes from the original file for some pictures."""

    package: Path
    roundings: dict[str, Rounding]
    operands: list[Values]
    expected: list[Values]

    @classmethod
    def prepared(cls, bench: Bench, network: Network) -> Subject:
        pictures = labelled(network.folder)
        if network == digits():
            calibration, count = network.folder.with_name("calibration"), PICTURES
        else:
            chosen = pictures[:: len(pictures) // CALIBRATION_PICTURES]
            calibration, count = linked(bench.scratch / f"{network.name}-calibration", chosen), PICTURES_OF_OTHERS
        package = bench.imported(network)
        report = json.loads(bench.cleave("quantize", package, "--calibration", calibration, "--json"))
        roundings = {
            layer["name"]: Rounding(numpy.float32(layer["scale"]), numpy.uint8(layer["zeroPoint"]))
            for layer in report["layers"]
        }
        original = load(network.onnx)
        input = original.get_inputs()[0].name
        operands = [{input: network.tensor(picture)} for picture in pictures[:: len(pictures) // count]]
        return cls(package, roundings, operands, [run(original, operand) for operand in operands])

    def check_whole(self, bench: Bench, network: Network) -> bytes:
        """The file of the whole network, which must compute what the original does."""
        folder = bench.scratch / "whole"
        bench.cleave("split", self.package, "--cut", "middle", "--output", folder)
        whole = load(folder / "whole.onnx")
        error = worst([run(whole, operand) for operand in self.operands], self.expected)
        bench.tally.check(f"{network.name}: whole.onnx is the network", error <= TOLERANCE, error)
        return (folder / "whole.onnx").read_bytes()


def check_float(bench: Bench, parts: Parts, subject: Subject, cut: str) -> tuple[list[Values], float]:
    """What the heads give, and the error of the tails' results."""
    boundaries = [run(parts.head, operand) for operand in subject.operands]
    results = [b | parts.complete(b, operand) for b, operand in zip(boundaries, subject.operands)]
    error = worst(results, subject.expected)
    bench.tally.check(f"{cut}: float32 parts make the whole", error <= TOLERANCE, error)
    return boundaries, error


def check_rounded(
    bench: Bench, rounded: Parts, parts: Parts, boundaries: list[Values], subject: Subject, cut: str, crossing: list[str]
) -> tuple[float, int]:
    """The error of the uint8 tails against the float32 ones, and the pictures whose class survives."""
    codes = [run(rounded.head, operand) for operand in subject.operands]
    unequal = sum(
        not numpy.array_equal(code[name], subject.roundings[name].quantized(boundary[name]))
        for code, boundary in zip(codes, boundaries) for name in crossing)
    bench.tally.check(f"{cut}: the head's uint8 is its boundary quantised", unequal == 0, f"{unequal} tensors differ")

    outputs, references = [], []
    for code, operand in zip(codes, subject.operands):
        outputs.append(code | rounded.complete(code, operand))
        floats = {name: subject.roundings[name].dequantized(code[name]) for name in crossing}
        references.append(parts.complete(code | floats, operand))
    error = worst(outputs, references)
    bench.tally.check(f"{cut}: the tail dequantises its boundary", error <= TOLERANCE, error)
    final = next(iter(subject.expected[0]))
    same = sum(int(got[final].argmax() == want[final].argmax()) for got, want in zip(outputs, subject.expected))
    bench.tally.check(f"{cut}: class after uint8", same >= int(LEAST_AGREEMENT * len(outputs)), f"{same} of {len(outputs)} same")
    return error, same


def check_cut(bench: Bench, subject: Subject, whole: bytes, cut: dict, is_end: bool, name: str, table: Table):
    parts = Parts.written(bench, subject.package, cut, is_end)
    float_error = uint8_error = same = "refused"
    if parts:
        bench.tally.check(f"{name}: whole.onnx is the same at every cut", parts.whole == whole)
        boundaries, error = check_float(bench, parts, subject, name)
        float_error = f"{error:.1e}"
        if rounded := Parts.written(bench, subject.package, cut, is_end, "--quantized-boundary"):
            error, count = check_rounded(bench, rounded, parts, boundaries, subject, name, cut["boundary"])
            uint8_error, same = f"{error:.1e}", f"{count}/{len(subject.expected)}"
    table.add(name, cut["boundaryElements"], float_error, uint8_error, same)


def check(bench: Bench):
    for network in bench.networks():
        subject = Subject.prepared(bench, network)
        whole = subject.check_whole(bench, network)
        cuts = json.loads(bench.cleave("inspect", subject.package, "--cuts", "--json"))
        most_nodes = max(cut["headNodes"] for cut in cuts)
        print(f"{network.name}: {len(cuts)} cuts")
        table = Table("cut", "elements", "float error", "uint8 error", "same class", first=84)
        for cut in cuts:
            name = f"{network.name} {cut['number']} {' + '.join(cut['boundary']) or 'edge-only'}"
            with bench.tally.programs_run(f"cut {name}"):
                check_cut(bench, subject, whole, cut, cut["headNodes"] in (0, most_nodes), name, table)


if __name__ == "__main__":
    run_checks(__doc__, check)
