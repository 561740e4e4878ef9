"""What is added to, or done with, the embedding so that it quantizes well: one registry of methods.

A method looks at the embedding `z` and the quantizer as it stands this round, and returns the
embedding that the similarity loss shall see and a term to add to that loss. Everything else (encoder,
data, seeds, schedule) is the same for all, so that a comparison compares the methods only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from jaxtyping import Float
from torch import Tensor

from gsl_tutorial.quantizers import Quantizer
from gsl_tutorial.snapping import Fallback, Form, GradientSnapping, Length
from gsl_tutorial.validation import check_count, check_name, check_size


def quantization_penalty(
    z: Float[Tensor, "N dim"], reconstruction: Float[Tensor, "N dim"]
) -> Float[Tensor, ""]:
    """Mean squared distance from the embeddings to their reconstructions, summed over dim.

    The reconstruction is a constant: no gradient flows into the codebooks. The gradient with respect
    to z is 2 (z - q(z)) / N: towards the nearest codeword, whatever the similarity loss says.

    >>> import torch
    >>> float(quantization_penalty(torch.ones(3, 2), torch.zeros(3, 2)))
    2.0
    """
    return (z - reconstruction.detach()).square().sum(1).mean()


@dataclass(frozen=True)
class MethodOptions:
    """What a method may be told; embeddings have unit length, which gives `strength` its scale."""

    strength: float = 10.0
    n_candidates: int = 4
    length: str = "projected"
    fallback: str = "zero"
    step: float = 1.0

    def __post_init__(self) -> None:
        check_size(self.strength, name="strength")
        check_size(self.step, name="step")
        check_count(self.n_candidates, name="n_candidates", low=1)
        check_name("length", self.length, get_args(Length))
        check_name("fallback", self.fallback, get_args(Fallback))


#: (z, quantizer, options) -> (embedding for the similarity loss, term added to it)
Method = Callable[[Tensor, Quantizer, MethodOptions], tuple[Tensor, Tensor]]


def _none(z: Tensor, quantizer: Quantizer, options: MethodOptions) -> tuple[Tensor, Tensor]:
    return z, z.new_zeros(())


def _penalty(z: Tensor, quantizer: Quantizer, options: MethodOptions) -> tuple[Tensor, Tensor]:
    nearest = quantizer.candidates(z, 1).reshape(z.shape)
    return z, options.strength * quantization_penalty(z, nearest)


def _snap(form: Form) -> Method:
    def method(z: Tensor, quantizer: Quantizer, options: MethodOptions) -> tuple[Tensor, Tensor]:
        layer = GradientSnapping(
            quantizer,
            form=form,
            n_candidates=min(options.n_candidates, quantizer.n_codewords),
            length=options.length,  # type: ignore[arg-type]
            fallback=options.fallback,  # type: ignore[arg-type]
            strength=options.strength,
            step=options.step,
        )
        return layer(z), z.new_zeros(())

    return method


METHODS: dict[str, Method] = {
    "none": _none,
    "penalty": _penalty,
    "snap": _snap("pull"),
    "snap-lookahead": _snap("look-ahead"),
    "snap-pull": _snap("pull"),
    "snap-replace": _snap("replace"),
}


def get_method(name: str) -> Method:
    """Return the method of that name; raises `UnknownNameError` with the list of known ones."""
    return METHODS[check_name("method", name, METHODS)]
