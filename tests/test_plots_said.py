"""What the drawings say in words and lines: titles that are true, borders that lie where they should."""

from __future__ import annotations

import numpy as np
import pytest
from plots_cases import PLANE, POINTS, RECORDINGS, RNG, compression

from gsl_tutorial.course.plots import (
    clusters,
    product,
    quantizers,
    turns,
)
from gsl_tutorial.course.plots.plane import draw_fields, draw_snap
from gsl_tutorial.course.plots.strengths import draw_law
from gsl_tutorial.course.study.law import Gain
from gsl_tutorial.course.toys.kmeans_steps import kmeans_steps
from gsl_tutorial.course.toys.plane import Plane
from gsl_tutorial.course.toys.plane_codes import all_places, cut_along
from gsl_tutorial.errors import InvalidInputError


def test_the_title_of_the_table_is_its_sum() -> None:
    table = np.arange(8.0).reshape(2, 4)
    axes = product.draw_lookup_table(table, np.array([3, 0])).axes[0]
    assert axes.get_title(loc="left") == "code [3 0]:  3.00 + 4.00 = 7.00"


def test_the_images_in_thick_frames_are_those_that_were_named() -> None:
    rows = {name: RNG.uniform(size=(3, 64)) for name in ("plain", "marked")}
    axes = product.draw_images(rows, {"marked": np.array([False, True, True])}).axes[0]
    thick = [tuple(box.get_xy()) for box in axes.patches if box.get_linewidth() > 2]  # type: ignore[attr-defined]
    assert thick == [(9.0, 9.0), (18.0, 9.0)]


def test_the_arrows_of_a_sum_are_counted_from_0_as_in_the_formula() -> None:
    figure = quantizers.draw_sums(POINTS[0], {"greedy": POINTS[:2]}, POINTS)
    names = [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    assert names == ["$c_{0}$", "$c_{1}$"]


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
        draw_snap(plane, (0.1, 0.0), n_candidates=2, form="pull", strength=3.0)
        .axes[0]
        .get_title(loc="left")
    )
    assert title == "penalty: UPHILL, cos -1.00\nsnapped: downhill, cos +1.00"


def test_the_title_of_a_compressed_search_is_its_recall() -> None:
    title = compression(POINTS, 3, 0.5).axes[0].get_title(loc="left")
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


def test_each_circle_says_its_method_and_its_numbers() -> None:
    texts = [text.get_text() for text in turns.draw_turn(RECORDINGS, 4).axes[0].texts]
    assert "none\nADC mAP 0.50, uphill 0%" in texts
    assert "penalty\nADC mAP 0.50, uphill 100%" in texts
    assert (
        turns.draw_turn(RECORDINGS, 4).texts[0].get_text() == "turn 4: codebooks' turn of round 2"
    )


def test_a_number_of_codebooks_has_one_look_in_all_panels_of_the_law() -> None:
    both = [Gain("1x4", 6, (0.01,)), Gain("2x4", 6, (0.05,)), Gain("2x8", 6, (0.02,))]
    figure = draw_law({"digits": both, "CIFAR-10": both[1:]})
    looks = [
        {
            line.get_label(): line.get_color()
            for line in axes.lines
            if "codebook" in str(line.get_label())
        }
        for axes in figure.axes
    ]
    assert set(looks[1]) == {"2 codebooks"}
    assert looks[1]["2 codebooks"] == looks[0]["2 codebooks"] != looks[0]["1 codebook"]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
