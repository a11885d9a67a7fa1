"""Small networks for what torchvision's classifiers lack: upsampling, other normalisations, channels-last graphs."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


def unit(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, **options) -> nn.Sequential:
    """Convolution, batch norm and leaky ReLU, as darknet has them."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False, **options), nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1))


class TinyYolo(nn.Module):
    """YOLOv3-tiny, narrower: a pool of stride 1, an upsampled route, a passed-through one, two heads.

    See Redmon and Farhadi, "YOLOv3: An Incremental Improvement", 2018.
    """

    def __init__(self):
        super().__init__()
        widths = [3, 8, 16, 32, 64]
        self.trunk = nn.ModuleList(unit(a, b) for a, b in zip(widths, widths[1:]))
        self.deep = unit(64, 128)
        self.deepest = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.MaxPool2d(2, 1), unit(128, 256), unit(256, 64, 1))
        self.coarse = nn.Sequential(unit(64, 128), nn.Conv2d(128, 75, 1))
        self.route = unit(64, 32, 1)
        self.fine = nn.Sequential(unit(32 + 64 + 128, 64), nn.Conv2d(64, 75, 1))

    @staticmethod
    def boxes(head: torch.Tensor) -> torch.Tensor:
        """Sigmoid of centres and scores, exponential of sizes, as decoders compute them."""
        batch, _, height, width = head.shape
        head = head.view(batch, 3, 25, height, width).permute(0, 1, 3, 4, 2)
        centres, sizes, scores = head[..., :2].sigmoid(), head[..., 2:4].exp(), head[..., 4:].sigmoid()
        return torch.cat([centres, sizes, scores], -1).reshape(batch, -1, 25)

    def forward(self, x):
        for layer in self.trunk:
            x = functional.max_pool2d(layer(x), 2)
        middle = x
        x = self.deepest(functional.max_pool2d(self.deep(x), 2))
        upsampled = functional.interpolate(self.route(x), scale_factor=2, mode="nearest")
        # YOLOv2's passthrough: pixels become channels, then return.
        slices = [middle[..., row::2, column::2] for row in (0, 1) for column in (0, 1)]
        passed = functional.interpolate(torch.cat(slices, 1)[:, :128], scale_factor=2.0, mode="nearest")
        fine = self.fine(torch.cat([upsampled, middle, passed], 1))
        return torch.cat([self.boxes(self.coarse(x)), self.boxes(fine)], 1)


class Decoder(nn.Module):
    """A segmenter that grows its pixels in every usual way, with the rarer normalisations and activations."""

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(3, 16, 5, 2, 2, padding_mode="reflect"), nn.InstanceNorm2d(16, affine=True), nn.PReLU(16),
            nn.Conv2d(16, 32, 3, 2, 1), nn.GroupNorm(4, 32), nn.SELU(), nn.Conv2d(32, 64, 3, 2, 1), nn.Mish(),
            nn.Conv2d(64, 64, 3, 2, 1), nn.InstanceNorm2d(64), nn.CELU(0.7))
        self.up = nn.Sequential(
            nn.ConvTranspose2d(64, 48, 3, 2, 1, output_padding=1), nn.GELU(),
            nn.ConvTranspose2d(48, 32, 4, 2, 1, groups=4, bias=False), nn.BatchNorm2d(32), nn.GELU(approximate="tanh"),
            nn.ConvTranspose2d(32, 32, 2, 2), nn.Softplus(), nn.ConvTranspose2d(32, 32, 3, 1, 1), nn.Hardsigmoid(),
            nn.Conv2d(32, 16 * 4, 3, 1, 1), nn.PixelShuffle(2), nn.Softsign())
        self.blocks = nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(48, 16, 1), nn.ELU())

    def forward(self, x):
        small = self.blocks(x)
        large = self.up(self.down(x))
        bilinear = functional.interpolate(small, size=large.shape[2:], mode="bilinear", align_corners=False)
        corners = functional.interpolate(small, size=large.shape[2:], mode="bilinear", align_corners=True)
        cubic = functional.interpolate(small, scale_factor=4, mode="bicubic", align_corners=False)
        mixed = large + bilinear * corners.tanh() - cubic
        mixed = mixed / mixed.square().mean(1, keepdim=True).add(1e-3).sqrt()
        return functional.avg_pool2d(mixed, 7)


class ChannelsLast(nn.Module):
    """A depthwise network as converters write Keras's: activations NHWC, transposes around each convolution."""

    def __init__(self):
        super().__init__()
        widths = [3, 16, 32, 64, 128]
        self.convolutions = nn.ModuleList()
        self.norms = nn.ModuleList()
        for index, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
            if index:
                self.convolutions.append(nn.Conv2d(inputs, inputs, 3, 2, groups=inputs, bias=False))
                self.norms.append(nn.BatchNorm2d(inputs))
            self.convolutions.append(nn.Conv2d(inputs, outputs, 1 if index else 3, 1 if index else 2, bias=False))
            self.norms.append(nn.BatchNorm2d(outputs))
        self.classifier = nn.Linear(widths[-1], 100)

    def forward(self, x):
        x = x.permute(0, 2, 3, 1)
        for convolution, norm in zip(self.convolutions, self.norms):
            x = x.permute(0, 3, 1, 2)
            if convolution.kernel_size == (3, 3):
                x = functional.pad(x, (0, 1, 0, 1))
            x = norm(convolution(x)).permute(0, 2, 3, 1)
            x = functional.relu6(x)
            gate = functional.relu6(x.mean((1, 2), keepdim=True) + 3) / 6
            x = x * gate
        return self.classifier(x.mean((1, 2)))


class FirstMap(nn.Module):
    """A segmenter's own output, without the name torchvision gives it."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)["out"]


class AllMaps(nn.Module):
    """A detector's backbone: all its feature maps in one row."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module

    def forward(self, x):
        maps = self.module(x)
        maps = maps.values() if isinstance(maps, dict) else [maps]
        return torch.cat([map.flatten(1) for map in maps], 1)
