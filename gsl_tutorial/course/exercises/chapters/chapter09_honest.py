"""Check of chapter 09 that puts the parts together: mAP with its ties, and without the query itself.

The mean over all orders of tied items is that of McSherry and Najork, "Computing information retrieval
performance measures efficiently in the presence of tied scores", 2008.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.course.exercises.checking import call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare

#: Distances, the labels of queries and database, and the row of each query in the database, or -1.
Case = tuple[
    Float[np.ndarray, "B N"], Integer[np.ndarray, " B"], Integer[np.ndarray, " N"],
    Integer[np.ndarray, " B"],
]  # fmt: skip

_STEPS = (
    "step 1 (one query, no ties)",
    "step 2 (one query, ties)",
    "step 3 (three queries)",
    "step 4 (a query of a class that the database lacks)",
    "step 5 (queries that stand in the database themselves)",
    "step 6 (everything at once)",
)
#: Queries, items, distinct distances, and the seed: with it, the slips below lead elsewhere.
_CASES = ((1, 6, 0, 0), (1, 9, 3, 1), (3, 10, 4, 0), (3, 9, 4, 4), (4, 10, 4, 2), (6, 30, 5, 0))


def _example(number: int) -> Case:
    B, N, distinct, seed = _CASES[number]
    rng = np.random.default_rng([960 + number, seed])
    drawn = (
        rng.integers(1, 1 + distinct, (B, N)) if distinct else rng.permuted(1 + np.arange(N)[None])
    )
    labels, wanted = rng.permutation(np.arange(N) % 3), rng.integers(0, 3, B)
    own = np.full(B, -1)
    distances = drawn / 2.0
    if number == 2:  # a single right item for one of them
        labels[np.flatnonzero(labels == wanted[0])[1:]] = (wanted[0] + 1) % 3
    if number in (3, 5):
        wanted[-1] = 7
    if number >= 4:
        here = B - 2
        own[:here] = rng.permutation(N)[:here]
        wanted[:here] = labels[own[:here]]
        distances[np.arange(here), own[:here]] = 0.5  # as near as the nearest others: a tie
    return distances, wanted, labels, own


def _of_ties(how: str, relevant: Any, found: int, before: int) -> float:
    """The sum of precisions at the right ones of a tie, in one of several ways."""
    t, r = len(relevant), int(relevant.sum())
    s = np.arange(1, t + 1)
    if how == "end":
        return r * (found + r) / (before + t)
    if how in ("exact", "unconditional", "every"):
        rest = (s - 1) * (r - 1) / max(t - 1, 1) + 1 if how != "unconditional" else s * r / t
        return float(((found + rest) / (before + s)).sum() * (r / t if how != "every" else 1))
    order = {"file": relevant, "best": np.sort(relevant)[::-1], "worst": np.sort(relevant)}[how]
    return float((((found + np.cumsum(order)) / (before + s))[order]).sum())


def _scores(
    case: Case,
    *,
    ties: str = "exact",
    keeps_own: bool = False,
    sign: int = 1,
    divisor: str = "relevant",
) -> Any:
    """The AP of each query; NaN where nothing is right."""
    scores = []
    for d, label, row in zip(case[0], case[1], case[3], strict=True):
        keep = (np.arange(len(d)) != row) | keeps_own
        d, relevant = sign * d[keep], case[2][keep] == label
        before, found, total = 0, 0, 0.0
        for value in np.unique(d):
            tied = relevant[d == value]
            total += _of_ties(ties, tied, found, before)
            before, found = before + len(tied), found + int(tied.sum())
        scores.append(total / (found if divisor == "relevant" else before) if found else np.nan)
    return np.array(scores)


@exercise(
    "09.6",
    hints=(
        "Go query by query: leave its own row out, then walk through the distinct distances, nearest "
        "first. Keep two counts, how many items stand before the tie and how many of these are right.",
        "A tie of t items, r of them right, fills the ranks before + 1 to before + t. At its place s, "
        "counted from 0, a right one stands with chance r / t; then found + 1 + s (r - 1) / (t - 1) of the "
        "first before + 1 + s are right on average. (With t = 1, s is 0 only: divide by max(t - 1, 1).)",
        "Add up, over all places of all ties, chance times precision, and divide by the number of right "
        "items; where there are none the score is 0. The answer is the mean over all queries.",
    ),
)
def honest_map(answer: Any) -> str:
    """honest_map(distances (B, N), query_labels (B,), database_labels (N,), own_row (B,)) -> number."""
    at_every_size(_STEPS, lambda number: _judge_step(answer, number))
    return (
        "no order on the disk can help or harm, and no query finds itself. The next cell uses it."
    )


def _judge_step(answer: Any, number: int) -> None:
    case = _example(number)
    each = np.nan_to_num(_scores(case))
    right = each.mean()

    def slip(**how: Any) -> float:
        return float(np.nan_to_num(_scores(case, **how)).mean())

    is_empty, has_own = bool(np.isnan(_scores(case)).any()), bool((case[3] >= 0).any())
    wrong = {
        "tied items stand in the order of the file, so another order on the disk gives another score; "
        "take the mean over all orders.": slip(ties="file"),
        "within each tie, your right items stand first: that is the luckiest order, not the mean over "
        "all.": slip(ties="best"),
        "within each tie, your right items stand last: that is the unluckiest order, not the mean over "
        "all.": slip(ties="worst"),
        "all right items of a tie got the precision at its end. On average they stand at its places one "
        "by one, and the first rank of a tie counts more.": slip(ties="end"),
        "at a right item, one right item is certain: itself. Of those of the tie before it, a share of "
        "(r - 1) / (t - 1) is right, not r / t.": slip(ties="unconditional"),
        "the chance r / t is missing: not every place of a tie holds a right item.": slip(
            ties="every"
        ),
        "the query itself is in its ranking, at the top and right: leave its own row out.": (
            slip(keeps_own=True) if has_own else np.nan
        ),
        "the query of which nothing is right is left out of your mean; it counts 0.": (
            np.nanmean(_scores(case)) if is_empty else np.nan
        ),
        "the query of which nothing is right counts 1 with you; it counts 0.": (
            np.nan_to_num(_scores(case), nan=1.0).mean() if is_empty else np.nan
        ),
        "your ranking begins with the farthest; the smallest distance comes first.": slip(sign=-1),
        "divide by the number of right items, not by the length of the list.": slip(divisor="all"),
        "that is the AP of each query; one step is left, their mean.": each,
        "that is the sum over the queries; give the mean.": each.sum(),
        "that is the first query's score; does `return` stand inside the loop?": each[0],
        "that is the last query's score; are the others written over?": each[-1],
        "that is the median of the queries; give the mean.": np.median(each),
        "that is in per cent; leave it between 0 and 1.": 100 * right,
    }
    compare(
        call(answer, *case),
        right,
        wrong,
        otherwise=f"expected {right:.4f}; the AP of each query: {', '.join(f'{one:.3f}' for one in each)}.",
    )
