"""What the rule and the layer say to arguments that cannot work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from cases import batch, snapping_case

from gsl_tutorial import GradientSnapping, ProductQuantizer, snap_gradient
from gsl_tutorial.errors import InvalidInputError, NotFittedError, UnknownNameError


@pytest.fixture(scope="module")
def pq() -> ProductQuantizer:
    X = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    return ProductQuantizer(3, 16, random_state=0).fit(X)


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
        lambda: snap_gradient(*snapping_case(2, 3, 2, 4, 0), **change),
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
        (
            lambda q: GradientSnapping(q)(torch.zeros(2, 3, 2)),
            ["shape (N, 6)", "(2, 3, 2)", "flatten(1)"],
        ),
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
