"""Average precision of a ranking with ties, in closed form.

Short codes tie: whole groups of items share one distance. A group of n items, r of them relevant,
after N0 items of which R0 are relevant, adds (McSherry and Najork, ECIR 2008)

    (r / n) sum_{i=1..n} (R0 + 1 + (i - 1) s) / (N0 + i)      with s = (r - 1) / (n - 1)

to the sum of precisions, averaged over all orders of its items: position i holds a relevant item with
probability r / n, and then a share s of the i - 1 before it in the group are relevant too. What we
add: i - 1 = (N0 + i) - (N0 + 1) turns the sum into a difference of harmonic numbers H,

    (r / n) [ (R0 + 1 - s (N0 + 1)) (H(N0 + n) - H(N0)) + s n ],

so that a group costs the same whatever its size, and a query costs by distinct distances, not items.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Integer, Real
from scipy.stats import hypergeom


def average_precision_of_groups(
    distances: Real[np.ndarray, " U"],
    sizes: Real[np.ndarray, " U"],
    hits: Real[np.ndarray, " U"],
    *,
    at: int,
    denominator: str,
    ties: str,
) -> float:
    """AP of one query over U groups: their distance, number of items, number of relevant items."""
    if not len(distances):
        return 0.0
    order = ascending(distances)
    values = distances[order]
    # Items and relevant items up to the end of each run of equal distances.
    ends = np.append(np.flatnonzero(values[1:] != values[:-1]), len(values) - 1)
    n_after = np.cumsum(sizes[order], dtype=np.int32)[ends]
    r_after = np.cumsum(hits[order], dtype=np.int32)[ends]
    n_items, total = int(n_after[-1]), int(r_after[-1])

    # From here on only groups that hold something relevant, as float64.
    here = np.flatnonzero(np.diff(r_after, prepend=0))
    n_before, r_before = _before(n_after, here), _before(r_after, here)
    n, r = n_after[here] - n_before, r_after[here] - r_before
    within = n_before < at
    n, r, n_before, r_before = n[within], r[within], n_before[within], r_before[within]
    if ties != "exact":
        gain, found = _gain_of_one_order(n, r, n_before, r_before, at, n_items, ties)
    else:
        shown = np.minimum(n, at - n_before)
        if denominator == "retrieved" and len(n) and shown[-1] < n[-1]:
            return _retrieved_with_cut_group(n, r, n_before, r_before, shown, n_items)
        gain = float(_gain(n, r, n_before, r_before, shown, n_items).sum())
        found = float(r.sum())
    divisor = found if denominator == "retrieved" else min(at, total)
    return gain / divisor if divisor > 0 else 0.0


def ascending(distances: Real[np.ndarray, " U"]) -> Integer[np.ndarray, " U"]:
    """Indices that sort `distances`; for float32 several times faster than argsort.

    NumPy sorts 16-bit integers by radix. A float32, read as an integer with the order of negative
    numbers turned round, is two of those: sort by the low half, then stably by the high half.
    """
    if distances.dtype != np.float32:
        return np.argsort(distances, kind="stable")
    bits = np.ascontiguousarray(distances).view(np.uint32)
    sign = bits >> 31
    keys = bits ^ (np.uint32(0x80000000) | (np.uint32(0) - sign))
    low = np.argsort(keys.astype(np.uint16), kind="stable")
    high = (keys >> 16).astype(np.uint16)[low]
    return low[np.argsort(high, kind="stable")]


def _before(
    after: Integer[np.ndarray, " V"], index: Integer[np.ndarray, " G"]
) -> Float[np.ndarray, " G"]:
    """The running total just before each group that `index` names."""
    return np.where(index > 0, after[index - 1], 0).astype(np.float64)


def _gain(
    n: Float[np.ndarray, " G"],
    r: Float[np.ndarray, " G"],
    n_before: Float[np.ndarray, " G"],
    r_before: Float[np.ndarray, " G"],
    shown: Float[np.ndarray, " G"],
    n_items: int,
) -> Float[np.ndarray, " G"]:
    """Expected sum of precisions at the relevant ones among the first `shown` items of each group."""
    H = _harmonic(n_items)
    s = (r - 1) / np.maximum(n - 1, 1)
    first = n_before.astype(np.int64)
    # The difference for one item is known exactly; so a perfect ranking scores 1 and not a hair more.
    span = np.where(shown == 1, 1 / (first + 1), H[first + shown.astype(np.int64)] - H[first])
    return r / n * ((r_before + 1 - s * (n_before + 1)) * span + s * shown)


def _gain_of_one_order(
    n: Float[np.ndarray, " G"],
    r: Float[np.ndarray, " G"],
    n_before: Float[np.ndarray, " G"],
    r_before: Float[np.ndarray, " G"],
    at: int,
    n_items: int,
    ties: str,
) -> tuple[float, float]:
    """The same with the relevant items of each group all first ("optimistic") or all last."""
    start = n_before if ties == "optimistic" else n_before + n - r
    shown = np.clip(at - start, 0, r)
    # A run of relevant items is a tie group in which every item is relevant.
    gain = _gain(np.maximum(shown, 1), np.maximum(shown, 1), start, r_before, shown, n_items)
    return float(gain[shown > 0].sum()), float(shown.sum())


def _retrieved_with_cut_group(
    n: Float[np.ndarray, " G"],
    r: Float[np.ndarray, " G"],
    n_before: Float[np.ndarray, " G"],
    r_before: Float[np.ndarray, " G"],
    shown: Float[np.ndarray, " G"],
    n_items: int,
) -> float:
    """AP divided by the hits found, where the last group is cut: the divisor is random as well.

    The number h of relevant items above the cut is hypergeometric; given h, the part above the cut
    is a tie group of its own. The mean runs over h.
    """
    whole = float(_gain(n, r, n_before, r_before, shown, n_items)[:-1].sum())
    h = np.arange(min(r[-1], shown[-1]) + 1)
    probability = hypergeom(int(n[-1]), int(r[-1]), int(shown[-1])).pmf(h)
    same = np.ones_like(h)
    cut = _gain(
        shown[-1] * same, h, n_before[-1] * same, r_before[-1] * same, shown[-1] * same, n_items
    )
    found = r_before[-1] + h
    return float((probability * (whole + cut) / np.maximum(found, 1))[found > 0].sum())


@lru_cache(maxsize=4)
def _harmonic(n: int) -> Float[np.ndarray, " n+1"]:
    """Harmonic numbers H(0)..H(n)."""
    return np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, n + 1))])
