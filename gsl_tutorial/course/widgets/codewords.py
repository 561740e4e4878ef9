"""Chapter 02's codewords: drag them, watch the distortion, and let k-means go on from there.

The picture and its numbers are made in the page (`codewords*.js`); `course.toys.kmeans_steps` is the
reference, and draws the still that stands in its place where no JavaScript runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets as T
from jaxtyping import Float
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.clusters import draw_kmeans
from gsl_tutorial.course.toys.kmeans_steps import Step, kmeans_steps
from gsl_tutorial.course.widgets.page import (
    MOST_STEPS,
    PLANE,
    PageWidget,
    drawable,
    entry,
    rows,
    script,
    style,
    to_json,
)
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_count, check_size

SCRIPT = script(*PLANE, "codewords_math", "codewords_marks", "codewords_chart", "codewords")
STYLE = style("explorer", "codewords")


@dataclass(frozen=True)
class Placing:
    """What the picture says.

    Attributes
    ----------
    codewords : (K, 2) array
        The codewords as shown.
    counts : tuple of int
        Points of each codeword.
    distortion : float
        Mean squared distance of a point to its codeword.
    """

    codewords: Float[np.ndarray, "K 2"]
    counts: tuple[int, ...]
    distortion: float


class CodewordExplorer(PageWidget):
    """Points in the plane and codewords that can be dragged, with a slider for rounds of k-means.

    Parameters
    ----------
    points : (N, 2) array
        Numbers about -1.2 to 1.2.
    start : (K, 2) array
        Where the codewords are at first.
    best : float, optional
        A distortion to compare with.
    n_rounds : int
        How many rounds the slider offers.
    alt : str
        What the picture shows, for those who do not see it; made from the numbers by default.

    Attributes
    ----------
    codewords : list of [x, y]
        The places by hand.
    rounds : int
        Where the slider stands.

    Raises
    ------
    InvalidInputError
        The input of the constructor is faulty. Set later, the same fault is a message in the
        widget's own area, over the last good picture.

    Examples
    --------
    >>> explorer = CodewordExplorer([[0.0, 0.0], [1.0, 0.0]], [[0.0, 0.5]], best=0.25)
    >>> explorer.rounds = 1
    >>> explorer.read_out()
    Placing(codewords=array([[0.5, 0. ]]), counts=(2,), distortion=0.25)
    """

    kind, render = "codewords", "renderCodewords"
    script, style = SCRIPT, STYLE
    told = ("points", "codewords", "rounds", "n_rounds", "best")
    _esm, _css = entry(SCRIPT, "renderCodewords"), STYLE

    points, codewords = rows(), rows()
    rounds, n_rounds = T.Int().tag(sync=True), T.Int().tag(sync=True)
    best = T.Any().tag(sync=True, to_json=to_json)

    def __init__(
        self,
        points: Any,
        start: Any,
        *,
        best: float | None = None,
        n_rounds: int = 12,
        alt: str = "",
    ) -> None:
        self._alt = alt
        super().__init__(
            points=_some(points, "points"),
            codewords=_some(start, "codewords"),
            rounds=0,
            n_rounds=check_count(n_rounds, name="n_rounds", low=0, high=MOST_STEPS),
            best=None if best is None else check_size(best, name="best"),
        )

    @property
    def steps(self) -> list[Step]:
        """Every half-step of k-means from the places by hand."""
        self.check()
        points, start = (np.asarray(one, dtype=float) for one in (self.points, self.codewords))
        return kmeans_steps(points, start, n_rounds=self.n_rounds)

    def read_out(self) -> Placing:
        """What the picture shows, computed in Python."""
        steps = self.steps
        step = steps[min(2 * self.rounds + 1, len(steps) - 1)]
        counts = np.bincount(np.asarray(step.assignment), minlength=len(step.codewords))
        return Placing(step.codewords, tuple(counts.tolist()), float(step.distortion or 0.0))

    def still(self) -> Figure:
        """The picture as it stands now, drawn by matplotlib."""
        longest = 2 * self.n_rounds + 1
        points = np.asarray(self.points, dtype=float)
        return draw_kmeans(points, self.steps, 2 * self.rounds + 1, best=self.best, longest=longest)

    def described(self) -> str:
        """What the picture shows, made from the numbers."""
        out = self.read_out()
        after = f"after {self.rounds} rounds of k-means" if self.rounds else "placed by hand"
        beside = f", {out.distortion / self.best:.1f} times the best known" if self.best else ""
        return (
            f"{len(self.points)} points and {len(out.codewords)} codewords {after}, with their "
            f"cells. The distortion is {out.distortion:.3f}{beside}."
        )

    def check(self) -> None:
        """Check what was set later.

        Raises
        ------
        InvalidInputError
            Some of it is faulty.
        """
        _some(self.points, "points")
        _some(self.codewords, "codewords")
        check_count(self.n_rounds, name="n_rounds", low=0, high=MOST_STEPS)
        check_count(self.rounds, name="rounds", low=0, high=self.n_rounds)
        if self.best is not None:
            check_size(self.best, name="best")


def _some(values: Any, name: str) -> Float[np.ndarray, "n 2"]:
    array = drawable(values, name)
    if not len(array):
        raise InvalidInputError(f"at least one row in {name}", "none", "pass an array (n, 2)")
    return array
