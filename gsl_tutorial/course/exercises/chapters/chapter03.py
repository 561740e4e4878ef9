"""Checks of chapter 03: a product quantizer by hand, from the code to the distances.

The wrong values are mistakes that stand in public code of this field (sub-distances not squared,
bits = books x sqrt(words)) or that students make (axes swapped, the farthest codeword).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.exercises.checking import Mistake, NotYet, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare, same
from gsl_tutorial.course.exercises.slips import of_the_nearest

#: M, K, d of the trials; the first are the notebook's own.
_SIZES = ((4, 16, 16), (3, 5, 2), (2, 8, 1))
_SIZE_NAMES = [f"M = {M}, K = {K}, d = {d}" for M, K, d in _SIZES]


def _example(number: int) -> tuple[Float[np.ndarray, " dim"], Float[np.ndarray, "M K d"]]:
    """A vector and codebooks, fresh each time."""
    M, K, d = _SIZES[number]
    rng = np.random.default_rng(30 + number)
    return rng.normal(size=M * d), rng.normal(size=(M, K, d))


@exercise(
    "03.1",
    hints=(
        "Cut z like the codebooks: M, _, d = codebooks.shape, and z.reshape(M, d) puts one subvector in "
        "each row.",
        "Give the subvectors an axis of length 1, (M, 1, d), and subtract: differences (M, K, d).",
        "Square, sum over the last axis to (M, K), then .argmin(axis=1): one number per subvector.",
    ),
)
def encode_one(answer: Any) -> str:
    """encode_one(z, codebooks) -> (M,) integers: the nearest codeword's row, subvector by subvector."""

    def one(number: int) -> None:
        z, codebooks = _example(number)
        M, _, d = codebooks.shape
        pieces = z.reshape(M, 1, d)
        difference = codebooks - pieces
        squared = (difference**2).sum(axis=2)
        right = squared.argmin(axis=1)
        chosen = codebooks[np.arange(M), right]
        strided = ((codebooks - z.reshape(d, M).T[:, None]) ** 2).sum(axis=2)
        shared = ((codebooks[0] - pieces) ** 2).sum(axis=2)
        overlapping = np.stack([z[m : m + d] for m in range(M)])
        wrong = {
            "those are the codewords; the code is only their row numbers.": chosen,
            "that is the reconstruction q(z); the code is the row numbers of its codewords.": (
                chosen.ravel()
            ),
            "you took every M-th number as a subvector; a subvector is d neighbours: z.reshape(M, d).": (
                strided.argmin(axis=1)
            ),
            "you searched the first codebook for every subvector; subvector m has codebooks[m].": (
                shared.argmin(axis=1)
            ),
            "you added the differences as they are, so that they cancel; square them first.": (
                difference.sum(axis=2).argmin(axis=1)
            ),
            "you took the largest inner product; the nearest codeword has the smallest squared "
            "distance.": (codebooks * pieces).sum(axis=2).argmax(axis=1),
            "you added absolute differences; the codebooks were learned for squared ones.": (
                np.abs(difference).sum(axis=2).argmin(axis=1)
            ),
            "you searched with the first subvector everywhere; codebook m takes subvector m.": (
                ((codebooks - pieces[0]) ** 2).sum(axis=2).argmin(axis=1)
            ),
            "the subvectors overlap: subvector m begins at m * d, so it is z[m * d : (m + 1) * d].": (
                ((codebooks - overlapping[:, None]) ** 2).sum(axis=2).argmin(axis=1)
            ),
            "the sum runs over the codewords; sum over the d numbers of a subvector: axis 2.": (
                (difference**2).sum(axis=1).argmin(axis=1)
            ),
            **of_the_nearest(squared),
        }
        result = call(answer, z, codebooks)
        compare(result, right, wrong, otherwise=f"expected the code {right}, got {_short(result)}.")
        kind = np.asarray(result).dtype
        if kind.kind not in "iu":
            raise Mistake(f"the numbers are right, but codes are whole numbers; yours are {kind}.")

    at_every_size(_SIZE_NAMES, one)
    return "one small search for each subvector, and the vector is M whole numbers."


@exercise(
    "03.2",
    hints=(
        "How many yes-or-no answers pick one of K codewords? That many bits, once for each subvector.",
        "bits = M log2(K). A byte has 8 bits, and each vector's code starts on a byte of its own.",
        "bits = M * np.log2(K); return bits, N * np.ceil(bits / 8)",
    ),
)
def code_size(answer: Any) -> str:
    """code_size(N, M, K) -> (bits of one code, bytes of N codes, each in whole bytes)."""
    # Not K = 16 first: there log2(K) = sqrt(K), and the best-known mistake would pass. And not a
    # whole number of bytes first, so that rounding shows; the last is where rounding goes down.
    trials = ((1000, 5, 64), (1437, 4, 16), (10, 8, 256), (100, 3, 8), (2, 5, 8), (7, 3, 2))

    def one(number: int) -> None:
        N, M, K = trials[number]
        result = call(answer, N, M, K)
        if isinstance(result, (tuple, list)) and any(x is ... for x in result):
            raise NotYet
        if isinstance(result, np.ndarray) and result.ndim:
            result = list(result)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise Mistake("expected two numbers: return bits, n_bytes.")
        bits = M * math.log2(K)
        each = math.ceil(bits / 8)
        got_bits, got_bytes = result
        if same(got_bits, N * each) and same(got_bytes, bits):
            raise Mistake("both numbers are right but swapped: bits first, then bytes.")
        wrong_bits = {
            "M sqrt(K) is a mistake from published code; it takes log2(K) bits to name one of K.": (
                M * math.sqrt(K)
            ),
            "M K is the number of codewords stored; to name one of K takes log2(K) bits.": M * K,
            "that is one subvector; a code has M of them.": math.log2(K),
            "M and K are swapped: M numbers, each out of K.": K * math.log2(M),
            "a bit answers a yes-or-no question: the logarithm to base 2.": M * math.log(K),
            "a bit answers a yes-or-no question: the logarithm to base 2, not 10.": (
                M * math.log10(K)
            ),
            "K^M is the number of different codes; the bits are its logarithm to base 2.": K**M,
            "the bits of the codebooks add up: M log2(K), not a power.": math.log2(K) ** M,
            "log2(M K) names one of all codewords; a code names one in each codebook: M log2(K).": (
                math.log2(M * K)
            ),
            "these are bytes; the first number is in bits.": bits / 8,
            "that is for all N vectors; the first number is the bits of one code.": N * bits,
        }
        compare(got_bits, bits, wrong_bits, otherwise=f"expected {bits:g} bits, got {got_bits!r}.")
        wrong_bytes = {
            "those are bits; a byte has 8 of them.": N * bits,
            "that is one vector; there are N.": each,
            "that is one vector, and not rounded up; there are N.": bits / 8,
            "you multiplied by 8: a byte holds 8 bits, so divide.": N * bits * 8,
            "a code that ends inside a byte takes the whole byte: round bits / 8 up first, then "
            "multiply by N.": N * bits / 8,
            "you rounded to the nearest byte; the last bits need room, too: round up.": (
                N * round(bits / 8)
            ),
            "you rounded down, so the last bits have no room: round up.": N * (bits // 8),
            "one byte for each number is more than needed when K < 256; use the bits.": N * M,
            "four bytes are a float; a number of a code takes log2(K) bits.": N * M * 4,
        }
        compare(
            got_bytes,
            N * each,
            wrong_bytes,
            otherwise=f"expected {N * each} bytes, got {got_bytes!r}.",
        )

    at_every_size([f"N = {N}, M = {M}, K = {K}" for N, M, K in trials], one)
    return "M log2(K) bits. (Some published code takes M sqrt(K): for K = 16 that is right by accident.)"


def _short(value: Any) -> str:
    if isinstance(value, list | tuple) and all(isinstance(one, np.generic) for one in value):
        value = [one.item() for one in value]
    return " ".join(str(value).split())[:80]
