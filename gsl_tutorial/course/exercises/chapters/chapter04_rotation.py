"""Check of chapter 04 that puts the parts together: OPQ's rotation, learned in turns with its codebooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.exercises.checking import call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare

Rows = Float[np.ndarray, "N dim"]
Books = Float[np.ndarray, "M K d"]
Square = Float[np.ndarray, "dim dim"]

#: N, M, K, d, rounds, and the seed: with it no distance ties, and the slips below lead elsewhere.
_CASES = (
    (40, 2, 4, 2, 0, 0), (40, 2, 4, 2, 1, 1), (50, 2, 4, 3, 2, 2), (16, 3, 6, 2, 3, 3), (30, 2, 6, 2, 4, 4),
    (70, 1, 5, 3, 3, 5),
)  # fmt: skip
_NAMES = [
    f"step {number} ({rounds} round{'' if rounds == 1 else 's'}, N = {N}, M = {M}, K = {K}, d = {d}"
    + (", and codewords without vectors)" if number == 5 else ")")
    for number, (N, M, K, d, rounds, _) in enumerate(_CASES, start=1)
]


def _example(number: int) -> tuple[Rows, Books, int]:
    """Vectors whose numbers depend on each other, codebooks to start from, and the rounds."""
    N, M, K, d, rounds, seed = _CASES[number]
    rng = np.random.default_rng(450 + seed)
    X = rng.normal(size=(N, M * d)) @ rng.normal(size=(M * d, M * d))
    codebooks = X[rng.permutation(N)[:K]].reshape(K, M, d).transpose(1, 0, 2).copy()
    if number == 4:
        codebooks[:, -1] += 100
    return X, codebooks, rounds


def _means(parts: Any, books: Books, code: Any, empty: float | None = None) -> Books:
    """Each codeword at the mean of its subvectors; one without any stays, or goes to `empty`."""
    moved = books.copy()
    for m in range(len(books)):
        for k in range(books.shape[1]):
            mine = parts[code[:, m] == k, m]
            if len(mine):
                moved[m, k] = mine.mean(axis=0)
            elif empty is not None:
                moved[m, k] = empty
    return moved


def _turn(X: Rows, Y: Rows) -> Square:
    left, _, right = np.linalg.svd(Y.T @ X)
    return np.asarray(left @ right)


def _learned(
    X: Rows,
    books: Books,
    rounds: int,
    *,
    turn: Callable[[Rows, Rows], Square] = _turn,
    turned: Callable[[Rows, Square], Rows] = lambda X, R: X @ R.T,
    cut: Callable[[Rows, int], Any] | None = None,
    choose: Callable[..., Any] = np.argmin,
    moves: bool = True,
    is_late: bool = False,
    from_turned: bool = False,
    empty: float | None = None,
    square: bool = True,
) -> Square:
    """The alternation, each of whose steps may be done wrongly."""
    M, N = len(books), len(X)
    R, at = np.eye(X.shape[1]), np.arange(len(books))
    for _ in range(rounds):
        rotated = turned(X, R)
        parts = rotated.reshape(N, M, -1) if cut is None else cut(rotated, M)
        apart = parts[:, :, None] - books
        code = choose((apart**2 if square else np.abs(apart)).sum(axis=3), axis=2)
        new = _means(parts, books, code, empty) if moves else books
        Y = (books if is_late else new)[at, code].reshape(N, -1)
        R, books = turn(rotated if from_turned else X, Y), new
    return R


@exercise(
    "04.5",
    hints=(
        "Start with np.eye(dim). A round has three parts, and you have met each of them before: turn and "
        "cut the vectors (03.1, 04.1), one round of k-means in each subspace (02.5), and the singular "
        "value decomposition.",
        "The turned vectors are X @ R.T; subspace m of them is parts[:, m] after a reshape to (N, M, d). "
        "Put the moved codewords of all vectors side by side: that is Y, (N, dim), and it stands in the "
        "turned space.",
        "np.linalg.svd(Y.T @ X) gives three things, and the third is V already transposed: the new "
        "rotation is the product of the first and the third. X is the original one, not turned.",
    ),
)
def learn_rotation(answer: Any) -> str:
    """learn_rotation(X (N, dim), codebooks (M, K, d), n_rounds) -> (dim, dim) rotation."""
    at_every_size(_NAMES, lambda number: _judge_rounds(answer, number))
    return "that is OPQ, learned in turns. The next cell runs it beside the package's."


def _judge_rounds(answer: Any, number: int) -> None:
    X, books, rounds = _example(number)
    right = _learned(X, books, rounds)
    M, dim = len(books), X.shape[1]

    def slip(**how: Any) -> Any:
        return _learned(X, books, rounds, **how)

    def mirrored(X: Rows, Y: Rows) -> Square:
        left, _, right = np.linalg.svd(Y.T @ X)
        return np.asarray(left @ right.T)

    several = rounds > 1
    wrong = {
        "that is the rotation with which you started: does anything reach R in the loop?": (
            np.eye(dim) if rounds else np.nan
        ),
        "that is where one round leads: does `return` stand inside the loop?": (
            _learned(X, books, 1) if several else np.nan
        ),
        "that is one round too few.": _learned(X, books, rounds - 1) if rounds else np.nan,
        "that is one round too many.": _learned(X, books, rounds + 1),
        "your rotation turns back: from Y.T @ X = U S V^T follows R = U V^T. Is it X.T @ Y in your code?": (
            slip(turn=lambda X, Y: _turn(X, Y).T)
        ),
        "np.linalg.svd returns V already transposed: the rotation is U @ that, without .T.": slip(
            turn=mirrored
        ),
        "the last rotation is turned round: return R, not R.T.": right.T,
        "you multiplied S in: that stretches, and is Y.T @ X again. Leave it out.": slip(
            turn=lambda X, Y: Y.T @ X
        ),
        "the codewords stand still: in each round move every codeword to the mean of its subvectors.": (
            slip(moves=False)
        ),
        "you reconstructed with the old codewords: first move them, then build Y.": slip(
            is_late=True
        ),
        "you solved for the step from the turned vectors, and lost the rotation that you had: use X "
        "itself.": (slip(from_turned=True) if several else np.nan),
        "your vectors are never turned: quantize X @ R.T, not X.": (
            slip(turned=lambda X, R: X) if several else np.nan
        ),
        "you turned the wrong way round: vectors are rows, so X @ R.T.": (
            slip(turned=lambda X, R: X @ R) if several else np.nan
        ),
        "you took every M-th number as a subvector; a subvector is d numbers side by side.": (
            slip(cut=lambda X, M: X.reshape(len(X), -1, M).transpose(0, 2, 1)) if M > 1 else np.nan
        ),
        "you compared every subvector with the first codebook; each subspace has its own.": (
            _learned(X, np.repeat(books[:1], M, axis=0), rounds) if M > 1 else np.nan
        ),
        "you took the farthest codeword: argmin, not argmax.": slip(choose=np.argmax),
        "you added absolute differences; distances add squares.": slip(square=False),
        "a codeword without vectors went to 0; it stays where it is.": (
            slip(empty=0.0) if number == 4 else np.nan
        ),
    }
    compare(
        call(answer, X, books, rounds),
        right,
        wrong,
        otherwise=lambda at: (
            f"row {at[0]}, column {at[1]} of the rotation: expected {right[at]:.4f}."
        ),
    )
