"""An average of the weights along the way of training, to which the weights return.

Every few steps the average moves a little towards the weights, and the weights then start again from
the average ("lookahead", Zhang et al., arXiv 1907.08610, with the growing memory of K. Jordan's
cifar10-airbench, 2024). Early on the average forgets at once; near the end it holds almost still, and
so takes the noise of the last steps out. Because weights and average are equal after each update, a
checkpoint of the weights is all that a resumed run needs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WeightAverage:
    """The running average of all floating-point weights and buffers of some modules."""

    def __init__(self, *modules: nn.Module) -> None:
        self.weights = [
            value
            for module in modules
            for value in module.state_dict(keep_vars=True).values()
            if value.is_floating_point()
        ]
        self.average: list[Tensor] = [value.detach().clone() for value in self.weights]

    @torch.no_grad()
    def update(self, progress: float) -> None:
        """Move the average towards the weights and the weights onto the average.

        progress: the share of training that is done, from 0 to 1.
        """
        keep = memory(progress)
        for average, value in zip(self.average, self.weights, strict=True):
            average.lerp_(value.detach(), 1 - keep)
            value.copy_(average)


def memory(progress: float) -> float:
    """The share of the old average that an update keeps: 0 at first, .77 at the end."""
    return float(0.95**5 * progress**3)
