"""Condensed rankings against plain loops: the same groups, number for number, by every way of sorting."""

from __future__ import annotations

import subprocess
import sys
import threading
import tracemalloc
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import runs_of_ranking

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation import (
    average_precisions,
    group_codes,
    grouped_average_precisions,
    ranking,
    streamed_average_precisions,
)
from gsl_tutorial.evaluation.ranking import Members, relevant_runs, stream
from gsl_tutorial.evaluation.sorting import ascending, flagged, reorder
from gsl_tutorial.evaluation.ties import TieGroups, _hypergeometric, runs_by_sorting

many = settings(max_examples=150, deadline=None)
seeds = st.integers(0, 2**32 - 1)
#: Everything a float32 can be, but NaN.
SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, 1e-45, -1e-45, 3.4e38, -3.4e38, 1.0000001], np.float32
)
KINDS = {
    "few": lambda rng, shape: rng.integers(-2, 3, shape).astype(np.float32),
    "many": lambda rng, shape: rng.normal(size=shape).astype(np.float32),
    "special": lambda rng, shape: rng.choice(SPECIAL, shape),
    "bits": lambda rng, shape: rng.integers(0, 2**32, shape, dtype=np.uint32).view(np.float32),
    "squared": lambda rng, shape: (rng.normal(size=shape) ** 2).round(1),
    "products": lambda rng, shape: (9 * rng.normal(size=shape)).round(1),
    "wide": lambda rng, shape: rng.choice([-1e300, -1e-300, 0.0, 1e-300, 1e300], shape),
    "bits64": lambda rng, shape: rng.integers(0, 2**64, shape, dtype=np.uint64).view(np.float64),
    "counts": lambda rng, shape: rng.integers(0, 9, shape).astype(np.uint8),
    "int64": lambda rng, shape: rng.integers(-(2**63), 2**63 - 1, shape) // 2**60 * 2**60,
    "uint64": lambda rng, shape: np.uint64(2**63) + rng.integers(0, 3, shape).astype(np.uint64),
}


def same(one: TieGroups, other: TieGroups) -> None:
    for mine, theirs in zip(one[:7], other[:7], strict=True):
        np.testing.assert_array_equal(mine, theirs)


def some_distances(kind: str, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    distances = KINDS[kind](rng, shape)
    return np.where(np.isnan(distances), distances.dtype.type(1), distances)


def runs_of_loops(distances: np.ndarray, sizes: np.ndarray, hits: np.ndarray) -> np.ndarray:
    rows = [
        (b, *run)
        for b in range(len(distances))
        for run in runs_of_ranking(distances[b], sizes, hits[b])
    ]
    return np.array(rows).reshape(-1, 5).T


def database(U: int, rng: np.random.Generator, classes: int = 4) -> tuple[Members, np.ndarray]:
    """Members of U groups of 0 to 3 items of each label, and query labels, one of them unknown."""
    counts = {c - 1: rng.integers(0, 4, U).astype(np.int32) for c in range(classes)}
    return Members.of_counts(counts), rng.integers(-1, classes, 5)


@many
@given(st.integers(1, 40), st.sampled_from(sorted(KINDS)), seeds)
def test_groups_of_codes_are_those_of_plain_loops(U: int, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    members, labels = database(U, rng)
    distances = some_distances(kind, (5, U), rng)
    found, hits = relevant_runs(distances, labels, members), members.relevant_to(labels)
    plain = runs_of_loops(distances, members.sizes, hits)
    np.testing.assert_array_equal(plain, np.stack(found[:5]))
    np.testing.assert_array_equal(hits.sum(axis=1), found.relevant)
    assert found.n_items == members.sizes.sum()


@many
@given(st.integers(1, 40), st.sampled_from(sorted(KINDS)), st.booleans(), seeds)
def test_groups_of_single_items_are_those_of_plain_loops(
    N: int, kind: str, several: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    distances = some_distances(kind, (5, N), rng)
    given_labels: Any = rng.integers(0, 3, N), rng.integers(0, 4, 5)
    if several:
        given_labels = rng.random((N, 20)) < 0.05, rng.random((5, 20)) < 0.2
    members = Members.of_labels(given_labels[0])
    found, hits = (
        relevant_runs(distances, given_labels[1], members),
        members.relevant_to(given_labels[1]),
    )
    np.testing.assert_array_equal(
        runs_of_loops(distances, members.sizes, hits.astype(int)), np.stack(found[:5])
    )
    same(found, runs_by_sorting(distances, members.sizes, hits))


@pytest.mark.parametrize("spread", [1e-6, 1e-3, 1.0, 1e3, 1e30])
@pytest.mark.parametrize("U", [255, 256, 1000, 70_000])
def test_large_and_clustered_rankings(spread: float, U: int) -> None:
    rng = np.random.default_rng(U)
    labels = rng.integers(0, 3, U)
    distances = (100 + spread * rng.normal(size=(3, U)).round(3)).astype(np.float32)
    distances[1, rng.integers(0, U, 5)] = np.inf
    distances[2] *= -1
    members = Members.of_labels(labels)
    query_labels = np.array([0, 2, 7])
    hits = members.relevant_to(query_labels)
    for dtype in (np.float32, np.float64):
        same(
            relevant_runs(distances.astype(dtype), query_labels, members),
            runs_by_sorting(distances, members.sizes, hits),
        )


@many
@given(st.integers(1, 60), st.sampled_from(sorted(KINDS)), seeds)
def test_sorting_keeps_order_and_flags(N: int, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    distances, flags = some_distances(kind, (3, N), rng), rng.random((3, N)) < 0.3
    before = distances.copy(), flags.copy()
    order = ascending(distances)
    sorted_rows = reorder(distances, order)
    np.testing.assert_array_equal(sorted_rows, np.sort(distances, axis=1))
    np.testing.assert_array_equal(np.sort(order, axis=1), np.tile(np.arange(N), (3, 1)))
    keys = flagged(distances, flags)
    assert (keys is None) <= (distances.dtype.itemsize == 8)
    if keys is not None:
        for key, row, flag in zip(keys, distances.tolist(), flags.tolist(), strict=True):
            expected = sorted(zip(row, [not one for one in flag], strict=True))
            assert (key & 1).tolist() == [int(is_out) for _, is_out in expected]
            values = [value for value, _ in expected]
            np.testing.assert_array_equal(
                np.diff(key >> 1) > 0, [a < b for a, b in pairwise(values)]
            )
    for array, old in zip((distances, flags), before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_the_fewest_bits_that_hold_them() -> None:
    rng = np.random.default_rng(0)
    flags = np.ones((1, 50), bool)
    positive = rng.random((1, 50)) + 0.01
    for distances, bits in (
        (rng.integers(0, 33, (1, 50)), 16),
        (positive.astype(np.float32), 32),
        (positive.astype(np.float32) - 0.5, 32),
        (positive, 64),
        (100 * (positive - 0.5), 64),
    ):
        keys = flagged(distances, flags)
        assert keys is not None
        assert keys.dtype == f"u{bits // 8}"


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float64, np.int64, ">f4"])
def test_other_numbers_are_ranked_alike(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    members = Members.of_labels(rng.integers(0, 3, 50))
    distances, labels = rng.integers(0, 9, (4, 50)).astype(dtype), np.array([0, 1, 2, 3])
    same(
        relevant_runs(distances, labels, members),
        relevant_runs(distances.astype(np.float64), labels, members),
    )
    strided = np.repeat(distances, 2, axis=1)[:, ::2]
    same(relevant_runs(strided, labels, members), relevant_runs(distances, labels, members))
    fortran = np.asfortranarray(distances)
    same(relevant_runs(fortran, labels, members), relevant_runs(distances, labels, members))


def test_float64_that_float32_would_tie_stay_apart() -> None:
    distances = np.array([[1.0, 1.0 + 1e-12]])
    runs = relevant_runs(distances, np.array([1]), Members.of_labels(np.array([0, 1])))
    assert (runs.n.tolist(), runs.n_before.tolist()) == ([1.0], [1.0])


def test_members_of_labels_of_groups_and_of_counts_agree() -> None:
    rng = np.random.default_rng(0)
    codes, labels = rng.integers(0, 3, (60, 2)), rng.integers(-2, 3, 60)
    distinct, members = group_codes(codes, labels)
    counted = Members.of_counts(dict(members))
    assert Members.of_counts(members) is members
    asked = np.array([-2, -1, 0, 1, 2, 3, -9])
    per_item = Members.of_labels(labels).relevant_to(asked)
    for row, label in zip(per_item, asked.tolist(), strict=True):
        np.testing.assert_array_equal(row, labels == label)
    expected = [
        [(per_item[i] & (codes == code).all(axis=1)).sum() for code in distinct]
        for i in range(len(asked))
    ]
    for grouped in (members, counted):
        assert grouped.sizes.sum() == len(labels)
        np.testing.assert_array_equal(grouped.relevant_to(asked), expected)
        assert list(grouped) == [-2, -1, 0, 1, 2]
        np.testing.assert_array_equal([grouped[label] for label in grouped], expected[:5])


def test_members_of_very_many_labels_take_little_memory() -> None:
    """A table of counts for 20,000 labels and as many codes would need 1.6 GB."""
    labels = np.arange(20_000)
    tracemalloc.start()
    _, members = group_codes(labels[:, None], labels)
    grouped_average_precisions(np.zeros((2, 20_000), np.float32), labels[:2], members)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


# Streams


@pytest.mark.parametrize("one_thread", [0, 10**12])
@pytest.mark.parametrize("cached", [1, 90, 10**9])
def test_streamed_equals_whole_in_any_blocks(
    cached: int, one_thread: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    codes, labels = rng.integers(0, 4, (200, 2)), rng.integers(0, 3, 200)
    distinct, counts = group_codes(codes, labels)
    distances = rng.normal(size=(37, len(distinct))).round(1).astype(np.float32)
    query_labels = rng.integers(0, 4, 37)
    expected = grouped_average_precisions(distances, query_labels, counts, at=20)
    monkeypatch.setattr(ranking, "_CACHED", cached)
    monkeypatch.setattr(ranking, "_ONE_THREAD", one_thread)
    got = streamed_average_precisions(lambda rows: distances[rows], query_labels, counts, at=20)
    np.testing.assert_array_equal(got, expected)
    each = average_precisions(distances, query_labels, np.arange(len(distinct)) % 3)
    assert each.shape == (37,)


def test_no_queries_no_items_no_fault() -> None:
    counts = group_codes(np.zeros((3, 1), int), np.array([0, 1, 1]))[1]
    none = streamed_average_precisions(lambda rows: np.zeros((0, 1)), np.zeros(0, int), counts)
    assert none.shape == (0,)
    empty = Members.of_labels(np.zeros(0, int))
    runs = relevant_runs(np.zeros((2, 0), np.float32), np.zeros(2, int), empty)
    assert runs.relevant.tolist() == [0.0, 0.0]


def test_an_error_in_a_thread_reaches_the_caller() -> None:
    members = Members.of_labels(np.arange(5))
    with pytest.raises(InvalidInputError, match="without NaN"):
        list(stream(lambda rows: np.full((1, 5), np.nan), np.zeros(1, int), members, len))
    with pytest.raises(InvalidInputError, match=r"distances \(1, 5\).*got a \(1, 4\)"):
        list(stream(lambda rows: np.zeros((1, 4)), np.zeros(1, int), members, len))


def test_memory_stays_flat_however_many_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "_CACHED", 20_000)
    monkeypatch.setattr(ranking, "n_cores", lambda: 1)  # no race for memory
    members = Members.of_labels(np.arange(2000) % 10)

    def peak(n_queries: int) -> int:
        labels = np.zeros(n_queries, int)
        tracemalloc.start()
        for _ in stream(lambda rows: np.ones((rows.stop - rows.start, 2000), np.float32), labels,
                        members, lambda runs: runs.relevant.sum()):  # fmt: skip
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(4000) < 1.5 * peak(400)  # all distances at once would be 32 MB and 3.2


def test_threads_only_where_there_is_much_to_do() -> None:
    seen = set()

    def distances_of(rows: slice) -> np.ndarray:
        seen.add(threading.current_thread() is threading.main_thread())
        return np.ones((rows.stop - rows.start, 1000), np.float32)

    members = Members.of_labels(np.arange(1000) % 10)
    list(stream(distances_of, np.zeros(10, int), members, len))
    assert seen == {True}
    if ranking.n_cores() > 1:
        seen.clear()
        list(stream(distances_of, np.zeros(1000, int), members, len))
        assert seen == {False}


def test_nothing_is_compiled() -> None:
    """No compiler is needed, and none is loaded, however many distances there are."""
    program = (
        "import sys, numpy as np\n"
        "from gsl_tutorial.evaluation import mean_average_precision\n"
        "d = np.zeros((2000, 6000), np.float32)\n"
        "mean_average_precision(d, np.zeros(2000, int), np.arange(6000) % 7)\n"
        "print([name for name in sys.modules if 'numba' in name or 'llvmlite' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    ("n", "r", "shown"),
    [(20, 5, 3), (20, 18, 6), (5000, 700, 999), (7, 7, 3), (7, 1, 7), (9, 4, 1)],
)
def test_the_hypergeometric_is_scipys(n: int, r: int, shown: int) -> None:
    from scipy.stats import hypergeom

    h, probability = _hypergeometric(n, r, shown)
    np.testing.assert_allclose(probability, hypergeom(n, r, shown).pmf(h), atol=1e-13)
    assert hypergeom(n, r, shown).pmf(h).sum() == pytest.approx(1)
