"""The drawings of the chapters: each at both ends of its arguments, never blank, never a warning."""

from __future__ import annotations

import io
import re
import warnings
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from plots_cases import DRAWINGS, RNG, codebooks

from gsl_tutorial.course.plots import (
    product,
)
from gsl_tutorial.course.plots.style import first_image, png, show
from gsl_tutorial.errors import InvalidInputError


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_draws_and_the_picture_is_not_blank(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = png(DRAWINGS[name](), dpi=50)
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("L"))
    ink = (pixels < 200).mean()
    assert 0.001 < ink < 0.95
    assert max(pixels.shape) < 1400


@pytest.mark.parametrize("name", [name for name in DRAWINGS if name.startswith("snap")])
def test_no_word_beside_the_arrows_sticks_out_of_the_picture(name: str) -> None:
    figure = DRAWINGS[name]()
    FigureCanvasAgg(figure).draw()
    assert figure.texts
    for text in figure.texts:
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width, text.get_text()
        assert 0 <= box.y0 < box.y1 <= figure.bbox.height, text.get_text()


def test_drawing_changes_nothing() -> None:
    z, books, code = RNG.uniform(size=64), codebooks(4, 16), RNG.integers(16, size=4)
    before = [array.copy() for array in (z, books, code)]
    png(product.draw_coding(z, books, code))
    png(product.draw_codebooks(books, width=8))
    png(product.draw_subvectors(z, 4))
    for array, kept in zip((z, books, code), before, strict=True):
        assert np.array_equal(array, kept)


def test_the_same_data_gives_the_same_bytes() -> None:
    z, books = RNG.uniform(size=64), codebooks(4, 16)
    once, twice = (png(product.draw_coding(z, books, np.arange(4))) for _ in range(2))
    assert once == twice


def test_the_caption_is_printed_and_the_description_is_only_read_aloud(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "gsl_tutorial.course.plots.style.display",
        lambda data, *, raw: shown.append(data),
    )
    figure = product.draw_subvectors(RNG.uniform(size=64), 4)
    show(figure, '"four" bands', caption="Look at <one>.")
    (made,) = (data["text/html"] for data in shown)
    assert re.findall(r"<p[^>]*>([^<]*)</p>", made) == ["Look at &lt;one&gt;."]
    assert re.findall(r'alt="([^"]*)" width="(\d+)"', made) == [("&quot;four&quot; bands", "736")]
    address, picture = first_image(made) or ("", b"")
    assert picture == png(figure)
    assert address in made
    assert first_image(f"<p>{made}") is None


def test_a_figure_without_a_text_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="text that stands for the picture"):
        show(product.draw_subvectors(RNG.uniform(size=64), 4), " ")
