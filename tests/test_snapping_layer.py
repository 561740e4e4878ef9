"""The layer: identity forward, the rule backward, free without training, small in memory."""

from __future__ import annotations

import copy
import inspect
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from cases import RULES, snapping_case
from torch import Tensor
from twins import DEVICES

from gsl_tutorial import GradientSnapping, ProductQuantizer, snap_gradient
from gsl_tutorial.course.training.losses import quantization_penalty
from gsl_tutorial.course.training.methods import MethodOptions
from gsl_tutorial.snapping import SnapOptions
from gsl_tutorial.snapping.by_hand import snap_gradient_numpy


@pytest.fixture(scope="module")
def pq() -> ProductQuantizer:
    X = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    return ProductQuantizer(3, 16, random_state=0).fit(X)


def batch(n: int, dim: int = 6, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(n), dtype=dtype)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_forward_is_the_identity_bit_for_bit(
    pq: ProductQuantizer, dtype: torch.dtype, device: str
) -> None:
    for n, rule in product((0, 1, 33), RULES):
        z = batch(n).to(device, dtype)
        z[:1] = -0.0
        out = GradientSnapping(pq, **rule)(z.requires_grad_())
        assert out.dtype == dtype
        assert out.device == z.device
        assert torch.equal(out, z)
        assert torch.equal(out.signbit(), z.signbit())
        (out * out).sum().backward()
        assert z.grad is not None
        assert z.grad.dtype == dtype
        assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
def test_autograd_gives_what_the_rule_says(
    pq: ProductQuantizer, rule: dict[str, Any], device: str
) -> None:
    layer = GradientSnapping(pq, n_candidates=5, strength=0.7, step=0.2, **rule)
    x = batch(20, 4).to(device)
    weight = (batch(7, 4)[:6] * 0.5).to(device).requires_grad_()
    target = batch(21)[:20].to(device)
    z = x @ weight.T
    z.retain_grad()
    similarity = (layer(z) - target).pow(4).sum()
    similarity.backward()

    g = 4 * (z.detach() - target) ** 3
    books = torch.from_numpy(pq.codebooks_).to(device)
    distances = (z.detach().view(20, 3, 1, 2) - books).norm(dim=3)
    nearest = distances.argsort(dim=2)[:, :, :5]
    candidates = books.expand(20, -1, -1, -1).take_along_dim(nearest[..., None], 2)
    expected = snap_gradient(
        g.view(20, 3, 2),
        z.detach().view(20, 3, 2),
        candidates,
        **rule,
        strength=0.7,
        step=0.2,
    ).flatten(1)
    torch.testing.assert_close(z.grad, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(weight.grad, expected.T @ x, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(layer.backward_rule(g, z.detach()), z.grad, rtol=1e-4, atol=1e-5)


def test_finite_differences_see_the_loss_and_the_penalty(pq: ProductQuantizer) -> None:
    """With one candidate, where it descends, the layer's gradient is that of L + lambda * penalty."""
    z = batch(30, dtype=torch.float64).requires_grad_()
    target, strength, h = torch.from_numpy(pq.decode(pq.encode(z.detach().numpy()))), 0.4, 1e-6
    # A loss that pulls towards the reconstruction, and a little sideways.
    sideways = batch(31, dtype=torch.float64)[:30] * 0.01

    def loss(z: Tensor) -> Tensor:
        return (z - target).square().sum() + (z * sideways).sum()

    layer = GradientSnapping(pq, n_candidates=1, form="pull", strength=strength)
    loss(layer(z)).backward()
    g = 2 * (z.detach() - target) + sideways
    descends = ((target - z.detach()) * -g).view(30, 3, 2).sum(2) > 0
    assert descends.double().mean() > 0.8
    for i, j in [(0, 0), (3, 1), (7, 2), (11, 3), (20, 4), (29, 5)]:
        if not descends[i, j // 2]:
            continue
        sides = []
        for sign in (1, -1):
            moved = z.detach().clone()
            moved[i, j] += sign * h
            sides.append(loss(moved) + strength * quantization_penalty(moved, target.double()))
        assert float(z.grad[i, j]) == pytest.approx(
            float(sides[0] - sides[1]) / (2 * h), rel=1e-4, abs=1e-5
        )


def test_a_step_descends_the_loss_and_nears_the_codebook(pq: ProductQuantizer) -> None:
    for form in ("replace", "pull"):
        z = batch(200).requires_grad_()
        layer = GradientSnapping(pq, n_candidates=16, form=form, strength=0.5)
        target = batch(201)[:200] * 0.1
        before = (layer(z) - target).square().sum()
        before.backward()
        with torch.no_grad():
            moved = z - 0.01 * z.grad
        assert (moved - target).square().sum() < before
        assert pq.distortion(moved.numpy()) < pq.distortion(z.detach().numpy())


def test_candidates_are_asked_for_at_the_backward_pass(pq: ProductQuantizer) -> None:
    ours = copy.deepcopy(pq)
    layer = GradientSnapping(ours, n_candidates=1, form="look-ahead", strength=1.0, step=0.0)
    z = batch(4).requires_grad_()
    out = layer(z)
    ours.with_codebooks(np.zeros_like(pq.codebooks_))
    (out.sum() * 0).backward()
    torch.testing.assert_close(z.grad, 2 * z.detach() / 4)


def test_the_layer_is_free_without_training(pq: ProductQuantizer) -> None:
    class Broken(ProductQuantizer):
        def candidates(self, z: Any, n: int) -> Any:
            raise AssertionError("not needed forward")

    broken = Broken(3, 16).with_codebooks(pq.codebooks_)
    layer = GradientSnapping(broken)
    assert list(layer.parameters()) == []
    with torch.no_grad():
        assert torch.equal(layer(batch(3)), batch(3))
    with pytest.raises(AssertionError, match="not needed"):
        layer(batch(3).requires_grad_()).sum().backward()


def test_strides_and_copies_make_no_difference(pq: ProductQuantizer) -> None:
    layer = GradientSnapping(pq, form="pull")
    plain, strided = batch(9).requires_grad_(), batch(9).t().contiguous().t().requires_grad_()
    assert not strided.is_contiguous()
    for z, module in ((plain, layer), (strided, copy.deepcopy(layer))):
        (module(z) ** 2).sum().backward()
    torch.testing.assert_close(plain.grad, strided.grad)
    again = batch(9).requires_grad_()
    for _ in range(2):
        (layer(again) ** 2).sum().backward()
    torch.testing.assert_close(again.grad, 2 * plain.grad)


def test_the_layer_shows_what_it_does(pq: ProductQuantizer) -> None:
    text = repr(GradientSnapping(pq, n_candidates=3, form="replace", fallback="keep"))
    for word in ("3 x 16 codewords", "n_candidates=3", "form='replace'", "fallback='keep'"):
        assert word in text


def test_all_entry_points_have_the_defaults_of_the_one_record() -> None:
    record = asdict(SnapOptions())
    # What `study` found on validation images, and the docstring tells.
    assert record == {
        "form": "pull",
        "length": "projected",
        "fallback": "zero",
        "strength": 10.0,
        "step": 1.0,
        "n_candidates": 4,
    }
    for entry in (snap_gradient, GradientSnapping, MethodOptions):
        parameters = inspect.signature(entry).parameters
        told = {name: one.default for name, one in parameters.items() if name in record}
        assert told == {name: record[name] for name in told}
        assert len(told) >= 5
    assert asdict(MethodOptions().snap()) == record
    g, z, c = (t.double().numpy() for t in snapping_case(5, 2, 3, 4, 0))
    np.testing.assert_array_equal(
        snap_gradient_numpy(g, z, c), snap_gradient_numpy(g, z, c, **record)
    )
    assert GradientSnapping(ProductQuantizer(2, 8)).options == SnapOptions()
