"""The methods that are compared: what is done with the embedding so that it quantizes well.

A method looks at the embedding `z` and the quantizer as it stands this round, and returns the
embedding that the similarity loss shall see and a term to add to that loss. Everything else (encoder,
data, seeds, schedule) is the same for all, so a comparison compares the methods only. In all of them
the codebooks are refitted between rounds (`rounds`), also where the source learns them by gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace

import torch
from jaxtyping import Float
from torch import Tensor

from gsl_tutorial.course.training.ablations import ABLATIONS, Choice, pull_to
from gsl_tutorial.course.training.losses import quantization_penalty
from gsl_tutorial.course.training.method_names import OTHER_NAMES
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import Quantizer
from gsl_tutorial.snapping import Fallback, Form, GradientSnapping, Length, SnapOptions
from gsl_tutorial.validation import check_name, check_size


@dataclass(frozen=True)
class MethodOptions:
    """What a method may be told; embeddings have unit length, which gives `strength` its scale.

    Saved runs hold these six. The form of a snap is no option here: the name of the method says it.

    Parameters
    ----------
    strength : float
        lambda, weight of the pull or of the added term.
    n_candidates, length, fallback, step
        For the snaps, as in `SnapOptions`.
    temperature : float
        For "soft", in units of squared distance, above 0.

    Raises
    ------
    InvalidInputError, UnknownNameError
        On values that cannot work.
    """

    strength: float = SnapOptions.strength
    n_candidates: int = SnapOptions.n_candidates
    length: Length = SnapOptions.length
    fallback: Fallback = SnapOptions.fallback
    step: float = SnapOptions.step
    temperature: float = 0.05

    def __post_init__(self) -> None:
        self.snap()  # checks what the two have in common
        if check_size(self.temperature, name="temperature") == 0:
            raise InvalidInputError(
                "temperature above 0, finite", "0", "take a small one, such as 0.01"
            )

    def snap(self, form: Form = SnapOptions.form) -> SnapOptions:
        """The options of a snap of that form.

        Parameters
        ----------
        form : str
            As in `SnapOptions`.

        Returns
        -------
        SnapOptions
        """
        shared = {one.name: getattr(self, one.name) for one in fields(self)}
        del shared["temperature"]
        return SnapOptions(form=form, **shared)


#: (z, quantizer, options) -> (embedding for the similarity loss, term added to it)
Method = Callable[[Tensor, Quantizer, MethodOptions], tuple[Tensor, Tensor]]


def nearest_reconstruction(
    z: Float[Tensor, "N dim"], quantizer: Quantizer
) -> Float[Tensor, "N dim"]:
    """q(z), a constant: no gradient flows into it.

    Parameters
    ----------
    z : (N, dim) tensor
        Embeddings.
    quantizer : Quantizer
        Fitted to vectors of this size.

    Returns
    -------
    (N, dim) tensor
    """
    q: Tensor = quantizer.join(quantizer.candidates(z, 1)[:, :, 0])
    return q


def _none(z: Tensor, quantizer: Quantizer, options: MethodOptions) -> tuple[Tensor, Tensor]:
    """Similarity loss alone; the quantizer is fitted to what comes out."""
    return z, z.new_zeros(())


def _penalty(z: Tensor, quantizer: Quantizer, options: MethodOptions) -> tuple[Tensor, Tensor]:
    """Similarity loss + lambda x quantization penalty, the rival that the abstract of GSL names."""
    return z, options.strength * quantization_penalty(z, nearest_reconstruction(z, quantizer))


def _ste(z: Tensor, quantizer: Quantizer, options: MethodOptions) -> tuple[Tensor, Tensor]:
    """Straight-through: the loss sees q(z), its gradient is handed to z unchanged.

    Source: Bengio et al. 2013, arXiv 1308.3432; the added term is the commitment loss of van den
    Oord et al. 2017, arXiv 1711.00937.
    """
    q = nearest_reconstruction(z, quantizer)
    return z + (q - z).detach(), options.strength * quantization_penalty(z, q)


def _rotation(z: Tensor, quantizer: Quantizer, options: MethodOptions) -> tuple[Tensor, Tensor]:
    """Rotation trick: the loss sees q(z) = s R z, and the gradient flows back through s R.

    R turns each sub-vector onto its codeword in their common plane, s stretches it; both constant.
    Source: Fifty et al. 2024, arXiv 2410.06424, with its commitment term.
    """
    parts = quantizer.split(z)
    codeword = quantizer.candidates(z, 1)[:, :, 0]
    e, length = _unit(parts.detach())
    c, target = _unit(codeword)
    r, _ = _unit(e + c)
    # R = I - 2 r r^T + 2 c e^T with r halfway between e and c: two reflections, no matrix is formed.
    rotated = parts - 2 * _dot(r, parts) * r + 2 * _dot(e, parts) * c
    q = quantizer.join(codeword)
    return (
        quantizer.join(target / length * rotated),
        options.strength * quantization_penalty(z, q),
    )


def _unit(v: Tensor) -> tuple[Tensor, Tensor]:
    # The floor keeps a sub-vector at the origin finite; no direction is better than another there.
    length = v.norm(dim=2, keepdim=True).clamp_min(1e-6)
    return v / length, length


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(2, keepdim=True)


def _soft(z: Tensor, quantizer: Quantizer, options: MethodOptions) -> tuple[Tensor, Tensor]:
    """Soft assignment: the loss sees a mean of codewords, weighted by their nearness.

    Source: Yu et al. 2018 (product quantization network): softmax over all codewords. Changed:
    squared distance in place of their inner product, because our codewords have no common length.
    Of an additive quantizer's K^M sums, the K nearest that its beam finds stand for all.
    """
    parts = quantizer.split(z).unsqueeze(2)
    codewords = quantizer.candidates(z, quantizer.n_codewords)
    squared = (parts - codewords).square().sum(3)
    weights = torch.softmax(-squared / options.temperature, dim=2)
    return quantizer.join(torch.einsum("nmk,nmkd->nmd", weights, codewords)), z.new_zeros(())


def _radius(z: Tensor, quantizer: Quantizer, options: MethodOptions) -> tuple[Tensor, Tensor]:
    """Radius-based update: the loss sees q(z); backward, a step of fixed length towards each codeword.

    Our reconstruction, from the abstract of GRIT-VQ (You et al. 2026, arXiv 2602.01140) and public
    summaries: hard assignment forward, and backward a controllable step along the quantization direction
    that does not depend on the quantization gap. Read as: the gradient of the similarity loss passes
    straight through, and the pull of the commitment term keeps one length, `strength`, at any distance.
    Left out: its transform of the codebook, because all our codebooks are refitted by k-means.
    """
    codeword = quantizer.candidates(z, 1)[:, :, 0]
    q = quantizer.join(codeword)
    # The floor under the root makes the pull fade out within 1e-6 of a codeword, where it has no direction.
    gap = ((quantizer.split(z) - codeword).square().sum(2) + 1e-12).sqrt() - 1e-6
    return z + (q - z).detach(), options.strength * gap.sum(1).mean()


def _halfway(z: Tensor, quantizer: Quantizer, options: MethodOptions) -> tuple[Tensor, Tensor]:
    """The loss sees z moved half the way to q(z), straight-through, and a snapped pull is added.

    Ours: straight-through shows the loss what search will see but takes its gradient far from z; a pull
    takes it at z but hides the codewords from the loss. Half the way is between the two.
    """
    q = nearest_reconstruction(z, quantizer)
    snapped, none = _snap("pull")(z, quantizer, options)
    return snapped + 0.5 * (q - z).detach(), none


def _pull_relative(
    z: Tensor, quantizer: Quantizer, options: MethodOptions
) -> tuple[Tensor, Tensor]:
    """A snapped pull in units of |g|: g + strength |g| u, with u from the chosen codeword to z.

    Ours: free of the scale of the loss and of the distance to the codeword. "replace" with the full
    length gives |g| u, and nothing where no candidate descends, so the sum never goes uphill.
    """
    whole = replace(options, length="full", fallback="zero")
    snapped, none = _snap("replace")(z, quantizer, whole)
    return z + options.strength * (snapped - z.detach()), none


def _snap(form: Form) -> Method:
    def method(z: Tensor, quantizer: Quantizer, options: MethodOptions) -> tuple[Tensor, Tensor]:
        how = asdict(options.snap(form))
        how["n_candidates"] = min(how["n_candidates"], quantizer.most_candidates)
        # Nothing scales the mean losses that methods are used with.
        return GradientSnapping(quantizer, loss_scale=1.0, **how)(z), z.new_zeros(())

    return method


def _ablation(choice: Choice) -> Method:
    def method(z: Tensor, quantizer: Quantizer, options: MethodOptions) -> tuple[Tensor, Tensor]:
        n, strength = options.n_candidates, options.strength
        seen = pull_to(choice, z, quantizer, strength=strength, n_candidates=n)
        return seen, z.new_zeros(())

    return method


METHODS: dict[str, Method] = {
    "none": _none,
    "penalty": _penalty,
    "ste": _ste,
    "rotation": _rotation,
    "soft": _soft,
    "radius": _radius,
    "halfway": _halfway,
    "pull-relative": _pull_relative,
    "snap-lookahead": _snap("look-ahead"),
    "snap-pull": _snap("pull"),
    "snap-replace": _snap("replace"),
    **{name: _ablation(choice) for name, choice in ABLATIONS.items()},
}


def method_name(name: str) -> str:
    """The one name of a method, "snap-pull" for "snap".

    Parameters
    ----------
    name : str
        One of `METHODS` or of `OTHER_NAMES`.

    Returns
    -------
    str

    Raises
    ------
    UnknownNameError
        With the list of known ones.
    """
    known = OTHER_NAMES.get(name, name) if isinstance(name, str) else name
    return check_name("method", known, METHODS)


def get_method(name: str) -> Method:
    """Return the method of that name.

    Parameters
    ----------
    name : str
        As in `method_name`.

    Returns
    -------
    callable
        (z, quantizer, options) -> (embedding for the similarity loss, term added to it).

    Raises
    ------
    UnknownNameError
        With the list of known ones.
    """
    return METHODS[method_name(name)]
