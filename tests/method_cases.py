"""A method applied once, with everything that it sends back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gsl_tutorial.course.training.methods import MethodOptions, get_method


def apply_method(
    name: str, z: Tensor, quantizer: Any, g: Tensor, **options: Any
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(what the loss sees, the added term, the gradient of <seen, g> at z, that of the term)."""
    leaf = z.clone().requires_grad_()
    seen, term = get_method(name)(leaf, quantizer, MethodOptions(**options))
    (through,) = torch.autograd.grad((seen * g).sum(), leaf, retain_graph=True)
    added = torch.zeros_like(z)
    if term.requires_grad:
        (added,) = torch.autograd.grad(term, leaf)
    return seen.detach(), term.detach(), through, added
