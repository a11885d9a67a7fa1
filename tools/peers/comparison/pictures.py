"""Seeded pictures and the inputs that networks get from them: the same for cleave and for every peer."""

from __future__ import annotations

from pathlib import Path

import numpy
from PIL import Image

SIDE = 224
CALIBRATION = 48
TESTS = 4
# The preset `imagenet-224` of cleave; pictures have the network's size already, so nothing is resized.
PREPROCESSING = "imagenet-224"
MEAN = numpy.array([0.485, 0.456, 0.406])
DEVIATION = numpy.array([0.229, 0.224, 0.225])


def picture(seed: int) -> Image.Image:
    """Noise at five scales, tinted, with flat rectangles: smooth areas, texture and edges, as photographs have."""
    generator = numpy.random.default_rng(seed)
    canvas = numpy.zeros((SIDE, SIDE, 3))
    for cells in (2, 5, 14, 48, SIDE):
        noise = Image.fromarray(generator.integers(0, 256, (cells, cells, 3), dtype=numpy.uint8))
        weight = generator.uniform(0.1, 1) / numpy.sqrt(cells)
        canvas += weight * (numpy.asarray(noise.resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=float) - 127.5)
    canvas *= generator.uniform(30, 80) / canvas.std()
    canvas += generator.uniform(70, 190, 3)
    for _ in range(generator.integers(2, 7)):
        left, top = generator.integers(0, SIDE - 16, 2)
        width, height = generator.integers(8, SIDE // 2, 2)
        canvas[top: top + height, left: left + width] = generator.uniform(0, 255, 3)
    return Image.fromarray(numpy.clip(canvas, 0, 255).astype(numpy.uint8))


def tensor(image: Image.Image) -> numpy.ndarray:
    """What the networks take: float32 [1, 3, 224, 224], computed in double and rounded once."""
    values = (numpy.asarray(image, dtype=float) / 255 - MEAN) / DEVIATION
    return numpy.ascontiguousarray(values.transpose(2, 0, 1)[numpy.newaxis].astype(numpy.float32))


def write(folder: Path):
    """Writes calibration/*.png for cleave; calibration.npy and tests.npy, float32 [N, 3, 224, 224], for the rest."""
    (folder / "calibration").mkdir(parents=True, exist_ok=True)
    drawn = [picture(seed) for seed in range(CALIBRATION + TESTS)]
    for index, image in enumerate(drawn[:CALIBRATION]):
        image.save(folder / f"calibration/{index:03}.png")
    tensors = numpy.concatenate([tensor(image) for image in drawn])
    numpy.save(folder / "calibration.npy", tensors[:CALIBRATION])
    numpy.save(folder / "tests.npy", tensors[CALIBRATION:])
    # Without numpy's header, for programs in other languages.
    tensors[CALIBRATION:].tofile(folder / "tests.f32")
