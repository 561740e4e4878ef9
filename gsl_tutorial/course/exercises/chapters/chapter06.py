"""Checks of chapter 06: the snapping rule, built up by the student in four functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, NothingReturned, NotYet, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare, refuse_no_booleans, shown

Case = tuple[np.ndarray, np.ndarray, np.ndarray]

#: A gradient, a point and codewords for which every known wrong test of descent says something else. The
#: third codeword lies exactly at a right angle: its way shares no axis with the gradient, so the product is
#: a sum of zeros, and exactly 0 however an answer scales the two and however the processor rounds.
_ALL_DIFFERENT: Case = (
    np.array([-2.0, 2.0, 0.0]),
    np.array([0.5, 1.0, 0.5]),
    np.array(
        [
            [0, -2, 0.5], [0, 1.5, 0.5], [0.5, 1, -1], [-1.5, -1.5, 0.5], [2, 0.5, 0.5],
            [-0.5, 0.5, 0.5],
        ]
    ),
)  # fmt: skip
#: Best aligned is candidate 2. The nearest, the longest product, the first that descends, the nearest that
#: descends, the worst aligned and the place among the descending ones are six others.
_ALL_APART: Case = (
    np.array([-1.0, 0.5]),
    np.array([0.5, 0.0]),
    np.array(
        [[-0.5, -3], [-2, -2], [2, -2.5], [1, 1.5], [-3, 3], [-0.5, -0.5], [2, -3], [2.5, 0.5]]
    ),
)
#: The nearest that descends, the best by product / length^2 and by product, and the best aligned are four.
_NEAR_AND_FAR: Case = (
    np.array([-1.0, 0.0]),
    np.array([1.0, 2.0]),
    np.array([[0.5, 2.0], [1.2, 2.98], [2.8, 2.872], [7.0, 2.0], [10.5, -1.12]]),
)


def _cases() -> Iterator[Case]:
    """A gradient, a point and codewords, several times, in two to four dimensions."""
    rng = np.random.default_rng(6)
    for number, (d, K) in enumerate(((2, 6), (2, 9), (3, 6), (4, 5), (3, 12), (2, 1))):
        g, z, codewords = rng.normal(size=d), 2 * rng.normal(size=d), rng.normal(size=(K, d))
        if number in (2, 4):  # the best aligned stands first, and last
            codewords[0 if number == 2 else -1] = z - 0.7 * g + 0.05
        yield g, z, codewords


def _names(cases: Sequence[Case]) -> list[str]:
    return [f"case {number}, in {len(case[0])} dimensions" for number, case in enumerate(cases, 1)]


@exercise(
    "06.1",
    hints=(
        "A small step towards c changes the loss by about the gradient times the step.",
        "The direction is c - z for each row c; the loss falls when its product with -g is > 0.",
        "codewords - z has shape (K, d); multiply it with -g by the @ sign and compare with 0.",
    ),
)
def descends(answer: Any) -> str:
    """descends(g, z, codewords) -> (K,) booleans: does moving there lower the loss?"""
    cases = [_ALL_DIFFERENT, *_cases()]

    def one(number: int) -> None:
        g, z, codewords = cases[number]
        directions = codewords - z
        products, squared = directions @ -g, (directions**2).sum(axis=1)
        right = products > 0
        turned = "the sign is turned round: the loss falls along -g, not along g."
        summed = (
            "that compares number by number: add the products of a row up first (or use @), one answer "
            "for each codeword."
        )
        wrong = {
            turned: products < 0,
            turned + " ": ~right,
            "a right angle does not descend: there the product is 0, and > 0 is asked for.": (
                products >= 0
            ),
            "you used c itself; the direction of the step is c - z.": codewords @ -g > 0,
            "you marked the nearest codeword; nearness does not matter here.": (
                squared == squared.min()
            ),
            "expected True or False for each codeword; compare the product with 0.": products,
            "expected True or False for each codeword; take the product with -g and ask whether it is "
            "above 0.": -products,
            summed: directions * -g > 0,
            summed + " ": (directions * -g > 0).all(axis=1),
            summed + "  ": (directions * -g > 0).any(axis=1),
            "the axes are swapped: one answer for each codeword, so add along axis 1.": (
                (directions * -g).sum(axis=0) > 0
            ),
            "those are row numbers; give True or False for each codeword.": np.flatnonzero(right),
        }
        result = call(answer, g, z, codewords)
        compare(
            result,
            right,
            wrong,
            otherwise=lambda at: (
                f"for g = {g.round(2).tolist()}, z = {z.round(2).tolist()} and the codeword "
                f"{codewords[at].round(2).tolist()} the answer is {bool(right[at])}, yours is "
                f"{not right[at]}: the product of c - z with -g is {products[at]:.2f}."
            ),
        )
        refuse_no_booleans(result)

    at_every_size(_names(cases), one)
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
    cases = [case for case in (_ALL_APART, _NEAR_AND_FAR, *_cases()) if (_cosines(*case) > 0).any()]

    def one(number: int) -> None:
        g, z, candidates = cases[number]
        directions = candidates - z
        lengths, products = np.linalg.norm(directions, axis=1), directions @ -g
        cosines = _cosines(g, z, candidates)
        right = cosines.argmax()
        got = _position(answer, g, z, candidates)
        (descending,) = np.nonzero(products > 0)
        of_itself = candidates @ -g
        known = {
            "that one is best aligned with g: it goes straight uphill. Use -g.": cosines.argmin(),
            "that is the nearest codeword, not the best aligned one.": lengths.argmin(),
            "you compared products: divide by the length of each direction.": products.argmax(),
            "divided by the squared length, the short directions win: divide by the length itself.": (
                (products / lengths**2).argmax()
            ),
            "that is the first one that descends; compare the angles of all.": descending[0],
            "that is the last one that descends; compare the angles of all.": descending[-1],
            "that is the nearest one that descends; choose by the angle.": (
                descending[lengths[descending].argmin()]
            ),
            "that is its place among the descending ones; give its place among all candidates.": (
                np.flatnonzero(descending == right)[0]
            ),
            "you used the candidates themselves; the direction of the step is candidate - z.": (
                (of_itself / np.linalg.norm(candidates, axis=1)).argmax()
            ),
            "your product takes the candidates themselves: subtract z there, as in the length.": (
                (of_itself / lengths).argmax()
            ),
            "divide by the length of candidate - z, not by that of the candidate.": (
                (products / np.linalg.norm(candidates, axis=1)).argmax()
            ),
            "that is the longest direction; choose by the angle.": lengths.argmax(),
            "one too far: positions count from 0.": right + 1,
        }
        if got != right and got not in range(len(candidates)) and got != right + 1:
            raise Mistake(f"expected an index from 0 to {len(candidates) - 1}, got {got!r}.")
        compare(
            got, right, known,
            otherwise=f"expected {right}, got {got}: the cosines with -g are "
            f"{cosines.round(2).tolist()}. By what do you choose?",
        )  # fmt: skip

    at_every_size(_names(cases), one)
    g, z = np.array([1.0, 0.0]), np.array([0.5, 0.0])
    uphill = ("goes uphill", [[1.5, 1.0], [2.5, 0.5]])
    level = ("stands at a right angle to g, where the product is 0", [[2.5, 1.0], [0.5, 2.0]])
    for where, candidates in (uphill, level):
        try:
            got = call(answer, g, z, np.array(candidates))
        except NotYet:  # None, as it should be
            continue
        raise Mistake(
            f"where no candidate descends, return None: that is the fallback's case. You got {shown(got)}, "
            f"and that candidate {where}."
        )
    return "the angle decides, and None says that no candidate descends."


def _cosines(g: Any, z: Any, candidates: Any) -> np.ndarray:
    directions = candidates - z
    return np.asarray(directions @ -g / np.linalg.norm(directions, axis=1) / np.linalg.norm(g))


def _position(answer: Any, g: Any, z: Any, candidates: Any) -> Any:
    """What the answer gives where a candidate descends: a whole number, or the `Mistake`."""
    try:
        got = call(answer, g, z, candidates)
    except NothingReturned as none:
        raise Mistake(
            "you returned None although some candidates descend. Is the sign of g turned round, is it "
            "argmin in place of argmax, or does a `return` miss?"
        ) from none
    if not _is_number(got):
        raise Mistake("expected one index (a whole number), the position of the candidate.")
    return got


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
    cases = [
        (g, z, c) for g, z, candidates in _cases() for c in candidates[(candidates - z) @ -g > 0]
    ]

    def one(number: int) -> None:
        g, z, c = cases[number]
        way = c - z
        u = way / np.linalg.norm(way)
        right = (g @ u) * u
        one_long = "one of the two factors still has the length of c - z."
        wrong = {
            "that is the step; the gradient points the other way, away from c.": -right,
            "c - z must be made a unit vector first: divide it by its length.": (g @ way) * way,
            one_long: (g @ way) * u,
            "that is the pull's gradient; its length should come from g.": -way,
            "that is the direction alone; its length and its sign should come from g.": way,
            'that is length "full"; here only the projected part is wanted.': (
                -np.linalg.norm(g) * u
            ),
            "that is the part of g across the line; the part along it was asked for.": g - right,
            "the other way round: c - z on the line of g. Project g on the line of c - z.": (
                (g @ way) / (g @ g) * g
            ),
            "you used c itself; the line runs from z to c, along c - z.": (g @ c) / (c @ c) * c,
            "that is only how long it is; multiply by the unit vector.": g @ u,
            "that is how long it is, times the length of c - z; (g . u) u was asked for.": g @ way,
            "number by number; g . u is one number, the sum of the products.": g * u * u,
        }
        compare(
            call(answer, g, z, c),
            right,
            wrong,
            otherwise=f"for g = {g.round(2).tolist()} and c - z = {way.round(2).tolist()} expected "
            f"{right.round(3).tolist()}.",
        )

    at_every_size(_names(cases), one)
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
    cases = list(_cases())

    def one(number: int) -> None:
        g, z, candidates = cases[number]
        strength, batch = ((0.7, 5), (1.3, 8), (3.0, 2), (0.2, 3), (1.0, 7), (2.5, 1))[number]
        c = candidates[0]
        away = strength * (z - c)
        pull = 2 * away / batch
        wrong = {
            "the sign of the pull is turned round: this pushes away from c.": g - pull,
            "that is the step; what leaves the layer is the gradient, its opposite.": -g - pull,
            "the similarity gradient g is lost; add it.": pull,
            "the derivative of a square brings a factor 2.": g + pull / 2,
            "the loss is a mean over the batch: divide the pull by batch.": g + pull * batch,
            "two things are missing: the factor 2 of a derivative, and the division by batch.": g
            + away,
            "g passes whole: divide the pull by batch, not g.": (g + 2 * away) / batch,
            "divide by batch; you multiplied.": g + 2 * away * batch,
            "you squared z - c: that is the loss. Its derivative is 2 (z - c).": (
                g + strength * (z - c) ** 2 / batch
            ),
            "you added the loss itself; add its derivative with respect to z, 2 (z - c).": (
                g + away @ (z - c) / batch
            ),
            "g alone: the pull is missing.": g,
        }
        compare(
            call(answer, g, z, c, strength, batch),
            g + pull,
            wrong,
            otherwise=f"for g = {g.round(2).tolist()} and z - c = {(z - c).round(2).tolist()} expected "
            f"{(g + pull).round(3).tolist()}.",
        )

    at_every_size(_names(cases), one)
    return "the similarity gradient passes whole, and c* pulls."
