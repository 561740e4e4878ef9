"""Widgets in a real browser and a real JupyterLab: input to picture, bursts, frames a second.

Targets: p95 from input to picture 33 ms where the page computes and 80 ms where Python does, at least
25 of 30 pictures in a burst (page) and settled in 150 ms, first explorer 5 s after Run All in a fresh
kernel, 30 frames a second in a run of 50 points under 4 methods, 60 kB of JavaScript. Needs chromium,
found as the browser tests find it, and a quiet machine; takes about four minutes. The load is recorded
before and after: beside other work every number here tells of that work.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.watching import burst, drag, each, summary, watch
from gsl_tutorial.course.widgets.explorer import SCRIPT
from tests.browser import browser, jupyterlab, menu, open_notebook, wait_for_kernel, write_notebook

STEPS = 60
EXPLORER = "from gsl_tutorial.course.widgets import GradientExplorer\nGradientExplorer()"
CODEWORDS = """from gsl_tutorial.course.datasets import make_blobs_2d
from gsl_tutorial.course.widgets import CodewordExplorer
groups = make_blobs_2d(40, 3, random_state=2, spread=0.14).x
CodewordExplorer(groups, [[-0.3, 0.5], [0.3, -0.3], [0.7, 0.6]], best=0.036)"""
LOOP = """from gsl_tutorial.course.two_tower.loop import LOOP_ARMS
from gsl_tutorial.course.widgets import FeedbackLoop
def record(arm):
    turns = range(1, 13)
    rounds = [{"gini": 0.05 * r, "recall": 0.2, "coverage": 0.5,
               "curve": [(i / 40) ** (1 / r) for i in range(41)]} for r in turns]
    shown = [[20 * r + i for i in range(20)] for r in turns]
    return {"arm": arm, "rounds": rounds,
            "watched": [{"user": 0, "shown": shown, "clicked": [[0, 3]] * 12}]}
FeedbackLoop([record(arm) for arm in LOOP_ARMS], {film: film % 7 for film in range(300)})"""
PLAYGROUND = """from gsl_tutorial.course.datasets import load_digits
from gsl_tutorial.course.widgets import QuantizationPlayground
digits = load_digits()
QuantizationPlayground(digits.database.x[:800], digits.query.x[:100])"""
OWN_RULE = """from gsl_tutorial.course.widgets import GradientExplorer
def mine(g, z, candidates, strength):
    return g + 2 * strength * (z - candidates[0])
GradientExplorer(own_rule=mine, mode="%s")"""
#: The widgets of chapters 00, 07, 09, 11 and 12, whose pictures the page draws.
NEWEST = {
    "photographs": """from gsl_tutorial.course.widgets import PhotoSearch
PhotoSearch()""",
    "four_bytes": """from gsl_tutorial.course.widgets import FourBytes
FourBytes(query=4)""",
    "map": """from gsl_tutorial.course.study.map_file import read_map
from gsl_tutorial.course.widgets import MethodMap
MethodMap(read_map(), whole=True)""",
    "turns": """from gsl_tutorial.course.widgets import TurnsExplorer
TurnsExplorer()""",
    "lost_worker": """import numpy as np
from gsl_tutorial.course.widgets import LostWorker
rng = np.random.default_rng(0)
LostWorker(np.sort(rng.random((12, 10)), axis=1), np.arange(120).reshape(12, 10),
           rng.integers(30, 60, size=12))""",
    "feedback_loop": LOOP,
    "own_rule": OWN_RULE % "field",
    "own_rule_run": OWN_RULE % "run",
}
_RIGHT_LEFT = ["ArrowRight"] * 6 + ["ArrowLeft"] * 6
#: Of each what has the focus, and the keys that change the picture: name -> (widget, focus, keys).
NEWEST_KEYS = {
    "photographs_query": ("photographs", "[role='radio'][tabindex='0']", _RIGHT_LEFT),
    "four_bytes_query": ("four_bytes", "[role='radio'][tabindex='0']", _RIGHT_LEFT),
    "four_bytes_walk": ("four_bytes", "[data-walk='0']", _RIGHT_LEFT),
    "map_cell": ("map", "[data-cell][tabindex='0']", ["ArrowRight", "ArrowLeft"]),
    "map_method": ("map", "[data-method][tabindex='0']", ["ArrowDown"] * 3 + ["ArrowUp"] * 3),
    "turns_positive": ("turns", "[data-handle='positives-0']", ["ArrowUp", "ArrowDown"]),
    "turns_step": ("turns", "[aria-label='step shown']", _RIGHT_LEFT),
    "lost_worker_time": ("lost_worker", ".gsl-bar input[type=range]", _RIGHT_LEFT),
    "feedback_loop_round": ("feedback_loop", ".gsl-bar input[type=range]", _RIGHT_LEFT),
    "own_rule_strength": ("own_rule", ".noUi-handle", _RIGHT_LEFT),
}
#: As in chapters 02 and 04: the widgets whose pictures Python draws, and how many steps of their first
#: slider change the picture.
PYTHON = {
    "kmeans": """from gsl_tutorial.course.datasets import make_blobs_2d
from gsl_tutorial.course.widgets import KMeansSliders
KMeansSliders(make_blobs_2d(50, 4, random_state=1, spread=0.22).x)""",
    "turned_grid": """from gsl_tutorial.course.datasets import make_blobs_2d
from gsl_tutorial.course.widgets import RotationSliders
RotationSliders(make_blobs_2d(40, 4, random_state=0, spread=0.12).x)""",
    "four_quantizers": """import gsl_tutorial as gsl
from gsl_tutorial.course.datasets import make_blobs_2d
from gsl_tutorial.course.widgets import MethodSliders
methods = {"PQ": gsl.ProductQuantizer, "OPQ": gsl.OptimizedProductQuantizer,
           "RQ": gsl.ResidualQuantizer, "LSQ": gsl.AdditiveQuantizer}
MethodSliders(make_blobs_2d(40, 4, random_state=0, spread=0.12).x, methods)""",
}
PYTHON_STEPS = {"kmeans": 8, "turned_grid": 18, "four_quantizers": 18}


def measure() -> dict[str, Any]:
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, browser() as opened:
        home = Path(folder)
        notebooks = {
            "explorer": EXPLORER,
            "codewords": CODEWORDS,
            "playground": PLAYGROUND,
        }
        notebooks |= NEWEST | PYTHON
        for name, cell in notebooks.items():
            write_notebook(home / "work" / "notebooks" / f"{name}.ipynb", cell)
        with jupyterlab(home) as address:
            page = opened.new_page(viewport={"width": 1300, "height": 1000})
            first = _open(page, address, "explorer", ".gsl-explorer [data-arrow]")
            result: dict[str, Any] = {
                "load_before": round(load, 2),
                "javascript_kb": len(SCRIPT.encode()) / 1000,
                "javascript_kb_target": 60,
                "first_explorer_s": round(first, 2),
                "first_explorer_s_target": 5.0,
                "page_ms_p95_target": 33,
                "page_ms": _explorer(page),
                "burst_targets": {"pictures": 25, "settled_ms": 150},
                "burst": _burst(page),
                "run_frames_per_second_target": 30,
                "run": _run(page),
                "python_ms": {},
            }
            _open(page, address, "codewords", ".gsl-explorer [data-handle]")
            watch(page, "codewords")
            result["page_ms"]["chapter_02_drag"] = drag(page, "codewords-0", STEPS, pause=40)
            _open(page, address, "playground", "[data-busy='false']")
            result["page_ms"] |= _playground(page)
            for name in NEWEST:
                _newest(page, address, name, result)
            result["python_ms_p95_target"] = 80
            result["python_ms"] |= {name: _python(page, address, name) for name in PYTHON}
            result["load_after"] = round(os.getloadavg()[0], 2)
    return result


def _open(page: Page, address: str, name: str, wanted: str) -> float:
    """Run a notebook in a kernel of its own; seconds from Run All to the first widget."""
    open_notebook(page, address, name)
    wait_for_kernel(page)
    started = time.perf_counter()
    menu(page, "Run", "Run All Cells")
    page.wait_for_selector(wanted, timeout=120_000)
    seconds = time.perf_counter() - started
    page.wait_for_timeout(1500)  # JupyterLab goes on for a while
    return seconds


def _keys(page: Page, focus: str, keys: list[str], *, pause: int) -> dict[str, float]:
    page.locator(focus).first.focus()
    return each(page, lambda i: page.keyboard.press(keys[i % len(keys)]), STEPS, pause=pause)


def _explorer(page: Page) -> dict[str, Any]:
    """Where the page computes: each input of the explorer."""
    watch(page, "arrows")
    around = ["ArrowUp", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowDown", "ArrowRight"]
    back_and_forth = ["ArrowRight"] * 15 + ["ArrowLeft"] * 15
    found = {"slider": _keys(page, ".noUi-handle", back_and_forth, pause=40)}
    found["arrow_keys"] = _keys(page, "[data-handle='point-0']", around, pause=40)
    for name, handle in {
        "point": "point-0",
        "codeword": "codewords-0",
        "data": "similar-0",
    }.items():
        page.get_by_role("button", name="Reset").click()
        found[f"drag_{name}"] = drag(page, handle, STEPS, pause=40)
    page.get_by_role("button", name="Reset").click()
    return found


def _playground(page: Page) -> dict[str, Any]:
    """Chapter 03's playground: to the first picture that shows the input; its learning goes on after it."""
    watch(page, "playground")
    there_and_back = ["ArrowRight"] * 15 + ["ArrowLeft"] * 15
    found = {}
    for name, focus in {
        "playground_query": "[data-control='query'] input",
        "playground_codeword": "[data-subspace='1']",
    }.items():
        found[name] = _keys(page, focus, there_and_back, pause=60)
    found["playground_K"] = _keys(
        page,
        "[data-control='n_codewords'] input",
        ["ArrowRight"] * 3 + ["ArrowLeft"] * 3,
        pause=250,
    )
    return found


def _burst(page: Page) -> dict[str, Any]:
    """The slider of lambda from its left end to its right: every step changes two arrows."""
    page.locator(".noUi-handle").first.focus()
    page.keyboard.press("Home")
    return burst(page, "ArrowRight")


def _run(page: Page) -> dict[str, Any]:
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_timeout(500)
    return _frames(page, ".gsl-runners")


def _frames(page: Page, moving: str) -> dict[str, Any]:
    """Play, and count a frame when what moves is drawn otherwise than in the frame before."""
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(500)
    page.evaluate(
        """(moving) => { window.watch ??= {}; watch.moved = []; let seen = '';
            const frame = (t) => {
                const here = document.querySelector(moving).getAttribute('d');
                if (here !== seen) { seen = here; watch.moved.push(t); }
                if (watch.moved) requestAnimationFrame(frame); };
            requestAnimationFrame(frame); }""",
        moving,
    )
    page.wait_for_timeout(3000)
    moved: list[float] = page.evaluate("watch.moved")
    gaps = [b - a for a, b in itertools.pairwise(moved)]
    per_second = 1000 * len(gaps) / (moved[-1] - moved[0])
    return {"frames_per_second": round(per_second, 1), "frame_ms": summary(gaps)}


def _newest(page: Page, address: str, name: str, result: dict[str, Any]) -> None:
    """The keys of one of the newest widgets, and where something runs, its frames."""
    _open(page, address, name, ".gsl-explorer")
    page.wait_for_timeout(500)
    watch(page, "widget")
    for what, (widget, focus, keys) in NEWEST_KEYS.items():
        if widget == name:
            result["page_ms"][what] = _keys(page, focus, keys, pause=60)
    if name == "own_rule":
        watch(page, "own rule")
        result["python_ms"][name] = _keys(page, ".noUi-handle", _RIGHT_LEFT, pause=120)
    if name in ("turns", "own_rule_run"):
        result[f"{name}_frames"] = _frames(page, ".gsl-dots" if name == "turns" else ".gsl-runners")


def _python(page: Page, address: str, name: str) -> dict[str, Any]:
    """Where Python draws: the first slider of a widget there and back, then a burst."""
    _open(page, address, name, "img.gsl-drawing")
    watch(page, "images")
    page.locator(".noUi-handle").first.focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(500)
    n = PYTHON_STEPS[name]
    back_and_forth = ["ArrowRight"] * n + ["ArrowLeft"] * n
    found: dict[str, Any] = _keys(page, ".noUi-handle", back_and_forth, pause=80)
    page.keyboard.press("Home")
    page.wait_for_timeout(500)
    return found | {"burst": burst(page, "ArrowRight", n=n)}
