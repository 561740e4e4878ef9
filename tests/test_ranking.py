"""The compiled ranking against plain loops and against sorting: the same groups, number for number."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
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
from gsl_tutorial.evaluation.ties import Runs, _hypergeometric

many = settings(max_examples=150, deadline=None)
seeds = st.integers(0, 2**32 - 1)
#: Everything a float32 can be, but NaN.
SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, 1e-45, -1e-45, 3.4e38, -3.4e38, 1.0000001], np.float32
)


def same(one: Runs, other: Runs) -> None:
    for mine, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def database(U: int, rng: np.random.Generator, classes: int = 4) -> tuple[Members, np.ndarray]:
    """Members of U groups of 0 to 3 items of each label, and query labels, one of them unknown."""
    counts = {c - 1: rng.integers(0, 4, U).astype(np.int32) for c in range(classes)}
    return Members.of_counts(counts), rng.integers(-1, classes, 5)


@many
@given(st.integers(1, 40), st.sampled_from(["few", "many", "special", "bits"]), seeds)
def test_counting_sorting_and_plain_loops_find_the_same_groups(
    U: int, kind: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    members, labels = database(U, rng)
    distances = {
        "few": lambda: rng.integers(-2, 3, (5, U)).astype(np.float32),
        "many": lambda: rng.normal(size=(5, U)).astype(np.float32),
        "special": lambda: rng.choice(SPECIAL, (5, U)),
        "bits": lambda: rng.integers(0, 2**32, (5, U), dtype=np.uint32).view(np.float32),
    }[kind]()
    distances = np.where(np.isnan(distances), np.float32(1), distances)
    slow = relevant_runs(distances, labels, members)
    same(relevant_runs(distances, labels, members, compiled=True), slow)
    hits = members.relevant_to(labels)
    plain = [
        (b, *run) for b in range(5) for run in runs_of_ranking(distances[b], members.sizes, hits[b])
    ]
    np.testing.assert_array_equal(np.array(plain).reshape(-1, 5).T, np.stack(slow[:5]))
    np.testing.assert_array_equal(hits.sum(axis=1), slow.relevant)
    assert slow.n_items == members.sizes.sum()


@pytest.mark.parametrize("spread", [1e-6, 1e-3, 1.0, 1e3, 1e30])
@pytest.mark.parametrize("U", [255, 256, 1000, 70_000])
def test_large_and_clustered_rankings(spread: float, U: int) -> None:
    """Most distances fall into few of the buckets; from 65,536 groups on there are no more of them."""
    rng = np.random.default_rng(U)
    labels = rng.integers(0, 3, U)
    distances = (100 + spread * rng.normal(size=(3, U)).round(3)).astype(np.float32)
    distances[1, rng.integers(0, U, 5)] = np.inf
    distances[2] *= -1
    members = Members.of_labels(labels)
    query_labels = np.array([0, 2, 7])
    same(
        relevant_runs(distances, query_labels, members, compiled=True),
        relevant_runs(distances, query_labels, members),
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float64, np.int64, ">f4"])
def test_other_numbers_are_ranked_alike(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    members = Members.of_labels(rng.integers(0, 3, 50))
    distances, labels = rng.integers(0, 9, (4, 50)).astype(dtype), np.array([0, 1, 2, 3])
    same(
        relevant_runs(distances, labels, members, compiled=True),
        relevant_runs(distances.astype(np.float64), labels, members),
    )
    strided = np.repeat(distances, 2, axis=1)[:, ::2]
    same(relevant_runs(strided, labels, members, compiled=True),
         relevant_runs(distances, labels, members))  # fmt: skip


def test_float64_that_float32_would_tie_stay_apart() -> None:
    distances = np.array([[1.0, 1.0 + 1e-12]])
    runs = relevant_runs(
        distances, np.array([1]), Members.of_labels(np.array([0, 1])), compiled=True
    )
    assert (runs.n.tolist(), runs.n_before.tolist()) == ([1.0], [1.0])


def test_members_of_labels_and_of_counts_agree() -> None:
    rng = np.random.default_rng(0)
    codes, labels = rng.integers(0, 3, (60, 2)), rng.integers(-2, 3, 60)
    distinct, counts = group_codes(codes, labels)
    grouped, items = Members.of_counts(counts), Members.of_labels(labels)
    assert grouped.sizes.sum() == len(labels) == items.sizes.sum()
    asked = np.array([-2, -1, 0, 1, 2, 3, -9])
    np.testing.assert_array_equal(grouped.labels, items.labels)
    np.testing.assert_array_equal(grouped.number_of(asked), items.number_of(asked))
    assert grouped.number_of(asked).tolist()[-2:] == [5, 5]
    for label, row in zip(asked.tolist(), items.relevant_to(asked), strict=True):
        np.testing.assert_array_equal(row, labels == label)
    np.testing.assert_array_equal(
        grouped.relevant_to(asked[:5]), [counts[label] for label in asked[:5].tolist()]
    )
    assert grouped.relevant_to(asked[5:]).sum() == 0
    assert len(distinct) == len(grouped.sizes)


# Streams


@pytest.mark.parametrize("compiled_from", [0, 10**12])
@pytest.mark.parametrize("cached", [1, 90, 10**9])
def test_streamed_equals_whole_in_any_blocks(
    cached: int, compiled_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    codes, labels = rng.integers(0, 4, (200, 2)), rng.integers(0, 3, 200)
    distinct, counts = group_codes(codes, labels)
    distances = rng.normal(size=(37, len(distinct))).round(1).astype(np.float32)
    query_labels = rng.integers(0, 4, 37)
    expected = grouped_average_precisions(distances, query_labels, counts, at=20)
    monkeypatch.setattr(ranking, "_CACHED", cached)
    monkeypatch.setattr(ranking, "COMPILED_FROM", compiled_from)
    got = streamed_average_precisions(lambda rows: distances[rows], query_labels, counts, at=20)
    np.testing.assert_array_equal(got, expected)
    each = average_precisions(distances, query_labels, np.arange(len(distinct)) % 3)
    assert each.shape == (37,)


def test_no_queries_no_items_no_fault() -> None:
    counts = group_codes(np.zeros((3, 1), int), np.array([0, 1, 1]))[1]
    none = streamed_average_precisions(lambda rows: np.zeros((0, 1)), np.zeros(0, int), counts)
    assert none.shape == (0,)
    empty = Members.of_labels(np.zeros(0, int))
    for compiled in (False, True):
        runs = relevant_runs(
            np.zeros((2, 0), np.float32), np.zeros(2, int), empty, compiled=compiled
        )
        assert runs.relevant.tolist() == [0.0, 0.0]


def test_an_error_in_a_thread_reaches_the_caller() -> None:
    members = Members.of_labels(np.arange(5))
    with pytest.raises(InvalidInputError, match="without NaN"):
        list(stream(lambda rows: np.full((1, 5), np.nan), np.zeros(1, int), members, len))
    with pytest.raises(InvalidInputError, match=r"distances \(1, 5\).*got a \(1, 4\)"):
        list(stream(lambda rows: np.zeros((1, 4)), np.zeros(1, int), members, len))


def test_memory_stays_flat_however_many_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "_CACHED", 20_000)
    monkeypatch.setattr(
        "gsl_tutorial.evaluation.ranking.os.cpu_count", lambda: 1
    )  # no race for memory
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


# Compiling


def test_nowhere_to_write_is_no_fault(tmp_path: Path) -> None:
    """Neither the package's folder nor the user's can take the cache: compiled all the same."""
    program = (
        "import numba.core.caching as c, numpy as np\n"
        "c.CacheImpl._locator_classes = []\n"
        "from gsl_tutorial.evaluation.ranking import Members, relevant_runs\n"
        "d = np.array([[2, 1, 1]], np.float32)\n"
        "print(relevant_runs(d, np.array([7]), Members.of_labels(np.array([7, 7, 3])), compiled=True))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          env={**os.environ, "HOME": str(tmp_path)})  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "n=array([2., 1.])" in done.stdout


def test_small_rankings_do_not_wait_for_the_compiler() -> None:
    program = (
        "import sys, numpy as np\n"
        "from gsl_tutorial.evaluation import mean_average_precision\n"
        "mean_average_precision(np.zeros((9, 50), np.float32), np.zeros(9, int), np.zeros(50, int))\n"
        "print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


@pytest.mark.parametrize(
    ("n", "r", "shown"),
    [(20, 5, 3), (20, 18, 6), (5000, 700, 999), (7, 7, 3), (7, 1, 7), (9, 4, 1)],
)
def test_the_hypergeometric_is_scipys(n: int, r: int, shown: int) -> None:
    from scipy.stats import hypergeom

    h, probability = _hypergeometric(n, r, shown)
    np.testing.assert_allclose(probability, hypergeom(n, r, shown).pmf(h), atol=1e-13)
    assert hypergeom(n, r, shown).pmf(h).sum() == pytest.approx(1)
