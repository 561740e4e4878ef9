"""Checks of chapter 12, first part: one list from many, and how many lists to look into."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare


@exercise(
    "12.1",
    hints=(
        "Put all lists into one long list of pairs (distance, id) and sort it. What decides between "
        "two equal "
        "distances?",
        "Python compares pairs by their first entry, and by the second where the first ones are equal: "
        "sorted(zip(distances, ids)). In NumPy that is np.lexsort((ids, distances)), the last key first.",
        "d, i = distances.ravel(), ids.ravel(); order = np.lexsort((i, d)); return i[order][:k].",
    ),
)
def merge_top(answer: Any) -> str:
    """merge_top(distances (S, n), ids (S, n), k) -> (k,) ids, nearest first."""

    def one(number: int) -> None:
        d, i, k = _lists(number)
        flat_d, flat_i = d.ravel(), i.ravel()
        order = np.lexsort((flat_i, flat_d))
        right = flat_i[order][:k]
        stable = np.argsort(flat_d, kind="stable")
        by_column = np.argsort(d.T.ravel(), kind="stable")
        result = call(answer, d, i, k)
        if isinstance(result, (set, frozenset)):
            raise Mistake("a set has no order; return the ids as a list, nearest first.")
        compare(
            result,
            right,
            {
                "of equal distances, the smaller id comes first. Here the order depends on which shard "
                "answered first, so the same search could give two answers.": flat_i[stable][:k],
                "of equal distances, the smaller id comes first. Here the order depends on which shard "
                "answered first, so the same search could give two answers. ": (
                    i.T.ravel()[by_column][:k]
                ),
                "of equal distances, the larger id comes first; it should be the smaller one.": (
                    flat_i[np.lexsort((-flat_i, flat_d))][:k]
                ),
                "those are the farthest ones of the lists; the smallest distances come first.": (
                    flat_i[np.lexsort((flat_i, -flat_d))][:k]
                ),
                "those are the nearest ones, but in the reversed order.": right[::-1],
                "those are the smallest ids. The distance decides; the id only between equal distances "
                "(np.lexsort takes its most important key last).": np.sort(flat_i)[:k],
                "those are distances; return the ids.": flat_d[order][:k],
                "those are places in the long list; return the ids that stand there.": order[:k],
                "that is the first shard's own list: the other shards may have nearer items.": (
                    i[0][:k]
                ),
                "that is the best of each shard. One shard may hold several of the nearest.": i[
                    :, 0
                ],
                "that is the whole list; keep the k nearest.": flat_i[order],
                "that is one item too many: k are asked for.": flat_i[order][: k + 1],
                "that is one item too few: k are asked for.": flat_i[order][: k - 1],
            },
            otherwise=lambda at: (
                f"place {at[0] + 1} of {k} should hold id {right[at[0]]}, at distance "
                f"{np.sort(flat_d)[at[0]]:g}."
            ),
        )

    at_every_size(["2 shards", "3 shards", "4 shards"], one)
    return (
        "the nearest of all are among the nearest of each shard, and the second key makes the answer "
        "the same however the items were cut."
    )


def _lists(number: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Lists of several shards: ties inside the k nearest and across their end, ids in no order."""
    shards, n, k = ((2, 3, 3), (3, 4, 4), (4, 5, 3))[number]
    for seed in range(1000):
        rng = np.random.default_rng([1210 + number, seed])
        d = np.sort(rng.integers(1, 4 + number, size=(shards, n)) / 4.0, axis=1)
        i = rng.permutation(shards * n * 2)[: shards * n].reshape(shards, n)
        i = np.stack([row[np.lexsort((row, own))] for row, own in zip(i, d, strict=True)])
        order = np.lexsort((i.ravel(), d.ravel()))
        best, far = i.ravel()[order], np.sort(d.ravel())
        by_shard = i.ravel()[np.argsort(d.ravel(), kind="stable")]
        mixed = not np.array_equal(best[:k], np.sort(best[:k]))
        if mixed and far[k - 1] == far[k] and not np.array_equal(best[:k], by_shard[:k]):
            break
    return d, i, k


@exercise(
    "12.2",
    hints=(
        "With nprobe = 1 you find the neighbours that lie in the nearest list, rank 0. Which ranks "
        "does nprobe = "
        "3 find?",
        "Recall at nprobe is the share of queries with rank < nprobe: (ranks < nprobe).mean(). Try "
        "nprobe = 1, 2, 3, ... until it reaches what is wanted.",
        "Begin with nprobe = 1, and add 1 for as long as (ranks < nprobe).mean() is below what is wanted.",
    ),
)
def choose_nprobe(answer: Any) -> str:
    """choose_nprobe(ranks (B,), wanted) -> a whole number."""

    def one(number: int) -> None:
        rng = np.random.default_rng(1220 + number)
        n, below = ((10, 5), (25, 8), (40, 1), (8, 31))[number]
        ranks = np.minimum(rng.geometric(0.2, size=n) - 1, 30)
        # As many as wanted, exactly, lie below some rank: reaching it is enough.
        wanted = float((ranks < below).mean())
        right = _smallest(ranks, wanted)
        over = 1 + next((r for r in range(32) if (ranks < r + 1).mean() > wanted), int(ranks.max()))
        result = call(answer, ranks, wanted)
        compare(
            result,
            right,
            {
                "that is a rank, and ranks count from 0: to reach rank r you look into r + 1 lists.": (
                    right - 1
                ),
                "that is one list more than is needed; the smallest number that reaches the recall is "
                "asked for.": right + 1,
                "a recall equal to the wanted one is enough; you ask for more.": (
                    over if over != right else np.nan
                ),
                "that finds every neighbour; only the wanted share is asked for.": (
                    ranks.max() + 1 if wanted < 1 else np.nan
                ),
                "that is the mean rank plus 1. A mean says little about the share that is found.": (
                    ranks.mean() + 1
                ),
                "that is how many queries are to be found; how many lists does that take?": (
                    np.ceil(wanted * n - 1e-9) if np.ceil(wanted * n - 1e-9) != right else np.nan
                ),
                "you chose by the queries that are missed; wanted is the share that is found.": (
                    _smallest(ranks, 1 - wanted) if wanted != 0.5 else np.nan
                ),
                "that is the recall; the number of lists is asked for.": (ranks < right).mean(),
            },
            otherwise=(
                f"expected {right}: with it {(ranks < right).mean():.0%} of {n} neighbours are found, "
                f"with one list less {(ranks < right - 1).mean():.0%}; wanted are {wanted:.0%}."
            ),
        )

    at_every_size(["10 queries", "25 queries", "40 queries", "8 queries"], one)
    return (
        "recall over nprobe is the distribution of the neighbours' ranks, summed up: it rises "
        "steeply and then flattens."
    )


def _smallest(ranks: np.ndarray, wanted: float) -> int:
    return next(p for p in range(1, ranks.max() + 2) if (ranks < p).mean() >= wanted)
