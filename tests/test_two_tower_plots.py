"""The drawings of chapter 11 at both ends of their arguments: never blank, never a warning."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from gsl_tutorial.course.plots import two_tower
from gsl_tutorial.course.plots.style import png

RNG = np.random.default_rng(0)


def _map(n: int, n_cells: int) -> Figure:
    cells = np.arange(n) % n_cells
    flat = two_tower.flat_map(RNG.normal(size=(n, 6)), cells)
    mates = np.flatnonzero(cells == cells[0])[1:3]
    return two_tower.draw_negatives_map(flat, cells, 0, mates.tolist(), [n - 1])


def _course(n_groups: int, epochs: int) -> Figure:
    kinds = {
        kind: {key: RNG.uniform(size=(3, epochs)) for key in ("outscores", "pressure")}
        for kind in two_tower.KINDS
    }
    kinds["same cell"]["outscores"][:, 0] = np.nan
    return two_tower.draw_course({f"world {i}": kinds for i in range(n_groups)})


def _arms(n: int) -> Figure:
    names = ["uniform", *(f"arm {i}" for i in range(n - 1))]
    values = [(float(RNG.uniform()), 0.02 * (i > 0)) for i in range(n)]
    return two_tower.draw_arms(names, {"recall@10": values, "popularity@10": values}, title="x")


def _codes(sizes: tuple[int, ...]) -> Figure:
    row = {size: (0.3 - 0.1 / size if size else 0.3, 0.01) for size in sizes}
    return two_tower.draw_codes({"a": {"none": {0: (0.3, 0.0), **row}, "snap-pull": row}})


DRAWINGS: dict[str, Callable[[], Figure]] = {
    "map, smallest": lambda: _map(4, 2),
    "map, one cell": lambda: _map(5, 1),
    "map, large": lambda: _map(900, 8),
    "course, one epoch": lambda: _course(1, 1),
    "course": lambda: _course(2, 6),
    "arms, one": lambda: _arms(1),
    "arms, many": lambda: _arms(11),
    "knob": lambda: two_tower.draw_knob(
        [0, 2, 6], {"recall@10": {"text": [(0, 0.01)] * 3, "raw": [(-0.1, 0)] * 3}}
    ),
    "knob, one value": lambda: two_tower.draw_knob([0], {"r": {"text": [(0.1, 0)]}}),
    "codes": lambda: _codes((8, 16, 32)),
    "codes, one size": lambda: _codes((8,)),
    "trials": lambda: two_tower.draw_trials(
        {"a": {"uniform": [("x", 0.3), ("y", 0.31)], "hard": [("30 cells", 0.29)]}}, xlabel="R"
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_draw_and_do_not_warn(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = np.asarray(Image.open(io.BytesIO(png(DRAWINGS[name]()))).convert("L"))
    assert picture.std() > 5


def test_the_map_is_the_plane_in_which_cells_lie_apart() -> None:
    means = np.array([[3.0, 0, 0], [-3, 0, 0], [0, 2, 0], [0, -2, 0]])
    cells = np.repeat(np.arange(4), 20)
    flat = two_tower.flat_map(means[cells], cells)
    assert np.allclose(
        np.linalg.norm(flat[0] - flat[20]), 6
    )  # the distances in that plane are kept
    assert np.allclose(np.linalg.norm(flat[40] - flat[60]), 4)
