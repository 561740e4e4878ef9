"""The layer as torch.func wants it: vmap, jvp, and a backward pass that can be differentiated again.

The plain autograd function in `layer` does the same and is a quarter of a millisecond quicker, so this one
is used only where a transform is at work.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.snapping.loss_scale import Call


def unchanged(z: Tensor, call: Call | None) -> Tensor:
    """Return `z`, as the forward pass does.

    Parameters
    ----------
    z : tensor
        The embedding.
    call : Call or None
        None: no backward pass will want `z` again, so it is not copied.

    Raises
    ------
    InvalidInputError
        On NaN and infinity.
    """
    if not z.is_meta and not torch.isfinite(z).all():
        raise InvalidInputError(
            "finite embeddings", "NaN or infinity", "lower the learning rate or the strength"
        )
    # A copy where z is needed again, so that what follows may work in place.
    return z.clone() if call is not None else z.view_as(z)


class SnapTransformed(torch.autograd.Function):
    """Forward z, backward the rule, under torch.func."""

    @staticmethod
    def forward(z: Tensor, layer: Any, call: Call | None, axis: int, count: int) -> Tensor:
        return unchanged(z, call)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        z, *ctx.rest = inputs
        ctx.save_for_backward(z)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient by the rule of the layer, for `z` only: the rest are no tensors."""
        (z,), (layer, call, axis, count) = ctx.saved_tensors, ctx.rest
        scale = layer._scale(call)
        snapped: Tensor = _Rule.apply(gradient, z, scale, layer, axis, count)  # type: ignore[no-untyped-call]
        return snapped, None, None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *rest: None) -> Tensor:
        return tangent.clone()

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], z: Tensor, *rest: Any) -> tuple[Tensor, int]:
        return SnapTransformed.apply(z.movedim(in_dims[0], 0), *rest), 0  # type: ignore[no-untyped-call]


class _Rule(torch.autograd.Function):
    """The rule as one operation, for torch.func: vmap stops here; it can be differentiated once more."""

    @staticmethod
    def forward(
        gradient: Tensor,
        z: Tensor,
        scale: float | Tensor,
        layer: Any,
        axis: int,
        count: int,
    ) -> Tensor:
        return layer._snapped(gradient, z, scale, axis, count)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        gradient, z, scale, *ctx.rest = inputs
        ctx.scale = scale.detach() if isinstance(scale, Tensor) else scale
        ctx.save_for_backward(gradient, z)

    @staticmethod
    def backward(ctx: Any, second: Tensor) -> tuple[Tensor | None, ...]:
        layer, axis, count = ctx.rest
        with torch.enable_grad():
            inputs = [t.detach().requires_grad_() for t in ctx.saved_tensors]
            out = layer._snapped(*inputs, ctx.scale, axis, count)
            wanted = torch.autograd.grad(out, inputs, second, allow_unused=True)
        return *wanted, None, None, None, None

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[Any, ...],
        gradient: Tensor,
        z: Tensor,
        scale: float | Tensor,
        *rest: Any,
    ) -> tuple[Tensor, int]:
        gradient, z = (
            t.movedim(dim, 0) if dim is not None else t.expand(info.batch_size, *t.shape)
            for t, dim in zip((gradient, z), in_dims, strict=False)
        )
        if isinstance(scale, Tensor):
            # Its axes are the first of z's, one for each vmap; the rest are single.
            scale = scale.movedim(in_dims[2], 0) if in_dims[2] is not None else scale.unsqueeze(0)
        return _Rule.apply(gradient, z, scale, *rest), 0  # type: ignore[no-untyped-call]
