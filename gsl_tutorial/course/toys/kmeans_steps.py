"""k-means in plain NumPy, one half-step at a time, so that it can be looked at: chapter 02.

Two half-steps take turns. *Assign*: every point goes to its nearest codeword. *Move*: every codeword
goes to the mean of its points. Neither can raise the distortion. The method is that of Lloyd (1982);
what the package computes with is faiss's (`quantizers.kmeans`), and a test holds both to one result.
Changed here: a codeword without points stays where it is, unless `revive` moves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_rows, check_count, describe

#: Differences that are held at once: 16 MB.
_AT_ONCE = 2**21


@dataclass(frozen=True)
class Step:
    """Where k-means stands after a half-step.

    Attributes
    ----------
    kind : str
        "start", "assign" or "move".
    codewords : (K, d) float array
        Where the codewords are now.
    before : (K, d) float array
        The codewords that the assignment was made with; a move leaves them behind.
    assignment : (N,) integer array, or None
        The codeword of each point. At the start nothing is assigned yet.
    distortion : float or None
        The mean squared distance from a point to its codeword, None at the start.
    """

    kind: Literal["start", "assign", "move"]
    codewords: Float[np.ndarray, "K d"]
    before: Float[np.ndarray, "K d"]
    assignment: Integer[np.ndarray, " N"] | None
    distortion: float | None


def assign(
    points: Float[np.ndarray, "N d"], codewords: Float[np.ndarray, "K d"]
) -> Integer[np.ndarray, " N"]:
    """Return for each point the row of its nearest codeword, the first of equally near ones.

    Parameters
    ----------
    points : (N, d) float array
        What is assigned.
    codewords : (K, d) float array
        To what.

    Returns
    -------
    (N,) integer array
        Rows of `codewords`.

    Examples
    --------
    >>> assign(np.array([[0.0], [1.0], [5.0]]), np.array([[0.5], [4.0]]))
    array([0, 0, 1])
    """
    points = as_rows(points, name="points").astype(np.float64)
    codewords = as_rows(codewords, dim=points.shape[1], name="codewords")
    found = np.empty(len(points), dtype=np.int64)
    rows = max(1, _AT_ONCE // max(1, codewords.size))
    for start in range(0, len(points), rows):
        part = points[start : start + rows, None]
        found[start : start + rows] = ((part - codewords) ** 2).sum(axis=2).argmin(axis=1)
    return found


def distortion(
    points: Float[np.ndarray, "N d"],
    codewords: Float[np.ndarray, "K d"],
    assignment: Integer[np.ndarray, " N"],
) -> float:
    """Mean squared distance from a point to the codeword that it is assigned to.

    Parameters
    ----------
    points : (N, d) float array
        The points.
    codewords : (K, d) float array
        The codewords.
    assignment : (N,) integer array
        The row of each point's codeword.

    Returns
    -------
    float
        In squared units of the points.
    """
    difference = np.asarray(points, dtype=np.float64) - codewords[assignment]
    return float((difference**2).sum(axis=1).mean())


def move(
    points: Float[np.ndarray, "N d"],
    codewords: Float[np.ndarray, "K d"],
    assignment: Integer[np.ndarray, " N"],
) -> Float[np.ndarray, "K d"]:
    """Return each codeword at the mean of its points; one without points stays.

    Parameters
    ----------
    points, codewords, assignment
        See `distortion`.

    Returns
    -------
    (K, d) float array
        The new codewords.

    Examples
    --------
    >>> move(np.array([[0.0], [1.0]]), np.array([[3.0], [9.0]]), np.array([0, 0]))
    array([[0.5],
           [9. ]])
    """
    moved = np.array(codewords, dtype=np.float64)
    for k in np.unique(assignment):
        moved[k] = points[assignment == k].mean(axis=0, dtype=np.float64)
    return moved


def revive(
    points: Float[np.ndarray, "N d"],
    codewords: Float[np.ndarray, "K d"],
    assignment: Integer[np.ndarray, " N"],
) -> Float[np.ndarray, "K d"]:
    """Return the codewords, those without points put on the points farthest from their codewords.

    The first dead codeword takes the farthest point, the second the next one, and so on.

    Parameters
    ----------
    points, codewords, assignment
        See `distortion`.

    Returns
    -------
    (K, d) float array
        The new codewords.

    Examples
    --------
    >>> revive(np.array([[0.0], [1.0]]), np.array([[0.0], [9.0]]), np.array([0, 0]))
    array([[0.],
           [1.]])
    """
    revived = np.array(codewords, dtype=np.float64)
    dead = np.flatnonzero(np.bincount(assignment, minlength=len(codewords)) == 0)
    squared = ((points - revived[assignment]) ** 2).sum(axis=1)
    farthest = np.argsort(-squared, kind="stable")[: len(dead)]
    revived[dead[: len(farthest)]] = points[farthest]
    return revived


def kmeans_steps(
    points: Float[np.ndarray, "N d"], start: Float[np.ndarray, "K d"], *, n_rounds: int = 50
) -> list[Step]:
    """Every half-step of k-means from `start`, until no point changes its codeword.

    Parameters
    ----------
    points : (N, d) float array
        What the codewords are to describe.
    start : (K, d) float array
        Where the codewords begin.
    n_rounds : int
        The most rounds to do, each an assignment and a move; 0 or more.

    Returns
    -------
    list of Step
        The first is the start.

    Raises
    ------
    InvalidInputError
        Without a point or a codeword, and for a negative `n_rounds`.

    Examples
    --------
    >>> steps = kmeans_steps(np.array([[0.0], [1.0], [5.0]]), np.array([[0.0], [1.0]]))
    >>> [step.kind for step in steps]
    ['start', 'assign', 'move', 'assign', 'move', 'assign']
    >>> steps[-1].codewords.ravel(), steps[-1].distortion
    (array([0.5, 5. ]), 0.16666666666666666)
    """
    check_count(n_rounds, name="n_rounds", low=0)
    if not np.size(points) or not np.size(start):
        got = f"points: {describe(np.asarray(points))}, start: {describe(np.asarray(start))}"
        raise InvalidInputError(
            "at least one point and one codeword", got, "pass (N, d) and (K, d)"
        )
    codewords = np.array(start, dtype=np.float64)
    steps = [Step("start", codewords, codewords, None, None)]
    assignment = assign(points, codewords)
    steps.append(_step("assign", points, codewords, codewords, assignment))
    for _ in range(n_rounds):
        before, codewords = codewords, move(points, codewords, assignment)
        steps.append(_step("move", points, codewords, before, assignment))
        old, assignment = assignment, assign(points, codewords)
        steps.append(_step("assign", points, codewords, codewords, assignment))
        if np.array_equal(old, assignment):
            break
    return steps


def start_on_points(
    points: Float[np.ndarray, "N d"], n_codewords: int, *, random_state: int | np.random.Generator
) -> Float[np.ndarray, "K d"]:
    """Return `n_codewords` different points, drawn at random: the usual start.

    Parameters
    ----------
    points : (N, d) float array
        To choose from.
    n_codewords : int
        How many to choose, from 1 to N.
    random_state : int or Generator
        Where the randomness comes from.

    Returns
    -------
    (K, d) float array
        Where the codewords begin.

    Raises
    ------
    InvalidInputError
        If `n_codewords` is not from 1 to N.
    """
    check_count(n_codewords, name="n_codewords", low=1, high=len(points))
    rng = np.random.default_rng(random_state)
    return points[rng.choice(len(points), n_codewords, replace=False)]


def _step(
    kind: Literal["assign", "move"],
    points: Float[np.ndarray, "N d"],
    codewords: Float[np.ndarray, "K d"],
    before: Float[np.ndarray, "K d"],
    assignment: Integer[np.ndarray, " N"],
) -> Step:
    return Step(kind, codewords, before, assignment, distortion(points, codewords, assignment))
