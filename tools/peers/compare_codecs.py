#!/usr/bin/env python3
"""Compares ways of sending a boundary tensor: cleave's codec, zlib, zstd, LZ4, tiled JPEG, and a JPEG of the input.

The int8 codes of a boundary and the answers that follow from them come from an ONNX head and tail of the same cut (`cleave
split`) under ONNX Runtime; cleave's own rows come from `cleave codec bench --output`. Lossy peers are compared at matched
accuracy: a row says how many bits an element it takes and how many pictures keep the answer of the split without loss.

- zlib, zstd, LZ4: lossless, on the codes channels last, as they lie in memory, and channel-planar.
- with a preset dictionary, trained for the cut on other pictures (--dictionary-images): zlib's deflateSetDictionary, the dictionary
  being what zstd's trainer chooses, and zstd itself.
- JPEG-tiled: channels side by side in one grey picture, as Choi and Bajić (2018) send features, by quality.
- JPEG input: the picture itself at lower qualities, completed by the whole network: what sending no features costs.

Needs requirements.txt and requirements-codecs.txt. Example:

    cleave split squeezenet.cleave --cut concat16 --quantized-boundary -o parts/
    tools/peers/compare_codecs.py parts/head.onnx parts/tail.onnx --network squeezenet.onnx --images val/ \\
        --dictionary-images cal/ --bench bench/
"""

from __future__ import annotations

import argparse
import io
import json
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import numpy
import onnxruntime
import zstandard
from PIL import Image

MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32)
STD = numpy.array([0.229, 0.224, 0.225], numpy.float32)


def network_input(picture: Image.Image, side: int) -> numpy.ndarray:
    """ImageNet preprocessing of a picture that is stored at the network's size, or is stretched to it."""
    if picture.size != (side, side):
        picture = picture.resize((side, side), Image.Resampling.BILINEAR)
    values = (numpy.asarray(picture, numpy.float32) / 255 - MEAN) / STD
    return values.transpose(2, 0, 1)[None]


class Stage:
    """An ONNX file with one input."""

    def __init__(self, path: Path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.name = self.session.get_inputs()[0].name

    def __call__(self, value: numpy.ndarray) -> numpy.ndarray:
        return self.session.run(None, {self.name: value})[0]


def tiled_jpeg(codes: numpy.ndarray, quality: int) -> tuple[int, numpy.ndarray]:
    """Channels as tiles of one grey JPEG, as square as they come: its size, and the codes it gives back."""
    channels, height, width = codes.shape
    columns = int(numpy.ceil(numpy.sqrt(channels * height / width)))
    rows = -(-channels // columns)
    tiles = numpy.zeros((rows * columns, height, width), numpy.uint8)
    tiles[:channels] = codes
    mosaic = tiles.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)
    stream = io.BytesIO()
    Image.fromarray(mosaic).save(stream, "JPEG", quality=quality, optimize=True)
    decoded = numpy.asarray(Image.open(io.BytesIO(stream.getvalue())))
    decoded = decoded.reshape(rows, height, columns, width).swapaxes(1, 2).reshape(-1, height, width)
    return len(stream.getvalue()), decoded[:channels]


Coders = dict[str, Callable[[bytes], bytes]]
DICTIONARY_BYTES = 32 << 10


def orders(codes: numpy.ndarray) -> dict[str, bytes]:
    """The bytes of a boundary, both ways."""
    return {"channels last": numpy.ascontiguousarray(codes.transpose(0, 2, 3, 1)).tobytes(), "planar": codes.tobytes()}


def dictionary_coders(samples: list[bytes]) -> Coders:
    """Coders with a dictionary of a window's size, made of other boundaries of the same cut."""
    # The trainer wants many samples: pieces of a few kilobytes, as LZ77 finds them.
    pieces = [sample[start : start + 4096] for sample in samples for start in range(0, len(sample), 4096)]
    dictionary = zstandard.train_dictionary(DICTIONARY_BYTES, pieces)
    content = dictionary.as_bytes()[-DICTIONARY_BYTES:]

    def deflate(data: bytes) -> bytes:
        compressor = zlib.compressobj(9, zdict=content)
        return compressor.compress(data) + compressor.flush()

    return {
        "zlib 9 + dictionary": deflate,
        "zstd 19 + dictionary": zstandard.ZstdCompressor(level=19, dict_data=dictionary).compress,
    }


def lossless_coders() -> Coders:
    coders: Coders = {
        f"zlib {level}": lambda data, level=level: zlib.compress(data, level) for level in (1, 6, 9)
    }
    for level in (1, 3, 19):
        coders[f"zstd {level}"] = zstandard.ZstdCompressor(level=level).compress
    coders["LZ4"] = lz4.frame.compress
    return coders


class Row:
    def __init__(self, name: str):
        self.name, self.bytes, self.seconds, self.same, self.pictures = name, 0, 0.0, 0, 0

    def add(self, size: int, seconds: float, same: bool) -> None:
        self.bytes += size
        self.seconds += seconds
        self.same += same
        self.pictures += 1

    def show(self, elements: int) -> str:
        bits = 8 * self.bytes / self.pictures / elements
        rate = self.pictures * elements / self.seconds / 1e6 if self.seconds else 0
        return (
            f"{self.name:<34}{self.bytes / self.pictures:>10.0f}{bits:>13.3f}{rate:>13.0f}"
            f"{100 * self.same / self.pictures:>14.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("head", type=Path, help="ONNX head with one uint8 boundary, NCHW")
    parser.add_argument("tail", type=Path, help="ONNX tail that takes it")
    parser.add_argument("--network", type=Path, required=True, help="the whole network, for JPEG inputs")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--dictionary-images", type=Path, help="other pictures, to train dictionaries on")
    parser.add_argument("--bench", type=Path, help="folder of `cleave codec bench --output`")
    parser.add_argument("--boundary", help="the bench's boundary to show; all unless given")
    parser.add_argument("--limit", type=int, default=100)
    arguments = parser.parse_args()

    head, tail, network = Stage(arguments.head), Stage(arguments.tail), Stage(arguments.network)
    side = head.session.get_inputs()[0].shape[-1]
    def pictures(folder: Path) -> list[Path]:
        files = sorted(p for p in folder.iterdir() if p.suffix.lower() in {".jpeg", ".jpg", ".png"})
        return files[: arguments.limit]

    def boundary(picture: Image.Image) -> numpy.ndarray:
        codes = head(network_input(picture, side))
        if codes.dtype != numpy.uint8 or codes.ndim != 4:
            parser.error(f"{arguments.head}: the boundary is {codes.dtype} of rank {codes.ndim}, not uint8 NCHW")
        return codes

    coders = {order: lossless_coders() for order in ("channels last", "planar")}
    if arguments.dictionary_images:
        others = [orders(boundary(Image.open(path).convert("RGB"))) for path in pictures(arguments.dictionary_images)]
        for order in coders:
            coders[order] |= dictionary_coders([sample[order] for sample in others])
    rows: dict[str, Row] = {}
    elements = 0

    def row(name: str) -> Row:
        return rows.setdefault(name, Row(name))

    for path in pictures(arguments.images):
        picture = Image.open(path).convert("RGB")
        codes = boundary(picture)
        elements = codes.size
        answer = int(tail(codes).argmax())
        for order, data in orders(codes).items():
            for name, compress in coders[order].items():
                start = time.perf_counter()
                size = len(compress(data))
                row(f"{name}, {order}").add(size, time.perf_counter() - start, True)
        for quality in (10, 20, 30, 50, 70, 90):
            start = time.perf_counter()
            size, decoded = tiled_jpeg(codes[0], quality)
            seconds = time.perf_counter() - start
            row(f"JPEG-tiled, quality {quality}").add(size, seconds, int(tail(decoded[None]).argmax()) == answer)
        whole = int(network(network_input(picture, side)).argmax())
        for quality in (10, 20, 30, 50, 70, 90):
            stream = io.BytesIO()
            start = time.perf_counter()
            picture.save(stream, "JPEG", quality=quality)
            seconds = time.perf_counter() - start
            again = Image.open(io.BytesIO(stream.getvalue())).convert("RGB")
            same = int(network(network_input(again, side)).argmax()) == whole
            row(f"JPEG input, quality {quality}").add(len(stream.getvalue()), seconds, same)

    print(f"{'coding':<34}{'bytes':>10}{'bit/element':>13}{'encode MB/s':>13}{'same answer %':>14}")
    for entry in rows.values():
        print(entry.show(elements))
    if arguments.bench:
        for record in json.loads((arguments.bench / "codec-bench.json").read_text()):
            if arguments.boundary in (None, record["boundary"]):
                print(
                    f"{'cleave ' + record['coding']:<34}{record['encodedBytes']:>10}{record['bitsPerElement']:>13.3f}"
                    f"{record['encodeMegabytesPerSecond']:>13.0f}{100 * record['top1Agreement']:>14.1f}"
                )


if __name__ == "__main__":
    main()
