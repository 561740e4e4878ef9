"""What helps in a snapped pull? The same pull, to codewords that are chosen in other ways.

The penalty and the pull of a snap differ in one thing, the codeword they pull to: the nearest one, or of
the n nearest the one that descends the similarity loss most directly. These methods stand between the two,
so that a study can say which part of the choice matters. All of them keep the similarity gradient g whole
and add the gradient of strength * mean |z - c|^2; none of them is meant for use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from gsl_tutorial.quantizers import Quantizer

#: From each sub-vector to its n nearest codewords, the nearest first, and the similarity gradient g there:
#: the position of the codeword to pull to, or -1 for no pull.
Choice = Callable[[Float[Tensor, "N M n d"], Float[Tensor, "N M d"]], Int[Tensor, "N M"]]


def _second(direction: Float[Tensor, "N M n d"], g: Float[Tensor, "N M d"]) -> Int[Tensor, "N M"]:
    """The second nearest codeword: a target beyond the nearest, chosen blindly."""
    return torch.ones(direction.shape[:2], dtype=torch.long, device=g.device)


def _random(direction: Float[Tensor, "N M n d"], g: Float[Tensor, "N M d"]) -> Int[Tensor, "N M"]:
    """Any of the n nearest, as likely as another: chosen by digits of z that mean nothing.

    No generator is asked, so that a run stays a function of its seed.
    """
    noise = (direction[:, :, 0].double().sum(2).abs() * 1e4) % 1
    return (noise * direction.shape[2]).long().clamp_max(direction.shape[2] - 1)


def _farthest_descending(
    direction: Float[Tensor, "N M n d"], g: Float[Tensor, "N M d"]
) -> Int[Tensor, "N M"]:
    """The farthest of the n nearest that descends; none where none does."""
    descends = _descends(direction, g)
    position = torch.arange(direction.shape[2], device=g.device).expand_as(descends)
    return torch.where(descends, position, -1).amax(2)


def _nearest_descending(
    direction: Float[Tensor, "N M n d"], g: Float[Tensor, "N M d"]
) -> Int[Tensor, "N M"]:
    """The nearest of the n nearest that descends, however little; none where none does."""
    descends = _descends(direction, g)
    return torch.where(descends.any(2), descends.int().argmax(2), -1)


def _descends(
    direction: Float[Tensor, "N M n d"], g: Float[Tensor, "N M d"]
) -> Bool[Tensor, "N M n"]:
    return torch.einsum("nmjd,nmd->nmj", direction, g) < 0


ABLATIONS: dict[str, Choice] = {
    "pull-second": _second,
    "pull-random": _random,
    "pull-farthest": _farthest_descending,
    "pull-near-descending": _nearest_descending,
}


def pull_to(
    choice: Choice,
    z: Float[Tensor, "N dim"],
    quantizer: Quantizer,
    *,
    strength: float,
    n_candidates: int,
) -> Float[Tensor, "N dim"]:
    """z itself; its gradient is g plus the pull to the codeword that `choice` names.

    Parameters
    ----------
    choice
        One of `ABLATIONS`.
    z
        (N, dim) embeddings, the quantizer's dim.
    quantizer
        Fitted.
    strength
        lambda: the pull is the gradient of lambda mean |z - c|^2.
    n_candidates
        n, two or more; where there are fewer codewords, all of them.

    Returns
    -------
    (N, dim) tensor
        z, bit for bit.

    Raises
    ------
    NotFittedError, InvalidInputError
        Without codebooks, and for vectors of another size.
    """
    quantizer.candidates(z[:0], 1)  # is it fitted, and to vectors of this size?
    pulled: Tensor = _PullTo.apply(z, choice, quantizer, strength, n_candidates)  # type: ignore[no-untyped-call]
    return pulled


class _PullTo(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, z: Tensor, choice: Choice, quantizer: Quantizer, strength: float, n: int
    ) -> Tensor:
        ctx.save_for_backward(z)
        ctx.how = choice, quantizer, strength, max(2, min(n, quantizer.most_candidates))
        return z.view_as(z)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        (z,) = ctx.saved_tensors
        choice, quantizer, strength, n = ctx.how
        direction = quantizer.candidates(z, n) - quantizer.split(z).unsqueeze(2)
        chosen = choice(direction, quantizer.split(gradient))
        to = direction.take_along_dim(chosen.clamp_min(0)[..., None, None], dim=2).squeeze(2)
        pull = torch.where(chosen.unsqueeze(2) >= 0, -2 * strength / max(1, len(z)) * to, 0.0)
        return gradient + quantizer.join(pull.to(gradient.dtype)), None, None, None, None
