"""Exact squared distances between queries and a database, some queries at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

#: Queries whose distances are held at once: 250 x 50,000 float32 are 50 MB.
BLOCK = 250


def squared_distances(
    queries: Float[np.ndarray, "B dim"], database: Float[np.ndarray, "N dim"]
) -> Float[np.ndarray, "B N"]:
    """Exact squared distances by |q|^2 - 2 q.x + |x|^2.

    Parameters
    ----------
    queries
        (B, dim) One vector a row.
    database
        (N, dim) The same for the items.
    """
    cross = queries @ database.T
    cross *= -2
    cross += (queries**2).sum(axis=1)[:, None]
    cross += (database**2).sum(axis=1)
    return cross


def blocks(n: int) -> Iterator[slice]:
    """Slices of at most `BLOCK` rows that cover n."""
    return (slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK))
