#!/usr/bin/env python3
"""Counts how many of ONNX's node cases ONNX Runtime passes, beside those on Cleave's committed list.

    CLEAVE_TEST_DATA=… tools/peers/count_conformance.py

A case passes when every output has the expected type and shape and lies within 1e-3 + 1e-3 · |expected|, or within one
for integers below 16 bits that stand for reals. Cases that only one of the two passes are named.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy
import onnx
import onnxruntime
from onnx import numpy_helper

LIST = Path(__file__).resolve().parents[2] / "Tests/ConformanceTests/supported-node-cases.txt"


def tensors(folder: Path, kind: str) -> list[numpy.ndarray]:
    found = []
    for index in range(len(list(folder.glob(f"{kind}_*.pb")))):
        tensor = onnx.TensorProto()
        tensor.ParseFromString((folder / f"{kind}_{index}.pb").read_bytes())
        found.append(numpy_helper.to_array(tensor))
    return found


def is_close(got: numpy.ndarray, wanted: numpy.ndarray) -> bool:
    if got.dtype != wanted.dtype or got.shape != wanted.shape:
        return False
    if got.dtype in (numpy.int8, numpy.uint8, numpy.int16, numpy.uint16):
        return bool((numpy.abs(got.astype(int) - wanted.astype(int)) <= 1).all())
    if got.dtype.kind not in "fiu":
        return bool((got == wanted).all())
    return numpy.allclose(got.astype(float), wanted.astype(float), rtol=1e-3, atol=1e-3, equal_nan=True)


def passes(case: Path) -> bool:
    try:
        session = onnxruntime.InferenceSession(case / "model.onnx", providers=["CPUExecutionProvider"])
        for data in sorted(case.glob("test_data_set_*")):
            operands = dict(zip([value.name for value in session.get_inputs()], tensors(data, "input")))
            results = session.run(None, operands)
            expected = tensors(data, "output")
            if len(results) != len(expected) or not all(map(is_close, results, expected)):
                return False
        return True
    # The runtime and the reader have no exception in common for what they do not take.
    except Exception:
        return False


def main():
    data = os.environ.get("CLEAVE_TEST_DATA")
    if not data:
        sys.exit("count_conformance: CLEAVE_TEST_DATA is not set")
    onnxruntime.set_default_logger_severity(4)
    ours = {line for line in LIST.read_text().splitlines() if line and not line.startswith("#")}
    cases = sorted(Path(data, "conformance/node").iterdir())
    theirs = {case.name for case in cases if passes(case)}
    print(f"{len(cases)} node cases: Cleave {len(ours)}, ONNX Runtime {onnxruntime.__version__} {len(theirs)}")
    for name, only in (("Cleave", ours - theirs), ("ONNX Runtime", theirs - ours)):
        print(f"only {name}: {', '.join(sorted(only)) or 'none'}")


if __name__ == "__main__":
    main()
