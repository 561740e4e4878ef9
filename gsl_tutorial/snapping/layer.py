"""The gradient snapping layer: identity forward, a gradient that points at a codeword backward.

The rule itself is in `rule`. Here is the module around it, for any training loop: any shape and precision
of the embedding, a pull that follows the scale of the loss (`loss_scale`), codebooks that travel with a
checkpoint (`codebook_state`), torch.compile (`compiled`) and torch.func (`transforms`).

Source: Liu and Lu, arXiv 1610.09645 (2016), as far as its abstract goes; the rest is our reconstruction.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from gsl_tutorial.errors import InvalidInputError, LossScaleWarning
from gsl_tutorial.quantizers import OptimizedProductQuantizer, ProductQuantizer, Quantizer
from gsl_tutorial.snapping.codebook_state import HoldsCodebooks
from gsl_tutorial.snapping.compiled import follow_compiled, register, snap_compiled
from gsl_tutorial.snapping.loss_scale import (
    FAR,
    LOOKS,
    Call,
    LossScale,
    is_transforming,
    recipe,
)
from gsl_tutorial.snapping.options import Fallback, Form, Length, SnapOptions
from gsl_tutorial.snapping.rule import is_dense_float, never_uphill, snap_unrounded
from gsl_tutorial.snapping.transforms import SnapTransformed, unchanged
from gsl_tutorial.validation import check_count, check_name, check_size, describe

Reduction = Literal["mean", "sum"]


class GradientSnapping(HoldsCodebooks):
    """Layer to put behind an encoder: forward it is the identity, backward it snaps the gradient.

    The quantizer is asked for candidates at each backward pass, so refitting it between two passes
    is enough to move the codewords. Where no gradient flows it costs nothing; in training it keeps a
    copy of `z`, so that layers behind it may work in place. "Use the layer in your own training"
    (docs/training.md) shows it in the usual training loops.

    Parameters
    ----------
    quantizer : Quantizer
        Its codebooks travel with the layer: they are buffers, so `state_dict` holds them, `.to` moves
        them, and deep copies, averages of weights and DistributedDataParallel treat them as such.
    form, length, fallback, strength, step, n_candidates
        As in `SnapOptions`. All of them can be set later, too: ``layer.strength = 3``.
    axis : int
        Where the numbers of a vector lie; all other axes count vectors. -1 suits (N, dim) and
        (B, T, dim), 1 suits (B, dim, H, W).
    reduction : {"mean", "sum"}
        What the loss does over these vectors. A pull has the weight of one vector among N in a mean;
        behind a sum it is N times as strong.
    loss_scale : float, callable or None
        By what the loss is multiplied before its backward pass, for example ``scaler.get_scale``,
        when `follow` cannot be used. None: as it is, but the layer warns when that looks wrong.

    Raises
    ------
    UnknownNameError
        On an unknown word.
    InvalidInputError
        On a number that cannot work, on embeddings of the wrong size and on NaN.
    NotFittedError
        In the forward pass, while the quantizer has no codebooks.

    Notes
    -----
    The pull belongs to a loss that is a mean over the vectors. When the loss is multiplied by a number
    (a gradient scaler, accumulation), gradients grow by that number and the pull has to grow with them.
    `follow` sees to that. Computed in single precision at least; what leaves the layer is never uphill
    as `snap_gradient` says, in every subspace of a product quantizer and for the whole vector of others.

    Examples
    --------
    >>> from gsl_tutorial import ProductQuantizer
    >>> pq = ProductQuantizer(1, 2).with_codebooks([[[0.1, 0.0], [-1.0, 1.0]]])
    >>> layer = GradientSnapping(pq, n_candidates=2, form="replace")
    >>> z = torch.zeros(1, 2, requires_grad=True)
    >>> layer(z)[:, 0].sum().backward()  # g = (1, 0): only the farther codeword descends
    >>> z.grad
    tensor([[ 0.5000, -0.5000]])
    """

    def __init__(
        self,
        quantizer: Quantizer,
        *,
        n_candidates: int = SnapOptions.n_candidates,
        form: Form = SnapOptions.form,
        length: Length = SnapOptions.length,
        fallback: Fallback = SnapOptions.fallback,
        strength: float = SnapOptions.strength,
        step: float = SnapOptions.step,
        axis: int = -1,
        reduction: Reduction = "mean",
        loss_scale: float | Callable[[], float] | None = None,
    ) -> None:
        super().__init__(quantizer)
        _check_candidates(self, n_candidates)
        self.options = SnapOptions(
            form=form,
            length=length,
            fallback=fallback,
            strength=strength,
            step=step,
            n_candidates=n_candidates,
        )
        self.axis, self.reduction, self.loss_scale = axis, reduction, loss_scale
        self._told = LossScale()
        self._looks_left = LOOKS
        self._number = register(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._number = register(self)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _CHECKS:
            _CHECKS[name](self, value)
        if name in SnapOptions.__dataclass_fields__:
            name, value = "options", replace(self.options, **{name: value})
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name in SnapOptions.__dataclass_fields__:
            return getattr(self.options, name)
        return super().__getattr__(name)

    def forward(self, z: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Return `z`, bit for bit.

        Parameters
        ----------
        z : tensor
            (N, dim), or any other shape whose `axis` has the quantizer's `dim_` numbers.
        """
        if torch.compiler.is_compiling() or _is_tracing():
            return self._compiled(z)
        dim = self._checked_dim(z)
        axis = self.axis if self.axis < 0 else self.axis - z.ndim
        tracked = z.requires_grad and torch.is_grad_enabled()
        call = self._told.new_call() if tracked else None  # the backward pass will want it
        kind = SnapTransformed if is_transforming() else _Snap
        snapped: Tensor = kind.apply(z, self, call, axis, z.numel() // dim)  # type: ignore[no-untyped-call]
        return snapped

    def follow(self, loss: Float[Tensor, ""]) -> Float[Tensor, ""]:
        """Return `loss`, and let the pull follow what happens to it from here on.

        Put it round the loss as it is computed, before anything scales it::

            loss = snap.follow(criterion(snap(encoder(x)), y))
            scaler.scale(loss / 4).backward()

        In the backward pass the layer then knows by how much this loss counts, and gives its pull the
        same weight. Several terms that belong together are added up first. Behind a compiled layer,
        or a reentrant checkpoint, follow the whole loss once.

        Parameters
        ----------
        loss : tensor of one number
            The loss that `strength` is weighed against.

        Raises
        ------
        InvalidInputError
            On more than one number.
        """
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            raise InvalidInputError(
                "a loss of one number", describe(loss), "call .mean() or .sum() before follow"
            )
        if torch.compiler.is_compiling():
            return follow_compiled(loss, self._number)
        return self._told.follow(loss)

    def backward_rule(
        self, gradient: Float[Tensor, "*shape"], z: Float[Tensor, "*shape"]
    ) -> Float[Tensor, "*shape"]:
        """What the backward pass does, callable by itself for pictures and tests.

        Parameters
        ----------
        gradient : tensor
            Of the shape of `z`: what arrives at the layer.
        z : tensor
            As in `forward`.
        """
        dim = self._checked_dim(z)
        axis = self.axis if self.axis < 0 else self.axis - z.ndim
        return self._snapped(gradient, z, self._scale(None), axis, z.numel() // dim)

    def extra_repr(self) -> str:
        """What `repr` says: the quantizer, the options, and what differs from a plain layer."""
        chosen = {name: getattr(self.options, name) for name in SnapOptions.__dataclass_fields__}
        if self.axis != -1:
            chosen["axis"] = self.axis
        if self.reduction != "mean":
            chosen["reduction"] = self.reduction
        if self.loss_scale is not None:
            chosen["loss_scale"] = self.loss_scale
        return ", ".join([f"{self.quantizer!r}", *(f"{k}={v!r}" for k, v in chosen.items())])

    def _checked_dim(self, z: Tensor) -> int:
        """The length of a vector; raises where `z` has no such vectors along `axis`."""
        if not is_dense_float(z):
            raise InvalidInputError(
                "a dense tensor of floating-point embeddings",
                describe(z),
                "pass what the encoder returned",
            )
        self._quantizer._check_is_fitted()
        if getattr(self, "_is_replica", False):
            raise InvalidInputError(
                "one process for each device",
                "torch.nn.DataParallel, where each replica sees a part of the batch only",
                "use torch.nn.parallel.DistributedDataParallel",
            )
        dim = self._quantizer.dim_
        if z.ndim < 2 or not -z.ndim <= self.axis < z.ndim or z.shape[self.axis] != dim:
            raise InvalidInputError(
                f"embeddings of shape {_shape_with(dim, self.axis)}",
                describe(z),
                _way_out(tuple(z.shape), dim),
            )
        return dim

    def _compiled(self, z: Tensor) -> Tensor:
        """The layer as torch.compile and torch.export see it: nothing that looks at numbers."""
        dim = 1 if _is_tracing() else self._checked_dim(z)
        if not _is_exporting() and not _is_tracing():
            axis = self.axis if self.axis < 0 else self.axis - z.ndim
            return snap_compiled(z, self._number, axis, z.numel() // dim)
        if self.training:
            raise InvalidInputError(
                "a model in eval mode to export",
                "one in training mode, and a graph that is exported has no backward pass to snap",
                "call model.eval() first",
            )
        return z

    def _scale(self, call: Call | None) -> float | Tensor:
        """By what the loss counts in the backward pass that is under way."""
        told = self._told.scale(call)
        if told is not None:
            return told
        if self.loss_scale is None:
            return 1.0
        scale = self.loss_scale() if callable(self.loss_scale) else self.loss_scale
        return check_size(float(scale), name="loss_scale")

    def _snapped(
        self, gradient: Tensor, z: Tensor, scale: float | Tensor, axis: int, count: int
    ) -> Tensor:
        """`gradient` snapped, of whatever shape and precision; `count` vectors make a batch."""
        quantizer, options = self.quantizer, self.options
        dim = quantizer.dim_
        exact = torch.promote_types(torch.promote_types(gradient.dtype, z.dtype), torch.float32)

        def rows(tensor: Tensor) -> Tensor:
            return (tensor if axis == -1 else tensor.movedim(axis, -1)).reshape(-1, dim)

        g, at = rows(gradient).to(exact), rows(z).to(exact)
        if self.reduction == "sum":
            scale = scale * count
        weight = None if isinstance(scale, float) and scale == 1.0 else _for_rows(scale, z, axis, g)
        with _without_autocast(g.device.type):
            candidates = quantizer.candidates(at, options.n_candidates)
            if weight is not None:
                # A loss that counts for nothing has no gradient: dividing by 1 keeps it at zero.
                g = g / torch.where(weight > 0, weight, 1.0)
            pieces = quantizer.split(g), quantizer.split(at)
            self._look(pieces[1], candidates, g, count)
            snapped = quantizer.join(snap_unrounded(*pieces, candidates, options, batch=count))
            if weight is not None:
                snapped = snapped * weight
            snapped = snapped.to(gradient.dtype)
        # In a product quantizer each piece of a vector is a subspace; a rotation mixes them.
        cuts = isinstance(quantizer, ProductQuantizer) and not isinstance(
            quantizer, OptimizedProductQuantizer
        )
        n_pieces = quantizer.n_subspaces if cuts else 1
        shape = len(g), n_pieces, dim // n_pieces
        parts = snapped.reshape(shape), rows(gradient).reshape(shape)
        snapped = never_uphill(*parts, options)
        return snapped.reshape(z.movedim(axis, -1).shape).movedim(-1, axis)

    @torch.no_grad()
    def _look(self, z: Tensor, candidates: Tensor, g: Tensor, count: int) -> None:
        """Warn once where the gradient's size says that the loss is no plain mean, and nobody said so."""
        told = self.loss_scale is not None or self._told.ever or self.reduction == "sum"
        pulls = self.options.form != "replace" or self.options.fallback == "nearest"
        if told or not pulls or self._looks_left == 0 or not len(g):
            return
        self._looks_left -= 1
        away = (candidates[:, :, 0] - z).square().sum().div(len(g)).sqrt()
        pull = 2 * max(self.options.strength, 1.0) * float(away)
        size = count * float(g.square().sum().div(len(g)).sqrt())
        if math.isfinite(size) and size > FAR * pull > 0:
            self._looks_left = 0
            warnings.warn(LossScaleWarning(recipe(size / pull)), stacklevel=2)


class _Snap(torch.autograd.Function):
    """Forward z, backward the rule. `call` knows by how much the loss behind this call counts."""

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, layer: GradientSnapping, call: Call | None, axis: int, count: int
    ) -> Tensor:
        ctx.save_for_backward(z)
        ctx.rest = layer, call, axis, count
        return unchanged(z, call)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (z,), (layer, call, axis, count) = ctx.saved_tensors, ctx.rest
        snapped = layer._snapped(gradient, z, layer._scale(call), axis, count)
        return snapped, None, None, None, None


def _for_rows(
    scale: float | Tensor, z: Tensor, axis: int, like: Float[Tensor, "N dim"]
) -> Float[Tensor, "..."]:
    """The weight of the loss as one number, or one for each row where vmap gave several."""
    weight = torch.as_tensor(scale, dtype=like.dtype, device=like.device).abs()
    if weight.ndim == 0:
        return weight
    lead = z.movedim(axis, -1).shape[:-1]
    weight = weight.reshape(*weight.shape, *[1] * (len(lead) - weight.ndim))
    return weight.expand(lead).reshape(-1, 1)


def _without_autocast(device: str) -> Any:
    """Distances want single precision, whatever the backward pass is called under."""
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()


def _is_exporting() -> bool:
    asked = getattr(torch.compiler, "is_exporting", None)  # newer than the oldest torch we take
    return bool(asked()) if asked is not None else not torch.compiler.is_dynamo_compiling()


def _is_tracing() -> bool:
    return torch._C._get_tracing_state() is not None


def _shape_with(dim: int, axis: int) -> str:
    """How embeddings with their numbers along `axis` look, in words."""
    if axis == -1:
        return f"(N, {dim}) or (..., {dim})"
    if axis >= 0:
        return f"({', '.join([*['...'][:axis], str(dim), '...'])})"
    return f"(..., {', '.join([str(dim), *['.'] * (-axis - 1)])})"


def _way_out(shape: tuple[int, ...], dim: int) -> str:
    """What to do about embeddings of `shape`, as far as the sizes say."""
    if dim in shape and len(shape) > 1:
        found = shape.index(dim)
        return f"name the axis that holds the vector: GradientSnapping(quantizer, axis={found})"
    for first in range(1, len(shape) - 1):
        if math.prod(shape[first:]) == dim:
            return f"flatten first: snap(z.flatten({first}))"
    if len(shape) == 1 and shape[0] == dim:
        return "add the axis of the batch: snap(z[None])"
    return "give the encoder and the quantizer the same dim, or flatten z to (N, dim) first"


def _check_options(layer: GradientSnapping, options: Any) -> None:
    if not isinstance(options, SnapOptions):
        raise InvalidInputError("SnapOptions", describe(options), "pass SnapOptions(...)")
    _check_candidates(layer, options.n_candidates)


def _check_candidates(layer: GradientSnapping, n: Any) -> None:
    check_count(n, name="n_candidates", low=1, high=layer._quantizer.most_candidates)


def _check_axis(layer: GradientSnapping, axis: Any) -> None:
    check_count(axis, name="axis", low=-100, high=100)


def _check_loss_scale(layer: GradientSnapping, scale: Any) -> None:
    if scale is not None and not callable(scale):
        check_size(scale, name="loss_scale")


_CHECKS: dict[str, Callable[[GradientSnapping, Any], object]] = {
    "options": _check_options,
    "n_candidates": _check_candidates,
    "axis": _check_axis,
    "reduction": lambda layer, word: check_name("reduction", word, get_args(Reduction)),
    "loss_scale": _check_loss_scale,
}
