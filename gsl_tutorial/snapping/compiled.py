"""The backward pass of the layer as one opaque operator, for torch.compile.

A compiler would write the codebooks of today into its program. An operator that it cannot look into is
called with the number of the layer instead, and asks the layer for its codewords when it runs: a refit is
followed, nothing is compiled again, and `fullgraph=True` finds no break.
"""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import torch
from torch import Tensor

_LAYERS: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
_numbers = itertools.count(1)


def register(layer: Any) -> int:
    """Return a number by which an operator finds `layer`, as long as it lives."""
    number = next(_numbers)
    _LAYERS[number] = layer
    return number


def snap_compiled(z: Tensor, number: int, axis: int, count: int) -> Tensor:
    """Forward z, backward what the layer of that number does with the gradient.

    Parameters
    ----------
    z : tensor
        The embedding.
    number : int
        What `register` returned.
    axis : int
        Where the numbers of a vector lie, counted from the end.
    count : int
        How many vectors make the batch.
    """
    return _Snap.apply(z, number, axis, count)  # type: ignore[no-untyped-call]


def follow_compiled(loss: Tensor, number: int) -> Tensor:
    """Forward the loss, backward tell the layer of that number by how much it counts.

    Parameters
    ----------
    loss : tensor of one number
        The loss to follow.
    number : int
        What `register` returned.
    """
    return _Follow.apply(loss, number)  # type: ignore[no-untyped-call]


@torch.library.custom_op("gradient_snapping::rule", mutates_args=())
def _rule(gradient: Tensor, z: Tensor, number: int, axis: int, count: int) -> Tensor:
    layer = _LAYERS[number]
    snapped: Tensor = layer._snapped(gradient, z, layer._scale(None), axis, count)
    return snapped.contiguous()


@_rule.register_fake
def _(gradient: Tensor, z: Tensor, number: int, axis: int, count: int) -> Tensor:
    return torch.empty(gradient.shape, dtype=gradient.dtype, device=gradient.device)


@torch.library.custom_op("gradient_snapping::tell", mutates_args=())
def _tell(gradient: Tensor, number: int) -> Tensor:
    _LAYERS[number]._told.tell(object(), gradient.clone(), [])
    return gradient.clone()


@_tell.register_fake
def _(gradient: Tensor, number: int) -> Tensor:
    return torch.empty_like(gradient)


class _Snap(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, number: int, axis: int, count: int) -> Tensor:
        ctx.save_for_backward(z)
        ctx.number, ctx.axis, ctx.count = number, axis, count
        return z.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (z,) = ctx.saved_tensors
        snapped = torch.ops.gradient_snapping.rule(gradient, z, ctx.number, ctx.axis, ctx.count)
        return snapped, None, None, None


class _Follow(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, loss: Tensor, number: int) -> Tensor:
        ctx.number = number
        return loss.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return torch.ops.gradient_snapping.tell(gradient, ctx.number), None
