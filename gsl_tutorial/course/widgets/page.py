"""Widgets whose picture is drawn in the page: what they share on the side of Python.

Such a widget follows the hand, and lives on without a kernel: in a notebook that was saved with its
widgets, and in any page that holds its fragment of HTML. Where no JavaScript runs, its still stands
there. Its scripts are plain files beside this one, joined in the order in which they are named.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import numpy as np
import traitlets as T
from jaxtyping import Float
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.style import caption, image, png
from gsl_tutorial.course.toys.plane_losses import as_points
from gsl_tutorial.course.widgets.links import read_link, write_link
from gsl_tutorial.course.widgets.page_words import WORDS, words
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_size, describe

_HERE = Path(__file__).parent
#: What every widget of this kind is made of.
SHARED = ("page_words", "page_elements", "page_link", "page_around", "page_mount", "page_alone")
#: What those that draw in the plane need before their own.
PLANE = ("page_vectors", "page_geometry", "page_plane")

#: More rows of points, more steps of a run or rounds than that no page computes within a moment.
MOST_ROWS, MOST_STEPS = 2000, 1000
#: Up to here squares and their sums stay finite numbers.
LARGEST = 1e6


def script(*names: str) -> str:
    """Join the shared scripts and those named to one text, after the words that they say.

    Parameters
    ----------
    *names : str
        Which scripts, beside those that every widget is made of.

    Returns
    -------
    str
        The text, without comments and indentation.
    """
    texts = [lean((_HERE / f"{name}.js").read_text("utf-8")) for name in (*SHARED, *names)]
    said = dict.fromkeys(re.findall(r"\bWORDS\.(\w+)", "".join(texts)))
    return "\n".join((words(*said), *texts))


def lean(text: str) -> str:
    """Leave out the comments and the indentation of a script: every notebook carries it several times.

    Parameters
    ----------
    text : str
        A script.

    Returns
    -------
    str
        The same without them. A comment that ends a line goes where it holds no quote: then it cannot be
        the rest of a string.
    """
    lines = (re.sub(r"(^|\s+)// [^\"'`]*$", "", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def style(*names: str) -> str:
    """Join style sheets to one text, without comments and without room between what they say."""
    texts = ((_HERE / f"{name}.css").read_text("utf-8") for name in names)
    bare = (re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL) for text in texts)
    return "\n".join(re.sub(r"\s*([{};])\s*", r"\1", text).strip() for text in bare)


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
        Names of the traits that the page is told; a link holds them, too.
    unlinked : tuple of str
        Those of them that no link holds.
    page_only : tuple of str
        What a link may hold beside them, which the page alone knows.
    around : dict
        "presets", name -> link; "tour", its steps; "hide", names of controls.
    """

    kind: ClassVar[str]
    render: ClassVar[str]
    script: ClassVar[str]
    style: ClassVar[str]
    told: ClassVar[tuple[str, ...]]
    unlinked: ClassVar[tuple[str, ...]] = ()
    page_only: ClassVar[tuple[str, ...]] = ()
    around = T.Dict().tag(sync=True)
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

    @property
    def link(self) -> str:
        """The whole state as a short text, as "Copy link" gives it."""
        state = {name: to_json(getattr(self, name)) for name in self.linked}
        return write_link(self.kind, state, hide=self.around.get("hide", ()))

    @property
    def linked(self) -> tuple[str, ...]:
        """Names of the traits that a link holds."""
        return tuple(name for name in self.told if name not in self.unlinked)

    def open_link(self, text: str) -> None:
        """Restore what a link holds.

        Parameters
        ----------
        text : str
            From "Copy link", with or without the address of a page.

        Raises
        ------
        InvalidInputError
            The link is damaged, is for something else, or holds what this widget cannot show; then
            nothing is changed.
        """
        values, hide = read_link(text, self.kind)
        unknown = set(values) - {*self.linked, *self.page_only}
        if unknown:
            todo = WORDS["link"]["update"]
            raise InvalidInputError(WORDS["link"]["a_name"], ", ".join(sorted(unknown)), todo)
        before = {name: getattr(self, name) for name in values if name in self.linked}
        try:
            for name in before:
                setattr(self, name, values[name])
            self.check()
        except (InvalidInputError, T.TraitError) as error:
            for name, value in before.items():
                setattr(self, name, value)
            if isinstance(error, T.TraitError):
                todo = WORDS["link"]["copy_again"]
                raise InvalidInputError("a link of this widget", str(error), todo) from error
            raise
        if hide:
            self.around = self.around | {"hide": hide}

    def to_html(self) -> str:
        """Return a fragment that lives without a kernel, without network, in any page.

        It holds the state, the scripts and the style. Where scripts do not run, its still and the
        text below stand there.
        """
        state = {name: to_json(getattr(self, name)) for name in self.told}
        state["around"] = self.around
        # "<" inside a script could end it.
        told = json.dumps({"state": state, "controls": self.native_controls()})
        told = told.replace("<", "\\u003c")
        return (
            f'<div class="gsl-explorer-page" data-kind="{self.kind}"><style>{self.style}</style>\n'
            f'<script type="application/json">{told}</script>\n'
            f'<div class="gsl-still">{image(png(self.still()), self.alt)}{caption(self.alt)}</div>\n'
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
        data, told = super()._repr_mimebundle_(**options)
        shown = self.shown()
        if shown is not self:  # a box of ipywidgets, which tells Colab nothing of what it holds
            data = dict(shown._repr_mimebundle_(**options))
        data["text/plain"] = repr(self)
        try:
            self.check()
            data["text/html"] = self.to_html()
        except InvalidInputError as error:  # the page says the same, in the widget's own area
            data["text/html"] = caption(str(error))
        return data, told


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
        return {str(name): to_json(one) for name, one in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return repr(value)


def drawable(values: Any, name: str) -> Float[np.ndarray, "n 2"]:
    """Check points that a page can draw.

    Parameters
    ----------
    values : array-like
        (n, 2) numbers.
    name : str
        What an error calls them.

    Returns
    -------
    (n, 2) array
        The points.

    Raises
    ------
    InvalidInputError
        These are no such points, or more than a page draws within a moment.
    """
    points = as_points(values, name=name)
    if len(points) > MOST_ROWS:
        todo = f"draw a part of them, for instance {name}[::{-(-len(points) // MOST_ROWS)}]"
        raise InvalidInputError(f"at most {MOST_ROWS:,} {name}", f"{len(points):,}", todo)
    return _near(points, name)


def _near(points: Float[np.ndarray, "*n 2"], name: str) -> Float[np.ndarray, "*n 2"]:
    if (np.abs(points) > LARGEST).any():
        found = f"{np.abs(points).max():g}"
        todo = "bring them into the plane"
        raise InvalidInputError(f"numbers up to {LARGEST:,.0f} in {name}", found, todo)
    return points


def check_amount(value: object, name: str) -> float:
    """Check a number, 0 or more, that a picture can hold.

    Parameters
    ----------
    value : object
        What was given.
    name : str
        What an error calls it.

    Returns
    -------
    float
        The number.

    Raises
    ------
    InvalidInputError
        It is no such number, or more than `LARGEST`.
    """
    amount = check_size(value, name=name)
    if amount > LARGEST:
        raise InvalidInputError(f"{name} at most {LARGEST:,.0f}", f"{amount:g}", f"change {name}")
    return amount


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
    return _near(point, "the point")
