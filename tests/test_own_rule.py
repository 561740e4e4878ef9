"""The reader's own rule in the explorer: its numbers are Python's, its faults are sentences."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import (
    browser,
    jupyterlab,
    menu,
    open_notebook,
    patient_page,
    show_alone,
    until,
    wait_for_kernel,
    write_notebook,
)
from playwright.sync_api import Page, expect

from gsl_tutorial.course.plots.explorer import places
from gsl_tutorial.course.toys.plane_methods import method_gradient, run_curves, run_method
from gsl_tutorial.course.widgets import GradientExplorer, own_rule
from gsl_tutorial.course.widgets.explorer import SCRIPT, STYLE
from gsl_tutorial.course.widgets.own_rule import OwnRuleFault, own_gradients, own_path
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.snapping.by_hand import descending_codeword


def pull_rule(g: Any, z: Any, candidates: Any, strength: float) -> Any:
    """The package's `pull` with fallback `zero`, for one point."""
    chosen = descending_codeword(g, z, candidates)
    return g if chosen is None else g + 2 * strength * (z - chosen)


def nearest_rule(g: Any, z: Any, candidates: Any, strength: float) -> Any:
    """A mistake: the nearest candidate, whether it descends or not. This is the penalty."""
    return g + 2 * strength * (z - candidates[0])


def meddling_rule(g: Any, z: Any, candidates: Any, strength: float) -> Any:
    """It changes what it was given, and prints."""
    print("noise")
    answer = pull_rule(g.copy(), z.copy(), candidates.copy(), strength)
    g[:], z[:], candidates[:] = 0, 5, np.nan
    return list(answer)


# ---- numbers ----


@pytest.mark.parametrize(
    ("rule", "method"),
    [(pull_rule, "snap"), (meddling_rule, "snap"), (nearest_rule, "penalty")],
)
def test_the_numbers_are_those_of_the_package(
    rule: Any, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    for seed in range(20):
        explorer = GradientExplorer(
            rng.uniform(-1, 1, (7, 2)), n=1 + seed % 5, strength=float(rng.uniform(0, 3)),
            own_rule=rule,
        )  # fmt: skip
        right = method_gradient(explorer.plane, places(), method, explorer.rule)
        np.testing.assert_allclose(explorer.own_numbers(), right, atol=1e-12)
    starts = np.asarray(explorer.starts)
    path = own_path(rule, explorer.plane, starts, explorer.rule, n_steps=20, rate=0.05)
    right = run_method(explorer.plane, starts, method, explorer.rule, n_steps=20, rate=0.05)
    np.testing.assert_allclose(path, right, atol=1e-10)
    assert capsys.readouterr().out == "", "what a rule prints thousands of times is not shown"


# ---- faults ----


def broken(g: Any, z: Any, candidates: Any, strength: float) -> Any:
    return candidates[99]


def divides(g: Any, z: Any, candidates: Any, strength: float) -> Any:
    return g * float("nan")


def too_many(g: Any, z: Any, candidates: Any, strength: float) -> Any:
    return candidates


def blank(g: Any, z: Any, candidates: Any, strength: float) -> Any: ...


def words(g: Any, z: Any, candidates: Any, strength: float) -> Any:
    return "left", "right"


def ragged(g: Any, z: Any, candidates: Any, strength: float) -> Any:
    return [[1], [1, 2]]


def forgets(g: Any, z: Any) -> Any:
    return g


def leaves(g: Any, z: Any, candidates: Any, strength: float) -> Any:
    raise SystemExit(3)


FAULTS: list[tuple[Callable[..., Any], str]] = [
    (broken, "broken raised IndexError: index 99 is out of bounds"),
    (divides, "divides should return finite numbers"),
    (too_many, r"shape \(2,\); at the point \(-1.10, -1.10\) its shape is \(3, 2\)"),
    (blank, "blank returned nothing at the point"),
    (words, "words should return two numbers"),
    (ragged, "ragged should return two numbers"),
    (forgets, "forgets raised TypeError"),
    (leaves, "leaves raised SystemExit: 3"),
]


@pytest.mark.parametrize(("rule", "said"), FAULTS, ids=lambda one: getattr(one, "__name__", ""))
@pytest.mark.parametrize("mode", ["field", "run"])
def test_a_fault_is_one_sentence_and_the_widget_lives(
    rule: Callable[..., Any], said: str, mode: str
) -> None:
    explorer = GradientExplorer(own_rule=rule, mode=mode)
    if mode == "field":
        with pytest.raises(OwnRuleFault, match=said):
            explorer.own_numbers()
    explorer.own_asked = "a picture"
    assert explorer.own["for"] == "a picture"
    assert re.search(said.split(r"; at")[0], explorer.own["fault"])
    assert "\n" not in explorer.own["fault"].strip()
    data, _ = explorer._repr_mimebundle_()
    assert "<img alt" in data["text/html"], "the rivals are shown without it"


def test_a_rule_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_rule, "LIMIT_S", 0.05)

    def sleeps(g: Any, z: Any, candidates: Any, strength: float) -> Any:
        while True:
            time.sleep(0.001)

    explorer = GradientExplorer(own_rule=sleeps, mode="field")
    explorer.own_asked = "a picture"
    assert re.search("sleeps was stopped after .* and 1 calls", explorer.own["fault"])


def test_a_run_uphill_without_end_is_a_sentence() -> None:
    def climbs(g: Any, z: Any, candidates: Any, strength: float) -> Any:
        return -1e3 * g

    explorer = GradientExplorer(own_rule=climbs, mode="run")
    explorer.own_asked = "a run"
    assert "has run far out of the plane" in explorer.own["fault"]
    json.dumps(explorer.own, allow_nan=False)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="own_rule as a function"):
        GradientExplorer(own_rule=3)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="a rule of your own"):
        GradientExplorer().own_numbers()


def test_no_link_holds_the_rule() -> None:
    assert "own" not in GradientExplorer(own_rule=pull_rule).link


# ---- in the page ----


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with browser() as chromium:
        yield chromium


def with_python(opened: Any, explorer: GradientExplorer) -> Page:
    """The explorer in a page that asks this very process, as a notebook asks its kernel."""
    page: Page = patient_page(opened, width=1280, height=1000)
    names = (*explorer.told, "around")

    def python(changed: dict[str, Any]) -> dict[str, Any]:
        with explorer.hold_trait_notifications():
            for name, value in changed.items():
                if name != "own":
                    setattr(explorer, name, value)
        return explorer.own

    page.expose_function("python", python)
    show_alone(page)
    page.add_script_tag(content=SCRIPT)
    page.add_style_tag(content=STYLE)
    page.evaluate(
        """(state) => {
            const model = standIn(state);
            delete model.place;
            model.save_changes = async () => {
                const names = Object.keys(state).filter((name) => name !== "around");
                const told = Object.fromEntries(names.map((name) => [name, model.get(name)]));
                model.set("own", await window.python(told));
            };
            window.model = model;
            renderExplorer({ model, el: document.body });
        }""",
        json.loads(json.dumps({name: explorer.get_state(name)[name] for name in names})),
    )
    return page


def panel(page: Page) -> Any:
    return page.locator("[data-panel='own']:visible")


def differing(page: Page, count: int) -> None:
    seen = panel(page).locator("[data-read='own']").get_attribute("data-differ")
    assert seen == str(count)


def test_field_shows_the_readers_arrows_and_rings_the_wrong_ones(opened: Any) -> None:
    explorer = GradientExplorer(own_rule=nearest_rule, mode="field")
    page = with_python(opened, explorer)

    def wrong() -> int:
        own = own_gradients(nearest_rule, explorer.plane, places(), explorer.rule)
        right = method_gradient(explorer.plane, places(), "snap", explorer.rule)
        return int((np.linalg.norm(own - right, axis=1) > 1e-6).sum())

    assert 0 < wrong() < 144
    until(page, lambda: differing(page, wrong()))
    assert f"{wrong()} of 144" in panel(page).inner_text()
    assert "your rule" in panel(page).inner_text()
    same = """() => ['down', 'up', 'cross'].every((name) => {
        const shown = (method) => [...document.querySelectorAll(`[data-panel=${method}]`)]
            .find((node) => node.offsetParent).querySelector(`.gsl-field-${name}`);
        const [a, b] = ['own', 'penalty'].map((method) => shown(method).getAttribute('d'));
        return a === b && (name !== 'up' || a.length > 99);
    })"""
    assert page.evaluate(same), "this rule is the penalty, so its arrows are the penalty's"
    before = wrong()
    page.evaluate("model.set('n_candidates', 1); model.set('strength', 0.3)")
    page.wait_for_function("model.get('own').field && model.get('strength') === 0.3")
    until(page, lambda: differing(page, wrong()))
    assert wrong() != before
    page.close()


def test_run_follows_python_to_the_end(opened: Any) -> None:
    explorer = GradientExplorer(own_rule=nearest_rule, mode="run", n_steps=30)
    page = with_python(opened, explorer)
    page.get_by_label("step shown").focus()
    page.keyboard.press("End")
    path = own_path(
        nearest_rule, explorer.plane, np.asarray(explorer.starts), explorer.rule,
        n_steps=30, rate=explorer.rate,
    )  # fmt: skip
    right = run_method(
        explorer.plane, path[0], "snap", explorer.rule, n_steps=30, rate=explorer.rate
    )
    curves = run_curves(explorer.plane, path)
    elsewhere = int((np.linalg.norm(path[-1] - right[-1], axis=1) > 1e-6).sum())

    def look() -> None:
        line = panel(page).locator("[data-read='own']")
        for name in ("loss", "distortion"):
            seen = float(line.get_attribute(f"data-{name}") or "nan")
            assert seen == pytest.approx(curves[name][-1], abs=1e-6)
        differing(page, elsewhere)

    until(page, look)
    page.close()


@pytest.mark.parametrize("mode", ["field", "run"])
def test_a_fault_is_said_in_the_panel_and_the_rivals_live_on(opened: Any, mode: str) -> None:
    explorer = GradientExplorer(own_rule=divides, mode=mode)
    page = with_python(opened, explorer)
    expect(panel(page).get_by_role("status")).to_contain_text("divides should return finite")
    assert page.locator(".gsl-panels:visible figure:visible").count() == 5
    explorer._own_rule = pull_rule  # as if mended: the next picture asks again
    page.evaluate("model.set('strength', 1)")
    expect(panel(page).get_by_role("status")).to_be_hidden()
    until(page, lambda: differing(page, 0))
    page.close()


def test_without_a_kernel_the_packages_snap_stands_there_and_says_so(
    opened: Any, tmp_path: Path
) -> None:
    page = patient_page(opened, width=390, height=900)
    path = tmp_path / "page.html"
    explorer = GradientExplorer(own_rule=nearest_rule, mode="field")
    path.write_text(f"<!doctype html><meta charset=utf-8>{explorer.to_html()}", "utf-8")
    page.goto(path.as_uri())
    expect(panel(page)).to_contain_text("No Python runs here")
    expect(panel(page)).to_contain_text("Run the cell to see nearest_rule")
    differing(page, 0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(panel(page)).to_contain_text("No Python runs here")
    page.get_by_role("button", name="Step").click()
    until(page, lambda: differing(page, 0))
    page.close()


@pytest.mark.slow
def test_in_jupyterlab_a_kernel_answers_while_a_codeword_is_moved(
    opened: Any, tmp_path: Path
) -> None:
    make = (
        "from gsl_tutorial.course.widgets import GradientExplorer\n"
        "def mine(g, z, candidates, strength):\n"
        "    return g + 2 * strength * (z - candidates[0])\n"
        "e = GradientExplorer(own_rule=mine, mode='field')\ne"
    )
    write_notebook(tmp_path / "work" / "notebooks" / "one.ipynb", make)
    with jupyterlab(tmp_path) as lab:
        page = patient_page(opened, width=1300, height=1000)
        open_notebook(page, lab, "one")
        wait_for_kernel(page)
        menu(page, "Run", "Run All Cells")
        twin = GradientExplorer(own_rule=nearest_rule, mode="field")

        def agree() -> None:
            right = method_gradient(twin.plane, places(), "snap", twin.rule)
            wrong = np.linalg.norm(twin.own_numbers() - right, axis=1) > 1e-6
            differing(page, int(wrong.sum()))

        until(page, agree)
        strength = page.locator(".widget-slider", has_text="strength").locator(".noUi-handle")
        strength.focus()
        page.keyboard.press("End")
        twin.strength = 3.0
        twin_n = page.locator(".widget-slider", has_text="candidates").locator(".noUi-handle")
        twin_n.focus()
        page.keyboard.press("Home")
        twin.n_candidates = 1
        until(page, agree)
        page.close()
