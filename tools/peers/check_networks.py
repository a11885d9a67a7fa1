#!/usr/bin/env python3
"""Holds import and float32 engine to ONNX Runtime over torchvision's networks, as both of PyTorch's exporters write them.

Weights are random but seeded; nothing is downloaded. The first time each network is exported, which takes seconds to a
minute, into a folder that later runs use again. Outputs may differ by 1e-4 of their largest magnitude. Times are those
of one thread, for orientation; `speed` measures.

    source tools/bootstrap networks
    swift build -c release
    tools/peers/check_networks.py
    tools/peers/check_networks.py --networks shufflenet_v2_x1_0,decoder --exporters dynamo
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy
import onnx
import onnxruntime

from cleave_peers import ROOT, Bench, Table, run_checks
from zoo import networks

TOLERANCE = 1e-4
INPUTS = 2
RUNS = 5


def chosen(known: list[str]):
    def parse(text: str) -> list[str]:
        names = text.split(",")
        if unknown := sorted(set(names) - set(known)):
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
        return names
    return parse


def add_options(parser: argparse.ArgumentParser):
    parser.add_argument("--networks", metavar="A,B", type=chosen(networks.NAMES), default=networks.NAMES)
    parser.add_argument(
        "--exporters", metavar="A,B", type=chosen([*networks.EXPORTERS]), default=[*networks.EXPORTERS],
        help="%(default)s unless given")
    parser.add_argument(
        "--cache", metavar="DIR", type=Path, default=ROOT / ".build-networks", help="exported files; default: %(default)s")


def answers(session: onnxruntime.InferenceSession, inputs: numpy.ndarray) -> tuple[numpy.ndarray, float]:
    """The first output for each input, and the shortest time of a run in milliseconds."""
    def run(one: numpy.ndarray) -> numpy.ndarray:
        return session.run(None, {session.get_inputs()[0].name: one[numpy.newaxis]})[0].ravel()

    outputs = numpy.stack([run(one) for one in inputs])
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run(inputs[0])
        times.append(time.perf_counter() - start)
    return outputs, 1e3 * min(times)


def check_network(bench: Bench, name: str, exporter: str, table: Table):
    onnx_file = bench.options.cache / f"{name}.{exporter}.onnx"
    if not onnx_file.exists():
        networks.export(name, exporter, onnx_file)
    package, operand, result = (bench.scratch / file for file in ("network.cleave", "input.f32", "output.f32"))
    inputs = networks.samples(name, INPUTS)
    inputs.tofile(operand)
    bench.cleave("import", onnx_file, "-o", package)
    report = json.loads(bench.cleave(
        "benchmark", package, "--input", operand, "--output", result, "--threads", 1, "--warmup", 1, "--runs", RUNS,
        "--json"))
    outputs = numpy.fromfile(result, dtype="<f4").reshape(len(inputs), -1)
    package.unlink()

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_file, options, providers=["CPUExecutionProvider"])
    expected, peer_milliseconds = answers(session, inputs)
    what = f"{name} by the {exporter} exporter"
    if not bench.tally.check(f"{what}: as many results", outputs.shape == expected.shape, (outputs.shape, expected.shape)):
        return
    # Two pictures must be told apart, else agreement would mean little.
    spread = numpy.abs(expected[0] - expected[1]).max() / numpy.abs(expected).max()
    bench.tally.check(f"{what}: results that depend on the input", spread > 0.01, f"{spread:.1e}")
    error = (numpy.abs(outputs - expected).max(axis=1) / numpy.abs(expected).max(axis=1)).max()
    without_kernel = report["nodesWithoutKernel"]
    table.add(
        name, exporter, len(onnx.load(onnx_file, load_external_data=False).graph.node), f"{error:.1e}",
        f"{min(report['nanoseconds']) / 1e6:.1f}", f"{peer_milliseconds:.1f}", len(without_kernel))
    bench.tally.check(f"{what}: within {TOLERANCE} relative", error <= TOLERANCE, f"{error:.3g}")


def check(bench: Bench):
    bench.options.cache.mkdir(exist_ok=True)
    table = Table("network", "exporter", "nodes", "error", "ms", "peer ms", "by definition", first=28)
    for name in bench.options.networks:
        for exporter in bench.options.exporters:
            with bench.tally.programs_run(f"{name} by the {exporter} exporter"):
                check_network(bench, name, exporter, table)


if __name__ == "__main__":
    run_checks(__doc__, check, add_options)
