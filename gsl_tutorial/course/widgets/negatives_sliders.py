"""Chapter 11's controls: who is pushed, by epoch, temperature and share of hard negatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets as W
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.competition import draw_competition
from gsl_tutorial.course.two_tower.competition import FixedDraws, pushes
from gsl_tutorial.course.widgets.drawing import DrawingWithControls

_STYLE = {"description_width": "11em"}
_TEMPERATURES = (0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5)


class NegativesSliders(DrawingWithControls):
    """Sliders for the epoch, the temperature and the hard negatives; buttons for the correction.

    Parameters
    ----------
    draws : FixedDraws
        The negatives that are looked at in every epoch.
    looks : sequence of (B, n) arrays
        What `competition.behind` gave before the first epoch and after each one.
    """

    def __init__(self, draws: FixedDraws, looks: Sequence[Float[np.ndarray, "B n"]]) -> None:
        def found(
            epoch: int, temperature: float, hard: int, corrected: bool
        ) -> dict[str, tuple[Any, Any]]:
            return pushes(
                draws, looks[epoch], temperature=temperature, hard=hard, corrected=corrected
            )

        def setting(epoch: int, temperature: float, hard: int) -> str:
            when = f"after epoch {epoch}" if epoch else "before training"
            return f"{when}, temperature {temperature:g}, {hard} of {draws.budget} hard"

        def draw(epoch: int, temperature: float, hard: int, corrected: bool) -> Figure:
            return draw_competition(
                found(epoch, temperature, hard, corrected),
                n_events=len(draws.users),
                temperature=temperature,
                title=setting(epoch, temperature, hard),
            )

        def described(epoch: int, temperature: float, hard: int, corrected: bool) -> str:
            kinds = found(epoch, temperature, hard, corrected)
            total = sum(float(push.sum()) for _, push in kinds.values())
            number = sum(len(push) for _, push in kinds.values())
            return (
                "Left, how far negatives are behind their positive, and below it how much the loss makes "
                "of that. Right, the share of the draws and the share of the whole push that each kind "
                f"has. Now, {setting(epoch, temperature, hard)}: "
                + "; ".join(
                    f"{kind} {len(push) / number:.0%} of the draws, {push.sum() / total:.0%} of the push"
                    for kind, (_, push) in kinds.items()
                )
                + "."
            )

        last = len(looks) - 1
        controls = {
            "epoch": W.IntSlider(
                value=last, min=0, max=last, description="epoch", style=_STYLE
            ),
            "temperature": W.SelectionSlider(
                options=[(f"{t:g}", t) for t in _TEMPERATURES],
                value=0.05, description="temperature (τ)", style=_STYLE,
            ),
            "hard": W.IntSlider(
                value=draws.budget // 2, min=0, max=draws.budget,
                description=f"hard ones of {draws.budget}", style=_STYLE,
            ),
            "corrected": W.Dropdown(
                options=[("corrected (logQ)", True), ("counted as uniform", False)],
                value=True, description="hard ones are", style=_STYLE,
            ),
        }  # fmt: skip
        super().__init__(draw, controls, alt=described)
