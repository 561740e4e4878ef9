"""Checks of chapter 02, first half: the cell of every point, and the distortion."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare
from gsl_tutorial.course.exercises.slips import of_a_sum, of_the_nearest

#: N, K, dim of the trials, and which codewords get no points.
_SIZES = ((12, 5, 2), (30, 6, 3), (5, 2, 1), (9, 4, 2), (8, 3, 4), (7, 3, 2))
#: In the second it is the last one, which np.bincount alone does not count.
_DEAD: tuple[tuple[int, ...], ...] = ((1, 3), (5,), (), (0,), (1,), (0, 2))
#: The fourth and the last are small, the last two lie far from 0.
_SCALES, _OFFSETS = (1.0, 1.0, 1.0, 0.1, 1.0, 0.1), (0.0, 0.0, 0.0, 0.0, 5.0, -3.0)
_NAMES = [f"N = {N}, K = {K}, dim = {dim}" for N, K, dim in _SIZES]


def _example(
    number: int,
) -> tuple[Float[np.ndarray, "N dim"], Float[np.ndarray, "K dim"], Integer[np.ndarray, " N"]]:
    """Points, codewords and an assignment that is not the nearest one; some codewords are dead."""
    N, K, dim = _SIZES[number]
    rng = np.random.default_rng(60 + number)
    alive = np.setdiff1d(np.arange(K), _DEAD[number])
    assignment = rng.permutation(np.concatenate([alive, rng.choice(alive, N - len(alive))]))
    if number == 4:  # a cell with a single point
        assignment[:], assignment[3] = alive[-1], alive[0]
    points, codewords = rng.normal(size=(N, dim)), rng.normal(size=(K, dim))
    if number == 3:
        points[-1] = codewords[assignment[-1]] + 3.0  # the last point is the farthest
    scale, offset = _SCALES[number], _OFFSETS[number]
    return scale * points + offset, scale * codewords + offset, assignment


@exercise(
    "02.1",
    hints=(
        "You need a table of squared distances, a row for each point, a column for each codeword.",
        "points[:, None] - codewords has shape (N, K, dim); square it and sum over axis 2.",
        "return ((points[:, None] - codewords) ** 2).sum(axis=2).argmin(axis=1)",
    ),
)
def assign_cells(answer: Any) -> str:
    """assign_cells(points, codewords) -> (N,) rows of the nearest codewords."""

    def one(number: int) -> None:
        points, codewords, _ = _example(number)
        difference = points[:, None] - codewords
        squared = (difference**2).sum(axis=2)
        right = squared.argmin(axis=1)
        wrong = {
            "those are the codewords; return only their row numbers.": codewords[right],
            "you added the differences as they are, so that they cancel; square them first.": (
                difference.sum(axis=2).argmin(axis=1)
            ),
            "you added absolute differences; k-means lowers squared ones.": (
                np.abs(difference).sum(axis=2).argmin(axis=1)
            ),
            "you took the largest inner product; nearest means the smallest squared distance.": (
                (points @ codewords.T).argmax(axis=1)
            ),
            "that is the first point only; there is a number for each point.": right[:1],
            "add the squares up over the numbers of a vector before argmin: .sum(axis=2).": (
                (difference**2).argmin(axis=1)
            ),
            **of_the_nearest(squared),
        }
        result = call(answer, points, codewords)
        compare(
            result,
            right,
            wrong,
            otherwise=lambda at: f"point {at[0]} belongs to codeword {right[at]}.",
        )
        kind = np.asarray(result).dtype
        if kind.kind not in "iu":
            raise Mistake(f"the numbers are right, but rows are whole numbers; yours are {kind}.")

    at_every_size(_NAMES, one)
    return "every point knows its cell. That is also how a vector is encoded."


@exercise(
    "02.2",
    hints=(
        "codewords[assignment] puts under each point the codeword it belongs to, (N, dim).",
        "Subtract, square, sum over axis 1: one squared distance for each point. Then the mean.",
        "return ((points - codewords[assignment]) ** 2).sum(axis=1).mean()",
    ),
)
def mean_distortion(answer: Any) -> str:
    """mean_distortion(points, codewords, assignment) -> the mean squared distance."""

    def one(number: int) -> None:
        points, codewords, assignment = _example(number)
        difference = points - codewords[assignment]
        squared = (difference**2).sum(axis=1)
        table = ((points[:, None] - codewords) ** 2).sum(axis=2)
        right = squared.mean()
        cells = [squared[assignment == k].mean() for k in np.unique(assignment)]
        wrong = {
            "that is the sum over all points; distortion is their mean.": squared.sum(),
            "you took the mean over the numbers of a vector, too: sum over axis 1 first, then the mean.": (
                (difference**2).mean()
            ),
            "you took the root at the end; distortion stays squared.": np.sqrt(right),
            "you averaged distances; average their squares: no root.": np.sqrt(squared).mean(),
            "you added absolute differences; square them instead.": (
                np.abs(difference).sum(axis=1).mean()
            ),
            "these are the squared distances of the points; one step is left: .mean().": squared,
            "you averaged over the points only; sum over the numbers of a vector first: axis 1.": (
                (difference**2).mean(axis=0)
            ),
            "you searched for the nearest codeword; take the one that `assignment` names.": (
                table.min(axis=1).mean()
            ),
            "that is the mean to all codewords; each point counts its own only.": table.mean(),
            "you divided by K; divide by the number of points.": squared.sum() / len(codewords),
            "you averaged the means of the cells; each point counts the same, so take one mean.": (
                np.mean(cells)
            ),
            "you added the differences without squaring them, so that they cancel.": (
                difference.sum(axis=1).mean()
            ),
            "you squared the sum; square each difference first, then add.": (
                (difference.sum(axis=1) ** 2).mean()
            ),
            "you added over the points, axis 0; add over the numbers of a vector, axis 1.": (
                (difference**2).sum(axis=0).mean()
            ),
            "that is the first point only; does `return` stand inside the loop?": squared[0],
            **{text: value.mean() for text, value in of_a_sum(difference**2).items()},
        }
        with np.errstate(all="ignore"):  # the mean of an empty cell is a warning and NaN
            result = _quietly(answer, points, codewords, assignment)
        if len(np.unique(assignment)) < len(codewords) and _is_nan(result):
            raise Mistake(
                "NaN: a cell without points has no mean. Do not go by cells: one mean over all points."
            )
        compare(
            result,
            right,
            wrong,
            otherwise=f"expected {right:.4f}; the first point adds {squared[0]:.4f} to the sum.",
        )

    at_every_size(_NAMES, one)
    return "one number for a whole codebook: the mean squared distance. k-means lowers it."


def _quietly(answer: Any, *arguments: Any) -> Any:
    """Call it without the warnings that empty means bring."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(answer, *arguments)


def _is_nan(result: Any) -> bool:
    return isinstance(result, float) and bool(np.isnan(result))
