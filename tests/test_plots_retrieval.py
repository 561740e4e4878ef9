"""The drawings of chapter 09 at the ends of their data: never blank, never a warning, nothing changed."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from gsl_tutorial.course.plots.bits import PROTOCOL_LOOKS, Ours, _apart, draw_bits
from gsl_tutorial.course.plots.lookups import draw_lookups
from gsl_tutorial.course.plots.retrieval import draw_gallery
from gsl_tutorial.course.plots.style import png
from gsl_tutorial.course.plots.tables import draw_published, draw_trivial
from gsl_tutorial.course.results.published import LETTERED, PUBLISHED
from gsl_tutorial.course.toys.one_search import Found

RNG = np.random.default_rng(0)
NEAR = {k: row for k, row in LETTERED.items() if row.protocol.startswith("P2")}
ALL = Ours(
    {"quick": [(32, 0.85)], "full": [(16, 0.93), (32, 0.94)]},
    [(4, 0.8), (64, 0.85)], [(8, 0.65, 0.01), (16, 0.66, 0.0)], exact=0.86, argmax=0.8,
)  # fmt: skip


def _found(k: int, M: int, how: str = "ADC", size: float = 1.0) -> Found:
    parts = size * RNG.uniform(size=(k, M)).astype(np.float32)
    sums = parts.sum(axis=1)
    codes = RNG.integers(256, size=(k, M))
    return Found(how, codes[0], np.arange(k), codes, parts, sums, np.full(k, 12345), sums)


def _lookups(k: int, M: int, *, right: bool = True, images: bool = False, **how: float) -> Figure:
    pictures = [RNG.uniform(size=(32, 32, 3)) for _ in range(k)] if images else None
    return draw_lookups(
        _found(k, M, **how),  # type: ignore[arg-type]
        np.full(k, right), query_name="automobile", names=["automobile 12,345/12,345"] * k,
        query_picture=pictures and pictures[0], pictures=pictures,
    )  # fmt: skip


DRAWINGS: dict[str, Callable[[], Figure]] = {
    "bits, everything": lambda: draw_bits(ALL, NEAR, low=0.6, title="a title"),
    "bits, nothing published": lambda: draw_bits(ALL, {}),
    "bits, nothing of ours": lambda: draw_bits(Ours({}), LETTERED),
    "bits, six kinds of runs": lambda: draw_bits(Ours({c: [(8, 0.5)] for c in "abcdef"}), {}),
    "published": lambda: draw_published(LETTERED, {"P2": [("ours", 0.99)], "unseen": [("x", 0.01)]}),
    "published, one row": lambda: draw_published({"a": PUBLISHED[0]}, {}),
    "published, ours only": lambda: draw_published({}, {"P1a": [("ours", 0.5)]}),
    "trivial, no run": lambda: draw_trivial({}),
    "trivial, ends": lambda: draw_trivial({"best": (1, 1, 1), "worst": (0.5, 0.2, 0.2)}),
    "trivial, more runs than looks": lambda: draw_trivial(dict.fromkeys("abcdefgh", (0.8, 0.7, 0.75))),
    "lookups, one of one": lambda: _lookups(1, 1),
    "lookups, ten of eight": lambda: _lookups(10, 8, right=False, images=True),
    "lookups, sixteen subvectors": lambda: _lookups(10, 16, images=True),
    "lookups, all at no distance": lambda: _lookups(10, 4, size=0.0),
    "gallery with titles": lambda: draw_gallery(
        [None] * 2, [[None]] * 2, np.array([[True], [False]]), query_names=["cat", "cat"],
        neighbour_names=[["cat"], ["dog"]], titles=["before: cat", "after: cat"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_draws_and_the_picture_is_not_blank(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = png(DRAWINGS[name](), dpi=50)
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("L"))
    assert 0.001 < (pixels < 200).mean() < 0.95
    assert max(pixels.shape) < 1400


def test_each_protocol_has_a_colour_and_a_marker_of_its_own() -> None:
    assert {row.protocol for row in PUBLISHED} <= set(PROTOCOL_LOOKS)
    colours, markers = zip(*PROTOCOL_LOOKS.values(), strict=True)
    assert len(set(colours)) == len(set(markers)) == len(PROTOCOL_LOOKS)


def test_second_hand_figures_are_hollow_and_say_so() -> None:
    words = [text.get_text() for text in draw_bits(Ours({}), NEAR).legends[0].get_texts()]
    assert words == ["published, protocol P2", "published, P2 family (second-hand)"]
    axes = draw_published(LETTERED, {}).axes[0]
    hollow = [line for line in axes.lines if to_hex(line.get_markerfacecolor()) == "#ffffff"]
    told = [text for text in axes.texts if "second-hand" in text.get_text()]
    assert len(hollow) == len(told) == sum(row.second_hand for row in PUBLISHED)


def test_letters_of_one_column_stand_apart() -> None:
    places = [(48, 0.9), (48, 0.901), (48, 0.902), (16, 0.9)]
    heights = _apart(places, gap=0.02)
    column = sorted(heights[place] for place in places[:3])
    assert (np.diff(column) > 0.0195).all()
    assert heights[16, 0.9] == pytest.approx(0.9)


def test_what_is_near_the_exact_vectors_is_drawn_once_more() -> None:
    whole, near = draw_bits(ALL, NEAR, low=0.6).axes
    assert whole.get_ylim() == (0.6, 1.0)
    assert near.get_ylim() == pytest.approx(
        (0.846, 0.864)
    )  # exact .86, a run .85, a fitted code .85
    assert sum(len(text.get_text().split(", ")) for text in (*whole.texts, *near.texts)) >= len(
        NEAR
    )
    assert len(draw_bits(Ours({}), LETTERED).axes) == 1
    assert len(draw_trivial({"a": (0.94, 0.93, 0.94)}).axes[0].child_axes) == 1
    assert not draw_trivial({"a": (0.94, 0.8, 0.94)}).axes[0].child_axes


def test_bars_of_look_ups_end_where_their_sums_say() -> None:
    found = _found(3, 4)
    figure = draw_lookups(found, np.ones(3, bool), query_name="cat", names=["cat"] * 3)
    segments = figure.axes[0].collections[:4]
    lengths = sum(
        np.array([np.ptp(path.vertices[:, 0]) for path in one.get_paths()]) for one in segments
    )
    np.testing.assert_allclose(
        lengths / lengths.max(), found.distances / found.distances.max(), rtol=1e-4
    )
