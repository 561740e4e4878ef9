"""The explorer of chapters 05 and 06: drag a point among codewords and see where each gradient sends it.

The picture and its numbers are made in the page (`explorer_*.js` and `page_*.js`, joined), so that
it follows the hand and lives on without a kernel. The Python functions of `plane_losses` and
`plane_methods` are the reference, and draw the still that stands in its place where no JavaScript
runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as W
import numpy as np
import traitlets as T
from jaxtyping import Float
from matplotlib.figure import Figure

from gsl_tutorial.course.plots import explorer as stills
from gsl_tutorial.course.toys.plane_losses import SIMILARITY_LOSSES, LossPlane, as_points
from gsl_tutorial.course.toys.plane_methods import ReadOut, read_out
from gsl_tutorial.course.widgets import explorer_parts as parts
from gsl_tutorial.course.widgets.own_rule import (
    OwnRuleFault,
    Rule,
    name_of,
    own_gradients,
    own_path,
)
from gsl_tutorial.course.widgets.page import (
    MOST_STEPS,
    PLANE,
    PageWidget,
    as_point,
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
from gsl_tutorial.validation import check_count, check_name, describe

SCRIPT = script(
    *PLANE, "explorer_math", "explorer_complaint", "explorer_marks", "explorer_formula",
    "explorer_point",
    "explorer_own", "explorer_field", "explorer_chart", "page_player", "explorer_run", "explorer",
)  # fmt: skip
STYLE = style("explorer")


class GradientExplorer(PageWidget):
    """Plane with cells, data and codewords; arrows of one point, fields, or runs of many points.

    All parameters can be set later, too.

    Parameters
    ----------
    codewords : (K, 2) array
        Numbers about -1.2 to 1.2, as all positions. The slider of K shows the first K of them.
    similar, dissimilar : (P, 2) and (Q, 2) arrays
        Data of the class of z, and of another. "pair" and "triplet" use the first of each.
    loss : {"two-class", "triplet", "pair"}
        The similarity loss.
    point : (2,) array
        Where z stands at first.
    form : {"replace, projected", "replace, full length", "pull", "look-ahead"}
        Form of the snap.
    fallback : {"zero", "keep", "nearest"}
        What remains where no candidate descends.
    n, K : int
        Candidates, and codewords in use (all by default).
    strength, step : float
        lambda and eta of `snap_gradient`.
    mode : {"point", "field", "run"}
        Arrows of one point, fields, or runs of many points.
    snap : bool
        Whether the snap is shown and its controls are offered; without it, fields and runs show the
        penalty alone.
    starts : (N, 2) array
        The points that a run releases; fifty over the plane by default.
    n_steps, rate : int, float
        Length of a run, and how far one step goes: z - rate * gradient.
    presets : mapping of str to str
        Name -> link of a world, one click away; none by default. `explorer_play` has some.
    tour : sequence of dict
        Steps of a tour, as `explorer_play.TOUR`; none by default.
    own_rule : callable
        A snapping rule of your own, shown beside the rivals in field and run mode:
        rule(gradient, point, candidates, strength) -> gradient, for one point.
    hide : sequence of str
        Controls to leave out: "mode", "loss", "reset", "link", "presets", "tour", "formula", and the
        sliders by their trait, such as "strength".
    alt : str
        What the picture shows, for those who do not see it.

    Raises
    ------
    InvalidInputError
        The input of the constructor is faulty. Set later, the same fault is a message in the
        widget's own area, over the last good picture.

    Examples
    --------
    >>> explorer = GradientExplorer(loss="pair")
    >>> explorer.read_out().penalty_verdict
    'UPHILL'
    """

    kind, render = "gradient", "renderExplorer"
    page_only = ("shown_step",)
    script, style, told, unlinked = SCRIPT, STYLE, (*parts.NAMES, *parts.OWN), parts.OWN
    _esm, _css = entry(SCRIPT, "renderExplorer"), STYLE

    codewords, similar, dissimilar, starts = (rows() for _ in range(4))
    point = T.Any().tag(sync=True, to_json=to_json)
    strength, step, rate = (T.Any().tag(sync=True, to_json=to_json) for _ in range(3))
    n_steps, n_candidates, n_codewords = (T.Int().tag(sync=True) for _ in range(3))
    form_index, fallback_index = T.Int().tag(sync=True), T.Int().tag(sync=True)
    loss, mode = T.Unicode().tag(sync=True), T.Unicode().tag(sync=True)
    snap = T.Bool(True).tag(sync=True)
    own_name, own_asked = T.Unicode().tag(sync=True), T.Unicode().tag(sync=True)
    own = T.Dict().tag(sync=True)

    def __init__(
        self,
        codewords: Any = parts.CODEWORDS,
        *,
        similar: Any = parts.SIMILAR,
        dissimilar: Any = parts.DISSIMILAR,
        loss: str = "pair",
        point: Any = (-0.2, 0.2),
        form: str = "pull",
        fallback: str = "zero",
        n: int = 3,
        K: int | None = None,
        strength: float = 1.5,
        step: float = 0.5,
        mode: str = "point",
        snap: bool = True,
        starts: Any = None,
        n_steps: int = 100,
        rate: float = 0.05,
        presets: Mapping[str, str] | None = None,
        tour: Sequence[dict[str, Any]] = (),
        own_rule: Rule | None = None,
        hide: Sequence[str] = (),
        alt: str = "",
    ) -> None:
        self._alt = alt
        if own_rule is not None and not callable(own_rule):
            todo = "pass the function itself, without calling it"
            raise InvalidInputError("own_rule as a function", describe(own_rule), todo)
        self._own_rule = own_rule
        plane = LossPlane.over(codewords, similar, dissimilar, loss)
        check_count(n, name="n, the number of candidates,", low=1)
        K = len(plane.codewords) if K is None else K
        super().__init__(
            codewords=plane.codewords,
            similar=plane.similar,
            dissimilar=plane.dissimilar,
            starts=parts.scattered(50) if starts is None else starts,
            point=as_point(point),
            strength=check_amount(strength, "strength"),
            step=check_amount(step, "step"),
            rate=check_amount(rate, "rate"),
            n_steps=check_count(n_steps, name="n_steps", low=1, high=MOST_STEPS),
            n_candidates=n,
            n_codewords=check_count(
                K, name="K, the codewords in use,", low=1, high=len(plane.codewords)
            ),
            form_index=parts.FORMS.index(check_name("form", form, parts.FORMS)),
            fallback_index=parts.FALLBACKS.index(check_name("fallback", fallback, parts.FALLBACKS)),
            loss=check_name("similarity loss", loss, SIMILARITY_LOSSES),
            mode=check_name("mode", mode, parts.MODES),
            snap=bool(snap),
            own_name="" if own_rule is None else name_of(own_rule),
            around={"presets": dict(presets or {}), "tour": list(tour), "hide": list(hide)},
        )
        self._check_rows()
        self.controls = parts.linked_controls(self)
        #: What a cell shows: the picture above its sliders.
        self.panel = W.VBox([self, parts.laid_out(self.controls)])
        self.panel.add_class("gsl-explorer-panel")
        self.observe(self._answer, "own_asked")
        self.observe(self._hide_sliders, "around")
        self._hide_sliders()

    def _hide_sliders(self, change: Any = None) -> None:
        for name, control in self.controls.items():
            control.layout.display = "none" if name in self.around["hide"] else None

    def _answer(self, change: Any = None) -> None:
        """Tell the page what the reader's rule makes of the picture that it asks for."""
        if self._own_rule is None:
            return
        told: dict[str, Any] = {"for": self.own_asked}
        try:
            told["path" if self.mode == "run" else "field"] = self.own_numbers().tolist()
        except (OwnRuleFault, InvalidInputError) as error:
            told["fault"] = str(error)
        self.own = told

    def own_numbers(self) -> Float[np.ndarray, "... 2"]:
        """What the reader's own rule makes of the picture as it stands now.

        Returns
        -------
        (N, 2) array, or (T, N, 2) in run mode
            The gradient at each place of the field, or the paths of the points.

        Raises
        ------
        InvalidInputError
            There is no rule, or something that was set later is faulty.
        OwnRuleFault
            The rule raised an error, took too long, or returned something else than two finite numbers.
        """
        if self._own_rule is None:
            raise InvalidInputError("a rule of your own", "none", "pass own_rule=")
        if self.mode != "run":
            return own_gradients(self._own_rule, self.plane, stills.places(), self.rule)
        starts = as_points(self.starts, name="starts")
        return own_path(
            self._own_rule, self.plane, starts, self.rule, n_steps=self.n_steps, rate=self.rate
        )

    def _own_still(self) -> dict[str, Any]:
        if self._own_rule is None or not self.snap:
            return {}
        try:
            return {self.own_name: self.own_numbers()}
        except OwnRuleFault:
            return {}

    @property
    def form(self) -> str:
        """Form of the snap, one of `parts.FORMS`."""
        return parts.FORMS[self.form_index]

    @form.setter
    def form(self, name: str) -> None:
        self.form_index = parts.FORMS.index(check_name("form", name, parts.FORMS))

    @property
    def fallback(self) -> str:
        """What remains where no candidate descends, one of `parts.FALLBACKS`."""
        return parts.FALLBACKS[self.fallback_index]

    @fallback.setter
    def fallback(self, name: str) -> None:
        self.fallback_index = parts.FALLBACKS.index(check_name("fallback", name, parts.FALLBACKS))

    @property
    def plane(self) -> LossPlane:
        """The world as it stands now.

        Raises
        ------
        InvalidInputError
            Something that was set later is faulty.
        """
        check_count(
            self.n_codewords, name="K, the codewords in use,", low=1, high=len(self.codewords)
        )
        codewords = self.codewords[: self.n_codewords]
        return LossPlane.over(codewords, self.similar, self.dissimilar, self.loss)

    @property
    def rule(self) -> SnapOptions:
        """The snapping rule as it stands now; n is never above K."""
        return SnapOptions(
            n_candidates=min(check_count(self.n_candidates, name="n", low=1), self.n_codewords),
            strength=check_amount(self.strength, "strength"),
            form=self.form.split(",")[0],  # type: ignore[arg-type]
            length="full" if "full" in self.form else "projected",
            fallback=self.fallback,  # type: ignore[arg-type]
            step=check_amount(self.step, "step"),
        )

    def read_out(self) -> ReadOut:
        """What the picture says about the point, computed in Python."""
        return read_out(self.plane, as_point(self.point), self.rule)

    def still(self) -> Figure:
        """The picture as it stands now, drawn by matplotlib."""
        if self.mode == "field":
            return stills.draw_explorer_field(
                self.plane, self.rule, snap=self.snap, own=self._own_still()
            )
        if self.mode == "run":
            starts = as_points(self.starts, name="starts")
            return stills.draw_explorer_run(
                self.plane, starts, self.rule, n_steps=self.n_steps, rate=self.rate, snap=self.snap,
                own=self._own_still(),
            )  # fmt: skip
        return stills.draw_explorer_point(
            self.plane, as_point(self.point), self.rule, snap=self.snap
        )

    def described(self) -> str:
        """What the picture shows, made from the numbers."""
        return parts.described(self)

    def native_controls(self) -> list[dict[str, Any]]:
        """The sliders and menus, as the page reads them."""
        return [parts.native(one) for one in parts.specifications(self)]

    def check(self) -> None:
        """Check what was set later.

        Raises
        ------
        InvalidInputError
            Some of it is faulty.
        """
        check_name("mode", self.mode, parts.MODES)
        for name, list_ in (("form_index", parts.FORMS), ("fallback_index", parts.FALLBACKS)):
            check_count(getattr(self, name), name=name, low=0, high=len(list_) - 1)
        check_amount(self.rate, "rate")
        check_count(self.n_steps, name="n_steps", low=1, high=MOST_STEPS)
        read_out(self.plane, as_point(self.point), self.rule)
        self._check_rows()

    def _check_rows(self) -> None:
        for name in ("codewords", "similar", "dissimilar", "starts"):
            drawable(getattr(self, name), name)

    def shown(self) -> Any:
        """What a cell shows: the picture above its sliders."""
        return self.panel
