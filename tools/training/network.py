"""The network of the demonstration: small, and worth cutting.

Its graph has residual additions and a concatenation, so legal cuts are those of a DAG. The squeeze of `fire` is
where it first gets narrow: 16 x 12 x 12 values, a twelfth of the frame's once they are 8 bits wide, with six
sevenths of the work still to come.
"""

from __future__ import annotations

import torch
from torch import nn

CLASSES = 10


class Convolution(nn.Module):
    """Convolution, batch normalisation, activation; padded to keep the side, apart from the stride."""

    def __init__(self, inputs: int, outputs: int, kernel: int, activation: nn.Module, stride: int = 1, groups: int = 1):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.normalisation = nn.BatchNorm2d(outputs)
        self.activation = activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.activation(self.normalisation(self.convolution(x)))


class DepthwiseSeparable(nn.Module):
    """Depthwise 3x3 with stride 2, then pointwise (Howard et al. 2017)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.depthwise = Convolution(inputs, inputs, 3, nn.ReLU6(), stride=2, groups=inputs)
        self.pointwise = Convolution(inputs, outputs, 1, nn.ReLU6())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.pointwise(self.depthwise(x))


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity (He et al. 2016)."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = Convolution(channels, channels, 3, nn.ReLU())
        self.second = Convolution(channels, channels, 3, nn.Identity())
        self.activation = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.activation(x + self.second(self.first(x)))


class Fire(nn.Module):
    """Few channels, widened again by a 1x1 and a 3x3 convolution side by side (Iandola et al. 2016)."""

    def __init__(self, inputs: int, squeezed: int, outputs: int):
        super().__init__()
        self.squeeze = Convolution(inputs, squeezed, 1, nn.ReLU6())
        self.expand1x1 = Convolution(squeezed, outputs // 2, 1, nn.ReLU())
        self.expand3x3 = Convolution(squeezed, outputs // 2, 3, nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        narrow = self.squeeze(x)
        return torch.cat([self.expand1x1(narrow), self.expand3x3(narrow)], dim=1)


class DigitNet(nn.Module):
    """Frames [N, 3, 96, 96] to logits [N, 10]."""

    def __init__(self):
        super().__init__()
        self.stem = Convolution(3, 16, 3, nn.ReLU6(), stride=2)  # 16 x 48 x 48
        self.down1 = DepthwiseSeparable(16, 24)  # 24 x 24 x 24
        self.down2 = Convolution(24, 32, 3, nn.ReLU(), stride=2)  # 32 x 12 x 12
        self.fire = Fire(32, 16, 64)  # 16, then 64 x 12 x 12
        self.residual1 = Residual(64)
        self.down3 = DepthwiseSeparable(64, 64)  # 64 x 6 x 6
        self.residual2 = Residual(64)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(64, CLASSES)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = self.down2(self.down1(self.stem(image)))
        x = self.residual1(self.fire(x))
        x = self.residual2(self.down3(x))
        return self.classifier(torch.flatten(self.pool(x), 1))
