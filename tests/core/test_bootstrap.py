"""Intervals of differences: they cover what they promise, pairs stay pairs, seeds are clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm, t

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation import intervals
from gsl_tutorial.evaluation.intervals import Interval, clustered_bootstrap, paired_bootstrap


def scores(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).random(shape)


def test_the_difference_is_the_mean_difference_and_lies_inside() -> None:
    a, b = scores(0, 300), scores(1, 300)
    got = paired_bootstrap(a, b, random_state=0)
    assert got.difference == pytest.approx(a.mean() - b.mean(), abs=1e-15)
    assert got.low < got.difference < got.high
    flipped = paired_bootstrap(b, a, random_state=0)
    assert flipped == pytest.approx((-got.difference, -got.high, -got.low))


@pytest.mark.parametrize("n", [2, 30, 200])
def test_it_agrees_with_queries_drawn_by_hand(n: int) -> None:
    d = scores(n, n) - 0.4
    rng = np.random.default_rng(0)
    means = [d[rng.integers(0, n, n)].mean() for _ in range(5_000)]
    got = paired_bootstrap(d, np.zeros(n), n_resamples=5_000, random_state=0)
    assert got[1:] == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.01)


def test_pairing_makes_the_interval_narrow() -> None:
    hard = scores(0, 500)
    a, b = hard + 0.01 * scores(1, 500), hard
    paired = paired_bootstrap(a, b, random_state=0)
    shuffled = paired_bootstrap(a, np.random.default_rng(0).permutation(b), random_state=0)
    assert paired.excludes_zero
    assert not shuffled.excludes_zero
    assert shuffled.high - shuffled.low > 20 * (paired.high - paired.low)


def test_more_confidence_is_wider_and_seeds_decide_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a, b = scores(0, 80), scores(1, 80)
    one = paired_bootstrap(a, b, random_state=3)
    assert one == paired_bootstrap(a, b, random_state=np.random.default_rng(3))
    assert one != paired_bootstrap(a, b, random_state=4)
    wide = paired_bootstrap(a, b, random_state=3, confidence=0.99)
    assert wide.low < one.low < one.high < wide.high
    # Blocks are a matter of memory only.
    monkeypatch.setattr(intervals, "_DRAWN", 100)
    assert paired_bootstrap(a, b, random_state=3) == pytest.approx(one, abs=1e-12)


@pytest.mark.parametrize(
    ("S", "seed_spread", "query_spread", "shared"),
    [(3, 0.1, 0.1, True), (5, 0.05, 0.3, True), (3, 0.02, 0.3, True), (4, 0.05, 0.3, False)],
)
def test_clusters_cover_the_truth_as_often_as_they_say(
    S: int, seed_spread: float, query_spread: float, shared: bool
) -> None:
    rng = np.random.default_rng(0)
    inside = naive = 0
    rounds = 200
    for number in range(rounds):
        queries = rng.normal(size=(1 if shared else S, 150)) * query_spread
        d = rng.normal(size=(S, 1)) * seed_spread + queries + 0.05 * rng.normal(size=(S, 150))
        got = clustered_bootstrap(
            d, np.zeros_like(d), shared_queries=shared, n_resamples=400, random_state=number
        )
        inside += got.low <= 0 <= got.high
        one = paired_bootstrap(d[0], np.zeros(150), n_resamples=200, random_state=number)
        naive += one.low <= 0 <= one.high
    assert inside / rounds > 0.89
    if seed_spread >= query_spread:
        assert naive / rounds < 0.5  # why one seed, however many queries, is not enough


def test_clusters_of_own_queries_come_near_students_interval() -> None:
    d = np.random.default_rng(0).normal(0.3, 1.0, (12, 1)) + np.zeros((12, 5))
    got = clustered_bootstrap(d, d * 0, shared_queries=False, random_state=0, n_resamples=40_000)
    means = d.mean(axis=1)
    half = t.ppf(0.975, 11) * means.std(ddof=1) / np.sqrt(12)
    assert (got.high - got.low) / 2 == pytest.approx(half, rel=0.08)
    assert got.difference == pytest.approx(means.mean())


def test_shared_queries_add_their_luck_and_own_queries_do_not_twice() -> None:
    d = np.tile(scores(0, 1, 400), (6, 1))  # seeds agree; only queries vary
    shared = clustered_bootstrap(d, d * 0, random_state=0)
    own = clustered_bootstrap(d, d * 0, shared_queries=False, random_state=0)
    single = paired_bootstrap(d[0], d[0] * 0, random_state=0)
    assert own.high - own.low == pytest.approx(0, abs=1e-12)
    assert shared.high - shared.low == pytest.approx(single.high - single.low, rel=0.05)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_two_seeds_have_the_interval_of_the_formula(confidence: float) -> None:
    # Of two seeds the ends of all draws are the seeds themselves, stretched: no chance is left.
    d = np.array([[0.1], [0.4]]) + np.zeros((2, 7))
    got = clustered_bootstrap(d, d * 0, shared_queries=False, random_state=0, confidence=confidence)
    tail = (1 + confidence) / 2
    half = 0.15 * np.sqrt(2) * t.ppf(tail, 1) / norm.ppf(tail)
    assert got == pytest.approx((0.25, 0.25 - half, 0.25 + half))


@pytest.mark.parametrize("seed", range(3))
def test_clusters_agree_with_a_plain_loop(seed: int) -> None:
    """Draw seeds, and queries once for all of them; a drawn seed brings its own luck with them."""
    rng = np.random.default_rng(seed)
    S, Q = 2 + seed, 20
    d = rng.normal(size=(S, 1)) * 0.02 + rng.normal(size=(S, Q)) * np.linspace(0, 1, S)[:, None]
    stretch = np.sqrt(S / (S - 1)) * t.ppf(0.975, S - 1) / norm.ppf(0.975)
    mean, drawn = d.mean(), []
    for _ in range(6_000):
        queries = rng.integers(Q, size=Q)
        total = 0.0
        for s in rng.integers(S, size=S):
            own = d[s].mean()
            total += stretch * (own - mean) + d[s][queries].mean() - own
        drawn.append(mean + total / S)
    low, high = np.quantile(drawn, [0.025, 0.975])
    got = clustered_bootstrap(d, d * 0, random_state=0, n_resamples=30_000)
    assert got[1:] == pytest.approx((low, high), abs=0.05 * (high - low))


def test_the_words_of_an_interval() -> None:
    assert str(Interval(0.0123, 0.01, 0.015)) == "+0.0123 [+0.0100, +0.0150]"
    assert Interval(0.1, 0.0, 0.2).excludes_zero is False
    assert Interval(0.1, 0.0, 0.2).verdict == "no clear difference"
    assert Interval(0.1, 0.01, 0.2).verdict == "better"
    assert Interval(-0.1, -0.2, -0.01).verdict == "worse"
    assert Interval(-0.1, -0.2, -0.01).excludes_zero is True
    assert Interval(0.1, 0.01, 0.2).excludes_zero is True


A = np.zeros(4)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: paired_bootstrap(A, A[:3], random_state=0), ["(Q,)", "(4,)", "(3,)"]),
        (lambda: paired_bootstrap(A[:1], A[:1], random_state=0), ["Q 2 or more", "(1,)"]),
        (lambda: paired_bootstrap(A[None], A[None], random_state=0), ["(Q,)", "(1, 4)"]),
        (lambda: paired_bootstrap(["a", "b"], ["a", "b"], random_state=0), ["numbers"]),
        (lambda: paired_bootstrap(A * np.nan, A, random_state=0), ["finite scores", "scores 0"]),
        (lambda: paired_bootstrap(np.ma.masked_equal(A, 0), A, random_state=0), ["without a mask"]),
        (lambda: paired_bootstrap(A + 1j, A, random_state=0), ["numbers"]),
        (lambda: paired_bootstrap(A, A, random_state=0, n_resamples=0), ["n_resamples"]),
        (lambda: paired_bootstrap(A, A, random_state=None), ["random_state", "None"]),  # type: ignore[arg-type]
        (lambda: paired_bootstrap(A, A, random_state=0, confidence=95), ["between 0 and 1", "95"]),
        (lambda: paired_bootstrap(A, A, random_state=0, confidence=0), ["between 0 and 1"]),
        (lambda: clustered_bootstrap(A, A, random_state=0), ["(S, Q)", "(4,)"]),
        (lambda: clustered_bootstrap(A[None], A[None], random_state=0), ["S and Q 2 or more"]),
    ],
)
def test_bad_input_is_named(call: Any, words: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


def test_tensors_and_lists_are_taken() -> None:
    import torch

    a, b = scores(0, 30), scores(1, 30)
    expected = paired_bootstrap(a, b, random_state=0)
    given: Any = a.tolist(), torch.tensor(b, requires_grad=True)
    assert paired_bootstrap(*given, random_state=0) == expected
    hits = paired_bootstrap(a > 0.5, b > 0.5, random_state=0)
    assert hits.difference == pytest.approx((a > 0.5).mean() - (b > 0.5).mean())
