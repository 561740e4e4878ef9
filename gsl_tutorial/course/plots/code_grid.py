"""Which classes share a code: the grid of all codes of two subspaces, one square for each code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gsl_tutorial.course.plots.style import ORANGE, new_figure
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import describe

#: A class is named in a square from so many items on, and such a share of the square makes it mixed.
_FEW, _MIXED = 3, 0.05


def draw_code_grid(
    panels: Mapping[str, tuple[Int[np.ndarray, "N 2"], Int[np.ndarray, " N"]]],
    n_codewords: int,
    class_names: Sequence[str],
) -> Figure:
    """Draw where the items of each class are in the grid of codes.

    Parameters
    ----------
    panels : mapping of str to (codes, labels)
        Title -> (N, 2) codes of two subspaces, and the class of each item.
    n_codewords : int
        K: the grid has K x K squares.
    class_names : sequence of str
        Short names; the larger one is written, the more items of the class have that code.

    Returns
    -------
    Figure
        One panel for each mapping, three in a row. Squares that hold more than one class (a
        twentieth of the items or more) are coloured and hatched.

    Raises
    ------
    InvalidInputError
        If the codes do not have two columns.
    """
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(2.9 * columns, 3.15 * rows)
    for i, (title, (codes, labels)) in enumerate(panels.items(), start=1):
        if np.ndim(codes) != 2 or codes.shape[1] != 2:
            raise InvalidInputError(
                "codes of two subspaces, (N, 2)", describe(codes), "draw others as a table"
            )
        _draw_grid(figure.add_subplot(rows, columns, i), codes, labels, n_codewords, class_names)
        figure.axes[-1].set_title(title, fontsize=11)
    return figure


def _draw_grid(
    axes: Axes,
    codes: Int[np.ndarray, "N 2"],
    labels: Int[np.ndarray, " N"],
    K: int,
    class_names: Sequence[str],
) -> None:
    counts = np.zeros((K, K, len(class_names)), dtype=int)
    np.add.at(counts, (codes[:, 0], codes[:, 1], labels), 1)
    largest = counts.max()
    for (x, y), here in zip(np.ndindex(K, K), counts.reshape(K * K, -1), strict=True):
        here = np.where(here >= _FEW, here, 0)
        mixed = here.sum() - here.max() > _MIXED * here.sum()
        look = {"fc": ORANGE, "alpha": 0.35, "hatch": "//"} if mixed else {"fc": "none"}
        axes.add_patch(Rectangle((x, y), 1, 1, ec="none", **look))
        shown = [k for k in np.argsort(-here, kind="stable") if here[k]]
        for place, k in enumerate(shown[:4]):
            left = 0.5 if len(shown) == 1 else 0.28 + 0.46 * (place % 2)
            up = 0.5 if len(shown) <= 2 else 0.73 - 0.46 * (place // 2)
            axes.text(
                x + left, y + up,
                class_names[k], ha="center", va="center",
                fontsize=8 + 10 * np.sqrt(here[k] / largest),
            )  # fmt: skip
    axes.set(
        xlim=(0, K), ylim=(0, K), aspect="equal", xticks=range(K + 1), yticks=range(K + 1),
        xlabel="codeword, first half", ylabel="codeword, second half",
    )  # fmt: skip
    axes.tick_params(labelbottom=False, labelleft=False, length=0)
    axes.grid(color="#767676", lw=0.8)
    axes.set_axisbelow(False)
