"""What trainings on the same images have in common, done once: batches, the warm-up, plain training.

A study trains the same network on the same images hundreds of times, and up to the end of the warm-up the
runs of one seed and learning rate are the same run (see `rounds`); where the method is "none", all the
way, because there the codebooks only look on. Kept in memory, exact to the last bit: a run that starts
from here ends with the weights of one that did not. Nothing is written, so a study that was killed
begins with an empty one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gsl_tutorial.course.training.config import TrainingConfig
from gsl_tutorial.course.training.encoders import augment
from gsl_tutorial.course.training.runs import JOINT

#: Beginnings that are kept; the oldest makes room.
_MOST = 16


@dataclass
class Round:
    """One finished round, as far as no codebook had a hand in it.

    Attributes
    ----------
    loss : float
        The mean similarity loss.
    seconds : float
        How long it took.
    embedded : (N, dim) tensor
        Embeddings of the images on which the codebooks are refitted.
    bias : dict
        Bias of the gradient; empty during the warm-up.
    """

    loss: float
    seconds: float
    embedded: Tensor
    bias: dict[str, float] = field(default_factory=dict)


@dataclass
class Beginning:
    """The rounds from the first on, and the state of all that learns after the last of them.

    Attributes
    ----------
    rounds : list of Round
        In their order.
    encoder, classifier : dict
        Weights by name, as `state_dict` gives them.
    optimizer : dict
        With its momentum, as `state_dict` gives it.
    """

    rounds: list[Round]
    encoder: dict[str, Tensor]
    classifier: dict[str, Tensor]
    optimizer: dict[str, Any]


class SharedWork:
    """For runs on one set of images; make another one for other images.

    Attributes
    ----------
    embedded : (N, dim) tensor, or None
        Embeddings of all training images by the network that was finished last.
    """

    def __init__(self) -> None:
        self.embedded: Tensor | None = None
        self._beginnings: OrderedDict[tuple[Any, ...], Beginning] = OrderedDict()
        self._epochs: dict[tuple[Any, ...], list[Tensor]] = {}

    def beginning(self, config: TrainingConfig) -> Beginning | None:
        """The longest beginning that a run shares with one that is done.

        Parameters
        ----------
        config : TrainingConfig
            Of the run that begins.

        Returns
        -------
        Beginning or None
            A copy, to be changed at will.
        """
        keys = _keys(config) if config.method == "none" else _keys(config)[1:]
        found = next((self._beginnings[k] for k in keys if k in self._beginnings), None)
        # A copy: an optimizer writes into the momentum that it was handed.
        return None if found is None else _copied(found)

    def keep(self, config: TrainingConfig, beginning: Beginning) -> None:
        """Remember the first rounds of a run: its warm-up, or all rounds of one without a method.

        Parameters
        ----------
        config : TrainingConfig
            Of that run.
        beginning : Beginning
            Copied.
        """
        whole = len(beginning.rounds) == config.schedule.rounds
        self._beginnings[_keys(config)[0 if whole else 1]] = _copied(beginning)
        if len(self._beginnings) > _MOST:
            self._beginnings.popitem(last=False)

    def batches(
        self,
        config: TrainingConfig,
        epoch: int,
        images: Tensor,
        index: list[Tensor],
        flips: Tensor,
        generator: torch.Generator,
    ) -> Iterator[Tensor]:
        """The augmented batches of an epoch, kept as bytes.

        Shifted and mirrored pixels are whole numbers, so nothing is lost. Where a square is set to
        the mean colour they are not, and nothing is kept.

        Parameters
        ----------
        config : TrainingConfig
            Its seed and its schedule.
        epoch : int
            Counted from 0 over all rounds.
        images : (N, 3, 32, 32) uint8 tensor
            All training images.
        index : list of (batch,) integer tensors
            The images of each batch.
        flips : (N,) integer tensor
            1 for an image that is mirrored in this epoch, else 0.
        generator : torch.Generator
            Draws the shifts, unless they are kept already.

        Returns
        -------
        iterator of (batch, 3, 32, 32) float32 tensors

        Raises
        ------
        ValueError
            For images of another shape, and where a square is erased.
        """
        schedule = config.schedule
        key = (config.seed, schedule.batch_size, epoch)
        if schedule.erase or images.ndim != 4:
            raise ValueError("only whole-number pixels can be kept as bytes")
        if key not in self._epochs:
            self._epochs[key] = [
                augment(images[rows], flips[rows], generator).to(torch.uint8) for rows in index
            ]
        return (batch.float() for batch in self._epochs[key])


def _keys(config: TrainingConfig) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Names of the whole training without a method, and of the warm-up."""
    everything = config.to_dict()
    for name in JOINT:
        del everything[name]
    shared = (*everything.values(), config.schedule)
    return ("whole", *shared), ("warm-up", *shared)


def _copied(beginning: Beginning) -> Beginning:
    def copy(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.detach().clone()
        if isinstance(value, dict):
            return {key: copy(v) for key, v in value.items()}
        return [copy(v) for v in value] if isinstance(value, list) else value

    return Beginning(
        list(beginning.rounds),
        copy(beginning.encoder),
        copy(beginning.classifier),
        copy(beginning.optimizer),
    )
