"""Checks of chapter 02, second half: codewords that move, and codewords without points."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.exercises.chapters.chapter02 import _DEAD, _NAMES, _SIZES, _example
from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare


@exercise(
    "02.3",
    hints=(
        "points[assignment == k] are the points of cell k; their mean is the codeword's new place.",
        "Start from a copy of the codewords and loop over k; skip a cell without points.",
        "In the loop take the points of cell k. If there are any, row k of the copy becomes their "
        ".mean(axis=0). Return the copy after the loop.",
    ),
)
def move_codewords(answer: Any) -> str:
    """move_codewords(points, codewords, assignment) -> (K, dim): means; empty cells stay."""

    def one(number: int) -> None:
        points, codewords, assignment = _example(number)
        K, alive = len(codewords), np.unique(assignment)
        counts = np.bincount(assignment, minlength=K)
        sums = np.stack([points[assignment == k].sum(axis=0) for k in range(K)])
        means = sums / np.maximum(counts, 1)[:, None]
        right = np.where(counts[:, None] > 0, means, codewords)
        empty, half = (counts == 0)[:, None], (codewords + right) / 2
        overall = points.mean(axis=0)
        flat = np.array([points[assignment == k].mean() if counts[k] else 0.0 for k in range(K)])
        middles = np.stack([np.median(points[assignment == k], axis=0) for k in alive])
        wrong = {
            "a codeword without points went to zero; it should stay where it was.": means,
            "a codeword without points went to the mean of all points; it should stay.": (
                np.where(empty, overall, means)
            ),
            "a codeword without points is missing: return K rows, that one unchanged.": means[
                alive
            ],
            "you added the points of each cell; divide by how many they are.": (
                np.where(empty, codewords, sums)
            ),
            "you added the points of each cell, and empty cells went to zero: take means.": sums,
            "you divided by the number of all points; divide by those of the cell.": (
                np.where(empty, codewords, sums / len(points))
            ),
            "every codeword went to the mean of all points; take those of its own cell.": (
                np.broadcast_to(overall, right.shape)
            ),
            "the codewords are where they were: nothing has moved.": codewords,
            "that is half of the way: a codeword goes to the mean itself.": half,
            "the mean runs over all numbers of a cell; take it over its points: .mean(axis=0).": (
                np.where(empty, codewords, flat[:, None])
            ),
            "one number for each cell is too little: .mean(axis=0) leaves one for each axis.": flat,
            "you took the median; the mean is what lowers squared distances.": _put(
                codewords, alive, middles
            ),
            "the old codeword was averaged in as if it were a point; leave it out.": (
                np.where(empty, codewords, (sums + codewords) / (counts + 1)[:, None])
            ),
            "the axes are swapped: one row for each codeword.": right.T,
            "you assigned the points anew; here the cells stay as `assignment` says.": (
                _means(points, codewords, ((points[:, None] - codewords) ** 2).sum(2).argmin(1))
            ),
        }
        result = _called(answer, points, codewords, assignment)
        if isinstance(result, np.ndarray) and result.shape == right.shape:
            missing = np.isnan(result).any(axis=1)
            if missing.any() and np.array_equal(missing, empty[:, 0]):
                raise Mistake(
                    "an empty cell has become NaN: the mean of no points. Leave such a codeword "
                    "where it was."
                )
            if missing.any():
                raise Mistake(f"NaN in rows {np.flatnonzero(missing)}, also of cells with points.")

        def otherwise(at: tuple[int, ...]) -> str:
            k, where = at[0], right[at[0]].round(3)
            if np.allclose(np.asarray(result)[k], codewords[k]):
                return (
                    f"codeword {k} has not moved; it should be at {where}, the mean of its points. Does "
                    "the loop reach every codeword, and does `return` stand after the loop?"
                )
            return f"codeword {k} should be at {where}, the mean of its points."

        compare(result, right, wrong, otherwise=otherwise)

    at_every_size(_NAMES, one)
    return "each codeword stands in the middle of its points, and one without points stays."


@exercise(
    "02.4",
    hints=(
        "np.bincount(assignment, minlength=len(codewords)) counts the points of each codeword.",
        "Sort the points by squared distance to their codewords, farthest first: np.argsort(-far).",
        "The dead codewords are np.flatnonzero of the counts that are 0. In a copy of the codewords, "
        "put as many of the farthest points into the dead rows, and return the copy.",
    ),
)
def revive_dead(answer: Any) -> str:
    """revive_dead(points, codewords, assignment) -> (K, dim): dead ones on the farthest points."""

    def one(number: int) -> None:
        points, codewords, assignment = _example(number)
        dead = np.array(_DEAD[number], dtype=int)
        squared = ((points - codewords[assignment]) ** 2).sum(axis=1)
        order = np.argsort(-squared)
        counts = np.bincount(assignment, minlength=len(codewords))
        # Without dead codewords most mistakes below have no place to happen.
        far = order[: len(dead)]
        from_dead = ((points[:, None] - codewords[dead]) ** 2).sum(axis=2).sum(axis=1)
        wrong: dict[str, Any] = {}
        if len(dead):
            nearest = ((points[:, None] - codewords) ** 2).sum(axis=2)
            wrong |= {
                "the dead codewords are where they were.": codewords,
                "you measured to the nearest codeword; measure to the one that `assignment` names.": (
                    _put(codewords, dead, points[np.argsort(-nearest.min(1))[: len(dead)]])
                ),
                "you took the points nearest to their codewords; take the farthest: sort by -far.": (
                    _put(codewords, dead, points[order[::-1][: len(dead)]])
                ),
                "you moved the codeword of the farthest point; move the dead one there.": (
                    _put(codewords, assignment[far], points[far])
                ),
                "you measured from the dead codeword; measure each point from its own codeword.": (
                    _put(codewords, dead, points[np.argsort(-from_dead)[: len(dead)]])
                ),
                "all dead codewords went to one point; the second would be dead again.": (
                    _put(codewords, dead, points[far[:1]])
                ),
                "the right points, but in the other order: the first dead gets the farthest.": (
                    _put(codewords, dead, points[far[::-1]])
                ),
                "a dead codeword went to the mean of all points; put it on the farthest point.": (
                    _put(codewords, dead, points.mean(axis=0))
                ),
                "a dead codeword went onto another codeword: put it on the farthest point itself.": (
                    _put(codewords, dead, codewords[assignment[far]])
                ),
                "only the first dead codeword has moved; there are more.": (
                    _put(codewords, dead[:1], points[far[:1]])
                ),
                "that is the position of the farthest point; put the point itself there.": (
                    _put(codewords, dead, far[:, None])
                ),
            }
        seen = np.flatnonzero(np.bincount(assignment) == 0)
        wrong |= {
            "a dead codeword at the end of the book has not moved. np.bincount stops at the largest number "
            "it meets: give it minlength=len(codewords).": (
                _put(codewords, seen, points[order[: len(seen)]])
            ),
            "you moved the codeword with the most points; move the one with none.": (
                _put(codewords, [counts.argmax()], points[order[:1]])
            ),
            "those are only the revived ones; return all K codewords.": points[far],
            "those are the dead codewords' row numbers; return all K codewords.": dead,
            "the others went to zero: start from a copy of the codewords, not from zeros.": (
                _put(0 * codewords, dead, points[far])
            ),
            "the others have moved, too, to the means of their points: only the dead ones may.": (
                _put(_means(points, codewords, assignment), dead, points[far])
            ),
        }
        compare(
            _called(answer, points, codewords, assignment),
            _put(codewords, dead, points[far]),
            wrong,
            otherwise="only codewords without points may move, each to the point farthest from "
            f"its codeword; here dead are {dead.tolist()}, farthest are the points {far.tolist()}.",
        )

    at_every_size(
        [f"{len(dead)} dead of {K}" for dead, (_, K, _) in zip(_DEAD, _SIZES, strict=True)], one
    )
    return "a codeword that nobody used now serves the worst served point."


def _means(points: Any, codewords: Any, assignment: Any) -> Float[np.ndarray, "K d"]:
    """Each codeword at the mean of its points; one without points stays."""
    moved = np.array(codewords)
    for k in np.unique(assignment):
        moved[k] = points[assignment == k].mean(axis=0)
    return moved


def _put(codewords: Any, rows: Any, places: Any) -> Float[np.ndarray, "K d"]:
    """The codewords with these rows at these places."""
    moved = np.array(codewords)
    moved[rows] = places
    return moved


def _called(answer: Any, *arguments: Any) -> Any:
    """Call it; empty means may warn in silence, and rows that do not fit get their own sentence."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = call(answer, *arguments)
    except ValueError as error:
        if "broadcast" in str(error) or "same shape" in str(error):
            raise Mistake(
                f"a row has the wrong number of entries ({error}). The mean over the points of a cell is "
                ".mean(axis=0); it leaves one number for each axis."
            ) from error
        raise
    try:
        array = np.asarray(result)
    except Exception:  # ragged lists: the comparison explains
        return result
    return array if array.dtype.kind in "biuf" else result
