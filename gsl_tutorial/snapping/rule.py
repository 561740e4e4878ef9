"""The rule of gradient snapping: where a codeword descends, the gradient is turned towards it.

A quantization penalty pulls an embedding to its *nearest* codeword, even where that works against the
similarity loss. Gradient snapping pulls it to a *neighbouring codeword that also descends the
similarity loss*, so the embedding grows compact without being pushed uphill.

Source: Liu and Lu, arXiv 1610.09645 (2016). We could only read its abstract, so every formula here is
our reconstruction. The three forms and the fallbacks are our reading of "regularizes the back-propagated
gradient towards a neighbouring codeword".

Axes: N vectors, M subspaces, d numbers in a sub-vector, n candidates. Symbols: z the embedding,
g = dL/dz the gradient of the similarity loss, c* the chosen codeword.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.snapping.options import Fallback, Form, Length, SnapOptions
from gsl_tutorial.validation import describe

# At the limit the sum of g and a shortened pull is flat; stopping a hair before it keeps rounding
# from tipping it uphill.
_BEFORE_FLAT = 1 - 1e-3


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
    """The rule itself: `snap_gradient` without its checks, for a mean over `batch` vectors.

    Parameters
    ----------
    gradient, embedding, candidates
        As in `snap_gradient`, in single precision at least.
    how : SnapOptions
        The form and its numbers.
    batch : int
        How many vectors the loss is a mean over; not always as many as are given.
    """
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


def never_uphill(
    snapped: Float[Tensor, "N M d"], gradient: Float[Tensor, "N M d"], options: SnapOptions
) -> Float[Tensor, "N M d"]:
    """Mend what rounding has tipped uphill, <snapped, g> < 0, though without rounding nothing is.

    A pull is shortened until rounding cannot tip the sum, or left out; a replaced gradient is
    dropped.

    Parameters
    ----------
    snapped : (N, M, d) tensor
        What `snap_unrounded` returned, rounded.
    gradient : (N, M, d) tensor
        g, of the same type.
    options : SnapOptions
        How it was snapped.
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


def is_dense_float(value: object) -> bool:
    """Whether `value` is a tensor of real numbers that every operation here takes."""
    return isinstance(value, Tensor) and value.is_floating_point() and value.layout == torch.strided


def _check_shapes(gradient: Tensor, embedding: Tensor, candidates: Tensor) -> None:
    for name, value in (
        ("gradient", gradient),
        ("embedding", embedding),
        ("candidates", candidates),
    ):
        if not is_dense_float(value):
            raise InvalidInputError(
                f"{name} as a dense tensor of floating-point numbers",
                describe(value),
                "pass torch.as_tensor(...).float(), or .to_dense() of a sparse tensor",
            )
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
