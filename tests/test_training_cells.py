"""What becomes of the cells: shares that a slow twin finds too."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsl_tutorial.course.training.cells import cell_measures


@given(
    st.integers(1, 40), st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(0, 99)
)
def test_the_slow_twin_agrees(n: int, M: int, K: int, n_classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes, before = rng.integers(0, K, (2, n, M))
    labels = rng.integers(0, n_classes, n)
    found = cell_measures(codes, labels, before)

    def purity(cells: list[tuple[int, ...]]) -> tuple[float, float]:
        inside: dict[tuple[int, ...], Counter[int]] = {cell: Counter() for cell in cells}
        for cell, label in zip(cells, labels, strict=True):
            inside[cell][label] += 1
        most = sum(max(count.values()) for count in inside.values())
        return most / n, sum(len(count) == 1 for count in inside.values()) / len(inside)

    whole = [tuple(row) for row in codes.tolist()]
    each = [purity([(c,) for c in column])[0] for column in codes.T.tolist()]
    moved = [a != b for a, b in zip(codes.tolist(), before.tolist(), strict=True)]
    assert (found["purity"], found["pure_cells"]) == pytest.approx(purity(whole))
    assert found["codeword_purity"] == pytest.approx(np.mean(each))
    assert found["moved"] == pytest.approx(np.mean(moved))
    assert found["codeword_moved"] == pytest.approx((codes != before).mean())
    assert found["codeword_moved"] <= found["moved"] <= M * found["codeword_moved"] + 1e-9
    assert found["purity"] >= found["codeword_purity"] - 1e-9


def test_without_a_round_before_nothing_is_said_of_moves() -> None:
    codes = np.array([[0, 1], [1, 1]])
    assert set(cell_measures(codes, np.array([0, 1]))) == {
        "purity",
        "pure_cells",
        "codeword_purity",
    }
    assert cell_measures(codes, np.array([0, 1]), codes)["moved"] == 0
