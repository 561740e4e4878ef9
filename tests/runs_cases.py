"""Short runs for the tests of training: small schedules, small data, and how two runs are compared."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gsl_tutorial.course.datasets import load_digits
from gsl_tutorial.course.training.config import PROFILES, Schedule, TrainingConfig
from gsl_tutorial.course.training.embedding import as_tensor
from gsl_tutorial.course.training.rounds import TrainingStep, train
from gsl_tutorial.course.training.runs import TrainedModel

ROUNDS = 3
SMALL = {
    "digits": Schedule(ROUNDS, epochs=2, batch_size=64, learning_rate=0.1, label_smoothing=0.0),
    "cifar10": Schedule(ROUNDS, epochs=1, batch_size=24, learning_rate=0.1),
}


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the profile "quick" be a matter of a second."""
    for dataset, schedule in SMALL.items():
        monkeypatch.setitem(PROFILES[dataset], "quick", schedule)


def config(dataset: str = "digits", **settings: Any) -> TrainingConfig:
    """A configuration with small codebooks: 2 x 16 codewords for 8 numbers."""
    return TrainingConfig(dataset, **{"bits": 8, "n_codewords": 16, "dim": 8, **settings})


def make_data(dataset: str) -> tuple[Tensor, Tensor]:
    """The digits, or 50 random images in three classes: (images, labels)."""
    if dataset == "digits":
        split = load_digits().train
        return as_tensor(split), torch.from_numpy(split.labels.copy())
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (50, 3, 32, 32), generator=generator).to(torch.uint8)
    return images, torch.arange(50) % 3


_UNINTERRUPTED: dict[str, TrainedModel] = {}


def uninterrupted(dataset: str) -> TrainedModel:
    """The reference run on a data set, trained once for all tests."""
    if dataset not in _UNINTERRUPTED:
        _UNINTERRUPTED[dataset] = train(config(dataset), *make_data(dataset))
    return _UNINTERRUPTED[dataset]


def assert_same_weights(one: TrainedModel, other: TrainedModel) -> None:
    """Every array of the one has the bits of the other's."""
    mine, theirs = one.arrays(), other.arrays()
    assert set(mine) == set(theirs)
    assert "codebooks" in mine
    for name, array in mine.items():
        assert array.tobytes() == theirs[name].tobytes(), name


def outcome(model: TrainedModel) -> list[dict[str, float]]:
    """The records without the seconds, which differ on each run."""
    return [{k: v for k, v in record.items() if k != "seconds"} for record in model.history]


class Stop:
    """A callback that interrupts in a round: at one of its steps, or when it has just ended."""

    def __init__(self, round_: int, where: str) -> None:
        self.round, self.where = round_, where

    def on_progress(self, at: TrainingStep) -> None:
        """Interrupt within the round."""
        if self.where == "within" and at.round == self.round and at.step % 2 == 0:
            raise KeyboardInterrupt

    def on_round(self, model: TrainedModel, done: int) -> None:
        """Interrupt after the round."""
        if self.where == "after" and done == self.round:
            raise KeyboardInterrupt
