"""The README's moving picture: a point dragged in the real explorer, in a real browser.

`python -m benchmarks.film` writes `docs/drag.webp`, and `docs/drag.png` for readers who asked their
system for less motion. Nothing is staged: a mouse drags the point along a closed path, and each frame is
what the page shows then. Needs chromium, as the browser tests do; takes a minute.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page

from gsl_tutorial.course.widgets import GradientExplorer
from tests.browser import browser, resting_box

DOCS = Path(__file__).parents[1] / "docs"
FRAMES, MILLISECONDS = 110, 50
#: Corners of the path, in the plane's own units; it is closed, so the film can run for ever.
CORNERS = [(-0.2, 0.2), (0.05, 0.32), (0.3, 0.2), (0.35, -0.2), (0.0, -0.35), (-0.35, -0.1)]
#: A mouse pointer: browsers leave theirs out of a picture.
POINTER = """() => {
    const pointer = document.createElement("div");
    pointer.innerHTML = '<svg width="22" height="26"><path d="M2 2v18l5-4 3 8 4-2-3-7h7z" ' +
        'fill="white" stroke="black" stroke-width="1.5"/></svg>';
    pointer.style = "position: fixed; z-index: 9; pointer-events: none";
    document.body.append(pointer);
    addEventListener("pointermove", (event) => {
        pointer.style.left = `${event.clientX - 2}px`;
        pointer.style.top = `${event.clientY - 2}px`;
    });
}"""
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def path() -> np.ndarray:
    """The places of the point, one for each frame: a smooth closed curve through the corners."""
    corners = np.fft.fft([x + 1j * y for x, y in CORNERS])
    half = len(corners) // 2
    spectrum = np.concatenate(
        [corners[:half], [corners[half] / 2], np.zeros(FRAMES - len(corners) - 1),
         [corners[half] / 2], corners[half + 1 :]]
    )  # fmt: skip
    curve = np.fft.ifft(spectrum) * FRAMES / len(corners)
    return np.stack([curve.real, curve.imag], axis=1)


def frames(page: Page) -> list[Image.Image]:
    """What the page shows while the point goes once round."""
    page.set_content(f"<!doctype html><body>{GradientExplorer().to_html()}</body>")
    page.wait_for_selector("[data-handle='point-0']")
    page.evaluate(POINTER)
    plane = resting_box(page.locator(".gsl-plane").first)
    point = resting_box(page.locator("[data-handle='point-0']"))
    scale = plane["width"] / 2.5
    start = np.array([point["x"] + point["width"] / 2, point["y"] + point["height"] / 2])
    places = path()
    page.mouse.move(*start)
    page.mouse.down()
    # The sliders below stay out of the picture: this is about the point.
    clip = {"x": 6, "y": plane["y"] - 6, "width": 800, "height": plane["height"] + 12}
    taken = []
    for place in places:
        away = (place - places[0]) * scale
        page.mouse.move(start[0] + away[0], start[1] - away[1])
        page.evaluate(TWO_FRAMES)
        taken.append(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB"))
    page.mouse.up()
    return taken


def main() -> None:
    """Write both pictures."""
    with browser() as opened:
        taken = frames(opened.new_page(viewport={"width": 812, "height": 600}))
    first, *others = taken
    first.save(DOCS / "drag.png", optimize=True)
    first.save(
        DOCS / "drag.webp", save_all=True, append_images=others, duration=MILLISECONDS, loop=0,
        quality=70, method=4, minimize_size=True,
    )  # fmt: skip
    print(f"{(DOCS / 'drag.webp').stat().st_size / 1e6:.2f} MB, {len(taken)} frames")


if __name__ == "__main__":
    main()
