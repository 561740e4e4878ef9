"""The penalty against autograd; the similarity losses against their formulas, loop by loop."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from cases import batch, exact, seeds
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gsl_tutorial.course.training.encoders import CosineClassifier
from gsl_tutorial.course.training.losses import SIMILARITIES, quantization_penalty, similarity_loss
from gsl_tutorial.errors import UnknownNameError

some = settings(max_examples=40, deadline=None)
each_loss = pytest.mark.parametrize("name", SIMILARITIES)


def classifier_of(weight: Tensor, scale: float = 12.0) -> CosineClassifier:
    classifier = CosineClassifier(weight.shape[1], len(weight), scale=scale).to(weight.dtype)
    classifier.weight.data.copy_(weight)
    return classifier


def labels_of(n: int, n_classes: int, seed: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(n_classes, size=n))


# Slow twins, in plain NumPy


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / math.sqrt(a @ a) / math.sqrt(b @ b))


def cross_entropy_twin(
    z: np.ndarray, labels: np.ndarray, weight: np.ndarray, smoothing: float
) -> float:
    """Softmax over 12 cos(z, w); a share `smoothing` of the target is spread over all classes."""
    total = 0.0
    for vector, label in zip(z, labels, strict=True):
        logits = np.array([12.0 * cosine(vector, w) for w in weight])
        log_p = logits - np.log(np.exp(logits).sum())
        total -= (1 - smoothing) * log_p[label] + smoothing * log_p.mean()
    return total / len(z)


def supervised_contrastive_twin(z: np.ndarray, labels: np.ndarray) -> float:
    """Equation 2 (L_out) of arXiv 2004.11362 at temperature 0.1; anchors without a partner are left out."""
    terms = []
    for i in range(len(z)):
        others = [j for j in range(len(z)) if j != i]
        partners = [j for j in others if labels[j] == labels[i]]
        if not partners:
            continue
        log_sum = math.log(sum(math.exp(cosine(z[i], z[j]) / 0.1) for j in others))
        terms.append(-np.mean([cosine(z[i], z[j]) / 0.1 - log_sum for j in partners]))
    return float(np.mean(terms))


def triplet_twin(z: np.ndarray, labels: np.ndarray, margin: float = 0.2) -> float:
    """Mean violation of triplets whose negative is farther than the positive, by less than `margin`."""
    unit = [v / math.sqrt(v @ v) for v in z]
    violations = []
    for a in range(len(z)):
        for p in range(len(z)):
            for n in range(len(z)):
                if a == p or labels[a] != labels[p] or labels[a] == labels[n]:
                    continue
                to_p = math.sqrt(((unit[a] - unit[p]) ** 2).sum())
                to_n = math.sqrt(((unit[a] - unit[n]) ** 2).sum())
                if to_p < to_n < to_p + margin:
                    violations.append(to_p - to_n + margin)
    return float(np.mean(violations)) if violations else 0.0


sizes = st.tuples(st.integers(2, 9), st.integers(2, 5), st.integers(2, 4))


@some
@given(sizes, seeds, st.sampled_from([0.0, 0.1, 0.5]))
def test_cross_entropy_is_that_of_scaled_cosines(
    size: tuple[int, int, int], seed: int, smoothing: float
) -> None:
    n, dim, n_classes = size
    z, weight = (
        batch(k, dim, seed % 2**31 + i, torch.float64) for i, k in enumerate((n, n_classes))
    )
    labels = labels_of(n, n_classes, seed)
    loss = similarity_loss("cross-entropy", classifier_of(weight), label_smoothing=smoothing)
    expected = cross_entropy_twin(*exact(z), labels.numpy(), *exact(weight), smoothing)
    assert float(loss(z, labels).detach()) == pytest.approx(expected, rel=1e-9)


@some
@given(sizes, seeds)
def test_supervised_contrastive_is_its_formula(size: tuple[int, int, int], seed: int) -> None:
    n, dim, n_classes = size
    z, labels = batch(n, dim, seed % 2**31, torch.float64), labels_of(n, n_classes, seed)
    labels[:2] = 0  # at least one pair
    if (labels == 0).all():
        labels[-1] = 1
    if n == 2:
        return
    loss = similarity_loss("supervised-contrastive", classifier_of(torch.eye(dim)))
    expected = supervised_contrastive_twin(*exact(z), labels.numpy())
    assert float(loss(z, labels)) == pytest.approx(expected, rel=1e-6)


@some
@given(sizes, seeds)
def test_triplet_is_the_mean_over_semihard_triplets(size: tuple[int, int, int], seed: int) -> None:
    n, dim, n_classes = size
    z, labels = batch(n, dim, seed % 2**31, torch.float64), labels_of(n, n_classes, seed)
    loss = similarity_loss("triplet", classifier_of(torch.eye(dim)))
    assert float(loss(z, labels)) == pytest.approx(
        triplet_twin(*exact(z), labels.numpy()), rel=1e-6, abs=1e-9
    )


def test_the_triplet_twin_meets_all_three_kinds() -> None:
    """So that the property above is not about batches without semi-hard triplets."""
    angles = torch.tensor([0.0, 0.5, 0.55, 2.0, 0.3], dtype=torch.float64)
    z = torch.stack([angles.cos(), angles.sin()], dim=1)
    labels = torch.tensor([0, 0, 1, 1, 1])
    loss = float(similarity_loss("triplet", classifier_of(torch.eye(2)))(z, labels))
    to_p, to_n = 2 * math.sin(0.25), 2 * math.sin(0.275)
    assert (
        0 < to_p - to_n + 0.2 < 0.2
    )  # anchor 0: label 1 at .55 is semi-hard, at 2.0 easy, at .3 hard
    assert loss == pytest.approx(triplet_twin(z.numpy(), labels.numpy()), rel=1e-9)
    assert loss > 0


# What all of them promise


def case(name: str, seed: int, dim: int = 4) -> tuple[Any, Tensor, Tensor]:
    """(loss, z, labels): 12 vectors in 3 classes, with semi-hard triplets among them."""
    weight = batch(3, dim, seed % 2**31 + 1, torch.float64)
    loss = similarity_loss(name, classifier_of(weight), label_smoothing=0.1)
    return loss, batch(12, dim, seed % 2**31, torch.float64), torch.arange(12) % 3


@each_loss
@some
@given(seeds, st.sampled_from([0.1, 1.0, 30.0]))
def test_only_the_direction_counts_so_the_gradient_has_no_radial_part(
    name: str, seed: int, scale: float
) -> None:
    loss, z, labels = case(name, seed)
    lengths = scale * (1 + torch.rand(12, 1, generator=torch.Generator().manual_seed(1)))
    same = float(loss(z, labels).detach())
    assert float(loss(z * lengths, labels).detach()) == pytest.approx(same, rel=1e-6)
    leaf = (z * lengths).requires_grad_()
    (g,) = torch.autograd.grad(loss(leaf, labels), leaf)
    radial = (g * leaf).sum(1).abs()
    assert g.norm() > 0
    assert (radial <= 1e-8 * g.norm(dim=1) * leaf.norm(dim=1) + 1e-12).all()


@each_loss
def test_autograd_agrees_with_finite_differences(name: str) -> None:
    loss, z, labels = case(name, 3)
    assert torch.autograd.gradcheck(lambda v: loss(v, labels[:6]), z[:6].clone().requires_grad_())


@each_loss
def test_a_step_along_the_gradient_brings_equal_labels_together(name: str) -> None:
    loss, z, labels = case(name, 0)
    leaf = z.clone().requires_grad_()
    before = loss(leaf, labels)
    (g,) = torch.autograd.grad(before, leaf)
    assert loss(z - 0.01 * g, labels) < before


@each_loss
@pytest.mark.parametrize("labels", [[0], [0, 0, 0], [0, 1, 2]], ids=["one", "equal", "distinct"])
def test_batches_without_pairs_or_without_others_are_finite(name: str, labels: list[int]) -> None:
    loss, _, _ = case(name, 0)
    z = batch(len(labels), 4, dtype=torch.float64).requires_grad_()
    value = loss(z, torch.tensor(labels))
    value.backward()
    assert value.shape == ()
    assert torch.isfinite(value)
    assert z.grad is not None
    assert torch.isfinite(z.grad).all()
    if name != "cross-entropy":
        assert float(value.detach()) == 0


@each_loss
def test_single_precision_comes_back_as_it_came(name: str) -> None:
    double, z, labels = case(name, 0)
    weight = batch(3, 4, 1, torch.float64).float()
    single = similarity_loss(name, classifier_of(weight), label_smoothing=0.1)(z.float(), labels)
    assert single.dtype == torch.float32
    assert float(single.detach()) == pytest.approx(float(double(z, labels).detach()), rel=1e-4)


@pytest.mark.parametrize("name", ["softmax", "", None, "Triplet"])
def test_an_unknown_loss_is_answered_with_the_known(name: Any) -> None:
    known = r"a loss out of cross-entropy, supervised-contrastive, triplet"
    with pytest.raises(UnknownNameError, match=known):
        similarity_loss(name, classifier_of(torch.eye(2)))


# The penalty


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**31))
def test_penalty_is_the_mean_over_vectors_of_the_sum_over_dim(n: int, dim: int, seed: int) -> None:
    z, q = (batch(n, dim, seed + i).double().requires_grad_() for i in (0, 1))
    penalty = quantization_penalty(z, q)
    pairs = zip(z.detach().flatten().tolist(), q.detach().flatten().tolist(), strict=True)
    by_hand = sum((a - b) ** 2 for a, b in pairs) / n
    assert float(penalty.detach()) == pytest.approx(by_hand, rel=1e-9)
    penalty.backward()
    torch.testing.assert_close(z.grad, 2 * (z - q).detach() / n)
    assert q.grad is None  # nothing flows into the codebooks
    assert torch.autograd.gradcheck(lambda z: quantization_penalty(z, q.detach()), z)
