"""What the tests of the metrics draw from: rankings with ties, read-only, with labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

DENOMINATORS, TIES = ("relevant", "retrieved"), ("exact", "optimistic", "pessimistic")
many = settings(max_examples=150, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def tied(
    n: int, seed: int, *, levels: int = 3, dtype: Any = np.float32
) -> tuple[np.ndarray, np.ndarray]:
    """Distances with few values, so that they tie, and which of the items are relevant."""
    rng = np.random.default_rng(seed)
    return rng.integers(-1, levels - 1, n).astype(dtype), rng.random(n) < rng.random()


def labelled(
    B: int, N: int, seed: int, *, levels: int = 4, classes: int = 3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances, query labels, database labels; nothing may write to them."""
    rng = np.random.default_rng(seed)
    arrays = (
        rng.integers(0, levels, (B, N)).astype(np.float32),
        rng.integers(0, classes + 1, B),  # the last class is nowhere in the database
        rng.integers(0, classes, N),
    )
    for array in arrays:
        array.flags.writeable = False
    return arrays
