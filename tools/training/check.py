"""Measures the committed network on its committed test frames; fails below 97 %.

    python check.py ../../Models/digits
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

REQUIRED_ACCURACY = 0.97


def normalise(frames: np.ndarray, preprocessing: dict) -> np.ndarray:
    """uint8 RGB [N, H, W, 3] to float32 [N, 3, H, W]: (pixel * scale - mean) / std."""
    scaled = frames.astype(np.float32) * np.float32(preprocessing["scale"])
    values = (scaled - np.float32(preprocessing["mean"])) / np.float32(preprocessing["std"])
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def read_frame(path: Path, preprocessing: dict) -> np.ndarray:
    with Image.open(path) as picture:
        if picture.size != (preprocessing["width"], preprocessing["height"]):
            raise ValueError(f"{path}: {picture.size}, expected the network's own size")
        return normalise(np.asarray(picture.convert("RGB"))[None], preprocessing)


def accuracy(model: Path, frames: Path) -> tuple[int, int]:
    """How many of the folder's frames the model names rightly, and how many there are."""
    preprocessing = json.loads((model / "preprocessing.json").read_text())
    session = onnxruntime.InferenceSession(str(model / "digits.onnx"), providers=["CPUExecutionProvider"])
    expected = [line.split() for line in (frames / "labels.txt").read_text().splitlines()]
    right = 0
    for name, digit in expected:
        (logits,) = session.run(["logits"], {"image": read_frame(frames / name, preprocessing)})
        right += int(logits.argmax() == int(digit))
    return right, len(expected)


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    model = Path(sys.argv[1])
    shares = {}
    for folder in ("calibration", "samples", "test"):
        right, count = accuracy(model, model / folder)
        shares[folder] = right / count
        print(f"{folder:11}  {right}/{count}  {right / count:.2%}")
    if shares["test"] < REQUIRED_ACCURACY:
        raise SystemExit(f"test accuracy is below {REQUIRED_ACCURACY:.0%}")


if __name__ == "__main__":
    main()
