"""k-means by half-steps and the search by brute force: against slow twins, faiss and scikit-learn."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from itertools import permutations
from typing import Any

import faiss
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from gsl_tutorial.course.toys.kmeans_steps import (
    assign,
    distortion,
    kmeans_steps,
    move,
    revive,
    start_on_points,
)
from gsl_tutorial.course.toys.neighbours import (
    chances,
    nearest_neighbours,
    recall_at,
    recall_of_lists,
    round_numbers,
)
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers.kmeans import kmeans

shapes = st.tuples(st.integers(1, 40), st.integers(1, 6), st.integers(1, 5), st.integers(0, 10**6))


def _data(shape: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    N, K, dim, seed = shape
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, dim)), rng.normal(size=(K, dim))


@given(shapes)
def test_no_half_step_raises_the_distortion_and_it_ends_at_a_fixed_point(
    shape: tuple[int, int, int, int],
) -> None:
    points, start = _data(shape)
    steps = kmeans_steps(points, start, n_rounds=200)
    course = [step.distortion for step in steps[1:]]
    assert all(b <= a + 1e-12 for a, b in itertools.pairwise(course))
    last = steps[-1]
    assert np.allclose(move(points, last.codewords, last.assignment), last.codewords)
    assert np.array_equal(assign(points, last.codewords), last.assignment)
    assert np.array_equal(steps[0].codewords, start)


@given(shapes)
def test_revived_codewords_are_points_and_the_living_stay(
    shape: tuple[int, int, int, int],
) -> None:
    points, codewords = _data(shape)
    cells = assign(points, codewords)
    alive = np.unique(cells)
    revived = revive(points, codewords, cells)
    assert np.array_equal(revived[alive], codewords[alive])
    dead = np.setdiff1d(np.arange(len(codewords)), alive)[: len(points)]
    assert all((points == one).all(axis=1).any() for one in revived[dead])
    before = distortion(points, codewords, cells)
    assert distortion(points, revived, assign(points, revived)) <= before + 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_faiss_and_scikit_learn_arrive_at_the_same_codewords(seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(300, 3)).astype(np.float32)
    start = start_on_points(points, 5, random_state=seed)
    ours = kmeans_steps(points, start, n_rounds=200)[-1]
    theirs = kmeans(points, 5, seed=0, start=start, n_iterations=200)
    assert np.allclose(ours.codewords, theirs, atol=1e-3)
    other = KMeans(5, init=start, n_init=1, max_iter=500, tol=0, algorithm="lloyd").fit(points)
    assert np.allclose(ours.codewords, other.cluster_centers_, atol=1e-3)
    assert np.isclose(ours.distortion, other.inertia_ / len(points), rtol=1e-4)


@pytest.mark.parametrize(
    ("points", "n_clusters", "start", "words"),
    [
        (np.ones((100, 2)), 256, None, ["at least", "n_clusters=256", "got 100", "fewer clusters"]),
        (np.ones((100, 2)), 256, np.ones((256, 2)), ["n_clusters=256", "got 100"]),
        (np.ones((0, 2)), 2, None, ["n_clusters=2", "got 0"]),
        (np.ones((9, 2)), 0, None, ["n_clusters", "1 or more", "got 0"]),
        (np.ones(9), 2, None, ["points", "(9,)"]),
        (np.full((9, 2), np.nan), 2, None, ["finite points", "NaN"]),
        (np.ones((9, 2)), 2, np.ones((3, 2)), ["a start of shape (2, 2)", "(3, 2)"]),
    ],
    ids=["few points", "few from a start", "no points", "no cluster", "flat", "NaN", "start"],
)
def test_kmeans_names_bad_input(
    points: np.ndarray, n_clusters: int, start: np.ndarray | None, words: list[str]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        kmeans(points, n_clusters, seed=0, start=start)
    assert all(word in str(caught.value) for word in words)


def test_inputs_stay_as_they_are() -> None:
    points, codewords = _data((20, 4, 2, 0))
    kept = points.copy(), codewords.copy()
    cells = assign(points, codewords)
    for change in (move, revive):
        change(points, codewords, cells)[:] = 0
    kmeans_steps(points, codewords)[-1].codewords[:] = 0
    assert np.array_equal(points, kept[0])
    assert np.array_equal(codewords, kept[1])


@pytest.mark.parametrize(
    ("points", "start"),
    [
        (np.empty((0, 2)), np.zeros((1, 2))),
        (np.zeros((3, 2)), np.empty((0, 2))),
        (np.zeros((3, 2)), np.zeros((1, 3))),
        (np.full((3, 2), np.nan), np.zeros((1, 2))),
        (np.zeros(3), np.zeros((1, 2))),
    ],
)
def test_bad_points_are_refused(points: np.ndarray, start: np.ndarray) -> None:
    with pytest.raises(InvalidInputError):
        kmeans_steps(points, start)


def test_nearest_neighbours_are_those_of_faiss() -> None:
    rng = np.random.default_rng(0)
    queries, database = (rng.normal(size=(n, 8)).astype(np.float32) for n in (5, 50))
    index = faiss.IndexFlatL2(8)
    index.add(database)
    distances = ((queries[:, None] - database) ** 2).sum(axis=2)
    assert np.array_equal(nearest_neighbours(distances, 7), index.search(queries, 7)[1])


def test_neighbours_that_tie_come_by_column_however_many() -> None:
    far = np.tile([1.0, 0.0], (2, 100))  # NumPy's default sort keeps the order of short rows only
    expected = np.r_[1:200:2, 0:200:2]
    np.testing.assert_array_equal(nearest_neighbours(far, 200), [expected, expected])


@given(st.integers(1, 6), st.integers(0, 10**6))
def test_chances_are_means_over_all_orders_of_ties(n: int, seed: int) -> None:
    """The slow twin tries every order of the columns, and lets the first of equal ones win."""
    rng = np.random.default_rng(seed)
    row, k = rng.integers(0, 3, size=n).astype(float), int(rng.integers(1, n + 1))
    among = np.zeros(n)
    orders = list(itertools.permutations(range(n)))
    for order in orders:
        among[sorted(order, key=lambda i: row[i])[:k]] += 1
    assert np.allclose(chances(row[None], np.arange(n)[None], k)[0], among / len(orders))


def test_recall_without_ties_is_the_overlap_of_two_sets() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.uniform(size=(2, 6, 40))
    true, found = nearest_neighbours(one, 5), nearest_neighbours(other, 5)
    sets = [len(set(a) & set(b)) / 5 for a, b in zip(true, found, strict=True)]
    assert np.allclose(recall_at(other, true), sets)
    with pytest.raises(InvalidInputError, match="a row of columns"):
        recall_at(other, true[:3])


@given(st.integers(1, 12), st.integers(0, 10**6))
def test_rounding_moves_a_number_by_half_a_part_at_most(bits: int, seed: int) -> None:
    x = np.random.default_rng(seed).uniform(-1, 1, size=(20, 3))
    out = round_numbers(x, bits, low=-1.0, high=1.0)
    assert np.abs(out - x).max() <= 1 / 2**bits + 1e-12
    assert len(np.unique(out)) <= 2**bits
    assert np.array_equal(round_numbers(out, bits, low=-1.0, high=1.0), out)
    with pytest.raises(InvalidInputError, match="low < high"):
        round_numbers(x, bits, low=1.0, high=1.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: recall_at(np.full((1, 3), np.nan), [[0, 1]]), "without NaN"),
        (lambda: recall_at(np.array([[0.0, np.nan, 1.0]]), [[0, 2]]), "without NaN"),
        (lambda: recall_at(np.zeros((1, 3)), [[0, -1]]), "-1 is what faiss writes"),
        (lambda: recall_at(np.zeros((1, 3)), [[0, 3]]), "from 0 to 2"),
        (lambda: recall_at(np.zeros((1, 3)), [[1, 1]]), "named twice"),
        (lambda: recall_at(np.zeros((1, 3)), [[0.5, 1]]), "whole numbers"),
        (lambda: recall_at(np.zeros((1, 3)), [[np.nan, 1]]), "whole numbers"),
        (lambda: recall_at(np.zeros((1, 3)), np.zeros((1, 0), int)), "a row of columns"),
        (lambda: recall_at(np.zeros(3), [[0]]), "distances (B, N)"),
        (lambda: chances(np.zeros((1, 3)), [[-1]], 1), "-1 is what faiss writes"),
        (lambda: chances(np.full((1, 3), np.nan), [[1]], 1), "without NaN"),
        (lambda: chances(np.zeros((1, 3)), [[1]], 4), "from 1 to 3"),
        (lambda: nearest_neighbours(np.array([[np.nan, 1.0]]), 1), "without NaN"),
        (lambda: recall_of_lists([[0, -1]], [[0, 1]], 2), "-1 is what faiss writes"),
        (lambda: recall_of_lists([[0, 0]], [[0, 1]], 2), "named twice"),
        (lambda: recall_of_lists([[0, 2]], [[0, 1]], 3), "from 1 to 2"),
        (lambda: recall_of_lists([[0, 2]], [[0, 1], [1, 2]], 1), "a row of true neighbours"),
    ],
)
def test_neighbours_that_are_none_are_refused(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        call()
    assert words in str(caught.value)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from(["f4", "f8", "i8", "u1"]))
def test_chances_are_the_mean_over_all_orders_of_ties(seed: int, k: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, 3, (2, 6)).astype(dtype)
    which = np.stack([rng.permutation(6)[:3] for _ in range(2)])
    kinds: list[Callable[[np.ndarray], Any]] = [
        np.asarray, np.asfortranarray, np.ndarray.tolist, torch.from_numpy,
    ]  # fmt: skip
    got = chances(kinds[seed % 4](distances), kinds[seed % 3](which), k)
    for row, own, mine in zip(distances, which, got, strict=True):
        orders = [
            order
            for order in permutations(range(6))
            if (np.diff(row[list(order)].astype(float)) >= 0).all()
        ]
        share = [np.mean([j in order[:k] for order in orders]) for j in own]
        np.testing.assert_allclose(mine, share)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_recall_of_lists_is_the_overlap_of_two_sets(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    found, true = (np.stack([rng.permutation(12)[:8] for _ in range(5)]) for _ in range(2))
    expected = [len(set(a[:k]) & set(b[:k])) / k for a, b in zip(found, true, strict=True)]
    np.testing.assert_allclose(recall_of_lists(found.astype(np.int32), true * 1.0, k), expected)
