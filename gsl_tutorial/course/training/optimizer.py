"""The optimizer of a training: momentum, steps of their own for biases, and a rate that rises and falls."""

from __future__ import annotations

import torch
from torch import nn

from gsl_tutorial.course.training.config import Schedule


def sgd(schedule: Schedule, *modules: nn.Module) -> torch.optim.SGD:
    """SGD with Nesterov momentum over all weights of `modules` that learn.

    Biases take steps `bias_step` times as long (K. Jordan's cifar10-airbench, 2024, for the biases of
    batch norm). Their decay is divided by as much, so that it shortens them as slowly as the rest.
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
    """Set the rate for the moment at which `share` of the training, from 0 to 1, is done."""
    factor = triangle(share)
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * factor


def triangle(share: float) -> float:
    """Factor of the learning rate: up over the first fifth, then down to 0."""
    return max(0.02, share / 0.2 if share < 0.2 else (1 - share) / 0.8)
