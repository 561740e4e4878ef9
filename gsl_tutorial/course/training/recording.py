"""A training in the plane, recorded turn by turn, so that it can be scrubbed through: chapter 07.

An embedding of two numbers and of unit length is a place on a circle: everything that happens to it can
be seen. A round has two turns, the network's (codewords held still) and the codebooks' (network held
still); a frame is kept after each. The same recorder plays the codebooks' turn wrongly on request:
never after the first, or from a new random start every time. Source: the abstract of arXiv 1610.09645
("optimised in turn"); the frames and the two wrong ways are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from gsl_tutorial.course.datasets import Dataset, Split
from gsl_tutorial.course.training.config import TrainingConfig
from gsl_tutorial.course.training.embedding import embed_split
from gsl_tutorial.course.training.gradient_bias import method_gradients
from gsl_tutorial.course.training.methods import get_method
from gsl_tutorial.course.training.rounds import TrainingStep, similarity_of
from gsl_tutorial.course.training.runs import TrainedModel
from gsl_tutorial.course.training.train_run import train_run
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation import mean_average_precision
from gsl_tutorial.evaluation.distances import squared_distances
from gsl_tutorial.quantizers import ProductQuantizer, Quantizer
from gsl_tutorial.validation import check_count, check_name

#: How the codebooks take their turn: from where they stand, from a new random start, or not at all.
Refit = Literal["warm", "cold", "never"]
Turn = Literal["start", "network", "codebooks"]


@dataclass(frozen=True)
class Frame:
    """Where a training stands after a turn; None where there is no codebook yet.

    Attributes
    ----------
    round : int
        From 1; 0 is the start.
    turn : str
        "start", or whose turn it was: "network" or "codebooks".
    z : (N, 2) float array
        Embeddings of the database.
    query_z : (B, 2) float array
        Embeddings of the queries.
    codewords : (K, 2) float array, or None
        Those that stand now.
    used : (N, 2) float array, or None
        For each database vector the gradient that the method sends to it.
    g : (N, 2) float array, or None
        For each database vector the gradient of the similarity loss.
    uphill : (N,) bool array
        Where the first would move a vector against the second.
    loss : float or None
        The mean similarity loss of the round, None at the start.
    relative_distortion : float or None
        Of the database, with these codewords.
    adc_map : float or None
        mAP of a search by asymmetric distances.
    exact_map : float
        mAP of a search by the distances between embeddings.
    """

    round: int
    turn: Turn
    z: Float[np.ndarray, "N 2"]
    query_z: Float[np.ndarray, "B 2"]
    codewords: Float[np.ndarray, "K 2"] | None
    used: Float[np.ndarray, "N 2"] | None
    g: Float[np.ndarray, "N 2"] | None
    uphill: Bool[np.ndarray, " N"]
    loss: float | None
    relative_distortion: float | None
    adc_map: float | None
    exact_map: float

    @property
    def quantizer(self) -> ProductQuantizer:
        """The codewords as a quantizer.

        Raises
        ------
        InvalidInputError
            Where there are none yet.
        """
        if self.codewords is None:
            raise InvalidInputError(
                "a frame with codewords", f"round {self.round}, {self.turn}", "take a later one"
            )
        return ProductQuantizer(1, len(self.codewords)).with_codebooks(self.codewords[None])


@dataclass(frozen=True)
class Recording:
    """A training: frames[0] is the start, then two frames for each round.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    labels : (N,) integer array
        Of the database.
    frames : tuple of Frame
        In the order of the turns.
    history : tuple of dict
        One record for each round, as training wrote it.
    """

    method: str
    labels: Int[np.ndarray, " N"]
    frames: tuple[Frame, ...]
    history: tuple[dict[str, float], ...]

    def after(self, round_: int, turn: Turn = "codebooks") -> Frame:
        """The frame after a turn of a round.

        Parameters
        ----------
        round_ : int
            Counted from 1; 0 is the start.
        turn : str
            "network" or "codebooks".

        Returns
        -------
        Frame

        Raises
        ------
        InvalidInputError, UnknownNameError
            For a round that was not trained, and for another turn.
        """
        check_count(round_, name="round_", low=0, high=len(self.history))
        check_name("turn", turn, get_args(Turn))
        return self.frames[0 if round_ == 0 else 2 * round_ - (turn == "network")]

    def __repr__(self) -> str:
        last = self.frames[-1]
        return (
            f"Recording({self.method}: {len(self.history)} rounds of {len(self.labels)} vectors, "
            f"ADC mAP {last.adc_map:.2f}, relative distortion {last.relative_distortion:.3f})"
        )


def first_classes(data: Dataset, n: int) -> Dataset:
    """The splits with the first `n` classes only: a circle has room for few.

    Parameters
    ----------
    data : Dataset
        With all classes.
    n : int
        How many classes, 2 or more.

    Returns
    -------
    Dataset

    Raises
    ------
    InvalidInputError
        For fewer than two classes or more than there are.
    """
    check_count(n, name="n", low=2, high=len(data.class_names))

    def few(split: Split) -> Split:
        return split.take(np.flatnonzero(split.labels < n)) if len(split) else split

    return replace(
        data,
        train=few(data.train),
        validation=few(data.validation),
        database=few(data.database),
        query=few(data.query),
    )


def record(
    config: TrainingConfig,
    data: Dataset,
    *,
    refit: Refit = "warm",
    on_progress: Callable[[TrainingStep], None] | None = None,
) -> Recording:
    """Train as `train_run` does and keep a frame after every turn.

    Parameters
    ----------
    config : TrainingConfig
        With dim=2 and one codebook (bits = log2 K).
    data : Dataset
        Trained on; its database and its queries are what the frames show.
    refit : str
        How the codebooks take their turn: "warm" from where they stand, "cold" from a new random
        start, or "never".
    on_progress : callable, optional
        As in `train`.

    Returns
    -------
    Recording

    Raises
    ------
    InvalidInputError
        Where the embedding is not a place in the plane.
    UnknownNameError
        For another `refit`.
    """
    check_name("refit", refit, get_args(Refit))
    if config.dim != 2 or config.n_subspaces != 1:
        raise InvalidInputError(
            "dim=2 and one codebook, so that it can be drawn",
            f"dim={config.dim} and {config.n_subspaces} codebooks",
            "TrainingConfig(dim=2, bits=3, n_codewords=8)",
        )
    frames: list[Frame] = []

    def on_round(model: TrainedModel, done: int) -> None:
        before = frames[-1].codewords if frames else None
        frames.append(_frame(model, data, done, "network" if done else "start", before))
        if done:
            codewords = _refitted(model, frames, refit, done)
            frames.append(_frame(model, data, done, "codebooks", codewords))

    model = train_run(config, data, on_progress=on_progress, on_round=on_round)
    return Recording(config.method, data.database.labels, tuple(frames), tuple(model.history))


def _refitted(
    model: TrainedModel, frames: list[Frame], refit: Refit, done: int
) -> Float[np.ndarray, "K 2"]:
    """The codewords after the codebooks' turn; training has just made a warm one."""
    before, quantizer = frames[-1].codewords, model.quantizer
    if before is not None and refit == "never":
        quantizer.with_codebooks(before[None])
    elif before is not None and refit == "cold":
        config = model.config
        cold = ProductQuantizer(1, config.n_codewords, random_state=config.seed + done)
        quantizer.with_codebooks(cold.fit(frames[-1].z).codebooks_)
    return quantizer.codebooks_[0].copy()


def _frame(
    model: TrainedModel,
    data: Dataset,
    round_: int,
    turn: Turn,
    codewords: Float[np.ndarray, "K 2"] | None,
) -> Frame:
    database, query = embed_split(model, data.database), embed_split(model, data.query)
    labels = query.labels, database.labels
    frame = Frame(
        round_,
        turn,
        database.z,
        query.z,
        codewords,
        uphill=np.zeros(len(database), dtype=bool),
        used=None,
        g=None,
        loss=model.history[-1]["loss"] if model.history else None,
        relative_distortion=None,
        adc_map=None,
        exact_map=mean_average_precision(squared_distances(query.z, database.z), *labels),
    )
    if codewords is None:
        return frame
    quantizer = frame.quantizer
    codes = quantizer.encode(database.z)
    used, g = _gradients(model, quantizer, torch.from_numpy(database.z), _ranked(data))
    # On a circle there are two ways to go: with g, and the cosine is 1, or against it, and it is -1.
    along = around(used, database.z) * around(g, database.z)
    return replace(
        frame,
        used=used,
        g=g,
        uphill=along < 0,
        relative_distortion=quantizer.relative_distortion(database.z),
        adc_map=mean_average_precision(quantizer.distances(query.z, codes), *labels),
    )


def _ranked(data: Dataset) -> Tensor:
    """Labels of the database, counted from 0 as the classifier counts them."""
    classes = np.unique(data.train.labels)
    return torch.from_numpy(np.searchsorted(classes, data.database.labels))


def _gradients(
    model: TrainedModel, quantizer: Quantizer, z: Float[Tensor, "N 2"], labels: Int[Tensor, " N"]
) -> list[Float[np.ndarray, "N 2"]]:
    """What the model's method sends to each embedding, and the similarity gradient g, as in training."""
    pair = method_gradients(
        get_method(model.config.method),
        model.config.options,
        similarity_of(model),
        z,
        labels,
        quantizer,
        batch_size=model.config.schedule.batch_size,
    )
    return [gradient.double().numpy() for gradient in pair]


def around(
    gradient: Float[np.ndarray, "N 2"], z: Float[np.ndarray, "N 2"]
) -> Float[np.ndarray, " N"]:
    """The part of each gradient along the circle, counter-clockwise; the rest has no effect.

    An embedding of unit length cannot leave the circle, so only this part moves it.

    Parameters
    ----------
    gradient : (N, 2) float array
        One for each embedding.
    z : (N, 2) float array
        Embeddings of unit length.

    Returns
    -------
    (N,) float array

    Examples
    --------
    >>> around(np.array([[3.0, 2.0]]), np.array([[1.0, 0.0]]))
    array([2.])
    """
    return gradient[:, 1] * z[:, 0] - gradient[:, 0] * z[:, 1]
