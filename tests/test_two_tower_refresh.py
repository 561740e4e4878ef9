"""Negatives at size: streamed cells, lists exchanged behind the training, streams of several processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import multiprocessing, nn

from gsl_tutorial.course.two_tower.refresh import (
    BackgroundRefresh,
    RefreshError,
    Shards,
    _sample,
    step_stream,
    streamed_cells,
)
from gsl_tutorial.course.two_tower.sampling import (
    CellTooSmallError,
    InvertedLists,
    SameCell,
)
from gsl_tutorial.course.two_tower.simulator import made_up_items
from gsl_tutorial.errors import InvalidInputError

POINTS, TRUE = made_up_items(200, 4, spread=0.05, random_state=0)
CELLS = np.arange(12) % 3


def in_shards(points: np.ndarray, size: int) -> Shards:
    def shards() -> Iterator[np.ndarray]:
        for start in range(0, len(points), size):
            yield points[start : start + size]

    return shards


@settings(max_examples=10, deadline=None)
@given(st.integers(7, 200), st.integers(0, 100))
def test_streamed_cells_find_clear_groups_however_the_catalogue_is_cut(
    size: int, seed: int
) -> None:
    truth = TRUE[:, None] == TRUE[None]
    agreement = []
    for one in range(seed, seed + 10):  # one k-means in a hundred starts badly here: not all ten
        cells = streamed_cells(in_shards(POINTS, size), 4, per_cell=20, random_state=one)
        assert len(cells) == 200
        assert np.bincount(cells).min() >= 2
        agreement.append(((cells[:, None] == cells[None]) == truth).mean())
    assert np.median(agreement) > 0.8


def test_the_sample_is_even_over_the_shards() -> None:
    points = np.arange(100, dtype=np.float32)[:, None]
    hits = np.zeros(100)
    for seed in range(400):
        sample, n = _sample(in_shards(points, 30), 10, np.random.default_rng(seed))
        assert (len(sample), n) == (10, 100)
        hits[sample[:, 0].astype(int)] += 1
    assert np.abs(hits - 40).max() < 5 * np.sqrt(40 * 0.9)


@pytest.mark.parametrize(
    ("points", "n_cells", "words"),
    [
        (np.zeros((0, 3)), 2, "a shard with an item"),
        (POINTS[:6], 4, "8 items or more for 4 cells"),
        (np.where(np.arange(200)[:, None] == 9, np.nan, POINTS), 4, "NaN"),
    ],
)
def test_catalogues_that_cannot_be_are_refused(
    points: np.ndarray, n_cells: int, words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words):
        streamed_cells(in_shards(points, 50), n_cells, random_state=0)


def test_lists_are_exchanged_at_their_step_and_not_before() -> None:
    source = SameCell(InvertedLists.of(CELLS), 2)
    release, new = threading.Event(), CELLS[::-1].copy()

    def find() -> np.ndarray:
        release.wait(60)
        return new

    with BackgroundRefresh(source, delay=3) as refresh:
        refresh.begin(10, find)
        for step in (10, 11, 12):
            assert not refresh.at(step)
            drawn = source.draw(np.array([0, 1]), step_stream(0, 0, step))
            assert (CELLS[drawn] == CELLS[[0, 1]][:, None]).all()  # the old ones go on meanwhile
        with pytest.raises(InvalidInputError, match="one refresh at a time"):
            refresh.begin(12, find)
        release.set()
        assert refresh.at(13)
        assert np.array_equal(source.lists.labels, new)
        assert not refresh.at(14)
        refresh.begin(14, lambda: CELLS)
        assert refresh.at(20)


def test_what_goes_wrong_behind_the_training_is_said_at_the_exchange() -> None:
    source = SameCell(InvertedLists.of(CELLS), 2)
    with BackgroundRefresh(source, delay=1) as refresh:
        refresh.begin(0, lambda: np.arange(12))
        with pytest.raises(CellTooSmallError, match="merge_small_cells"):
            refresh.at(1)
        refresh.begin(1, lambda: np.zeros(5, dtype=int))
        with pytest.raises(InvalidInputError, match="each of 12 items"):
            refresh.at(2)
        refresh.begin(2, lambda: 1 // 0)  # type: ignore[arg-type, return-value]
        with pytest.raises(RefreshError, match=r"step 3; got ZeroDivisionError .*What to do: mend"):
            refresh.at(3)
        assert refresh.is_idle
        assert np.array_equal(source.lists.labels, CELLS)  # training may go on with the old ones


def test_streams_are_reproducible_and_differ_by_seed_process_and_step() -> None:
    seen = {
        tuple(step_stream(*key).integers(1 << 40, size=3).tolist())
        for key in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1))
    }
    assert len(seen) == 5
    # Whoever resumes at step 5 draws what was drawn at step 5.
    straight = [step_stream(3, 1, step).integers(1 << 40) for step in range(8)]
    assert straight[5:] == [step_stream(3, 1, step).integers(1 << 40) for step in range(5, 8)]
    with pytest.raises(InvalidInputError, match="process"):
        step_stream(0, -1, 0)


def test_streams_of_two_processes_are_not_alike() -> None:
    a, b = (step_stream(0, rank, 0).random(20_000) for rank in (0, 1))
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(20_000)


def _train(rank: int, world: int, folder: str) -> None:
    """Three steps of a bilinear scorer under data-parallel training; each process keeps what it drew."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=world
    )
    model = nn.parallel.DistributedDataParallel(_scorer())
    drawn = _steps(model, [rank])
    np.save(f"{folder}/drawn{rank}.npy", drawn)
    if rank == 0:
        np.save(f"{folder}/weight.npy", model.module.weight.detach().numpy())
    torch.distributed.destroy_process_group()


def _scorer() -> nn.Linear:
    layer = nn.Linear(16, 16, bias=False)
    nn.init.eye_(layer.weight)
    return layer


def _steps(model: nn.Module, ranks: list[int]) -> np.ndarray:
    source, points = SameCell(InvertedLists.of(TRUE), 3), torch.from_numpy(POINTS)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    kept = []
    for step in range(3):
        batches = []
        for rank in ranks:
            rng = step_stream(5, rank, step)
            positives = rng.integers(200, size=8)
            batches.append((positives, source.draw(positives, rng)))
        losses = []
        for positives, negatives in batches:
            u, v = model(points[positives]), points[negatives]
            losses.append(torch.logsumexp((v * u[:, None]).sum(2), dim=1).mean())
            kept.append(negatives)
        optimizer.zero_grad()
        torch.stack(losses).mean().backward()
        optimizer.step()
    return np.stack(kept)


def test_two_processes_draw_independently_and_train_as_one_would(tmp_path: Path) -> None:
    multiprocessing.spawn(_train, args=(2, str(tmp_path)), nprocs=2)
    drawn = [np.load(tmp_path / f"drawn{rank}.npy") for rank in (0, 1)]
    assert not np.array_equal(*drawn)
    one = _scorer()
    both = _steps(one, [0, 1])
    for rank in (0, 1):  # reproducible: one process that plays both draws the same
        assert np.array_equal(drawn[rank], both[rank::2])
    assert np.allclose(np.load(tmp_path / "weight.npy"), one.weight.detach().numpy(), atol=1e-5)
