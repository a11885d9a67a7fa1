"""Composes camera-like frames from scanned handwritten digits.

Every frame is a pure function of its key (seed, purpose, scan, variant), so any frame can be made again
without making the ones before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from PIL import Image, ImageFilter
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SIDE = 96
SCAN_SIDE = 8
# Room around a scan, so that interpolation at its border sees blank paper instead of a clamped edge.
SCAN_MARGIN = 3
SEED = 20240229

_ROWS, _COLUMNS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / (SIDE - 1) - 0.5


class Purpose(IntEnum):
    """Keeps the random streams of differently used frames apart."""

    TRAINING = 1
    EVALUATION = 2
    CALIBRATION = 3
    SAMPLES = 4
    TEST = 5


@dataclass(frozen=True)
class Scans:
    """8x8 scans in 0...1 (1 is ink), their classes, and their numbers in scikit-learn's data set."""

    ink: np.ndarray
    classes: np.ndarray
    numbers: np.ndarray

    def __len__(self) -> int:
        return len(self.classes)

    def split(self, held_out: float) -> tuple[Scans, Scans]:
        """Splits by scan, stratified by class, into (kept, held out)."""
        rows = np.arange(len(self))
        kept, out = train_test_split(rows, test_size=held_out, random_state=SEED, stratify=self.classes)
        return self.rows(np.sort(kept)), self.rows(np.sort(out))

    def rows(self, rows: np.ndarray) -> Scans:
        return Scans(self.ink[rows], self.classes[rows], self.numbers[rows])

    def first_of_each_class(self, count: int) -> Scans:
        """The first `count` scans of every class, class by class."""
        return self.rows(np.concatenate([np.flatnonzero(self.classes == c)[:count] for c in range(10)]))


def load_scans() -> Scans:
    digits = load_digits()
    return Scans(digits.images.astype(np.float32) / 16, digits.target, np.arange(len(digits.target)))


def compose_all(scans: Scans, purpose: Purpose, variant: int = 0) -> np.ndarray:
    """One frame of every scan: uint8 [N, 96, 96, 3], RGB."""
    return np.stack(
        [
            compose(ink, np.random.default_rng((SEED, purpose, number, variant)))
            for ink, number in zip(scans.ink, scans.numbers)
        ]
    )


def compose(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture of the scan as a camera would give it: uint8 [96, 96, 3], RGB."""
    ink = _stroke(scan, rng)[..., None]
    paper_colour, ink_colour = _colours(rng)
    paper = paper_colour * (1 + _texture(rng))[..., None]
    if rng.random() < 0.25:
        ruling = _ruling(rng)[..., None]
        paper = paper + ruling * (ink_colour - paper_colour)
    scene = (paper + ink * (ink_colour - paper)) * _light(rng)[..., None]
    white_balance = rng.uniform(0.9, 1.1, 3)
    return _expose((scene * white_balance).astype(np.float32), rng)


def _stroke(scan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The scan's ink, scaled, turned and moved, with the edge of a pen's stroke."""
    side = rng.uniform(40, 84)
    aspect = rng.uniform(0.9, 1.1)
    angle = np.deg2rad(rng.uniform(-12, 12))
    shear = rng.uniform(-0.15, 0.15)
    slack = (SIDE - side) / 2
    centre = SIDE / 2 + rng.uniform(-slack, slack, 2)

    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    forward = turn @ np.array([[aspect, shear], [0, 1 / aspect]]) * (side / SCAN_SIDE)
    # Pillow wants the map from the frame's pixels back to the scan's.
    back = np.linalg.inv(forward)
    padded = np.pad(scan, SCAN_MARGIN)
    shift = np.full(2, padded.shape[0] / 2) - back @ centre
    coverage = Image.fromarray(padded).transform(
        (SIDE, SIDE),
        Image.Transform.AFFINE,
        (*back[0], shift[0], *back[1], shift[1]),
        resample=Image.Resampling.BICUBIC,
    )
    threshold, steepness = rng.uniform(0.25, 0.45), rng.uniform(6, 16)
    stroke = 1 / (1 + np.exp(-steepness * (np.asarray(coverage) - threshold)))
    blank = 1 / (1 + np.exp(steepness * threshold))
    return np.clip((stroke - blank) / (1 - blank), 0, 1) * rng.uniform(0.85, 1)


def _colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Colours of paper and ink in linear 0...1: mostly pen on paper, else chalk on a board."""
    bright = rng.uniform(0.6, 0.95) + rng.uniform(-0.06, 0.06, 3)
    dark = rng.uniform(0.05, 0.25) + rng.uniform(-0.05, 0.15, 3)
    return (bright, dark) if rng.random() < 0.7 else (dark, bright)


def _texture(rng: np.random.Generator) -> np.ndarray:
    """Smooth relative unevenness of the paper, around 0."""
    cells = int(rng.integers(4, 25))
    grain = rng.standard_normal((cells, cells)).astype(np.float32)
    smooth = Image.fromarray(grain).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(smooth) * rng.uniform(0.01, 0.07)


def _ruling(rng: np.random.Generator) -> np.ndarray:
    """Faint parallel lines, as on a page of a notebook: how much of the ink's colour they take."""
    angle = rng.uniform(-0.1, 0.1) + (np.pi / 2 if rng.random() < 0.5 else 0)
    across = (_ROWS * np.cos(angle) + _COLUMNS * np.sin(angle)) * SIDE
    pitch = rng.uniform(10, 24)
    distance = np.abs((across / pitch + rng.random()) % 1 - 0.5) * pitch
    return np.clip(1.2 - distance, 0, 1) * rng.uniform(0.05, 0.25)


def _light(rng: np.random.Generator) -> np.ndarray:
    """How much light falls on each pixel and reaches the sensor: slope, a soft shadow, vignette."""
    direction = rng.uniform(0, 2 * np.pi)
    along = _COLUMNS * np.cos(direction) + _ROWS * np.sin(direction)
    light = 1 + rng.uniform(0, 0.5) * along
    if rng.random() < 0.3:
        edge = (along - rng.uniform(-0.3, 0.3)) / rng.uniform(0.02, 0.15)
        light *= 1 - rng.uniform(0.15, 0.4) / (1 + np.exp(-edge))
    return light * (1 - rng.uniform(0, 0.6) * (_ROWS**2 + _COLUMNS**2))


def _expose(scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exposure, tone curve, the lens's blur and the sensor's noise; rounds to 8 bits."""
    toned = np.clip(scene * rng.uniform(0.65, 1.15), 0, 1) ** rng.uniform(0.75, 1.3)
    picture = Image.fromarray(np.rint(toned * 255).astype(np.uint8))
    blurred = np.asarray(picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.4))), np.float32) / 255
    # Shot noise grows with the square root of the light; read noise does not.
    spread = rng.uniform(0, 0.02) * np.sqrt(blurred) + rng.uniform(0.002, 0.012)
    noisy = blurred + spread * rng.standard_normal(blurred.shape, np.float32)
    return np.rint(np.clip(noisy, 0, 1) * 255).astype(np.uint8)
