"""Training two towers on an arm of negatives, and watching what the negatives do.

Each step takes a batch of events, draws negatives (`sampling`), embeds every item that occurs once, and
takes a step on the sampled softmax. Beside the loss it is noted, for each source, how often a negative
outscores the positive, how hard the loss pushes it (|dL/ds|), and how many draws were excluded as false: a
negative that outscores its positive is one that the model has still to learn from, and all three can be
watched before any recall is measured.

Where a quantization method is asked for, the last epochs see the items through it (`methods`): the network
and the codebooks take turns, as in chapter 07.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gsl_tutorial.course.training.methods import MethodOptions, get_method
from gsl_tutorial.course.two_tower.arms import get_arm, sources_of
from gsl_tutorial.course.two_tower.cells import text_cells
from gsl_tutorial.course.two_tower.data import TwoTowerData, prefixes
from gsl_tutorial.course.two_tower.losses import full_softmax, pressure, sampled_softmax
from gsl_tutorial.course.two_tower.refresh import BackgroundRefresh
from gsl_tutorial.course.two_tower.sampling import Drawn, SameCell, Source, draw_negatives
from gsl_tutorial.course.two_tower.towers import TwoTower
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import ProductQuantizer
from gsl_tutorial.validation import as_array, check_count, check_size, describe


@dataclass(frozen=True)
class TwoTowerConfig:
    """Everything that decides a training, beside the data.

    Parameters
    ----------
    arm : str
        A key of `ARMS`.
    epochs, batch : int
        How often all events are seen, and how many at a time.
    group : int
        Rows whose positives are each other's in-batch negatives.
    budget : int
        Further negatives of each positive.
    hard_share : float
        The part of the budget that an arm draws from cells, after the warm-up.
    warm_up : int
        Epochs before.
    n_cells : int
        How many cells are learned on the way.
    temperature : float
        Of the softmax.
    learning_rate : float
        Of the optimizer.
    dim : int
        Length of the vectors.
    history : int
        From how many last items a user is made.
    user_id : bool
        Whether each user has an embedding, too.
    method, bytes_per_item : str, int
        The quantization of the last epochs; "none" trains without it.
    quantized_epochs : int
        How many these are.
    options : MethodOptions
        Settings of the method.
    seed : int
        Where the randomness comes from.

    Raises
    ------
    InvalidInputError, UnknownNameError
        For a setting out of range, and for an unknown arm or method.
    """

    arm: str = "uniform"
    epochs: int = 4
    batch: int = 256
    group: int = 8
    budget: int = 8
    hard_share: float = 0.5
    warm_up: int = 1
    n_cells: int = 100
    temperature: float = 0.05
    learning_rate: float = 0.01
    dim: int = 32
    history: int = 30
    user_id: bool = False
    method: str = "none"
    bytes_per_item: int = 8
    quantized_epochs: int = 2
    options: MethodOptions = field(default_factory=MethodOptions)
    seed: int = 0

    def __post_init__(self) -> None:
        get_arm(self.arm)
        get_method(self.method)
        for name in ("epochs", "batch", "group", "n_cells", "dim", "history", "bytes_per_item"):
            check_count(getattr(self, name), name=name, low=1)
        for name in ("budget", "warm_up", "quantized_epochs", "seed"):
            check_count(getattr(self, name), name=name, low=0)
        for name in ("temperature", "learning_rate"):
            if check_size(getattr(self, name), name=name) == 0:
                raise InvalidInputError(f"{name} above 0", "0", f"change {name}")
        if check_size(self.hard_share, name="hard_share") > 1:
            raise InvalidInputError("hard_share from 0 to 1", str(self.hard_share), "it is a part")
        if self.group < 2 or self.batch % self.group:
            raise InvalidInputError(
                "a batch that is cut into groups of two or more",
                f"{self.batch} rows in groups of {self.group}",
                "take a multiple",
            )


@dataclass
class Trained:
    """The towers, what was noted in each epoch, and the item quantizer if one was trained with.

    Attributes
    ----------
    model : TwoTower
        The towers.
    config : TwoTowerConfig
        What they were trained with.
    history : list of dict
        What was noted in each epoch.
    seconds : float
        Of computing.
    quantizer : ProductQuantizer, optional
        Of the items, if one was trained with.
    exchanges : list of int
        The steps, from 0, before which refreshed cells came into use.
    """

    model: TwoTower
    config: TwoTowerConfig
    history: list[dict[str, Any]]
    seconds: float
    quantizer: ProductQuantizer | None = None
    exchanges: list[int] = field(default_factory=list)


def train_towers(
    data: TwoTowerData,
    config: TwoTowerConfig,
    *,
    weights: Float[np.ndarray, " n"] | None = None,
    watch: Callable[[TwoTower], None] = lambda model: None,
    refresh: int = 0,
) -> Trained:
    """Train on the training events alone; validation and test events are not looked at.

    On one thread the same config and the same `refresh` give the same weights, bit for bit: another
    thread looks for the new cells, but at which step they come into use is fixed beforehand.

    Parameters
    ----------
    data : TwoTowerData
        Its training events are used.
    config : TwoTowerConfig
        All settings.
    weights : (n,) float array, optional
        How much each training event counts; all alike without it.
    watch : callable(model)
        Gets the model before the first epoch and after each one; it may look, and must change
        nothing.
    refresh : int
        For an arm whose cells are learned. 0 stops at the beginning of each epoch and finds them anew.
        Otherwise this is done once, when the warm-up is over. From then on a background thread looks
        for new cells while training goes on with the old ones, and they are exchanged this many steps
        later, when the next search begins. A step that comes too early for them waits.

    Returns
    -------
    Trained

    Raises
    ------
    InvalidInputError
        Where there are fewer events than fill a group, weights that are not one for each, or a
        refresh for an arm that learns no cells.
    CellTooSmallError, RefreshError
        If the search in the background fails; it is said at the step of the exchange.
    """
    started = time.process_time()
    arm, train = get_arm(config.arm), data.events.train
    if check_count(refresh, name="refresh", low=0) and arm.cells != "learned":
        raise InvalidInputError(
            "an arm whose cells are learned, for cells to refresh",
            f"refresh {refresh} with arm {config.arm}",
            "take arm learned, or refresh 0",
        )
    rng = np.random.default_rng([config.seed, 11])
    generator = torch.Generator().manual_seed(config.seed)
    model = TwoTower(
        data.text,
        dim=config.dim,
        n_users=train.n_users if config.user_id else 0,
        generator=generator,
    )
    batch = min(config.batch, len(train) // config.group * config.group)
    if batch == 0:
        raise InvalidInputError(
            f"{config.group} training events or more", f"{len(train)}", "bring more events"
        )
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    n_epoch = len(train) // batch
    n_steps = config.epochs * n_epoch
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: 1 - i / max(1, n_steps))
    step = _Step(data, config, model, rng, _checked_weights(weights, len(train)))
    cells, quantizer = dict(data.cells), None
    history: list[dict[str, Any]] = []
    background, exchanges = None, list[int]()
    watch(model)
    with ExitStack() as threads:
        for epoch in range(config.epochs):
            if epoch >= config.epochs - config.quantized_epochs and config.method != "none":
                quantizer = _refitted(quantizer, model, config)
                step.quantizer = quantizer
            if background is None:
                if arm.cells == "learned" and epoch >= config.warm_up:
                    cells["learned"] = _learned_cells(_vectors(model), config)
                sources = sources_of(
                    arm,
                    share=data.share,
                    cells=cells,
                    group=config.group,
                    budget=config.budget,
                    hard_share=config.hard_share,
                    warm=epoch >= config.warm_up,
                )
                if refresh and isinstance(sources[-1], SameCell):
                    background = BackgroundRefresh(sources[-1], delay=refresh)
                    threads.enter_context(background)
            step.notes = EpochNotes([source.name for source in sources])
            order = rng.permutation(len(train))
            for i in range(n_epoch):
                at = epoch * n_epoch + i
                if background is not None:
                    if background.at(at):
                        exchanges.append(at)
                    if background.is_idle and at + refresh < n_steps:
                        background.begin(
                            at, partial(_learned_cells, _vectors(model).copy(), config)
                        )
                loss = step(order[i * batch : (i + 1) * batch], sources, full=arm.full)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
            history.append({"epoch": epoch + 1, **step.notes.means()})
            watch(model)
    if quantizer is not None:
        quantizer = _refitted(quantizer, model, config)
    seconds = time.process_time() - started
    return Trained(model, config, history, seconds, quantizer, exchanges)


class _Step:
    """One batch: from event numbers to the loss; the epoch's `notes` are kept on the way."""

    def __init__(
        self,
        data: TwoTowerData,
        config: TwoTowerConfig,
        model: TwoTower,
        rng: np.random.Generator,
        weights: torch.Tensor | None,
    ) -> None:
        self.data, self.config, self.model, self.rng = data, config, model, rng
        self.weights = weights
        self.histories = prefixes(data.events.train, config.history)
        self.quantizer: ProductQuantizer | None = None
        self.notes = EpochNotes([])

    def __call__(self, rows: np.ndarray, sources: list[Source], *, full: bool) -> torch.Tensor:
        train, data, tau = self.data.events.train, self.data, self.config.temperature
        users, positives = train.user[rows], train.item[rows]
        u = self.model.users(
            torch.from_numpy(self.histories[rows]),
            torch.from_numpy(users) if self.config.user_id else None,
        )
        if full:
            everything = np.broadcast_to(np.arange(train.n_items), (len(rows), train.n_items))
            excluded = data.history.holds(users, everything)
            scores = u @ self.model.items().T / tau
            loss = full_softmax(scores, torch.from_numpy(positives), torch.from_numpy(excluded))
            self.notes.add_loss(loss)
            return self._mean(loss, rows)
        drawn = draw_negatives(
            sources, users, positives, history=data.history, twins=data.twins, rng=self.rng
        )
        # Every item that occurs is embedded once.
        unique, inverse = np.unique(
            np.concatenate([positives[:, None], drawn.items], axis=1), return_inverse=True
        )
        z, term = self._seen(self.model.items(torch.from_numpy(unique)))
        v = z[torch.from_numpy(inverse.reshape(len(rows), -1))]
        scores = (v @ u.unsqueeze(2)).squeeze(2) / tau
        arguments = (
            scores[:, 0],
            scores[:, 1:],
            torch.from_numpy(drawn.expected).float(),
            torch.from_numpy(drawn.excluded),
        )
        loss = sampled_softmax(*arguments)
        self.notes.add_loss(loss)
        self.notes.add(drawn, *arguments)
        return self._mean(loss, rows) + term

    def _mean(self, loss: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        if self.weights is None:
            return loss.mean()
        return (loss * self.weights[torch.from_numpy(rows)]).mean()

    def _seen(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self.quantizer is None:
            return z, z.new_zeros(())
        return get_method(self.config.method)(z, self.quantizer, self.config.options)


def _checked_weights(weights: Float[np.ndarray, " n"] | None, n: int) -> torch.Tensor | None:
    if weights is None:
        return None
    array = as_array(weights, name="weights")
    if array.shape != (n,) or array.dtype.kind not in "iuf" or not (array >= 0).all():
        raise InvalidInputError(
            f"a weight of 0 or more for each of {n} training events",
            describe(array),
            "pass (n,) finite numbers in the order of data.events.train",
        )
    return torch.from_numpy(array.astype(np.float32))


def _vectors(model: TwoTower) -> np.ndarray:
    with torch.no_grad():
        return model.items().numpy()


def _learned_cells(vectors: np.ndarray, config: TwoTowerConfig) -> np.ndarray:
    return text_cells(vectors, config.n_cells, random_state=config.seed)


def _refitted(
    quantizer: ProductQuantizer | None, model: TwoTower, config: TwoTowerConfig
) -> ProductQuantizer:
    """Codebooks of the catalogue as it stands; a warm start keeps what a code means."""
    vectors = _vectors(model)
    if quantizer is None:
        n_codewords = min(256, len(vectors))
        return ProductQuantizer(config.bytes_per_item, n_codewords, random_state=config.seed).fit(
            vectors
        )
    return quantizer.refit(vectors)


class EpochNotes:
    """Sums over the batches of one epoch.

    Parameters
    ----------
    kinds : list of str
        The names of the sources, in their order.
    """

    def __init__(self, kinds: list[str]) -> None:
        self._kinds = kinds
        self._sums: dict[str, float] = defaultdict(float)

    def add_loss(self, loss: Float[Tensor, " B"]) -> None:
        """Count a batch's losses."""
        self._sums["loss"] += float(loss.detach().sum())
        self._sums["rows"] += len(loss)

    def add(
        self,
        drawn: Drawn,
        positive: Float[Tensor, " B"],
        negatives: Float[Tensor, "B n"],
        expected: Float[Tensor, "B n"],
        excluded: Bool[Tensor, "B n"],
    ) -> None:
        """Count a batch's negatives.

        Parameters
        ----------
        drawn : Drawn
            What was drawn.
        positive, negatives, expected, excluded
            Scores and Q as in `losses.sampled_softmax`.
        """
        with torch.no_grad():
            pushed = pressure(positive, negatives, expected, excluded).numpy()
            outscores = (negatives > positive[:, None]).numpy()
        counted = ~drawn.excluded
        for kind, name in enumerate(self._kinds):
            columns = drawn.kinds == kind
            of_kind = counted[:, columns]
            self._sums[f"{name} drawn"] += of_kind.size
            self._sums[f"{name} counted"] += of_kind.sum()
            self._sums[f"{name} outscores"] += (outscores[:, columns] & of_kind).sum()
            self._sums[f"{name} pressure"] += pushed[:, columns].sum()

    def means(self) -> dict[str, Any]:
        """The mean loss, and for each source that drew something what its negatives did.

        Returns
        -------
        dict
            Ready for JSON.
        """
        sums = self._sums
        record: dict[str, Any] = {"loss": sums["loss"] / sums["rows"]}
        for name in self._kinds:
            if not sums[f"{name} drawn"]:
                continue
            counted = max(1.0, float(sums[f"{name} counted"]))
            record[name] = {
                "outscores": float(sums[f"{name} outscores"]) / counted,
                "pressure": float(sums[f"{name} pressure"]) / counted,
                "excluded": 1 - float(sums[f"{name} counted"]) / float(sums[f"{name} drawn"]),
            }
        return record
