"""Checks of chapter 12, second part: what a billion vectors weigh, and what a lost shard costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare


@exercise(
    "12.3",
    hints=(
        "Four things are stored: a code and an id for each vector, a centroid for each list, and "
        "the codebooks. "
        "Start with the code: M log2 K bits.",
        "A code takes whole bytes: -(-bits // 8) rounds up. A float32 takes 4 bytes. The M codebooks "
        "hold K codewords each, and the subvectors of M codewords together are dim long.",
        "With bits = M log2 K, each vector takes -(-bits // 8) + 8 bytes. Add 4 * dim for each list and "
        "4 * dim for each of the K codewords.",
    ),
)
def index_bytes(answer: Any) -> str:
    """index_bytes(n, dim, lists, M, K) -> a whole number."""

    def one(number: int) -> None:
        n, dim, lists, m, k = (
            (1000, 32, 10, 8, 256), (10**9, 96, 2**17, 12, 256), (5000, 40, 64, 5, 16),
        )[number]  # fmt: skip
        bits = m * int(np.log2(k))
        code = -(-bits // 8)
        tables = lists * dim * 4 + k * dim * 4
        right = n * (code + 8) + tables
        result = call(answer, n, dim, lists, m, k)
        if not isinstance(result, (int, float, np.number)) or not np.isreal(result):
            raise Mistake(f"a number of bytes is asked for, you returned {type(result).__name__}.")
        count: Any = result
        if abs(count) > 1e18:
            raise Mistake(f"expected {right:,} bytes; your number has more than eighteen digits.")
        compare(
            float(count) / n,
            right / n,
            {
                "the ids are missing: inside a list the place no longer tells which vector it is, so 8 "
                "bytes each are stored.": (right - 8 * n) / n,
                "the centroids of the lists are missing.": (right - lists * dim * 4) / n,
                "the codebooks are missing.": (right - k * dim * 4) / n,
                "centroids and codebooks are missing: they are stored once, but they are stored.": (
                    (right - tables) / n
                ),
                "you counted the bits of a code as bytes: divide by 8.": (
                    (n * (bits + 8) + tables) / n
                ),
                f"a code of {bits} bits takes whole bytes: round up.": (
                    (n * (bits / 8 + 8) + tables) / n if bits % 8 else np.nan
                ),
                f"a code of {bits} bits takes whole bytes: round up, not down.": (
                    (n * (bits // 8 + 8) + tables) / n if bits % 8 else np.nan
                ),
                "the M codebooks hold subvectors of length dim / M, not whole vectors: together K x dim "
                "numbers.": (n * (code + 8) + lists * dim * 4 + m * k * dim * 4) / n,
                "one codebook is counted; there are M, with subvectors of length dim / M.": (
                    (n * (code + 8) + lists * dim * 4 + k * (dim // m) * 4) / n
                ),
                "a float32 takes 4 bytes: centroids and codebooks are counted in numbers.": (
                    (n * (code + 8) + tables / 4) / n
                ),
                "those are bytes of float64: a float32 takes 4.": (n * (code + 8) + 2 * tables) / n,
                "the id is counted once, not for each vector.": (n * code + 8 + tables) / n,
                "that is the size of the vectors themselves; codes take their place.": (
                    (n * (4 * dim + 8) + tables) / n
                ),
                "that is bits; a byte has 8 of them.": 8 * right / n,
                "that is the size for one vector; there are n.": right / n / n,
            },
            otherwise=(
                f"expected {right:,} bytes for {n:,} vectors. Compare term by term: "
                f"codes {n * code:,}, ids {8 * n:,}, centroids {4 * lists * dim:,}, "
                f"codebooks {4 * k * dim:,}. You got {_as_count(result)}."
            ),
        )
        if float(result) != right:
            raise Mistake(
                f"expected {right:,} bytes, you got {float(result):,.0f}: nearly, but bytes are counted "
                "exactly. Which constant is too much, or missing?"
            )

    at_every_size(["1,000 vectors", "a billion vectors", "codes of 20 bits"], one)
    return (
        "codes and ids grow with the vectors, centroids and codebooks do not. At 8 bytes a code, "
        "the id weighs "
        "as much as the code."
    )


@exercise(
    "12.4",
    hints=(
        "A neighbour is lost when its id lies in a lost shard. Which shard is id 17 in, if each "
        "shard holds "
        "`size` ids in a row?",
        "ids // size is the number of the shard, and np.isin(ids // size, lost) marks what is gone. The "
        "recall is a mean over all; a list is whole when none of its row is gone.",
        "With kept = ~np.isin(ids // size, lost), the two numbers are kept.mean() and "
        "kept.all(axis=1).mean().",
    ),
)
def what_is_left(answer: Any) -> str:
    """what_is_left(ids (B, k), size, lost) -> two numbers: recall, share of whole lists."""

    def one(number: int) -> None:
        # With this seed there are whole lists in every case.
        rng = np.random.default_rng(1280 + number)
        rows, k, size, shards, lost = (
            (6, 3, 10, 4, [1]), (12, 5, 7, 6, [0, 4]), (9, 2, 5, 3, [2]),
        )[number]  # fmt: skip
        ids = np.stack([rng.permutation(size * shards)[:k] for _ in range(rows)])
        # Whole lists stand at the one end in one case, and at the other in the next.
        holes = np.isin(ids // size, lost).any(axis=1)
        ids = ids[np.argsort(holes if number % 2 else ~holes, kind="stable")]
        where = ids // size
        gone = np.isin(where, lost)
        kept = ~gone
        right = np.array([kept.mean(), kept.all(axis=1).mean()])
        share = 1 - len(lost) / shards
        expected = np.array([share, share**k])
        first = np.isin(where, lost[:1])
        by_modulo = ~np.isin(ids % shards, lost)
        as_ids = ~np.isin(ids, lost)
        result = call(answer, ids, size, lost)
        compare(
            result,
            right,
            {
                "the two are swapped: first the recall, then the share of whole lists.": right[::-1],
                "those are the shares that are lost; what is left is asked for.": 1 - right,
                "the first number is what is lost; the recall is the share that is left.": [
                    gone.mean(), right[1],
                ],
                "the second number counts the lists that lost something; the whole ones are asked for.": [
                    right[0], 1 - right[1],
                ],
                "the second number counts lists of which anything is left; whole means that nothing is "
                "gone (all, not any).": [right[0], kept.any(axis=1).mean()],
                "the second number goes down the columns; a list is a row (axis=1).": [
                    right[0], kept.all(axis=0).mean(),
                ],
                "you looked for ids in the list of lost shards; first find the shard of each id.": [
                    as_ids.mean(), as_ids.all(axis=1).mean(),
                ],
                "a shard holds ids in a row, 0 to size - 1 first: divide by size (//), the remainder (%) "
                "would deal them out like cards.": [by_modulo.mean(), by_modulo.all(axis=1).mean()],
                "only the first lost shard is counted.": (
                    [(~first).mean(), (~first).all(axis=1).mean()] if len(lost) > 1 else np.nan
                ),
                "that is what you may expect on average; count what happened to these lists.": expected,
                "that is the recall alone; the share of whole lists is asked for, too.": right[0],
                "that is the share of whole lists alone; the recall comes first.": right[1],
                "those are counts; give shares.": [kept.sum(), kept.all(axis=1).sum()],
                "the second number is a count; give the share.": [
                    right[0], kept.all(axis=1).sum(),
                ],
            },
            otherwise=(
                f"expected {right[0]:.4f} and {right[1]:.4f}: {int(kept.sum())} of {ids.size} neighbours "
                f"are left, and {int(kept.all(axis=1).sum())} of {rows} lists are whole."
            ),
        )  # fmt: skip

    at_every_size(["one of 4 shards", "two of 6 shards", "one of 3 shards"], one)
    return (
        "recall falls by the share that is lost, and not to zero. Whole lists become rare much "
        "sooner: every "
        "neighbour has to survive."
    )


def _as_count(result: Any) -> str:
    return f"{float(result):,.0f}" if np.ndim(result) == 0 else f"{result!r}"[:60]
