"""The drawings of chapter 03: each at both ends of its arguments, never blank, never a warning."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from gsl_tutorial.plots import product
from gsl_tutorial.plots.style import png

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
    return product.draw_distance_errors(true, {"ADC": true - 1, "SDC": true * 0.8})


def _dials(pairs: list[tuple[int, int]], value: float = 1.0) -> Figure:
    M, K = np.array(pairs).T
    values = value * np.linspace(0, 1, len(pairs))
    return product.draw_dials(M, K, {"distortion": 1 - values, "recall": values})


DRAWINGS: dict[str, Callable[[], Figure]] = {
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
