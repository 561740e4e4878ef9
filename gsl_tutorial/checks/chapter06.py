"""Checks of chapter 06: the snapping rule, built up by the student in three functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gsl_tutorial.checks.core import Mistake, NotYet, as_array, call, exercise


def _cases() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """A gradient, a point and codewords, several times, in two to four dimensions."""
    rng = np.random.default_rng(6)
    for d in (2, 2, 3, 4):
        yield rng.normal(size=d), rng.normal(size=d), rng.normal(size=(6, d))


@exercise(
    "06.1",
    hints=(
        "A small step towards c changes the loss by about the gradient times the step.",
        "The direction is c - z for each row c; the loss falls when its product with -g is > 0.",
        "codewords - z has shape (K, 2); multiply it with -g by the @ sign and compare with 0.",
    ),
)
def descends(answer: Any) -> str:
    """descends(g, z, codewords) -> (K,) booleans: does moving there lower the loss?"""
    for g, z, codewords in _cases():
        got = as_array(call(answer, g, z, codewords), (len(codewords),))
        directions = codewords - z
        right = directions @ -g > 0
        if np.array_equal(got.astype(bool), right) and set(np.unique(got)) <= {0, 1}:
            continue
        if not set(np.unique(got)) <= {0, 1}:
            raise Mistake("expected True or False for each codeword; compare the product with 0.")
        if np.array_equal(got.astype(bool), ~right):
            raise Mistake("the sign is turned round: the loss falls along -g, not along g.")
        if np.array_equal(got.astype(bool), codewords @ -g > 0):
            raise Mistake("you used c itself; the direction of the step is c - z.")
        squared = (directions**2).sum(axis=1)
        if np.array_equal(got.astype(bool), squared == squared.min()):
            raise Mistake("you marked the nearest codeword; nearness does not matter here.")
        raise Mistake(f"for g = {g.round(2)} the answer is {right}, yours is {got.astype(bool)}.")
    return "a codeword descends when its direction makes less than 90 degrees with -g."


@exercise(
    "06.2",
    hints=(
        "Best aligned means the smallest angle with -g: compare cosines, not products.",
        "cosine = (-g . direction) / (|g| |direction|); |g| is the same for all candidates.",
        "Take argmax of the cosines; return None when the largest is not above 0.",
    ),
)
def choose(answer: Any) -> str:
    """choose(g, z, candidates) -> index of the candidate best aligned with -g, or None."""
    blank = np.array([[1.0, 1.0], [2.0, 0.5]])
    # A blank answer gives None everywhere; a real one must give an index here.
    call(answer, np.array([-1.0, 0.0]), np.zeros(2), blank)
    # Here the longest product, the nearest and the best aligned are three different candidates.
    apart = (
        np.array([-1.0, 0.0]),
        np.zeros(2),
        np.array([[0.5, 0.5], [1.0, 0.1], [3.0, 2.0], [-2.0, 0.0]]),
    )
    for g, z, candidates in (apart, *_cases()):
        directions = candidates - z
        cosines = directions @ -g / np.linalg.norm(directions, axis=1) / np.linalg.norm(g)
        if cosines.max() <= 0:
            continue
        got = call(answer, g, z, candidates)
        if not _is_number(got):
            raise Mistake("expected one index (a whole number), the position of the candidate.")
        if got not in range(len(candidates)):
            raise Mistake(f"expected an index from 0 to {len(candidates) - 1}, got {got!r}.")
        if got == cosines.argmax():
            continue
        if got == cosines.argmin():
            raise Mistake("that one is best aligned with g: it goes straight uphill. Use -g.")
        if got == np.linalg.norm(directions, axis=1).argmin():
            raise Mistake("that is the nearest codeword, not the best aligned one.")
        if got == (directions @ -g).argmax():
            raise Mistake("you compared products: divide by the length of each direction.")
        raise Mistake(f"cosines {cosines.round(2)}: expected {cosines.argmax()}, got {got}.")
    try:
        call(answer, np.array([1.0, 0.0]), np.zeros(2), blank)
    except NotYet:  # None, as it should be
        return "the angle decides, and None says that no candidate descends."
    raise Mistake("where no candidate descends, return None: that is the fallback's case.")


def _is_number(got: Any) -> bool:
    try:
        array = np.asarray(got)
    except Exception:  # whatever a student returns, it is only "no number"
        return False
    return array.ndim == 0 and array.dtype.kind in "iuf"


@exercise(
    "06.3",
    hints=(
        "Make the direction a unit vector u: (c - z) / |c - z|.",
        "The projection of g on the line through u is (g . u) u.",
        "return (g @ u) * u; since c descends, g @ u is negative, so the step -result runs to c.",
    ),
)
def replace_gradient(answer: Any) -> str:
    """replace_gradient(g, z, c) -> the projection of g on the line from z to c."""
    for g, z, candidates in _cases():
        for c in candidates[(candidates - z) @ -g > 0]:
            got = as_array(call(answer, g, z, c), g.shape)
            u = (c - z) / np.linalg.norm(c - z)
            right = (g @ u) * u
            if np.allclose(got, right, atol=1e-6):
                continue
            if np.allclose(got, -right, atol=1e-6):
                raise Mistake("that is the step; the gradient points the other way, away from c.")
            if np.allclose(got, (g @ (c - z)) * (c - z), atol=1e-6):
                raise Mistake("c - z must be made a unit vector first: divide it by its length.")
            if np.allclose(got, (g @ (c - z)) * u, atol=1e-6) or np.allclose(
                got, (g @ u) * (c - z), atol=1e-6
            ):
                raise Mistake("one of the two factors still has the length of c - z.")
            if np.allclose(got, z - c, atol=1e-6):
                raise Mistake("that is the pull's gradient; its length should come from g.")
            if np.allclose(got, -np.linalg.norm(g) * u, atol=1e-6):
                raise Mistake('that is length "full"; here only the projected part is wanted.')
            raise Mistake(f"expected {right.round(3)}, got {got.round(3)}.")
    return "only the part of g along the line to c* is left."


@exercise(
    "06.4",
    hints=(
        "Start from the similarity gradient g: in this form it always passes.",
        "The pull is the gradient of strength * |z - c|^2 / batch with respect to z.",
        "Add the pull to g: twice strength times (z - c), divided by batch.",
    ),
)
def pull_gradient(answer: Any) -> str:
    """pull_gradient(g, z, c, strength, batch) -> g plus the pull to c."""
    strength, batch = 0.7, 5
    for g, z, candidates in _cases():
        c = candidates[0]
        got = as_array(call(answer, g, z, c, strength, batch), g.shape)
        pull = 2 * strength * (z - c) / batch
        if np.allclose(got, g + pull, atol=1e-6):
            continue
        if np.allclose(got, g - pull, atol=1e-6):
            raise Mistake("the sign of the pull is turned round: this pushes away from c.")
        if np.allclose(got, pull, atol=1e-6):
            raise Mistake("the similarity gradient g is lost; add it.")
        if np.allclose(got, g + pull / 2, atol=1e-6):
            raise Mistake("the derivative of a square brings a factor 2.")
        if np.allclose(got, g + pull * batch, atol=1e-6):
            raise Mistake("the loss is a mean over the batch: divide the pull by batch.")
        raise Mistake(f"expected {(g + pull).round(3)}, got {got.round(3)}.")
    return "the similarity gradient passes whole, and c* pulls."
