"""A codeword that no vector uses is given a place where one is needed.

k-means in faiss does this for itself. An additive code is chosen by a search over all stages together,
so a codeword that k-means or least squares left with vectors can still end up with none.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer


def reseed_unused(
    X: Float[np.ndarray, "N dim"],
    codes: Integer[np.ndarray, "N M"],
    codebooks: Float[np.ndarray, "M K dim"],
) -> tuple[Float[np.ndarray, "M K dim"], Integer[np.ndarray, "N M"], Integer[np.ndarray, "M"]]:
    """Give each unused codeword the place where the worst vector of a crowded one needs it.

    Returns new codebooks, new codes and how many codewords of each codebook moved. The new place is
    the crowded codeword plus what it left over for that vector, which then is met exactly.
    """
    books, codes = codebooks.copy(), codes.copy()
    M, K, _ = books.shape
    left_over = X - books[np.arange(M), codes].sum(axis=1)
    moved = np.zeros(M, dtype=np.int64)
    for m in range(M):
        usage = np.bincount(codes[:, m], minlength=K)
        for k in np.flatnonzero(usage == 0):
            crowded = int(usage.argmax())
            members = np.flatnonzero(codes[:, m] == crowded)
            worst = members[(left_over[members] ** 2).sum(axis=1).argmax()]
            books[m, k] = books[m, crowded] + left_over[worst]
            codes[worst, m], left_over[worst] = k, 0
            usage[crowded] -= 1
            moved[m] += 1
    return books, codes, moved
