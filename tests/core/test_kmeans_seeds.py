"""The door to faiss: every point counts, and a seed is a seed however large."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_quantizers_contract import correlated, each_kind

from gsl_tutorial.quantizers.kmeans import kmeans, seed_from


def test_no_point_is_left_out_however_many_there_are() -> None:
    X = np.arange(3000, dtype=np.float32).reshape(-1, 1)
    np.testing.assert_allclose(kmeans(X, 1, seed=0), [[1499.5]], rtol=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 40_000, 2**31 - 1, np.int64(2**31 - 1)])
def test_a_seed_that_faiss_can_take_is_taken_as_it_is(seed: int) -> None:
    assert seed_from(seed) == seed


@each_kind
def test_the_largest_seed_serves_every_stage(kind: Any) -> None:
    fitted = kind(2, 4, random_state=2**31 - 1).fit(correlated(40))
    assert fitted.usage_.sum() == 2 * 40
