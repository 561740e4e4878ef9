"""Widgets whose picture is drawn in the page: what they share on the side of Python.

Such a widget follows the hand, and lives on without a kernel: in a notebook that was saved with its
widgets, and in any page that holds its fragment of HTML. Where no JavaScript runs, its still stands
there. Its scripts are plain files beside this one, joined in the order in which they are named.
"""

from __future__ import annotations

import base64
import html
import json
import math
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import numpy as np
import traitlets as T
from jaxtyping import Float
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.style import caption, png
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import describe

_HERE = Path(__file__).parent
#: What every widget of this kind is made of.
SHARED = (
    "page_vectors", "page_geometry", "page_elements", "page_plane", "page_mount", "page_alone",
)  # fmt: skip


def script(*names: str) -> str:
    """Join the shared scripts and those named to one text."""
    return "\n".join((_HERE / f"{name}.js").read_text("utf-8") for name in (*SHARED, *names))


def style(*names: str) -> str:
    """Join style sheets to one text."""
    return "\n".join((_HERE / f"{name}.css").read_text("utf-8") for name in names)


def entry(script: str, render: str) -> str:
    """Return a script as anywidget reads it.

    Parameters
    ----------
    script : str
        The text of the script.
    render : str
        The function in it that anywidget calls.

    Returns
    -------
    str
        The script as a module.
    """
    return f"{script}\nexport default {{ render: {render} }};\n"


class PageWidget(anywidget.AnyWidget):
    """A widget with a still, an alt text, and a fragment of HTML that lives without a kernel.

    A subclass offers `still()`, `described()` and `check()`, and sets the attributes below.

    Attributes
    ----------
    kind : str
        What the page calls widgets of this kind.
    render : str
        The function of its script that draws it.
    script, style : str
        Texts of its scripts and style sheets.
    told : tuple of str
        Names of the traits that the page is told.
    """

    kind: ClassVar[str]
    render: ClassVar[str]
    script: ClassVar[str]
    style: ClassVar[str]
    told: ClassVar[tuple[str, ...]]
    _alt = ""

    def still(self) -> Figure:
        """The picture as it stands now, drawn by matplotlib."""
        raise NotImplementedError

    def described(self) -> str:
        """What the picture shows, made from the numbers."""
        raise NotImplementedError

    def check(self) -> None:
        """Check what was set later.

        Raises
        ------
        InvalidInputError
            Some of it is faulty.
        """
        raise NotImplementedError

    @property
    def alt(self) -> str:
        """What the picture shows, in words: the given text, or one made from the numbers."""
        return self._alt or self.described()

    def native_controls(self) -> list[dict[str, Any]]:
        """Sliders and menus that the page makes by itself where no kernel offers them."""
        return []

    def to_html(self) -> str:
        """Return a fragment that lives without a kernel, without network, in any page.

        It holds the state, the scripts and the style. Where scripts do not run, its still and the
        text below stand there.
        """
        picture = base64.b64encode(png(self.still())).decode()
        state = {name: to_json(getattr(self, name)) for name in self.told}
        # "<" inside a script could end it.
        told = json.dumps({"state": state, "controls": self.native_controls()})
        told = told.replace("<", "\\u003c")
        return (
            f'<div class="gsl-explorer-page" data-kind="{self.kind}"><style>{self.style}</style>\n'
            f'<script type="application/json">{told}</script>\n'
            f'<div class="gsl-still"><img alt="{html.escape(self.alt, quote=True)}" '
            f'src="data:image/png;base64,{picture}" style="max-width: 100%">'
            f"{caption(self.alt)}</div>\n"
            f'<script>(() => {{\n{self.script}\nwake("{self.kind}", {self.render});\n}})();</script>'
            "</div>"
        )

    def shown(self) -> Any:
        """What a cell shows: the widget itself, or a box that holds it."""
        return self

    def __repr__(self) -> str:
        try:
            self.check()
            return f"[Interactive figure: {self.alt}]"
        except InvalidInputError as error:
            return f"[Interactive figure: {error}]"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        shown = self.shown()
        if shown is self:
            bundle = super()._repr_mimebundle_(**options)
        else:
            bundle = shown._repr_mimebundle_(**options)
        data = dict((bundle[0] if isinstance(bundle, tuple) else bundle) or {})
        data["text/plain"] = repr(self)
        try:
            self.check()
            data["image/png"] = base64.b64encode(png(self.still())).decode()
            data["text/html"] = self.to_html()
            return data, {"image/png": {"alt": self.alt}}
        except InvalidInputError as error:  # the page says the same, in the widget's own area
            data["text/html"] = caption(str(error))
            return data, {}


def rows() -> Any:
    """Make a trait for a list of [x, y].

    Whatever it holds, the page is told, and complains by itself.
    """
    return T.Any().tag(sync=True, to_json=to_json)


def to_json(value: Any, widget: object = None) -> Any:
    """Turn a trait's value into what JSON can hold.

    Parameters
    ----------
    value : object
        The value.
    widget : object, optional
        The widget that holds it; ipywidgets passes it, and it is not looked at.

    Returns
    -------
    object
        Arrays as lists; numbers that JSON lacks as null; texts for what is no number at all.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [to_json(one) for one in value]
    if isinstance(value, dict):
        return {str(key): to_json(one) for key, one in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return repr(value)


def as_point(value: Any) -> Float[np.ndarray, " 2"]:
    """Check two finite numbers.

    Parameters
    ----------
    value : array-like
        What was given as a point.

    Returns
    -------
    (2,) array
        The point.

    Raises
    ------
    InvalidInputError
        These are not two finite numbers.
    """
    try:
        point = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        point = np.empty(0)
    if point.shape != (2,) or not np.isfinite(point).all():
        raise InvalidInputError("a point of two finite numbers", describe(value), "pass (x, y)")
    return point
