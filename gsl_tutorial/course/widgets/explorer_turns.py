"""The plane with turns, alive: chapter 06's last picture, a rival beside the snap.

Points and codewords are moved in the page (`explorer_turns*.js`); `toys.plane_turns` is the reference,
and draws the still that stands in its place where no JavaScript runs.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as W
import numpy as np
import traitlets as T
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.plane_turns import draw_turns_plane
from gsl_tutorial.course.toys.plane_turns import (
    POSITIVES,
    Course,
    Standing,
    TurnsPlane,
    random_starts,
)
from gsl_tutorial.course.widgets import explorer_parts as parts
from gsl_tutorial.course.widgets.page import (
    MOST_STEPS,
    PLANE,
    PageWidget,
    check_amount,
    drawable,
    entry,
    rows,
    script,
    style,
    to_json,
)
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.snapping import SnapOptions
from gsl_tutorial.validation import check_count, check_name

#: What the snap can be compared with, in the order of the menu; the first is shown at first.
RIVALS = ("penalty", "straight-through", "rotation", "similarity")
#: What becomes of codewords without points.
UNUSED = ("re-seeded", "left where they are")
_TITLES = {"similarity": "similarity loss alone"}

SCRIPT = script(
    *PLANE, "codewords_math", "codewords_marks", "explorer_math", "explorer_marks", "page_player",
    "explorer_turns_math", "explorer_chart", "explorer_turns",
)  # fmt: skip
STYLE = style("explorer", "codewords", "explorer_turns")


class TurnsExplorer(PageWidget):
    """Points of several classes, codewords that are refitted, a rival and the snap side by side.

    All parameters can be set later, too.

    Parameters
    ----------
    worlds : (S, N, 2) array
        The points of each world at the start; row i belongs to class i modulo the number of classes.
        Ten worlds of sixty points by default.
    positives : (C, 2) array
        Where the similarity loss wants each class; they can be dragged.
    rival : {"penalty", "straight-through", "rotation", "similarity"}
        What stands beside the snap.
    strength : float
        lambda, which both share.
    n, K : int
        Candidates of the snap, and codewords.
    every : int
        Steps between two turns of the codewords.
    n_steps, rate : int, float
        Length of a run, and how far one step goes: z - rate * gradient.
    world : int
        Which world is shown, counted from 1.
    unused : {"re-seeded", "left where they are"}
        What becomes of codewords without points.
    alt : str
        What the picture shows, for those who do not see it; made from the numbers by default.

    Raises
    ------
    InvalidInputError
        The input of the constructor is faulty. Set later, the same fault is a message in the
        widget's own area, over the last good picture.

    Examples
    --------
    >>> explorer = TurnsExplorer(strength=4.0)
    >>> explorer.standing("snap").purity
    1.0
    """

    kind, render = "turns", "renderTurns"
    script, style = SCRIPT, STYLE
    told = (
        "positives", "worlds", "world", "rival", "strength", "n_candidates", "n_codewords", "every",
        "n_steps", "rate", "unused_index",
    )  # fmt: skip
    unlinked, page_only = ("worlds",), ("shown_step",)
    _esm, _css = entry(SCRIPT, "renderTurns"), STYLE

    positives, worlds = rows(), rows()
    strength, rate = (T.Any().tag(sync=True, to_json=to_json) for _ in range(2))
    world, n_candidates, n_codewords = (T.Int().tag(sync=True) for _ in range(3))
    every, n_steps, unused_index = (T.Int().tag(sync=True) for _ in range(3))
    rival = T.Unicode().tag(sync=True)

    def __init__(
        self,
        worlds: Any = None,
        *,
        positives: Any = POSITIVES,
        rival: str = "penalty",
        strength: float = 1.5,
        n: int = 3,
        K: int = 9,
        every: int = 5,
        n_steps: int = 100,
        rate: float = 0.05,
        world: int = 1,
        unused: str = "re-seeded",
        alt: str = "",
    ) -> None:
        self._alt = alt
        super().__init__(
            positives=drawable(positives, "positives"),
            worlds=np.array([random_starts(s) for s in range(10)]) if worlds is None else worlds,
            rival=check_name("rival", rival, RIVALS),
            strength=strength,
            n_candidates=n,
            n_codewords=K,
            every=every,
            n_steps=n_steps,
            rate=rate,
            world=world,
            unused_index=UNUSED.index(check_name("unused", unused, UNUSED)),
        )
        self.check()
        self.controls = parts.linked_controls(self, self.specifications())
        #: What a cell shows: the picture above its sliders.
        self.panel = W.VBox([self, parts.laid_out(self.controls)])
        self.panel.add_class("gsl-explorer-panel")

    @property
    def plane(self) -> TurnsPlane:
        """The world as it stands now.

        Raises
        ------
        InvalidInputError
            Something that was set later is faulty.
        """
        if not isinstance(self.worlds, (list, tuple, np.ndarray)) or not len(self.worlds):
            raise InvalidInputError("worlds of shape (S, N, 2)", "none", "pass one or more")
        check_count(self.world, name="world", low=1, high=len(self.worlds))
        return TurnsPlane(
            drawable(self.positives, "positives"),
            drawable(self.worlds[self.world - 1], "worlds"),
            n_codewords=self.n_codewords,
            every=self.every,
            rate=self.rate,
            reseed=self.unused_index == 0,
        )

    def course(self, method: str) -> Course:
        """Where points and codewords stood under a method, computed in Python."""
        rule = SnapOptions(
            strength=check_amount(self.strength, "strength"),
            n_candidates=min(
                check_count(self.n_candidates, name="n, the number of candidates,", low=1),
                self.n_codewords,
            ),
        )
        n_steps = check_count(self.n_steps, name="n_steps", low=1, high=MOST_STEPS)
        return self.plane.run(method, rule, n_steps=n_steps)

    def standing(self, method: str) -> Standing:
        """What the picture says of a method at the end of the run."""
        return self.course(method).at(-1)

    def still(self) -> Figure:
        """The end of the run, drawn by matplotlib."""
        names = {_TITLES.get(self.rival, self.rival): self.rival, "snap (pull)": "snap"}
        return draw_turns_plane({name: self.course(method) for name, method in names.items()})

    def described(self) -> str:
        """What the picture shows, made from the numbers."""
        rival, snap = self.standing(self.rival), self.standing("snap")
        return (
            f"Points of {len(self.positives)} classes among {self.n_codewords} codewords, after "
            f"{self.n_steps} steps with codewords refitted every {self.every}, at strength "
            f"{self.strength:g}. {_TITLES.get(self.rival, self.rival).capitalize()}: cell purity "
            f"{rival.purity:.0%}, loss {rival.loss:.2f}. Snap: cell purity {snap.purity:.0%}, "
            f"loss {snap.loss:.2f}."
        )

    def specifications(self) -> list[dict[str, Any]]:
        """The sliders: trait, label and range of each."""
        most = min(20, len(self.worlds[0]))
        rows = [
            ("strength", "strength (lambda)", 0.0, 8.0, 0.25),
            ("world", "world (seed)", 1, len(self.worlds), 1),
            ("n_codewords", "codewords (K)", 1, most, 1),
            ("every", "steps between refits", 1, 20, 1),
            ("n_candidates", "candidates (n)", 1, 9, 1),
        ]
        sliders: list[dict[str, Any]] = [
            dict(zip(("name", "label", "min", "max", "step"), row, strict=True)) for row in rows
        ]
        menu = {"name": "unused_index", "label": "unused codewords", "options": UNUSED}
        return [*sliders, menu]

    def native_controls(self) -> list[dict[str, Any]]:
        """The sliders, as the page reads them."""
        return [parts.native(one) for one in self.specifications()]

    def check(self) -> None:
        """Check what was set later.

        Raises
        ------
        InvalidInputError
            Some of it is faulty.
        """
        check_name("rival", self.rival, RIVALS)
        check_amount(self.strength, "strength")
        check_count(self.n_candidates, name="n, the number of candidates,", low=1)
        check_count(self.n_steps, name="n_steps", low=1, high=MOST_STEPS)
        check_amount(self.rate, "rate")
        _ = self.plane

    def shown(self) -> Any:
        """What a cell shows: the picture above its sliders."""
        return self.panel
