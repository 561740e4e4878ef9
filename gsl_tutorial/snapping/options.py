"""How a gradient is snapped: the one record of its choices and their defaults.

It stands apart from the rule, because the drawings of the plane need it and should not wait for torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from gsl_tutorial.validation import check_count, check_name, check_size

Form = Literal["replace", "pull", "look-ahead"]
Length = Literal["projected", "full"]
Fallback = Literal["zero", "keep", "nearest"]


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
