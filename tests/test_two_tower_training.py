"""A training of two towers written out by hand: draws, Q, exclusions, the rate, turns with a quantizer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from gsl_tutorial.course.training.methods import MethodOptions
from gsl_tutorial.course.two_tower import training
from gsl_tutorial.course.two_tower.data import simulated_data
from gsl_tutorial.course.two_tower.losses import full_softmax, sampled_softmax
from gsl_tutorial.course.two_tower.refresh import RefreshError
from gsl_tutorial.course.two_tower.sampling import (
    CellTooSmallError,
    Drawn,
    SameCell,
    draw_negatives,
)
from gsl_tutorial.course.two_tower.simulator import made_up_items
from gsl_tutorial.course.two_tower.training import Trained, TwoTowerConfig, train_towers
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import ProductQuantizer

TEXT, TRUE = made_up_items(60, 4, random_state=0)
TEXT[50:] = TEXT[:10]  # ten pairs of twins
UNIT = TEXT / np.linalg.norm(TEXT, axis=1, keepdims=True)
TWINS = (UNIT @ UNIT.T > 0.95) & ~np.eye(60, dtype=bool)
FOUND = np.arange(60) // 15
DATA = simulated_data(
    TEXT, TRUE, FOUND, n_users=20, sharpness=1, random_state=0, genres=("A", "B", "C") * 20
)
TRAIN = DATA.events.train
GROUP, BUDGET, HARD = 4, 6, 2
# Steps too small to move a weight: the towers of the end are those of every step.
STILL = TwoTowerConfig(
    epochs=2, batch=40, group=GROUP, budget=BUDGET, hard_share=HARD / BUDGET, dim=8, n_cells=4,
    history=5, temperature=0.3, learning_rate=1e-12,
)  # fmt: skip
#: arm -> uniform draws, draws from cells, which cells, is Q told of in-batch draws and of the cells?
ARMS: dict[str, tuple[int, int, str, bool, bool]] = {
    "in-batch-raw": (0, 0, "", False, True),
    "in-batch": (0, 0, "", True, True),
    "uniform": (BUDGET, 0, "", True, True),
    "uniform-4x": (4 * BUDGET, 0, "", True, True),
    "text": (BUDGET - HARD, HARD, "text", True, True),
    "text-raw": (BUDGET - HARD, HARD, "text", True, False),
    "true": (BUDGET - HARD, HARD, "true", True, True),
    "random": (BUDGET - HARD, HARD, "random", True, True),
    "genre": (BUDGET - HARD, HARD, "genre", True, True),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Two threads may add the gradients of an embedding in either order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def watched(
    monkeypatch: pytest.MonkeyPatch, config: TwoTowerConfig
) -> tuple[Trained, list[dict[str, Any]]]:
    """The towers, and of each step whose events they were, what was drawn and the losses."""
    steps: list[dict[str, Any]] = []

    def draw(sources: Any, users: np.ndarray, positives: np.ndarray, **rest: Any) -> Drawn:
        drawn = draw_negatives(sources, users, positives, **rest)
        names = [source.name for source in sources]
        steps.append({"users": users, "positives": positives, "drawn": drawn, "names": names})
        return drawn

    def loss(*arguments: torch.Tensor) -> torch.Tensor:
        found = sampled_softmax(*arguments)
        steps[-1]["loss"] = found.detach().numpy()
        return found

    monkeypatch.setattr(training, "draw_negatives", draw)
    monkeypatch.setattr(training, "sampled_softmax", loss)
    return train_towers(DATA, config), steps


def scores_of(trained: Trained, user: int, positive: int) -> np.ndarray:
    """Scores of all items at the moment of an event, from what its user took before it."""
    own = TRAIN.item[TRAIN.user == user].tolist()
    before = own[: own.index(positive)][-trained.config.history :]
    padded = [-1] * (trained.config.history - len(before)) + before
    with torch.no_grad():
        u = trained.model.users(torch.tensor([padded]))[0].double().numpy()
        v = trained.model.items().double().numpy()
    return np.asarray(v @ u / trained.config.temperature)


def q_by_hand(arm: str, item: int, positive: int) -> float:
    uniform, hard, cells, in_batch_told, hard_told = ARMS[arm]
    q = (GROUP - 1) * (TRAIN.item == item).mean() if in_batch_told else 1.0
    q += (uniform if hard_told else uniform + hard) / 60
    if hard and hard_told:
        cell = DATA.cells[cells]
        mates = [j for j in range(60) if cell[j] == cell[positive] and j != positive]
        q += hard / len(mates) if item in mates else 0
    return float(q)


@pytest.mark.parametrize("arm", ARMS)
def test_a_step_is_its_loss_written_by_hand(arm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    uniform, hard, cells, *_ = ARMS[arm]
    trained, steps = watched(monkeypatch, replace(STILL, arm=arm))
    assert len(steps) == 2 * (len(TRAIN) // 40)
    step = steps[-1]
    drawn, names = step["drawn"], step["names"]
    numbers = {name: int((drawn.kinds == kind).sum()) for kind, name in enumerate(names)}
    asked = {"in-batch": GROUP - 1, "uniform": uniform, "same cell": hard}
    assert numbers == {name: n for name, n in asked.items() if n}
    for row, (user, positive) in enumerate(zip(step["users"], step["positives"], strict=True)):
        scores, own = scores_of(trained, user, positive), TRAIN.item[TRAIN.user == user]
        total = np.exp(scores[positive])
        for item, kind in zip(drawn.items[row], drawn.kinds, strict=True):
            if names[kind] == "same cell":
                assert DATA.cells[cells][item] == DATA.cells[cells][positive]
            if item not in own and not TWINS[item, positive]:
                total += np.exp(scores[item]) / q_by_hand(arm, item, positive)
        assert step["loss"][row] == pytest.approx(np.log(total) - scores[positive], rel=1e-4)
    losses = [one["loss"].mean() for one in steps[len(steps) // 2 :]]
    assert trained.history[-1]["loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_twins_are_met_and_excluded(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the property above is not about batches without twins."""
    _, steps = watched(monkeypatch, replace(STILL, arm="uniform-4x", epochs=1))
    met = 0
    for step in steps:
        drawn, positives = step["drawn"], step["positives"]
        twin = TWINS[drawn.items, positives[:, None]]
        own = [set(TRAIN.item[TRAIN.user == user]) for user in step["users"]]
        known = np.array([[j in own[b] for j in row] for b, row in enumerate(drawn.items)])
        met += int((twin & ~known).sum())
        assert np.array_equal(drawn.excluded, twin | known)
    assert met > 10


def test_the_whole_catalogue_is_scored_without_what_the_user_had() -> None:
    trained = train_towers(DATA, replace(STILL, arm="full", epochs=1))
    losses = []
    for user, positive in zip(TRAIN.user, TRAIN.item, strict=True):
        scores, own = scores_of(trained, user, positive), set(TRAIN.item[TRAIN.user == user])
        allowed = [j for j in range(60) if j == positive or j not in own]
        losses.append(np.log(np.exp(scores[allowed]).sum()) - scores[positive])
    assert trained.history[0]["loss"] == pytest.approx(np.mean(losses), rel=1e-4)
    assert full_softmax is training.full_softmax


def test_cells_come_after_the_warm_up_and_learned_ones_are_found_anew_each_epoch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[np.ndarray] = []
    original = training.text_cells

    def text_cells(vectors: np.ndarray, n: int, **rest: Any) -> np.ndarray:
        found.append(vectors.copy())
        return original(vectors, n, **rest)

    monkeypatch.setattr(training, "text_cells", text_cells)
    config = replace(STILL, arm="learned", epochs=4, warm_up=2, learning_rate=0.01)
    trained = train_towers(DATA, config)
    assert ["same cell" in record for record in trained.history] == [False, False, True, True]
    assert len(found) == 2
    assert not np.array_equal(*found)


# With cells refreshed in the background

LEARNED = replace(STILL, arm="learned", epochs=4, warm_up=1, learning_rate=0.01)
N_EPOCH = len(TRAIN) // 40
N_STEPS = LEARNED.epochs * N_EPOCH


class InTurn:
    """The slow twin of `BackgroundRefresh`: training stops for each search, and its cells wait."""

    def __init__(self, source: SameCell, *, delay: int) -> None:
        self.source, self.delay, self.is_idle = source, delay, True

    def __enter__(self) -> InTurn:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def begin(self, step: int, find: Any) -> None:
        self.found, self.due, self.is_idle = find(), step + self.delay, False

    def at(self, step: int) -> bool:
        if self.is_idle or step < self.due:
            return False
        self.source.refresh(self.found)
        self.is_idle = True
        return True


@pytest.mark.parametrize("refresh", [1, 3, N_EPOCH, N_STEPS])
def test_a_refresh_behind_the_training_gives_the_weights_of_one_that_stops_it(
    refresh: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind, again = (train_towers(DATA, LEARNED, refresh=refresh) for _ in range(2))
    monkeypatch.setattr(training, "BackgroundRefresh", InTurn)
    stopped = train_towers(DATA, LEARNED, refresh=refresh)
    for one in (again, stopped):
        assert torch.equal(behind.model.items(), one.model.items())
        assert behind.history == one.history
    assert behind.exchanges == list(range(N_EPOCH + refresh, N_STEPS, refresh))


def test_training_goes_on_while_cells_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search waits for the step before the exchange: if training waited for it, nothing would end."""
    taken, begun = threading.Event(), threading.Event()
    original = training.text_cells
    searches: list[np.ndarray] = []

    def text_cells(vectors: np.ndarray, n: int, **rest: Any) -> np.ndarray:
        searches.append(vectors)
        before = vectors.copy()
        if len(searches) == 2:  # the first one in the background
            begun.set()
            assert taken.wait(60)
            assert np.array_equal(vectors, before)  # though the towers have moved on
        return original(vectors, n, **rest)

    steps = 0

    def draw(*arguments: Any, **named: Any) -> Drawn:
        nonlocal steps
        steps += 1
        if steps == N_EPOCH + 5:
            assert begun.wait(60)
            taken.set()
        return draw_negatives(*arguments, **named)

    monkeypatch.setattr(training, "text_cells", text_cells)
    monkeypatch.setattr(training, "draw_negatives", draw)
    trained = train_towers(DATA, LEARNED, refresh=5)
    assert trained.exchanges[0] == N_EPOCH + 5
    assert len(searches) == 1 + len(trained.exchanges)
    assert not np.array_equal(searches[1], searches[2])


def test_without_a_refresh_nothing_runs_behind_the_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_ever = train_towers(DATA, LEARNED)
    monkeypatch.delattr(training, "BackgroundRefresh")
    without = train_towers(DATA, LEARNED, refresh=0)
    assert torch.equal(as_ever.model.items(), without.model.items())
    assert without.exchanges == []


def test_what_breaks_in_the_background_is_said_as_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = threading.get_ident()
    original = training.text_cells
    faults = iter([MemoryError("no room for 60 items"), CellTooSmallError("two", "one", "merge")])

    def text_cells(*arguments: Any, **rest: Any) -> np.ndarray:
        if threading.get_ident() != here:
            raise next(faults)
        return original(*arguments, **rest)

    monkeypatch.setattr(training, "text_cells", text_cells)
    said = rf"new cells for step {N_EPOCH + 3}; got MemoryError .*no room for 60 items. What to do"
    with pytest.raises(RefreshError, match=said):
        train_towers(DATA, LEARNED, refresh=3)
    with pytest.raises(CellTooSmallError, match="What to do: merge"):
        train_towers(DATA, LEARNED, refresh=3)
    assert not [one for one in threading.enumerate() if one.name.startswith("cells")]


def test_a_refresh_needs_cells_that_are_learned() -> None:
    for arm in ("uniform", "text"):
        with pytest.raises(InvalidInputError, match=f"refresh 3 with arm {arm}"):
            train_towers(DATA, replace(LEARNED, arm=arm), refresh=3)
    with pytest.raises(InvalidInputError, match="refresh"):
        train_towers(DATA, LEARNED, refresh=-1)


def test_the_rate_falls_evenly_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []

    class Noted(torch.optim.Adam):
        def step(self, *arguments: Any, **named: Any) -> Any:
            rates.append(self.param_groups[0]["lr"])
            return super().step(*arguments, **named)

    monkeypatch.setattr(torch.optim, "Adam", Noted)
    train_towers(DATA, replace(STILL, learning_rate=0.01))
    n = 2 * (len(TRAIN) // 40)
    assert rates == pytest.approx([0.01 * (1 - i / n) for i in range(n)])


# With a quantizer

CODES = replace(STILL, method="penalty", bytes_per_item=2, epochs=3, learning_rate=0.01)


def weights(config: TwoTowerConfig) -> torch.Tensor:
    return train_towers(DATA, config).model.items().detach()


def test_the_methods_term_counts_with_the_strength_asked_for() -> None:
    plain = weights(replace(CODES, method="none"))
    idle, strong = (
        weights(replace(CODES, options=MethodOptions(strength=strength)))
        for strength in (0.0, 50.0)
    )
    torch.testing.assert_close(idle, plain)
    assert (strong - plain).abs().max() > 0.01


@pytest.mark.parametrize("epochs", [0, 1, 2, 3])
def test_the_quantizer_takes_turns_in_the_last_epochs_alone(
    epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits, refits, seen = [], [], []
    original = training.get_method

    class Counted(ProductQuantizer):
        def fit(self, X: np.ndarray, y: None = None) -> Any:
            fits.append(len(X))
            return super().fit(X, y)

        def refit(self, X: np.ndarray) -> Any:
            refits.append(len(X))
            return super().refit(X)

    def get_method(name: str) -> Any:
        method = original(name)

        def noted(*arguments: Any) -> Any:
            seen.append(name)
            return method(*arguments)

        return noted

    monkeypatch.setattr(training, "ProductQuantizer", Counted)
    monkeypatch.setattr(training, "get_method", get_method)
    trained = train_towers(DATA, replace(CODES, quantized_epochs=epochs))
    assert len(seen) == epochs * (len(TRAIN) // 40)
    if epochs == 0:
        assert trained.quantizer is None
        return
    # The codebooks follow before each of these epochs, and once more when the towers have stopped.
    assert fits == [60]
    assert refits == [60] * epochs
    assert trained.quantizer is not None
    items = trained.model.items().detach().numpy()
    assert trained.quantizer.distortion_ == pytest.approx(trained.quantizer.distortion(items))
