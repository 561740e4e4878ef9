"""Figures that a text works out for the reader: each is worked out again here, with the package itself."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from gsl_tutorial.course.datasets import make_blobs_2d
from gsl_tutorial.course.study import load_study
from gsl_tutorial.course.toys.kmeans_steps import kmeans_steps
from gsl_tutorial.course.toys.neighbours import recall_at, round_numbers
from gsl_tutorial.course.toys.plane import Plane
from gsl_tutorial.course.toys.plane_methods import method_gradient
from gsl_tutorial.course.widgets import PhotoSearch
from gsl_tutorial.snapping import SnapOptions

SOURCES = Path(__file__).parents[1] / "notebooks" / "src"


def prose(chapter: str) -> str:
    """The source of a chapter with its lines joined."""
    (path,) = SOURCES.glob(f"{chapter}_*.py")
    return re.sub(r"\s+#?\s*", " ", path.read_text("utf-8"))


def test_the_table_that_does_not_fit_takes_so_many_bytes() -> None:
    said = re.findall(
        r"1,000 queries and ten million vectors make a table of (\d+) GB", prose("01")
    )
    assert said == [f"{1_000 * 10**7 * np.dtype(np.float32).itemsize / 1e9:.0f}"]


def test_where_recall_is_whole_and_where_it_is_not_in_chapter_01() -> None:
    points = make_blobs_2d(30, 4, random_state=3, spread=0.22).x
    rounded = round_numbers(points, 3, low=-1.2, high=1.2)
    places = re.findall(r"as at \((-?[\d.]+), (-?[\d.]+)\)", prose("01"))
    query = np.array(places, dtype=float)
    assert len(query) == 3
    exact, coarse = (((query[:, None] - x) ** 2).sum(axis=2) for x in (points, rounded))
    found = recall_at(coarse, np.argsort(exact, axis=1)[:, :10])
    assert found[:2].tolist() == [1, 1]
    assert found[2] < 0.5


def test_the_two_worst_searches_are_mistaken_as_chapter_00_says() -> None:
    names = []
    for query in PhotoSearch(pictures=False).queries[-2:]:
        ((most, _),) = Counter(one["name"] for one in query["found"]).most_common(1)
        names.append((query["name"], most))
    (one, other) = names
    told = f"takes the {one[0]} for an {one[1]}, and the {other[0]} for a {other[1]}."
    assert told in prose("00")


def test_a_codeword_without_points_may_win_some_back() -> None:
    """Chapter 02, quiz 1: two codewords at one place."""
    steps = kmeans_steps(np.array([[0.0], [1.0], [10.0], [11.0]]), np.array([[2.0], [2.0]]))
    first = next(step for step in steps if step.assignment is not None)
    assert set(first.assignment.tolist()) == {0}
    assert set(steps[-1].assignment.tolist()) == {0, 1}
    assert "Once the first has moved away, it may win some of them back." in prose("02")


def test_the_floor_of_the_smoothed_loss_is_where_its_gradient_vanishes() -> None:
    smoothing = load_study("cifar10").base.schedule.label_smoothing
    asked = torch.full((1, 10), smoothing / 10, dtype=torch.float64)
    asked[0, 0] += 1 - smoothing
    logits = asked.log().requires_grad_()
    floor = cross_entropy(logits, torch.tensor([0]), label_smoothing=smoothing)
    (g,) = torch.autograd.grad(floor, logits)
    assert g.abs().max() < 1e-9
    text = prose("05")
    assert f"probability of {asked[0, 0]:.2f} in place of 1, and {asked[0, 1]:.2f} to each" in text
    assert f"has a loss of {floor:.2f}, and that is the **floor**" in text


@pytest.mark.parametrize("seed", range(5))
def test_rotation_scales_the_gradient_by_the_factor_that_scales_the_point(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plane = Plane(rng.normal(size=(9, 2)), rng.normal(size=2))
    z = rng.normal(size=(50, 2))
    q = plane.reconstruct(z)
    rule = SnapOptions(strength=0.0)
    before = method_gradient(plane, z, "straight-through", rule)
    after = method_gradient(plane, z, "rotation", rule)

    def length(x: np.ndarray) -> np.ndarray:
        return np.linalg.norm(x, axis=1)

    def angle(x: np.ndarray) -> np.ndarray:
        return np.arctan2(x[:, 1], x[:, 0])

    np.testing.assert_allclose(length(after) / length(before), length(q) / length(z))
    turned = (angle(after) - angle(before)) - (angle(z) - angle(q))
    np.testing.assert_allclose(np.cos(turned), 1)
    assert r"same factor as the point, $\lVert q(z) \rVert / \lVert z \rVert$" in prose("06")
