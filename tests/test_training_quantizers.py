"""Runs with every quantizer and in half precision: they train, stop, resume and come back bit for bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from runs_cases import SMALL, Stop, assert_same_weights, config, make_data, outcome, shorten

from gsl_tutorial import storage
from gsl_tutorial.course.training import rounds
from gsl_tutorial.course.training.config import PROFILES, QUANTIZERS, Schedule, TrainingConfig
from gsl_tutorial.course.training.encoders import ConvEncoder, embed
from gsl_tutorial.course.training.losses import SIMILARITIES
from gsl_tutorial.course.training.methods import MethodOptions
from gsl_tutorial.course.training.rounds import train
from gsl_tutorial.course.training.runs import RunFolder, TrainedModel, load_model_file

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


@pytest.mark.parametrize("quantizer", QUANTIZERS)
@pytest.mark.parametrize("loss", ["cross-entropy", "supervised-contrastive"])
def test_every_quantizer_trains_resumes_and_loads_with_the_same_bits(
    quantizer: str, loss: str, tmp_path: Path
) -> None:
    images, labels = make_data("digits")
    data, wanted = (images[:640], labels[:640]), config(quantizer=quantizer, loss=loss)
    whole = train(wanted, *data, folder=RunFolder(tmp_path / "whole"))
    assert type(whole.quantizer) is QUANTIZERS[quantizer]
    with pytest.raises(KeyboardInterrupt):
        train(
            wanted,
            *data,
            folder=RunFolder(tmp_path / "run"),
            on_round=Stop(2, "after").on_round,
        )
    torch.manual_seed(5)
    resumed = train(wanted, *data, folder=RunFolder(tmp_path / "run"), resume=True)
    loaded = RunFolder(tmp_path / "run").load_model()
    z = embed(whole.encoder, data[0])
    codes = whole.quantizer.encode(z.numpy())
    assert codes.shape == (640, 2)
    assert whole.history[-1]["perplexity"] > 4
    assert whole.history[-1]["relative_distortion"] < 0.5
    for other in (resumed, loaded):
        assert_same_weights(other, whole)
        assert outcome(other) == outcome(whole)
        assert torch.equal(embed(other.encoder, data[0]), z)
        again = other.quantizer.encode(z.numpy())
        assert again.dtype == codes.dtype
        assert np.array_equal(again, codes)
        assert other.quantizer.decode(codes).tobytes() == whole.quantizer.decode(codes).tobytes()
    assert ("rotation" in whole.arrays()) is (quantizer == "opq")


def test_the_rotation_of_the_first_fit_is_kept(tmp_path: Path) -> None:
    images, labels = make_data("digits")
    rotations: list[np.ndarray] = []

    def on_round(model: TrainedModel, done: int) -> None:
        if done:
            rotations.append(model.quantizer.arrays()["rotation"].copy())

    train(config(quantizer="opq"), images[:640], labels[:640], on_round=on_round)
    assert len(rotations) == 3
    for later in rotations[1:]:
        assert np.array_equal(later, rotations[0])


@pytest.mark.parametrize(("quantizer", "dim"), [("rq", 7), ("lsq", 7)])
def test_additive_codes_need_no_length_that_can_be_cut(quantizer: str, dim: int) -> None:
    images, labels = make_data("digits")
    model = train(config(quantizer=quantizer, dim=dim), images[:320], labels[:320])
    assert model.quantizer.codebooks_.shape == (2, 16, 7)


# Half precision


@pytest.fixture
def half(monkeypatch: pytest.MonkeyPatch) -> Schedule:
    schedule = replace(
        SMALL["cifar10"], rounds=2, encoder="conv-small", precision="bfloat16", refit_sample=30
    )
    monkeypatch.setitem(PROFILES["cifar10"], "study", schedule)
    return schedule


@pytest.mark.parametrize("loss", SIMILARITIES)
@pytest.mark.parametrize("method", ["soft", "snap-pull"])
def test_runs_in_bfloat16_keep_weights_and_codebooks_in_single_precision(
    half: Schedule, loss: str, method: str
) -> None:
    wanted = config("cifar10", profile="study", loss=loss, method=method)
    model = train(wanted, *make_data("cifar10"))
    assert isinstance(model.encoder, ConvEncoder)
    assert (wanted.encoder, wanted.schedule.precision) == ("conv-small", "bfloat16")
    for name, array in model.arrays().items():
        if array.dtype.kind == "f":
            assert array.dtype == np.float32, name
            assert np.isfinite(array).all()
    for record in model.history:
        assert all(np.isfinite(value) for value in record.values())
    z = embed(model.encoder, make_data("cifar10")[0])
    assert z.dtype == torch.float32
    torch.testing.assert_close(z.norm(dim=1), torch.ones(50))


def test_half_precision_is_that_of_the_encoder_alone(
    half: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}
    original = rounds.similarity_of

    def similarity(model: TrainedModel) -> Any:
        loss = original(model)

        def looked_at(z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            value = loss(z, labels)
            if torch.is_grad_enabled() and z.grad_fn is not None:
                seen["z"], seen["loss"] = z, value
            return value

        return looked_at

    monkeypatch.setattr(rounds, "similarity_of", similarity)
    images, labels = make_data("cifar10")
    model = TrainedModel.new(config("cifar10", profile="study"), n_classes=3)
    model.encoder.prepare(images)
    optimizer = torch.optim.SGD([p for p in model.encoder.parameters() if p.requires_grad], lr=0.01)
    single = model.encoder(images.float()).detach()
    rounds._step(model, optimizer, images.float(), labels, 0, "cpu")
    assert seen["z"].dtype == seen["loss"].dtype == torch.float32
    rounded = (seen["z"].detach() - single).abs().max()
    assert 0 < rounded < 0.05, "as coarse as eight bits, no coarser"
    assert (seen["z"].norm(dim=1) - 1).abs().max() < 0.01


def test_half_precision_resumes_with_the_same_bits(half: Schedule, tmp_path: Path) -> None:
    wanted, data = config("cifar10", profile="study"), make_data("cifar10")
    whole = train(wanted, *data)
    folder = RunFolder(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train(wanted, *data, folder=folder, on_round=Stop(1, "after").on_round)
    assert_same_weights(train(wanted, *data, folder=folder, resume=True), whole)


# Files of earlier versions


def test_a_model_file_without_the_new_settings_still_loads(tmp_path: Path) -> None:
    images, labels = make_data("digits")
    model = train(config(), images[:320], labels[:320], folder=RunFolder(tmp_path))
    arrays, header = storage.load_arrays(tmp_path / "model.safetensors")
    for key in ("loss", "learning_rate"):
        del header["config"][key]
    del header["config"]["options"]["temperature"]
    for record in header["history"]:
        for key in ("cosine", "uphill", "perplexity"):
            record.pop(key, None)
    storage.save_arrays(tmp_path / "old.safetensors", arrays, header)
    old = load_model_file(tmp_path / "old.safetensors", expected=config())
    assert_same_weights(old, model)


def test_the_shipped_model_still_loads() -> None:
    model = load_model_file(DATA / "cifar10-p2-32bit" / "model.safetensors")
    options = MethodOptions(strength=1.0)
    assert model.config == TrainingConfig("cifar10", profile="full", seed=0, options=options)
    assert (model.config.loss, model.config.encoder) == ("cross-entropy", "conv-wide")
    arrays, _ = storage.load_arrays(DATA / "cifar10-p2-32bit" / "model.safetensors")
    assert set(arrays) == set(model.arrays())
    for name, array in arrays.items():
        # The networks are kept in float16, without a loss.
        kept = model.arrays()[name]
        assert array.astype(kept.dtype).tobytes() == kept.tobytes(), name
