"""Trains the digits network, measures it on held-out scans and writes the model's folder.

    python train.py ../../Models/digits     trains, exports, writes the frames
    python train.py --validate              trains on part of the training scans and measures on the rest

The held-out scans take no part in any choice: the recipe was tuned with --validate, and the weights are those
after the last step.
"""

from __future__ import annotations

import argparse
import copy
import json
import shutil
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image
from torch import nn

from check import REQUIRED_ACCURACY, normalise
from frames import SEED, SIDE, Purpose, Scans, compose_all, load_scans
from network import DigitNet

PASSES = 60
BATCH = 64
PEAK_RATE = 6e-3
WEIGHT_DECAY = 0.05
LABEL_SMOOTHING = 0.05
AVERAGING = 0.99

EVALUATION_VARIANTS = 4
SAMPLES_PER_CLASS = 2
TEST_PER_CLASS = 20
CALIBRATION_PER_CLASS = 4

LABELS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PREPROCESSING = {
    "width": SIDE,
    "height": SIDE,
    "resize": "shortestSide",
    "interpolation": "bilinear",
    "shortestSide": SIDE,
    "channels": "rgb",
    "layout": "nchw",
    "scale": 1 / 255,
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
}


def tensor(frames: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(normalise(frames, PREPROCESSING)).contiguous(memory_format=torch.channels_last)


def train(scans: Scans, passes: int) -> nn.Module:
    """Trains on fresh frames of every scan in every pass; gives the running average of the weights."""
    torch.manual_seed(SEED)
    network = DigitNet().to(memory_format=torch.channels_last)
    average = copy.deepcopy(network).requires_grad_(False)
    order = np.random.default_rng(SEED)
    optimiser = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=WEIGHT_DECAY)
    steps = passes * (len(scans) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps, pct_start=0.2)
    loss_of = nn.CrossEntropyLoss(label_smoothing=LABEL_SMOOTHING)

    for number in range(passes):
        frames = compose_all(scans, Purpose.TRAINING, variant=number)
        shuffled = order.permutation(len(scans))
        total = 0.0
        for batch in shuffled[: len(scans) // BATCH * BATCH].reshape(-1, BATCH):
            loss = loss_of(network(tensor(frames[batch])), torch.from_numpy(scans.classes[batch]))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            update_average(average, network)
            total += loss.item()
        print(f"pass {number + 1:3}/{passes}  loss {total / (len(scans) // BATCH):.4f}", flush=True)
    return average.eval()


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module):
    """Exponential moving average of weights and of the normalisation's statistics."""
    for kept, new in zip(average.state_dict().values(), network.state_dict().values()):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - AVERAGING)
        else:
            kept.copy_(new)


@torch.no_grad()
def accuracy(network: nn.Module, scans: Scans) -> float:
    """Accuracy over EVALUATION_VARIANTS frames of every scan."""
    right = 0
    for variant in range(EVALUATION_VARIANTS):
        frames = compose_all(scans, Purpose.EVALUATION, variant)
        for rows in np.array_split(np.arange(len(scans)), max(1, len(scans) // BATCH)):
            found = network(tensor(frames[rows])).argmax(dim=1).numpy()
            right += int((found == scans.classes[rows]).sum())
    return right / (len(scans) * EVALUATION_VARIANTS)


def export(network: nn.Module, path: Path, frames: np.ndarray):
    """Writes the network as ONNX and holds ONNX Runtime's answers to PyTorch's."""
    network = network.to(memory_format=torch.contiguous_format)
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, SIDE, SIDE),),
        str(path),
        opset_version=17,
        input_names=["image"],
        output_names=["logits"],
        dynamo=False,
    )
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for frame in frames:
        image = normalise(frame[None], PREPROCESSING)
        with torch.no_grad():
            expected = network(torch.from_numpy(image)).numpy()
        (found,) = session.run(["logits"], {"image": image})
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def write_frames(folder: Path, scans: Scans, purpose: Purpose):
    """Writes one JPEG of every scan, named class-scan, and their classes.

    Both ways of storing colour occur, since a decoder has a path for each.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines = []
    for index, frame in enumerate(compose_all(scans, purpose)):
        name = f"{scans.classes[index]}-{scans.numbers[index]:04}.jpg"
        subsampling = "4:4:4" if index % 2 else "4:2:0"
        Image.fromarray(frame).save(folder / name, quality=90, subsampling=subsampling, optimize=True)
        lines.append(f"{name} {scans.classes[index]}\n")
    (folder / "labels.txt").write_text("".join(lines))


def write_model(network: nn.Module, folder: Path, training: Scans, held_out: Scans):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS))
    (folder / "preprocessing.json").write_text(json.dumps(PREPROCESSING, indent=2) + "\n")
    write_frames(folder / "calibration", training.first_of_each_class(CALIBRATION_PER_CLASS), Purpose.CALIBRATION)
    write_frames(folder / "samples", held_out.first_of_each_class(SAMPLES_PER_CLASS), Purpose.SAMPLES)
    write_frames(folder / "test", held_out.first_of_each_class(TEST_PER_CLASS), Purpose.TEST)
    export(network, folder / "digits.onnx", compose_all(held_out.first_of_each_class(5), Purpose.EVALUATION))


def main():
    parser = argparse.ArgumentParser(description="Trains the digits network.")
    parser.add_argument("folder", type=Path, nargs="?", help="where the model goes")
    parser.add_argument("--validate", action="store_true", help="measure on part of the training scans; write nothing")
    parser.add_argument("--passes", type=int, default=PASSES)
    parser.add_argument("--threads", type=int, default=1, help="sums depend on it: keep 1 to get the same weights")
    arguments = parser.parse_args()
    if arguments.validate == (arguments.folder is not None):
        parser.error("give either a folder or --validate")

    torch.set_num_threads(arguments.threads)
    torch.use_deterministic_algorithms(True)
    training, held_out = load_scans().split(held_out=0.2)
    if arguments.validate:
        training, held_out = training.split(held_out=0.2)

    start = time.monotonic()
    network = train(training, arguments.passes)
    print(f"trained on {len(training)} scans in {time.monotonic() - start:.0f} s")
    reached = accuracy(network, held_out)
    print(f"accuracy {reached:.2%} on {EVALUATION_VARIANTS * len(held_out)} frames of {len(held_out)} held-out scans")
    if arguments.validate:
        return
    if reached < REQUIRED_ACCURACY:
        raise SystemExit(f"below {REQUIRED_ACCURACY:.0%}: nothing written")
    write_model(network, arguments.folder, training, held_out)


if __name__ == "__main__":
    main()
