"""The average of the weights against its slow twin, and in a training that is interrupted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from runs_cases import SMALL, Stop, assert_same_weights, config, make_data, shorten
from torch import nn

from gsl_tutorial.course.training.config import PROFILES
from gsl_tutorial.course.training.encoders import build_encoder, embed
from gsl_tutorial.course.training.optimizer import WeightAverage, memory
from gsl_tutorial.course.training.rounds import train
from gsl_tutorial.course.training.runs import RunFolder


def test_the_average_forgets_at_first_and_holds_at_the_end() -> None:
    kept = [memory(t) for t in np.linspace(0, 1, 50)]
    assert kept[0] == 0
    assert kept == sorted(kept)
    assert kept[-1] == pytest.approx(0.95**5)


@pytest.mark.parametrize("seed", range(3))
def test_it_follows_the_slow_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layer = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    average = WeightAverage(layer)
    expected = {k: v.numpy().copy() for k, v in layer.state_dict().items()}
    for progress in np.sort(rng.random(6)):
        moved = {
            k: v + rng.normal(size=v.shape).astype(v.dtype) if v.dtype == np.float32 else v
            for k, v in expected.items()
        }
        layer.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in moved.items()})
        average.update(float(progress))
        keep = 0.95**5 * progress**3
        expected = {
            k: (keep * expected[k] + (1 - keep) * v).astype(v.dtype) for k, v in moved.items()
        }
        for name, value in layer.state_dict().items():
            np.testing.assert_allclose(value.numpy(), expected[name], rtol=1e-5, atol=1e-6)


def test_counts_are_left_alone() -> None:
    layer = nn.BatchNorm1d(2)
    layer.num_batches_tracked.fill_(7)
    WeightAverage(layer).update(0.9)
    assert layer.num_batches_tracked == 7


def test_a_resumed_run_with_an_average_ends_with_the_bits_of_the_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch)
    schedule = replace(SMALL["digits"], average_every=5)
    monkeypatch.setitem(PROFILES["digits"], "quick", schedule)
    data = make_data("digits")
    whole = train(config(), *data)
    with pytest.raises(KeyboardInterrupt):
        train(
            config(),
            *data,
            folder=RunFolder(tmp_path / "run"),
            on_progress=Stop(2, "within").on_progress,
        )
    again = train(config(), *data, folder=RunFolder(tmp_path / "run"), resume=True)
    assert_same_weights(whole, again)
    shorten(monkeypatch)
    plain = train(config(), *data).arrays()
    assert any(not np.array_equal(plain[name], a) for name, a in whole.arrays().items())


def test_a_mirrored_embedding_is_the_mean_direction_and_knows_no_left_or_right() -> None:
    encoder = build_encoder("conv-small", dim=8, seed=0)
    images = make_data("cifar10")[0][:6]
    one, other = embed(encoder, images), embed(encoder, images.flip(3))
    both = embed(encoder, images, mirror=True)
    torch.testing.assert_close(both, nn.functional.normalize(one + other, dim=1))
    torch.testing.assert_close(both, embed(encoder, images.flip(3), mirror=True))
    assert not torch.allclose(one, both)
    digits = build_encoder("digits", dim=8, seed=0)
    flat = make_data("digits")[0][:6]
    torch.testing.assert_close(embed(digits, flat, mirror=True), embed(digits, flat))


def test_the_wide_encoder_begins_by_passing_its_input_on() -> None:
    encoder = build_encoder("conv-wide", dim=8, seed=0)
    first = next(m for m in encoder.groups.modules() if isinstance(m, nn.Conv2d))
    x = torch.randn(2, first.in_channels, 5, 5)
    torch.testing.assert_close(first(x)[:, : first.in_channels], x)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_embeddings_have_unit_length_to_float32(precision: str) -> None:
    encoder = build_encoder("conv-small", dim=8, seed=0)
    images = make_data("cifar10")[0][:6].float()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        z = encoder(images)
    assert z.dtype == torch.float32
    torch.testing.assert_close(z.norm(dim=1), torch.ones(6), rtol=0, atol=1e-6)
