"""Recorded trainings: frames agree with the trainer's own records, and wrong turns are what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gsl_tutorial.course.datasets import Dataset
from gsl_tutorial.course.training.config import PROFILES, TrainingConfig
from gsl_tutorial.course.training.embedding import embed_split
from gsl_tutorial.course.training.methods import MethodOptions
from gsl_tutorial.course.training.recording import (
    Recording,
    Refit,
    _gradients,
    around,
    first_classes,
    record,
)
from gsl_tutorial.course.training.train_run import load_data, train_run
from gsl_tutorial.errors import InvalidInputError, UnknownNameError


def _config(method: str = "penalty", **how: int) -> TrainingConfig:
    settings = {"dim": 2, "bits": 2, "n_codewords": 4, "seed": 1} | how
    options = MethodOptions(strength=3.0)
    return TrainingConfig(method=method, learning_rate=0.01, options=options, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def data() -> Dataset:
    whole = first_classes(load_data("digits", seed=1), 3)
    few = whole.train.take(np.arange(0, len(whole.train), 3))
    return Dataset(
        whole.name,
        whole.class_names,
        train=few,
        validation=whole.validation,
        database=few,
        query=whole.query.take(np.arange(40)),
    )


@pytest.fixture(scope="module")
def warm(data: Dataset) -> Recording:
    return record(_config(), data)


def test_recording_changes_nothing(warm: Recording, data: Dataset) -> None:
    model = train_run(_config(), data)
    plain = [{k: v for k, v in one.items() if k != "seconds"} for one in model.history]
    kept = [{k: v for k, v in one.items() if k != "seconds"} for one in warm.history]
    assert plain == kept
    assert np.array_equal(warm.frames[-1].codewords, model.quantizer.codebooks_[0])


def test_frames_agree_with_the_records_of_training(warm: Recording) -> None:
    assert len(warm.frames) == 1 + 2 * len(warm.history)
    for record_ in warm.history:
        number = int(record_["round"])
        after, before = warm.after(number), warm.after(number, "network")
        assert (after.round, after.turn) == (number, "codebooks")
        assert (before.round, before.turn) == (number, "network")
        assert after.relative_distortion == pytest.approx(record_["relative_distortion"], rel=1e-5)
        if number > 1:
            # The probe of training looks at the codebooks that it was trained with.
            assert before.uphill.mean() == pytest.approx(record_["uphill"], abs=1e-9)


def test_each_side_holds_still_while_the_other_moves(warm: Recording) -> None:
    for number in range(2, len(warm.history) + 1):
        network, codebooks = warm.after(number, "network"), warm.after(number)
        assert np.array_equal(network.codewords, warm.after(number - 1).codewords)  # type: ignore[arg-type]
        assert np.array_equal(network.z, codebooks.z)
        assert not np.array_equal(network.z, warm.after(number - 1).z)


def test_before_the_first_codebook_there_is_nothing_to_measure(warm: Recording) -> None:
    for frame in (warm.after(0), warm.after(1, "network")):
        assert frame.codewords is frame.adc_map is frame.relative_distortion is None
        assert not frame.uphill.any()
        with pytest.raises(InvalidInputError, match="a frame with codewords"):
            frame.quantizer  # noqa: B018
    with pytest.raises(InvalidInputError, match="round_"):
        warm.after(99)


@pytest.mark.parametrize("refit", ["cold", "never"])
def test_wrong_turns_are_what_they_say(data: Dataset, warm: Recording, refit: Refit) -> None:
    wrong = record(_config(), data, refit=refit)
    first, later = wrong.after(1).codewords, [wrong.after(r).codewords for r in range(2, 11)]
    assert first is not None
    assert np.array_equal(first, warm.after(1).codewords)  # type: ignore[arg-type]
    assert all(np.array_equal(first, one) for one in later) == (refit == "never")
    # The first pull comes in round 2, with the same codewords in all three.
    assert np.array_equal(wrong.after(2, "network").z, warm.after(2, "network").z)
    assert not np.array_equal(wrong.frames[-1].z, warm.frames[-1].z)


def test_a_pull_to_a_descending_codeword_sends_nobody_uphill(data: Dataset) -> None:
    assert max(f.uphill.mean() for f in record(_config("snap-pull"), data).frames) < 0.01


def test_around_is_what_is_left_of_a_gradient_on_the_circle() -> None:
    rng = np.random.default_rng(0)
    angles = rng.uniform(-np.pi, np.pi, 50)
    z = np.column_stack([np.cos(angles), np.sin(angles)])
    gradient = rng.normal(size=(50, 2))
    tangent = np.column_stack([-np.sin(angles), np.cos(angles)])
    along = (gradient * z).sum(axis=1, keepdims=True) * z
    assert np.allclose(around(gradient, z)[:, None] * tangent, gradient - along)


def test_the_first_classes_are_kept_in_all_splits() -> None:
    data = first_classes(load_data("digits"), 4)
    assert set(data.train.labels) == set(data.query.labels) == {0, 1, 2, 3}
    for n in (1, 11):
        with pytest.raises(InvalidInputError, match="n "):
            first_classes(load_data("digits"), n)


def test_only_the_plane_can_be_recorded(data: Dataset) -> None:
    with pytest.raises(InvalidInputError, match="dim=2 and one codebook"):
        record(_config(dim=4), data)
    with pytest.raises(InvalidInputError, match="dim=2 and one codebook"):
        record(_config(bits=4), data)
    with pytest.raises(UnknownNameError, match="refit"):
        record(_config(), data, refit="tepid")  # type: ignore[arg-type]


def test_gradients_are_those_of_training_label_smoothing_included(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    smooth = replace(PROFILES["digits"]["quick"], rounds=2, label_smoothing=0.3)
    monkeypatch.setitem(PROFILES["digits"], "quick", smooth)
    model = train_run(_config("none"), data)
    z = torch.from_numpy(embed_split(model, data.database).z)
    labels = torch.from_numpy(data.database.labels)
    used, g = _gradients(model, model.quantizer, z, labels)
    parts = []
    for rows in torch.arange(len(z)).split(smooth.batch_size):
        leaf = z[rows].clone().requires_grad_()
        loss = F.cross_entropy(model.classifier(leaf), labels[rows], label_smoothing=0.3)
        parts.append(torch.autograd.grad(loss, leaf)[0])
    np.testing.assert_allclose(g, torch.cat(parts).double().numpy(), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(used, g)
