"""The drawings of chapter 03: each at both ends of its arguments, never blank, never a warning."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.plane import Plane, descend
from gsl_tutorial.plots import product, product_charts, retrieval
from gsl_tutorial.plots.plane import draw_fields, draw_paths, draw_snap
from gsl_tutorial.plots.style import png, show

RNG = np.random.default_rng(0)


def _books(M: int, K: int, dim: int = 64) -> np.ndarray:
    return RNG.uniform(size=(M, K, dim // M))


def _coding(M: int, K: int) -> Figure:
    return product.draw_coding(RNG.uniform(size=64), _books(M, K), RNG.integers(K, size=M))


def _table(M: int, K: int, scale: float = 3.0) -> Figure:
    code = RNG.integers(K, size=M)
    return product.draw_lookup_table(scale * RNG.uniform(size=(M, K)), code)


def _errors(n: int) -> Figure:
    true = RNG.uniform(1, 9, size=n)
    return product_charts.draw_distance_errors(true, {"ADC": true - 1, "SDC": true * 0.8})


def _dials(pairs: list[tuple[int, int]], value: float = 1.0) -> Figure:
    M, K = np.array(pairs).T
    values = value * np.linspace(0, 1, len(pairs))
    return product_charts.draw_dials(M, K, {"distortion": 1 - values, "recall": values})


PLANE = Plane(np.array([[-0.8, 0.7], [0.1, 0.1], [0.8, -0.8], [0.7, 0.8]]), np.array([-0.4, 0.4]))
POINTS = RNG.uniform(-1, 1, size=(9, 2))


def _gallery(with_pictures: bool) -> Figure:
    right = np.array([[True, False, True], [False, False, False]])
    return retrieval.draw_gallery(
        [RNG.uniform(size=(8, 8)) if with_pictures else None] * 2,
        [[RNG.uniform(size=(8, 8)) if with_pictures else None] * 3] * 2,
        right,
        query_names=["cat", "dog"],
        neighbour_names=[["cat", "automobile", "cat"]] * 2,
    )


def _history(n: int) -> list[dict[str, float]]:
    return [{"round": i, "loss": 1 / i, "relative_distortion": 0.1 / i} for i in range(1, n + 1)]


DRAWINGS: dict[str, Callable[[], Figure]] = {
    "snap, far corner": lambda: draw_snap(PLANE, (-1.2, -1.2), n=4, strength=0.0),
    "snap, on the partner": lambda: draw_snap(PLANE, PLANE.partner, form="pull", strength=3.0),
    "snap, on a codeword": lambda: draw_snap(PLANE, PLANE.codewords[1], n=1, fallback="nearest"),
    "snap, other corner": lambda: draw_snap(PLANE, (1.2, 1.2), form="look-ahead", step=2.0),
    "snap, one codeword": lambda: draw_snap(Plane(np.zeros((1, 2)), np.ones(2)), (0, 0), n=1),
    "fields": lambda: draw_fields(
        PLANE, {"zero": 0 * POINTS, "up": -PLANE.gradient(POINTS)}, POINTS
    ),
    "paths": lambda: draw_paths(PLANE, {"pull": descend(PLANE, POINTS, "pull", n_steps=0)}),
    "gallery of pictures": lambda: _gallery(True),
    "gallery of names": lambda: _gallery(False),
    "bars": lambda: retrieval.draw_map_bars({"one": {"ADC": 0.0, "SDC": 1.0}}),
    "history": lambda: retrieval.draw_history({"none": _history(1), "snap": _history(9)}),
    "curves": lambda: retrieval.draw_pr_curves({"one": (np.ones(1), np.ones(1))}),
    "confusion": lambda: retrieval.draw_confusion(np.eye(3), ["a", "b", "c"]),
    "costs": lambda: product.draw_codebook_costs(
        range(8, 65, 8), {"one": [2.0**b for b in range(8, 65, 8)]}, {"images": 1000}
    ),
    "costs, one point, no limit": lambda: product.draw_codebook_costs([8], {"one": [256]}, {}),
    "one piece": lambda: product.draw_pieces(RNG.uniform(size=64), 1),
    "four pieces": lambda: product.draw_pieces(RNG.uniform(size=64), 4),
    "pieces of one pixel": lambda: product.draw_pieces(RNG.uniform(size=64), 64),
    "codebooks 1 x 2": lambda: product.draw_codebooks(_books(1, 2), width=8),
    "codebooks 4 x 16": lambda: product.draw_codebooks(_books(4, 16), width=8),
    "codebooks 16 x 2, half lines": lambda: product.draw_codebooks(_books(16, 2), width=8),
    "codebooks 2 x 256": lambda: product.draw_codebooks(_books(2, 256), width=8),
    "coding, one piece": lambda: _coding(1, 2),
    "coding, eight pieces": lambda: _coding(8, 256),
    "coding, sixteen pieces": lambda: _coding(16, 4),
    "one image": lambda: product.draw_images({"pixels": RNG.uniform(size=(1, 64))}),
    "rows of unequal length": lambda: product.draw_images(
        {"many": RNG.uniform(size=(10, 64)), "few": RNG.uniform(size=(2, 64))}
    ),
    "table 1 x 2": lambda: _table(1, 2),
    "table 4 x 16": lambda: _table(4, 16),
    "table 16 x 256, no numbers": lambda: _table(16, 256),
    "table of zeros": lambda: _table(4, 16, scale=0.0),
    "one pair": lambda: _errors(1),
    "many pairs": lambda: _errors(800),
    "dials, one point": lambda: _dials([(1, 16)]),
    "dials, many": lambda: _dials([(M, K) for K in (16, 64, 256) for M in (1, 2, 4, 8)]),
    "dials, all zero": lambda: _dials([(1, 16), (2, 16)], value=0.0),
    "dials, more lines than looks": lambda: _dials([(2, 2**b) for b in range(1, 9)]),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_draws_and_the_picture_is_not_blank(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = png(DRAWINGS[name](), dpi=50)
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("L"))
    ink = (pixels < 200).mean()
    assert 0.001 < ink < 0.95
    assert max(pixels.shape) < 1400


def test_drawing_changes_nothing() -> None:
    z, books, code = RNG.uniform(size=64), _books(4, 16), RNG.integers(16, size=4)
    before = [array.copy() for array in (z, books, code)]
    png(product.draw_coding(z, books, code))
    png(product.draw_codebooks(books, width=8))
    png(product.draw_pieces(z, 4))
    for array, kept in zip((z, books, code), before, strict=True):
        assert np.array_equal(array, kept)


def test_the_same_data_gives_the_same_bytes() -> None:
    z, books = RNG.uniform(size=64), _books(4, 16)
    once, twice = (png(product.draw_coding(z, books, np.arange(4))) for _ in range(2))
    assert once == twice


def test_the_title_of_the_table_is_its_sum() -> None:
    table = np.arange(8.0).reshape(2, 4)
    axes = product.draw_lookup_table(table, np.array([3, 0])).axes[0]
    assert axes.get_title(loc="left") == "code [3 0]:  3.00 + 4.00 = 7.00"


@pytest.mark.parametrize("level", np.linspace(0, 1, 11))
def test_numbers_on_the_heat_map_can_be_read(level: float) -> None:
    """Black or white on grey, whichever it is, has a contrast of 4.5 to 1 (WCAG AA)."""
    linear = level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4
    text = 0.0 if product._readable_on((level, level, level)) == product.BLACK else 1.0
    light, dark = max(linear, text), min(linear, text)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_uphill_places_are_counted_in_the_title() -> None:
    half = PLANE.gradient(POINTS)
    half[:3] *= -1
    assert "33% uphill" in draw_fields(PLANE, {"mixed": half}, POINTS).axes[0].get_title()


def test_the_read_out_of_the_snap_says_uphill_where_the_penalty_goes_uphill() -> None:
    """Beside its partner, with a strong pull to a codeword on the other side."""
    plane = Plane(np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([-0.5, 0.0]))
    title = (
        draw_snap(plane, (0.1, 0.0), n=2, form="pull", strength=3.0).axes[0].get_title(loc="left")
    )
    assert title == "penalty: UPHILL, cos -1.00\nsnapped: downhill, cos +1.00"


def test_widget_redraws_on_every_control_and_keeps_the_picture_when_a_value_is_bad() -> None:
    from gsl_tutorial.widgets import SnapSliders

    sliders = SnapSliders(PLANE)
    seen = {sliders._image.value}
    for name, value in [("x", 0.3), ("y", 0.0), ("strength", 1.0), ("n", 2), ("form", "pull")]:
        sliders._controls[name].value = value
        assert sliders.values[name] == value
        seen.add(sliders._image.value)
    assert len(seen) == 6
    sliders._controls["n"].max = 99
    sliders._controls["n"].value = 99
    assert "expected" in sliders._message.value
    assert sliders._image.value in seen
    sliders._controls["n"].value = 2
    assert sliders._message.value == ""


def test_widget_leaves_a_picture_and_its_text_where_no_widget_runs() -> None:
    from gsl_tutorial.widgets import SnapSliders

    data, metadata = SnapSliders(PLANE)._repr_mimebundle_()
    assert data["image/png"]
    assert "similarity loss" in metadata["image/png"]["alt"]
    assert "0x" not in data["text/plain"]


def test_a_figure_without_a_text_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="text that stands for the picture"):
        show(product.draw_pieces(RNG.uniform(size=64), 4), " ")
