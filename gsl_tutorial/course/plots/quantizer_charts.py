"""Charts of chapter 04: what a beam buys, and how each quantizer does on vectors it has not seen.

Pure functions of measured numbers; the drawings in the plane are in `quantizers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from gsl_tutorial.course.plots.style import BLUE, GREY, RED, new_figure

_TEXT = 11
#: Vectors learned from, and vectors never seen.
_LOOKS = ((BLUE, "o", "-"), (RED, "s", "--"))


def draw_beam(widths: Sequence[int], curves: Mapping[str, Sequence[float]]) -> Figure:
    """Distortion against the width of the beam, a line for each set of vectors."""
    figure = new_figure(6.4, 3.6)
    axes = figure.add_subplot()
    for (name, values), (colour, marker, line) in zip(curves.items(), _LOOKS, strict=False):
        axes.plot(widths, values, color=colour, marker=marker, ls=line, lw=2, ms=8, label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.set_ylim(0, 1.25 * max(map(max, curves.values())) or 1.0)
    axes.set_xlabel("sums kept (beam)", fontsize=_TEXT)
    axes.set_ylabel("distortion", fontsize=_TEXT)
    axes.grid(color="0.9")
    axes.legend(fontsize=_TEXT, frameon=False)
    return figure


def draw_gaps(
    panels: Mapping[str, Mapping[str, tuple[float, float]]],
    names: tuple[str, str] = ("learned from", "fresh"),
) -> Figure:
    """A panel for each size; in it, for each quantizer, its distortion on two sets of vectors."""
    figure = new_figure(9.4, 4.0)
    all_axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, (title, methods) in zip(all_axes, panels.items(), strict=True):
        places = range(len(methods))
        pairs = list(methods.values())
        axes.vlines(places, [min(p) for p in pairs], [max(p) for p in pairs], color=GREY, lw=3)
        for i, (name, (colour, marker, _)) in enumerate(zip(names, _LOOKS, strict=True)):
            values = [pair[i] for pair in pairs]
            axes.plot(places, values, marker, ms=10, color=colour, label=name, zorder=3)
        axes.set_xticks(places, list(methods), fontsize=_TEXT)
        axes.set_xlim(-0.5, len(methods) - 0.5)
        axes.set_title(title, fontsize=12)
        axes.grid(axis="y", color="0.9")
    highest = max(
        value for methods in panels.values() for pair in methods.values() for value in pair
    )
    all_axes[0].set_ylim(0, 1.12 * highest or 1.0)
    all_axes[0].set_ylabel("distortion", fontsize=_TEXT)
    all_axes[-1].legend(fontsize=_TEXT, frameon=False, loc="upper right")
    return figure
