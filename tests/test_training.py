"""Runs: same seed, same bits; what a round is made of; labels; what a run says when it diverges."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from runs_cases import (
    ROUNDS,
    SMALL,
    Stop,
    assert_same_weights,
    config,
    make_data,
    outcome,
    shorten,
    uninterrupted,
)

from gsl_tutorial import storage
from gsl_tutorial.course.datasets import Dataset, Split, load_digits
from gsl_tutorial.course.training import optimizer as optimizer_module
from gsl_tutorial.course.training import rounds
from gsl_tutorial.course.training.config import PROFILES, Schedule
from gsl_tutorial.course.training.embedding import embed_split
from gsl_tutorial.course.training.methods import METHODS, MethodOptions
from gsl_tutorial.course.training.rounds import DivergedError, TrainingStep, follow, train
from gsl_tutorial.course.training.runs import RunFolder, TrainedModel
from gsl_tutorial.course.training.train_run import train_run
from gsl_tutorial.errors import (
    InvalidInputError,
)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


@pytest.fixture(scope="module", params=["digits", "cifar10"])
def dataset(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# Same seed, same bits


def test_the_same_seed_gives_the_same_bits(dataset: str) -> None:
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again = train(config(dataset), *make_data(dataset))
    assert torch.equal(torch.get_rng_state(), before)
    assert_same_weights(again, uninterrupted(dataset))
    assert outcome(again) == outcome(uninterrupted(dataset))


def test_another_seed_gives_other_weights(dataset: str) -> None:
    other = train(config(dataset, seed=1), *make_data(dataset)).arrays()
    same = uninterrupted(dataset).arrays()
    for name in ("classifier.weight", "codebooks"):
        assert not np.array_equal(other[name], same[name])


def test_the_callers_images_and_labels_are_left_alone(dataset: str) -> None:
    images, labels = make_data(dataset)
    kept = images.clone(), labels.clone()
    train(config(dataset), images, labels)
    assert torch.equal(images, kept[0])
    assert torch.equal(labels, kept[1])


def test_history_has_one_record_a_round_and_the_network_learns() -> None:
    images, labels = make_data("digits")
    steps: list[TrainingStep] = []
    rounds: list[tuple[int, int, bool]] = []
    model = train(
        config(),
        images,
        labels,
        on_progress=steps.append,
        on_round=lambda model, done: rounds.append((done, len(model.history), model.is_quantized)),
    )
    assert [record["round"] for record in model.history] == [1, 2, 3]
    known = {"round", "loss", "relative_distortion", "perplexity", "seconds"}
    known |= {"purity", "pure_cells", "codeword_purity"}
    later = {"cosine", "uphill", "moved", "codeword_moved"}
    assert [set(record) - known for record in model.history] == [set(), later, later]
    assert all(known <= set(record) for record in model.history)
    for record in model.history[1:]:
        assert record["uphill"] == 0, "the pull of a snap is never uphill"
        assert 0 < record["cosine"] <= 1
        assert 1 < record["perplexity"] <= 16
    assert model.history[-1]["loss"] < 0.5 * model.history[0]["loss"]
    assert 0 < model.history[-1]["relative_distortion"] < 0.3
    assert model.train_seconds == sum(record["seconds"] for record in model.history) > 0
    per_round = 2 * (len(images) // 64)
    n_steps = ROUNDS * per_round
    assert [(p.step, p.n_steps) for p in steps] == [(i + 1, n_steps) for i in range(n_steps)]
    assert [p.round for p in steps] == [1 + i // per_round for i in range(n_steps)]
    assert rounds == [(0, 0, False), (1, 1, True), (2, 2, True), (3, 3, True)]
    mean = sum(p.loss for p in steps[-per_round:]) / per_round
    assert math.isclose(mean, model.history[-1]["loss"], rel_tol=1e-9)
    z = embed_split(model, load_digits().train).z
    distortion = model.quantizer.relative_distortion(z)
    assert math.isclose(distortion, model.history[-1]["relative_distortion"], rel_tol=1e-5)


def test_batches_cover_an_epoch_without_repeats_and_flips_alternate() -> None:
    images = torch.zeros(50, 3, 32, 32, dtype=torch.uint8)
    images[..., 16:] = 200  # bright on the right
    wanted = config("cifar10")
    seen = []
    for round_ in range(3):
        flipped = torch.full((50,), -1)
        batches = list(rounds._round_batches(wanted, images, round_))
        assert [len(batch.index) for batch in batches] == [24, 24]
        for batch in batches:
            assert (flipped[batch.index] == -1).all(), "an image came twice"
            left, right = batch.images[:, 0, 0, 4], batch.images[:, 0, 0, 27]
            flipped[batch.index] = (left > right).long()
        seen.append((flipped, torch.cat([batch.index for batch in batches])))
    for (first, order), (second, other_order) in pairwise(seen):
        both = (first >= 0) & (second >= 0)
        assert both.sum() > 40
        assert (first[both] + second[both] == 1).all(), "flips must alternate"
        assert not torch.equal(order, other_order)
    assert 10 < seen[0][0].sum() < 40


def test_every_epoch_has_an_order_of_its_own() -> None:
    images, per_epoch = torch.zeros(640, 64), 10
    orders = []
    for round_ in range(2):
        index = [batch.index for batch in rounds._round_batches(config(), images, round_)]
        assert len(index) == 2 * per_epoch
        orders += [torch.cat(index[:per_epoch]), torch.cat(index[per_epoch:])]
    assert all(torch.equal(order.sort().values, torch.arange(640)) for order in orders)
    assert len({tuple(order.tolist()) for order in orders}) == 4


def test_fewer_images_than_a_batch_are_one_batch() -> None:
    images, labels = make_data("digits")
    model = train(config(), images[:60], labels[:60])
    assert len(model.history) == ROUNDS


def test_biases_take_longer_steps_and_decay_as_slowly_as_the_rest() -> None:
    layer = torch.nn.Linear(2, 2)
    weight, bias = layer.weight.detach().clone(), layer.bias.detach().clone()
    schedule = Schedule(1, 1, 1, learning_rate=0.1, momentum=0.5, weight_decay=0.5, bias_step=8.0)
    # With Nesterov a first step with momentum m is 1 + m plain ones.
    optimizer = optimizer_module.sgd(schedule, layer)
    optimizer_module.set_learning_rate(optimizer, share=0.1)
    layer.weight.grad, layer.bias.grad = torch.ones(2, 2), torch.ones(2)
    optimizer.step()
    rate = 0.1 / 2 * 1.5
    torch.testing.assert_close(layer.weight.detach(), weight - rate * (1 + 0.5 * weight))
    torch.testing.assert_close(layer.bias.detach(), bias - rate * (8 + 0.5 * bias))


def test_frozen_weights_are_not_the_optimizers() -> None:
    layer = torch.nn.Linear(2, 2)
    layer.weight.requires_grad_(False)
    groups = optimizer_module.sgd(Schedule(1, 1, 1, learning_rate=0.1), layer).param_groups
    assert [len(group["params"]) for group in groups] == [0, 1]


def test_the_learning_rate_rises_and_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    original, asked = optimizer_module.triangle, []
    monkeypatch.setattr(optimizer_module, "triangle", lambda t: asked.append(t) or original(t))
    images, labels = make_data("digits")
    train(config(), images[:640], labels[:640])
    n_steps = ROUNDS * 2 * 10
    assert asked == [i / n_steps for i in range(n_steps)], "once, over the whole training"
    assert original(0) == original(1) == 0.02
    assert original(0.1) == pytest.approx(0.5)
    assert original(0.2) == pytest.approx(1)
    assert original(0.6) == pytest.approx(0.5)


# Labels


def three_classes(labels: tuple[int, ...]) -> Dataset:
    """The digits 0, 1, ... under other labels."""
    digits = load_digits()

    def part(split: Split) -> Split:
        rows = np.flatnonzero(split.labels < len(labels))
        return Split(
            split.name,
            split.x[rows],
            labels=np.array(labels)[split.labels[rows]],
            indices=split.indices[rows],
        )

    return replace(
        digits,
        train=part(digits.train),
        validation=part(digits.validation),
        database=part(digits.database),
        query=part(digits.query),
    )


def test_labels_need_not_count_from_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROFILES["digits"], "quick", replace(SMALL["digits"], epochs=8))
    odd, plain = three_classes((40, 3, 17)), three_classes((2, 0, 1))
    model = train_run(config(), odd, folder=RunFolder(tmp_path))
    assert model.classifier.weight.shape == (3, 8)
    assert_same_weights(model, train_run(config(), plain))
    loaded = RunFolder(tmp_path).load_model()
    assert_same_weights(loaded, model)
    seen = embed_split(loaded, odd.query, classes=np.unique(odd.train.labels))
    assert (seen.predicted == odd.query.labels).mean() > 0.95
    assert (embed_split(loaded, plain.query).predicted == plain.query.labels).mean() > 0.95


def test_one_class_is_not_enough() -> None:
    with pytest.raises(InvalidInputError, match=r"two classes or more to train on; got 1\."):
        train_run(config(), three_classes((7,)))


def test_too_few_images_for_the_codebooks_are_named() -> None:
    images, labels = make_data("digits")
    with pytest.raises(InvalidInputError, match=r"at least n_codewords=16 .*got 15"):
        train(config(), images[:15], labels[:15])


# Divergence


@pytest.mark.parametrize("method", METHODS)
def test_every_method_says_that_it_diverged(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fast enough to break only after the first round, when the quantizer has its say.
    data = make_data("digits")
    folder = RunFolder(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train(config(method=method), *data, folder=folder, on_round=Stop(1, "after").on_round)
    monkeypatch.setattr(optimizer_module, "triangle", lambda share: 1e38)
    with pytest.raises(
        DivergedError, match=r"finite.*NaN or infinity.*lower the strength"
    ) as error:
        train(config(method=method), *data, folder=folder, resume=True)
    assert error.value.exit_code == 6


def test_a_huge_strength_diverges_and_keeps_the_round_before(tmp_path: Path) -> None:
    wanted = config(method="penalty", options=MethodOptions(strength=1e38))
    with pytest.raises(DivergedError):
        train(wanted, *make_data("digits"), folder=RunFolder(tmp_path))
    _, header = storage.load_arrays(RunFolder(tmp_path).checkpoint_file)
    assert header["finished_rounds"] == 1


def test_an_infinite_loss_of_finite_embeddings_is_noticed() -> None:
    wanted = config(method="penalty", options=MethodOptions(strength=1e300))
    with pytest.raises(DivergedError, match="finite loss"):
        train(wanted, *make_data("digits"))


def test_weights_that_break_in_the_last_step_of_a_round_are_noticed() -> None:
    model = TrainedModel.new(config())
    with torch.no_grad():
        next(iter(model.encoder.parameters())).fill_(torch.nan)
    with pytest.raises(DivergedError, match="finite embeddings"):
        follow(model, *make_data("digits"), last=True)
