"""The probe of the gradient's bias, on cases whose angles are known, and on every loss and quantizer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from cases import FALLBACKS, KINDS, batch, random_quantizer, seeds
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gsl_tutorial import ProductQuantizer
from gsl_tutorial.course.training.encoders import CosineClassifier
from gsl_tutorial.course.training.gradient_bias import GradientBias, _compare, gradient_bias
from gsl_tutorial.course.training.losses import SIMILARITIES, similarity_loss
from gsl_tutorial.course.training.methods import METHODS, MethodOptions, get_method

some = settings(max_examples=30, deadline=None)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.short_name)
each_loss = pytest.mark.parametrize("loss", SIMILARITIES)


def sphere(n: int, dim: int = 4, seed: int = 0) -> Tensor:
    return F.normalize(batch(n, dim, seed, torch.float64), dim=1)


def loss_of(name: str, dim: int = 4, seed: int = 9) -> Any:
    classifier = CosineClassifier(dim, 3).double()
    classifier.weight.data.copy_(batch(3, dim, seed))
    return similarity_loss(name, classifier)


def bias_of(method: str, loss: Any, z: Tensor, quantizer: Any, **others: Any) -> GradientBias:
    batch_size = others.pop("batch_size", 125)
    return gradient_bias(
        get_method(method),
        MethodOptions(**others),
        loss,
        z,
        torch.arange(len(z)) % 3,
        quantizer,
        batch_size=batch_size,
    )


def towards(target: Tensor) -> Any:
    """A loss whose gradient at z is z - target, whatever the labels."""
    return lambda z, labels: 0.5 * (z - target[: len(z)]).square().sum()


def one_codeword(*codeword: float) -> ProductQuantizer:
    books = np.array([[codeword, codeword]], dtype=np.float32)
    return ProductQuantizer(1, 2).with_codebooks(books)


# Known angles


@each_loss
@each_kind
def test_plain_training_is_not_biased(kind: Any, loss: str) -> None:
    found = bias_of("none", loss_of(loss), sphere(40), random_quantizer(kind, 2, 4, 2))
    assert found.cosine == pytest.approx(1, abs=1e-9)
    assert found.uphill == 0


@pytest.mark.parametrize(("side", "cosine", "uphill"), [(1.0, 1.0, 0.0), (-1.0, -1.0, 1.0)])
def test_a_penalty_pulls_with_or_straight_against_the_loss(
    side: float, cosine: float, uphill: float
) -> None:
    z = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    loss = towards(torch.tensor([[1.0, 0.5]], dtype=torch.float64))  # g = (0, -0.5)
    found = bias_of("penalty", loss, z, one_codeword(1.0, side), strength=5.0)
    assert found.cosine == pytest.approx(cosine, abs=1e-9)
    assert found.uphill == uphill


def test_a_penalty_across_the_loss_turns_the_gradient_by_the_known_angle() -> None:
    z = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    loss = towards(torch.tensor([[1.0, 1.0, 0.0]], dtype=torch.float64))  # g = (0, -1, 0)
    found = bias_of(
        "penalty", loss, z, one_codeword(1.0, 0.0, 1.0), strength=0.5
    )  # adds (0, 0, -1)
    assert found.cosine == pytest.approx(np.sqrt(0.5), abs=1e-6)
    assert found.uphill == 0


def test_uphill_counts_vectors_and_cosine_is_their_mean() -> None:
    z = torch.tensor([[1.0, 0.0]], dtype=torch.float64).expand(5, 2)
    sides = torch.tensor([1.0, 1.0, -1.0, -1.0, -1.0], dtype=torch.float64)
    target = torch.stack([torch.ones(5, dtype=torch.float64), 0.1 * sides], dim=1)
    # The pull is to (1, 1): with g for the first two, against it for the others.
    found = bias_of("penalty", towards(target), z, one_codeword(1.0, 1.0), strength=50.0)
    assert found.uphill == pytest.approx(3 / 5)
    assert found.cosine == pytest.approx((2 - 3) / 5)


def test_what_runs_along_z_is_not_counted() -> None:
    z = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    loss = towards(torch.tensor([[1.0, 0.5]], dtype=torch.float64))
    # The codeword lies straight outwards, or inwards: the pull has no part that turns z.
    for radius in (3.0, 0.1):
        found = bias_of("penalty", loss, z, one_codeword(radius, 0.0), strength=100.0)
        assert (found.cosine, found.uphill) == (pytest.approx(1), 0)
    # And a radial part of the loss is not counted either: only (0, -0.5) of g = (-3, -0.5) is.
    loss = towards(torch.tensor([[4.0, 0.5]], dtype=torch.float64))
    found = bias_of("penalty", loss, z, one_codeword(1.0, -1.0), strength=5.0)
    assert found.cosine == pytest.approx(-1)


def test_it_is_the_loss_at_z_that_straight_through_strays_from() -> None:
    z = torch.tensor([[1.0, 0.0]], dtype=torch.float64)

    def quartic(v: Tensor, labels: Tensor) -> Tensor:  # downhill to 0.3 from either side
        return (v[:, 1] - 0.3).pow(4).sum()

    near, beyond = one_codeword(1.0, 0.1), one_codeword(1.0, 0.9)
    assert bias_of("ste", quartic, z, near, strength=0.0).cosine == pytest.approx(1)
    across = bias_of("ste", quartic, z, beyond, strength=0.0)
    assert (across.cosine, across.uphill) == (pytest.approx(-1), 1)


def test_vectors_without_a_gradient_are_neither_biased_nor_counted() -> None:
    used, g = torch.tensor([[1.0, 0], [0, 0], [-1, 0]]), torch.tensor([[1.0, 0], [1, 0], [1, 0]])
    assert _compare(used, g) == GradientBias(0.0, 0.5)
    assert _compare(used * 0, g) == GradientBias(1.0, 0.0)
    assert _compare(used[:0], g[:0]) == GradientBias(1.0, 0.0)
    right_angle = torch.tensor([[-1e-8, 1.0]])
    assert _compare(right_angle, g[:1]).uphill == 0  # rounding is not uphill
    assert _compare(torch.tensor([[-1e-4, 1.0]]), g[:1]).uphill == 1
    tiny = _compare(used[:1] * 1e-30, g[:1] * 1e-30)
    assert tiny.cosine == pytest.approx(1)


# The snaps keep their promise here too


@some
@given(
    st.sampled_from(sorted(SIMILARITIES)),
    st.sampled_from(KINDS),
    st.sampled_from(["snap-pull", "snap-replace"]),
    st.sampled_from(FALLBACKS),
    st.sampled_from([0.1, 10.0, 1000.0]),
    seeds,
)
def test_snapping_is_never_uphill_on_the_sphere(
    loss: str, kind: Any, method: str, fallback: str, strength: float, seed: int
) -> None:
    """Because the losses have no part along z, taking that part away keeps the sign."""
    quantizer = random_quantizer(kind, 2, 5, 2, seed)
    z = sphere(30, 4, seed % 2**31)
    found = bias_of(method, loss_of(loss), z, quantizer, fallback=fallback, strength=strength)
    assert found.uphill == 0
    assert found.cosine >= 0


@each_loss
def test_a_strong_penalty_is_uphill_where_a_snap_is_not(loss: str) -> None:
    quantizer = random_quantizer(ProductQuantizer, 2, 4, 2)
    z = sphere(200)
    penalty = bias_of("penalty", loss_of(loss), z, quantizer, strength=100.0)
    snap = bias_of("snap-pull", loss_of(loss), z, quantizer, strength=100.0)
    assert penalty.uphill > 0.2
    assert snap.cosine > penalty.cosine


@each_loss
@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_bias_within_bounds(method: str, loss: str) -> None:
    quantizer = random_quantizer(ProductQuantizer, 2, 4, 2)
    found = bias_of(method, loss_of(loss), sphere(41), quantizer, batch_size=20)  # and a batch of 1
    assert -1 <= found.cosine <= 1
    assert 0 <= found.uphill <= 1


# Batches


def test_batches_are_those_of_training() -> None:
    sizes = []

    def loss(z: Tensor, labels: Tensor) -> Tensor:
        assert len(z) == len(labels)
        sizes.append(len(z))
        return (z[:, 0] * (1 + labels)).mean()

    quantizer, z = random_quantizer(ProductQuantizer, 2, 4, 2), sphere(23)
    bias_of("penalty", loss, z, quantizer, batch_size=10)
    assert sizes == [10, 10, 10, 10, 3, 3]  # each once plain and once with the method


def test_the_pull_has_the_strength_of_a_batch_not_of_the_whole_probe() -> None:
    quantizer, z = random_quantizer(ProductQuantizer, 2, 4, 2), sphere(40)
    labels = torch.arange(40) % 3
    parts = [
        gradient_bias(
            get_method("penalty"),
            MethodOptions(),
            loss_of("cross-entropy"),
            z[rows],
            labels[rows],
            quantizer,
        )
        for rows in (slice(20), slice(20, 40))
    ]
    whole = bias_of("penalty", loss_of("cross-entropy"), z, quantizer, batch_size=20)
    assert whole.cosine == pytest.approx(np.mean([part.cosine for part in parts]))
    assert whole.uphill == pytest.approx(np.mean([part.uphill for part in parts]))


def test_nothing_is_changed_by_looking() -> None:
    quantizer, z = random_quantizer(ProductQuantizer, 2, 4, 2), sphere(20).requires_grad_()
    loss, kept = loss_of("cross-entropy"), z.detach().clone()
    books = quantizer.codebooks_.copy()
    bias_of("snap-pull", loss, z, quantizer)
    assert torch.equal(z.detach(), kept)
    assert z.grad is None
    assert np.array_equal(quantizer.codebooks_, books)
