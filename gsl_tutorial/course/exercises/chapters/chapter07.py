"""Checks of chapter 07, first half: a turn of each, and the bias in two numbers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, NotYet, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare


def _pair(result: Any, names: str) -> tuple[Any, Any]:
    """Two results; a blank in both places is not yet."""
    try:
        first, second = result
    except (TypeError, ValueError) as error:
        raise Mistake(
            f"expected two results, {names}; return them with a comma between."
        ) from error
    if all(one is None or one is ... for one in (first, second)):
        raise NotYet
    if first is None or second is None:
        raise Mistake(f"one of the two results is None; give both, {names}.")
    return first, second


def _round(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Points, gradients, codewords (one far from all points) and a rate: cells change in the step."""
    N, K, d = ((9, 3, 2), (14, 4, 3))[number]
    rng = np.random.default_rng(70 + number)
    codewords = rng.normal(size=(K, d))
    codewords[1] += 50.0
    return rng.normal(size=(N, d)), rng.normal(size=(N, d)), codewords, (0.7, 0.9)[number]


def _nearest(z: Any, codewords: Any) -> np.ndarray:
    found: np.ndarray = ((z[:, None] - codewords) ** 2).sum(axis=2).argmin(axis=1)
    return found


def _means(z: Any, codewords: Any, code: Any, empty: Any) -> np.ndarray:
    """The mean of each cell's points; `empty` (a place, or places) where a cell has none."""
    moved = np.array(np.broadcast_to(empty, codewords.shape), dtype=np.float64)
    for k in np.unique(code):
        moved[k] = z[code == k].mean(axis=0)
    return moved


def _flat(means: np.ndarray, code: np.ndarray) -> np.ndarray:
    """As if each cell had one mean for all axes."""
    wrong = means.copy()
    wrong[np.unique(code)] = means[np.unique(code)].mean(axis=1, keepdims=True)
    return wrong


def _summed(means: np.ndarray, code: np.ndarray) -> np.ndarray:
    """As if nobody had divided by the number of points."""
    count = np.bincount(code, minlength=len(means))
    return means * np.maximum(count, 1)[:, None]


@exercise(
    "07.1",
    hints=(
        "The network's turn is one step of gradient descent: z - rate * g. The codewords wait.",
        "In the codebooks' turn the points wait: nearest codeword of each *moved* point, then means.",
        "moved = z - rate * g; code = ((moved[:, None] - codewords) ** 2).sum(2).argmin(1); "
        "new = codewords.copy(); for k in set(code): new[k] = moved[code == k].mean(0); "
        "return moved, new",
    ),
)
def one_round(answer: Any) -> str:
    """one_round(z (N, d), g (N, d), codewords (K, d), rate) -> (moved z, moved codewords)."""

    def one(number: int) -> None:
        z, g, codewords, rate = _round(number)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # the mean of an empty cell
            result = call(answer, z, g, codewords, rate)
        got_z, got_codewords = _pair(result, "the moved points and the moved codewords")
        moved = z - rate * g
        compare(
            got_z,
            moved,
            {
                "the points climbed: a step of descent goes against the gradient, z - rate * g.": (
                    z + rate * g
                ),
                "the points have not moved: the network missed its turn.": z,
                "the step is the whole gradient; multiply it by rate.": z - g,
                "your step is 0.7 times the gradient, whatever `rate` says. Is a number written into your "
                "code that should come from the arguments?": z - 0.7 * g,
                "the two results are swapped: first the points, then the codewords.": (
                    _means(moved, codewords, _nearest(moved, codewords), codewords)
                ),
                "the points jumped onto their codewords; in the network's turn they follow g.": (
                    codewords[_nearest(z, codewords)]
                ),
            },
            otherwise=f"the first point should move to {moved[0].round(3)}: z - rate * g.",
        )
        code, old = _nearest(moved, codewords), _nearest(z, codewords)
        right = _means(moved, codewords, code, codewords)
        array = np.asarray(got_codewords) if np.size(got_codewords) == right.size else right
        if array.dtype.kind == "f" and array.shape == right.shape and np.isnan(array[1]).all():
            raise Mistake(
                "the codeword of an empty cell has become NaN, the mean of no points. It should "
                "stay where it is."
            )
        compare(
            got_codewords,
            right,
            {
                "the codewords have not moved: the codebooks missed their turn.": codewords,
                "the codewords went to where the points were before the network's turn; use the "
                "moved points.": _means(z, codewords, old, codewords),
                "the means are right for the old cells; look again which codeword is nearest to "
                "each moved point.": _means(moved, codewords, old, codewords),
                "the new cells, but the means of the old points: take the moved ones.": (
                    _means(z, codewords, code, codewords)
                ),
                "a codeword without points went to zero; it should stay where it is.": (
                    _means(moved, codewords, code, 0.0)
                ),
                "a codeword without points went to the mean of all; it should stay where it is.": (
                    _means(moved, codewords, code, moved.mean(axis=0))
                ),
                "a codeword without points is missing: return K rows.": right[np.unique(code)],
                "every codeword went to the mean of all points; take those of its own cell.": (
                    np.broadcast_to(moved.mean(axis=0), right.shape)
                ),
                "a mean over all numbers of a cell: each axis has a mean of its own, .mean(axis=0).": (
                    _flat(right, code)
                ),
                "those are the sums of the cells; divide each by its number of points.": (
                    _summed(right, code)
                ),
                "the codewords went a part of the way; in their turn they go to the means at once.": (
                    codewords + rate * (right - codewords)
                ),
            },
            otherwise=f"codeword 0 should be at {right[0].round(3)}, the mean of its moved points.",
        )

    at_every_size(["9 points and 3 codewords", "14 points and 4 codewords"], one)
    return "each side moved while the other held still; the codeword without points waited."


def _cosine(a: np.ndarray, b: np.ndarray, *, axis: int) -> np.ndarray:
    lengths = [np.linalg.norm(one, axis=axis) for one in (a, b)]
    return np.asarray((a * b).sum(axis=axis) / lengths[0] / lengths[1])


@exercise(
    "07.2",
    hints=(
        "The cosine of two vectors is their product, divided by both lengths; one for each row.",
        "Row by row: (used * g).sum(axis=1). The step is -used: it goes uphill where this is < 0.",
        "Divide these products by np.linalg.norm(..., axis=1) of both. Return two means: of the cosines, "
        "and of the booleans that say which products are negative.",
    ),
)
def bias_of(answer: Any) -> str:
    """bias_of(used (N, d), g (N, d)) -> (mean cosine, share that goes uphill)."""

    def one(number: int) -> None:
        N, d = ((10, 2), (21, 3), (7, 2))[number]
        rng = np.random.default_rng(72 + number)
        # Lengths differ by far, so that a mean of ratios is no ratio of means.
        g = rng.normal(size=(N, d)) * rng.uniform(0.1, 5, size=(N, 1))
        along = (1.4, 1.4, -0.8)[number]  # in the last most go uphill
        used = along * g + rng.normal(size=(N, d)) * rng.uniform(0.5, 5, size=(N, 1))
        if number == 1:
            # Uphill in the first row and in the last; exactly a right angle, which is not uphill, in row 3.
            used[0], used[-1] = -g[0], -2 * g[-1]
            used[3], g[3] = np.eye(d)[0], 2 * np.eye(d)[1]
        got_cosine, got_share = _pair(call(answer, used, g), "the mean cosine and the share")
        dot = (used * g).sum(axis=1)
        lengths = [np.linalg.norm(one, axis=1) for one in (used, g)]
        cosines, share = dot / lengths[0] / lengths[1], float((dot < 0).mean())
        compare(
            got_cosine,
            cosines.mean(),
            {
                "that is the mean product: divide each by the lengths of both vectors.": dot.mean(),
                "divided by one length only: a cosine needs both.": (dot / lengths[0]).mean(),
                "divided by one length only; a cosine needs both.": (dot / lengths[1]).mean(),
                "the lengths are squared: take their roots.": (
                    (dot / lengths[0] ** 2 / lengths[1] ** 2).mean()
                ),
                "that is one cosine for all numbers together, a ratio of sums, in which long "
                "gradients drown the short ones. Take a cosine for each row, then the mean.": (
                    dot.sum() / np.linalg.norm(used) / np.linalg.norm(g)
                ),
                "a ratio of means: take a cosine for each row first, then their mean.": (
                    dot.mean() / lengths[0].mean() / lengths[1].mean()
                ),
                "a ratio of means: take a cosine for each row first; then their mean.": (
                    dot.mean() / (lengths[0] * lengths[1]).mean()
                ),
                "the sign is turned: both are gradients, compare used with g, not with -g.": (
                    -cosines.mean()
                ),
                "one cosine for each row; take their mean.": cosines,
                "the axes are swapped: a vector is a row, so products and lengths along axis 1.": (
                    _cosine(used, g, axis=0).mean()
                ),
                "that is the cosine of the two mean vectors; take a cosine for each row first.": (
                    _cosine(used.mean(axis=0), g.mean(axis=0), axis=0)
                ),
                "the two results are swapped: first the mean cosine, then the share.": share,
            },
            otherwise=f"expected a mean cosine of {cosines.mean():.4f}: row by row, then the mean.",
        )
        compare(
            got_share,
            share,
            {
                "that is the share that goes downhill: uphill is where the product is below 0, for "
                "the step is -used.": 1 - share,
                "that is the share that goes downhill: uphill is where the product is below 0, for "
                "the step is -used. ": (dot > 0).mean(),
                "a right angle is not uphill: there the product is 0, and < 0 is asked for.": (
                    (dot <= 0).mean()
                ),
                "you counted them; divide by how many there are.": float((dot < 0).sum()),
                "which ones is not the question: take the mean.": dot < 0,
                "in per cent; a share lies between 0 and 1.": 100 * share,
                "number by number: it is the product of the whole rows that is negative or not.": (
                    (used * g < 0).mean()
                ),
            },
            otherwise=f"expected a share of {share:.4f}: where used and g make more than 90 degrees.",
        )

    at_every_size(
        ["10 vectors of 2 numbers", "21 vectors of 3 numbers", "7 vectors of 2 numbers"], one
    )
    return "one number says how far the gradient strays, the other how often it does harm."
