"""The networks by name, and their ONNX files."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy
import torch

# Also makes torchvision importable beside a CPU build of torch.
from comparison import networks as _  # noqa: F401
from torchvision import models
from torchvision.models.detection import backbone_utils, ssd

from zoo import modules

SEED = 20_000
SIDE = 224
# Where the deepest maps would be too small.
SIDES = {"ssd300_vgg16": 300}
EXPORTERS = {
    # The operator set most files in the wild have; functions younger than it are written out.
    "old": {"dynamo": False, "opset_version": 17},
    "dynamo": {"dynamo": True, "external_data": False, "verbose": False},
}

CLASSIFIERS = [
    "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "densenet121", "googlenet", "inception_v3",
    "mnasnet0_5", "mnasnet1_0", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0", "squeezenet1_0", "squeezenet1_1", "vgg11", "vgg16_bn", "alexnet", "efficientnet_b0",
    "efficientnet_b1", "efficientnet_b2", "efficientnet_b3", "efficientnet_b4", "efficientnet_v2_s", "regnet_x_400mf",
    "regnet_y_400mf", "convnext_tiny",
]
SEGMENTERS = [
    "fcn_resnet50", "deeplabv3_resnet50", "deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large",
]
OTHERS: dict[str, Callable[[], torch.nn.Module]] = {
    "resnet18_fpn": lambda: modules.AllMaps(
        backbone_utils.resnet_fpn_backbone(backbone_name="resnet18", weights=None, trainable_layers=5)),
    "mobilenet_v3_fpn": lambda: modules.AllMaps(
        backbone_utils.mobilenet_backbone("mobilenet_v3_large", weights=None, fpn=True, trainable_layers=6)),
    "ssd300_vgg16": lambda: modules.AllMaps(ssd.ssd300_vgg16(weights=None, weights_backbone=None).backbone),
    "tiny_yolo": modules.TinyYolo,
    "decoder": modules.Decoder,
    "channels_last": modules.ChannelsLast,
}
NAMES = [*CLASSIFIERS, *SEGMENTERS, *OTHERS]


def samples(name: str, count: int) -> numpy.ndarray:
    """Pictures of a kind: smooth noise of several scales, standardised, float32 [count, 3, side, side]."""
    full = SIDES.get(name, SIDE)
    generator = torch.Generator().manual_seed(SEED)
    total = torch.zeros(count, 3, full, full)
    for side in (4, 16, 64, full):
        noise = torch.randn(count, 3, side, side, generator=generator)
        total += torch.nn.functional.interpolate(noise, full, mode="bilinear")
    return (total / total.std((1, 2, 3), keepdim=True)).numpy()


def built(name: str) -> torch.nn.Module:
    """With random weights, nothing downloaded."""
    if name in OTHERS:
        return OTHERS[name]()
    if name in SEGMENTERS:
        return modules.FirstMap(models.get_model(name, weights=None, weights_backbone=None))
    options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    return models.get_model(name, weights=None, **options)


def network(name: str) -> torch.nn.Module:
    """In evaluation mode, with batch norms whose statistics fit their inputs and whose parameters are not 1 and 0."""
    torch.manual_seed(SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = built(name).eval()
    # torchvision starts convnext's residual branches at 1e-6, where their errors could not be seen.
    for parameter_name, parameter in module.named_parameters():
        if parameter_name.endswith("layer_scale"):
            torch.nn.init.uniform_(parameter, 0.2, 0.5)
    norms = [part for part in module.modules() if isinstance(part, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = None  # the mean over all batches
        norm.train()
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        torch.nn.init.uniform_(norm.bias, -0.3, 0.3)
    # Trained networks add little in each residual block; otherwise rounding errors grow beyond what is compared.
    for block in module.modules():
        if isinstance(block, models.resnet.Bottleneck):
            torch.nn.init.uniform_(block.bn3.weight, 0.1, 0.4)
    with torch.no_grad():
        module(torch.from_numpy(samples(name, 8)))
    return module.eval()


def export(name: str, exporter: str, path: Path):
    """Writes the network to `path`, whole or not at all."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    partial = path.with_suffix(".partial")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network(name), (torch.from_numpy(samples(name, 1)),), partial, input_names=["input"], output_names=["output"],
            **EXPORTERS[exporter])
    os.replace(partial, path)
