#!/usr/bin/env python3
"""Networks whose files come quantised, against ONNX Runtime on the same inputs.

Each is imported as it is and run with its own scales (`cleave benchmark --precision int8`, or in float32 with the rounding
it states where none of its layers fits int8). Outputs are compared in quanta of the file's last scale, and by their
largest element.

ONNX Runtime computes a file in two ways, by default in integers and without its optimiser as the file is written, which
can be far apart: on a CPU without VNNI its products of bytes saturate (of the keyword network 10 % of the answers are right
in the first, 92 % in the second). Cleave must agree with one of them; the last columns say how far they agree with each
other.
"""

from __future__ import annotations

from pathlib import Path

import numpy
import onnx
import onnxruntime
from onnx import numpy_helper

import compare_preprocessing
from cleave_peers import IMAGENET_224, Bench, Table, labelled, run_checks

INPUTS = 100
LEAST_CLOSE_SHARE = 0.98
Floats = numpy.ndarray


def photographs(data: Path, side: int, scale: float, mean: float, std: float) -> Floats:
    description = IMAGENET_224 | {
        "width": side, "height": side, "scale": scale, "mean": [mean] * 3, "std": [std] * 3, "layout": "nchw"}
    pictures = labelled(data / "images/imagenet-val")
    return numpy.stack([
        compare_preprocessing.tensor(picture.path, description) for picture in pictures[:: len(pictures) // INPUTS]])


def archive(data: Path, name: str, scale: float = 1) -> Floats:
    images = numpy.load(data / f"images/mlperf-tiny/{name}.npz")["x"][:INPUTS]
    return numpy.ascontiguousarray(images.transpose(0, 3, 1, 2).astype(numpy.float32) * numpy.float32(scale))


def keywords(data: Path) -> Floats:
    coefficients = numpy.load(data / "images/mlperf-tiny/kws01.npz")["x"][:INPUTS].astype(numpy.float32)
    return ((coefficients - 83) * numpy.float32(0.5847029)).reshape(-1, 1, 49, 10)


NETWORKS = {
    "imagenet_int8/mobilenet_v1_0.5_160_int8_qdq": lambda data: photographs(data, 160, 1 / 128, 1, 1),
    "imagenet_int8/mobilenet_v2_1.0_224_qat_int8_qdq": lambda data: photographs(data, 224, 1 / 128, 1, 1),
    "small/vww_mobilenetv1_int8_qdq": lambda data: archive(data, "vww01_first500", 1 / 255),
    "small/cifar10_resnet8_int8_qdq": lambda data: archive(data, "ic01"),
    "small/kws_dscnn_int8_qdq": keywords,
}


def answers(model: Path, inputs: Floats, optimizes: bool) -> Floats:
    options = onnxruntime.SessionOptions()
    if not optimizes:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return numpy.concatenate([session.run(None, {name: one[numpy.newaxis]})[0] for one in inputs])


def last_scale(model: Path) -> float:
    graph = onnx.load(model).graph
    last = next(node for node in graph.node if graph.output[0].name in node.output)
    constants = {constant.name: constant for constant in graph.initializer}
    return float(numpy_helper.to_array(constants[last.input[1]]))


class Comparison:
    """Answers that are the same, and outputs that are within one quantum."""

    def __init__(self, outputs: Floats, reference: Floats, quantum: float):
        # What is float32 at the end need not lie on the grid, where the largest output may have equals.
        levels, wanted = (numpy.rint(values / quantum) for values in (outputs, reference))
        self.same = int((levels.argmax(axis=1) == wanted.argmax(axis=1)).sum())
        self.close_share = float((numpy.abs(levels - wanted) <= 1).mean())

    @property
    def close(self) -> str:
        return f"{100 * self.close_share:.2f}"


def check_network(bench: Bench, name: str, table: Table):
    model = bench.data / "models" / f"{name}.onnx"
    inputs = NETWORKS[name](bench.data)
    package, given, got = (bench.scratch / file for file in ("stated.cleave", "stated.in", "stated.out"))
    imported = bench.cleave("import", model, "--name", "stated", "-o", package)
    given.write_bytes(inputs.astype("<f4").tobytes())
    precision = "int8" if "in integers" in imported else "float32"
    bench.cleave("benchmark", package, "--precision", precision, "--runs", 1, "--input", given, "--output", got)
    default, plain = answers(model, inputs, True), answers(model, inputs, False)
    outputs = numpy.fromfile(got, dtype="<f4").reshape(default.shape)
    quantum = last_scale(model)
    compared = [Comparison(outputs, reference, quantum) for reference in (default, plain)]
    own = Comparison(plain, default, quantum)
    table.add(name.split("/")[1], precision, *[text for each in (*compared, own) for text in (each.same, each.close)])
    bench.tally.check(
        f"{name}: answers and outputs of one of the peer's ways",
        any(each.same >= len(inputs) - 1 and each.close_share >= LEAST_CLOSE_SHARE for each in compared))


def check(bench: Bench):
    if not bench.data:
        return bench.tally.skip("quantised networks", "CLEAVE_TEST_DATA is not set")
    table = Table(
        "network", "runs in", "same: integers", "close %", "same: as written", "close %", "ORT's two", "close %",
        first=36)
    for name in NETWORKS:
        with bench.tally.programs_run(name):
            check_network(bench, name, table)


if __name__ == "__main__":
    run_checks(__doc__, check)
