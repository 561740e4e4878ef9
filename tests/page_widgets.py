"""One of each widget that is drawn in the page, for the tests that ask the same of all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import map_cases
import numpy as np
from playwright.sync_api import Page

from gsl_tutorial.course.results.reported import Choices
from gsl_tutorial.course.study.map_file import parse_map
from gsl_tutorial.course.two_tower.items import ItemTexts
from gsl_tutorial.course.widgets import (
    CodewordExplorer,
    FeedbackLoop,
    FilmPicker,
    FourBytes,
    GradientExplorer,
    LostWorker,
    MethodMap,
    PhotoSearch,
    QuantizationPlayground,
    ReportedFigure,
    TurnsExplorer,
)
from gsl_tutorial.course.widgets.explorer_play import PRESETS, TOUR
from gsl_tutorial.course.widgets.page import PageWidget

POINTS = np.random.default_rng(3).uniform(-0.9, 0.9, (40, 2))
VECTORS = np.random.default_rng(4).integers(0, 17, (69, 16)) / 16
DISTANCES = np.sort(np.random.default_rng(5).integers(0, 9, (7, 3)), axis=1).astype(np.float32)
CELLS = np.repeat(np.arange(3), 20)
TEXTS = ItemTexts(
    np.arange(1000, 1060),
    np.random.default_rng(6).normal(size=(60, 6)).astype(np.float32) + 2 * CELLS[:, None],
    {"training": CELLS},
    {},
)
REPORTED = Choices(
    {"look at": ["all", "ten", "one"], "divide by": ["could", "came"]},
    np.array([[0.7, 0.7], [0.5, 0.8], [0.6, 0.9]]),
)


def loop_record(arm: str, n_rounds: int = 3) -> dict[str, Any]:
    """A loop in which the list of round r begins with film r, and its first place is clicked."""
    return {
        "arm": arm,
        "rounds": [
            {"gini": 0.1 * r, "recall": 0.2, "coverage": 0.5, "curve": [0, 0.5 + 0.1 * r, 1]}
            for r in range(1, n_rounds + 1)
        ],
        "watched": [
            {
                "user": user,
                "shown": [[r, 7, 9] for r in range(1, n_rounds + 1)],
                "clicked": [[0]] * n_rounds,
            }
            for user in (0, 1)
        ],
    }


def nearest_rule(g: Any, z: Any, candidates: Any, strength: float) -> Any:
    """A reader's rule that differs from the snap."""
    return g + 2 * strength * (z - candidates[0])


@dataclass(frozen=True)
class Case:
    """A widget, and what can be done with it.

    Attributes
    ----------
    make : callable
        Makes a fresh one.
    press : str
        A control, as a selector of CSS, that changes what a link holds each time.
    links : tuple of str
        Other states that are worth a look.
    """

    make: Callable[[], PageWidget]
    press: str
    links: tuple[str, ...] = ()


@cache
def _bytes() -> FourBytes:
    return FourBytes(pictures=False)


@cache
def _photos() -> PhotoSearch:
    return PhotoSearch(pictures=False)


CASES = {
    "codewords": Case(
        lambda: CodewordExplorer(POINTS, [[-0.3, 0.5], [0.3, -0.3]]),
        ".gsl-transport button",
        ("gsl1.codewords?rounds=3", "gsl1.codewords?codewords=0,0;5,5;"),
    ),
    "gradient": Case(
        lambda: GradientExplorer(presets=PRESETS, tour=TOUR),
        "[data-control='mode'] button:not([aria-pressed='true'])",
        (*PRESETS.values(), "gsl1.gradient?mode=field"),
    ),
    "gradient, own rule": Case(
        lambda: GradientExplorer(own_rule=nearest_rule, mode="field"),
        "[data-control='mode'] button:not([aria-pressed='true'])",
        ("gsl1.gradient?mode=run&shown_step=7",),
    ),
    "turns": Case(
        lambda: TurnsExplorer(n_steps=12),
        ".gsl-bar select",
        ("gsl1.turns?rival=rotation&shown_step=5", "gsl1.turns?rival=similarity&shown_step=12"),
    ),
    "quantization": Case(
        lambda: QuantizationPlayground(VECTORS[:60], VECTORS[60:], K=8, rounds=2),
        "[data-control='query'] input",
        ("gsl1.quantization?data=random&n_codewords=16&compare=true",
         "gsl1.quantization?code=1,2,3,4,", "gsl1.quantization?item=5"),
    ),
    "bytes": Case(
        _bytes,
        "[data-control='after'] button:not([aria-pressed='true'])",
        ("gsl1.bytes?query=4&after=false", "gsl1.bytes?query=2&after=true&code=1,2,3,4,"),
    ),
    "photos": Case(_photos, "[role='radio'][aria-checked='false']", ("gsl1.photos?chosen=11",)),
    "cluster": Case(
        lambda: LostWorker(
            DISTANCES, np.arange(21).reshape(7, 3), [30, 50, 40, 35, 45, 30, 60], time=20
        ),
        ".gsl-bar input[type=range]",
        ("gsl1.cluster?time=90&lost=1,60;0,80;", "gsl1.cluster?time=1000"),
    ),
    "loop": Case(
        lambda: FeedbackLoop(
            [loop_record(arm) for arm in ("oracle", "uniform", "text")],
            {1: 0, 2: 1, 3: 2, 7: 0, 9: 1}, {2: "Film <two>"},
        ),
        ".gsl-bar input[type=range]",
        ("gsl1.loop?arm=1&user=1&round=3",),
    ),
    "films": Case(
        lambda: FilmPicker(TEXTS, [0, 1, 2], {1000: "Film <zero>"}, liked=1000),
        ".gsl-bar button[aria-label='next film']",
        ("gsl1.films?film=7&draw=2",),
    ),
    "reported": Case(
        lambda: ReportedFigure(REPORTED),
        "[data-choose='1']",
        ("gsl1.reported?chosen=2,1,", "gsl1.reported?chosen=1,0,"),
    ),
    "map": Case(
        lambda: MethodMap(parse_map(map_cases.found())),
        "[data-cell][aria-checked='false']",
        ("gsl1.map?whole=true", "gsl1.map?cell=2x4&bets=2x4%3Dloses"),
    ),
}  # fmt: skip

#: Changes the state by a control of the widget's own: a click, a slider's next step, another choice.
PRESS = """(selector) => {
    const one = document.querySelector(selector);
    if (one.tagName === "SELECT") {
        one.selectedIndex = (one.selectedIndex + 1) % one.options.length;
        return one.dispatchEvent(new Event("change", { bubbles: true }));
    }
    if (one.type !== "range") return one.click();
    const before = one.value;
    one.stepUp();
    if (one.value === before) one.stepDown();
    one.dispatchEvent(new Event("input", { bubbles: true }));
}"""


def mount(page: Page, widget: PageWidget, *, kernel: bool = False) -> None:
    """Draw a widget on a page that is blank, as a site does or as a notebook with a kernel does.

    The page keeps the model as `model`, and counts in `told` how often a kernel would have been told.
    """
    page.goto("about:blank")
    page.evaluate("document.body.replaceChildren()")
    state = {name: widget.get_state(name)[name] for name in (*widget.told, "around")}
    page.add_style_tag(content=widget.style)
    page.add_script_tag(content=f"{type(widget).script}\nwindow.draw = {widget.render};")
    page.evaluate(
        """([state, kernel]) => {
            window.told = 0;
            window.model = standIn(state);
            if (kernel) delete model.place;
            model.save_changes = () => { told++; };
            draw({ model, el: document.body });
        }""",
        [json.loads(json.dumps(state)), kernel],
    )
