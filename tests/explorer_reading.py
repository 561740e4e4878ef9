"""What an explorer on the page says, as numbers, and the same from Python, for the browser tests."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import until
from playwright.sync_api import Page

from gsl_tutorial.course.toys.plane_methods import method_gradient
from gsl_tutorial.course.widgets import GradientExplorer

#: Everything that one explorer on the page says, as numbers.
READ = """(root) => {
    const plane = root.querySelector('.gsl-plane');
    const at = (g) => { const [x, y] = g.getAttribute('transform').match(/-?[\\d.]+/g).map(Number);
                        return [(x - 250) / 200, (250 - y) / 200]; };
    const all = (css) => [...plane.querySelectorAll(css)];
    const byName = (list, name, value) => Object.fromEntries(list.map((e) => [e.dataset[name], value(e)]));
    const cells = (css) => [...root.querySelectorAll(`.gsl-beside ${css}`)];
    return {
        handles: byName(all('[data-handle]'), 'handle', at),
        arrows: byName(all('[data-arrow]'), 'arrow', (g) => [+g.dataset.x, +g.dataset.y]),
        candidates: root.querySelector('[data-candidates]').dataset.candidates.split(' ').map(Number),
        values: byName(cells('[data-value]'), 'read', (c) => +c.dataset.value),
        texts: byName(cells('[data-read]'), 'read', (c) => c.textContent),
    };
}"""


def read(page: Page, index: int = 0) -> dict[str, Any]:
    """What the explorer says at this moment, all of it in one moment."""
    return page.locator(".gsl-explorer").nth(index).evaluate(READ)


def agrees(page: Page, twin: GradientExplorer, index: int = 0) -> dict[str, Any]:
    """What the explorer says, as soon as it agrees with Python's; see `compare`."""

    def look() -> dict[str, Any]:
        seen = read(page, index)
        compare(seen, twin)
        return seen

    return until(page, look)


def compare(seen: dict[str, Any], twin: GradientExplorer) -> None:
    """The page beside Python's own numbers for the same settings."""
    plane, rule, out = twin.plane, twin.rule, twin.read_out()
    z = np.asarray(twin.point, dtype=float)[None]
    places = {"point-0": twin.point}
    places |= {f"codewords-{i}": c for i, c in enumerate(plane.codewords)}
    places |= {"similar-0": plane.similar[0], "dissimilar-0": plane.dissimilar[0]}
    assert set(seen["handles"]) == set(places)
    for name, place in places.items():
        np.testing.assert_allclose(seen["handles"][name], place, atol=1e-4, err_msg=name)
    wanted = {
        "similarity": -plane.gradient(z)[0],
        "quantization": 2 * rule.strength * (plane.codewords[out.nearest] - z[0]),
        "penalty": -method_gradient(plane, z, "penalty", rule)[0],
        "snap": -method_gradient(plane, z, "snap", rule)[0],
    }
    for name, vector in wanted.items():
        np.testing.assert_allclose(seen["arrows"][name], vector, atol=1e-6, err_msg=name)
    np.testing.assert_array_equal(
        plane.codewords[seen["candidates"]], plane.candidates(z, rule.n_candidates)[0]
    )
    assert seen["values"]["penalty-cosine"] == pytest.approx(out.penalty_cosine, abs=1e-6)
    assert seen["values"]["snapped-cosine"] == pytest.approx(out.snapped_cosine, abs=1e-6)
    assert seen["values"]["nearest-distance"] == pytest.approx(out.distance, abs=1e-6)
    assert seen["texts"]["penalty-verdict"] == out.penalty_verdict
    assert seen["texts"]["snapped-verdict"] == out.snapped_verdict
    name = "none descends" if out.chosen is None else f"codeword {out.chosen + 1}"
    assert seen["texts"]["chosen-name"] == name


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def slider(page: Page, label: str, index: int = 0) -> Any:
    row = page.locator(".widget-slider", has_text=label).nth(index)
    return row.locator(".noUi-handle")


def reset(page: Page) -> None:
    page.get_by_role("button", name="Reset").first.click()
    agrees(page, GradientExplorer())


def saved_points(path: Path) -> list[Any]:
    """Where the points of the explorers stand that a notebook was saved with."""
    try:
        metadata = json.loads(path.read_text())["metadata"]
    except json.JSONDecodeError:  # it is being written
        return []
    saved = metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    return [one["state"].get("point") for one in saved.get("state", {}).values()]
