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

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer, Real, UInt

from gsl_tutorial.evaluation.sorting import ascending, reorder


class TieGroups(NamedTuple):
    """The tie groups of B rankings that hold something relevant, those of all queries end to end.

    Attributes
    ----------
    row
        (G,) Whose they are, rising; within a query they stand in the order of its ranking.
    n, r
        (G,) Items and relevant items in the run.
    n_before, r_before
        (G,) Items and relevant items that are ranked before it.
    relevant
        (B,) What each query has in the whole database.
    n_items
        How many items the database has.
    gain
        (G,) What the relevant items of the run are worth together, where relevance has grades.
    levels
        (B, V) How many items of the database share 0, 1, ..., V - 1 labels with the query, where
        relevance has grades.
    """

    row: Integer[np.ndarray, " G"]
    n: Float[np.ndarray, " G"]
    r: Float[np.ndarray, " G"]
    n_before: Float[np.ndarray, " G"]
    r_before: Float[np.ndarray, " G"]
    relevant: Float[np.ndarray, " B"]
    n_items: int
    gain: Float[np.ndarray, " G"] | None = None
    levels: Integer[np.ndarray, "B V"] | None = None

    def per_query(self, values: Float[np.ndarray, " G"]) -> Float[np.ndarray, " B"]:
        """Sum a value of each run over the runs of each query."""
        return np.bincount(self.row, values, minlength=len(self.relevant))


def runs_by_sorting(
    distances: Real[np.ndarray, "B U"],
    sizes: Integer[np.ndarray, " U"],
    hits: Integer[np.ndarray, "B U"],
    gains: Float[np.ndarray, "B U"] | None = None,
) -> TieGroups:
    """The tie groups of B queries over U groups.

    All queries go through each step together; from the sort on, only what is relevant is looked at.
    The plain way, for numbers that `sorting.flagged` has no room for.

    Parameters
    ----------
    distances
        (B, U) From each query to each group.
    sizes
        (U,) How many items each group has.
    hits
        (B, U) How many of them are relevant.
    gains
        (B, U) What the relevant items of each group are worth together.
    """
    B, U = distances.shape
    if U == 0:
        none = np.zeros(0)
        return TieGroups(np.zeros(0, int), none, none, none, none, np.zeros(B), 0)
    order = ascending(distances)
    values = reorder(distances, order)
    new = np.ones((B, U), dtype=bool)  # does a run of equal distances begin here?
    np.not_equal(values[:, 1:], values[:, :-1], out=new[:, 1:])
    n_in_order = sizes[order]
    n_after = np.cumsum(n_in_order, axis=1, dtype=np.int64).ravel()
    r_in_order = reorder(hits, order).ravel()

    # Groups of equal distances that hold something relevant.
    relevant = np.flatnonzero(r_in_order)
    run = (np.cumsum(new, dtype=np.int64) - 1)[relevant]
    leader = np.flatnonzero(np.diff(run, prepend=-1))
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], B * U) - 1
    first, last = starts[run[leader]], ends[run[leader]]
    row = first // U
    r = (
        np.add.reduceat(r_in_order[relevant], leader, dtype=np.float64)
        if len(leader)
        else run * 0.0
    )
    n_before = (n_after[first] - n_in_order.ravel()[first]).astype(np.float64)
    total = np.bincount(row, r, minlength=B)
    r_before = np.cumsum(r) - r - (np.cumsum(total) - total)[row]
    n = n_after[last] - n_before
    gain = None
    if gains is not None:
        found = reorder(gains, order).ravel()[relevant]
        gain = np.add.reduceat(found, leader) if len(leader) else r
    return TieGroups(row, n, r, n_before, r_before, total, int(sizes.sum()), gain)


class Carried(NamedTuple):
    """What the groups behind flagged keys stand for.

    Attributes
    ----------
    n_bits
        How many of the lowest bits of a key say which group it is.
    sizes
        (U,) How many items each group has.
    hits
        (B, U) How many of them are relevant.
    gains
        (B, U) What the relevant items of each group are worth together.
    """

    n_bits: int
    sizes: Integer[np.ndarray, " U"]
    hits: Integer[np.ndarray, "B U"]
    gains: Float[np.ndarray, "B U"] | None = None


def runs_of_flagged(keys: UInt[np.ndarray, "B U"], carried: Carried | None = None) -> TieGroups:
    """The tie groups of B queries from `sorting.flagged` with a flag on what is relevant.

    Relevant items come first among equal distances. So they stand at the head of their run, and the
    run reaches as far as what follows has the same number; mostly nothing has.

    Parameters
    ----------
    keys
        (B, U) Sorted keys.
    carried
        What they stand for, where they are groups of items; None: they are single items.
    """
    B, U = keys.shape
    flat, shift = keys.ravel(), keys.dtype.type(carried.n_bits if carried else 0)
    flags = (flat >> shift if carried else flat).astype(np.uint8)
    hits = np.flatnonzero((~flags & 1).view(bool))
    edges = np.searchsorted(hits, U * np.arange(B + 1))
    total = np.diff(edges)
    row = np.repeat(np.arange(B), total)
    # Does the next one tie with it (all bits equal, but perhaps the flag)?
    differing = (flat.take(hits + 1, mode="clip") >> shift) ^ (flat.take(hits) >> shift)
    tied = np.flatnonzero(differing <= 1)
    tied = tied[hits[tied] < U * (row[tied] + 1) - 1]
    first, last, leader = hits, hits + 1, np.arange(len(hits))
    if len(tied):
        by_others = tied[differing[tied] == 1]
        last[by_others] = _ends(flat, shift, hits[by_others] + 1, U * (row[by_others] + 1))
        by_hits = tied[differing[tied] == 0]
        if len(by_hits):
            last = np.delete(last, by_hits)
            leader = np.delete(leader, by_hits + 1)
            first, row = hits.take(leader), row.take(leader)
    if carried is None:
        n_before = first - U * row
        r_before = leader - edges[:-1].take(row)
        r = np.diff(leader, append=len(hits))
        n, r, n_before, r_before, relevant = (
            each.astype(np.float64) for each in (last - first, r, n_before, r_before, total)
        )
        return TieGroups(row, n, r, n_before, r_before, relevant, U)
    places = (flat & keys.dtype.type((1 << carried.n_bits) - 1)).astype(np.intp)
    n_until = np.append(0, np.cumsum(carried.sizes.take(places), dtype=np.int64))
    n_items = int(carried.sizes.sum(dtype=np.int64))
    n_first = n_until.take(first)
    n, n_before = (n_until.take(last) - n_first).astype(np.float64), n_first - n_items * row
    chosen = places.take(hits) + U * np.repeat(np.arange(B), total)
    r, gain = np.zeros(len(row)), None
    if len(leader):
        r = np.add.reduceat(carried.hits.ravel().take(chosen), leader, dtype=np.float64)
        if carried.gains is not None:
            gain = np.add.reduceat(carried.gains.ravel().take(chosen), leader)
    elif carried.gains is not None:
        gain = r
    relevant = np.bincount(row, r, minlength=B)
    r_before = np.cumsum(r) - r - (np.cumsum(relevant) - relevant)[row]
    return TieGroups(row, n, r, n_before.astype(np.float64), r_before, relevant, n_items, gain)


def _ends(
    flat: UInt[np.ndarray, " T"],
    shift: np.unsignedinteger[Any],
    start: Integer[np.ndarray, " m"],
    stop: Integer[np.ndarray, " m"],
) -> Integer[np.ndarray, " m"]:
    """Where the equal numbers end that begin at each `start`; at `stop` at the latest.

    Equal but for the `shift` lowest bits. In steps of 1, 2, 4, ... until something else stands there, and
    then by halving.
    """
    value = flat[start] >> shift
    low, high, step = start, start, 1
    while True:
        high = np.minimum(low + step, stop)
        equal = (high < stop) & (flat.take(high, mode="clip") >> shift == value)
        if not equal.any():
            break
        low, step = np.where(equal, high, low), 2 * step
    while (gap := high - low).max(initial=0) > 1:
        middle = low + gap // 2
        equal = flat[middle] >> shift == value
        low, high = np.where(equal, middle, low), np.where(equal, high, middle)
    return high


def average_precisions_of_runs(
    runs: TieGroups, *, at: int | None, denominator: str, ties: str
) -> Float[np.ndarray, " B"]:
    """AP of each query.

    Parameters
    ----------
    runs
        The runs of B queries.
    at, denominator, ties
        As in `average_precision.average_precision`; not checked again.

    Returns
    -------
    numpy.ndarray
        (B,) values from 0 to 1.
    """
    at = runs.n_items if at is None else min(at, runs.n_items)
    gain, found = _gain_and_found(runs, at, ties)
    gained = runs.per_query(gain)
    divisor = runs.per_query(found) if denominator == "retrieved" else np.minimum(at, runs.relevant)
    result = np.divide(gained, divisor, out=np.zeros(len(runs.relevant)), where=divisor > 0)
    if denominator == "retrieved" and at < runs.n_items:
        # Where a run is cut, the divisor depends on the order of its items as well.
        for cut in np.flatnonzero((runs.n_before < at) & (at < runs.n_before + runs.n)):
            row = runs.row[cut]
            n, r, n_before, r_before = (float(each[cut]) for each in runs[1:5])
            if r > 0:
                result[row] = _retrieved_with_cut_run(
                    gained[row] - gain[cut], n, r, n_before, r_before, at, runs.n_items, ties
                )
    return result


def average_precision_of_short(
    distances: Real[np.ndarray, " N"],
    relevant: Bool[np.ndarray, " N"],
    *,
    at: int | None,
    denominator: str,
    ties: str,
) -> float:
    """AP of one short ranking, with as few calls as possible: they cost more than the work.

    Two sorts, and a search for the relevant distances among all.

    Parameters
    ----------
    distances, relevant
        (N,) each, N 1 or more; as in `average_precision.average_precision`.
    at, denominator, ties
        As in `average_precision.average_precision`; not checked again.

    Returns
    -------
    float
        From 0 to 1; NaN where a distance is NaN.
    """
    if distances.dtype.itemsize == 1:  # NumPy sorts two bytes faster than one
        distances = distances.astype(np.int16)
    ranked, mine = distances.copy(), distances[relevant]
    ranked.sort()
    mine.sort()
    if ranked[-1] != ranked[-1]:  # NumPy sorts NaN to the end
        return math.nan
    first, last = ranked.searchsorted(mine), ranked.searchsorted(mine, "right")
    precision = np.arange(1, len(mine) + 1) / last
    n = last - first
    if np.count_nonzero(n - 1):
        plain = at is None and ties == "exact"
        if plain and not np.count_nonzero(mine[1:] == mine[:-1]):
            # Ties with others only: the mean over the ranks that each may get.
            tied, H = (n - 1).nonzero()[0], _harmonic(len(ranked))
            precision[tied] = (tied + 1) * (H[last[tied]] - H[first[tied]]) / n[tied]
            return float(precision.cumsum()[-1] / len(mine))
        r_before = mine.searchsorted(mine)
        leader = np.append(True, r_before[1:] != r_before[:-1]).nonzero()[0]
        runs = TieGroups(
            np.zeros(len(leader), np.intp),
            n[leader].astype(np.float64),
            np.diff(leader, append=len(mine)).astype(np.float64),
            first[leader].astype(np.float64),
            leader.astype(np.float64),
            np.array([len(mine)]),
            len(ranked),
        )
        if not plain:
            each = average_precisions_of_runs(runs, at=at, denominator=denominator, ties=ties)
            return float(each[0])
        gain = _gain(runs.n, runs.r, runs.n_before, runs.r_before, runs.n, len(ranked))
        return float(gain.cumsum()[-1] / len(mine))
    # Nothing relevant is tied, so no rule for ties matters.
    found = len(last) if at is None else int(last.searchsorted(at, "right"))
    if not found:
        return 0.0
    divisor = len(last) if at is None else min(at, len(last))
    gained = precision[:found].cumsum()[-1]
    return float(gained / (found if denominator == "retrieved" else divisor))


def hits_within(runs: TieGroups, k: int) -> Float[np.ndarray, " B"]:
    """Relevant items among the first k of each ranking, the mean over all orders of tied items.

    Parameters
    ----------
    runs
        The runs of B queries.
    k
        The cut, 1 or more.
    """
    return runs.per_query(runs.r * np.clip(k - runs.n_before, 0, runs.n) / runs.n)


def _gain(
    n: Float[np.ndarray, " G"],
    r: Float[np.ndarray, " G"],
    n_before: Float[np.ndarray, " G"],
    r_before: Float[np.ndarray, " G"],
    shown: Float[np.ndarray, " G"],
    n_items: int,
) -> Float[np.ndarray, " G"]:
    """Expected sum of precisions at the relevant ones among the first `shown` items of each run."""
    H = _harmonic(n_items)
    s = (r - 1) / np.maximum(n - 1, 1)
    first = n_before.astype(np.int64)
    # The difference for one item is known exactly; so a perfect ranking scores 1 and not a hair more.
    span = np.where(shown == 1, 1 / (first + 1), H[first + shown.astype(np.int64)] - H[first])
    return r / n * ((r_before + 1 - s * (n_before + 1)) * span + s * shown)


def _gain_and_found(
    runs: TieGroups, at: int, ties: str
) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, " G"]]:
    """What each run adds to the sum of precisions within the first `at`, and its hits there."""
    n, r, n_before, r_before = runs[1:5]
    # Mostly a run is one item: its rank is certain, and so is its precision.
    gain = (r_before + 1) / (n_before + 1)
    found = r
    if at < runs.n_items:
        found = r * np.clip(at - n_before, 0, n) / n
        gain *= n_before < at
    wide = np.flatnonzero(n > 1)
    if not len(wide):
        return gain, found
    n, r, n_before, r_before = (each[wide] for each in (n, r, n_before, r_before))
    if ties == "exact":
        shown = np.clip(at - n_before, 0, n)
        gain[wide] = _gain(n, r, n_before, r_before, shown, runs.n_items)
        return gain, found
    # All its relevant items first, or all last. A row of relevant items is a run of nothing else.
    start = n_before if ties == "optimistic" else n_before + n - r
    shown = np.clip(at - start, 0, r)
    all_hits = np.maximum(shown, 1)
    gain[wide] = _gain(all_hits, all_hits, start, r_before, shown, runs.n_items)
    found = np.array(found)
    found[wide] = shown
    return gain, found


def _retrieved_with_cut_run(
    whole: float,
    n: float,
    r: float,
    n_before: float,
    r_before: float,
    at: int,
    n_items: int,
    ties: str,
) -> float:
    """AP divided by the hits found, where a run is cut: which of its items are shown is open.

    `whole` is the gain of the runs before. Of the run, h relevant items are among those shown. Their
    number is hypergeometric, and given h what is shown is a run of its own: "exact" is the mean over h.
    The ends are the largest and the smallest value over h, with the h first, or last, of those shown.
    """
    H, shown = _harmonic(n_items), at - n_before
    h, probability = _hypergeometric(n, r, shown)
    found = r_before + h
    if ties == "exact":
        ones = np.ones_like(h)
        cut = _gain(shown * ones, h, n_before * ones, r_before * ones, shown * ones, n_items)
    else:
        before = np.full(len(h), n_before) if ties == "optimistic" else at - h
        first = before.astype(np.int64)
        cut = h + (r_before - before) * (H[first + h.astype(np.int64)] - H[first])
    value = np.where(found > 0, (whole + cut) / np.maximum(found, 1), 0.0)
    if ties == "exact":
        return float(probability @ value)
    return float(value.max() if ties == "optimistic" else value.min())


def _hypergeometric(
    n: float, r: float, shown: float
) -> tuple[Float[np.ndarray, " h"], Float[np.ndarray, " h"]]:
    """How many of `shown` items drawn out of n are among its r relevant ones, and how probably.

    By the ratios of neighbouring probabilities, which are exact: a thousand times quicker than
    scipy's and as good to a dozen digits.
    """
    h = np.arange(max(0.0, shown - (n - r)), min(r, shown) + 1)
    up, down = (r - h[:-1]) * (shown - h[:-1]), h[1:] * (n - r - shown + h[1:])
    logarithm = np.concatenate([[0.0], np.cumsum(np.log(up / down))])
    probability = np.exp(logarithm - logarithm.max())
    return h, probability / probability.sum()


@lru_cache(maxsize=4)
def _harmonic(n: int) -> Float[np.ndarray, " {n}+1"]:
    """Harmonic numbers H(0)..H(n)."""
    return np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, n + 1))])
