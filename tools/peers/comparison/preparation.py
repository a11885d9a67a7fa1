"""Fills the cache: pictures, networks, and each engine's files, whatever is missing."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from comparison import pictures

HERE = Path(__file__).parent
# What the files in the cache depend on.
RECIPE = [HERE / name for name in ("pictures.py", "networks.py", "conversion.py")] + [
    HERE.parent / "requirements-speed.txt"]
PACKAGE = "model.cleave"


class PreparationFailure(Exception):
    """A program that prepares files failed."""


def run(*command: object, **options: object):
    """Raises PreparationFailure with the last line that the program said."""
    finished = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if finished.returncode != 0:
        said = finished.stderr.strip().splitlines() or [f"status {finished.returncode}"]
        raise PreparationFailure(said[-1])


class Cache:
    """A folder of pictures and, in folders of their own, networks. A change of the recipe starts a new one."""

    def __init__(self, parent: Path, programs: Path):
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in RECIPE)).hexdigest()
        self.folder = parent / digest[:12]
        self.programs = programs
        if not (self.folder / "tests.f32").exists():
            pictures.write(self.folder)

    def make(self, network: str, file: str):
        """Makes `file` of a network if it is missing; raises PreparationFailure."""
        folder = self.folder / network
        folder.mkdir(exist_ok=True)
        if file == PACKAGE:
            return self._package(folder)
        # A conversion cut short leaves files, but not this one.
        made = folder / f"{file}.made"
        if not made.exists():
            print(f"making {network}/{file}", file=sys.stderr, flush=True)
            environment = os.environ | {"PYTHONPATH": str(HERE.parent), "PYTHONWARNINGS": "ignore"}
            run(sys.executable, "-m", "comparison.conversion", network, file, folder, env=environment)
            made.touch()

    def _package(self, folder: Path):
        """Imports and quantises with the programs to be measured, again when they have been built since."""
        package, cleave = folder / PACKAGE, self.programs / "cleave"
        if package.exists() and package.stat().st_mtime > cleave.stat().st_mtime:
            return
        print(f"making {folder.name}/{PACKAGE}", file=sys.stderr, flush=True)
        draft = folder / f"draft-{PACKAGE}"
        run(
            cleave, "import", folder / "float32.onnx", "--name", folder.name, "--preprocessing", pictures.PREPROCESSING,
            "-o", draft)
        run(cleave, "quantize", draft, "--calibration", self.folder / "calibration", "--least-sqnr", 0)
        draft.rename(package)

    def multiply_adds(self, network: str) -> int:
        return json.loads((self.folder / network / "network.json").read_text())["multiplyAdds"]
