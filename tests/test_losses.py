"""The penalty against autograd, and the registry: every method is what its name says."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gsl_tutorial import GradientSnapping, ProductQuantizer
from gsl_tutorial.errors import InvalidInputError, NotFittedError, UnknownNameError
from gsl_tutorial.losses import METHODS, MethodOptions, get_method, quantization_penalty

FORMS = {
    "snap": "pull",
    "snap-pull": "pull",
    "snap-lookahead": "look-ahead",
    "snap-replace": "replace",
}


@pytest.fixture(scope="module")
def pq() -> ProductQuantizer:
    X = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    return ProductQuantizer(3, 16, random_state=0).fit(X)


def batch(n: int, dim: int = 6, seed: int = 0) -> Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed))


def gradient(pq: ProductQuantizer, name: str, options: MethodOptions, n: int = 40) -> Tensor:
    """The gradient at z of a fixed similarity loss plus what the method adds."""
    z, target = batch(n).requires_grad_(), batch(n, seed=1)
    seen, term = get_method(name)(z, pq, options)
    assert torch.equal(seen, z)
    assert term.shape == ()
    assert term.dtype == z.dtype
    ((seen - target).pow(4).sum() + term).backward()
    assert z.grad is not None
    return z.grad


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


def test_none_is_the_identity_and_adds_nothing(pq: ProductQuantizer) -> None:
    z = batch(5).requires_grad_()
    seen, term = get_method("none")(z, pq, MethodOptions(strength=9.0))
    assert seen is z
    assert float(term) == 0.0
    expected = 4 * (batch(40) - batch(40, seed=1)) ** 3
    torch.testing.assert_close(gradient(pq, "none", MethodOptions(strength=9.0)), expected)


@pytest.mark.parametrize("strength", [0.0, 0.3, 10.0])
def test_penalty_adds_the_way_to_the_reconstruction(pq: ProductQuantizer, strength: float) -> None:
    z = batch(40)
    q = torch.from_numpy(pq.decode(pq.encode(z.numpy())))
    _, term = get_method("penalty")(z, pq, MethodOptions(strength=strength))
    assert float(term) == pytest.approx(strength * pq.distortion(z.numpy()), rel=1e-5)
    expected = gradient(pq, "none", MethodOptions()) + strength * 2 * (z - q) / 40
    got = gradient(pq, "penalty", MethodOptions(strength=strength))
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "form"), FORMS.items())
@pytest.mark.parametrize(
    "options",
    [
        MethodOptions(),
        MethodOptions(strength=3.0, n_candidates=7, step=0.05),
        MethodOptions(length="full", fallback="nearest", strength=0.2),
        MethodOptions(fallback="keep", n_candidates=1),
    ],
)
def test_snapping_methods_hand_their_options_to_the_layer(
    pq: ProductQuantizer, name: str, form: str, options: MethodOptions
) -> None:
    layer = GradientSnapping(
        pq,
        n_candidates=options.n_candidates,
        form=form,  # type: ignore[arg-type]
        length=options.length,  # type: ignore[arg-type]
        fallback=options.fallback,  # type: ignore[arg-type]
        strength=options.strength,
        step=options.step,
    )
    g = gradient(pq, "none", MethodOptions())
    expected = layer.backward_rule(g, batch(40))
    torch.testing.assert_close(gradient(pq, name, options), expected, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(expected, g)


def test_more_candidates_than_codewords_are_all_codewords(pq: ProductQuantizer) -> None:
    both = [gradient(pq, "snap", MethodOptions(n_candidates=n)) for n in (16, 99)]
    assert torch.equal(*both)


def test_methods_see_the_quantizer_of_this_round(pq: ProductQuantizer) -> None:
    zeros = ProductQuantizer(3, 16).with_codebooks(np.zeros((3, 16, 2)))
    _, term = get_method("penalty")(batch(5), zeros, MethodOptions(strength=1.0))
    assert float(term) == pytest.approx(float(batch(5).square().sum(1).mean()), rel=1e-6)


def test_the_registry() -> None:
    assert set(METHODS) == {"none", "penalty", *FORMS}
    assert all(get_method(name) is METHODS[name] for name in METHODS)


def test_the_quantization_weight_is_not_zero_by_default() -> None:
    options = MethodOptions()
    assert options.strength > 0
    with pytest.raises(FrozenInstanceError):
        options.strength = 0.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strength": -1.0}, "strength 0 or more"),
        ({"strength": float("nan")}, "strength 0 or more"),
        ({"strength": "1"}, "strength 0 or more"),
        ({"step": float("inf")}, "step 0 or more"),
        ({"n_candidates": 0}, "n_candidates a whole number, 1 or more"),
        ({"length": "half"}, "length out of full, projected"),
        ({"fallback": "none"}, "fallback out of keep, nearest, zero"),
    ],
)
def test_options_are_checked_when_made(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        MethodOptions(**options)


@pytest.mark.parametrize("name", ["snapp", "", None, "PENALTY"])
def test_an_unknown_method_is_answered_with_the_known(name: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        get_method(name)
    assert isinstance(caught.value, (KeyError, ValueError))
    text = str(caught.value)
    assert ", ".join(sorted(METHODS)) in text
    assert repr(name) in text


def test_methods_pass_bad_input_on(pq: ProductQuantizer) -> None:
    for name in set(METHODS) - {"none"}:
        with pytest.raises(NotFittedError):
            get_method(name)(batch(3), ProductQuantizer(3, 16), MethodOptions())
        with pytest.raises(InvalidInputError, match=r"\(N, 6\)"):
            get_method(name)(batch(3, 5), pq, MethodOptions())
