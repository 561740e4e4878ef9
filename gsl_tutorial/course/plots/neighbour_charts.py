"""Charts of chapter 01: bytes against vectors, recall against bits. Pure functions of numbers.

The drawings of points and digits are in `neighbours`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.style import BLACK, BLUE, GREEN, GREY, RED, new_figure

_TEXT = 11
#: One look for each curve: colour, marker, line style.
_LOOKS = ((BLUE, "o", "-"), (RED, "s", "--"), (BLACK, "D", ":"), (GREEN, "^", "-."))


def draw_memory(
    counts: Sequence[float], sizes: Mapping[str, float], limits: Mapping[str, float]
) -> Figure:
    """Bytes against the number of vectors, both logarithmic.

    sizes: what one vector takes. limits: memories, drawn as thick lines across.
    """
    figure = new_figure(8.2, 4.4)
    axes = figure.add_subplot()
    for (label, each), (colour, marker, line) in zip(sizes.items(), _LOOKS, strict=False):
        taken = [each * count for count in counts]
        axes.loglog(counts, taken, color=colour, marker=marker, ls=line, lw=2, ms=8, label=label)
    for label, limit in limits.items():
        axes.axhline(limit, color=GREY, lw=5, alpha=0.5, zorder=0)
        axes.text(counts[0], limit * 1.35, label, fontsize=_TEXT, va="bottom")
    axes.set_xlabel("vectors", fontsize=_TEXT)
    axes.set_ylabel("bytes", fontsize=_TEXT)
    axes.grid(color="0.9")
    axes.legend(fontsize=_TEXT, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def draw_recall(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], k: int = 10
) -> Figure:
    """Recall against bits of a code on a logarithmic axis, a line for each way of compressing."""
    figure = new_figure(7.6, 4.0)
    axes = figure.add_subplot()
    for (name, (bits, values)), (colour, marker, line) in zip(curves.items(), _LOOKS, strict=False):
        axes.plot(bits, values, color=colour, marker=marker, ls=line, lw=2, ms=8, label=name)
    every = np.concatenate([np.asarray(bits, dtype=float) for bits, _ in curves.values()])
    powers = 2.0 ** np.arange(np.floor(np.log2(every.min())), np.ceil(np.log2(every.max())) + 1)
    axes.set_xscale("log", base=2)
    axes.set_xticks(powers, [f"{power:g}" for power in powers])
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("bits of a code", fontsize=_TEXT)
    axes.set_ylabel(f"recall@{k}", fontsize=_TEXT)
    axes.grid(color="0.9")
    axes.legend(fontsize=_TEXT, frameon=False)
    return figure
