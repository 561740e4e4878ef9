"""Slow twins: what the package does in few fast lines, once more in plain loops to be read and trusted.

Nothing here imports from the package. Floats are float64 throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, groupby, permutations, product

import numpy as np
import pytest
import torch

#: Both devices for tests that hold on either; the second is skipped where torch sees no GPU.
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU for torch"),
        ],
    ),
]


def squared_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Sum of squared differences, one number at a time."""
    return sum((float(x) - float(y)) ** 2 for x, y in zip(a, b, strict=True))


def pieces(x: np.ndarray, n_subspaces: int) -> list[np.ndarray]:
    """The M sub-vectors of one vector, by counting."""
    d = len(x) // n_subspaces
    return [x[m * d : (m + 1) * d] for m in range(n_subspaces)]


def pq_tables(queries: np.ndarray, codebooks: np.ndarray) -> np.ndarray:
    """(B, M, K) squared distances from each piece of a query to each codeword."""
    M, K, _ = codebooks.shape
    tables = np.zeros((len(queries), M, K))
    for b, query in enumerate(queries):
        for m, piece in enumerate(pieces(query, M)):
            for k in range(K):
                tables[b, m, k] = squared_distance(piece, codebooks[m][k])
    return tables


def pq_encode(X: np.ndarray, codebooks: np.ndarray) -> np.ndarray:
    """(N, M) numbers of the nearest codewords."""
    tables = pq_tables(X, codebooks)
    codes = np.zeros(tables.shape[:2], dtype=int)
    for i, m in np.ndindex(codes.shape):
        codes[i, m] = min(range(tables.shape[2]), key=lambda k: tables[i, m, k])
    return codes


def pq_clear(X: np.ndarray, codebooks: np.ndarray, gap: float = 1e-5) -> np.ndarray:
    """(N, M) True where the nearest codeword wins by more than float32 rounding could hide."""
    two = np.sort(pq_tables(X, codebooks), axis=2)[:, :, :2]
    return two[..., 1] - two[..., 0] > gap * (1 + two[..., 1])


def pq_decode(codes: np.ndarray, codebooks: np.ndarray) -> np.ndarray:
    """(N, dim) codewords side by side."""
    rows = [[x for m, k in enumerate(code) for x in codebooks[m][k]] for code in codes]
    return np.array(rows).reshape(len(codes), codebooks.shape[0] * codebooks.shape[2])


def pq_adc(queries: np.ndarray, codes: np.ndarray, codebooks: np.ndarray) -> np.ndarray:
    """(B, N) squared distances from exact queries to decoded codes."""
    decoded = pq_decode(codes, codebooks)
    return np.array([[squared_distance(q, x) for x in decoded] for q in queries])


def pq_sdc(query_codes: np.ndarray, codes: np.ndarray, codebooks: np.ndarray) -> np.ndarray:
    """(B, N) squared distances from decoded to decoded codes."""
    return pq_adc(pq_decode(query_codes, codebooks), codes, codebooks)


def ap_of_ranking(
    relevant: tuple[bool, ...], *, at: int | None = None, denominator: str = "relevant"
) -> float:
    """AP of one ranking without ties: the definition, rank by rank."""
    at = len(relevant) if at is None else at
    total, found = 0.0, 0
    for k, hit in enumerate(relevant[:at], start=1):
        if hit:
            found += 1
            total += found / k
    divisor = found if denominator == "retrieved" else min(at, sum(relevant))
    return total / divisor if divisor else 0.0


def tie_groups(distances: np.ndarray) -> list[list[int]]:
    """Items by increasing distance; those at the same distance together."""
    order = sorted(range(len(distances)), key=lambda i: distances[i])
    return [list(group) for _, group in groupby(order, key=lambda i: distances[i])]


def rankings(distances: np.ndarray, relevant: np.ndarray) -> Iterator[tuple[bool, ...]]:
    """The relevance along every order of the items that `distances` allow."""
    for order in product(*[permutations(group) for group in tie_groups(distances)]):
        yield tuple(bool(relevant[i]) for i in chain(*order))


def patterns(distances: np.ndarray, relevant: np.ndarray) -> Iterator[tuple[bool, ...]]:
    """The distinct ones among `rankings`, all equally likely: far fewer, for longer lists."""

    def of_group(group: list[int]) -> list[tuple[bool, ...]]:
        r = sum(bool(relevant[i]) for i in group)
        places = combinations(range(len(group)), r)
        return [tuple(i in chosen for i in range(len(group))) for chosen in places]

    for pattern in product(*[of_group(group) for group in tie_groups(distances)]):
        yield tuple(chain(*pattern))


def ap_of_all_orders(
    distances: np.ndarray, relevant: np.ndarray, *, at: int | None, denominator: str
) -> np.ndarray:
    """The AP of every order of the tied items; "exact" is its mean."""
    return np.array(
        [
            ap_of_ranking(ranking, at=at, denominator=denominator)
            for ranking in rankings(distances, relevant)
        ]
    )


def precision_recall_of_all_orders(
    distances: np.ndarray, relevant: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall at each rank of one query, averaged over every order of the tied items."""
    hits = np.mean([np.cumsum(ranking) for ranking in rankings(distances, relevant)], axis=0)
    return hits / np.arange(1, len(distances) + 1), hits / max(1, relevant.sum())


def field_map(
    distances: np.ndarray, query_labels: np.ndarray, database_labels: np.ndarray
) -> float:
    """mAP@all as public code of this field computes it: argsort each query, ties as they fall."""
    total = 0.0
    for row, label in zip(distances, query_labels, strict=True):
        ground_truth = (database_labels == label).astype(int)
        ground_truth = ground_truth[np.argsort(row, kind="stable")]
        n_relevant = ground_truth.sum()
        if n_relevant == 0:
            continue
        count = np.arange(1, n_relevant + 1)
        rank = np.flatnonzero(ground_truth == 1) + 1
        total += float(np.mean(count / rank))
    return total / len(distances)


def beam_twin(x: np.ndarray, codebooks: np.ndarray, width: int) -> list[tuple[int, ...]]:
    """Codes of the best sums for one vector, nearest first: keep `width` partial sums each stage."""
    beam: list[tuple[int, ...]] = [()]
    for m in range(len(codebooks)):
        longer = [(*code, k) for code in beam for k in range(len(codebooks[m]))]
        longer.sort(key=lambda code: additive_distance(x, code, codebooks))
        beam = longer[:width]
    return beam


def additive_distance(x: np.ndarray, code: tuple[int, ...], codebooks: np.ndarray) -> float:
    """Squared distance from one vector to the sum of the codewords of a (partial) code."""
    total = [sum(float(codebooks[m][k][i]) for m, k in enumerate(code)) for i in range(len(x))]
    return squared_distance(x, np.array(total))


def additive_adc(queries: np.ndarray, codes: np.ndarray, codebooks: np.ndarray) -> np.ndarray:
    """(B, N) squared distances from exact queries to sums of codewords."""
    rows = [[additive_distance(q, tuple(code), codebooks) for code in codes] for q in queries]
    return np.array(rows).reshape(len(queries), len(codes))


def runs_of_ranking(
    distances: np.ndarray, sizes: np.ndarray, hits: np.ndarray
) -> list[tuple[int, int, int, int]]:
    """(items, relevant, items before, relevant before) of each tie group with something relevant."""
    found, n_before, r_before = [], 0, 0
    for group in tie_groups(distances):
        n, r = sum(int(sizes[i]) for i in group), sum(int(hits[i]) for i in group)
        if r:
            found.append((n, r, n_before, r_before))
        n_before, r_before = n_before + n, r_before + r
    return found


def within_radius_of_one(
    distances: np.ndarray, relevant: np.ndarray, radius: float
) -> tuple[float, float, int]:
    """Precision, recall and number of the items no farther than the radius, one by one."""
    inside = [bool(r) for d, r in zip(distances, relevant, strict=True) if d <= radius]
    precision = sum(inside) / len(inside) if inside else 0.0
    return precision, sum(inside) / max(1, int(relevant.sum())), len(inside)
