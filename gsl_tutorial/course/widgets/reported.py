"""Chapter 10's opening: the codes stay, and the reader chooses how their search is reported.

Every combination was measured before, by `results.reported`; the page only looks it up, and needs no
kernel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets as T
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.honesty import draw_reported
from gsl_tutorial.course.results.reported import Choices
from gsl_tutorial.course.widgets.page import PageWidget, entry, rows, script, style
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_count

SCRIPT = script("reported")
STYLE = style("explorer", "reported")


class ReportedFigure(PageWidget):
    """A menu for each choice, and where the figure lands among all that the same search can give.

    Parameters
    ----------
    choices : Choices
        Questions, answers and figures.
    chosen : sequence of int, optional
        The place of each answer at first; the first one everywhere by default.

    Raises
    ------
    InvalidInputError
        For an answer that there is not. Set later, the same fault is a message in the widget's own area.
    """

    kind, render = "reported", "renderReported"
    script, style = SCRIPT, STYLE
    told = ("questions", "figures", "chosen")
    unlinked = ("questions", "figures")
    _esm, _css = entry(SCRIPT, "renderReported"), STYLE

    questions = T.Any().tag(sync=True)
    figures, chosen = rows(), rows()

    def __init__(self, choices: Choices, chosen: Any = None) -> None:
        super().__init__(
            questions=[[name, list(answers)] for name, answers in choices.questions.items()],
            figures=[round(float(one), 4) for one in choices.figures.ravel()],
            chosen=[0] * len(choices.questions) if chosen is None else list(chosen),
        )
        self.check()

    def check(self) -> None:
        """Check what was set later.

        Raises
        ------
        InvalidInputError
            Some of it is faulty.
        """
        is_list = isinstance(self.chosen, (list, tuple)) and len(self.chosen) == len(self.questions)
        if not is_list:
            raise InvalidInputError(
                f"{len(self.questions)} answers", str(self.chosen), "choose one for each question"
            )
        for (name, answers), place in zip(self.questions, self.chosen, strict=True):
            check_count(place, name=name, low=0, high=len(answers) - 1)

    @property
    def figure(self) -> float:
        """The figure of the answers that are chosen."""
        sizes = [len(answers) for _, answers in self.questions]
        return float(self.figures[int(np.ravel_multi_index(list(self.chosen), sizes))])

    def still(self) -> Figure:
        """The picture as it stands now, drawn by matplotlib."""
        return draw_reported(self.figures, self.figure)

    def described(self) -> str:
        """What the picture shows, made from the numbers."""
        said = "; ".join(
            f"{name} {answers[place]}"
            for (name, answers), place in zip(self.questions, self.chosen, strict=True)
        )
        return (
            f"One search, reported in {len(self.figures)} ways: from {min(self.figures):.3f} to "
            f"{max(self.figures):.3f}. Chosen: {said}. Reported: {self.figure:.3f}; with the first answer "
            f"to each question it is {self.figures[0]:.3f}."
        )
