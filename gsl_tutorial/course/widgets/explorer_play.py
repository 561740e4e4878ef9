"""What the explorer invites to: named worlds, a tour of five steps, and worlds where a method loses.

Each world is a link (`links.py`), so that a reader can share one, and a test can replay it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.toys.plane_methods import run_curves, run_method
from gsl_tutorial.course.widgets import explorer_parts as parts
from gsl_tutorial.course.widgets.links import write_link

_WORLD = {
    "codewords": parts.CODEWORDS, "similar": parts.SIMILAR, "dissimilar": parts.DISSIMILAR,
    "strength": 1.5, "step": 0.5, "n_candidates": 3, "n_codewords": len(parts.CODEWORDS),
    "form_index": 2, "fallback_index": 0, "loss": "pair", "mode": "point",
}  # fmt: skip
_CROWDED = (
    (-0.38, -0.03), (0.78, 0.87), (-0.28, 0.14), (-0.36, 0.19), (-0.32, -0.22), (0.78, -0.55),
    (0.25, -0.83), (0.67, 0.57),
)  # fmt: skip


def world(**state: Any) -> str:
    """Write a world as a link.

    Parameters
    ----------
    **state
        What differs from the explorer's first world.

    Returns
    -------
    str
        The link.
    """
    return write_link("gradient", _WORLD | state)


_LOSES = {
    "codewords": _CROWDED, "n_codewords": len(_CROWDED), "loss": "triplet", "strength": 0.2,
    "n_candidates": 1, "mode": "run", "shown_step": 100,
}  # fmt: skip
#: Worlds where a method loses, found by search or by readers; a test replays them.
COUNTEREXAMPLES = {
    "snapping loses to the penalty": world(**_LOSES),
    "the penalty loses to snapping": world(mode="run", shown_step=100, loss="two-class"),
}
#: Presets for an explorer that shows the snap.
PRESETS = {
    "uphill trap": world(point=(-0.55, 0.5)),
    "no codeword descends": world(point=(0.67, 0.59), n_candidates=2),
    "border flip": world(point=(0.1, -0.32)),
    "snap wins": COUNTEREXAMPLES["the penalty loses to snapping"],
    "penalty wins": COUNTEREXAMPLES["snapping loses to the penalty"],
}


def _step(say: str, at: str, trait: str = "", **read: Any) -> dict[str, Any]:
    """A step that is done when the trait has changed, or when what is read there says so."""
    return {"say": say, "at": at, **({"trait": trait} if trait else read)}


_POINT = _step(
    "Drag the point z, or focus it and press an arrow key.", "[data-handle='point-0']", "point"
)
_STRENGTH = _step(
    "Change the strength of the penalty with its slider.",
    "[data-control='strength'], .widget-slider",
    "strength",
)
_CODEWORD = _step(
    "Move a codeword, one of the grey squares.", "[data-handle='codewords-0']", "codewords"
)
_UPHILL = _step(
    "Make the sum go UPHILL: a strong pull, and a codeword on the wrong side.",
    "[data-read='penalty-verdict']",
    read="penalty-verdict",
    even_if_so=True,
) | {"is": "UPHILL"}
_STAR = _step(
    "Move the star, the partner that the loss wants z to be near.",
    "[data-handle='similar-0']",
    "similar",
)
_FIELD = _step(
    "Choose Field: the arrows of many points at once, for each method.",
    "[data-control='mode']",
    "mode",
)
_RUN = _step(
    "Choose Run, press Play, and compare where the points come to rest.",
    "[data-control='mode']",
    read="step",
) | {"is": "step"}
#: Tours: an explorer of the penalty alone, and one with the snap.
TOUR_PENALTY = [_POINT, _STRENGTH, _UPHILL, _CODEWORD, _STAR]
TOUR = [_POINT, _STRENGTH, _CODEWORD, _FIELD, _RUN]


def winner(explorer: Any, step: int = 100) -> dict[str, float]:
    """What the codewords lose under the penalty and under the snap, after so many steps of a run.

    Parameters
    ----------
    explorer : GradientExplorer
        The world.
    step : int
        Up to 100.

    Returns
    -------
    dict of str to float
        "penalty" and "snap": the mean similarity loss of the codewords on which the points would be
        stored. The smaller one wins.
    """
    starts = np.asarray(explorer.starts, dtype=float)
    found = {}
    for method in ("penalty", "snap"):
        path = run_method(
            explorer.plane, starts, method, explorer.rule, n_steps=step, rate=explorer.rate
        )
        found[method] = run_curves(explorer.plane, path[-1:])["code_loss"][0]
    return found
