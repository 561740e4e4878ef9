"""Sources of negatives: each draws as often as it says, never scans, and the loss adds up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gsl_tutorial.course.two_tower.arms import ARMS, get_arm, sources_of
from gsl_tutorial.course.two_tower.cells import (
    find_twins,
    genre_cells,
    merge_small_cells,
    shuffled_cells,
    text_cells,
)
from gsl_tutorial.course.two_tower.losses import full_softmax, pressure, sampled_softmax
from gsl_tutorial.course.two_tower.sampling import (
    CellTooSmallError,
    InBatch,
    InvertedLists,
    PairSet,
    SameCell,
    Source,
    Uniform,
    draw_negatives,
)
from gsl_tutorial.errors import DataMissingError, InvalidInputError, UnknownNameError

N = 12
SHARE = np.arange(1, N + 1) / (N * (N + 1) / 2)
CELLS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2])
NOBODY = PairSet(np.empty(0, int), np.empty(0, int), N)
SOURCES: dict[str, Source] = {
    "uniform": Uniform(N, 5),
    "same cell": SameCell(InvertedLists.of(CELLS), 3),
    "in-batch": InBatch(SHARE, 8),
}

labels_of_some_items = st.lists(st.integers(0, 5), min_size=2, max_size=60).map(
    lambda one: np.concatenate([one, np.unique(one)])  # no cell of one item
)


@settings(max_examples=60, deadline=None)
@given(labels_of_some_items, st.integers(1, 5), st.integers(0, 2**31))
def test_mates_are_of_the_cell_and_never_the_positive(
    labels: np.ndarray, k: int, seed: int
) -> None:
    lists = InvertedLists.of(labels)
    positives = np.random.default_rng(seed).integers(len(labels), size=40)
    drawn = lists.draw_mates(positives, k, np.random.default_rng(seed))
    assert drawn.shape == (40, k)
    assert (labels[drawn] == labels[positives][:, None]).all()
    assert (drawn != positives[:, None]).all()
    for cell in np.unique(labels):  # the slow twin: a scan
        start, end = lists.starts[cell : cell + 2]
        assert np.array_equal(np.sort(lists.items[start:end]), np.flatnonzero(labels == cell))


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_draws_each_item_as_often_as_it_expects(name: str) -> None:
    source, rng, rounds = SOURCES[name], np.random.default_rng(0), 4000
    positives = rng.choice(N, size=(rounds, 8), p=SHARE)
    positives[:, 0] = 5  # the row that we count; the others follow their popularity
    counts = np.zeros(N)
    for one in positives:
        counts += np.bincount(source.draw(one, rng)[0], minlength=N)
    expected = source.expected(np.arange(N)[None], np.array([5]))[0]
    assert np.allclose(counts / rounds, expected, atol=5 * np.sqrt((expected.max() + 1) / rounds))
    assert expected.sum() == pytest.approx(source.draw(positives[0], rng).shape[1])


@pytest.mark.parametrize("names", [("uniform",), ("uniform", "same cell"), tuple(SOURCES)])
def test_the_sampled_sum_is_the_full_sum_on_average(names: tuple[str, ...]) -> None:
    rng = np.random.default_rng(1)
    s = rng.normal(size=N) * 1.5 + 3 * (CELLS == 1)  # the positive's cell is hot
    history = PairSet(np.array([0, 0]), np.array([2, 7]), N)
    allowed = ~np.isin(np.arange(N), [5, 2, 7])
    totals = []
    for _ in range(3000):
        positives = rng.choice(N, size=8, p=SHARE)
        positives[0] = 5
        drawn = draw_negatives(
            [SOURCES[n] for n in names], np.zeros(8, int), positives,
            history=history, twins=NOBODY, rng=rng,
        )  # fmt: skip
        weight = np.where(drawn.excluded[0], 0, np.exp(s[drawn.items[0]]) / drawn.expected[0])
        totals.append(weight.sum())
    off = np.mean(totals) - np.exp(s[allowed]).sum()
    assert abs(off) < 4 * np.std(totals) / np.sqrt(len(totals))


def test_without_the_cell_in_q_the_sum_is_too_large() -> None:
    rng, s = np.random.default_rng(2), 3.0 * (CELLS == 1)
    wrong = SameCell(InvertedLists.of(CELLS), 3, corrected=False)
    totals = {}
    for name, cell in (("right", SOURCES["same cell"]), ("wrong", wrong)):
        sources, sums = [SOURCES["uniform"], cell], []
        for _ in range(1000):
            drawn = draw_negatives(
                sources, np.zeros(1, int), np.array([5]), history=NOBODY, twins=NOBODY, rng=rng
            )
            kept = ~drawn.excluded[0]
            sums.append((np.exp(s[drawn.items[0]]) / drawn.expected[0])[kept].sum())
        totals[name] = np.mean(sums) / np.exp(s[np.arange(N) != 5]).sum()
    assert totals["right"] == pytest.approx(1, abs=0.1)
    assert totals["wrong"] > 1.3


def test_false_negatives_are_excluded_and_marked() -> None:
    users, positives = np.array([0, 1]), np.array([4, 9])
    history = PairSet(np.array([0, 1]), np.array([6, 11]), N)
    twins = PairSet(np.array([9]), np.array([10]), N)
    drawn = draw_negatives(
        [Uniform(N, 400)], users, positives, history=history, twins=twins,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert set(drawn.items[0][drawn.excluded[0]]) == {4, 6}
    assert set(drawn.items[1][drawn.excluded[1]]) == {9, 10, 11}


def test_sampled_with_every_item_once_is_the_full_softmax() -> None:
    scores = torch.randn(3, N, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    positives, excluded = torch.tensor([1, 5, 7]), torch.zeros(3, N, dtype=torch.bool)
    excluded[0, 3] = excluded[2, 7] = True  # the positive itself counts all the same
    full = full_softmax(scores, positives, excluded)
    without = excluded.clone().scatter(1, positives[:, None], True)
    positive = scores.gather(1, positives[:, None])[:, 0]
    assert torch.allclose(full, sampled_softmax(positive, scores, torch.ones_like(scores), without))


def test_pressure_is_the_gradient() -> None:
    generator = torch.Generator().manual_seed(1)
    negatives = torch.randn(4, 6, generator=generator).requires_grad_()
    positive = torch.randn(4, generator=generator)
    q, excluded = torch.rand(4, 6, generator=generator) + 0.1, torch.zeros(4, 6, dtype=torch.bool)
    excluded[1] = True
    loss = sampled_softmax(positive, negatives, q, excluded)
    loss.sum().backward()
    assert negatives.grad is not None
    assert torch.allclose(negatives.grad, pressure(positive, negatives.detach(), q, excluded))
    assert float(loss[1].detach()) == 0
    assert torch.isfinite(negatives.grad).all()


@pytest.mark.parametrize(
    ("shape", "q", "words"),
    [((2, 4), 1.0, "three"), ((2, 3), 0.0, "Q above 0"), ((2, 3), np.nan, "Q above 0")],
)  # fmt: skip
def test_a_loss_that_cannot_be_is_refused(shape: tuple[int, int], q: float, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        sampled_softmax(
            torch.zeros(2), torch.zeros(2, 3), torch.full(shape, q), torch.zeros(2, 3).bool()
        )


def test_cells_of_one_item_are_refused_and_can_be_merged() -> None:
    vectors = np.array([[0.0, 0], [0.1, 0], [5, 5], [0.2, 0], [9, 9.0], [9, 9.1]])
    alone = np.array([0, 0, 7, 0, 3, 3])
    with pytest.raises(CellTooSmallError, match=r"cell 7 among them.*merge_small_cells"):
        InvertedLists.of(alone)
    assert merge_small_cells(alone, vectors).tolist() == [0, 0, 1, 0, 1, 1]
    assert merge_small_cells(np.array([4, 4, 9, 9, 4, 4]), vectors).max() == 1
    with pytest.raises(InvalidInputError, match="2 items or more"):
        merge_small_cells(np.arange(6), vectors)


@pytest.mark.parametrize(
    "bad", [np.array([0.5, 1]), np.array([]), np.array([[0, 0]]), np.array([-1, 0])]
)
def test_labels_that_are_none_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(InvalidInputError):
        InvertedLists.of(bad)


def test_one_cell_for_all_is_uniform_without_the_positive() -> None:
    one = SameCell(InvertedLists.of(np.zeros(N, int)), 4)
    q = one.expected(np.arange(N)[None], np.array([3]))[0]
    assert q[3] == 0
    assert np.allclose(np.delete(q, 3), 4 / (N - 1))


def test_refreshed_cells_are_used_and_checked() -> None:
    source = SameCell(InvertedLists.of(CELLS), 2)
    source.refresh(CELLS[::-1].copy())
    assert set(source.draw(np.full(50, 0), np.random.default_rng(0)).ravel()) == {1, 2}
    with pytest.raises(InvalidInputError, match="each of 12"):
        source.refresh(CELLS[:5])


def test_a_batch_that_does_not_fill_its_groups_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="7 rows in groups of 8"):
        InBatch(SHARE, 8).draw(np.zeros(7, int), np.random.default_rng(0))


def test_text_cells_controls_and_twins() -> None:
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.normal(size=(4, 3)) * 9, 10, axis=0) + 0.1 * rng.normal(size=(40, 3))
    cells = text_cells(vectors, 4, random_state=0)
    assert (cells.reshape(4, 10) == cells[::10, None]).all()
    shuffled = shuffled_cells(cells, random_state=0)
    assert np.array_equal(np.bincount(shuffled), np.bincount(cells))
    assert not np.array_equal(shuffled, cells)
    with pytest.raises(
        InvalidInputError, match="NaN or infinity in 1 of 40 rows, the first is row 7"
    ):
        text_cells(np.where(np.arange(40)[:, None] == 7, np.nan, vectors), 4, random_state=0)
    assert genre_cells(["Comedy"] * 3 + ["Comedy|War"], at_least=2).max() == 0
    a, b = find_twins(np.array([[1.0, 0], [1, 0.01], [0, 1], [0, 0]]), block=2)
    assert set(zip(a.tolist(), b.tolist(), strict=True)) == {(0, 1), (1, 0)}


def _budget(name: str, warm: bool) -> dict[str, int]:
    cells = dict.fromkeys(("text", "random", "genre", "true", "learned"), CELLS)
    made = sources_of(
        get_arm(name), share=SHARE, cells=cells, group=8, budget=8, hard_share=0.5, warm=warm
    )
    positives = np.zeros(8, int)
    return {s.name: s.draw(positives, np.random.default_rng(0)).shape[1] for s in made}


def test_every_arm_spends_the_same_budget() -> None:
    for name, arm in ARMS.items():
        for warm in (False, True):
            spent = _budget(name, warm)
            assert spent["in-batch"] == 7
            assert sum(spent.values()) - 7 == 8 * arm.budget
            assert ("same cell" in spent) == (warm and bool(arm.cells))


def test_unknown_arms_and_missing_cells_are_named() -> None:
    with pytest.raises(UnknownNameError, match="uniform"):
        get_arm("nonsense")
    with pytest.raises(DataMissingError, match="true cells"):
        sources_of(
            get_arm("true"), share=SHARE, cells={"text": CELLS}, group=8, budget=8,
            hard_share=0.5, warm=True,
        )  # fmt: skip
