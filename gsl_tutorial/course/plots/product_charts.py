"""Charts of chapter 03: errors of two kinds of distances, and what M and K buy.

Pure functions of measured numbers; the drawings of vectors and codes are in `product`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Integer
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gsl_tutorial.course.plots.style import BLACK, BLUE, GREEN, RED, new_figure

_TEXT = 11
#: One look for each curve: colour, marker, line style.
_LOOKS = ((BLUE, "o", "-"), (RED, "s", "--"), (BLACK, "D", ":"), (GREEN, "^", "-."))
#: Images: ink is dark, the range is that of the pixels.
_INK: dict[str, Any] = {"cmap": "gray_r", "vmin": 0.0, "vmax": 1.0, "interpolation": "nearest"}
#: Wider tables carry no numbers, and longer codebooks go on in the next line.
_NUMBERED_COLUMNS = 16


def draw_distance_errors(
    true: Float[np.ndarray, " P"], estimates: Mapping[str, Float[np.ndarray, " P"]]
) -> Figure:
    """Estimated against true squared distance for each way, and all errors as histograms."""
    figure = new_figure(9.6, 3.5)
    panels = figure.subplots(1, len(estimates) + 1)
    top = 1.05 * max(float(true.max()), *(float(one.max()) for one in estimates.values()))
    errors = {name: estimate - true for name, estimate in estimates.items()}
    everything = np.concatenate(list(errors.values()))
    edges = np.linspace(everything.min() - 1e-6, everything.max() + 1e-6, 33)
    last = panels[-1]
    for i, (name, estimate) in enumerate(estimates.items()):
        colour, marker, line = _LOOKS[i]
        panels[i].plot(true, estimate, marker, ls="none", color=colour, ms=3.5, alpha=0.6, mew=0)
        panels[i].plot([0, top], [0, top], color=BLACK, lw=1.2)
        panels[i].set(xlim=(0, top), ylim=(0, top), aspect="equal")
        panels[i].xaxis.set_major_locator(MaxNLocator(5))
        panels[i].yaxis.set_major_locator(MaxNLocator(5))
        panels[i].set_xlabel("true squared distance", fontsize=_TEXT)
        panels[i].set_title(name, fontsize=12)
        shade: dict[str, Any] = {"hatch": "///", "alpha": 0.35} if i == 0 else {"alpha": 0}
        last.hist(errors[name], edges, color=colour, edgecolor=colour, lw=0, **shade)
        last.hist(
            errors[name], edges, histtype="step", color=colour, ls=line, lw=2,
            label=f"{name}: mean {errors[name].mean():.2f}",
        )  # fmt: skip
        last.axvline(errors[name].mean(), ymax=0.7, color=colour, ls=line, lw=1.5)
    panels[0].set_ylabel("estimated", fontsize=_TEXT)
    last.axvline(0, ymax=0.7, color=BLACK, lw=1.2)
    last.set_xlabel("estimated minus true", fontsize=_TEXT)
    last.set_ylabel("pairs", fontsize=_TEXT)
    last.set_ylim(top=1.4 * last.get_ylim()[1])
    last.set_box_aspect(1)
    last.legend(fontsize=10, loc="upper right", frameon=False, borderpad=0)
    return figure


def draw_dials(
    n_subspaces: Integer[np.ndarray, " R"],
    n_codewords: Integer[np.ndarray, " R"],
    panels: Mapping[str, Float[np.ndarray, " R"]],
) -> Figure:
    """One panel for each measured value against bits; a line for each K, M inside the points."""
    bits = np.asarray(n_subspaces) * np.log2(n_codewords)
    figure = new_figure(9.6, 4.2)
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (name, values) in zip(all_axes, panels.items(), strict=True):
        for i, K in enumerate(np.unique(n_codewords)):
            colour, marker, line = _LOOKS[i % len(_LOOKS)]
            rows = np.flatnonzero(n_codewords == K)
            rows = rows[np.argsort(bits[rows])]
            look: dict[str, Any] = {
                "color": colour,
                "marker": marker,
                "ms": 15,
                "mfc": "white",
                "mew": 2,
            }
            axes.plot([], [], ls=line, lw=2, label=f"K = {K}", **look)
            # No line of another K may run through a point and its number.
            axes.plot(bits[rows], values[rows], color=colour, ls=line, lw=2, zorder=2)
            axes.plot(bits[rows], values[rows], ls="none", zorder=3 + i, **look)
            for row in rows:
                axes.text(
                    bits[row], values[row], str(n_subspaces[row]),
                    ha="center", va="center", fontsize=10, zorder=3.5 + i,
                )  # fmt: skip
        axes.set_xscale("log", base=2)
        ticks = 2.0 ** np.arange(np.floor(np.log2(bits.min())), np.ceil(np.log2(bits.max())) + 1)
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_ylim(0, 1.12 * max(float(np.max(values)), 1e-9))
        axes.set_xlim(bits.min() / 1.3, bits.max() * 1.3)
        axes.set_xlabel("bits of a code", fontsize=_TEXT)
        axes.set_title(name, fontsize=12)
        axes.grid(color="0.9")
    all_axes[0].legend(
        fontsize=_TEXT, frameon=False, title="inside the points: M", markerscale=0.6, handlelength=3
    )
    return figure
