"""Every method on every quantizer: finite, of the right shape, exact on a codeword; and bad input."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
import torch
from cases import KINDS, batch, drawn, random_quantizer
from method_cases import apply_method

from gsl_tutorial import ProductQuantizer
from gsl_tutorial.course.training.ablations import ABLATIONS
from gsl_tutorial.course.training.config import TrainingConfig
from gsl_tutorial.course.training.method_names import NAMES, OTHER_NAMES, named
from gsl_tutorial.course.training.methods import (
    METHODS,
    MethodOptions,
    get_method,
    nearest_reconstruction,
)
from gsl_tutorial.errors import InvalidInputError, NotFittedError, UnknownNameError

PLAIN = {"none", "penalty", "ste", "rotation", "soft", "radius", "halfway", "pull-relative"}
SNAPS = {"snap-pull", "snap-lookahead", "snap-replace"}
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.short_name)


@each_kind
@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_method_is_finite_everywhere(kind: Any, name: str, dtype: torch.dtype) -> None:
    for shape in ((1, 2, 1), (1, 5, 3), (3, 4, 2)):
        quantizer = random_quantizer(kind, *shape)
        on_codeword = quantizer.decode(np.zeros((1, shape[0]), dtype=int))
        places = {
            "anywhere": batch(5, quantizer.dim_),
            "one": batch(1, quantizer.dim_),
            "on a codeword": torch.from_numpy(on_codeword),
            "at the origin": torch.zeros(2, quantizer.dim_),
            "none": batch(0, quantizer.dim_),
        }
        for where, z in places.items():
            z = z.to(dtype)
            for g in (torch.ones_like(z), torch.zeros_like(z)):
                seen, term, through, added = apply_method(name, z, quantizer, g)
                assert seen.shape == through.shape == z.shape
                assert seen.dtype == term.dtype == through.dtype == dtype
                assert term.shape == ()
                for values in (seen, through, added, *([term] if len(z) else [])):
                    assert torch.isfinite(values).all(), (where, shape)


@each_kind
@pytest.mark.parametrize("name", METHODS)
def test_on_a_codeword_the_added_term_vanishes_and_the_loss_sees_the_codeword(
    kind: Any, name: str
) -> None:
    quantizer = random_quantizer(kind, 2, 4, 3)
    z = torch.from_numpy(quantizer.decode(np.array([[1, 2], [3, 0]])))
    seen, term, _, added = apply_method(name, z, quantizer, torch.ones_like(z), temperature=1e-3)
    torch.testing.assert_close(seen, z, rtol=1e-4, atol=1e-4)
    # A step of fixed length does not shrink with the distance, so rounding shows: the term of the radius
    # is as small as the distance, where others square it, and its gradient is bounded by the strength.
    linear = name == "radius"
    assert float(term) == pytest.approx(0, abs=1e-5 if linear else 1e-9)
    assert added.abs().max() < (MethodOptions().strength if linear else 1e-3)


@each_kind
@pytest.mark.parametrize("name", METHODS)
def test_single_and_double_precision_agree(kind: Any, name: str) -> None:
    quantizer = random_quantizer(kind, 2, 8, 3)
    z, g = batch(30, 6, 0), batch(30, 6, 1)
    double = apply_method(name, z.double(), quantizer, g.double())
    for one, other in zip(apply_method(name, z, quantizer, g), double, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-3, atol=1e-3)


@each_kind
def test_the_nearest_reconstruction_is_a_constant(kind: Any) -> None:
    quantizer = random_quantizer(kind, 2, 8, 3)
    z, _, q = drawn(quantizer, 20, 0)
    found = nearest_reconstruction(z.requires_grad_(), quantizer)
    assert not found.requires_grad
    torch.testing.assert_close(found, q, rtol=1e-5, atol=1e-5)


# Words


def test_methods_see_the_quantizer_of_this_round() -> None:
    zeros = ProductQuantizer(3, 16).with_codebooks(np.zeros((3, 16, 2)))
    _, term = get_method("penalty")(batch(5), zeros, MethodOptions(strength=1.0))
    assert float(term) == pytest.approx(float(batch(5).square().sum(1).mean()), rel=1e-6)


def test_the_registry() -> None:
    assert set(METHODS) == {*PLAIN, *SNAPS, *ABLATIONS}
    assert all(get_method(name) is METHODS[name] for name in METHODS)
    assert set(OTHER_NAMES.values()) <= set(METHODS)
    assert not set(OTHER_NAMES) & set(METHODS), "a method has one name in every table"


def test_readers_meet_one_name_of_each_method() -> None:
    assert set(NAMES) == set(METHODS)
    assert len(set(NAMES.values())) == len(NAMES)
    for old, new in OTHER_NAMES.items():
        assert named(old) == named(new) == NAMES[new]
    assert named("GreedyHash") == "GreedyHash"
    assert get_method("snap") is METHODS["snap-pull"]
    assert TrainingConfig.from_dict({"method": "snap"}) == TrainingConfig(method="snap-pull")
    assert MethodOptions().strength > 0
    with pytest.raises(FrozenInstanceError):
        MethodOptions().strength = 0.0  # type: ignore[misc]


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
        ({"temperature": 0.0}, "temperature above 0, finite; got 0"),
        ({"temperature": 0}, "temperature above 0"),
        ({"temperature": -0.1}, "temperature 0 or more, finite; got -0.1"),
        ({"temperature": float("inf")}, "temperature 0 or more, finite"),
    ],
)
def test_options_are_checked_when_made(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        MethodOptions(**options)


@pytest.mark.parametrize("name", ["snapp", "", None, "PENALTY", []])
def test_an_unknown_method_is_answered_with_the_known(name: Any) -> None:
    with pytest.raises(UnknownNameError) as caught:
        get_method(name)
    assert ", ".join(sorted(METHODS)) in str(caught.value)
    assert repr(name) in str(caught.value)


@each_kind
@pytest.mark.parametrize("name", sorted(set(METHODS) - {"none"}))
def test_methods_pass_bad_input_on(kind: Any, name: str) -> None:
    with pytest.raises(NotFittedError):
        get_method(name)(batch(3), kind(3, 16), MethodOptions())
    with pytest.raises(InvalidInputError, match=r"\(N, 6\)"):
        get_method(name)(batch(3, 5), random_quantizer(kind, 3, 8, 2), MethodOptions())


def test_a_sub_vector_at_the_origin_has_no_direction_to_turn() -> None:
    """The rotation trick knows no way from the origin to a codeword: the loss sees the origin."""
    quantizer = random_quantizer(ProductQuantizer, 2, 4, 3)
    z = batch(4)
    z[:, :3] = 0
    seen, _, through, added = apply_method("rotation", z, quantizer, torch.ones_like(z))
    q = torch.from_numpy(quantizer.decode(quantizer.encode(z.numpy())))
    torch.testing.assert_close(seen[:, 3:], q[:, 3:], rtol=1e-4, atol=1e-4)
    assert not seen[:, :3].any()
    torch.testing.assert_close(added, 2 * 10.0 * (z - q) / 4, rtol=1e-4, atol=1e-4)
    assert torch.isfinite(through).all()
