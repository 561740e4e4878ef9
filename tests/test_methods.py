"""The registry of methods: every rival is what its source says, written out once more by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from cases import ADDITIVE, KINDS, batch, drawn, random_quantizer, seeds
from hypothesis import given, settings
from hypothesis import strategies as st
from method_cases import apply_method

from gsl_tutorial import GradientSnapping, ProductQuantizer
from gsl_tutorial.course.training.methods import MethodOptions

FORMS = {
    "snap-pull": "pull",
    "snap-lookahead": "look-ahead",
    "snap-replace": "replace",
}
some = settings(max_examples=40, deadline=None)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.short_name)


@st.composite
def quantizers(draw: st.DrawFn) -> Any:
    shape = [draw(st.integers(*span)) for span in ((1, 3), (2, 6), (1, 3))]
    return random_quantizer(draw(st.sampled_from(KINDS)), *shape, draw(seeds))


# One by one


@some
@given(quantizers(), st.integers(1, 4), seeds)
def test_none_is_the_identity_and_adds_nothing(quantizer: Any, n: int, seed: int) -> None:
    z, g, _ = drawn(quantizer, n, seed)
    seen, term, through, added = apply_method("none", z, quantizer, g, strength=9.0)
    assert torch.equal(seen, z)
    assert torch.equal(through, g)
    assert float(term) == 0
    assert not added.any()


@some
@given(quantizers(), st.integers(1, 4), seeds, st.sampled_from([0.0, 0.3, 10.0]))
def test_penalty_ste_and_rotation_add_the_way_to_the_reconstruction(
    quantizer: Any, n: int, seed: int, strength: float
) -> None:
    z, g, q = drawn(quantizer, n, seed)
    for name in ("penalty", "ste", "rotation"):
        seen, term, through, added = apply_method(name, z, quantizer, g, strength=strength)
        assert float(term) == pytest.approx(
            strength * float((z - q).square().sum()) / n, rel=1e-4, abs=1e-5
        )
        torch.testing.assert_close(added, 2 * strength * (z - q) / n, rtol=1e-4, atol=1e-4)
        if name == "penalty":
            assert torch.equal(seen, z)
            assert torch.equal(through, g)
        else:
            torch.testing.assert_close(seen, q, rtol=1e-5, atol=1e-5)
        if name == "ste":  # straight through: as if the quantizer were not there
            assert torch.equal(through, g)


def rotation_onto(e: np.ndarray, c: np.ndarray) -> np.ndarray:
    """The rotation that takes unit vector e to unit vector c and leaves all across their plane alone."""
    cosine = e @ c
    across = c - cosine * e
    sine = np.linalg.norm(across)
    R = np.eye(len(e))
    if sine > 0:
        u = across / sine
        R += (cosine - 1) * (np.outer(e, e) + np.outer(u, u)) + sine * (
            np.outer(u, e) - np.outer(e, u)
        )
    return R


@some
@given(quantizers(), st.integers(1, 4), seeds)
def test_rotation_turns_and_stretches_the_gradient_back(quantizer: Any, n: int, seed: int) -> None:
    z, g, q = drawn(quantizer, n, seed)
    _, _, through, _ = apply_method("rotation", z, quantizer, g, strength=0.0)
    Z, G, Q, T = (np.asarray(quantizer.split(t)) for t in (z, g, q, through))
    for i, m in np.ndindex(Z.shape[:2]):
        length, target = np.linalg.norm(Z[i, m]), np.linalg.norm(Q[i, m])
        e, c = Z[i, m] / length, Q[i, m] / target
        if e @ c < -0.99 or length < 0.05:
            continue  # no plane of their own, or a stretch that magnifies rounding
        R = rotation_onto(e, c)
        np.testing.assert_allclose(R @ e, c, atol=1e-9)
        np.testing.assert_allclose(R @ R.T, np.eye(len(e)), atol=1e-9)
        s = target / length
        np.testing.assert_allclose(T[i, m], s * R.T @ G[i, m], rtol=1e-3, atol=1e-4 * (1 + s))


def test_rotation_keeps_the_angle_between_gradient_and_codeword() -> None:
    """The point of the trick: the gradient stands to z as it stood to q(z)."""
    quantizer = random_quantizer(ProductQuantizer, 1, 8, 5)
    z, g, q = drawn(quantizer, 50, 0)
    _, _, through, _ = apply_method("rotation", z, quantizer, g, strength=0.0)
    similarity = torch.nn.functional.cosine_similarity
    torch.testing.assert_close(similarity(through, z), similarity(g, q), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(similarity(g, z), similarity(g, q), atol=1e-2)


def test_rotation_onto_the_opposite_direction_still_arrives() -> None:
    quantizer = ProductQuantizer(1, 2).with_codebooks([[[-2.0, 0.0], [0.0, -9.0]]])
    z = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    seen, _, through, _ = apply_method("rotation", z, quantizer, torch.ones_like(z))
    torch.testing.assert_close(seen, torch.tensor([[-2.0, 0.0]], dtype=torch.float64))
    # Along e the gradient is turned round and doubled; across it no direction is special.
    assert float(through[0, 0]) == pytest.approx(-2.0)
    assert abs(float(through[0, 1])) == pytest.approx(2.0)


@some
@given(quantizers(), st.integers(1, 3), seeds, st.sampled_from([0.05, 0.5, 5.0]))
def test_soft_is_a_weighted_mean_of_codewords(
    quantizer: Any, n: int, seed: int, temperature: float
) -> None:
    z, g, _ = drawn(quantizer, n, seed)
    seen, term, through, _ = apply_method("soft", z, quantizer, g, temperature=temperature)
    assert float(term) == 0
    K = quantizer.n_codewords
    near = quantizer.candidates(z, K).numpy()  # all codewords, or the K nearest sums
    Z, S, G, T = (np.asarray(quantizer.split(t)) for t in (z, seen, g, through))
    for i, m in np.ndindex(near.shape[:2]):
        places = near[i, m] if isinstance(quantizer, ADDITIVE) else quantizer.codebooks_[m]
        places = places.astype(np.float64)
        squared = np.array([((Z[i, m] - c) ** 2).sum() for c in places])
        weights = np.exp(-(squared - squared.min()) / temperature)
        weights /= weights.sum()
        mean = sum(w * c for w, c in zip(weights, places, strict=True))
        np.testing.assert_allclose(S[i, m], mean, rtol=1e-5, atol=1e-5)
        # d mean / dz = 2 / temperature times the covariance of the codewords under the weights.
        covariance = sum(
            w * np.outer(c - mean, c - mean) for w, c in zip(weights, places, strict=True)
        )
        expected = 2 / temperature * covariance @ G[i, m]
        np.testing.assert_allclose(T[i, m], expected, rtol=1e-3, atol=1e-3)


@some
@given(quantizers(), st.integers(1, 4), seeds)
def test_soft_hardens_as_the_temperature_falls(quantizer: Any, n: int, seed: int) -> None:
    z, g, _ = drawn(quantizer, n, seed)
    near = quantizer.candidates(z, 2)
    far = (quantizer.split(z).unsqueeze(2) - near).square().sum(3)
    clear = (far[:, :, 1] - far[:, :, 0]) > 1e-3
    seen = quantizer.split(apply_method("soft", z, quantizer, g, temperature=1e-5)[0])
    torch.testing.assert_close(seen[clear], near[:, :, 0][clear], rtol=1e-5, atol=1e-5)
    hot = quantizer.split(apply_method("soft", z, quantizer, g, temperature=1e9)[0])
    everything = quantizer.candidates(z, quantizer.n_codewords).mean(2)
    torch.testing.assert_close(hot, everything, rtol=1e-5, atol=1e-5)


@some
@given(quantizers(), st.integers(1, 4), seeds, st.sampled_from([0.0, 0.3, 10.0]))
def test_the_radius_is_the_length_of_the_pull_at_any_distance(
    quantizer: Any, n: int, seed: int, strength: float
) -> None:
    z, g, q = drawn(quantizer, n, seed)
    way = quantizer.split(z - q)
    distance = way.norm(dim=2, keepdim=True)
    away = distance[..., 0] > 1e-2
    for scale in (1.0, 1e6):  # the gradient of the loss has no say in it
        seen, term, through, added = apply_method(
            "radius", z, quantizer, scale * g, strength=strength
        )
        torch.testing.assert_close(seen, q, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(through, scale * g)
        assert float(term) == pytest.approx(
            strength * float(distance.sum()) / n, rel=1e-3, abs=1e-3
        )
        pull = quantizer.split(added)
        torch.testing.assert_close(
            pull[away], (strength / n * way / distance)[away], rtol=1e-3, atol=1e-3
        )
        assert pull.norm(dim=2).max() <= strength / n * (1 + 1e-6)


@some
@given(quantizers(), st.integers(1, 4), seeds, st.sampled_from([0.0, 0.3, 10.0]))
def test_halfway_the_loss_sees_the_middle_and_the_pull_is_snapped(
    quantizer: Any, n: int, seed: int, strength: float
) -> None:
    z, g, q = drawn(quantizer, n, seed)
    seen, term, through, _ = apply_method("halfway", z, quantizer, g, strength=strength)
    torch.testing.assert_close(seen, (z + q) / 2, rtol=1e-4, atol=1e-4)
    assert float(term) == 0
    assert torch.equal(through, apply_method("snap-pull", z, quantizer, g, strength=strength)[2])
    assert (quantizer.split(through) * quantizer.split(g)).sum(2).min() >= -1e-9


@some
@given(quantizers(), st.integers(1, 4), seeds, st.sampled_from([0.3, 1.0, 10.0]))
def test_the_relative_pull_has_no_unit_and_never_goes_uphill(
    quantizer: Any, n: int, seed: int, strength: float
) -> None:
    z, g, _ = drawn(quantizer, n, seed)

    def through(g: Any, strength: float = strength) -> Any:
        seen, term, found, _ = apply_method("pull-relative", z, quantizer, g, strength=strength)
        assert torch.equal(seen, z)
        assert float(term) == 0
        return found

    found = through(g)
    torch.testing.assert_close(through(1e3 * g), 1e3 * found, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(through(g, 0.0), g)
    torch.testing.assert_close(through(g, 2 * strength) - g, 2 * (found - g), rtol=1e-6, atol=1e-9)
    snapped, of = quantizer.split(found), quantizer.split(g)
    assert (snapped * of).sum(2).min() >= -1e-9
    length = (snapped - of).norm(dim=2) / of.norm(dim=2)
    whole = torch.isclose(length, torch.full_like(length, strength), rtol=1e-4)
    # A rotation of float32 numbers is orthonormal up to their rounding.
    assert (whole | (length < 1e-5 * (1 + strength))).all(), (
        "a pull of |g| times the strength, or none"
    )


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
    name: str, form: Any, options: MethodOptions
) -> None:
    quantizer = random_quantizer(ProductQuantizer, 3, 16, 2)
    layer = GradientSnapping(
        quantizer,
        n_candidates=options.n_candidates,
        form=form,
        length=options.length,  # type: ignore[arg-type]
        fallback=options.fallback,  # type: ignore[arg-type]
        strength=options.strength,
        step=options.step,
    )
    z, g = batch(40, 6, 0), batch(40, 6, 1)
    seen, term, through, _ = apply_method(name, z, quantizer, g, **vars(options))
    assert torch.equal(seen, z)
    assert float(term) == 0
    torch.testing.assert_close(through, layer.backward_rule(g, z))
    assert not torch.allclose(through, g)


@each_kind
def test_more_candidates_than_there_are_are_all_of_them(kind: Any) -> None:
    quantizer = random_quantizer(kind, 2, 3, 2)
    most = quantizer.most_candidates
    z, g = batch(20, 4, 0), batch(20, 4, 1)
    asked = {
        n: apply_method("snap-pull", z, quantizer, g, n_candidates=n)[2] for n in (3, most, 99)
    }
    assert torch.equal(asked[most], asked[99])
    if kind in ADDITIVE:  # nine sums, more than the codewords of a stage
        assert not torch.equal(asked[3], asked[99])


# Ablations


def _chosen_by_hand(name: str, away: Any, g: Any) -> int | None:
    """Position of the codeword to pull to, or None; `away` (n, d) are candidates less z."""
    if name == "pull-second":
        return 1
    order = range(len(away)) if name == "pull-near-descending" else reversed(range(len(away)))
    return next((j for j in order if float(away[j] @ g) < 0), None)


@some
@given(
    quantizers(),
    st.integers(1, 4),
    seeds,
    st.sampled_from(["second", "near-descending", "farthest"]),
)
def test_ablations_pull_to_the_codeword_that_they_say(
    quantizer: Any, n: int, seed: int, kind: str
) -> None:
    name, N = f"pull-{kind}", n
    z, g, _ = drawn(quantizer, N, seed)
    seen, term, through, _ = apply_method(name, z, quantizer, g, strength=3.0)
    assert torch.equal(seen, z)
    assert float(term) == 0
    most = min(4, quantizer.most_candidates)
    away = quantizer.candidates(z, most) - quantizer.split(z).unsqueeze(2)
    pull, of = quantizer.split(through - g), quantizer.split(g)
    for i in range(N):
        for m in range(away.shape[1]):
            j = _chosen_by_hand(name, away[i, m], of[i, m])
            expected = torch.zeros_like(pull[i, m]) if j is None else -6.0 / N * away[i, m, j]
            torch.testing.assert_close(pull[i, m], expected, rtol=1e-5, atol=1e-6)


def test_the_random_pull_goes_to_every_candidate_about_as_often_and_always_to_the_same() -> None:
    quantizer = random_quantizer(ProductQuantizer, 2, 8, 3)
    z, g = batch(2000, 6, 0).double(), batch(2000, 6, 1).double()
    through = apply_method("pull-random", z, quantizer, g, strength=1000.0)[2]
    assert torch.equal(
        through, apply_method("pull-random", z, quantizer, -g, strength=1000.0)[2] + 2 * g
    )
    away = quantizer.candidates(z, 4) - quantizer.split(z).unsqueeze(2)
    pull = quantizer.split(through - g).unsqueeze(2)
    to = (pull + away).square().sum(3).argmin(2)  # 2 x 1000 / 2000 = 1: the pull is the way there
    share = torch.bincount(to.flatten(), minlength=4) / to.numel()
    assert share.min() > 0.2
    assert share.max() < 0.3
