"""What the checks against other people's software share: cleave's programs, networks and pictures to try, a tally."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy
import onnxruntime

import compare_preprocessing

ROOT = Path(__file__).resolve().parents[2]

# What `--preprocessing imagenet-224` stands for, written down a second time.
IMAGENET_224 = {
    "width": 224, "height": 224, "resize": "stretch", "interpolation": "bilinear", "channels": "rgb",
    "scale": 1 / 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
}


@dataclass(frozen=True)
class Picture:
    path: Path
    label: int


@dataclass(frozen=True)
class Network:
    """An ONNX file, how pictures become its input, and labelled pictures to try it on."""

    name: str
    onnx: Path
    preprocessing: str
    """What `cleave import --preprocessing` takes."""
    description: dict
    """The same, as `compare_preprocessing` takes it."""
    folder: Path

    def tensor(self, picture: Picture) -> numpy.ndarray:
        """The input for `picture` as Pillow and numpy make it, float32 [1, C, H, W]."""
        return compare_preprocessing.tensor(picture.path, self.description | {"layout": "nchw"})[numpy.newaxis]

    def peer(self) -> onnxruntime.InferenceSession:
        return onnxruntime.InferenceSession(self.onnx, providers=["CPUExecutionProvider"])


def digits() -> Network:
    """The shipped model and its held-out frames."""
    folder = ROOT / "Models/digits"
    preprocessing = folder / "preprocessing.json"
    return Network(
        "digits", folder / "digits.onnx", str(preprocessing), json.loads(preprocessing.read_text()), folder / "test")


def imagenet(data: Path) -> list[Network]:
    """The classifiers of the test data with ImageNet's usual preprocessing."""
    return [
        Network(
            name, data / f"models/imagenet/{name}_fp32.onnx", "imagenet-224", IMAGENET_224, data / "images/imagenet-val")
        for name in ("squeezenet1.1", "mobilenetv2")
    ]


def labelled(folder: Path) -> list[Picture]:
    """The pictures of `folder` that its labels.txt names, in cleave's order: by the bytes of their names."""
    lines = (folder / "labels.txt").read_text().splitlines()
    pairs = [line.rsplit(maxsplit=1) for line in lines if line.strip()]
    return [Picture(folder / name, int(label)) for name, label in sorted(pairs, key=lambda pair: os.fsencode(pair[0]))]


def linked(folder: Path, pictures: Iterable[Picture]) -> Path:
    """A new folder of links to `pictures`, with their labels."""
    folder.mkdir()
    with open(folder / "labels.txt", "w") as labels:
        for picture in pictures:
            (folder / picture.path.name).symlink_to(picture.path)
            labels.write(f"{picture.path.name} {picture.label}\n")
    return folder


def relative_errors(got: numpy.ndarray, expected: numpy.ndarray) -> numpy.ndarray:
    """By row: the largest difference over the largest magnitude expected."""
    return numpy.abs(got - expected).max(axis=1) / numpy.abs(expected).max(axis=1)


class ProgramFailure(Exception):
    """One of cleave's programs exited with another status than 0, or not at all."""


class Tally:
    """Counts checks, and says at once which of them fail."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, what: str, holds: bool, detail: object = "") -> bool:
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what}{f': {detail}' if detail != '' else ''}", flush=True)
        return bool(holds)

    def skip(self, what: str, why: str):
        self.skipped += 1
        print(f"skipped: {what}: {why}", flush=True)

    @contextmanager
    def programs_run(self, what: str) -> Iterator[None]:
        """A program that fails inside fails this check, and what is left of the block is not done."""
        try:
            yield
        except ProgramFailure as failure:
            self.check(what, False, failure)

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


class Table:
    """Prints rows as they come, under one line of headings; the first column is text, the others numbers."""

    def __init__(self, *headings: str, first: int = 16):
        self.widths = [first] + [max(len(heading), 7) for heading in headings[1:]]
        self.add(*headings)

    def add(self, first: str, *others: object):
        cells = [first.ljust(self.widths[0])]
        cells += [str(cell).rjust(width) for cell, width in zip(others, self.widths[1:], strict=True)]
        print("  ".join(cells), flush=True)


@dataclass
class Bench:
    """What a check works with: the programs, a folder of its own, the test data if there is any, and the tally."""

    programs: Path
    scratch: Path
    data: Path | None
    tally: Tally
    options: argparse.Namespace

    def cleave(self, *arguments: object) -> str:
        """Runs `cleave`; gives its standard output."""
        command = ["cleave", *map(str, arguments)]
        run = subprocess.run(
            command, executable=self.programs / "cleave", capture_output=True, text=True, timeout=600)
        if run.returncode != 0:
            raise ProgramFailure(f"`{' '.join(command)}` exited with {run.returncode}: {run.stderr.strip()}")
        return run.stdout

    def evaluate(self, package: Path, pictures: Path, *options: object) -> tuple[dict, numpy.ndarray]:
        """`cleave evaluate`: its report, and the first output for every picture, [pictures, elements]."""
        dump = self.scratch / "outputs.f32"
        text = self.cleave("evaluate", package, "--images", pictures, "--dump", dump, "--json", *options)
        report = json.loads(text)
        return report, numpy.fromfile(dump, dtype="<f4").reshape(report["pictures"], -1)

    def imported(self, network: Network) -> Path:
        """A package of `network`, in float32."""
        package = self.scratch / f"{network.name}.cleave"
        self.cleave(
            "import", network.onnx, "--preprocessing", network.preprocessing, "--name", network.name, "-o", package)
        return package

    def networks(self) -> list[Network]:
        """The shipped one, and those of the test data; without data they count as skipped."""
        if self.data:
            return [digits(), *imagenet(self.data)]
        for network in imagenet(Path()):
            self.tally.skip(network.name, "CLEAVE_TEST_DATA is not set")
        return [digits()]


def run_checks(
        description: str, check: Callable[[Bench], None],
        add_options: Callable[[argparse.ArgumentParser], None] = lambda parser: None):
    """The main program of a check: runs it, prints the tally last, and exits with 1 if anything failed.

    Options that `add_options` adds reach the check as `Bench.options`.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--bin", metavar="DIR", type=Path, default=ROOT / ".build/release",
        help="where the programs are; default: %(default)s")
    add_options(parser)
    options = parser.parse_args()
    programs = options.bin.absolute()
    if not (programs / "cleave").exists():
        parser.error(f"{programs} has no programs; run: swift build -c release")
    data = os.environ.get("CLEAVE_TEST_DATA")
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="cleave-peers-") as scratch:
        with tally.programs_run("programs run"):
            check(Bench(programs, Path(scratch), Path(data) if data else None, tally, options))
    print(tally)
    sys.exit(1 if tally.failed or not tally.passed else 0)
