"""The gradient snapping layer: identity forward, a gradient that points at a codeword backward.

A quantization loss pulls an embedding to its *nearest* codeword, even where that works against the
similarity loss. Gradient snapping pulls it to a *neighbouring codeword that also descends the
similarity loss*, so the embedding grows compact without being pushed uphill.

Source: Liu and Lu, arXiv 1610.09645 (2016). Only its abstract was at hand: every formula here is our
reconstruction. The three forms and the fallbacks are our reading of "regularizes the back-propagated
gradient towards a neighbouring codeword".

Axes: N vectors, M subspaces, d numbers in a sub-vector, n candidates. Symbols: z the embedding,
g = dL/dz the gradient of the similarity loss, c* the chosen codeword.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gsl_tutorial.errors import InvalidInputError, LossScaleWarning
from gsl_tutorial.quantizers import OptimizedProductQuantizer, ProductQuantizer, Quantizer
from gsl_tutorial.snapping.codebook_state import HoldsCodebooks
from gsl_tutorial.snapping.compiled import follow_compiled, register, snap_compiled
from gsl_tutorial.snapping.loss_scale import Call, LossScale, is_transforming
from gsl_tutorial.validation import check_count, check_name, check_size, describe

Form = Literal["replace", "pull", "look-ahead"]
Length = Literal["projected", "full"]
Fallback = Literal["zero", "keep", "nearest"]
Reduction = Literal["mean", "sum"]

# At the limit the sum of g and a shortened pull is flat; stopping a hair before it keeps rounding
# from tipping it uphill.
_BEFORE_FLAT = 1 - 1e-3


@dataclass(frozen=True, kw_only=True)
class SnapOptions:
    """How a gradient is snapped. Every other place takes its defaults from here.

    The defaults come from validation images (data/results/cifar10, parts tune and layer: 16 bits,
    cross-entropy, unit embeddings, one seed; seeds spread by about .004). ADC mAP of "pull" at strength
    3 .675, at 10 .675 with half the distortion, at 30 .642. At strength 3: n 1, 2, 4, 16 .663, .667,
    .675, .677; fallback "nearest" .679, within the spread. "look-ahead" reached .669, "replace" .628.
    A contrastive loss did best with the weakest pull that was tried, 0.1.

    Parameters
    ----------
    form : {"pull", "replace", "look-ahead"}
        ``"pull"``: g + 2 strength (z - c*) / N. The similarity gradient is kept.
        ``"replace"``: a gradient along z - c*; its length is g's projection on that line
        (``length="projected"``) or the whole length of g (``"full"``).
        ``"look-ahead"``: the same pull, to the candidate nearest to z - step g, whether it descends
        or not; `fallback` plays no part.
    length : {"projected", "full"}
        Length of a replaced gradient.
    fallback : {"zero", "keep", "nearest"}
        Where no candidate descends: ``"zero"`` snaps to nothing ("replace" gives 0, "pull" gives g);
        ``"keep"`` gives g; ``"nearest"`` gives g plus the pull to the nearest candidate, shortened
        where it would turn the sum uphill.
    strength : float
        lambda, 0 or more: with N vectors, the pull is the gradient of strength * mean |z - c*|^2.
    step : float
        eta, 0 or more, in units of z per unit of g.
    n_candidates : int
        n, the codewords of each subspace (with an additive quantizer the sums) that are considered.

    Raises
    ------
    UnknownNameError
        On an unknown word.
    InvalidInputError
        On a number that cannot work.
    """

    form: Form = "pull"
    length: Length = "projected"
    fallback: Fallback = "zero"
    strength: float = 10.0
    step: float = 1.0
    n_candidates: int = 4

    def __post_init__(self) -> None:
        check_name("form", self.form, get_args(Form))
        check_name("length", self.length, get_args(Length))
        check_name("fallback", self.fallback, get_args(Fallback))
        check_size(self.strength, name="strength")
        check_size(self.step, name="step")
        check_count(self.n_candidates, name="n_candidates", low=1)


def snap_gradient(
    gradient: Float[Tensor, "N M d"],
    embedding: Float[Tensor, "N M d"],
    candidates: Float[Tensor, "N M n d"],
    *,
    form: Form = SnapOptions.form,
    length: Length = SnapOptions.length,
    fallback: Fallback = SnapOptions.fallback,
    strength: float = SnapOptions.strength,
    step: float = SnapOptions.step,
) -> Float[Tensor, "N M d"]:
    """Return the gradient that leaves the layer. Pure: nothing is changed, nothing is remembered.

    A candidate *descends* when moving to it lowers the similarity loss: <-g, c - z> > 0. The chosen
    codeword c* is the one whose direction makes the smallest angle with -g.

    Parameters
    ----------
    gradient, embedding : (N, M, d) tensors
        g and z. Half precision is computed in single precision and rounded at the end.
    candidates : (N, M, n, d) tensor
        What `quantizer.candidates(z, n)` returned.
    form, length, fallback, strength, step
        As in `SnapOptions`.

    Returns
    -------
    (N, M, d) tensor
        Of the type of `gradient`. For "replace" and "pull", <result, g> >= 0 in every subspace,
        after rounding too, whatever the arguments: where rounding would tip it uphill, the pull is
        shortened, and a replaced gradient is dropped, because such a codeword lies at a right angle.
        (In double precision this holds up to the rounding of the product itself.)

    Raises
    ------
    InvalidInputError
        On shapes that do not fit and numbers that cannot work; `UnknownNameError` on unknown words.

    Examples
    --------
    >>> g, z = torch.tensor([[[1.0, 0.0]]]), torch.zeros(1, 1, 2)
    >>> c = torch.tensor([[[[0.1, 0.0], [-1.0, 1.0]]]])  # the nearest one lies uphill
    >>> snap_gradient(g, z, c, form="replace")
    tensor([[[ 0.5000, -0.5000]]])
    """
    how = SnapOptions(form=form, length=length, fallback=fallback, strength=strength, step=step)
    _check_shapes(gradient, embedding, candidates)
    exact = torch.promote_types(gradient.dtype, torch.float32)
    g, z, c = (t.to(exact) for t in (gradient, embedding, candidates))
    snapped = snap_unrounded(g, z, c, how, batch=len(gradient))
    return never_uphill(snapped.to(gradient.dtype), gradient, how)


def snap_unrounded(
    gradient: Float[Tensor, "N M d"],
    embedding: Float[Tensor, "N M d"],
    candidates: Float[Tensor, "N M n d"],
    how: SnapOptions,
    *,
    batch: int,
) -> Float[Tensor, "N M d"]:
    """The rule itself: `snap_gradient` without its checks, for a mean over `batch` vectors."""
    direction = candidates - embedding.unsqueeze(2)
    pull = 2 * how.strength / max(1, batch)

    if how.form == "look-ahead":
        ahead = direction + how.step * gradient.unsqueeze(2)
        return gradient - pull * _pick(direction, ahead.square().sum(3).argmin(2, keepdim=True))

    # Divide by the largest entry first: huge gradients would overflow when squared.
    size = gradient.abs().amax(2, keepdim=True).clamp_min(torch.finfo(gradient.dtype).tiny)
    g = gradient / size
    distance = torch.linalg.vector_norm(direction, dim=3).clamp_min(1e-30)
    cosine = -torch.einsum("nmjd,nmd->nmj", direction, g) / distance
    largest, best = cosine.max(2, keepdim=True)
    to_codeword = _pick(direction, best)
    # Not "largest > 0": a NaN or infinite gradient must stay visible and not become a quiet zero.
    descends = ~(largest <= 0)

    if how.form == "replace":
        unit = to_codeword / distance.gather(2, best)
        along = -(unit * g).sum(2, keepdim=True)
        if how.length == "full":
            along = torch.linalg.vector_norm(g, dim=2, keepdim=True)
        snapped = -size * along * unit
    else:
        snapped = gradient - pull * to_codeword

    if how.fallback == "zero":
        otherwise = torch.zeros_like(gradient) if how.form == "replace" else gradient
    elif how.fallback == "keep":
        otherwise = gradient
    else:
        nearest = -pull * _pick(direction, distance.argmin(2, keepdim=True))
        otherwise = gradient + _shortened(nearest, g, size)
    return torch.where(descends, snapped, otherwise)


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
        self._looks_left = _LOOKS
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
        kind = _SnapTransformed if is_transforming() else _Snap
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
        """What the backward pass does, callable by itself for pictures and tests."""
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
        if not isinstance(z, Tensor) or not z.is_floating_point():
            raise InvalidInputError(
                "a tensor of floating-point embeddings",
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
        if math.isfinite(size) and size > _FAR * pull > 0:
            self._looks_left = 0
            warnings.warn(LossScaleWarning(_recipe(size / pull)), stacklevel=2)


class _Snap(torch.autograd.Function):
    """Forward z, backward the rule. `call` knows by how much the loss behind this call counts."""

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, layer: GradientSnapping, call: Call | None, axis: int, count: int
    ) -> Tensor:
        ctx.save_for_backward(z)
        ctx.rest = layer, call, axis, count
        return _same(z, call)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (z,), (layer, call, axis, count) = ctx.saved_tensors, ctx.rest
        snapped = layer._snapped(gradient, z, layer._scale(call), axis, count)
        return snapped, None, None, None, None


def _same(z: Tensor, call: Call | None) -> Tensor:
    if not z.is_meta and not torch.isfinite(z).all():
        raise InvalidInputError(
            "finite embeddings", "NaN or infinity", "lower the learning rate or the strength"
        )
    # A copy where z is needed again, so that what follows may work in place.
    return z.clone() if call is not None else z.view_as(z)


class _SnapTransformed(torch.autograd.Function):
    """`_Snap` as torch.func wants it, which takes a quarter of a millisecond longer."""

    @staticmethod
    def forward(z: Tensor, layer: Any, call: Call | None, axis: int, count: int) -> Tensor:
        return _same(z, call)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        z, *ctx.rest = inputs
        ctx.save_for_backward(z)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (z,), (layer, call, axis, count) = ctx.saved_tensors, ctx.rest
        scale = layer._scale(call)
        snapped: Tensor = _Rule.apply(gradient, z, scale, layer, axis, count)  # type: ignore[no-untyped-call]
        return snapped, None, None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *rest: None) -> Tensor:
        return tangent.clone()

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], z: Tensor, *rest: Any) -> tuple[Tensor, int]:
        return _SnapTransformed.apply(z.movedim(in_dims[0], 0), *rest), 0  # type: ignore[no-untyped-call]


class _Rule(torch.autograd.Function):
    """The rule as one operation, for torch.func: vmap stops here; it can be differentiated once more."""

    @staticmethod
    def forward(
        gradient: Tensor,
        z: Tensor,
        scale: float | Tensor,
        layer: GradientSnapping,
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


def never_uphill(
    snapped: Float[Tensor, "N M d"], gradient: Float[Tensor, "N M d"], options: SnapOptions
) -> Float[Tensor, "N M d"]:
    """Mend what rounding has tipped uphill, <snapped, g> < 0, though without rounding nothing is.

    A pull is shortened until rounding cannot tip the sum, or left out; a replaced gradient is dropped.
    """
    if options.form == "look-ahead" or not (uphill := _is_uphill(snapped, gradient)).any():
        return snapped
    if options.form == "replace" and options.fallback != "nearest":
        return torch.where(uphill, 0.0, snapped)
    # With t of the pull p, <g + t p, g> stays above `bound` times the two lengths.
    wide = _widest(gradient)
    g, bound = gradient.to(wide), torch.finfo(gradient.dtype).eps
    size = g.abs().amax(2, keepdim=True)
    g = torch.where(size > 0, g / size, 0.0)
    pull = torch.where(size > 0, snapped.to(wide) / size, 0.0) - g
    square = g.square().sum(2, keepdim=True)
    against = -(pull * g).sum(2, keepdim=True).clamp_max(0)
    lengths = square.sqrt() * torch.linalg.vector_norm(pull, dim=2, keepdim=True)
    t = ((1 - bound) * square / (against + bound * lengths)).clamp_max(1)
    shorter = (size * (g + t * pull)).to(gradient.dtype)
    shorter = torch.where(_is_uphill(shorter, gradient), gradient, shorter)
    return torch.where(uphill, shorter, snapped)


def _is_uphill(snapped: Tensor, gradient: Tensor) -> Tensor:
    wide = _widest(gradient)
    return torch.linalg.vecdot(snapped.to(wide), gradient.to(wide)).unsqueeze(2) < 0


def _widest(tensor: Tensor) -> torch.dtype:
    """Double precision, where the device has it."""
    return torch.float32 if tensor.device.type == "mps" else torch.float64


def _pick(vectors: Float[Tensor, "N M n d"], index: Int[Tensor, "N M 1"]) -> Float[Tensor, "N M d"]:
    """For each (vector, subspace) the one of its n vectors that `index` names."""
    return vectors.take_along_dim(index.unsqueeze(3), dim=2).squeeze(2)


def _shortened(
    pull: Float[Tensor, "N M d"], g: Float[Tensor, "N M d"], size: Float[Tensor, "N M 1"]
) -> Float[Tensor, "N M d"]:
    """The longest part of `pull` whose sum with the gradient `size * g` does not go uphill."""
    against = -(pull * g).sum(2, keepdim=True)
    room = _BEFORE_FLAT * size * g.square().sum(2, keepdim=True)
    return torch.where(against > room, room / against, 1.0) * pull


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


def _check_shapes(gradient: Tensor, embedding: Tensor, candidates: Tensor) -> None:
    if gradient.ndim != 3 or embedding.shape != gradient.shape:
        raise InvalidInputError(
            "gradient and embedding of the same shape (N, M, d)",
            f"{describe(gradient)} and {describe(embedding)}",
            "reshape both with .view(N, M, d)",
        )
    N, M, d = gradient.shape
    if candidates.ndim != 4 or (*candidates.shape[:2], candidates.shape[3]) != (N, M, d):
        raise InvalidInputError(
            f"candidates of shape ({N}, {M}, n, {d})",
            describe(candidates),
            "pass what quantizer.candidates(z, n) returned",
        )
    if candidates.shape[2] == 0:
        raise InvalidInputError("at least one candidate", "n = 0", "ask for n >= 1")


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


#: Backward passes in which a layer that was told nothing about its loss looks at the gradient.
_LOOKS = 8
#: So many times longer than a pull no gradient of a mean loss was seen to be.
_FAR = 1000.0


def _recipe(times: float) -> str:
    return (
        "expected the gradient of a loss that is a mean over the batch; got one about "
        f"{times:,.0f} times as long as the pull to a codeword, so that snapping has next to no effect. "
        "Was the loss scaled (torch.amp.GradScaler) or summed? What to do: wrap it where it is computed, "
        "loss = snap.follow(criterion(snap(z), y)), before anything scales it; or say "
        "GradientSnapping(..., loss_scale=scaler.get_scale), or reduction='sum'; "
        "loss_scale=1 says that it is right as it is."
    )


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
