"""torchvision's networks with seeded weights, as ONNX files."""

from __future__ import annotations

import importlib.metadata
import warnings
from pathlib import Path

import numpy
import onnx
import torch

if "+" in torch.__version__ and "+" not in importlib.metadata.version("torchvision"):
    # PyPI's torchvision beside a CPU build of torch: its own operators do not load, and it refuses to be imported
    # without these two. No classifier calls any of them.
    for operator in ("nms", "qnms"):
        torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision  # noqa: E402

MAIN = [
    "resnet18", "resnet50", "mobilenet_v2", "squeezenet1_1", "vgg16", "efficientnet_b0", "mobilenet_v3_large",
]
MORE = ["densenet121", "googlenet", "shufflenet_v2_x1_0", "mnasnet1_0", "regnet_y_400mf", "resnext50_32x4d"]
SEED = 20_000
OPSET = 17


def network(name: str, inputs: numpy.ndarray) -> torch.nn.Module:
    """The network with random weights, its batch norms' statistics taken from `inputs`, in evaluation mode.

    Times do not depend on the weights; without statistics that fit them, activations would leave every useful range.
    """
    torch.manual_seed(SEED)
    options = {"init_weights": True, "aux_logits": False} if name == "googlenet" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torchvision.models.get_model(name, weights=None, **options)
    module.eval()
    norms = [part for part in module.modules() if isinstance(part, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = None  # the mean over all batches
        norm.train()
    with torch.no_grad():
        for batch in torch.from_numpy(inputs).split(16):
            module(batch)
    return module.eval()


def export(module: torch.nn.Module, sample: numpy.ndarray, path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (torch.from_numpy(sample),), path, opset_version=OPSET, input_names=["input"],
            output_names=["logits"], dynamo=False)


def answers(module: torch.nn.Module, inputs: numpy.ndarray) -> numpy.ndarray:
    """The logits by PyTorch, which is not among the engines compared."""
    with torch.no_grad():
        return numpy.concatenate([module(torch.from_numpy(one[numpy.newaxis])).numpy() for one in inputs])


def multiply_adds(path: Path) -> int:
    """Multiply-adds of all convolutions and matrix products for one picture."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    shapes = {value.name: [extent.dim_value for extent in value.type.tensor_type.shape.dim]
              for value in [*graph.value_info, *graph.input, *graph.output]}
    shapes |= {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    total = 0
    for node in graph.node:
        if node.op_type == "Conv":
            # [outputs, inputs of a group, height, width]: each output element sums over all but the first extent.
            total += int(numpy.prod(shapes[node.output[0]]) * numpy.prod(shapes[node.input[1]][1:]))
        elif node.op_type in ("Gemm", "MatMul"):
            weights = shapes[node.input[1]]
            transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
            total += int(numpy.prod(shapes[node.output[0]]) * weights[-1 if transposed else -2])
    return total
