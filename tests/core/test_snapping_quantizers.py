"""The layer behind every kind of quantizer: the same promises, whether codes cut the vector or add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from cases import ADDITIVE, FORMS, KINDS, RULES, batch, exact, gap, random_quantizer, rules, seeds
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from twins import DEVICES

from gsl_tutorial import GradientSnapping, OptimizedProductQuantizer, ProductQuantizer
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.snapping.by_hand import snap_gradient_numpy

some = settings(max_examples=80, deadline=None)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.short_name)


@st.composite
def layers(draw: st.DrawFn, **fixed: Any) -> tuple[Any, GradientSnapping, dict[str, Any]]:
    """(quantizer, layer, rule): all kinds, shapes and rules, from one candidate to all there are."""
    shape = [draw(st.integers(*span)) for span in ((1, 3), (2, 5), (1, 3))]
    quantizer = random_quantizer(draw(st.sampled_from(KINDS)), *shape, draw(seeds))
    rule = draw(rules) | fixed
    n = draw(st.integers(1, quantizer.most_candidates))
    return quantizer, GradientSnapping(quantizer, n_candidates=n, **rule), rule


def through(layer: GradientSnapping, z: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
    """(output, gradient at z) when `g` arrives at the output."""
    leaf = z.detach().clone().requires_grad_()
    out = layer(leaf)
    out.backward(g)
    assert leaf.grad is not None
    return out.detach(), leaf.grad


def data(quantizer: Any, N: int, seed: int, dtype: torch.dtype, size: float = 1.0) -> Any:
    """(z, g); some z are reconstructions, some g are 0, so that neither has a direction."""
    rng = np.random.default_rng(seed)
    z, g = (rng.normal(size=(N, quantizer.dim_)) for _ in range(2))
    on = rng.random(N) < 0.3
    z[on] = quantizer.decode(rng.integers(quantizer.n_codewords, size=(N, quantizer.n_subspaces)))[
        on
    ]
    g[rng.random(N) < 0.2] = 0
    return torch.tensor(z, dtype=dtype), torch.tensor(g * size, dtype=dtype)


dtypes = st.sampled_from([torch.float32, torch.float64])


@some
@given(layers(), st.integers(0, 4), dtypes, st.sampled_from([0.0, 1e-30, 1.0, 1e30]), seeds)
def test_identity_forward_and_finite_and_never_uphill_backward(
    made: Any, N: int, dtype: torch.dtype, size: float, seed: int
) -> None:
    quantizer, layer, rule = made
    z, g = data(quantizer, N, seed, dtype, size)
    out, grad = through(layer, z, g)
    assert torch.equal(out, z)
    assert torch.equal(out.signbit(), z.signbit())
    assert (grad.shape, grad.dtype) == (z.shape, dtype)
    assert torch.isfinite(grad).all()
    if rule["form"] != "look-ahead":
        # For the whole vector, and in every piece, as far as a rotation in single precision allows.
        whole, pieces = exact(grad, g), exact(quantizer.split(grad), quantizer.split(g))
        rounding = 200 * np.prod(np.linalg.norm(whole, axis=2), axis=0)
        assert ((whole[0] * whole[1]).sum(1) >= -torch.finfo(dtype).eps * rounding).all()
        in_pieces = (pieces[0] * pieces[1]).sum(2).min(1)
        assert (in_pieces >= -torch.finfo(torch.float32).eps * rounding).all()


@some
@given(layers(strength=0.7, fallback="zero"), st.integers(1, 4), seeds)
def test_the_snapped_part_points_at_one_of_the_candidates(made: Any, N: int, seed: int) -> None:
    quantizer, layer, rule = made
    z, g = data(quantizer, N, seed, torch.float64)
    _, grad = through(layer, z, g)
    pieces = [np.asarray(quantizer.split(t)) for t in (grad, g, z)]
    candidates = quantizer.candidates(z, layer.n_candidates).numpy()
    for i, m in np.ndindex(candidates.shape[:2]):
        s, h, at = (piece[i, m] for piece in pieces)
        ways = candidates[i, m] - at
        if rule["form"] == "replace":
            lengths = np.linalg.norm(ways, axis=1)
            units = ways / np.maximum(lengths, 1e-300)[:, None]
            along = -np.linalg.norm(s) * units
            assert not s.any() or np.abs(along - s).max(1).min() < 1e-5 * (1 + np.linalg.norm(h))
        else:  # the similarity gradient stays, and a pull of known length is added, or nothing
            pulls = np.concatenate([-2 * 0.7 / N * ways, 0 * ways[:1]])
            assert np.abs(s - h - pulls).max(1).min() < 1e-5


@some
@given(layers(), st.integers(1, 3), seeds)
def test_with_all_candidates_it_is_the_twin_over_all_reconstructions(
    made: Any, N: int, seed: int
) -> None:
    quantizer, layer, rule = made
    z, g = (batch(N, quantizer.dim_, seed % 2**31 + i, torch.float64) for i in (0, 1))
    M, K = quantizer.n_subspaces, quantizer.n_codewords
    every = np.stack(np.meshgrid(*[np.arange(K)] * M), axis=-1).reshape(-1, M)
    parts = [np.asarray(quantizer.split(t)) for t in (g, z)]
    if isinstance(quantizer, ADDITIVE):
        places = quantizer.decode(every).astype(np.float64)[None, None]
    else:
        places = quantizer.codebooks_.astype(np.float64)[None]
    places = np.broadcast_to(places, (N, *places.shape[1:]))
    layer = GradientSnapping(quantizer, n_candidates=quantizer.most_candidates, **rule)
    _, grad = through(layer, z, g)
    got = np.asarray(quantizer.split(grad))
    expected = snap_gradient_numpy(parts[0], parts[1], places, **rule)
    for i, m in np.ndindex(got.shape[:2]):
        ways = places[i, m] - parts[1][i, m]
        far = np.linalg.norm(ways, axis=1)
        cosine = -(ways @ parts[0][i, m]) / far / np.linalg.norm(parts[0][i, m])
        ahead = np.linalg.norm(ways + rule["step"] * parts[0][i, m], axis=1)
        if min(gap(-cosine), gap(far), gap(ahead), np.abs(cosine).min()) > 1e-4:
            np.testing.assert_allclose(got[i, m], expected[i, m], rtol=1e-4, atol=1e-4)


@some
@given(layers(), st.integers(1, 4), seeds)
def test_single_and_double_precision_agree_away_from_ties(made: Any, N: int, seed: int) -> None:
    quantizer, layer, rule = made
    z, g = (batch(N, quantizer.dim_, seed % 2**31 + i) for i in (0, 1))
    _, single = through(layer, z, g)
    _, double = through(layer, z.double(), g.double())
    most = quantizer.most_candidates
    wide = quantizer.candidates(z.double(), min(layer.n_candidates + 1, most)).numpy()
    parts = [np.asarray(quantizer.split(t)) for t in (g.double(), z.double())]
    single_parts, double_parts = (np.asarray(quantizer.split(t.double())) for t in (single, double))
    for i, m in np.ndindex(wide.shape[:2]):
        ways = wide[i, m] - parts[1][i, m]
        far = np.sort(np.linalg.norm(ways, axis=1))
        cosine = -(ways @ parts[0][i, m]) / np.linalg.norm(ways, axis=1)
        ahead = np.linalg.norm(ways + rule["step"] * parts[0][i, m], axis=1)
        ties = (np.diff(far).min(initial=np.inf), gap(-cosine), gap(ahead), np.abs(cosine).min())
        if min(ties) > 1e-2:
            np.testing.assert_allclose(single_parts[i, m], double_parts[i, m], rtol=1e-3, atol=1e-3)


@some
@given(layers(), st.integers(1, 4), seeds)
def test_a_rotation_before_the_cut_only_turns_the_gradient(made: Any, N: int, seed: int) -> None:
    _, layer, rule = made
    opq = random_quantizer(OptimizedProductQuantizer, 2, 4, 2, seed)
    plain = ProductQuantizer(2, 4).with_codebooks(opq.codebooks_)
    z, g = (batch(N, 4, seed % 2**31 + i, torch.float64) for i in (0, 1))
    R = torch.from_numpy(opq.rotation_).double()
    n = min(layer.n_candidates, 4)
    _, turned = through(GradientSnapping(opq, n_candidates=n, **rule), z, g)
    _, flat = through(GradientSnapping(plain, n_candidates=n, **rule), z @ R.T, g @ R.T)
    torch.testing.assert_close(turned, flat @ R, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
def test_one_codebook_is_the_same_to_cut_or_to_add(rule: dict[str, Any]) -> None:
    books = np.random.default_rng(0).normal(size=(1, 7, 5)).astype(np.float32)
    z, g = batch(30, 5, 1, torch.float64), batch(30, 5, 2, torch.float64)
    grads = []
    for kind in KINDS:
        extra = [np.eye(5)] if kind is OptimizedProductQuantizer else []
        quantizer = kind(1, 7).with_codebooks(books, *extra)
        grads.append(through(GradientSnapping(quantizer, n_candidates=3, **rule), z, g)[1])
    for other in grads[1:]:
        torch.testing.assert_close(other, grads[0], rtol=1e-6, atol=1e-6)


@each_kind
@pytest.mark.parametrize("form", FORMS)
def test_one_vector_of_one_number_and_two_codewords(kind: Any, form: Any) -> None:
    quantizer = random_quantizer(kind, 1, 2, 1)
    low, high = np.sort(quantizer.decode(np.array([[0], [1]])).ravel())
    layer = GradientSnapping(quantizer, n_candidates=2, form=form, strength=0.5, step=10.0)
    middle, one = torch.tensor([[(low + high) / 2]]), torch.ones(1, 1)
    half = float(high - low) / 2
    for sign in (1.0, -1.0):  # the descending codeword lies on the other side of the gradient
        _, grad = through(layer, middle, sign * one)
        expected = sign if form == "replace" else sign * (1 + half)
        assert float(grad) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("device", DEVICES)
@each_kind
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
def test_devices_agree(kind: Any, rule: dict[str, Any], device: str) -> None:
    quantizer = random_quantizer(kind, 2, 8, 3)
    layer = GradientSnapping(quantizer, n_candidates=4, strength=0.3, step=0.2, **rule)
    z, g = batch(40, 6, 1, torch.float64), batch(40, 6, 2, torch.float64)
    out, grad = through(layer, z.to(device), g.to(device))
    assert (out.device.type, grad.device.type) == (device, device)
    torch.testing.assert_close(grad.cpu(), layer.backward_rule(g, z), rtol=1e-9, atol=1e-9)


class Largest(TorchDispatchMode):
    """Remembers the most numbers that any one tensor made meanwhile holds in memory."""

    numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(tensor, Tensor):
                held = tensor.untyped_storage().nbytes() // 4  # in numbers of single precision
                self.numbers = max(self.numbers, held)
        return out


@each_kind
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("N", "n"), [(50, 3), (100, 3), (50, 32)])
def test_differences_to_all_codewords_are_never_held(kind: Any, form: Any, N: int, n: int) -> None:
    M, K, d = 4, 64, 8
    quantizer = random_quantizer(kind, M, K, d)
    layer = GradientSnapping(quantizer, n_candidates=n, form=form, fallback="nearest")
    z, g = batch(N, M * d, 1), batch(N, M * d, 2)
    with Largest() as largest:
        layer.backward_rule(g, z)
    if kind in ADDITIVE:  # a beam holds scores for all codewords of one stage, and whole vectors
        width = max(quantizer.beam, n)
        bound, everything = N * width * max(K, M * d), N * width * K * M * d
    else:
        bound, everything = max(N * M * K, N * M * n * d), N * M * K * d
    if n == 3:
        assert bound <= everything // d
    assert N * M * n * d <= largest.numbers <= bound


@each_kind
def test_as_many_candidates_as_the_quantizer_has_and_not_one_more(kind: Any) -> None:
    quantizer = random_quantizer(kind, 2, 3, 2)
    most = 9 if kind in ADDITIVE else 3
    assert GradientSnapping(quantizer, n_candidates=most).n_candidates == most
    with pytest.raises(InvalidInputError, match=f"n_candidates a whole number, from 1 to {most}"):
        GradientSnapping(quantizer, n_candidates=most + 1)
    with pytest.raises(InvalidInputError, match=r"embeddings of shape \(N, 4\)"):
        GradientSnapping(quantizer, n_candidates=2)(torch.zeros(2, 3))
