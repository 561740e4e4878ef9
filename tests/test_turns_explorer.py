"""The plane with turns: its two truths are one, its words are true, and the reader can drive it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from browser import browser, drag, patient_page, show_alone, until
from playwright.sync_api import Page, expect
from widget_cases import alt_of

from gsl_tutorial.course.toys.plane import Plane
from gsl_tutorial.course.toys.plane_methods import PLANE_METHODS, method_gradient
from gsl_tutorial.course.toys.plane_turns import (
    POSITIVES,
    Course,
    TurnsPlane,
    purity,
    random_starts,
)
from gsl_tutorial.course.training.cells import cell_measures
from gsl_tutorial.course.widgets import TurnsExplorer
from gsl_tutorial.course.widgets.explorer_turns import RIVALS, SCRIPT, STYLE
from gsl_tutorial.errors import InvalidInputError, UnknownNameError
from gsl_tutorial.snapping import SnapOptions

NAN = float("nan")


@pytest.fixture(scope="module")
def opened() -> Iterator[Page]:
    with browser() as chromium:
        page = patient_page(chromium, width=1000, height=1100)
        page.context.set_offline(True)
        yield page


def random_plane(rng: np.random.Generator) -> TurnsPlane:
    n = int(rng.integers(6, 30))
    return TurnsPlane(
        rng.uniform(-1, 1, (int(rng.integers(1, 5)), 2)),
        rng.uniform(-1.1, 1.1, (n, 2)),
        n_codewords=int(rng.integers(1, min(n, 10))),
        every=int(rng.integers(1, 6)),
        rate=float(rng.uniform(0.01, 0.1)),
        reseed=bool(rng.integers(2)),
    )


def random_options(rng: np.random.Generator, plane: TurnsPlane) -> SnapOptions:
    n = int(rng.integers(1, plane.n_codewords + 1))
    return SnapOptions(strength=float(rng.uniform(0, 4)), n_candidates=n)


def as_world(plane: TurnsPlane) -> dict[str, Any]:
    return {
        "starts": plane.starts.tolist(),
        "positives": plane.positives.tolist(),
        "K": plane.n_codewords,
        "every": plane.every,
        "rate": plane.rate,
        "reseed": plane.reseed,
    }


def as_rule(options: SnapOptions) -> dict[str, Any]:
    words = {"form": options.form, "length": options.length, "fallback": options.fallback}
    return words | {"n": options.n_candidates, "strength": options.strength, "step": options.step}


def test_page_and_python_agree_on_many_worlds(opened: Page) -> None:
    """Ten steps with turns, every method; and what is read off each moment."""
    show_alone(opened)
    opened.add_script_tag(content=SCRIPT)
    rng = np.random.default_rng(15)
    cases = []
    for i in range(150):
        plane = random_plane(rng)
        cases.append((plane, PLANE_METHODS[i % 5], random_options(rng, plane)))
    script = """(cases) => cases.map(([world, method, rule]) => {
        const at = turnsMath.course(world, method, rule);
        const moments = [...Array(11).keys()].map(at);
        return moments.map((one) => ({ ...one, ...turnsMath.standing(one, world.positives) }));
    })"""
    told = [[as_world(plane), method, as_rule(rule)] for plane, method, rule in cases]
    for (plane, method, rule), seen in zip(cases, opened.evaluate(script, told), strict=True):
        course = plane.run(method, rule, n_steps=10)
        for t, moment in enumerate(seen):
            np.testing.assert_allclose(moment["points"], course.points[t], atol=1e-6)
            np.testing.assert_allclose(moment["codewords"], course.codewords[t], atol=1e-6)
            out = course.at(t)
            for name in ("purity", "loss", "distortion"):
                assert moment[name] == pytest.approx(getattr(out, name), abs=1e-6), name
            assert (moment["mixed"] == []) == (out.purity == 1)


def test_every_method_is_that_of_the_plane_with_one_positive() -> None:
    rng = np.random.default_rng(16)
    for _ in range(10):
        plane = random_plane(rng)
        options = random_options(rng, plane)
        codewords = plane.first_codewords()
        for method in PLANE_METHODS:
            seen = plane.gradient(plane.starts, codewords, method, options)
            for i, label in enumerate(plane.labels):
                alone = Plane(codewords, plane.positives[label])
                wanted = method_gradient(alone, plane.starts[i : i + 1], method, options)[0]
                np.testing.assert_allclose(seen[i], wanted, atol=1e-9, err_msg=method)


def test_codewords_move_at_their_turn_only_and_points_never_then() -> None:
    plane = TurnsPlane(np.array(POSITIVES), random_starts(0), every=4)
    course = plane.run("penalty", SnapOptions(n_candidates=3), n_steps=12)
    moved = (course.codewords[1:] != course.codewords[:-1]).any(axis=(1, 2))
    assert moved.tolist() == [(t + 1) % 4 == 0 for t in range(12)]
    again = plane.run("penalty", SnapOptions(n_candidates=3), n_steps=12)
    np.testing.assert_array_equal(course.points, again.points)


def test_an_unused_codeword_goes_to_the_point_that_is_worst_off_or_stays() -> None:
    starts = np.array([[0.0, 0.0], [0.0, 0.1], [0.1, 0.0], [0.9, 0.9]])
    for reseed in (True, False):
        plane = TurnsPlane(np.zeros((1, 2)), starts, n_codewords=2, reseed=reseed)
        after = plane._round(starts, np.array([[0.0, 0.0], [-1.0, -1.0]]))
        wanted = starts[3] if reseed else [-1.0, -1.0]
        np.testing.assert_allclose(after[1], wanted)
    # Where every point has its codeword already, nothing is gained by moving another one there.
    still = TurnsPlane(np.zeros((1, 2)), np.zeros((3, 2)), n_codewords=2)
    after = still._round(np.zeros((3, 2)), np.array([[0.0, 0.0], [0.5, 0.5]]))
    np.testing.assert_allclose(after[1], [0.5, 0.5])


def test_purity_is_that_of_the_study() -> None:
    rng = np.random.default_rng(17)
    for _ in range(50):
        cells, labels = rng.integers(6, size=30), rng.integers(4, size=30)
        assert purity(cells, labels) == pytest.approx(
            cell_measures(cells[:, None], labels)["purity"]
        )


@pytest.mark.parametrize("strength", [1.5, 8.0])
def test_penalty_glues_and_snap_sorts(strength: float) -> None:
    """What chapter 06 says, with room for other processors."""
    rule = SnapOptions(strength=strength, n_candidates=3)
    ends = {
        method: [_end(seed, method, rule) for seed in range(3)] for method in ("penalty", "snap")
    }
    assert np.mean(ends["penalty"]) < 0.9
    assert np.mean(ends["snap"]) > 0.98


def _end(seed: int, method: str, rule: SnapOptions) -> float:
    course: Course = TurnsPlane(np.array(POSITIVES), random_starts(seed)).run(method, rule)
    return course.at(-1).purity


# ---- in the page ----


def alive(page: Page, explorer: TurnsExplorer) -> None:
    show_alone(page, explorer.to_html())


def says(page: Page, explorer: TurnsExplorer, step: int, tolerance: float = 1e-4) -> None:
    """Wait until the page says what Python says of a step."""

    def look() -> None:
        end = explorer.n_steps
        expect(page.locator("[data-read='step']")).to_have_text(f"step {step} of {end}")
        for which, method in (("rival", explorer.rival), ("snap", "snap")):
            out = explorer.course(method).at(step)
            line = page.locator(f"[data-read='{which}']")
            for name in ("purity", "loss", "distortion"):
                seen = float(line.get_attribute(f"data-{name}") or "nan")
                assert seen == pytest.approx(getattr(out, name), abs=tolerance), (method, name)

    until(page, look)


def test_play_step_scrub_strength_rival_world_and_drag(opened: Page) -> None:
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    explorer = TurnsExplorer(strength=4.0, n_steps=20)
    alive(opened, explorer)
    says(opened, explorer, 0)
    for _ in range(3):
        opened.get_by_role("button", name="Step").click()
    says(opened, explorer, 3)
    opened.get_by_role("button", name="Play").click()
    says(opened, explorer, 20)
    mixed = opened.locator(".gsl-mixed").first
    assert mixed.get_attribute("data-mixed")

    opened.get_by_label("strength (lambda)").focus()
    opened.keyboard.press("Home")
    explorer.strength = 0.0
    says(opened, explorer, 20)
    opened.keyboard.press("End")
    explorer.strength = 8.0
    says(opened, explorer, 20)
    for rival in RIVALS[1:]:
        opened.get_by_label("Compare the snap with").select_option(rival)
        explorer.rival = rival
        says(opened, explorer, 20)
    opened.get_by_label("world (seed)").focus()
    opened.keyboard.press("End")
    explorer.world = 10
    says(opened, explorer, 20)
    opened.get_by_label("unused codewords").select_option("left where they are")
    explorer.unused_index = 1
    says(opened, explorer, 20)
    scrub = opened.get_by_label("step shown")
    scrub.focus()
    opened.keyboard.press("ArrowLeft")
    says(opened, explorer, 19)
    opened.keyboard.press("Home")
    says(opened, explorer, 0)

    drag(opened, "positives-2", (0.2, -0.3))
    explorer.positives = [*POSITIVES[:2], (0.2, 0.6)]
    says(opened, explorer, 0, tolerance=0.02)
    opened.locator("[data-handle='positives-2']").first.focus()
    opened.keyboard.press("Home")
    explorer.positives = POSITIVES
    says(opened, explorer, 0)
    opened.keyboard.press("ArrowDown")
    explorer.positives = [*POSITIVES[:2], (0.0, 0.85)]
    says(opened, explorer, 0)
    opened.get_by_role("button", name="Reset").click()
    explorer.positives = POSITIVES
    says(opened, explorer, 0)
    assert problems == []


BAD: list[tuple[dict[str, Any], str]] = [
    ({"positives": [[NAN, 0.0]]}, "positives"),
    ({"positives": []}, "positives"),
    ({"worlds": []}, "worlds"),
    ({"worlds": [[[0.0, 0.0, 0.0]]]}, "worlds"),
    ({"world": 11}, "world"),
    ({"n_codewords": 61}, "K from 1 to 60"),
    ({"n_candidates": 0}, "candidates"),
    ({"every": 0}, "every"),
    ({"n_steps": 0}, "n_steps"),
    ({"strength": NAN}, "strength 0 or more"),
    ({"rate": -1.0}, "rate 0 or more"),
]
GIVEN = {"n_codewords": "K", "n_candidates": "n"}


@pytest.mark.parametrize(("wrong", "words"), BAD, ids=lambda value: str(value)[:30])
def test_bad_input_is_said_in_the_widget_and_refused_by_the_constructor(
    opened: Page, wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        TurnsExplorer(**{GIVEN.get(name, name): value for name, value in wrong.items()})
    explorer = TurnsExplorer(n_steps=2)
    for name, value in wrong.items():
        setattr(explorer, name, value)
    assert "expected" in repr(explorer)
    assert "expected" in explorer._repr_mimebundle_()[0]["text/html"]
    state = {name: explorer.get_state(name)[name] for name in explorer.told}
    show_alone(opened)
    opened.add_script_tag(content=SCRIPT)
    opened.add_style_tag(content=STYLE)
    state = json.loads(json.dumps(state, allow_nan=False))
    opened.evaluate("(s) => renderTurns({ model: standIn(s), el: document.body })", state)
    expect(opened.locator(".gsl-message")).to_contain_text(words.split(" 0 ")[0])
    expect(opened.locator(".gsl-message")).to_contain_text("What to do")


def test_an_unknown_rival_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        TurnsExplorer(rival="snap")
    with pytest.raises(UnknownNameError):
        TurnsExplorer(unused="thrown away")


def test_still_words_and_size() -> None:
    explorer = TurnsExplorer(strength=4.0, n_steps=20)
    data, _ = explorer._repr_mimebundle_()
    out = explorer.standing("penalty")
    assert f"Penalty: cell purity {out.purity:.0%}" in alt_of(explorer)
    assert f"cell purity {out.purity:.0%}" in explorer.still().axes[0].get_title()
    again, _ = TurnsExplorer(strength=4.0, n_steps=20)._repr_mimebundle_()
    assert data["text/html"] == again["text/html"], "building again must give no diff"
    assert len(SCRIPT.encode()) < 60_000
    addresses = re.findall(r"https?://[^\s\"'`)]+", SCRIPT + STYLE)
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}  # a name, never fetched
