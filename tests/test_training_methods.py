"""What is trained: every method and loss; what a round is known by; how the codebooks follow."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from runs_cases import ROUNDS, SMALL, config, make_data, shorten

from gsl_tutorial.course.training import rounds
from gsl_tutorial.course.training.config import PROFILES
from gsl_tutorial.course.training.encoders import embed
from gsl_tutorial.course.training.gradient_bias import GradientBias, gradient_bias
from gsl_tutorial.course.training.losses import SIMILARITIES
from gsl_tutorial.course.training.methods import METHODS, MethodOptions, get_method
from gsl_tutorial.course.training.rounds import follow, train
from gsl_tutorial.course.training.runs import TrainedModel


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


def test_every_method_trains_and_those_that_pull_are_more_compact() -> None:
    data, ends, starts = make_data("digits"), {}, set()
    biases = {}
    for method in METHODS:
        model = train(config(method=method, options=MethodOptions(strength=10.0)), *data)
        assert all(math.isfinite(record["loss"]) for record in model.history)
        ends[method] = model.history[-1]["relative_distortion"]
        starts.add(model.history[0]["loss"])
        biases[method] = [(record["cosine"], record["uphill"]) for record in model.history[1:]]
    assert len(starts) == 1, "the first round knows no codebook, so all methods are equal in it"
    for method in ("penalty", "snap-pull", "snap-lookahead"):
        assert ends[method] < 0.6 * ends["none"], ends
    assert len(set(ends.values())) == len(ends), ends
    for cosine, uphill in biases["none"]:
        assert (cosine, uphill) == (pytest.approx(1, abs=1e-6), 0)
    for method in ("snap-pull", "snap-replace"):
        assert {uphill for _, uphill in biases[method]} == {0}, biases
    for method in ("penalty", "ste", "rotation", "soft"):
        assert max(uphill for _, uphill in biases[method]) > 0, biases


# What a round is known by


def test_the_bias_is_measured_before_the_refit_and_the_rest_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images, labels = make_data("digits")
    wanted = config(method="penalty")
    model = TrainedModel.new(wanted)
    first = follow(model, images, labels, last=False)
    cells = {"purity", "pure_cells", "codeword_purity"}
    assert set(first.measured) == {"relative_distortion", "perplexity"} | cells
    assert first.bias == {}
    trained_with = model.quantizer.codebooks_.copy()
    with torch.no_grad():  # the network moves on
        for p in model.encoder.parameters():
            p.add_(0.02 * torch.randn(p.shape, generator=torch.Generator().manual_seed(1)))
    z = embed(model.encoder, images)
    old = wanted.new_quantizer().with_codebooks(trained_with)  # type: ignore[attr-defined]
    expected = gradient_bias(
        get_method("penalty"),
        wanted.options,
        rounds.similarity_of(model),
        z[:1000],
        labels[:1000],
        old,
        batch_size=64,
    )
    second = follow(model, images, labels, last=False).measured
    found = GradientBias(second["cosine"], second["uphill"])
    assert found == expected
    assert not np.array_equal(model.quantizer.codebooks_, trained_with)
    codes = model.quantizer.encode(z.numpy())
    assert second["relative_distortion"] == model.quantizer.relative_distortion(z.numpy())
    assert second["perplexity"] == pytest.approx(float(model.quantizer.perplexity(codes).mean()))
    assert 1 < second["perplexity"] <= 16
    assert list(second)[:4] == ["cosine", "uphill", "relative_distortion", "perplexity"]
    assert set(second) - set(list(second)[:4]) == cells  # nothing moved: there was no round before


def test_following_leaves_the_network_alone() -> None:
    images, labels = make_data("digits")
    model = TrainedModel.new(config())
    model.encoder.train()
    follow(model, images, labels, last=False)
    before = {k: v.copy() for k, v in model.arrays().items() if k != "codebooks"}
    follow(model, images, labels, last=True)
    after = model.arrays()
    assert all(np.array_equal(value, after[key]) for key, value in before.items())
    assert all(p.grad is None for p in model.encoder.parameters())
    assert all(p.grad is None for p in model.classifier.parameters())
    assert model.encoder.training


def test_refitting_follows_the_embeddings_from_where_the_codebooks_stand() -> None:
    images, labels = make_data("digits")
    model = TrainedModel.new(config())
    first = follow(model, images, labels, last=True).measured["relative_distortion"]
    books = model.quantizer.codebooks_.copy()
    again = follow(model, images, labels, last=True).measured["relative_distortion"]
    assert again <= first * 1.001
    # Turned round, the codewords stay turned round: a code keeps its meaning.
    model.quantizer.with_codebooks(books[:, ::-1].copy())
    follow(model, images, labels, last=True)
    moved = np.abs(model.quantizer.codebooks_ - books[:, ::-1]).max()
    assert moved < 0.2 * np.abs(books - books[:, ::-1]).max()


def test_large_sets_are_refitted_on_an_even_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(SMALL["digits"], refit_sample=100)
    monkeypatch.setitem(PROFILES["digits"], "quick", small)
    seen: list[torch.Tensor] = []
    original = rounds.embed
    monkeypatch.setattr(
        rounds, "embed", lambda encoder, x, **options: seen.append(x) or original(encoder, x)
    )
    images, labels = make_data("digits")
    train(config(), images, labels)
    assert len(seen[-1]) == len(images), "the last fit sees everything"
    assert len(seen) == ROUNDS
    for sample in seen[:-1]:
        assert torch.equal(sample, images[:: len(images) // 100])
        assert 100 <= len(sample) < 200


# Losses


@pytest.mark.parametrize("loss", SIMILARITIES)
def test_every_loss_falls_and_the_classifier_learns(
    loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = replace(SMALL["digits"], rounds=4, epochs=4)
    monkeypatch.setitem(PROFILES["digits"], "quick", longer)
    images, labels = make_data("digits")
    model = train(config(loss=loss, method="none"), images, labels)
    losses = [record["loss"] for record in model.history]
    assert losses[-1] < 0.9 * losses[0], losses
    z = embed(model.encoder, images)
    assert (model.classifier(z).argmax(1) == labels).float().mean() > 0.9
    unit = z.numpy()
    nearest = (unit @ unit.T - 2 * np.eye(len(unit))).argmax(1)
    assert (labels[nearest] == labels).float().mean() > 0.9  # and so do the embeddings


@pytest.mark.parametrize("loss", ["supervised-contrastive", "triplet"])
@pytest.mark.parametrize("method", ["none", "penalty", "soft", "snap-pull"])
def test_the_classifier_looks_on_and_teaches_the_encoder_nothing(loss: str, method: str) -> None:
    """Whatever the classifier believes, the encoder takes the same step, and it takes its own."""
    images, labels = make_data("digits")
    images, labels = images[:200], labels[:200]
    steps = []
    for confusion in (0.0, 5.0):
        model = TrainedModel.new(config(loss=loss, method=method))
        follow(model, images, labels, last=True)
        with torch.no_grad():
            other = torch.randn(10, 8, generator=torch.Generator().manual_seed(3))
            model.classifier.weight.add_(confusion * other)
        before = model.classifier.weight.detach().clone()
        optimizer = torch.optim.SGD(
            [*model.encoder.parameters(), *model.classifier.parameters()], lr=0.1
        )
        reported = rounds._step(model, optimizer, images, labels, 1, "cpu")
        assert not torch.equal(model.classifier.weight, before), "it learns"
        steps.append((reported, {k: v.clone() for k, v in model.encoder.state_dict().items()}))
    assert steps[0][0] == steps[1][0], "and is no part of the loss that is told"
    for key, value in steps[0][1].items():
        assert torch.equal(value, steps[1][1][key])


def test_the_classifier_sees_the_embedding_and_not_what_the_method_made_of_it() -> None:
    images, labels = make_data("digits")
    images, labels = images[:200], labels[:200]
    model = TrainedModel.new(config(loss="triplet", method="soft"))
    follow(model, images, labels, last=True)
    optimizer = torch.optim.SGD(model.classifier.parameters(), lr=1.0)
    weight = model.classifier.weight
    expected = F.cross_entropy(model.classifier(embed(model.encoder, images)), labels)
    (g,) = torch.autograd.grad(expected, weight)
    before = weight.detach().clone()
    rounds._step(model, optimizer, images, labels, 1, "cpu")
    torch.testing.assert_close(weight.detach(), before - g, rtol=1e-4, atol=1e-5)


def test_warm_up_rounds_know_no_codebook(monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = make_data("digits")
    asked: list[int] = []

    def method(z: torch.Tensor, quantizer: object, options: object) -> object:
        asked.append(len(z))
        return z, z.new_zeros(())

    monkeypatch.setattr(rounds, "get_method", lambda name: method)
    monkeypatch.setitem(
        PROFILES["digits"], "quick", replace(SMALL["digits"], rounds=3, epochs=1, warmup_rounds=2)
    )
    train(config(), images[:640], labels[:640])
    in_steps = [n for n in asked if n == 64]
    # Ten steps in the last round; the probe of 640 images is another ten, after that round alone.
    assert len(in_steps) == 10 + 10
