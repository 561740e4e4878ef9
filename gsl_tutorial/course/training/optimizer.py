"""The optimizer of a training: momentum, a rate that rises and falls, and an average along the way.

Biases take steps of their own. Every few steps the average moves a little towards the weights, and the
weights then start again from the average ("lookahead", Zhang et al., arXiv 1907.08610, with the growing
memory of K. Jordan's cifar10-airbench, 2024). Early on the average forgets at once; near the end it holds
almost still, and so takes the noise of the last steps out. Because weights and average are equal after
each update, a checkpoint of the weights is all that a resumed run needs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gsl_tutorial.course.training.config import Schedule


def sgd(schedule: Schedule, *modules: nn.Module) -> torch.optim.SGD:
    """SGD with Nesterov momentum over all weights of `modules` that learn.

    Biases take steps `bias_step` times as long. Their decay is divided by as much, so that it
    shortens them as slowly as the rest.

    Parameters
    ----------
    schedule : Schedule
        Its learning rate, momentum, weight decay and step of biases.
    *modules : nn.Module
        What is to learn.

    Returns
    -------
    torch.optim.SGD
        Each group keeps its highest rate as "initial_lr".

    References
    ----------
    K. Jordan's cifar10-airbench, 2024, where the biases of batch norm take longer steps.
    """
    named = [(name, p) for m in modules for name, p in m.named_parameters() if p.requires_grad]
    groups = [
        {
            "params": [p for name, p in named if name.endswith("bias") == is_bias],
            "lr": schedule.learning_rate * step,
            "initial_lr": schedule.learning_rate * step,
            "weight_decay": schedule.weight_decay / step,
        }
        for is_bias, step in ((False, 1.0), (True, schedule.bias_step))
    ]
    return torch.optim.SGD(groups, momentum=schedule.momentum, nesterov=True)


def set_learning_rate(optimizer: torch.optim.Optimizer, *, share: float) -> None:
    """Set the rate for a moment of the training.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        One that `sgd` made.
    share : float
        How much of the training is done, from 0 to 1.
    """
    factor = triangle(share)
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * factor


def triangle(share: float) -> float:
    """Factor of the learning rate: up over the first fifth, then down again.

    Parameters
    ----------
    share : float
        How much of the training is done, from 0 to 1.

    Returns
    -------
    float
        From .02 to 1: the floor keeps the network moving at either end.
    """
    return max(0.02, share / 0.2 if share < 0.2 else (1 - share) / 0.8)


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

        Parameters
        ----------
        progress : float
            The share of training that is done, from 0 to 1.
        """
        keep = memory(progress)
        for average, value in zip(self.average, self.weights, strict=True):
            average.lerp_(value.detach(), 1 - keep)
            value.copy_(average)


def memory(progress: float) -> float:
    """The share of the old average that an update keeps: 0 at first, .77 at the end."""
    return float(0.95**5 * progress**3)
