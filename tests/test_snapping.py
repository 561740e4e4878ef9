"""The layer's promises as properties: over shapes, types, sizes of gradient and every rule."""

from __future__ import annotations

import copy
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from twins import DEVICES

from gsl_tutorial import GradientSnapping, ProductQuantizer, snap_gradient
from gsl_tutorial.errors import InvalidInputError, NotFittedError, UnknownNameError
from gsl_tutorial.losses import quantization_penalty
from gsl_tutorial.snapping_numpy import snap_gradient_numpy

FORMS, LENGTHS = ("replace", "pull", "look-ahead"), ("projected", "full")
FALLBACKS = ("zero", "keep", "nearest")
RULES = [
    {"form": form, "length": length, "fallback": fallback}
    for form, length, fallback in product(FORMS, LENGTHS, FALLBACKS)
]
many = settings(max_examples=150, deadline=None)
few = settings(max_examples=40, deadline=None)

rules = st.fixed_dictionaries(
    {
        "form": st.sampled_from(FORMS),
        "length": st.sampled_from(LENGTHS),
        "fallback": st.sampled_from(FALLBACKS),
        "strength": st.sampled_from([0.0, 0.03, 1.0, 50.0]),
        "step": st.sampled_from([0.0, 0.1, 3.0]),
    }
)


def make(
    N: int,
    M: int,
    d: int,
    n: int,
    seed: int,
    *,
    dtype: torch.dtype = torch.float64,
    size: float = 1.0,
    special: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Random (gradient, embedding, candidates); `special`: some g are 0, some z on a codeword."""
    rng = np.random.default_rng(seed)
    z, c = rng.normal(size=(N, M, d)), rng.normal(size=(N, M, n, d))
    c *= rng.choice([1e-2, 1.0, 10.0], size=(N, 1, 1, 1))
    g = rng.normal(size=(N, M, d)) * size
    if special:
        g[rng.random((N, M)) < 0.3] = 0
        on = rng.random((N, M)) < 0.3
        z[on] = c[:, :, rng.integers(n)][on]
    return tuple(torch.tensor(a, dtype=dtype) for a in (g, z, c))  # type: ignore[return-value]


@st.composite
def cases(
    draw: st.DrawFn,
    *,
    sizes: tuple[float, ...] = (1e-30, 1e-3, 1.0, 1e3, 1e30),
    low: int = 0,
    special: bool = True,
    dtypes: tuple[torch.dtype, ...] = (torch.float32, torch.float64),
) -> tuple[Tensor, Tensor, Tensor]:
    shape = [draw(st.integers(a, b)) for a, b in ((low, 5), (1, 4), (1, 5), (1, 6))]
    return make(
        *shape,
        draw(st.integers(0, 2**32 - 1)),
        dtype=draw(st.sampled_from(dtypes)),
        size=draw(st.sampled_from(sizes)),
        special=special,
    )


def exact(*tensors: Tensor) -> list[np.ndarray]:
    return [t.detach().cpu().double().numpy() for t in tensors]


def tolerance(dtype: torch.dtype) -> float:
    return 64 * torch.finfo(dtype).eps


def cosines(g: np.ndarray, z: np.ndarray, c: np.ndarray) -> np.ndarray:
    """(n,) cosine of the angle between -g and each c - z; 0 where one of them is no direction."""
    out = []
    for codeword in c:
        length = np.linalg.norm(codeword - z) * np.linalg.norm(g)
        out.append(-(codeword - z) @ g / length if length > 0 else 0.0)
    return np.array(out)


# What always holds


def assert_never_uphill(g: Tensor, z: Tensor, c: Tensor, rule: dict[str, Any]) -> None:
    snapped = snap_gradient(g, z, c, **rule)
    assert snapped.shape == g.shape
    assert snapped.dtype == g.dtype
    assert snapped.device == g.device
    assert torch.isfinite(snapped).all()
    if rule["form"] != "look-ahead":
        s, g64 = exact(snapped, g)
        rounding = np.linalg.norm(s, axis=2) * np.linalg.norm(g64, axis=2) * tolerance(g.dtype)
        assert ((s * g64).sum(axis=2) >= -rounding).all()


@many
@given(cases(), rules)
def test_never_uphill_and_always_finite(case: tuple, rule: dict[str, Any]) -> None:
    assert_never_uphill(*case, rule)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
def test_never_uphill_on_a_batch(rule: dict[str, Any], dtype: torch.dtype, device: str) -> None:
    for seed, size, strength in product(range(2), (1e-30, 1.0, 1e30), (0.1, 100.0)):
        case = make(64, 3, 4, 3, seed, dtype=dtype, size=size, special=True)
        assert_never_uphill(*[t.to(device) for t in case], rule | {"strength": strength})


def assert_points_at_a_candidate(g: Tensor, z: Tensor, c: Tensor, rule: dict[str, Any]) -> None:
    """The part that snapping makes runs straight at the right candidate, or is what it must be.

    An oracle of its own, in float64: which candidates may be chosen, and along which line.
    """
    snapped = snap_gradient(g, z, c, **rule)
    form, fallback, eps = rule["form"], rule["fallback"], tolerance(g.dtype)
    for i, m in np.ndindex(g.shape[:2]):
        G, Z, C, S = exact(g[i, m], z[i, m], c[i, m], snapped[i, m])
        cosine = cosines(G, Z, C)
        distances = np.linalg.norm(C - Z, axis=1)
        slack = eps * (1 + np.abs(Z).max() / max(distances.max(), 1e-9))
        pull = 2 * rule["strength"] / len(g)
        # What may be: (the part that snapping made, codewords it may run to, its length for each).
        allowed: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        if form == "look-ahead":
            ahead = np.linalg.norm(Z - rule["step"] * G - C, axis=1)
            may = ahead <= ahead.min() * (1 + eps) + eps
            allowed.append((S - G, C[may], pull * distances[may]))
        else:
            if cosine.max() > -slack:
                may = cosine >= max(cosine.max(), 0) - slack
                if form == "pull":
                    allowed.append((S - G, C[may], pull * distances[may]))
                else:
                    share = cosine[may] if rule["length"] == "projected" else 1 + 0 * cosine[may]
                    allowed.append((S, C[may], share * np.linalg.norm(G)))
            if cosine.max() < slack:
                if fallback == "nearest":
                    may = distances <= distances.min() * (1 + eps) + eps
                    allowed.append((S - G, C[may], np.full(may.sum(), np.nan)))
                elif fallback == "keep" or form == "pull":
                    allowed.append((S - G, Z[None], np.zeros(1)))
                else:
                    allowed.append((S, Z[None], np.zeros(1)))
        rounding = 300 * eps * (np.linalg.norm(G) + np.linalg.norm(S) + np.abs(Z).max())
        assert any(
            runs_to(part, codeword - Z, length, rounding)
            for part, codewords, lengths in allowed
            for codeword, length in zip(codewords, lengths, strict=True)
        ), (rule, G, Z, C, S)


def runs_to(part: np.ndarray, direction: np.ndarray, length: float, rounding: float) -> bool:
    """-part = t * direction with t >= 0 (a step along -part goes to the codeword), and its length."""
    square = direction @ direction
    t = -part @ direction / square if square > 0 else 0.0
    straight = t >= -rounding and np.linalg.norm(part + t * direction) <= rounding
    return bool(straight and not abs(np.linalg.norm(part) - length) > rounding)


@many
@given(cases(sizes=(0.1, 1.0, 10.0)), rules)
def test_the_snapped_part_points_at_the_right_candidate(case: tuple, rule: dict[str, Any]) -> None:
    assert_points_at_a_candidate(*case, rule)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
def test_a_batch_points_at_the_right_candidates(rule: dict[str, Any], device: str) -> None:
    case = make(40, 2, 3, 4, 5, special=True)
    rule = rule | {"strength": 0.7, "step": 0.2}
    assert_points_at_a_candidate(*[t.to(device) for t in case], rule)


# The same as its twin, in either precision


@many
@given(cases(dtypes=(torch.float64,)), rules)
def test_numpy_twin_agrees(case: tuple, rule: dict[str, Any]) -> None:
    g, z, c = case
    if g.shape[2] == 1 and rule["form"] == "pull":
        # On a line all codewords that descend are aligned equally well: either choice is right,
        # and `test_the_snapped_part_points_at_the_right_candidate` covers it.
        return
    expected = snap_gradient_numpy(*exact(g, z, c), **rule)
    got = snap_gradient(g, z, c, **rule).numpy()
    scale = np.abs(expected).max(axis=2, keepdims=True, initial=0) + 1e-300
    np.testing.assert_allclose(got / scale, expected / scale, rtol=0, atol=1e-9)


@many
@given(cases(dtypes=(torch.float64,), sizes=(0.1, 1.0, 10.0)), rules)
def test_precisions_agree_away_from_ties(case: tuple, rule: dict[str, Any]) -> None:
    case = tuple(t.float() for t in case)
    single = snap_gradient(*case, **rule)
    double = snap_gradient(*[t.double() for t in case], **rule)
    for i, m in np.ndindex(single.shape[:2]):
        G, Z, C = exact(*[t[i, m] for t in case])
        cosine = cosines(G, Z, C)
        ahead = np.linalg.norm(Z - rule["step"] * G - C, axis=1)
        nearly_tied = min(gap(-cosine), gap(np.linalg.norm(C - Z, axis=1)), gap(ahead)) < 1e-3
        if nearly_tied or (G.any() and np.abs(cosine).min() < 1e-3):
            continue
        size = np.abs(double[i, m].numpy()).max() + np.abs(G).max()
        np.testing.assert_allclose(single[i, m], double[i, m], rtol=0, atol=1e-4 * size + 1e-12)


def gap(values: np.ndarray) -> float:
    two = np.sort(values)[:2]
    return float(two[-1] - two[0]) if len(values) > 1 else np.inf


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
def test_devices_agree(rule: dict[str, Any], device: str) -> None:
    case = make(50, 3, 4, 5, 1)
    got = snap_gradient(*[t.to(device) for t in case], **rule).cpu()
    expected = snap_gradient_numpy(*exact(*case), **rule)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


# Edges


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_edges_are_finite(rule: dict[str, Any], dtype: torch.dtype) -> None:
    huge = min(1e30, float(torch.finfo(dtype).max) / 16)
    for size, (N, M, d, n) in product((0.0, 1e-30, 1.0, huge), [(1, 1, 1, 1), (1, 2, 3, 4)]):
        g, z, c = make(N, M, d, n, 3, dtype=dtype)
        g = (g.clamp(-2, 2) * size).to(dtype)
        for place in (z, c[:, :, 0]):  # anywhere, and on the nearest codeword
            assert torch.isfinite(snap_gradient(g, place, c, **rule)).all()
        same = z.unsqueeze(2).expand_as(c)  # every candidate where z is already
        assert torch.isfinite(snap_gradient(g, z, same, **rule)).all()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
def test_where_there_is_no_gradient_nothing_descends(rule: dict[str, Any]) -> None:
    _, z, c = make(6, 2, 3, 4, 0)
    zero = torch.zeros_like(z)
    snapped = snap_gradient(zero, z, c, **rule)
    if rule["form"] == "look-ahead":
        nearest = c.take_along_dim((c - z.unsqueeze(2)).norm(dim=3).argmin(2)[..., None, None], 2)
        torch.testing.assert_close(snapped, 2 * (z - nearest.squeeze(2)) / 6)
    elif rule["fallback"] == "nearest":
        # g + a pull: with g = 0 no pull is uphill, so it may stay whole.
        assert (snapped != 0).any()
    else:
        assert (snapped == 0).all()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_broken_gradient_stays_visible(rule: dict[str, Any], bad: float) -> None:
    for d, on_codeword in product((1, 3), (False, True)):
        g, z, c = make(4, 2, d, 3, 0)
        g[1, 1, 0] = bad
        if on_codeword:
            c = z.unsqueeze(2).expand_as(c)
        snapped = snap_gradient(g, z, c, **rule)
        assert not torch.isfinite(snapped[1, 1]).all()
        snapped[1, 1] = 0
        assert torch.isfinite(snapped).all()  # and stays where it is


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
def test_arguments_are_left_alone(rule: dict[str, Any]) -> None:
    case = make(5, 2, 3, 4, 0, special=True)
    before = [t.clone() for t in case]
    snapped = snap_gradient(*case, **rule)
    snapped.fill_(7.0)  # the result is nobody else's memory
    for tensor, old in zip(case, before, strict=True):
        assert torch.equal(tensor, old)


def test_no_vectors_no_gradient() -> None:
    for rule in RULES:
        assert snap_gradient(*make(0, 2, 3, 4, 0), **rule).shape == (0, 2, 3)


@few
@given(cases(sizes=(1.0,), dtypes=(torch.float32,)), st.integers(-90, 90), rules)
def test_replace_scales_with_the_gradient(case: tuple, power: int, rule: dict[str, Any]) -> None:
    g, z, c = case
    rule = rule | {"form": "replace", "fallback": "zero"}
    once, scaled = (snap_gradient(h, z, c, **rule) for h in (g, g * 2.0**power))
    torch.testing.assert_close(scaled, once * 2.0**power, rtol=1e-6, atol=1e-45)


# The formulas, one by one


def test_replace_has_the_projected_or_the_whole_length() -> None:
    g, z = torch.tensor([[[3.0, 4.0]]]), torch.tensor([[[1.0, 1.0]]])
    c = z.unsqueeze(2) + torch.tensor([[[[-2.0, 0.0], [5.0, 0.0]]]])
    projected = snap_gradient(g, z, c, form="replace", length="projected")
    torch.testing.assert_close(projected, torch.tensor([[[3.0, 0.0]]]))
    full = snap_gradient(g, z, c, form="replace", length="full")
    torch.testing.assert_close(full, torch.tensor([[[5.0, 0.0]]]))


def test_the_best_aligned_is_chosen_not_the_nearest_nor_the_steepest() -> None:
    g, z = torch.tensor([[[1.0, 0.0]]]), torch.zeros(1, 1, 2)
    # Nearest but askew; far and steep (largest <-g, d>) but askew; aligned.
    c = torch.tensor([[[[-0.1, 0.1], [-9.0, 9.0], [-1.0, 0.01], [4.0, 0.0]]]])
    snapped = snap_gradient(g, z, c, form="pull", strength=0.5)
    torch.testing.assert_close(snapped, g - c[:, :, 2])


@few
@given(cases(sizes=(1.0,), special=False, low=1), st.sampled_from([0.03, 1.0, 50.0]))
def test_pull_is_the_gradient_and_the_penalty_to_one_codeword(case: tuple, strength: float) -> None:
    g, z, c = (t[:, :, :1] if t.ndim == 4 else t for t in case)
    nearest = c.squeeze(2)
    descends = ((nearest - z) * -g).sum(2, keepdim=True) > 0
    expected = g + 2 * strength * (z - nearest) / len(g)
    got = snap_gradient(g, z, c, form="pull", strength=strength)
    torch.testing.assert_close(got, torch.where(descends, expected, g))


@pytest.mark.parametrize("form", ["pull", "look-ahead"])
def test_a_pull_of_no_strength_is_the_gradient(form: str) -> None:
    g, z, c = make(20, 3, 4, 5, 0, dtype=torch.float32)
    for fallback in FALLBACKS:
        assert torch.equal(snap_gradient(g, z, c, form=form, fallback=fallback, strength=0.0), g)  # type: ignore[arg-type]


def test_a_pull_is_spread_over_the_batch_and_replace_is_not() -> None:
    g, z, c = make(1, 2, 3, 4, 0)
    one = {form: snap_gradient(g, z, c, form=form) for form in FORMS}
    ten = {
        form: snap_gradient(*[t.expand(10, *t.shape[1:]) for t in (g, z, c)], form=form)[:1]
        for form in FORMS
    }
    torch.testing.assert_close(ten["replace"], one["replace"])
    for form in ("pull", "look-ahead"):
        torch.testing.assert_close((ten[form] - g) * 10, one[form] - g)


def test_vectors_do_not_see_each_other() -> None:
    g, z, c = make(8, 3, 2, 4, 0, special=True)
    for rule in RULES:
        all_at_once = snap_gradient(g, z, c, **rule)
        order = torch.randperm(8, generator=torch.Generator().manual_seed(0))
        shuffled = snap_gradient(g[order], z[order], c[order], **rule)
        torch.testing.assert_close(shuffled, all_at_once[order])
        by_subspace = [snap_gradient(*[t[:, m : m + 1] for t in (g, z, c)], **rule) for m in (0, 2)]
        torch.testing.assert_close(torch.cat(by_subspace, dim=1), all_at_once[:, [0, 2]])


@few
@given(cases(sizes=(1.0,), special=False, low=1), st.sampled_from([0.0, 0.1, 3.0]))
def test_look_ahead_pulls_to_the_codeword_nearest_to_where_the_step_lands(
    case: tuple, step: float
) -> None:
    g, z, c = case
    got = snap_gradient(g, z, c, form="look-ahead", step=step, strength=0.7)
    for i, m in np.ndindex(g.shape[:2]):
        G, Z, C = exact(g[i, m], z[i, m], c[i, m])
        landing = [np.linalg.norm(Z - step * G - codeword) for codeword in C]
        if gap(np.array(landing)) < 1e-4:
            continue
        expected = G + 2 * 0.7 * (Z - C[int(np.argmin(landing))]) / len(g)
        np.testing.assert_allclose(got[i, m], expected, rtol=1e-4, atol=1e-5)


def test_look_ahead_may_go_uphill_and_says_so() -> None:
    g, z = torch.tensor([[[1.0, 0.0]]]), torch.zeros(1, 1, 2)
    c = torch.tensor([[[[2.0, 0.0]]]])  # straight uphill
    snapped = snap_gradient(g, z, c, form="look-ahead", step=0.1)
    torch.testing.assert_close(snapped, torch.tensor([[[-3.0, 0.0]]]))


@pytest.mark.parametrize("form", ["replace", "pull"])
def test_fallbacks_where_all_candidates_lie_uphill(form: str) -> None:
    g, z = torch.tensor([[[1.0, 0.0]]]), torch.zeros(1, 1, 2)
    c = torch.tensor([[[[0.1, 0.1], [5.0, 0.0]]]])

    def rule(fallback: str, strength: float = 1.0) -> Tensor:
        return snap_gradient(g, z, c, form=form, fallback=fallback, strength=strength)  # type: ignore[arg-type]

    assert torch.equal(rule("zero"), torch.zeros_like(g) if form == "replace" else g)
    assert torch.equal(rule("keep"), g)
    # A weak pull to the nearest stays whole; a strong one stops just before the sum is flat.
    torch.testing.assert_close(rule("nearest"), torch.tensor([[[0.8, -0.2]]]))
    strong = rule("nearest", 100.0)
    torch.testing.assert_close(strong, torch.tensor([[[1e-3, -0.999]]]), rtol=1e-3, atol=1e-6)


@few
@given(cases(sizes=(1.0,), special=False, low=1, dtypes=(torch.float64,)))
def test_where_the_nearest_descends_a_pull_to_it_is_the_penalty(case: tuple) -> None:
    g, z, c = (t[:, :, :1] if t.ndim == 4 else t for t in case)
    c = z.unsqueeze(2) - (c - z.unsqueeze(2)) * torch.sign(
        ((c - z.unsqueeze(2)) * g.unsqueeze(2)).sum(3, keepdim=True)
    )  # turned round where it lay uphill
    snapped = snap_gradient(g, z, c, form="pull", strength=0.3)
    leaf = z.flatten(1).clone().requires_grad_()
    ((leaf * g.flatten(1)).sum() + 0.3 * quantization_penalty(leaf, c.flatten(1))).backward()
    torch.testing.assert_close(snapped.flatten(1), leaf.grad)


# The layer


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
    layer = GradientSnapping(ours, n_candidates=1, form="look-ahead", step=0.0)
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
    assert list(layer.state_dict()) == []
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


class Largest(TorchDispatchMode):
    """Remembers the most numbers that any one tensor made meanwhile holds in memory."""

    numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(tensor, Tensor):
                held = tensor.untyped_storage().nbytes() // tensor.element_size()
                self.numbers = max(self.numbers, held)
        return out


@pytest.mark.parametrize("form", FORMS)
def test_differences_to_all_codewords_are_never_held(form: str) -> None:
    N, M, K, d, n = 50, 4, 64, 8, 3
    books = np.random.default_rng(0).normal(size=(M, K, d)).astype(np.float32)
    layer = GradientSnapping(
        ProductQuantizer(M, K).with_codebooks(books),
        n_candidates=n,
        form=form,  # type: ignore[arg-type]
        fallback="nearest",
    )
    z, g = batch(N, M * d), batch(N + 1, M * d)[:N]
    with Largest() as largest:
        layer.backward_rule(g, z)
    bound = max(N * M * K, N * M * n * d)
    assert bound < N * M * K * d // 4
    assert N * M * n * d <= largest.numbers <= bound


# Bad input


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"form": "push"}, ["form out of look-ahead, pull, replace", "'push'"]),
        ({"length": 1.0}, ["length out of full, projected", "1.0"]),
        ({"fallback": None}, ["fallback out of keep, nearest, zero", "None"]),
    ],
)
def test_unknown_words_are_answered_with_the_known(
    pq: ProductQuantizer, change: dict[str, Any], words: list[str]
) -> None:
    for call in (
        lambda: snap_gradient(*make(2, 3, 2, 4, 0), **change),
        lambda: GradientSnapping(pq, **change),
    ):
        with pytest.raises(UnknownNameError) as caught:
            call()
        for word in words:
            assert word in str(caught.value)


@pytest.mark.parametrize(
    ("g", "z", "c", "words"),
    [
        ((2, 6), (2, 6), (2, 3, 4, 2), ["same shape (N, M, d)", "(2, 6) array of float32"]),
        ((2, 3, 2), (2, 3, 1), (2, 3, 4, 2), ["same shape (N, M, d)", "(2, 3, 1)"]),
        ((2, 3, 2), (2, 3, 2), (2, 3, 2), ["candidates of shape (2, 3, n, 2)", "(2, 3, 2)"]),
        ((2, 3, 2), (2, 3, 2), (1, 3, 4, 2), ["candidates of shape (2, 3, n, 2)", "(1, 3, 4, 2)"]),
        ((2, 3, 2), (2, 3, 2), (2, 3, 4, 1), ["candidates of shape (2, 3, n, 2)", "(2, 3, 4, 1)"]),
        ((2, 3, 2), (2, 3, 2), (2, 3, 0, 2), ["at least one candidate", "n = 0"]),
    ],
)
def test_shapes_that_do_not_fit_are_named(g: tuple, z: tuple, c: tuple, words: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        snap_gradient(torch.zeros(g), torch.zeros(z), torch.zeros(c))
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda q: GradientSnapping(q)(torch.zeros(2, 5)), ["shape (N, 6)", "(2, 5)", "same dim"]),
        (lambda q: GradientSnapping(q)(torch.zeros(6)), ["shape (N, 6)", "(6,)"]),
        (lambda q: GradientSnapping(q)(torch.zeros(2, 3, 2)), ["shape (N, 6)", "(2, 3, 2)"]),
        (lambda q: GradientSnapping(q)(torch.full((2, 6), torch.nan)), ["finite", "NaN", "lower"]),
        (lambda q: GradientSnapping(q)(torch.full((2, 6), torch.inf)), ["finite", "infinity"]),
        (lambda q: GradientSnapping(q, n_candidates=17), ["n_candidates", "from 1 to 16", "17"]),
        (lambda q: GradientSnapping(q, n_candidates=0), ["n_candidates", "from 1 to 16", "got 0"]),
        (lambda q: GradientSnapping(q, n_candidates=2.0), ["n_candidates a whole number", "2.0"]),
        (lambda q: GradientSnapping(q, n_candidates=True), ["n_candidates", "got True"]),
    ],
)
def test_bad_input_to_the_layer_is_named(pq: ProductQuantizer, use: Any, words: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        use(pq)
    for word in words:
        assert word in str(caught.value)


def test_an_unfitted_quantizer_is_refused_at_the_forward_pass() -> None:
    layer = GradientSnapping(ProductQuantizer(3, 16))
    with pytest.raises(NotFittedError, match=r"call fit\(X\) first"):
        layer(batch(2))


@pytest.mark.parametrize("name", ["strength", "step"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "a"])
def test_a_strength_or_step_that_cannot_work_is_refused(name: str, value: object) -> None:
    """A negative strength would push away from the codeword and could go uphill."""
    g = torch.ones(1, 1, 2)
    with pytest.raises(InvalidInputError, match=f"{name} 0 or more, finite"):
        snap_gradient(g, g, g.unsqueeze(2), **{name: value})
    with pytest.raises(InvalidInputError, match=f"{name} 0 or more, finite"):
        GradientSnapping(ProductQuantizer(1, 2), n_candidates=1, **{name: value})
