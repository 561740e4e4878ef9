"""The README's three lines for Google Colab, with a stand-in for Colab's own module.

Colab shows a widget that is not of ipywidgets only where its output names the manager that can. What ends a
cell must name it by itself; for a box, that holds too.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import ipywidgets as W
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from page_widgets import CASES

from gsl_tutorial.course.widgets.drawing import DrawingWithControls

ROOT = Path(__file__).parents[1]
MANAGER = "the address of Colab's manager"


def preamble() -> list[str]:
    readme = (ROOT / "README.md").read_text("utf-8")
    found = re.search(r"On Colab, put this into the first cell:\n\n((?: {4}.+\n)+)", readme)
    assert found
    return [line.strip() for line in found[1].splitlines()]


def drawing(level: int) -> Figure:
    figure, axes = plt.subplots(figsize=(1, 1))
    axes.plot([level, 1])
    plt.close(figure)
    return figure


def box_with_a_picture() -> Any:
    slider = W.IntSlider(1, 0, 2, description="level")
    return DrawingWithControls(drawing, {"level": slider}, alt="A line.")


SHOWN = {name: case.make for name, case in CASES.items()} | {"a box": box_with_a_picture}


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What Colab's module has, before it is asked for anything."""
    output, colab = ModuleType("google.colab.output"), ModuleType("google.colab")
    widgets = SimpleNamespace(_installed_url=None)

    def enable_custom_widget_manager() -> None:
        widgets._installed_url = MANAGER

    vars(output).update(_widgets=widgets, enable_custom_widget_manager=enable_custom_widget_manager)
    vars(colab)["output"] = output
    for module in (ModuleType("google"), colab, output):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return output


def test_the_first_line_installs_what_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found = re.fullmatch(r'%pip install -q "([\w-]+)\[(\w+)\]"', preamble()[0])
    assert found
    assert found[1] == project["name"]
    assert found[2] in project["optional-dependencies"]


@pytest.mark.usefixtures("output")
@pytest.mark.parametrize("name", SHOWN)
def test_after_it_every_widget_names_the_manager(name: str) -> None:
    exec("\n".join(preamble()[1:]), {})
    data, told = SHOWN[name]()._repr_mimebundle_()
    view = "application/vnd.jupyter.widget-view+json"
    assert view in data
    assert told == {view: {"colab": {"custom_widget_manager": {"url": MANAGER}}}}


@pytest.mark.parametrize("name", SHOWN)
def test_elsewhere_nothing_is_named(name: str) -> None:
    assert SHOWN[name]()._repr_mimebundle_()[1] == {}
