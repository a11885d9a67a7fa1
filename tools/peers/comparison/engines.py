"""The engines compared, the files each can run, and the processes they run in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy

PRECISIONS = ["float32", "int8"]
START_SECONDS = 300


class EngineFailure(Exception):
    """An engine's process ended, or said something else than it should."""


@dataclass(frozen=True)
class Variant:
    """One way in which an engine may run a network in some precision."""

    engine: str
    """The column in the tables."""
    worker: str
    """The engine's name in worker.py; empty for cleave."""
    file: str
    label: str = ""

    def __str__(self) -> str:
        return f"{self.engine} ({self.label})" if self.label else self.engine


# Of several variants of one engine the fastest counts.
VARIANTS: dict[str, list[Variant]] = {
    "float32": [
        Variant("ort", "ort", "float32.onnx"),
        Variant("openvino", "openvino", "float32.onnx"),
        Variant("openvino-default", "openvino-default", "float32.onnx"),
        Variant("litert", "litert", "litert-float32.tflite"),
        Variant("ncnn", "ncnn", "ncnn-float32.param"),
        Variant("cleave", "", "model.cleave"),
    ],
    "int8": [
        Variant("ort", "ort", "ort-int8-u8s8.onnx", "QDQ u8s8"),
        Variant("ort", "ort", "ort-int8-s8s8.onnx", "QDQ s8s8"),
        Variant("openvino", "openvino", "openvino-int8-nncf.xml", "NNCF, rest f32"),
        Variant("openvino", "openvino-default", "openvino-int8-nncf.xml", "NNCF, rest default"),
        Variant("openvino", "openvino", "ort-int8-u8s8.onnx", "QDQ u8s8, rest f32"),
        Variant("openvino", "openvino-default", "ort-int8-u8s8.onnx", "QDQ u8s8, rest default"),
        Variant("litert", "litert", "litert-int8.tflite"),
        Variant("cleave", "", "model.cleave"),
    ],
}
ENGINES = ["ort", "openvino", "openvino-default", "litert", "ncnn", "cleave"]
# Not held to the same precision, so that it is shown and never counts as the fastest.
UNCOUNTED = {"openvino-default"}
ABSENT = {("ncnn", "int8"): "ncnn's wheels hold no quantiser (ncnn2table, ncnn2int8), so it has no int8 row"}


@dataclass(frozen=True)
class Place:
    """Where things are: the cache of one network, the pictures, cleave's programs."""

    folder: Path
    programs: Path

    @property
    def tests(self) -> Path:
        return self.folder.parent / "tests"

    def command(self, variant: Variant, precision: str, threads: int, answers: Path, *options: str) -> list[str]:
        """`options`: more for cleave."""
        file = self.folder / variant.file
        if variant.worker:
            return self.worker(variant.worker, file, threads, answers)
        return [
            str(self.programs / "cleave"), "benchmark", str(file), "--precision", precision, "--threads", str(threads),
            "--input", f"{self.tests}.f32", "--output", str(answers), "--serve", *options,
        ]

    def worker(self, engine: str, file: Path, threads: int, answers: Path) -> list[str]:
        worker = Path(__file__).with_name("worker.py")
        return [sys.executable, str(worker), engine, str(file), str(threads), f"{self.tests}.npy", str(answers)]


@dataclass(frozen=True)
class Batch:
    """A few runs in succession."""

    nanoseconds: list[int]
    busy: int
    """Threads that worked."""
    waited: float
    """How long threads that could have run waited for a processor that ran something else, as a share of the time."""


@dataclass
class Lane:
    """One engine's process, pinned. Between runs it must not use the processor."""

    command: list[str]
    cpus: list[int]

    def __post_init__(self):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, self.cpus))
        try:
            self.ready = self._line()
        except EngineFailure:
            self.end()
            raise

    def _line(self) -> dict:
        line = self.process.stdout.readline()
        try:
            return json.loads(line)
        except ValueError:
            self.process.wait(START_SECONDS)
            self.errors.seek(0)
            said = (line + self.errors.read()).strip().splitlines() or [f"status {self.process.returncode}"]
            raise EngineFailure(said[-1]) from None

    def _schedule(self) -> dict[str, tuple[int, int]]:
        """Nanoseconds that each thread has run, and waited for a processor while it could have."""
        times = {}
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                ran, waited, _ = (task / "schedstat").read_text().split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # The thread has ended since.
            times[task.name] = int(ran), int(waited)
        return times

    def run(self, count: int) -> Batch:
        before, start = self._schedule(), time.perf_counter_ns()
        self.process.stdin.write(f"run {count}\n")
        self.process.stdin.flush()
        times = self._line()["nanoseconds"]
        wall = time.perf_counter_ns() - start
        spent = [(ran - before.get(thread, (0, 0))[0], waited - before.get(thread, (0, 0))[1])
                 for thread, (ran, waited) in self._schedule().items()]
        return Batch(times, sum(ran > wall / 20 for ran, _ in spent), sum(waited for _, waited in spent) / wall)

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()


@dataclass
class Agreement:
    """How an engine's logits for the test pictures compare with PyTorch's in float32."""

    correlation: float
    distinguishing: float
    """The correlation after each logit's mean over the pictures is taken away: of what tells pictures apart."""
    matched: int
    """Pictures whose answer resembles their own expected one more than any other's."""

    @classmethod
    def of(cls, got: numpy.ndarray, expected: numpy.ndarray) -> Agreement:
        parted, wanted = got - got.mean(axis=0), expected - expected.mean(axis=0)
        count = len(got)
        similar = numpy.corrcoef(parted, wanted)[:count, count:]
        return cls(
            float(numpy.corrcoef(got.ravel(), expected.ravel())[0, 1]),
            float(numpy.corrcoef(parted.ravel(), wanted.ravel())[0, 1]),
            int((similar.argmax(axis=1) == numpy.arange(count)).sum()))

    def is_good(self, precision: str, pictures: int) -> bool:
        """In float32 nothing but rounding may differ; in int8 the pictures must still be told apart."""
        if precision == "float32":
            return min(self.correlation, self.distinguishing) > 0.999
        return self.correlation > 0.9 and self.matched == pictures
