"""The bias itself: how far the gradient that trains the encoder strays from the similarity gradient.

A method may be biased in two ways: it adds a term that pulls elsewhere, or it evaluates the similarity
loss at another place than z. Both show as the angle between g, the gradient of the similarity loss
at z, and the gradient that arrives at z when the method is on. Source: the words "biased gradients" of
the abstract of arXiv 1610.09645; the two measures are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gsl_tutorial.course.training.losses import SimilarityLoss
from gsl_tutorial.course.training.methods import Method, MethodOptions
from gsl_tutorial.quantizers import Quantizer


@dataclass(frozen=True)
class GradientBias:
    """Means over the vectors of a batch.

    The similarity losses here look at directions only, so g has no part along z; a pull may have
    one, which an encoder of unit embeddings never feels. It is taken away from both before they are
    compared.

    Attributes
    ----------
    cosine : float
        Between the gradient used and g; 1 is no bias, below 0 is uphill.
    uphill : float
        Share of vectors whose step raises the similarity loss, <used, g> < 0.
    """

    cosine: float
    uphill: float


def method_gradients(
    method: Method,
    options: MethodOptions,
    similarity: SimilarityLoss,
    z: Float[Tensor, "N dim"],
    labels: Int[Tensor, " N"],
    quantizer: Quantizer,
    *,
    batch_size: int,
) -> tuple[Float[Tensor, "N dim"], Float[Tensor, "N dim"]]:
    """The gradient that `method` sends to each embedding, and g, that of the similarity loss.

    Parameters
    ----------
    method, options
        One of `METHODS`, and what it is told.
    similarity : SimilarityLoss
        The one that the network was trained with, label smoothing included.
    z, labels : (N, dim) and (N,) tensors
    quantizer : Quantizer
        As it stands.
    batch_size : int
        That of training: some losses compare the vectors of a batch, and a pull is shared among
        them.

    Returns
    -------
    two (N, dim) tensors
    """
    pairs = []
    for rows in torch.split(torch.arange(len(z)), batch_size):
        plain = z[rows].detach().requires_grad_()
        (g,) = torch.autograd.grad(similarity(plain, labels[rows]), plain)
        probe = z[rows].detach().requires_grad_()
        seen, extra = method(probe, quantizer, options)
        (used,) = torch.autograd.grad(similarity(seen, labels[rows]) + extra, probe)
        pairs.append((used, g))
    used, g = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    return used, g


def gradient_bias(
    method: Method,
    options: MethodOptions,
    similarity: SimilarityLoss,
    z: Float[Tensor, "N dim"],
    labels: Int[Tensor, " N"],
    quantizer: Quantizer,
    *,
    batch_size: int = 125,
) -> GradientBias:
    """Compare the gradient that `method` sends to the encoder with that of the similarity loss.

    Parameters
    ----------
    method, options, similarity, z, labels, quantizer, batch_size
        As in `method_gradients`.

    Returns
    -------
    GradientBias
    """
    used, g = method_gradients(
        method, options, similarity, z, labels, quantizer, batch_size=batch_size
    )

    def on_sphere(v: Tensor) -> Tensor:
        unit = torch.nn.functional.normalize(z.detach(), dim=1)
        return v - (v * unit).sum(1, keepdim=True) * unit

    return _compare(on_sphere(used), on_sphere(g))


def _compare(used: Tensor, g: Tensor) -> GradientBias:
    used, g = used.double(), g.double()
    dot = (used * g).sum(1)
    lengths = used.norm(dim=1) * g.norm(dim=1)
    # Where either gradient vanishes there is no angle; such a vector is neither biased nor counted.
    there = lengths > 0
    if not there.any():
        return GradientBias(1.0, 0.0)
    cosine = (dot[there] / lengths[there]).clamp(-1, 1)
    # A rounding error away from a right angle is not uphill.
    return GradientBias(float(cosine.mean()), float((cosine < -1e-6).double().mean()))
