"""Learning in turns: the network moves with the codebooks fixed, then the codebooks follow.

A round is some passes over the training images, with the codebooks as they stand, and then one warm
k-means from where they stand (source: the abstract of arXiv 1610.09645, "optimised in turn"). During
the warm-up the similarity loss works alone, and codebooks are fitted anew after each round: up to its
end, runs that differ in nothing but method or bits have the same weights. All randomness comes from the
seed and the number of the epoch, so a resumed run repeats the uninterrupted one exactly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Integer
from torch import Tensor

from gsl_tutorial.course.training.cells import cell_measures
from gsl_tutorial.course.training.config import TrainingConfig
from gsl_tutorial.course.training.encoders import augment, embed
from gsl_tutorial.course.training.gradient_bias import gradient_bias
from gsl_tutorial.course.training.losses import SimilarityLoss, similarity_loss
from gsl_tutorial.course.training.methods import get_method
from gsl_tutorial.course.training.optimizer import WeightAverage, set_learning_rate, sgd
from gsl_tutorial.course.training.runs import RunFolder, TrainedModel
from gsl_tutorial.course.training.shared_work import Beginning, Round, SharedWork
from gsl_tutorial.errors import TutorialError

#: Images on which the bias of the gradient is measured after each round.
_PROBE = 1_000


class DivergedError(TutorialError):
    """The loss became NaN or infinite."""

    exit_code = 6


@dataclass(frozen=True)
class TrainingStep:
    """Where a training stands; `on_progress` receives one after each step.

    Attributes
    ----------
    step : int
        Steps that are done.
    n_steps : int
        Steps of the whole training.
    round : int
        The round of this step, from 1.
    n_rounds : int
        Rounds of the whole training.
    loss : float
        The similarity loss of the batch.
    """

    step: int
    n_steps: int
    round: int
    n_rounds: int
    loss: float


def train(
    config: TrainingConfig,
    images: Tensor,
    labels: Int[Tensor, " N"],
    *,
    folder: RunFolder | None = None,
    resume: bool = False,
    warm_up: RunFolder | None = None,
    device: str = "cpu",
    provenance: dict[str, Any] | None = None,
    on_progress: Callable[[TrainingStep], None] | None = None,
    on_round: Callable[[TrainedModel, int], None] | None = None,
    shared: SharedWork | None = None,
) -> TrainedModel:
    """Train encoder and quantizer in turns.

    Parameters
    ----------
    config : TrainingConfig
        What is asked for.
    images : (N, 3, 32, 32) uint8 or (N, 64) float32 tensor
        To train on.
    labels : (N,) integer tensor
        Their classes, from 0.
    folder : RunFolder, optional
        A checkpoint is written there after every round, and the model at the end. Where it holds a
        finished model, that one is returned.
    resume : bool
        A run in that folder goes on from its last finished round, and ends with the weights of an
        uninterrupted one.
    warm_up : RunFolder, optional
        A run that differs in quantizer, codes or method only: its warm-up is taken over, and the
        weights at the end are the same as without.
    device : str
        Where the network learns, such as "cpu" or "cuda".
    provenance : dict, optional
        What the model file shall say of its making (command, commit).
    on_progress : callable, optional
        Called with a `TrainingStep` after each step.
    on_round : callable, optional
        Called with the model and the number of rounds done, before the first round too; with
        `shared`, not for the rounds that were taken from there.
    shared : SharedWork, optional
        What other runs on these images have done already. Left alone where there is a `folder`
        or an average of the weights.

    Returns
    -------
    TrainedModel

    Raises
    ------
    RunMismatchError
        For a folder of another configuration, or a warm-up of one.
    DivergedError
        On a NaN loss.
    StorageError
        When the disk is full.
    """
    schedule = config.schedule
    if folder is not None:
        folder.open(config, resume=resume)
        if folder.model_file.exists():
            return folder.load_model()
    model = TrainedModel.new(config, n_classes=int(labels.max()) + 1)
    model.encoder.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.classifier.to(device)
    images = images.to(device)  # as bytes: all of CIFAR-10 is 150 MB
    model.encoder.prepare(images[:2000])
    optimizer = sgd(schedule, model.encoder, model.classifier)
    done = folder.load_checkpoint(model, optimizer) if folder is not None and resume else 0
    before = _codes(model, images) if done and model.is_quantized else None
    rounds: list[Round] = []
    shared = None if schedule.average_every or folder is not None else shared
    if shared is not None and (beginning := shared.beginning(config)) is not None:
        before = _begin(model, optimizer, beginning, labels)
        rounds, done = list(beginning.rounds), len(beginning.rounds)
        shared.embedded = rounds[-1].embedded

    if not done and warm_up is not None:
        warm_up.hand_over_warm_up(model, optimizer)
        before, done = _own_codebooks(model, images, labels), schedule.warmup_rounds

    steps_per_round = schedule.epochs * n_batches(len(images), schedule.batch_size)
    n_steps = schedule.rounds * steps_per_round
    average = WeightAverage(model.encoder, model.classifier) if schedule.average_every else None
    if on_round is not None:
        on_round(model, done)
    for round_ in range(done, schedule.rounds):
        started, total = time.perf_counter(), 0.0
        for i, batch in enumerate(_round_batches(config, images, round_, shared)):
            step = round_ * steps_per_round + i
            set_learning_rate(optimizer, share=step / n_steps)
            loss = _step(model, optimizer, batch.images, labels[batch.index], round_, device)
            total += loss
            if average is not None and (
                (step + 1) % schedule.average_every == 0 or i + 1 == steps_per_round
            ):
                average.update((step + 1) / n_steps)
            if on_progress is not None:
                on_progress(TrainingStep(step + 1, n_steps, round_ + 1, schedule.rounds, loss))
        followed = follow(
            model,
            images,
            labels,
            warm=round_ < schedule.warmup_rounds,
            last=round_ + 1 == schedule.rounds,
            before=before,
        )
        seconds, before = time.perf_counter() - started, followed.codes
        loss = total / steps_per_round
        model.history.append(
            {"round": round_ + 1, "loss": loss, **followed.measured, "seconds": seconds}
        )
        if shared is not None:
            shared.embedded = followed.embedded
            rounds.append(Round(loss, seconds, followed.embedded, followed.bias))
            whole = config.method == "none" and round_ + 1 == schedule.rounds
            if whole or round_ + 1 == schedule.warmup_rounds:
                shared.keep(config, _beginning(model, optimizer, rounds))
        if folder is not None:
            folder.save_checkpoint(model, optimizer, finished_rounds=round_ + 1)
            if round_ + 1 == schedule.warmup_rounds:
                folder.save_warm(model, optimizer)
        if on_round is not None:
            on_round(model, round_ + 1)
    model.provenance = provenance or {}
    if folder is not None:
        folder.save_model(model)
    return model


@dataclass(frozen=True)
class Followed:
    """What a refit of the codebooks leaves behind.

    Attributes
    ----------
    measured : dict
        The figures that a round is known by, those of `bias` included.
    bias : dict
        Those of the bias of the gradient; empty during the warm-up.
    embedded : (N, dim) tensor
        Embeddings of the images on which the codebooks were refitted.
    codes : (n, M) integer array
        Of the sample on which rounds are compared.
    """

    measured: dict[str, float]
    bias: dict[str, float]
    embedded: Float[Tensor, "N dim"]
    codes: Integer[np.ndarray, "n M"]


def follow(
    model: TrainedModel,
    images: Tensor,
    labels: Tensor,
    *,
    warm: bool = False,
    last: bool,
    before: Integer[np.ndarray, "n M"] | None = None,
) -> Followed:
    """Let the codebooks follow the embeddings, and measure what a round is known by.

    That is the relative distortion, the mean codeword perplexity and the cells after the refit,
    and before it, unless the codebooks are new, the bias of the gradient with those that it was
    trained with.

    Parameters
    ----------
    model : TrainedModel
        Its quantizer is refitted in place.
    images, labels : tensors
        All training images and their classes.
    warm : bool
        Fit the codebooks anew, as during the warm-up.
    last : bool
        Whether the training is over: then all images are embedded, else a sample.
    before : (n, M) integer array, or None
        The codes of the sample a round ago.

    Returns
    -------
    Followed

    Raises
    ------
    DivergedError
        On embeddings that are NaN or infinite.
    """
    if not last:
        every = _every(model, len(images))
        images, labels = images[every], labels[every]
    embedded = embed(model.encoder, images, mirror=last and model.config.schedule.mirror)
    _check_finite(embedded, "embeddings")
    bias: dict[str, float] = {}
    if model.is_quantized and not warm:
        classifier = model.classifier.to("cpu")
        bias = asdict(
            gradient_bias(
                get_method(model.config.method),
                model.config.options,
                similarity_of(model),
                embedded[:_PROBE],
                labels[:_PROBE],
                model.quantizer,
                batch_size=model.config.schedule.batch_size,
            )
        )
        classifier.to(next(model.encoder.parameters()).device)
    measured, codes = _refit(model, embedded, labels, warm=warm, last=last, before=before)
    return Followed({**bias, **measured}, bias, embedded, codes)


def _refit(
    model: TrainedModel,
    embedded: Float[Tensor, "N dim"],
    labels: Tensor,
    *,
    warm: bool,
    last: bool,
    before: Integer[np.ndarray, "n M"] | None,
) -> tuple[dict[str, float], Integer[np.ndarray, "n M"]]:
    z, quantizer = embedded.numpy(), model.quantizer
    new = warm or not model.is_quantized
    quantizer.fit(z) if new else quantizer.refit(z)
    codes = quantizer.encode(z)
    # The last refit sees all images; cells are compared on the same sample in every round.
    sample = _every(model, len(z)) if last else slice(None)
    cells = cell_measures(codes[sample], labels.cpu().numpy()[sample], None if new else before)
    measured = {
        "relative_distortion": quantizer.relative_distortion(z),
        "perplexity": float(quantizer.perplexity(codes).mean()),
        **cells,
    }
    return measured, codes[sample]


def _every(model: TrainedModel, n_images: int) -> slice:
    """The sample on which codebooks are refitted between rounds.

    Evenly spaced, so that it is the same in every round and no class is missed.
    """
    return slice(None, None, max(1, n_images // model.config.schedule.refit_sample))


def _codes(model: TrainedModel, images: Tensor) -> Integer[np.ndarray, "n M"]:
    """The codes of the sample, as the last round left them: for a run that is taken up again."""
    embedded = embed(model.encoder, images[_every(model, len(images))])
    return model.quantizer.encode(embedded.numpy())


def _beginning(
    model: TrainedModel, optimizer: torch.optim.Optimizer, rounds: list[Round]
) -> Beginning:
    states = (part.state_dict() for part in (model.encoder, model.classifier, optimizer))
    return Beginning(rounds, *states)


def _begin(
    model: TrainedModel, optimizer: torch.optim.Optimizer, beginning: Beginning, labels: Tensor
) -> Integer[np.ndarray, "n M"] | None:
    """Stand where a run stood after the rounds of `beginning`, with codebooks of one's own."""
    schedule = model.config.schedule
    before: Integer[np.ndarray, "n M"] | None = None
    for number, done in enumerate(beginning.rounds):
        last = number + 1 == schedule.rounds
        rows = slice(None) if last else _every(model, len(labels))
        measured, before = _refit(
            model,
            done.embedded,
            labels[rows],
            warm=number < schedule.warmup_rounds,
            last=last,
            before=before,
        )
        model.history.append(
            {
                "round": number + 1,
                "loss": done.loss,
                **done.bias,
                **measured,
                "seconds": done.seconds,
            }
        )
    model.encoder.load_state_dict(beginning.encoder)
    model.classifier.load_state_dict(beginning.classifier)
    optimizer.load_state_dict(beginning.optimizer)
    return before


def _own_codebooks(
    model: TrainedModel, images: Tensor, labels: Tensor
) -> Integer[np.ndarray, "n M"]:
    """Fit codebooks where another run's warm-up ended, and measure the last round of it with them."""
    schedule = model.config.schedule
    followed = follow(
        model, images, labels, warm=True, last=schedule.warmup_rounds == schedule.rounds
    )
    model.history[-1] |= followed.measured
    return followed.codes


def n_batches(n_images: int, batch_size: int) -> int:
    """Whole batches of an epoch; a remainder is left out unless it is all there is.

    Parameters
    ----------
    n_images, batch_size : int
        Of an epoch, and of a batch.

    Returns
    -------
    int
    """
    return max(1, n_images // batch_size)


@dataclass(frozen=True)
class _Batch:
    index: Int[Tensor, " n"]
    images: Tensor


def _round_batches(
    config: TrainingConfig, images: Tensor, round_: int, shared: SharedWork | None = None
) -> Iterator[_Batch]:
    schedule = config.schedule
    for epoch in range(round_ * schedule.epochs, (round_ + 1) * schedule.epochs):
        generator = torch.Generator().manual_seed(config.seed * 100_003 + epoch)
        order = torch.randperm(len(images), generator=generator)
        # Alternating flip (airbench): an image is mirrored in every other epoch, not at random.
        first = torch.Generator().manual_seed(config.seed)
        flips = (torch.randint(0, 2, (len(images),), generator=first) + epoch) % 2
        size = schedule.batch_size
        rows = [order[i * size : (i + 1) * size] for i in range(n_batches(len(images), size))]
        if shared is not None and images.ndim == 4 and not schedule.erase:
            kept = shared.batches(config, epoch, images, rows, flips, generator)
            yield from map(_Batch, rows, kept)
            continue
        for index in rows:
            batch = images[index]
            yield _Batch(
                index,
                augment(batch, flips[index], generator, erase=schedule.erase)
                if batch.ndim == 4
                else batch,
            )


def _step(
    model: TrainedModel,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    round_: int,
    device: str,
) -> float:
    schedule = model.config.schedule
    labels = labels.to(device)
    with torch.autocast(device, torch.bfloat16, enabled=schedule.precision == "bfloat16"):
        embedded = model.encoder(images)
    # Sums and distances from here on are in float32; z itself keeps the 8 bits of bfloat16 there.
    z = embedded = embedded.float()
    _check_finite(z, "embeddings")
    extra = z.new_zeros(())
    if round_ >= schedule.warmup_rounds:
        z, extra = get_method(model.config.method)(z, model.quantizer, model.config.options)
    similarity = similarity_of(model)(z, labels)
    loss = similarity + extra
    if model.config.loss != "cross-entropy":
        # The classifier looks on: it supplies the trivial code and teaches the encoder nothing.
        loss = loss + F.cross_entropy(model.classifier(embedded.detach()), labels)
    _check_finite(loss, "loss")
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    # Only what all methods share, so that their curves can be compared.
    return float(similarity.detach())


def similarity_of(model: TrainedModel) -> SimilarityLoss:
    """The loss that `model` is trained with, its label smoothing included."""
    return similarity_loss(
        model.config.loss,
        model.classifier,
        label_smoothing=model.config.schedule.label_smoothing,
    )


def _check_finite(values: Tensor, what: str) -> None:
    if not torch.isfinite(values).all():
        raise DivergedError(
            f"finite {what}", "NaN or infinity", "lower the strength or the learning rate"
        )
