"""Checks of chapter 04, first half: a rotation around a quantizer, and the greedy code of a sum."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare

#: M, K, dim of the trials, and seeds of examples in which the mistakes below lead to other codes.
_SIZES = ((3, 8, 4), (4, 4, 3), (1, 6, 2))
_NAMES = [f"M = {M}, K = {K}, dim = {dim}" for M, K, dim in _SIZES]
_SEEDS = (87, 40, 92)


class _NotRows(ValueError):
    """The quantizer of a trial was given something else than rows."""


def _steps_of(width: float, dim: int) -> Any:
    """A quantizer for trials: every number goes to the middle of its interval, other in each column."""
    widths = width * (1 + 0.3 * np.arange(dim))

    def quantize(X: Any) -> Float[np.ndarray, "N dim"]:
        rows = np.asarray(X, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != dim:
            raise _NotRows(
                f"quantize takes an array of rows, (N, {dim}); it was given shape {rows.shape}. For "
                "all rows at once, rotation @ z is X @ rotation.T."
            )
        return (np.floor(rows / widths) + 0.5) * widths

    return quantize


@exercise(
    "04.1",
    hints=(
        "Three steps: turn all vectors, call quantize, turn the reconstructions back.",
        "For one vector, z' = rotation @ z. For the rows of X that is X @ rotation.T.",
        "To turn back, multiply the quantized rows by the rotation itself, not by its transpose.",
    ),
)
def rotate_quantize(answer: Any) -> str:
    """rotate_quantize(X, rotation, quantize) -> (N, dim): turned, quantized, turned back."""
    sizes = ((6, 4), (3, 5), (3, 3))

    def one(number: int) -> None:
        N, dim = sizes[number]
        rng = np.random.default_rng(80 + number)
        X = rng.normal(size=(N, dim))
        R = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
        quantize = _steps_of(0.5, dim)
        turned, other = X @ R.T, X @ R
        wrong = {
            "you quantized the vectors as they stand; turn them first.": quantize(X),
            "you did not turn back: the reconstructions are still in the turned space.": (
                quantize(turned)
            ),
            "you turned the wrong way round, and not back. Vectors are rows: X @ rotation.T.": (
                quantize(other)
            ),
            "you turned twice the same way; to turn back, use the transpose of what you turned "
            "with.": quantize(turned) @ R.T,
            "you turned twice the same way, by the transpose of what is asked for. "
            "Vectors are rows: first X @ rotation.T, at the end @ rotation.": quantize(other) @ R,
            "both turns are the wrong way round. rotation @ z for one vector is X @ rotation.T for "
            "rows.": quantize(other) @ R.T,
            "those are the vectors as they came: nothing was quantized.": X,
            "you only turned the vectors; quantize them, then turn back.": turned,
            "you quantized before you turned; turn first.": quantize(X) @ R.T,
            "quantized before turning, and turned the wrong way round.": quantize(X) @ R,
            "the axes are swapped: one vector in each row.": (quantize(turned) @ R).T,
        }
        try:
            result = call(answer, X, R, quantize)
        except _NotRows as error:
            raise Mistake(str(error)) from error
        except AttributeError as error:
            if "'function' object" not in str(error):
                raise
            raise Mistake("`quantize` is a function here: call it, quantize(...).") from error
        except ValueError as error:
            if "matmul" not in str(error) and "shapes" not in str(error):
                raise
            raise Mistake(
                "a product of two arrays whose shapes do not fit. The vectors are rows of X, so "
                "rotation @ z becomes X @ rotation.T."
            ) from error
        right = quantize(turned) @ R
        compare(
            result, right, wrong,
            otherwise=f"the first row should be {right[0].round(2)}: turned, quantized, turned back.",
        )  # fmt: skip

    at_every_size([f"N = {N}, dim = {dim}" for N, dim in sizes], one)
    return "any quantizer, in any turned space. OPQ only adds which rotation to use."


def _greedy(
    z: Float[np.ndarray, " dim"],
    books: Float[np.ndarray, "M K dim"],
    left_after: Any,
    score: Any = None,
) -> Integer[np.ndarray, " M"]:
    """A code chosen stage by stage; `left_after(left, chosen)` is what the next stage gets."""
    score = score or (lambda difference: (difference**2).sum(axis=1))
    code, left = [], z
    for book in books:
        code.append(int(np.argmin(score(book - left))))
        left = left_after(left, book[code[-1]])
    return np.array(code)


@exercise(
    "04.2",
    hints=(
        "Loop over the codebooks. Keep a vector `left`; it begins as z.",
        "In each stage: k is the row of the book nearest to `left`; then subtract that row from it.",
        "The squared distances of all rows are ((book - left) ** 2).sum(axis=1), and .argmin() is the "
        "nearest. Collect each k in a list, and return it as an array.",
    ),
)
def residual_code(answer: Any) -> str:
    """residual_code(z, codebooks) -> (M,) whole numbers: in each stage nearest to what is left."""

    def one(number: int) -> None:
        M, K, dim = _SIZES[number]
        rng = np.random.default_rng(_SEEDS[number])
        z = rng.normal(size=dim)
        books = rng.normal(size=(M, K, dim)) * 0.7 ** np.arange(M)[:, None, None]
        right = _greedy(z, books, lambda left, c: left - c)
        chosen = books[np.arange(M), right]
        farthest = _greedy(z, books, lambda left, c: left - c, lambda d: -(d**2).sum(axis=1))
        every = np.array(list(product(range(K), repeat=M)))
        errors = ((z - books[np.arange(M), every].sum(axis=1)) ** 2).sum(axis=1)
        turned = _greedy(z, books[::-1], lambda left, c: left - c)[::-1]
        wrong = {
            "every stage looked at z itself; from the second on, each must look at what is left: "
            "subtract the chosen codeword.": _greedy(z, books, lambda left, c: left),
            "you subtracted only the last codeword from z; what is left has lost all codewords so "
            "far: go on subtracting from what was left.": _greedy(z, books, lambda left, c: z - c),
            "you added the codeword to what is left; subtract it.": (
                _greedy(z, books, lambda left, c: left + c)
            ),
            "the sign of what is left is turned round: left - codeword, not codeword - left.": (
                _greedy(z, books, lambda left, c: c - left)
            ),
            "the next stage quantized the codeword; it should quantize what is left.": (
                _greedy(z, books, lambda left, c: c)
            ),
            "you used the last codebook first; begin with codebooks[0].": turned,
            "those are the farthest codewords: argmin, not argmax.": farthest,
            "you added the differences as they are, so that they cancel; square them first.": (
                _greedy(z, books, lambda left, c: left - c, lambda d: d.sum(axis=1))
            ),
            "you added absolute differences; the codebooks were learned for squared ones.": (
                _greedy(z, books, lambda left, c: left - c, lambda d: np.abs(d).sum(axis=1))
            ),
            "that is the nearest of all sums: better than greedy, but it takes K^M trials. Here "
            "each stage decides for itself.": every[errors.argmin()],
            "you count from 1; in Python the first codeword is number 0.": right + 1,
            "those are the chosen codewords; return only their row numbers.": chosen,
            "that is the sum, the reconstruction; return the row numbers.": chosen.sum(axis=0),
            "that is what is left at the end; return the row numbers.": z - chosen.sum(axis=0),
            "that is the last stage only; return a number for each stage.": right[-1],
            "that is the first stage only; does `return` stand inside the loop?": right[:1],
            "you used the first codebook in every stage; stage m has codebooks[m].": (
                _greedy(z, np.repeat(books[:1], M, axis=0), lambda left, c: left - c)
            ),
        }
        try:
            result = call(answer, z, books)
        except IndexError as error:
            raise Mistake(
                f"a row outside the codebook was asked for ({error}). argmin needs one number for "
                "each row: sum the squares over axis 1 first."
            ) from error
        compare(result, right, wrong, otherwise=f"expected the code {right}, got {_short(result)}.")
        kind = np.asarray(result).dtype
        if kind.kind not in "iu":
            raise Mistake(f"the numbers are right, but rows are whole numbers; yours are {kind}.")

    at_every_size(_NAMES, one)
    return "each stage quantizes what the ones before left over; decoding adds the codewords up."


def _short(result: Any) -> str:
    text = " ".join(str(result).split())
    return text if len(text) <= 60 else text[:57] + "..."
