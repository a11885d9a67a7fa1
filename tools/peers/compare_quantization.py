#!/usr/bin/env python3
"""Compares the accuracy of int8 networks: cleave's, ONNX Runtime's and NNCF's, from the same float32 ONNX files.

All calibrate on the same pictures and are tried on the same others: of the labelled pictures in order of name every fifth
calibrates, the rest validates. Inputs of the peers are made by Pillow and numpy.

- cleave: `cleave quantize` without options.
- ONNX Runtime: static quantisation to QDQ, int8 weights per channel, uint8 activations, by each of its methods.
- NNCF: `nncf.quantize` without options, run by OpenVINO.

Columns: top-1 of each in %; `Δ` is cleave's top-1 less float32's in points with its 95 % interval (bootstrap over
pictures, 10,000 samples, seeded), `p` the two-sided probability of such a difference if there is none (McNemar, exact);
`same` the share of pictures on which an int8 network gives float32's answer. ONNX Runtime's column is its best method's.

With --also, further ONNX classifiers of pictures, such as torchvision's, whatever their weights, are compared by `same`
and by the correlation of outputs with float32's, over the pictures of the test data.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy
import onnxruntime
from PIL import Image

from cleave_peers import IMAGENET_224, ROOT, Bench, Network, Picture, Table, Tally, labelled, linked

ORT_METHODS = ["MinMax", "Entropy", "Percentile"]
CALIBRATION_SHARE = 5


def square(side: int, scale: float, mean: list[float] | float = 0.0, std: list[float] | float = 1.0) -> dict:
    """A description of preprocessing, in cleave's terms."""
    by_channel = lambda value: value if isinstance(value, list) else [value] * 3
    return {
        "width": side, "height": side, "resize": "stretch", "interpolation": "bilinear", "channels": "rgb",
        "scale": scale, "mean": by_channel(mean), "std": by_channel(std),
    }


IMAGENET_MEAN, IMAGENET_STD = IMAGENET_224["mean"], IMAGENET_224["std"]
# Name, ONNX file, pictures, preprocessing.
NETWORKS = [
    ("squeezenet1.1", "imagenet/squeezenet1.1_fp32", "imagenet", IMAGENET_224),
    ("resnet50", "imagenet/resnet50_abm_w8", "imagenet", IMAGENET_224),
    ("tiny_darknet", "imagenet/tiny_darknet_fp32", "imagenet", square(224, 1 / 255)),
    ("mobilenetv2", "imagenet/mobilenetv2_fp32", "imagenet", IMAGENET_224),
    ("mobilenetv1_0.25", "imagenet/mobilenetv1_0.25_224_fp32", "imagenet", square(224, 1 / 127.5, 1.0)),
    ("vww_mobilenetv1", "small/vww_mobilenetv1_fp32", "vww", square(96, 1 / 255)),
    ("cifar10_resnet8", "small/cifar10_resnet8_fp32", "cifar10", square(32, 1.0)),
    ("cifar10_resnet20", "small/cifar10_resnet20_fp32", "cifar10", square(32, 1 / 255, IMAGENET_MEAN, IMAGENET_STD)),
]
ARCHIVES = {"vww": "vww01_first500", "cifar10": "ic01"}


def pictures_of(kind: str, data: Path, scratch: Path) -> list[Picture]:
    """The labelled pictures of the test data; those of an archive become PNG files first."""
    if kind == "imagenet":
        return labelled(data / "images/imagenet-val")
    folder = scratch / kind
    if not folder.exists():
        folder.mkdir()
        archive = numpy.load(data / f"images/mlperf-tiny/{ARCHIVES[kind]}.npz")
        lines = []
        for index, (image, label) in enumerate(zip(archive["x"], archive["y"], strict=True)):
            Image.fromarray(image).save(folder / f"{index:04}.png")
            lines.append(f"{index:04}.png {int(label)}\n")
        (folder / "labels.txt").write_text("".join(lines))
    return labelled(folder)


@dataclass
class Subject:
    """A float32 network with its pictures shared out, and what every engine answers: [pictures, classes]."""

    network: Network
    calibration: list[Picture]
    validation: list[Picture]
    outputs: dict[str, numpy.ndarray] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def labels(self) -> numpy.ndarray:
        return numpy.array([picture.label for picture in self.validation])

    def samples(self, pictures: list[Picture]) -> Iterator[numpy.ndarray]:
        return map(self.network.tensor, pictures)

    def correct(self, engine: str) -> numpy.ndarray:
        return self.outputs[engine].argmax(axis=1) == self.labels

    def top1(self, engine: str) -> float:
        return 100 * self.correct(engine).mean()

    def same(self, engine: str) -> float:
        return 100 * numpy.mean(self.outputs[engine].argmax(axis=1) == self.outputs["float32"].argmax(axis=1))

    def correlation(self, engine: str) -> float:
        return float(numpy.corrcoef(self.outputs[engine].ravel(), self.outputs["float32"].ravel())[0, 1])

    def answer(self, engine: str, run: Callable[[numpy.ndarray], numpy.ndarray]):
        self.outputs[engine] = numpy.stack([run(sample).ravel() for sample in self.samples(self.validation)])


# MARK: Engines


def run_float(subject: Subject):
    run_onnx(subject, "float32", subject.network.onnx)


def run_onnx(subject: Subject, engine: str, path: Path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    subject.answer(engine, lambda sample: session.run(None, {name: sample})[0])


def run_ort(subject: Subject, method: str, scratch: Path):
    from onnxruntime.quantization import (
        CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static)
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared, quantized = scratch / "prepared.onnx", scratch / "quantized.onnx"
    quant_pre_process(subject.network.onnx, prepared, skip_symbolic_shape=True)
    name = onnxruntime.InferenceSession(prepared, providers=["CPUExecutionProvider"]).get_inputs()[0].name

    class Reader(CalibrationDataReader):
        """Hands pictures out a few at a time, for the calibrators keep every activation of a stretch in memory."""

        def __init__(self):
            self.set_range(0, len(self))

        def __len__(self) -> int:
            return len(subject.calibration)

        def set_range(self, start_index: int, end_index: int):
            self.samples = subject.samples(subject.calibration[start_index:end_index])

        def get_next(self) -> dict | None:
            sample = next(self.samples, None)
            return None if sample is None else {name: sample}

    engine = f"ort {method.lower()}"
    start = time.monotonic()
    # It prints what it does.
    with contextlib.redirect_stdout(sys.stderr):
        quantize_static(
            prepared, quantized, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
            weight_type=QuantType.QInt8, activation_type=QuantType.QUInt8, calibrate_method=CalibrationMethod[method],
            extra_options={"CalibStridedMinMax": 10})
    subject.seconds[engine] = time.monotonic() - start
    run_onnx(subject, engine, quantized)


def run_nncf(subject: Subject):
    import nncf
    import openvino
    nncf.set_log_level(logging.ERROR)
    start = time.monotonic()
    samples = list(subject.samples(subject.calibration))
    model = openvino.Core().read_model(subject.network.onnx)
    model.reshape(samples[0].shape)
    quantized = nncf.quantize(model, nncf.Dataset(samples))
    subject.seconds["nncf"] = time.monotonic() - start
    # What stays float is to be float32 on every processor.
    compiled = openvino.Core().compile_model(quantized, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    subject.answer("nncf", lambda sample: compiled([sample])[0])


def run_cleave(subject: Subject, bench: Bench, options: list[str]):
    name = subject.network.name
    calibration = linked(bench.scratch / f"{name}.calibration", subject.calibration)
    validation = linked(bench.scratch / f"{name}.validation", subject.validation)
    package = bench.imported(subject.network)
    start = time.monotonic()
    subject_report = json.loads(bench.cleave("quantize", package, "--calibration", calibration, "--json", *options))
    subject.seconds["cleave"] = time.monotonic() - start
    _, subject.outputs["cleave"] = bench.evaluate(package, validation, "--arithmetic", "int8")
    return subject_report


# MARK: Statistics


def interval(differences: numpy.ndarray) -> tuple[float, float]:
    """95 % of the mean of paired differences, in points."""
    generator = numpy.random.default_rng(1)
    means = [generator.choice(differences, len(differences)).mean() for _ in range(10_000)]
    low, high = numpy.percentile(means, [2.5, 97.5])
    return 100 * low, 100 * high


def mcnemar(gained: int, lost: int) -> float:
    """Two-sided exact probability of a split at least as uneven, were both equally likely."""
    total = gained + lost
    tail = sum(math.comb(total, count) for count in range(min(gained, lost) + 1)) / 2**total
    return min(1.0, 2 * tail)


def best_ort(subject: Subject) -> str | None:
    engines = [engine for engine in subject.outputs if engine.startswith("ort ")]
    return max(engines, key=lambda engine: (subject.top1(engine), subject.same(engine)), default=None)


# MARK: Reports


def add_row(table: Table, subject: Subject):
    best = best_ort(subject)
    differences = subject.correct("cleave").astype(float) - subject.correct("float32")
    low, high = interval(differences)
    p = mcnemar(int((differences > 0).sum()), int((differences < 0).sum()))

    def percent(value: Callable[[str], float], engine: str | None) -> str:
        return f"{value(engine):.2f}" if engine in subject.outputs else "–"

    table.add(
        subject.network.name, len(subject.validation), percent(subject.top1, "float32"), percent(subject.top1, "cleave"),
        f"{100 * differences.mean():+.2f} [{low:+.2f}, {high:+.2f}]", f"{p:.2f}",
        f"{percent(subject.top1, best)} {best.removeprefix('ort ') if best else ''}", percent(subject.top1, "nncf"),
        percent(subject.same, "cleave"), percent(subject.same, best), percent(subject.same, "nncf"))


def document(subject: Subject, report: dict) -> dict:
    engines = [engine for engine in subject.outputs if engine != "float32"]
    return {
        "network": subject.network.name, "calibration": len(subject.calibration),
        "validation": len(subject.validation), "float32": {"top1": subject.top1("float32")}, "cleaveReport": report,
    } | {
        engine: {
            "top1": subject.top1(engine), "same": subject.same(engine), "correlation": subject.correlation(engine),
            "seconds": subject.seconds[engine],
        } for engine in engines
    }


def measure(subject: Subject, bench: Bench, given: argparse.Namespace) -> dict:
    def say(what: str):
        print(f"{subject.network.name}: {what}", file=sys.stderr, flush=True)

    say("float32")
    run_float(subject)
    say("cleave")
    report = run_cleave(subject, bench, given.quantize)
    for method in ORT_METHODS if "ort" in given.peers else []:
        say(f"ONNX Runtime, {method}")
        run_ort(subject, method, bench.scratch)
    if "nncf" in given.peers:
        say("NNCF")
        run_nncf(subject)
    return document(subject, report)


def subjects(bench: Bench, given: argparse.Namespace) -> Iterator[Subject]:
    for name, file, kind, description in NETWORKS:
        if given.networks and name not in given.networks:
            continue
        preprocessing = bench.scratch / f"{name}.json"
        preprocessing.write_text(json.dumps(description | {"layout": "nchw"}))
        pictures = pictures_of(kind, bench.data, bench.scratch)
        network = Network(
            name, bench.data / f"models/{file}.onnx", str(preprocessing), description, pictures[0].path.parent)
        yield shared_out(network, pictures)


def others(bench: Bench, given: argparse.Namespace) -> Iterator[Subject]:
    preprocessing = bench.scratch / "also.json"
    preprocessing.write_text(json.dumps(IMAGENET_224 | {"layout": "nchw"}))
    pictures = pictures_of("imagenet", bench.data, bench.scratch)
    for path in given.also:
        name = path.parent.name if path.stem == "float32" else path.stem
        yield shared_out(
            Network(name, path, str(preprocessing), IMAGENET_224, pictures[0].path.parent), pictures)


def shared_out(network: Network, pictures: list[Picture]) -> Subject:
    return Subject(
        network, pictures[::CALIBRATION_SHARE],
        [picture for index, picture in enumerate(pictures) if index % CALIBRATION_SHARE])


def arguments() -> argparse.Namespace:
    names = lambda text: text.split(",") if text else []
    parser = argparse.ArgumentParser(
        prog="tools/peers/quantization", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = ",".join(name for name, *_ in NETWORKS)
    parser.add_argument("--networks", type=names, default=[], metavar="NAME,…", help=f"some of {known}; default: all")
    parser.add_argument(
        "--peers", type=names, default=["ort", "nncf"], metavar="NAME,…", help="some of ort,nncf, or none: ''")
    parser.add_argument(
        "--also", type=Path, nargs="+", default=[], metavar="FILE", help="further ONNX files, for 3×224×224 inputs")
    parser.add_argument(
        "--quantize", type=str.split, default=[], metavar="OPTIONS",
        help="options for `cleave quantize`, in one argument: --quantize='--method minmax'")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write everything measured as JSON")
    parser.add_argument(
        "--bin", type=Path, default=ROOT / ".build/release", metavar="DIR",
        help="where the programs are; default: %(default)s")
    given = parser.parse_args()
    if not (given.bin / "cleave").exists():
        parser.error(f"{given.bin} has no cleave; run: swift build -c release")
    if not os.environ.get("CLEAVE_TEST_DATA"):
        parser.error("CLEAVE_TEST_DATA is not set; it names the folder of networks and labelled pictures")
    if unknown := set(given.networks) - {name for name, *_ in NETWORKS}:
        parser.error(f"--networks: no {', '.join(sorted(unknown))}; there are {known}")
    return given


def main():
    given = arguments()
    measured: list[dict] = []

    def keep(one: dict):
        measured.append(one)
        if given.output:
            given.output.write_text(json.dumps(measured, indent=1))

    with tempfile.TemporaryDirectory(prefix="cleave-quantization-") as scratch:
        bench = Bench(given.bin.absolute(), Path(scratch), Path(os.environ["CLEAVE_TEST_DATA"]), Tally(), given)
        if given.networks or not given.also:
            table = Table(
                "network", "pictures", "float32", "cleave", "Δ and 95 % interval   ", "p", "ort's best      ", "nncf",
                "same: cleave", "ort", "nncf")
            for subject in subjects(bench, given):
                keep(measure(subject, bench, given))
                add_row(table, subject)
        if given.also:
            table = Table("network", "engine            ", "same", "correlation", first=20)
            for subject in others(bench, given):
                keep(measure(subject, bench, given))
                for engine in subject.outputs:
                    if engine != "float32":
                        table.add(
                            subject.network.name, engine, f"{subject.same(engine):.2f}",
                            f"{subject.correlation(engine):.5f}")


if __name__ == "__main__":
    main()
