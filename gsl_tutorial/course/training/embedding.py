"""What a trained network makes of a split: embeddings, labels and predicted classes."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor

from gsl_tutorial.course.datasets import Split
from gsl_tutorial.course.training.encoders import embed
from gsl_tutorial.course.training.runs import TrainedModel


@dataclass(frozen=True)
class Embedded:
    """A set of images as a trained network sees them.

    Attributes
    ----------
    z : (N, dim) float array
        The embeddings, of unit length.
    labels : (N,) integer array
        The true classes.
    predicted : (N,) integer array
        What the classifier says, in the same numbers.
    """

    z: Float[np.ndarray, "N dim"]
    labels: Integer[np.ndarray, " N"]
    predicted: Integer[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.labels)


def as_tensor(split: Split) -> Tensor:
    """Images as the encoders take them: channels first, still uint8, nothing copied."""
    with warnings.catch_warnings():
        # The splits are read-only and torch cannot say so; nothing here writes to them.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        images = torch.from_numpy(split.x)
    return images.permute(0, 3, 1, 2) if images.ndim == 4 else images


def embed_split(
    model: TrainedModel,
    split: Split,
    *,
    classes: Int[np.ndarray, " C"] | None = None,
    mirror: bool | None = None,
    embedded: Tensor | None = None,
) -> Embedded:
    """Embeddings and predicted classes of a split.

    Parameters
    ----------
    model : TrainedModel
        Its encoder and its classifier are asked.
    split : Split
        Images with their labels.
    classes : (C,) integer array, or None
        The labels of the training classes in rising order; None stands for 0..C-1.
    mirror : bool or None
        As in `embed`; None stands for what the schedule of the run says.
    embedded : (N, dim) tensor, or None
        The embeddings, where they are known already.

    Returns
    -------
    Embedded
    """
    mirror = model.config.schedule.mirror if mirror is None else mirror
    z = embed(model.encoder, as_tensor(split), mirror=mirror) if embedded is None else embedded
    with torch.no_grad():
        predicted = model.classifier.to("cpu")(z).argmax(1).numpy()
    return Embedded(z.numpy(), split.labels, predicted if classes is None else classes[predicted])
