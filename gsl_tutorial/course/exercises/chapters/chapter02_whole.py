"""The check of chapter 02 that puts the halves together: the whole of k-means."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare

Vectors = Float[np.ndarray, "N dim"]

#: N, K, dim, rounds, codewords that are far from all points, and how far the whole lies from 0.
_CASES = (
    (20, 3, 2, 1, 0, 0.0), (24, 3, 2, 2, 0, 0.0), (40, 4, 3, 5, 0, 0.0), (24, 4, 2, 3, 1, 0.0),
    (12, 2, 1, 2, 0, -4.0), (9, 3, 2, 0, 0, 0.0), (30, 5, 4, 2, 2, 3.0),
)  # fmt: skip
_NAMES = [
    f"{rounds} round{'s' * (rounds != 1)} (N = {N}, K = {K}, dim = {dim}"
    f"{', some codewords far from all points' * (far > 0)})"
    for N, K, dim, rounds, far, _ in _CASES
]


def _example(number: int) -> tuple[Vectors, Vectors, int]:
    """Points, where the codewords start, and the rounds; every round moves something."""
    N, K, dim, rounds, far, offset = _CASES[number]
    rng = np.random.default_rng(250 + number)
    points = rng.normal(size=(N, dim))
    start = points[:K] + 0.3 * rng.normal(size=(K, dim))
    start[:far] += 30.0
    return points + offset, start + offset, rounds


def _cells(points: Vectors, codewords: Vectors, *, power: int = 2) -> Any:
    return (np.abs(points[:, None] - codewords) ** power).sum(axis=2).argmin(axis=1)


def _rounds(
    points: Vectors,
    start: Vectors,
    rounds: int,
    *,
    middle: Any = np.mean,
    power: int = 2,
    empty: Any = None,
) -> Vectors:
    """The codewords after so many rounds; those without points stay, or go to `empty`."""
    codewords = start.copy()
    for _ in range(rounds):
        cells = _cells(points, codewords, power=power)
        for k in np.unique(cells):
            codewords[k] = middle(points[cells == k], axis=0)
        if empty is not None:
            codewords[np.isin(np.arange(len(codewords)), cells, invert=True)] = empty
    return codewords


def _one_by_one(points: Vectors, start: Vectors, rounds: int) -> Vectors:
    """As k-means, but the cells are found anew after each single move."""
    codewords = start.copy()
    for _ in range(rounds):
        for k in range(len(codewords)):
            mine = points[_cells(points, codewords) == k]
            codewords[k] = mine.mean(axis=0) if len(mine) else codewords[k]
    return codewords


def _farthest(points: Vectors, start: Vectors, rounds: int) -> Vectors:
    codewords = start.copy()
    for _ in range(rounds):
        cells = ((points[:, None] - codewords) ** 2).sum(axis=2).argmax(axis=1)
        for k in np.unique(cells):
            codewords[k] = points[cells == k].mean(axis=0)
    return codewords


@exercise(
    "02.5",
    hints=(
        "A round is 02.1, then 02.3: find the cells of the codewords as they stand now, then move each "
        "of them to the mean of its cell.",
        "Start with a copy of `start`, so that nobody's array changes. In a loop over the rounds, compute "
        "the cells anew, then move each codeword that has points. Return after the loop.",
        "The cells are the argmin over axis 1 of ((points[:, None] - codewords) ** 2).sum(axis=2). For "
        "each k with (cells == k).any(): codewords[k] = points[cells == k].mean(axis=0).",
    ),
)
def run_kmeans(answer: Any) -> str:
    """run_kmeans(points, start, n_rounds) -> (K, dim) codewords after so many rounds."""

    def one(number: int) -> None:
        points, start, rounds = _example(number)
        right = _rounds(points, start, rounds)
        cells, after = _cells(points, start), _cells(points, right)
        alone = np.isin(np.arange(len(start)), after, invert=True)
        wrong = {
            "that is where one round leads. In every round, first find the cells anew, then move; and "
            "`return` comes after the loop.": _rounds(points, start, min(rounds, 1)),
            "the codewords are where they started: does the loop change them?": start,
            "that is one round too few.": _rounds(points, start, max(rounds - 1, 0)),
            "that is one round too many.": _rounds(points, start, rounds + 1),
            "these are the cells of the points, a number for each; return the codewords.": after,
            "these are the cells of the points, a number for each; return the codewords. ": cells,
            "you moved to the median of each cell; the mean is what makes the sum of squares smallest.": (
                _rounds(points, start, rounds, middle=np.median)
            ),
            "you added up each cell and did not divide by the number of its points.": (
                _rounds(points, start, rounds, middle=np.sum)
            ),
            "you assigned by absolute differences; k-means lowers squared ones.": (
                _rounds(points, start, rounds, power=1)
            ),
            "you assigned again after each single move: find all cells first, then move all codewords.": (
                _one_by_one(points, start, rounds)
            ),
            "each point went to its farthest codeword: argmin, not argmax.": (
                _farthest(points, start, rounds)
            ),
            "a codeword without points went to 0; it stays where it was.": (
                _rounds(points, start, rounds, empty=0.0)
            ),
            "a codeword without points went to the middle of all; it stays where it was.": (
                _rounds(points, start, rounds, empty=points.mean(axis=0))
            ),
            "a codeword without points is missing; it stays where it was.": right[~alone],
        }
        result = call(answer, points, start, rounds)
        if _holds_nan(result) and alone.any():
            raise Mistake(
                "NaN: the mean of no points. A codeword whose cell is empty stays where it was."
            )
        compare(
            result,
            right,
            wrong,
            otherwise=lambda at: (
                f"codeword {at[0]}, number {at[1]}: expected {right[at]:.4f} after {rounds} rounds."
            ),
        )

    at_every_size(_NAMES, one)
    return (
        "that is k-means, whole. The next cell lets it learn from the digits, beside the package's."
    )


def _holds_nan(result: Any) -> bool:
    try:
        return bool(np.isnan(np.asarray(result, dtype=np.float64)).any())
    except Exception:  # no array of numbers: `compare` says what it is
        return False
