"""The nearest codeword of each vector, right wherever the vectors lie and however large they are.

The fast way to many distances at once expands the square, |x - c|^2 = |x|^2 - 2 <x, c> + |c|^2, so that a
matrix product does the work. Far from the origin the three terms are huge and nearly cancel: what is
left is rounding. Here the search happens around the mean codeword where that lies far
out; a row whose two nearest codewords rounding could confuse is searched again in double precision, and
what even that cannot tell apart is subtracted. So a code does not depend on the batch.

Where d is small, faiss has a kernel of its own that is several times faster than any matrix product. It
does not say what came second, so there the doubtful rows are those that lie much nearer to their
codeword than that lies to the mean, and those so far from all codewords that these look like one.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Integer

#: Numbers that one block of scores may hold: 8 MB in float32.
_AT_ONCE = 2**21

#: An offset this many times as large as what lies around it is taken out.
_OFFSET = 2.0

#: As many differences are quicker subtracted than multiplied and looked through for doubt.
_FEW = 2**15

#: In faiss's kernel: share of a codeword's squared length below which a squared distance is doubtful.
#: Rounding is about 2^-22 of that length.
_DOUBTFUL = 2.0**-14

#: The same for the longest codeword, above which the distances to all codewords agree in most digits.
_FAR = 2.0**10

_switch = threading.Lock()


def centre_of(rows: Float[np.ndarray, "N d"]) -> Float[np.ndarray, " d"]:
    """The mean of the rows in float32: what differs from it by little loses nothing in x - c.

    Examples
    --------
    >>> centre_of(np.array([[1e8, 0.0], [1e8, 1.0]], dtype=np.float32))
    array([1.e+08, 5.e-01], dtype=float32)
    """
    return rows.mean(axis=0, dtype=np.float64).astype(np.float32)


def exponent_of(*arrays: Float[np.ndarray, "..."]) -> int:
    """Return e such that dividing by 2^e makes squares safe; 0 where they are safe already.

    Examples
    --------
    >>> exponent_of(np.array([1.0, -3.0])), exponent_of(np.array([1e-30])), exponent_of(np.zeros(2))
    (0, -99, 0)
    """
    largest = max((float(max(a.max(), -a.min())) for a in arrays if a.size), default=0.0)
    exponent = int(np.frexp(largest)[1])
    return 0 if -32 < exponent < 32 or not largest else exponent


def scaled(rows: Float[np.ndarray, "..."], exponent: int) -> Float[np.ndarray, "..."]:
    """Return rows * 2^exponent, which is exact; the rows themselves where there is nothing to do.

    Parameters
    ----------
    rows
        Floating-point numbers of any shape.
    exponent
        A whole number; 0: nothing to do.
    """
    return np.ldexp(rows, exponent) if exponent else rows


def nearest(
    points: Float[np.ndarray, "N d"], codewords: Float[np.ndarray, "K d"]
) -> Int[np.ndarray, " N"]:
    """Return the row of the nearest codeword of each point, the first of equally near ones.

    What a point gets does not depend on the points beside it. Takes checked float32 arrays.

    Parameters
    ----------
    points
        (N, d) Finite, no larger than `validation.largest(d)`.
    codewords
        (K, d) The same; at least one.

    Returns
    -------
    numpy.ndarray
        (N,) of int64.

    Examples
    --------
    >>> far = np.float32(1e6)
    >>> nearest(np.array([[1.0], [2.0]], dtype="f") + far, np.array([[2.5], [0.5]], dtype="f") + far)
    array([1, 0])
    """
    return nearest_pieces(points[:, None], codewords[None])[:, 0]


def nearest_pieces(
    parts: Float[np.ndarray, "N M d"], codebooks: Float[np.ndarray, "M K d"], dtype: Any = np.int64
) -> Integer[np.ndarray, "N M"]:
    """Return what `nearest` does, of each piece in its own codebook.

    Parameters
    ----------
    parts
        (N, M, d) The pieces of each vector, as `nearest` takes them.
    codebooks
        (M, K, d) One for each piece.
    dtype
        Of which type of whole numbers the result is.
    """
    found = np.empty(parts.shape[:2], dtype=dtype)
    if not found.size:
        return found
    centres = codebooks.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    books = codebooks - centres
    far = np.abs(centres).max(axis=(1, 2)) > _OFFSET * np.abs(books).max(axis=(1, 2))
    books[~far] = codebooks[~far]
    sizes = np.abs(books).max(axis=(1, 2))
    # Of common size, or all in one place: then no square of what `largest` allows leaves float32.
    common = (sizes == 0) | ((sizes > 2.0**-32) & (sizes < 2.0**32))
    lengths = np.einsum("mkd,mkd->mk", books, books)
    for m, book in enumerate(books):
        points = parts[:, m] - centres[m] if far[m] else parts[:, m]
        if common[m]:
            found[:, m] = _nearest(np.ascontiguousarray(points), book, lengths[m])
        else:
            exponent = exponent_of(points, book)
            points, book = scaled(points, -exponent), scaled(book, -exponent)
            length = np.einsum("kd,kd->k", book, book)
            found[:, m] = _nearest(np.ascontiguousarray(points), book, length)
    return found


def is_far(centre: Float[np.ndarray, "..."], around: Float[np.ndarray, "..."]) -> bool:
    """Whether an offset is so large beside what lies around it that it costs digits.

    Parameters
    ----------
    centre
        (d,) or (M, 1, d) The offset.
    around
        (..., d) What is left when it is taken out.

    Examples
    --------
    >>> is_far(np.ones(2), np.eye(2)), is_far(np.full(2, 9.0), np.eye(2))
    (False, True)
    """
    return bool(np.abs(centre).max() > _OFFSET * np.abs(around).max())


@cache
def _longest_of_faiss() -> int:
    """Longest vectors that faiss has a kernel for; elsewhere it multiplies matrices, too."""
    import torch  # late, and faiss below, too: the first chapters draw before they search

    return {"AVX512": 32, "AVX2": 16}.get(torch.backends.cpu.get_cpu_capability(), 0)


def _nearest(
    points: Float[np.ndarray, "N d"],
    book: Float[np.ndarray, "K d"],
    lengths: Float[np.ndarray, " K"],
) -> Int[np.ndarray, " N"]:
    if book.shape[1] <= _longest_of_faiss():
        found, sure = _by_faiss(points, book, lengths)
    elif points.size * len(book) <= _FEW:
        return _by_subtraction(points, book)
    else:
        found, sure = _by_product(points, book, "float32")
    if not sure.all():
        rows = np.flatnonzero(~sure)
        found[rows], sure = _by_product(points[rows], book, "float64")
        rows = rows[~sure]
        found[rows] = _by_subtraction(points[rows], book)
    return found


def _by_faiss(
    points: Float[np.ndarray, "N d"],
    book: Float[np.ndarray, "K d"],
    lengths: Float[np.ndarray, " K"],
) -> tuple[Int[np.ndarray, " N"], Bool[np.ndarray, " N"]]:
    import faiss

    # faiss changes to another kernel, which rounds otherwise, when there are few points; a code must
    # not depend on how many others are encoded with it.
    with _switch:
        usual = faiss.cvar.distance_compute_blas_threshold
        faiss.cvar.distance_compute_blas_threshold = 0
        try:
            squared, found = faiss.knn(points, book, 1)
        finally:
            faiss.cvar.distance_compute_blas_threshold = usual
    found, squared = found[:, 0], squared[:, 0]
    sure = squared >= (_DOUBTFUL * lengths)[found]
    if squared.max() > _FAR * lengths.max():
        sure &= squared <= _FAR * lengths.max()
    return found, sure


def _by_product(
    points: Float[np.ndarray, "N d"], book: Float[np.ndarray, "K d"], precision: str
) -> tuple[Int[np.ndarray, " N"], Bool[np.ndarray, " N"]]:
    """The smallest |c|^2 - 2 <x, c>, and whether rounding leaves no doubt about it."""
    import torch

    dtype = getattr(torch, precision)
    K, d = book.shape
    c = torch.from_numpy(book).to(dtype)
    x = torch.from_numpy(points if points.flags.writeable else points.copy())
    squares = c.square().sum(1)
    twice = c.mul(-2).T.contiguous()
    longest = squares.max().sqrt()
    rounding = 2 * (d + 4) * torch.finfo(dtype).eps
    found = torch.empty(len(points), dtype=torch.long)
    sure = torch.empty(len(points), dtype=torch.bool)
    rows = max(1, _AT_ONCE // K)
    for start in range(0, len(points), rows):
        part = x[start : start + rows].to(dtype)
        scores = torch.addmm(squares, part, twice)
        best, which = scores.min(1)
        # Each score is off by at most (d + 4) eps (2 |x| |c| + |c|^2).
        error = rounding * longest * (2 * part.square().sum(1).sqrt() + longest)
        second = scores.scatter_(1, which.unsqueeze(1), torch.inf).amin(1)
        found[start : start + rows] = which
        sure[start : start + rows] = second - best > error
    return found.numpy(), sure.numpy()


def _by_subtraction(
    points: Float[np.ndarray, "N d"], book: Float[np.ndarray, "K d"]
) -> Int[np.ndarray, " N"]:
    found = np.empty(len(points), dtype=np.int64)
    exact, rows = book.astype(np.float64), max(1, _AT_ONCE // book.size)
    for start in range(0, len(points), rows):
        part = points[start : start + rows, None].astype(np.float64)
        found[start : start + rows] = ((part - exact) ** 2).sum(axis=2).argmin(axis=1)
    return found
