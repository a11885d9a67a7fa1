#!/usr/bin/env python3
"""Holds cleave's preprocessing to Pillow's.

    compare_preprocessing.py compare PREPROCESSING.json DUMPS PICTURE...
        DUMPS holds, for every picture, its tensor as NAME.f32: little-endian float32 in the description's layout.
        Prints the pictures whose samples differ and the largest difference; exits 1 if any sample differs.

    compare_preprocessing.py pin [PICTURE...]
        Prints the checksums that PillowParityTests holds the Swift code to, 64-bit FNV-1a of samples: of resized
        pictures made by a formula, and of all PICTUREs at 224x224 from the centre of 256.

Needs numpy and Pillow before 13, which resizes columns first where that is cheaper and then differs by one level in
single samples.
"""

import json
import pathlib
import sys

import numpy
from PIL import Image, ImageOps

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def resized(image, description):
    """The picture at the network's size, as torchvision's Resize and CenterCrop make it."""
    width, height = description["width"], description["height"]
    interpolation = FILTERS[description["interpolation"]]
    if description["resize"] == "none":
        return image
    if description["resize"] == "stretch":
        return image.resize((width, height), interpolation)
    side, shorter = description["shortestSide"], min(image.size)
    image = image.resize(tuple(side if s == shorter else int(side * s / shorter) for s in image.size), interpolation)
    left = int(round((image.width - width) / 2.0))
    top = int(round((image.height - height) / 2.0))
    return image.crop((left, top, left + width, top + height))


def tensor(path, description):
    """The network's input, shape [C, H, W] or [H, W, C], computed in double and rounded once."""
    image = ImageOps.exif_transpose(Image.open(path))
    image = image.convert("L" if description["channels"] == "gray" else "RGB")
    pixels = numpy.asarray(resized(image, description), dtype=numpy.float64)
    pixels = pixels.reshape(description["height"], description["width"], -1)
    if description["channels"] == "bgr":
        pixels = pixels[:, :, ::-1]
    values = (pixels * description["scale"] - numpy.array(description["mean"])) / numpy.array(description["std"])
    if description["layout"] == "nchw":
        values = values.transpose(2, 0, 1)
    return values.astype(numpy.float32)


def compare(description_path, dumps, *pictures):
    description = json.loads(pathlib.Path(description_path).read_text())
    differing = 0
    for picture in pictures:
        expected = tensor(picture, description)
        dump = pathlib.Path(dumps) / (pathlib.Path(picture).name + ".f32")
        got = numpy.fromfile(dump, dtype="<f4").reshape(expected.shape)
        unequal = numpy.count_nonzero(got != expected)
        if unequal:
            differing += 1
            print(f"{picture}: {unequal} of {expected.size} differ, at most by {numpy.abs(got - expected).max()}")
    print(f"{len(pictures) - differing} of {len(pictures)} pictures equal")
    return 1 if differing or not pictures else 0


def synthetic(width, height):
    """A picture with edges, ramps and texture; the same formula stands in PillowParityTests."""
    y, x, c = numpy.indices((height, width, 3), dtype=numpy.uint32)
    mixed = (x * 2654435761 + y * 2246822519 + c * 3266489917) & 0xFFFFFFFF
    texture = mixed >> 24
    value = numpy.where((x // 7 + y // 5) % 3 == 0, (x * 3 + y * 2 + c * 40) % 256, texture)
    return Image.fromarray(value.astype(numpy.uint8))


def fnv1a(data):
    checksum = 0xCBF29CE484222325
    for byte in data:
        checksum = ((checksum ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return checksum


def pin(*pictures):
    # Shrinking, enlarging, both, one axis only, single lines, and a ratio that leaves sums beyond 0...255.
    sizes = [
        ((97, 61), (32, 32)), ((500, 375), (224, 224)), ((31, 17), (96, 64)), ((40, 90), (80, 30)),
        ((64, 48), (64, 20)), ((1, 1), (5, 3)), ((1, 50), (8, 8)), ((333, 1), (10, 4)), ((224, 224), (224, 224)),
    ]
    for (width, height), (new_width, new_height) in sizes:
        for name, interpolation in FILTERS.items():
            for mode in ("RGB", "L"):
                image = synthetic(width, height).convert(mode).resize((new_width, new_height), interpolation)
                channels = ".gray" if mode == "L" else ".rgb"
                print(
                    f"Pin({width}, {height}, {new_width}, {new_height}, .{name}, {channels}, "
                    f"0x{fnv1a(image.tobytes()):016x}),"
                )
    if pictures:
        description = {
            "width": 224, "height": 224, "resize": "shortestSide", "shortestSide": 256, "interpolation": "bilinear",
            "channels": "rgb", "scale": 1, "mean": [0, 0, 0], "std": [1, 1, 1], "layout": "nhwc",
        }
        samples = b"".join(tensor(p, description).astype(numpy.uint8).tobytes() for p in sorted(pictures))
        print(f"{len(pictures)} pictures: 0x{fnv1a(samples):016x}")
    return 0


COMMANDS = {"compare": compare, "pin": pin}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
