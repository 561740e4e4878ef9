"""The drawings of the chapters: each at both ends of its arguments, never blank, never a warning."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from gsl_tutorial.clustering import kmeans_steps
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.neighbours import Compressed
from gsl_tutorial.plane import Plane, descend
from gsl_tutorial.plane_codes import all_places, cut_along, turn
from gsl_tutorial.plots import (
    clusters,
    neighbour_charts,
    neighbours,
    product,
    product_charts,
    quantizer_charts,
    quantizers,
    retrieval,
    turn_courses,
    turns,
)
from gsl_tutorial.plots.plane import draw_fields, draw_paths, draw_snap
from gsl_tutorial.plots.style import png, show
from gsl_tutorial.turns import Frame, Recording, Turn

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


def _compression(places: np.ndarray, k: int, chance: float) -> Figure:
    curves = {"one": ([2, 4], [0.0, 1.0]), "two": ([2], [0.5])}
    return neighbours.draw_compression(
        POINTS, Compressed(places, 4, "a label"), np.zeros(2), true=np.arange(k),
        found=np.full(len(POINTS), chance), curves=curves, now=(4, 1.0),
    )  # fmt: skip


def _found(right: bool, rows: int) -> Figure:
    images = RNG.uniform(size=(10, 64))
    row = images, np.full(10, right)
    return neighbours.draw_found_images(images[0], {f"row {i}": row for i in range(rows)})


def _kmeans(start: np.ndarray, now: int, **how: float) -> Figure:
    return clusters.draw_kmeans(POINTS, kmeans_steps(POINTS, start), now, **how)


def _turned(degrees: float, lost: float) -> Figure:
    curve = [0, 45, 90], [lost, 0.0, lost]
    return quantizers.draw_turned_grid(POINTS, POINTS - lost, POINTS[:4], degrees, curve)


def _sums(M: int, size: float = 1.0) -> Figure:
    steps = size * RNG.normal(size=(M, 2))
    return quantizers.draw_sums(POINTS[0], {"one": steps, "two": -steps}, POINTS)


#: Of its own, so that the pictures above stay as they were.
CIRCLE = np.random.default_rng(7)


def _recording(method: str, rounds: int, *, n_classes: int = 5, uphill: bool = False) -> Recording:
    """A made-up training: vectors and codewords anywhere on the circle."""

    def on_circle(n: int) -> np.ndarray:
        angles = CIRCLE.uniform(-np.pi, np.pi, size=n)
        return np.column_stack([np.cos(angles), np.sin(angles)])

    def frame(round_: int, turn: Turn) -> Frame:
        books = None if round_ == 0 or (round_, turn) == (1, "network") else on_circle(4)
        value = None if books is None else 0.5
        return Frame(
            round_, turn, on_circle(40), on_circle(5), books, used=None, g=None,
            uphill=np.full(40, uphill and books is not None), loss=1.0,
            relative_distortion=value, adc_map=value, exact_map=1.0,
        )  # fmt: skip

    two: tuple[Turn, Turn] = ("network", "codebooks")
    frames = [frame(0, "start"), *(frame(r, turn) for r in range(1, rounds + 1) for turn in two)]
    history = [
        {"round": r, "loss": 1 / r, "relative_distortion": 0.1 / r}
        | ({"uphill": 0.5} if r > 1 else {})
        for r in range(1, rounds + 1)
    ]
    return Recording(method, np.arange(40) % n_classes, tuple(frames), tuple(history))


RECORDINGS = [_recording("none", 3), _recording("penalty", 3, uphill=True), _recording("ste", 3)]
DIGITS = tuple("0123456789")


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
    "neighbours, one": lambda: neighbours.draw_neighbours(POINTS, np.zeros(2), np.array([3])),
    "neighbours, all, on a point": lambda: neighbours.draw_neighbours(
        POINTS, POINTS[0], np.arange(len(POINTS))
    ),
    "compression to one place": lambda: _compression(np.zeros((9, 2)), 9, 0.5),
    "compression that loses nothing": lambda: _compression(POINTS, 1, 1.0),
    "compression that finds nothing": lambda: _compression(-POINTS, 2, 0.0),
    "legend of compression": lambda: neighbours.draw_compression_legend(),
    "found images, all right": lambda: _found(True, 1),
    "found images, all wrong": lambda: _found(False, 6),
    "memory": lambda: neighbour_charts.draw_memory(
        [1e4, 1e9], {"floats": 3072, "codes": 1}, {"a laptop": 4e9}
    ),
    "recall": lambda: neighbour_charts.draw_recall({"one": ([2, 512], [0, 1]), "two": ([1], [1])}),
    "cells, nothing assigned": lambda: clusters.draw_cells({"start": (POINTS, POINTS[:3], None)}),
    "cells, three panels, a dead codeword": lambda: clusters.draw_cells(
        {name: (POINTS, POINTS[:3], np.zeros(9, dtype=int)) for name in "abc"}
    ),
    "k-means, the start": lambda: _kmeans(POINTS[:4], 0),
    "k-means, the end": lambda: _kmeans(POINTS[:4], 99, best=0.01, longest=30),
    "k-means, one codeword": lambda: _kmeans(POINTS[:1], 2),
    "k-means, one on each point": lambda: _kmeans(POINTS, 1),
    "k-means, two on one point": lambda: _kmeans(POINTS[[0, 0, 1]], 3, best=9.0),
    "k-means, more codewords than markers": lambda: _kmeans(RNG.uniform(-1, 1, size=(24, 2)), 1),
    "rate": lambda: clusters.draw_rate({"plane": (range(3), {"fresh": [1, 0.5, 0.0]})}),
    "turned grid, not at all": lambda: _turned(0, 0.3),
    "turned grid, a right angle": lambda: _turned(90, 0.01),
    "turned grid that loses nothing": lambda: _turned(45, 0.0),
    "methods, one": lambda: quantizers.draw_methods({"one": (POINTS, POINTS, POINTS[:1])}),
    "methods, five": lambda: quantizers.draw_methods(
        dict.fromkeys("abcde", (POINTS, 0.5 * POINTS, POINTS))
    ),
    "pieces of two numbers": lambda: quantizers.draw_piece_clouds(
        {"PQ": (RNG.normal(size=(30, 2, 2)), _books(2, 8, 4))}
    ),
    "sum of one": lambda: _sums(1),
    "sum of six, more than looks": lambda: _sums(6),
    "sum of nothing": lambda: _sums(2, size=0.0),
    "candidates, lines and places": lambda: quantizers.draw_candidates(
        POINTS[0], {"PQ": (POINTS, POINTS[:3].T[:, :, None]), "RQ": (POINTS, POINTS[None])}
    ),
    "beam, one width": lambda: quantizer_charts.draw_beam([1], {"fresh": [0.0]}),
    "beam": lambda: quantizer_charts.draw_beam([1, 2, 4], {"a": [3, 2, 1], "b": [4, 3, 3]}),
    "gaps": lambda: quantizer_charts.draw_gaps(
        {"4 x 16": {"PQ": (1.0, 1.0), "RQ": (0.1, 0.9)}, "8 x 16": {"PQ": (0.0, 0.0)}}
    ),
    "dials, more lines than looks": lambda: _dials([(2, 2**b) for b in range(1, 9)]),
    "turn, the start": lambda: turns.draw_turn(RECORDINGS, 0),
    "turn, no codewords yet": lambda: turns.draw_turn(RECORDINGS, 1),
    "turn, the last": lambda: turns.draw_turn(RECORDINGS, 6),
    "turn, one recording of one round": lambda: turns.draw_turn([_recording("soft", 1)], 2),
    "turns, one circle": lambda: turns.draw_turns(RECORDINGS[:1], [0], DIGITS),
    "turns, many": lambda: turns.draw_turns(RECORDINGS, [0, 2, 4, 6], DIGITS, titles=list("abc")),
    "turns, ten classes": lambda: turns.draw_turns(
        [_recording("snap-pull", 1, n_classes=10, uphill=True)], [1, 2], DIGITS
    ),
    "legend of turns": lambda: turns.draw_turn_legend(RECORDINGS, DIGITS),
    "renumbered, all at one place": lambda: turns.draw_renumbered(
        POINTS, np.zeros(9, dtype=int), {"one": np.array([[0.0, 1.0]]), "two": np.ones((8, 2))}
    ),
    "courses": lambda: turn_courses.draw_courses(RECORDINGS),
    "courses, one round": lambda: turn_courses.draw_courses([_recording("none", 1)]),
    "stairs": lambda: turn_courses.draw_stairs([3, 2, 1], ["network", "codebooks"], ylabel="sum"),
    "stairs, the start only": lambda: turn_courses.draw_stairs([1], [], ylabel="sum"),
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


def _snap_sliders() -> Any:
    import ipywidgets as W

    from gsl_tutorial.widgets import DrawingWithControls

    controls = {
        "strength": W.FloatSlider(value=0.6, min=0, max=3),
        "n": W.IntSlider(value=3, min=1, max=4),
        "form": W.Dropdown(options=["replace", "pull"]),
    }
    return DrawingWithControls(
        lambda **how: draw_snap(PLANE, (0.2, -0.1), **how), controls, alt="The similarity loss."
    )


def test_widget_redraws_on_every_control_and_keeps_the_picture_when_a_value_is_bad() -> None:
    sliders = _snap_sliders()
    seen = {sliders._image.value}
    for name, value in [("form", "pull"), ("strength", 1.0), ("n", 1)]:
        sliders._controls[name].value = value
        assert sliders.values[name] == value
        seen.add(sliders._image.value)
    assert len(seen) == 4
    sliders._controls["n"].max = 99
    sliders._controls["n"].value = 99
    assert "expected" in sliders._message.value
    assert sliders._image.value in seen
    sliders._controls["n"].value = 2
    assert sliders._message.value == ""


def test_widget_leaves_a_picture_and_its_text_where_no_widget_runs() -> None:
    data, metadata = _snap_sliders()._repr_mimebundle_()
    assert data["image/png"]
    assert "similarity loss" in metadata["image/png"]["alt"]
    assert "0x" not in data["text/plain"]


def test_the_title_of_a_compressed_search_is_its_recall() -> None:
    title = _compression(POINTS, 3, 0.5).axes[0].get_title(loc="left")
    assert title == "a label\nrecall@3 of this query: 0.50"


def test_the_title_of_a_half_step_is_its_distortion_and_says_when_k_means_stands_still() -> None:
    points = np.array([[0.0, 0.0], [0.0, 0.2], [1.0, 1.0]])
    steps = kmeans_steps(points, points[[0, 2]])
    titles = [
        clusters.draw_kmeans(points, steps, now).axes[0].get_title(loc="left")
        for now in (0, 1, 2, 3, 99)
    ]
    assert "nothing is assigned" in titles[0]
    assert "distortion 0.0133" in titles[1]
    assert "distortion 0.0067" in titles[2]
    assert ["still" in title for title in titles] == [False, False, False, True, True]
    unfinished = kmeans_steps(POINTS, POINTS[:4], n_rounds=0)
    assert "still" not in clusters.draw_kmeans(POINTS, unfinished, 9).axes[0].get_title(loc="left")
    with pytest.raises(InvalidInputError, match="half-step of 0 or more"):
        clusters.draw_kmeans(points, steps, -1)


def test_borders_are_equally_far_from_their_two_nearest_codewords() -> None:
    codewords = RNG.uniform(-1, 1, size=(6, 2))
    for ends in clusters.borders(codewords):
        squared = np.sort(((ends.mean(axis=0) - codewords) ** 2).sum(axis=1))
        assert squared[0] == pytest.approx(squared[1], rel=1e-6)
    assert len(clusters.borders(codewords[[0, 0]])) == 0


def test_every_control_of_chapters_01_and_02_works_at_both_ends() -> None:
    from gsl_tutorial.widgets import CompressionSliders, KMeansSliders

    points = RNG.uniform(-1, 1, size=(30, 2))
    ways = {
        "few": [Compressed(points.round(), 2, "coarse"), Compressed(points, 4, "fine")],
        "one": [Compressed(0 * points, 1, "all in one place")],
    }
    for widget in (
        CompressionSliders(points, ways, points[:3]),
        KMeansSliders(points, most=5),
    ):
        for control in widget._controls.values():
            first = control.value
            seen = {widget._image.value}
            for value in getattr(control, "options", None) or (control.min, control.max):
                control.value = value
                assert widget._message.value == ""
                seen.add(widget._image.value)
            assert len(seen) > 1, control.description
            control.value = first
        data, metadata = widget._repr_mimebundle_()
        assert data["image/png"]
        assert len(metadata["image/png"]["alt"]) > 50


def test_every_control_of_chapter_04_works_at_both_ends() -> None:
    from gsl_tutorial import OptimizedProductQuantizer, ResidualQuantizer
    from gsl_tutorial.widgets import MethodSliders, TurnSliders

    points = RNG.uniform(-0.7, 0.7, size=(30, 2))
    methods = {"OPQ": OptimizedProductQuantizer, "RQ": ResidualQuantizer}
    for widget in (TurnSliders(points), MethodSliders(points, methods)):
        for control in widget._controls.values():
            seen = {widget._image.value}
            for value in (control.min, control.max):
                control.value = value
                assert widget._message.value == ""
                seen.add(widget._image.value)
            assert len(seen) > 1, control.description
        data, metadata = widget._repr_mimebundle_()
        assert data["image/png"]
        assert len(metadata["image/png"]["alt"]) > 50


def test_the_title_of_a_turned_grid_is_the_distortion_of_its_quantizer() -> None:
    from gsl_tutorial.widgets import TurnSliders

    points = RNG.uniform(-0.7, 0.7, size=(30, 2))
    widget = TurnSliders(points, tilt=30)
    widget._controls["grid"].value = 75
    title = widget._draw(**widget.values).axes[0].get_title(loc="left")
    lost = cut_along(turn(points, 30), 75, 2).distortion(turn(points, 30))
    assert title == f"grid turned by 75°\ndistortion {lost:.3f}"


def test_all_places_are_what_the_codes_say_and_too_many_are_refused() -> None:
    points = RNG.uniform(-1, 1, size=(30, 2))
    small = cut_along(points, 20, 3)
    places = all_places(small)
    assert len(places) == 9
    decoded = small.decode(small.encode(points))
    nearest = ((decoded[:, None] - places) ** 2).sum(axis=2).min(axis=1)
    assert nearest == pytest.approx(0, abs=1e-12)
    with pytest.raises(InvalidInputError, match="at most 100,000 reconstructions"):
        all_places(cut_along(RNG.uniform(size=(400, 2)), 0, 320))


@pytest.mark.parametrize(
    ("codewords", "degrees"),
    [
        ([[1, 0], [-1, 0]], [-90, 90]),
        ([[1, 0], [0, 1], [-1, 0], [0, -1]], [-135, -45, 45, 135]),
        ([[0.5, 0], [0.5, 0]], []),
        ([[1, 0]], []),
    ],
)
def test_borders_on_the_circle_lie_where_the_nearest_codeword_changes(
    codewords: list[list[float]], degrees: list[float]
) -> None:
    found = np.degrees(turns.borders_on_circle(np.array(codewords, dtype=float)))
    assert np.allclose(np.sort(found), degrees, atol=0.3)


def test_the_slider_of_chapter_07_reaches_every_turn_and_refuses_unequal_recordings() -> None:
    from gsl_tutorial.widgets import RecordingSlider

    slider = RecordingSlider(RECORDINGS, DIGITS, alt="what it shows")
    seen = set()
    for now in range(7):
        slider._controls["now"].value = now
        assert slider._message.value == ""
        seen.add(slider._image.value)
    assert len(seen) == 7
    data, metadata = slider._repr_mimebundle_()
    assert data["image/png"]
    assert metadata["image/png"]["alt"] == "what it shows"
    with pytest.raises(InvalidInputError, match="as many turns each"):
        RecordingSlider([RECORDINGS[0], _recording("ste", 2)], DIGITS, alt="unequal")


def test_each_circle_says_its_method_and_its_numbers() -> None:
    texts = [text.get_text() for text in turns.draw_turn(RECORDINGS, 4).axes[0].texts]
    assert "none\nADC mAP 0.50, uphill 0%" in texts
    assert "penalty\nADC mAP 0.50, uphill 100%" in texts
    assert (
        turns.draw_turn(RECORDINGS, 4).texts[0].get_text() == "turn 4: codebooks' turn of round 2"
    )


def test_a_figure_without_a_text_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="text that stands for the picture"):
        show(product.draw_pieces(RNG.uniform(size=64), 4), " ")
