#!/usr/bin/env python3
"""Checks exported ONNX models with peers: onnx.checker, and ONNX Runtime's results.

  compare_export.py MODEL...                              each model is valid and runs
  compare_export.py --whole W --head H --tail T           running H, then T on what H gives, equals running W
  compare_export.py --whole W --expected FILE.npz         W gives the arrays of FILE, which holds inputs and outputs by name

Operands that are not given are drawn from --seed. The comparison allows |a - b| <= atol + rtol * |b|; a quantised
boundary loses precision by design, so give --atol what its scale warrants.

Needs: pip install onnx onnxruntime numpy
"""

import argparse
import sys

import numpy
import onnx
import onnxruntime

ELEMENT_TYPES = {
    "tensor(float)": numpy.float32,
    "tensor(double)": numpy.float64,
    "tensor(float16)": numpy.float16,
    "tensor(uint8)": numpy.uint8,
    "tensor(int8)": numpy.int8,
    "tensor(int32)": numpy.int32,
    "tensor(int64)": numpy.int64,
    "tensor(bool)": numpy.bool_,
}


def load(path):
    """A session on the model at `path`, which must pass onnx.checker with shape inference."""
    onnx.checker.check_model(path, full_check=True)
    options = onnxruntime.SessionOptions()
    # The graph as written, not as the runtime would rewrite it.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def draw(session, generator):
    """Random operands for every input of `session`; symbolic extents become 1."""
    operands = {}
    for value in session.get_inputs():
        shape = [extent if isinstance(extent, int) else 1 for extent in value.shape]
        element_type = ELEMENT_TYPES[value.type]
        if numpy.issubdtype(element_type, numpy.floating):
            operands[value.name] = generator.standard_normal(shape).astype(element_type)
        else:
            operands[value.name] = generator.integers(0, 2 if element_type == numpy.bool_ else 128, shape).astype(element_type)
    return operands


def run(session, available):
    """The results of `session` by name, on those of `available` that it takes."""
    missing = [value.name for value in session.get_inputs() if value.name not in available]
    if missing:
        sys.exit(f"no operand for {', '.join(missing)}; there are {', '.join(available)}")
    operands = {value.name: available[value.name] for value in session.get_inputs()}
    return dict(zip([value.name for value in session.get_outputs()], session.run(None, operands)))


def compare(results, expected, rtol, atol):
    """Prints one line a tensor; true when all are close."""
    is_close = True
    for name, wanted in expected.items():
        if name not in results:
            print(f"{name}: missing")
            is_close = False
            continue
        result = results[name]
        if result.shape != wanted.shape or result.dtype != wanted.dtype:
            print(f"{name}: {result.dtype}{list(result.shape)}, expected {wanted.dtype}{list(wanted.shape)}")
            is_close = False
            continue
        wide, wanted_wide = result.astype(numpy.float64), wanted.astype(numpy.float64)
        difference = float(numpy.abs(wide - wanted_wide).max(initial=0))
        same = numpy.allclose(wide, wanted_wide, rtol=rtol, atol=atol, equal_nan=True)
        print(f"{name}: {'equal' if same else 'DIFFERENT'}, largest difference {difference:.3g}")
        is_close = is_close and same
    return is_close


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="models to check and run")
    parser.add_argument("--whole", help="the unsplit model")
    parser.add_argument("--head", help="its part on the edge")
    parser.add_argument("--tail", help="its part in the cloud")
    parser.add_argument("--expected", help="npz file: inputs and outputs of the whole model by name")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rtol", type=float, default=1e-4)
    parser.add_argument("--atol", type=float, default=1e-5)
    arguments = parser.parse_args()
    if bool(arguments.head) != bool(arguments.tail):
        parser.error("--head and --tail come together")
    if (arguments.head or arguments.expected) and not arguments.whole:
        parser.error("--head, --tail and --expected need --whole")
    if arguments.whole and not (arguments.head or arguments.expected):
        parser.error("--whole needs --head and --tail, or --expected, to compare with")
    if not (arguments.models or arguments.whole):
        parser.error("nothing to check")

    generator = numpy.random.default_rng(arguments.seed)
    passes = True
    for path in arguments.models:
        session = load(path)
        results = run(session, draw(session, generator))
        print(f"{path}: valid, gives {', '.join(f'{name} {list(value.shape)}' for name, value in results.items())}")
    if arguments.whole:
        whole = load(arguments.whole)
        given = dict(numpy.load(arguments.expected)) if arguments.expected else {}
        operands = draw(whole, generator) | given
        results = run(whole, operands)
        if arguments.expected:
            names = [name for name in results if name in given]
            if not names:
                sys.exit(f"{arguments.expected} holds none of the outputs {', '.join(results)}")
            passes &= compare(results, {name: given[name] for name in names}, arguments.rtol, arguments.atol)
        if arguments.head:
            boundary = run(load(arguments.head), operands)
            # A tail may need a graph input too, and a head may give outputs of the whole.
            completed = run(load(arguments.tail), operands | boundary)
            passes &= compare(boundary | completed, results, arguments.rtol, arguments.atol)
    if not passes:
        sys.exit(1)


if __name__ == "__main__":
    main()
