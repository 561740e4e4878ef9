"""The promises of the rule, as properties: never uphill, at a candidate, as its slow twin says."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from cases import RULES, cosines, exact, gap, rules, snapping_case, snapping_cases, tolerance
from hypothesis import given, settings
from torch import Tensor
from twins import DEVICES

from gsl_tutorial import snap_gradient
from gsl_tutorial.snapping.by_hand import snap_gradient_numpy

many = settings(max_examples=150, deadline=None)


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
@given(snapping_cases(), rules)
def test_never_uphill_and_always_finite(case: tuple, rule: dict[str, Any]) -> None:
    assert_never_uphill(*case, rule)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
def test_never_uphill_on_a_batch(rule: dict[str, Any], dtype: torch.dtype, device: str) -> None:
    for seed, size, strength in product(range(2), (1e-30, 1.0, 1e30), (0.1, 100.0)):
        case = snapping_case(64, 3, 4, 3, seed, dtype=dtype, size=size, special=True)
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
@given(snapping_cases(sizes=(0.1, 1.0, 10.0)), rules)
def test_the_snapped_part_points_at_the_right_candidate(case: tuple, rule: dict[str, Any]) -> None:
    assert_points_at_a_candidate(*case, rule)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
def test_a_batch_points_at_the_right_candidates(rule: dict[str, Any], device: str) -> None:
    case = snapping_case(40, 2, 3, 4, 5, special=True)
    rule = rule | {"strength": 0.7, "step": 0.2}
    assert_points_at_a_candidate(*[t.to(device) for t in case], rule)


# The same as its twin, in either precision


@many
@given(snapping_cases(dtypes=(torch.float64,)), rules)
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
@given(snapping_cases(dtypes=(torch.float64,), sizes=(0.1, 1.0, 10.0)), rules)
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


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
def test_devices_agree(rule: dict[str, Any], device: str) -> None:
    case = snapping_case(50, 3, 4, 5, 1)
    got = snap_gradient(*[t.to(device) for t in case], **rule).cpu()
    expected = snap_gradient_numpy(*exact(*case), **rule)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)
