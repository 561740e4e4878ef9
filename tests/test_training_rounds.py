"""What a training hands to its parts: the moment of each average, the erased square, the mirror, seeds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from runs_cases import ROUNDS, SMALL, config, make_data, shorten

from gsl_tutorial.course.training import rounds
from gsl_tutorial.course.training.config import PROFILES
from gsl_tutorial.course.training.encoders import DigitsEncoder
from gsl_tutorial.course.training.optimizer import WeightAverage
from gsl_tutorial.course.training.rounds import train


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


def scheduled(monkeypatch: pytest.MonkeyPatch, dataset: str, **changes: Any) -> None:
    monkeypatch.setitem(PROFILES[dataset], "quick", replace(SMALL[dataset], **changes))


@pytest.mark.parametrize("every", [1, 4, 1000])
def test_the_average_moves_every_few_steps_and_at_the_end_of_a_round(
    every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments: list[float] = []
    monkeypatch.setattr(WeightAverage, "update", lambda self, progress: moments.append(progress))
    scheduled(monkeypatch, "digits", average_every=every)
    images, labels = make_data("digits")
    train(config(), images[:320], labels[:320])
    per_round, n = 2 * 5, ROUNDS * 2 * 5
    steps = [i for i in range(1, n + 1) if i % every == 0 or i % per_round == 0]
    assert moments == pytest.approx([i / n for i in steps])


@pytest.mark.parametrize("erase", [0, 9])
def test_the_square_of_the_schedule_is_erased(erase: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = rounds.augment

    def augment(*arguments: Any, erase: int) -> torch.Tensor:
        asked.append(erase)
        return original(*arguments, erase=erase)

    monkeypatch.setattr(rounds, "augment", augment)
    scheduled(monkeypatch, "cifar10", erase=erase)
    wanted = config("cifar10")
    batches = list(rounds._round_batches(wanted, make_data("cifar10")[0], 0))
    assert asked == [erase] * len(batches)


@pytest.mark.parametrize("mirror", [False, True])
def test_pictures_are_mirrored_when_training_is_over_and_not_before(
    mirror: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, bool]] = []
    original = rounds.embed

    def embed(encoder: Any, images: torch.Tensor, **named: Any) -> torch.Tensor:
        asked.append((len(images), named.get("mirror", False)))
        return original(encoder, images, **named)

    monkeypatch.setattr(rounds, "embed", embed)
    scheduled(monkeypatch, "cifar10", mirror=mirror, refit_sample=25)
    train(config("cifar10"), *make_data("cifar10"))
    # A sample while it runs, all pictures at the end.
    assert asked == [(25, False)] * (ROUNDS - 1) + [(50, mirror)]


@pytest.mark.parametrize("smoothing", [0.0, 0.25])
def test_labels_are_smoothed_as_the_schedule_says(
    smoothing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[float] = set()
    original = rounds.similarity_loss

    def similarity_loss(*arguments: Any, label_smoothing: float) -> Any:
        asked.add(label_smoothing)
        return original(*arguments, label_smoothing=label_smoothing)

    monkeypatch.setattr(rounds, "similarity_loss", similarity_loss)
    scheduled(monkeypatch, "digits", label_smoothing=smoothing)
    images, labels = make_data("digits")
    train(config(), images[:128], labels[:128])
    assert asked == {smoothing}


def test_the_bias_is_measured_on_the_first_images_with_their_labels_in_batches_of_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[torch.Tensor, torch.Tensor, int]] = []
    original = rounds.gradient_bias

    def gradient_bias(
        method: Any,
        options: Any,
        similarity: Any,
        z: Any,
        labels: Any,
        quantizer: Any,
        **named: Any,
    ) -> Any:
        seen.append((z, labels, named["batch_size"]))
        return original(method, options, similarity, z, labels, quantizer, **named)

    monkeypatch.setattr(rounds, "gradient_bias", gradient_bias)
    monkeypatch.setattr(rounds, "_PROBE", 40)
    scheduled(monkeypatch, "digits", refit_sample=100, learning_rate=1e-12)
    images, labels = make_data("digits")
    model = train(config(), images[:300], labels[:300])
    assert [batch for *_, batch in seen] == [64, 64]
    z = rounds.embed(model.encoder, images[:300])
    for (probe, of, _), every in zip(seen, (3, 1), strict=True):
        assert torch.equal(of, labels[:300:every][:40])
        torch.testing.assert_close(probe, z[::every][:40])


def test_no_two_seeds_share_an_order_and_each_has_flips_of_its_own() -> None:
    images = torch.zeros(50, 3, 32, 32, dtype=torch.uint8)
    images[..., 16:] = 200  # bright on the right
    orders, flips = [], []
    for seed in range(3):
        for round_ in range(3):
            batches = list(rounds._round_batches(config("cifar10", seed=seed), images, round_))
            orders.append(tuple(torch.cat([batch.index for batch in batches]).tolist()))
            if round_ == 0:
                flipped = torch.full((50,), -1)
                for batch in batches:
                    left, right = batch.images[:, 0, 0, 4], batch.images[:, 0, 0, 27]
                    flipped[batch.index] = (left > right).long()
                flips.append(flipped)
    assert len(set(orders)) == 9
    for one, other in ((0, 1), (0, 2), (1, 2)):
        both = (flips[one] >= 0) & (flips[other] >= 0)
        assert (flips[one] != flips[other])[both].any()


@pytest.mark.parametrize("n", [320, 2_100])
def test_the_frozen_layer_is_set_from_the_first_two_thousand_images(
    n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    monkeypatch.setattr(DigitsEncoder, "prepare", lambda self, images: seen.append(images))
    scheduled(monkeypatch, "digits", rounds=1, epochs=1)
    images = torch.rand(n, 64, generator=torch.Generator().manual_seed(0))
    train(config(), images, torch.arange(n) % 3)
    (first,) = seen
    assert torch.equal(first, images[:2000])
