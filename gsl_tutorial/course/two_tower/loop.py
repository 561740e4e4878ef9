"""The feedback loop: retrieve, show, click, log, retrain, round after round, in a world that is known.

Before the first round every user looks through a few films drawn at random. Then each round trains two
towers from scratch on all clicks so far, shows every user a short list, and writes down what is clicked.
What a model learns from is what models before it have shown: if it prefers what was clicked, and only
what is shown can be clicked, then what is shown often is shown more often. Whether that happens, and which
negatives slow it, is measured here round by round (`loop_measures`).

Every random draw has its own stream, named by the seed and the round, so that arms differ in what they do
and in nothing else, and a run that is done again is the same run.

Source: that a recommender trained on its own log concentrates, Chaney, Stewart and Engelhardt 2018 (arXiv
1710.11214); position and clicks, Joachims, Swaminathan and Schnabel 2017 (arXiv 1608.04468). The world is
ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from gsl_tutorial.course.two_tower.data import TwoTowerData, last_events
from gsl_tutorial.course.two_tower.evaluation import top_items
from gsl_tutorial.course.two_tower.loop_log import (
    Log,
    exposure_weights,
    histories,
    impressions,
)
from gsl_tutorial.course.two_tower.loop_measures import (
    curve,
    distance,
    gini,
    head_of,
    regret,
    true_recall,
)
from gsl_tutorial.course.two_tower.loop_world import World, examination
from gsl_tutorial.course.two_tower.training import TwoTowerConfig, train_towers
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_count, check_name, check_size


@dataclass(frozen=True)
class LoopArm:
    """How an arm makes its lists.

    Parameters
    ----------
    says : str
        The arm in words.
    training : dict
        Settings of `TwoTowerConfig`; all arms have 15 negatives for each positive. None for the two arms
        that train nothing.
    weighted : bool
        Whether clicks count by `exposure_weights`.
    """

    says: str
    training: dict[str, Any] | None
    weighted: bool = False


def _cells(arm: str, hard_share: float = 1.0) -> dict[str, Any]:
    return {"arm": arm, "group": 8, "budget": 8, "hard_share": hard_share}


_UNIFORM = _cells("uniform")
LOOP_ARMS: dict[str, LoopArm] = {
    "oracle": LoopArm("shows what each user truly likes best", None),
    "lottery": LoopArm("shows films drawn at random", None),
    "in-batch-raw": LoopArm(
        "15 from the batch, no logQ", {"arm": "in-batch-raw", "group": 16, "budget": 0}
    ),
    "in-batch": LoopArm(
        "15 from the batch, with logQ", {"arm": "in-batch", "group": 16, "budget": 0}
    ),
    "uniform": LoopArm("7 from the batch, 8 uniform", _UNIFORM),
    "text": LoopArm("7 from the batch, 8 from the same text cluster", _cells("text")),
    "text-raw": LoopArm("the same, drawn hard and counted as uniform", _cells("text-raw")),
    "mixed": LoopArm("7 from the batch, 4 uniform, 4 from the text cluster", _cells("text", 0.5)),
    "random": LoopArm("7 from the batch, 8 from random cells of the same sizes", _cells("random")),
    "genre": LoopArm("7 from the batch, 8 from the same genres", _cells("genre")),
    "weighted": LoopArm("as uniform, and a click counts by exposure", _UNIFORM, weighted=True),
}


@dataclass(frozen=True)
class LoopConfig:
    """Everything that decides a loop, beside the world.

    Parameters
    ----------
    arm : str
        A key of `LOOP_ARMS`.
    rounds : int
        How often to show, log and retrain.
    slots : int
        The length of a list.
    start : int
        Films that each user looks through before the first round.
    position : float
        Strength of the position effect, see `examination`.
    explore : float
        The share of places that are filled at random.
    epochs, batch : int
        Of each training.
    temperature, learning_rate, dim, history : float, float, int, int
        As in `TwoTowerConfig`.
    seed : int
        Of clicks, lots and towers.

    Raises
    ------
    InvalidInputError, UnknownNameError
        For a setting out of range, and for an unknown arm.
    """

    arm: str = "uniform"
    rounds: int = 10
    slots: int = 10
    start: int = 60
    position: float = 1.0
    explore: float = 0.0
    epochs: int = 3
    batch: int = 256
    temperature: float = 0.1
    learning_rate: float = 0.03
    dim: int = 16
    history: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        check_name("arm", self.arm, LOOP_ARMS)
        for name in ("rounds", "slots", "start"):
            check_count(getattr(self, name), name=name, low=1)
        check_size(self.position, name="position")
        if check_size(self.explore, name="explore") > 1:
            raise InvalidInputError("explore from 0 to 1", f"{self.explore}", "it is a share")
        self.towers()

    def towers(self) -> TwoTowerConfig | None:
        """The settings of each round's training; None where nothing is trained."""
        training = LOOP_ARMS[self.arm].training
        if training is None:
            return None
        shared = ("epochs", "batch", "temperature", "learning_rate", "dim", "history", "seed")
        return TwoTowerConfig(**training, **{name: getattr(self, name) for name in shared})


@dataclass
class LoopRun:
    """What came of a loop.

    Attributes
    ----------
    log : Log
        Everything shown; round 0 is what users looked through at the start.
    rounds : list of dict
        The figures of each round.
    recall : (U,) float array
        Each user's recall of the true best twenty in the last round.
    lists : list of (U, slots) integer array
        What was shown in each round.
    seconds : float
        Of computing.
    """

    log: Log
    rounds: list[dict[str, Any]] = field(default_factory=list)
    recall: Float[np.ndarray, " U"] = field(default_factory=lambda: np.empty(0))
    lists: list[Int[np.ndarray, "U k"]] = field(default_factory=list)
    seconds: float = 0.0


def run_loop(
    world: World, config: LoopConfig, *, on_round: Callable[[int], None] = lambda number: None
) -> LoopRun:
    """Let users and a recommender meet.

    Parameters
    ----------
    world : World
        Who would click what.
    config : LoopConfig
        All settings.
    on_round : callable(number)
        Called before each round.

    Returns
    -------
    LoopRun

    Raises
    ------
    NoClicksError
        If in a round nobody clicks.
    InvalidInputError
        If the catalogue is smaller than a list.
    """
    n_users, n_items = world.chance.shape
    check_count(config.start, name="start", low=1, high=n_items)
    check_count(config.slots, name="slots", low=1, high=n_items)
    begun = time.process_time()
    looks = examination(config.slots, config.position)
    run = LoopRun(_start(world, config))
    for number in range(1, config.rounds + 1):
        on_round(number)
        scores = scores_of(world, config, run.log, number)
        taken = run.log.taken(n_users, n_items)
        known = run.log.events(n_users, n_items)
        shown = top_items(scores, known, np.arange(n_users), config.slots)
        shown, randomised = _explored(shown, taken, config.explore, _stream(config, number, 1))
        logged = run.log.clicks(n_items)
        rng = _stream(config, number, 2)
        new = impressions(shown, looks, world.chance, number=number, randomised=randomised, rng=rng)
        run.log = run.log.followed_by(new)
        run.lists.append(shown)
        run.recall = true_recall(scores, world.chance)
        run.rounds.append(_figures(world, run, new, shown, taken, logged, looks))
    run.seconds = time.process_time() - begun
    return run


def scores_of(world: World, config: LoopConfig, log: Log, number: int) -> Float[np.ndarray, "U N"]:
    """What a round's recommender thinks of every user and item, from the log before that round.

    Parameters
    ----------
    world : World
        Its tastes are seen by the oracle only.
    config : LoopConfig
        All settings.
    log : Log
        All earlier rounds.
    number : int
        Of the round.

    Returns
    -------
    (U, N) float array
        Larger is better.
    """
    n_users, n_items = world.chance.shape
    towers = config.towers()
    if towers is None:
        if config.arm == "oracle":
            return world.chance
        return _stream(config, number, 3).random(world.chance.shape)
    events = log.events(n_users, n_items)
    data = TwoTowerData("loop", histories(events), world.text, world.cells)
    weighted = LOOP_ARMS[config.arm].weighted
    weights = exposure_weights(log, events, n_items) if weighted else None
    model = train_towers(data, towers, weights=weights).model
    with torch.no_grad():
        profiles = torch.from_numpy(last_events(events, towers.history))
        return np.asarray((model.users(profiles) @ model.items().T).numpy())


def _stream(config: LoopConfig, number: int, purpose: int) -> np.random.Generator:
    """The random numbers of one purpose in one round."""
    return np.random.default_rng([config.seed, 47, number, purpose])


def _start(world: World, config: LoopConfig) -> Log:
    """Films at random, each looked at: no position effect, no recommender."""
    lot = _stream(config, 0, 1).random(world.chance.shape)
    shown = np.argsort(lot, axis=1)[:, : config.start]
    looks = np.ones(config.start)
    randomised = np.ones(shown.shape, dtype=bool)
    rng = _stream(config, 0, 2)
    return impressions(shown, looks, world.chance, number=0, randomised=randomised, rng=rng)


def _explored(
    shown: Int[np.ndarray, "U k"],
    taken: Bool[np.ndarray, "U N"],
    share: float,
    rng: np.random.Generator,
) -> tuple[Int[np.ndarray, "U k"], Bool[np.ndarray, "U k"]]:
    """Fill a share of the places at random, from what the user has neither taken nor in the list; which."""
    randomised = rng.random(shown.shape) < share
    lot = rng.random(taken.shape)  # the same lots at every share
    if not randomised.any():
        return shown, randomised
    lot[taken] = 2
    users, ranks = np.nonzero(shown >= 0)
    lot[users, shown[users, ranks]] = 2
    order = np.argsort(lot, axis=1)[:, : shown.shape[1]]
    free = np.take_along_axis(lot, order, axis=1) < 2
    replaced = randomised & free & (shown >= 0)
    return np.where(replaced, order, shown), replaced


def _figures(
    world: World,
    run: LoopRun,
    new: Log,
    shown: Int[np.ndarray, "U k"],
    taken: Bool[np.ndarray, "U N"],
    logged: Int[np.ndarray, " N"],
    looks: Float[np.ndarray, " k"],
) -> dict[str, Any]:
    n_users, n_items = world.chance.shape
    counts = np.bincount(new.item, minlength=n_items)
    groups = np.sort(np.where(shown >= 0, world.cells["true"][shown], -1), axis=1)
    return {
        "recall": float(run.recall.mean()),
        "gini": gini(counts),
        "head": float(counts[head_of(logged)].sum() / counts.sum()),
        "coverage": float((counts > 0).mean()),
        "distance": distance(run.log.clicks(n_items), world.popularity),
        "regret": regret(shown, world.chance, taken, looks),
        "clicks": float(new.clicked.sum() / n_users),
        "variety": float((1 + (np.diff(groups, axis=1) != 0).sum(axis=1)).mean()),
        "curve": curve(counts).tolist(),
    }
