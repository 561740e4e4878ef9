"""What the explorer is made of beside its picture: first values, sliders, words."""

from __future__ import annotations

from typing import Any

import ipywidgets as W
import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.widgets.page import to_json

FORMS = ("replace, projected", "replace, full length", "pull", "look-ahead")
FALLBACKS = ("zero", "keep", "nearest")
MODES = ("point", "field", "run")
#: What the page is told.
NAMES = (
    "codewords", "similar", "dissimilar", "starts", "point", "strength", "step", "rate", "n_steps",
    "n_candidates", "n_codewords", "form_index", "fallback_index", "loss", "mode", "snap",
)  # fmt: skip
#: What it is told of the reader's own rule, and no link holds.
OWN = ("own_name", "own_asked", "own")

#: Those of chapter 06, in an order in which the first K cover the plane for every K.
CODEWORDS = (
    (0.10, 0.10), (-0.80, 0.70), (0.80, -0.85), (0.75, 0.70), (-0.60, -0.80), (-0.75, -0.05),
    (0.85, -0.10), (-0.10, 0.85), (0.15, -0.75),
)  # fmt: skip
SIMILAR = ((-0.45, 0.45), (-0.75, 0.25), (-0.20, 0.65), (-0.60, 0.85), (-0.95, 0.50))
DISSIMILAR = ((0.50, -0.35), (0.25, -0.60), (0.80, -0.55), (0.40, 0.05), (0.70, -0.10))


def scattered(n: int) -> Float[np.ndarray, "n 2"]:
    """Scatter points over the plane, evenly and without a pattern, the same each time.

    Parameters
    ----------
    n : int
        How many points.

    Returns
    -------
    (n, 2) array
        The first terms of the R2 sequence.
    """
    steps = np.array([0.7548776662466927, 0.5698402909980532])
    return np.round(2.2 * ((0.5 + np.arange(1, n + 1)[:, None] * steps) % 1) - 1.1, 4)


def specifications(explorer: Any) -> list[dict[str, Any]]:
    """List the sliders and menus of an explorer.

    Parameters
    ----------
    explorer : GradientExplorer
        The explorer that they belong to.

    Returns
    -------
    list of dict
        Trait, label and range of each.
    """
    K = len(explorer.codewords)
    strength = {
        "name": "strength",
        "label": "strength (lambda)",
        "min": 0.0,
        "max": 3.0,
        "step": 0.1,
    }
    if not explorer.snap:
        words = {"name": "n_codewords", "label": "codewords (K)", "min": 1, "max": K, "step": 1}
        return [strength, words]
    return [
        strength,
        {"name": "step", "label": "look-ahead (eta)", "min": 0.0, "max": 2.0, "step": 0.1},
        {"name": "n_candidates", "label": "candidates (n)", "min": 1, "max": K, "step": 1},
        {"name": "n_codewords", "label": "codewords (K)", "min": 1, "max": K, "step": 1},
        {"name": "form_index", "label": "form of the snap", "options": FORMS},
        {"name": "fallback_index", "label": "fallback", "options": FALLBACKS},
    ]


def native(specification: dict[str, Any]) -> dict[str, Any]:
    """Return a specification as the page reads it."""
    return {key: to_json(value) for key, value in specification.items()}


def linked_controls(explorer: Any, specified: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Make ipywidgets controls that are linked in the page: no round trip to Python.

    Parameters
    ----------
    explorer : PageWidget
        The explorer whose traits are linked.
    specified : list of dict, optional
        What `specifications` returns, for another widget than a `GradientExplorer`.

    Returns
    -------
    dict of str to widget
        Trait -> its control, one for each specification.
    """
    style = {"description_width": "9.5em"}
    controls = {}
    for one in specified or specifications(explorer):
        name, text = one["name"], one["label"]
        value = getattr(explorer, name)
        if "options" in one:
            control = W.Dropdown(options=one["options"], index=value, description=text, style=style)
            W.jslink((explorer, name), (control, "index"))
        else:
            kind = W.IntSlider if isinstance(one["min"], int) else W.FloatSlider
            control = kind(
                value=value, min=one["min"], max=one["max"], step=one["step"],
                description=text, style=style,
            )  # fmt: skip
            W.jslink((explorer, name), (control, "value"))
        control.layout.width = "auto"  # as wide as its column
        controls[name] = control
    return controls


def laid_out(controls: dict[str, Any]) -> Any:
    """Lay the controls out in as many columns as there is room for."""
    columns = "repeat(auto-fit, minmax(min(100%, 300px), 1fr))"
    return W.GridBox(list(controls.values()), layout=W.Layout(grid_template_columns=columns))


def described(explorer: Any) -> str:
    """Make the alt text of an explorer from its numbers."""
    K, loss = explorer.n_codewords, explorer.loss
    if explorer.mode != "point":
        what = {"field": "Arrows over the plane", "run": "Paths of many points"}[explorer.mode]
        own = f", and {explorer.own_name}, the reader's own rule" if explorer.own_name else ""
        rivals = f"penalty, straight-through, rotation trick and snap{own}, side by side"
        return (
            f"{what} under {rivals if explorer.snap else 'the penalty'}; "
            f"{K} codewords, similarity loss {loss!r}."
        )
    out = explorer.read_out()
    if not explorer.snap:
        return (
            f"A point among {K} codewords under the similarity loss {loss!r}, with arrows for the "
            "descent of the loss, the pull to the nearest codeword, and their sum. "
            f"The sum: {out.penalty_verdict}, cosine {out.penalty_cosine:+.2f} with the descent."
        )
    chosen = (
        "no candidate descends" if out.chosen is None else f"it goes to codeword {out.chosen + 1}"
    )
    return (
        f"A point among {K} codewords under the similarity loss {loss!r}, with arrows for the "
        "descent of the loss, the pull to the nearest codeword, their sum and the snapped step. "
        f"The sum: {out.penalty_verdict}, cosine {out.penalty_cosine:+.2f} with the descent. "
        f"The snapped step: {out.snapped_verdict}, cosine {out.snapped_cosine:+.2f}; {chosen}."
    )
