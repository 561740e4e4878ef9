"""The rate of a training: a triangle with its top at a fifth."""

from __future__ import annotations

import pytest

from gsl_tutorial.course.training.optimizer import triangle


@pytest.mark.parametrize(
    ("share", "factor"),
    [(0.0, 0.02), (0.1, 0.5), (0.2, 1.0), (0.24, 0.95), (0.6, 0.5), (1.0, 0.02)],
)
def test_the_rate_rises_for_a_fifth_and_falls_from_there(share: float, factor: float) -> None:
    assert triangle(share) == pytest.approx(factor)
