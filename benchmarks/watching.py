"""Timing inside a page: milliseconds from an input to the first painted frame that shows its effect.

The way from this process to the browser is not counted. One input at a time: the next one waits for
the picture of the one before, so that there is a time for each.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

#: What a picture is told apart by; each is the body of a function without arguments.
PICTURES = {
    "arrows": """return [...document.querySelectorAll('[data-arrow], [data-handle]')]
        .map((g) => g.getAttribute('transform') + g.style.display).join()
        + document.querySelector('.gsl-beside').textContent""",
    "codewords": """return document.querySelector("[data-read='distortion']").textContent
        + [...document.querySelectorAll('[data-handle]')].map((g) => g.getAttribute('transform'))""",
    "playground": """return document.querySelector('.gsl-pq').textContent
        + [...document.querySelectorAll('.gsl-pq output, [data-subspace]')].map((e) => e.ariaValueNow)""",
    "widget": """const root = document.querySelector('.gsl-explorer');
        return root.textContent + [...root.querySelectorAll('path, rect, [data-handle]')]
        .map((e) => ['d', 'x', 'width', 'transform'].map((name) => e.getAttribute(name))).join()""",
    "own rule": """return [...document.querySelectorAll("[data-panel='own'] path")]
        .map((e) => e.getAttribute('d')).join()""",
    "images": """return [...document.querySelectorAll('img.gsl-drawing')]
        .map((img) => (img.complete && img.naturalWidth ? img.src : '')).join()""",
}
_WATCH = """(body) => {
    const w = window.watch = { at: null, waits: [], pictures: 0, last: 0 };
    const look = new Function(body);
    let seen = look();
    const input = (e) => { if (w.at === null) w.at = e.timeStamp; };
    for (const type of ['keydown', 'pointermove']) addEventListener(type, input, true);
    const paint = new MessageChannel();
    paint.port1.onmessage = () => {          // comes after the frame has been painted
        const now = performance.now(), here = look();
        if (here !== seen) {
            seen = here; w.pictures++; w.last = now;
            if (w.at !== null) { w.waits.push(now - w.at); w.at = null; }
        }
    };
    const frame = () => { paint.port2.postMessage(0); requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
}"""
_FORGET = "Object.assign(watch, { at: null, waits: [], pictures: 0, last: 0 })"


def watch(page: Page, picture: str) -> None:
    """Begin to watch one of `PICTURES`."""
    page.evaluate(_WATCH, PICTURES[picture])


def summary(waits: list[float]) -> dict[str, float]:
    """How many, their median, 95th percentile and maximum."""
    ordered = sorted(waits)
    if not ordered:
        return {"n": 0}
    return {
        "n": len(ordered),
        "median": round(statistics.median(ordered), 1),
        "p95": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 1),
        "max": round(ordered[-1], 1),
    }


def each(page: Page, act: Callable[[int], None], n: int, *, pause: int) -> dict[str, float]:
    """Do n inputs, each after the picture of the one before and a pause in ms; their times."""
    page.wait_for_timeout(300)
    page.evaluate(_FORGET)
    missing = 0
    for i in range(n):
        act(i)
        page.wait_for_timeout(pause)
        for _ in range(20):
            if page.evaluate("watch.at === null"):
                break
            page.wait_for_timeout(50)
        else:  # nothing changed in a second: no picture came of this input
            missing += 1
            page.evaluate("watch.at = null")
    found = summary(page.evaluate("watch.waits"))
    return found | ({"without_a_picture": missing} if missing else {})


def drag(page: Page, handle: str, n: int, *, pause: int) -> dict[str, float]:
    """Drag a handle of the first plane n steps on a zigzag."""
    box = page.locator(f"[data-handle='{handle}']").first.bounding_box()
    if box is None:
        raise RuntimeError(f"{handle} is not shown")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    found = each(page, lambda i: page.mouse.move(x + 2 + 2 * (i % 30), y - 1 - i), n, pause=pause)
    page.mouse.up()
    return found


def burst(page: Page, key: str, *, n: int = 30, gap: float = 0.03) -> dict[str, Any]:
    """Press a key n times, about as fast as a held key repeats, without waiting for pictures."""
    page.wait_for_timeout(300)
    page.evaluate(_FORGET)
    started = time.perf_counter()
    for i in range(n):
        page.keyboard.press(key)
        time.sleep(max(0.0, started + (i + 1) * gap - time.perf_counter()))
    rate = n / (time.perf_counter() - started)
    ended: float = page.evaluate("performance.now()")
    page.wait_for_timeout(800)
    seen = page.evaluate("watch")
    return {
        "inputs": n,
        "inputs_per_second": round(rate, 1),
        "pictures": seen["pictures"],
        "settled_ms": round(max(0.0, seen["last"] - ended + 1000 * gap), 1),
    }
