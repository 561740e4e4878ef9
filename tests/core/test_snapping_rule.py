"""The rule, formula by formula, at its edges, and what it says to bad input."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from cases import FALLBACKS, FORMS, RULES, exact, gap, rules, snapping_case, snapping_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gsl_tutorial import snap_gradient

few = settings(max_examples=40, deadline=None)


# The formulas, one by one


def test_replace_has_the_projected_or_the_whole_length() -> None:
    g, z = torch.tensor([[[3.0, 4.0]]]), torch.tensor([[[1.0, 1.0]]])
    c = z.unsqueeze(2) + torch.tensor([[[[-2.0, 0.0], [5.0, 0.0]]]])
    projected = snap_gradient(g, z, c, form="replace", length="projected")
    torch.testing.assert_close(projected, torch.tensor([[[3.0, 0.0]]]))
    full = snap_gradient(g, z, c, form="replace", length="full")
    torch.testing.assert_close(full, torch.tensor([[[5.0, 0.0]]]))


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e-3, 1e6])
def test_how_far_the_codewords_are_changes_no_replaced_gradient(scale: float) -> None:
    g, z, c = snapping_case(20, 3, 4, 5, 0, dtype=torch.float64)
    z = torch.zeros_like(z)  # so that tiny distances lose no digits
    for length in ("projected", "full"):
        near, far = (snap_gradient(g, z, k * c, form="replace", length=length) for k in (scale, 1))  # type: ignore[arg-type]
        torch.testing.assert_close(near, far)
        assert far.abs().max() > 0


def test_the_best_aligned_is_chosen_not_the_nearest_nor_the_steepest() -> None:
    g, z = torch.tensor([[[1.0, 0.0]]]), torch.zeros(1, 1, 2)
    # Nearest but askew; far and steep (largest <-g, d>) but askew; aligned.
    c = torch.tensor([[[[-0.1, 0.1], [-9.0, 9.0], [-1.0, 0.01], [4.0, 0.0]]]])
    snapped = snap_gradient(g, z, c, form="pull", strength=0.5)
    torch.testing.assert_close(snapped, g - c[:, :, 2])


@few
@given(snapping_cases(sizes=(1.0,), special=False, low=1), st.sampled_from([0.03, 1.0, 50.0]))
def test_pull_is_the_gradient_and_the_penalty_to_one_codeword(case: tuple, strength: float) -> None:
    g, z, c = (t[:, :, :1] if t.ndim == 4 else t for t in case)
    nearest = c.squeeze(2)
    descends = ((nearest - z) * -g).sum(2, keepdim=True) > 0
    expected = g + 2 * strength * (z - nearest) / len(g)
    got = snap_gradient(g, z, c, form="pull", strength=strength)
    torch.testing.assert_close(got, torch.where(descends, expected, g))


@pytest.mark.parametrize("form", ["pull", "look-ahead"])
def test_a_pull_of_no_strength_is_the_gradient(form: str) -> None:
    g, z, c = snapping_case(20, 3, 4, 5, 0, dtype=torch.float32)
    for fallback in FALLBACKS:
        assert torch.equal(snap_gradient(g, z, c, form=form, fallback=fallback, strength=0.0), g)  # type: ignore[arg-type]


def test_a_pull_is_spread_over_the_batch_and_replace_is_not() -> None:
    g, z, c = snapping_case(1, 2, 3, 4, 0)
    one = {form: snap_gradient(g, z, c, form=form) for form in FORMS}
    ten = {
        form: snap_gradient(*[t.expand(10, *t.shape[1:]) for t in (g, z, c)], form=form)[:1]
        for form in FORMS
    }
    torch.testing.assert_close(ten["replace"], one["replace"])
    for form in ("pull", "look-ahead"):
        torch.testing.assert_close((ten[form] - g) * 10, one[form] - g)


def test_vectors_do_not_see_each_other() -> None:
    g, z, c = snapping_case(8, 3, 2, 4, 0, special=True)
    for rule in RULES:
        all_at_once = snap_gradient(g, z, c, **rule)
        order = torch.randperm(8, generator=torch.Generator().manual_seed(0))
        shuffled = snap_gradient(g[order], z[order], c[order], **rule)
        torch.testing.assert_close(shuffled, all_at_once[order])
        by_subspace = [snap_gradient(*[t[:, m : m + 1] for t in (g, z, c)], **rule) for m in (0, 2)]
        torch.testing.assert_close(torch.cat(by_subspace, dim=1), all_at_once[:, [0, 2]])


@few
@given(snapping_cases(sizes=(1.0,), special=False, low=1), st.sampled_from([0.0, 0.1, 3.0]))
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
    snapped = snap_gradient(g, z, c, form="look-ahead", step=0.1, strength=1.0)
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
@given(snapping_cases(sizes=(1.0,), special=False, low=1, dtypes=(torch.float64,)))
def test_where_the_nearest_descends_a_pull_to_it_is_the_penalty(case: tuple) -> None:
    g, z, c = (t[:, :, :1] if t.ndim == 4 else t for t in case)
    c = z.unsqueeze(2) - (c - z.unsqueeze(2)) * torch.sign(
        ((c - z.unsqueeze(2)) * g.unsqueeze(2)).sum(3, keepdim=True)
    )  # turned round where it lay uphill
    snapped = snap_gradient(g, z, c, form="pull", strength=0.3)
    leaf = z.flatten(1).clone().requires_grad_()
    ((leaf * g.flatten(1)).sum() + 0.3 * (leaf - c.flatten(1)).square().sum(1).mean()).backward()
    torch.testing.assert_close(snapped.flatten(1), leaf.grad)


# Edges


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_edges_are_finite(rule: dict[str, Any], dtype: torch.dtype) -> None:
    huge = min(1e30, float(torch.finfo(dtype).max) / 16)
    for size, (N, M, d, n) in product((0.0, 1e-30, 1.0, huge), [(1, 1, 1, 1), (1, 2, 3, 4)]):
        g, z, c = snapping_case(N, M, d, n, 3, dtype=dtype)
        g = (g.clamp(-2, 2) * size).to(dtype)
        for place in (z, c[:, :, 0]):  # anywhere, and on the nearest codeword
            assert torch.isfinite(snap_gradient(g, place, c, **rule)).all()
        same = z.unsqueeze(2).expand_as(c)  # every candidate where z is already
        assert torch.isfinite(snap_gradient(g, z, same, **rule)).all()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
def test_where_there_is_no_gradient_nothing_descends(rule: dict[str, Any]) -> None:
    _, z, c = snapping_case(6, 2, 3, 4, 0)
    zero = torch.zeros_like(z)
    snapped = snap_gradient(zero, z, c, strength=1.0, **rule)
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
        g, z, c = snapping_case(4, 2, d, 3, 0)
        g[1, 1, 0] = bad
        if on_codeword:
            c = z.unsqueeze(2).expand_as(c)
        snapped = snap_gradient(g, z, c, **rule)
        assert not torch.isfinite(snapped[1, 1]).all()
        snapped[1, 1] = 0
        assert torch.isfinite(snapped).all()  # and stays where it is


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
def test_arguments_are_left_alone(rule: dict[str, Any]) -> None:
    case = snapping_case(5, 2, 3, 4, 0, special=True)
    before = [t.clone() for t in case]
    snapped = snap_gradient(*case, **rule)
    snapped.fill_(7.0)  # the result is nobody else's memory
    for tensor, old in zip(case, before, strict=True):
        assert torch.equal(tensor, old)


def test_no_vectors_no_gradient() -> None:
    for rule in RULES:
        assert snap_gradient(*snapping_case(0, 2, 3, 4, 0), **rule).shape == (0, 2, 3)


@few
@given(snapping_cases(sizes=(1.0,), dtypes=(torch.float32,)), st.integers(-90, 90), rules)
def test_replace_scales_with_the_gradient(case: tuple, power: int, rule: dict[str, Any]) -> None:
    g, z, c = case
    rule = rule | {"form": "replace", "fallback": "zero"}
    once, scaled = (snap_gradient(h, z, c, **rule) for h in (g, g * 2.0**power))
    torch.testing.assert_close(scaled, once * 2.0**power, rtol=1e-6, atol=1e-45)
