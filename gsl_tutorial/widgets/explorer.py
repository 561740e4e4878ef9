"""The explorer of chapters 05 and 06: drag a point among codewords and see where each gradient sends it.

The picture and its numbers are made in the page (`explorer_math.js`, `explorer_plane.js`,
`explorer.js`, concatenated), so that it follows the hand and lives on without a kernel. The Python
functions of `plane_losses` and `plane_methods` are the reference, and draw the still that stands in
its place where no JavaScript runs.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as W
import traitlets as T
from matplotlib.figure import Figure

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.plane_losses import SIMILARITY_LOSSES, LossPlane, as_points
from gsl_tutorial.plane_methods import ReadOut, Rule, read_out
from gsl_tutorial.plots import explorer as stills
from gsl_tutorial.plots.style import caption, png
from gsl_tutorial.validation import check_count, check_name, check_size
from gsl_tutorial.widgets import explorer_parts as parts

_HERE = Path(__file__).parent
SCRIPT = "\n".join(
    (_HERE / f"{name}.js").read_text("utf-8")
    for name in ("explorer_math", "explorer_plane", "explorer")
)
STYLE = (_HERE / "explorer.css").read_text("utf-8")


class GradientExplorer(anywidget.AnyWidget):
    """Plane with cells, data and codewords; arrows of one point, fields, or runs of many points.

    Parameters
    ----------
    codewords : (K, 2) array
        Numbers about -1.2 to 1.2, as all positions. The slider of K shows the first K of them.
    similar, dissimilar : (P, 2) and (Q, 2) arrays
        Data of the class of z, and of another. "pair" and "triplet" use the first of each.
    loss : {"two-class", "triplet", "pair"}
    point : (2,) array
        Where z stands at first.
    form : {"replace, projected", "replace, full length", "pull", "look-ahead"}
    fallback : {"zero", "keep", "nearest"}
    n, K : int
        Candidates, and codewords in use (all by default).
    strength, step : float
        lambda and eta of `snap_gradient`.
    mode : {"point", "field", "run"}
    starts : (N, 2) array
        The points that a run releases; fifty over the plane by default.
    n_steps, rate : int, float
        Length of a run, and how far one step goes: z - rate * gradient.
    alt : str
        What the picture shows, for those who do not see it.

    All of these can be set later, too. The constructor raises `InvalidInputError` on bad input; set
    later, the same fault is a message in the widget's own area, over the last good picture.

    >>> explorer = GradientExplorer(loss="pair")
    >>> explorer.read_out().penalty_verdict
    'UPHILL'
    """

    _esm = SCRIPT + "\nexport default { render: renderExplorer };\n"
    _css = STYLE

    codewords, similar, dissimilar, starts = (parts.rows() for _ in range(4))
    point = T.Any().tag(sync=True, to_json=parts.to_json)
    strength, step, rate = (T.Any().tag(sync=True, to_json=parts.to_json) for _ in range(3))
    n_steps, n_candidates, n_codewords = (T.Int().tag(sync=True) for _ in range(3))
    form_index, fallback_index = T.Int().tag(sync=True), T.Int().tag(sync=True)
    loss, mode = T.Unicode().tag(sync=True), T.Unicode().tag(sync=True)

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
        starts: Any = None,
        n_steps: int = 100,
        rate: float = 0.05,
        alt: str = "",
    ) -> None:
        self._alt = alt
        plane = LossPlane.over(codewords, similar, dissimilar, loss)
        check_count(n, name="n, the number of candidates,", low=1)
        K = len(plane.codewords) if K is None else K
        super().__init__(
            codewords=plane.codewords,
            similar=plane.similar,
            dissimilar=plane.dissimilar,
            starts=parts.scattered(50) if starts is None else starts,
            point=parts.as_point(point),
            strength=check_size(strength, name="strength"),
            step=check_size(step, name="step"),
            rate=check_size(rate, name="rate"),
            n_steps=check_count(n_steps, name="n_steps", low=1),
            n_candidates=n,
            n_codewords=check_count(
                K, name="K, the codewords in use,", low=1, high=len(plane.codewords)
            ),
            form_index=parts.FORMS.index(check_name("form", form, parts.FORMS)),
            fallback_index=parts.FALLBACKS.index(check_name("fallback", fallback, parts.FALLBACKS)),
            loss=check_name("similarity loss", loss, SIMILARITY_LOSSES),
            mode=check_name("mode", mode, parts.MODES),
        )
        as_points(self.starts, name="starts")
        self.controls = parts.linked_controls(self)
        #: What a cell shows: the picture above its sliders.
        self.panel = W.VBox([self, parts.laid_out(self.controls)])
        self.panel.add_class("gsl-explorer-panel")

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
        """The world as it stands now; raises `InvalidInputError` where it is faulty."""
        check_count(
            self.n_codewords, name="K, the codewords in use,", low=1, high=len(self.codewords)
        )
        codewords = self.codewords[: self.n_codewords]
        return LossPlane.over(codewords, self.similar, self.dissimilar, self.loss)

    @property
    def rule(self) -> Rule:
        """The snapping rule as it stands now; n is never above K."""
        return Rule(
            n=min(check_count(self.n_candidates, name="n", low=1), self.n_codewords),
            strength=check_size(self.strength, name="strength"),
            form=self.form.split(",")[0],
            length="full" if "full" in self.form else "projected",
            fallback=self.fallback,
            step=check_size(self.step, name="step"),
        )

    def read_out(self) -> ReadOut:
        """What the picture says about the point, computed in Python."""
        return read_out(self.plane, parts.as_point(self.point), self.rule)

    def still(self) -> Figure:
        """The picture as it stands now, drawn by matplotlib."""
        if self.mode == "field":
            return stills.draw_explorer_field(self.plane, self.rule)
        if self.mode == "run":
            starts = as_points(self.starts, name="starts")
            return stills.draw_explorer_run(
                self.plane, starts, self.rule, n_steps=self.n_steps, rate=self.rate
            )
        return stills.draw_explorer_point(self.plane, parts.as_point(self.point), self.rule)

    @property
    def alt(self) -> str:
        """What the picture shows, in words: the given text, or one made from the numbers."""
        return self._alt or parts.described(self)

    def to_html(self) -> str:
        """A fragment that lives without a kernel, without network, in any page.

        It holds the state, the scripts and the style. Where scripts do not run, its still and the
        text below stand there.
        """
        picture = base64.b64encode(png(self.still())).decode()
        return parts.fragment(
            state={name: parts.to_json(getattr(self, name)) for name in parts.NAMES},
            controls=[parts.native(control) for control in parts.specifications(self)],
            still=f'<img alt="{parts.escaped(self.alt)}" src="data:image/png;base64,{picture}" '
            f'style="max-width: 100%">{caption(self.alt)}',
            script=SCRIPT,
            style=STYLE,
        )

    def check(self) -> None:
        """Raise `InvalidInputError` where something that was set later is faulty."""
        read_out(self.plane, parts.as_point(self.point), self.rule)
        as_points(self.starts, name="starts")

    def __repr__(self) -> str:
        try:
            self.check()
            return f"[Interactive figure: {self.alt}]"
        except InvalidInputError as error:
            return f"[Interactive figure: {error}]"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        data = dict(self.panel._repr_mimebundle_(**options) or {})
        data["text/plain"] = repr(self)
        try:
            self.check()
            data["image/png"] = base64.b64encode(png(self.still())).decode()
            data["text/html"] = self.to_html()
            return data, {"image/png": {"alt": self.alt}}
        except InvalidInputError as error:  # the page says the same, in the widget's own area
            data["text/html"] = caption(str(error))
            return data, {}
