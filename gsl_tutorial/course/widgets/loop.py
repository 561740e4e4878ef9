"""Chapter 11's feedback loop: scrub through the rounds, switch the negatives, look at one user's list.

The loops were run before, by the study; the page shows what they left behind, and needs no kernel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets as T
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.loop import draw_loop_round
from gsl_tutorial.course.study.records import Record
from gsl_tutorial.course.two_tower.loop_report import arm_in_words
from gsl_tutorial.course.widgets.page import PageWidget, entry, rows, script, style
from gsl_tutorial.errors import DataMissingError
from gsl_tutorial.validation import check_count

SCRIPT = script("loop")
STYLE = style("explorer", "codewords", "loop")


class FeedbackLoop(PageWidget):
    """What one user is shown, round by round, and how the catalogue shares what everybody is shown.

    Parameters
    ----------
    records : sequence of dict
        Of loops whose users were watched, one for each arm; the first is the one to compare with.
    cells : mapping of int to int
        The true cell of each film, by its id of MovieLens.
    titles : mapping of int to str, optional
        Titles by the same ids; a film without one is called by its id.
    arm, user, round : int
        Where it stands at first: the place of the arm and of the user, and the number of the round.

    Raises
    ------
    DataMissingError
        If no record has watched users.
    InvalidInputError
        For a place that there is not. Set later, the same fault is a message in the widget's own area.
    """

    kind, render = "loop", "renderLoop"
    script, style = SCRIPT, STYLE
    told = ("arms", "users", "lists", "curves", "figures", "arm", "user", "round")
    unlinked = ("arms", "users", "lists", "curves", "figures")
    _esm, _css = entry(SCRIPT, "renderLoop"), STYLE

    arms, users, lists, curves, figures = rows(), rows(), rows(), rows(), rows()
    arm, user, round = T.Int(0).tag(sync=True), T.Int(0).tag(sync=True), T.Int(1).tag(sync=True)

    def __init__(
        self,
        records: Sequence[Record],
        cells: Mapping[int, int],
        titles: Mapping[int, str] | None = None,
        *,
        arm: int = 0,
        user: int = 0,
        round: int = 1,
    ) -> None:
        if not records or not all(one["watched"] for one in records):
            raise DataMissingError(
                "loops whose users were watched",
                f"{len(records)} records",
                "take those of the study's part core, seed 0",
            )
        names = titles or {}
        super().__init__(
            arms=[[one["arm"], arm_in_words(one["arm"])] for one in records],
            users=[f"user {one['user'] + 1}" for one in records[0]["watched"]],
            lists=[[_lists(one, cells, names) for one in record["watched"]] for record in records],
            curves=[[one["curve"] for one in record["rounds"]] for record in records],
            figures=[
                [[one[key] for key in ("gini", "recall", "coverage")] for one in record["rounds"]]
                for record in records
            ],
            arm=arm,
            user=user,
            round=round,
        )
        self.check()

    def check(self) -> None:
        """Check what was set later.

        Raises
        ------
        InvalidInputError
            Some of it is faulty.
        """
        check_count(self.arm, name="arm", low=0, high=len(self.arms) - 1)
        check_count(self.user, name="user", low=0, high=len(self.users) - 1)
        check_count(self.round, name="round", low=1, high=len(self.curves[0]))

    def still(self) -> Figure:
        """The picture as it stands now, drawn by matplotlib."""
        curves = [np.asarray(one) for one in self.curves[self.arm]]
        reference = np.asarray(self.curves[0][self.round - 1]) if self.arm else None
        shown = [(str(t), int(c), bool(k)) for t, c, k in self._list()]
        title = f"{self.arms[self.arm][0]}: {self.users[self.user]}, round {self.round}"
        return draw_loop_round(curves, self.round, reference, shown, title=title)

    def described(self) -> str:
        """What the picture shows, made from the numbers."""
        gini, recall, coverage = self.figures[self.arm][self.round - 1]
        shown = self._list()
        cells = len({cell for _, cell, _ in shown})
        return (
            f"Negatives {self.arms[self.arm][0]}, round {self.round} of {len(self.curves[0])}: a list of "
            f"{len(shown)} films from {cells} true cells for {self.users[self.user]}, who clicks "
            f"{sum(clicked for *_, clicked in shown)} of them. {coverage:.0%} of the catalogue is shown to "
            f"anybody, the Gini coefficient is {gini:.2f}, recall of true taste {recall:.2f}."
        )

    def _list(self) -> list[Any]:
        shown: list[Any] = self.lists[self.arm][self.user][self.round - 1]
        return shown


def _lists(
    watched: Mapping[str, Any], cells: Mapping[int, int], titles: Mapping[int, str]
) -> list[list[list[Any]]]:
    """[title, cell, clicked] of each place in each round."""
    return [
        [
            [titles.get(film, f"film {film}"), cells.get(film, 0), int(place in clicked)]
            for place, film in enumerate(shown)
        ]
        for shown, clicked in zip(watched["shown"], watched["clicked"], strict=True)
    ]
