"""Checks of chapter 05: the gradient of the penalty, and when its sum with g goes uphill."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, NotYet, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare, refuse_no_booleans

_SIZES = ((7, 3), (12, 5))
_NAMES = ["7 vectors of 3 numbers", "12 vectors of 5 numbers"]


@exercise(
    "05.2",
    hints=(
        "Write out the penalty of one vector: strength / N times the sum of (z - q)^2.",
        "The derivative of (z - q)^2 with respect to z is 2 (z - q); q is a constant.",
        "In words: twice strength times (z - q), divided by len(z).",
    ),
)
def penalty_gradient(answer: Any) -> str:
    """penalty_gradient(z (N, dim), q (N, dim), strength) -> (N, dim): of strength x mean |z - q|^2."""

    def one(number: int) -> None:
        rng = np.random.default_rng(50 + number)
        (N, d), strength = _SIZES[number], (0.7, 3.0)[number]
        z, q = rng.normal(size=(2, N, d))
        right = 2 * strength * (z - q) / N
        lengths = np.linalg.norm(z - q, axis=1, keepdims=True)
        compare(
            call(answer, z, q, strength),
            right,
            {
                "the sign is turned: that is the step towards q. The gradient points away from "
                "it.": -right,
                "the derivative of a square brings a factor 2.": right / 2,
                "the penalty is a mean over the batch: divide by N = len(z).": right * N,
                "the derivative of a square brings a factor 2, and the penalty is a mean: divide "
                "by N.": right * N / 2,
                "you divided by all N x dim numbers. Distances are summed over the dim numbers of a "
                "vector and averaged over the N vectors only.": right / d,
                "you divided by dim, the numbers of a vector; divide by N, the vectors.": (
                    right * N / d
                ),
                "lambda is missing: multiply by strength.": right / strength,
                "strength comes in twice.": right * strength,
                "each row has lost its length: that is the gradient of the distance, not of the "
                "squared distance.": (strength * (z - q) / lengths / N),
                "those are unit vectors times 2 lambda: the derivative of a square keeps the length of "
                "z - q, and a mean is divided by N.": 2 * strength * (z - q) / lengths,
                "those are lengths; a gradient has a direction, too: dim numbers for each vector.": (
                    2 * strength * lengths[:, 0] / N
                ),
                "q is missing: the penalty pulls towards q, so its gradient is along z - q.": (
                    2 * strength * z / N
                ),
                "each row has lost its length: that is the gradient of the distance, not of its "
                "square, and the mean over the batch is missing.": strength * (z - q) / lengths,
                "that is the penalty itself, one number; its gradient has a row for each z.": (
                    strength * (lengths**2).mean()
                ),
                "you added the rows; each vector has a gradient of its own.": right.sum(axis=0),
                "you squared the difference; its derivative is 2 (z - q), not squared.": (
                    2 * strength * (z - q) ** 2 / N
                ),
                "those are the parts of the penalty; take their derivative: 2 (z - q), not squared.": (
                    strength * (z - q) ** 2 / N
                ),
            },
            otherwise=lambda at: f"row {at[0]} should be {right[at[0]].round(4)}.",
        )

    at_every_size(_NAMES, one)
    return "2 lambda (z - q) / N: nowhere in it is the similarity loss."


@exercise(
    "05.3",
    hints=(
        "The step goes along -(g + p). A small step s changes the loss by about <g, s>.",
        "So the loss rises where <g, g + p> is below 0.",
        "((g + p) * g).sum(axis=1) holds all the products; compare them with 0.",
    ),
)
def goes_uphill(answer: Any) -> str:
    """goes_uphill(g (N, dim), p (N, dim)) -> (N,) booleans: does a step against the sum raise L?"""

    def one(number: int) -> None:
        rng = np.random.default_rng(52 + number)
        d = _SIZES[number][1]
        g, pull = rng.normal(size=(2, 40, d))
        pull = 1.5 * pull - 0.6 * g
        # Exactly a right angle, a sum of zeros however the processor rounds: not uphill.
        g[3], pull[3] = np.eye(d)[0], 2 * np.eye(d)[1] - np.eye(d)[0]
        product, along = (g * pull).sum(axis=1), (g * (g + pull)).sum(axis=1)
        longer = np.linalg.norm(pull, axis=1) > np.linalg.norm(g, axis=1)
        right = along < 0
        result = call(answer, g, pull)
        compare(
            result,
            right,
            {
                "that is downhill: a step against the sum raises the loss where <g, g + p> is "
                "below 0.": ~right,
                "that is downhill: a step against the sum raises the loss where <g, g + p> is "
                "below 0. ": along > 0,
                "a right angle is not uphill: there the product is 0, and < 0 is asked for.": (
                    along <= 0
                ),
                "you asked whether p alone works against g. A weak one is outvoted: take "
                "the sum g + p.": product < 0,
                "you asked whether p is longer than g. A long one may well go downhill: "
                "the angle counts, too.": longer,
                "longer than g and against it is not enough: project p on g, or take "
                "<g, g + p>.": longer & (product < 0),
                "you compared the sum with p; compare it with g, the similarity loss's own "
                "gradient.": ((g + pull) * pull).sum(axis=1) < 0,
                "both are gradients, so they are added: g + p, not g - p.": (
                    ((g - pull) * g).sum(axis=1) < 0
                ),
                "those are the products; compare them with 0.": along,
                "one number for all: take the sum over axis 1, one product for each vector.": (
                    (g * (g + pull)).sum() < 0
                ),
                "the axes are swapped: add over the numbers of a vector, axis=1.": (
                    (g * (g + pull)).sum(axis=0) < 0
                ),
                "that is how many; say which ones.": right.sum(),
                "that is the share; say which ones.": right.mean(),
                "those are row numbers; give True or False for each row.": np.flatnonzero(right),
                "that is a table, each vector with each; take the product of a row with its own row: "
                "(g * (g + p)).sum(axis=1).": g @ (g + pull).T < 0,
                "one answer for each number: add the products of a vector first, axis=1.": (
                    g * (g + pull) < 0
                ),
            },
            otherwise=f"of these {len(g)} vectors {right.sum()} go uphill, those with "
            "<g, g + p> < 0; yours differ in at least one.",
        )
        refuse_no_booleans(result)

    at_every_size(["vectors of 3 numbers", "vectors of 5 numbers"], one)
    return "an inner product decides: p must work against g and outweigh |g|^2."


@exercise(
    "05.4",
    hints=(
        "With u = q - z the sum is g - 2 lambda u. Put its product with g equal to 0.",
        "|g|^2 - 2 lambda <g, u> = 0. It has a positive solution only where <g, u> > 0: the codeword "
        "lies uphill.",
        "lambda = |g|^2 / (2 <g, u>); in NumPy |g|^2 is g @ g. Return np.inf unless g @ u > 0.",
    ),
)
def critical_strength(answer: Any) -> str:
    """critical_strength(g, z, q), each (dim,) -> lambda above which the sum goes uphill, or inf."""
    cases = list(_uphill_cases())

    def one(number: int) -> None:
        _judge_finite(call(answer, *cases[number]), *cases[number])

    at_every_size([f"{len(g)} numbers, case {i}" for i, (g, _, _) in enumerate(cases, 1)], one)
    g, z, q = np.array([1.0, 0.5]), np.array([0.2, 0.1]), np.array([-0.4, 0.3])
    try:
        value = _number(call(answer, g, z, q))
    except NotYet as nothing:  # the blank itself came to light above
        raise Mistake(
            "where the codeword lies downhill you return nothing (None); return np.inf there."
        ) from nothing
    if value == np.inf:
        return "short g, far codeword: there a weak penalty is enough to turn the point round."
    if value < 0:
        raise Mistake(
            "where the codeword lies downhill you give a negative strength. No strength turns the "
            "sum round there: return np.inf."
        )
    if np.isnan(value):
        raise Mistake("where the codeword lies downhill you give NaN; return np.inf.")
    if value == 0:
        raise Mistake(
            "where the codeword lies downhill you give 0, as if every strength went uphill; none "
            "does: return np.inf."
        )
    raise Mistake(
        f"right where the codeword lies uphill; but where <g, q - z> is below 0 no strength goes "
        f"uphill: return np.inf, not {value:.3g}."
    )


def _uphill_cases() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """g, z, q where the codeword lies uphill, in one to five dimensions."""
    for d in (2, 3, 2, 5, 1):
        rng = np.random.default_rng(54 + d)
        for _ in range(2):
            g, z, q = rng.normal(size=(3, d))
            if g @ (q - z) < 0:
                q = 2 * z - q  # the mirror image lies uphill
            yield g, z, q


def _judge_finite(got: Any, g: np.ndarray, z: np.ndarray, q: np.ndarray) -> None:
    u = q - z
    squared, along = float(g @ g), float(g @ u)
    right = squared / (2 * along)
    value = _number(got)
    if value == np.inf:
        raise Mistake(
            "you return infinity where the codeword lies uphill; there a finite strength is "
            "enough. Is the sign of q - z turned?"
        )
    compare(
        value,
        right,
        {
            "the sign is turned: u = q - z points to the codeword.": -right,
            "the factor 2 of the penalty's gradient is missing.": 2 * right,
            "the factor 2 of the penalty's gradient belongs below the line.": 4 * right,
            "above the line stands |g|^2, not |g|.": np.sqrt(squared) / (2 * along),
            "you compared lengths only, |g| with 2 lambda |q - z|; the angle between them counts, "
            "too.": np.sqrt(squared) / (2 * np.linalg.norm(u)),
            "that puts the sum at a right angle to the pull; it must be at a right angle to g.": (
                along / (2 * float(u @ u))
            ),
            "a / 2 * b multiplies by b: put the whole product below the line in brackets.": (
                squared / 2 * along
            ),
            "below the line stands the product <g, u>, not |u|^2.": squared / (2 * float(u @ u)),
            "upside down: |g|^2 stands above the line.": 1 / right,
            "you used q itself; the pull is along q - z.": squared / (2 * float(g @ q)),
            "you used z itself; the pull is along q - z.": squared / (2 * float(g @ z)),
        },
        otherwise=f"at g = {g.round(2)}, z = {z.round(2)}, q = {q.round(2)} the sum is at a right "
        f"angle to g for lambda = {right:.3f}, yours is {value:.3f}.",
    )


def _number(got: Any) -> float:
    """One real number, infinity and NaN included, or a `Mistake`."""
    try:
        array = np.asarray(got)
        if array.dtype.kind in "biuf" and array.shape == ():
            return float(array)
    except Exception:  # a tensor that needs a gradient, a ragged list: no number
        pass
    if isinstance(got, np.ndarray):
        raise Mistake(
            "expected one number, got an array: a product of vectors is g @ u, not g * u."
        )
    if isinstance(got, str):
        raise Mistake("expected one number, got text: infinity is np.inf, without quotes.")
    raise Mistake(f"expected one number, got {type(got).__name__}.")
