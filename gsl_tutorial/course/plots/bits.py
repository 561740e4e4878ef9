"""What a code's length buys: our mAP against bits, with published figures beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from gsl_tutorial.course.plots.study import LOOKS
from gsl_tutorial.course.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    new_figure,
)
from gsl_tutorial.course.results.published import FOREIGN, Published
from gsl_tutorial.course.training.method_names import named

#: Colour and marker of each protocol of a published figure.
PROTOCOL_LOOKS = {
    "P2": (RED, "D"),
    "P2 family": (ORANGE, "s"),
    "P0": (BLACK, "X"),
    "P1a": (GREEN, "^"),
    "P1b": (PURPLE, "v"),
    "DPQ 1": (SKY, "p"),
    "10k/50k/50k": (GREY, "o"),
}
_TICKS = (4, 8, 16, 32, 64)


@dataclass(frozen=True)
class Ours:
    """What we measured under one protocol, by bits of a code.

    Attributes
    ----------
    points : mapping of str to sequence of (int, float)
        Label -> bits and mAP of trained runs.
    fitted : sequence of (int, float)
        Bits and mAP of codes that were fitted afterwards to the embeddings of one run.
    study : sequence of (int, float, float)
        Bits, and the mean and standard deviation of mAP over seeds.
    exact, argmax : float, optional
        mAP of the exact vectors and of the argmax code, drawn as lines.
    study_label : str
        What the legend says of `study`.
    """

    points: Mapping[str, Sequence[tuple[int, float]]]
    fitted: Sequence[tuple[int, float]] = ()
    study: Sequence[tuple[int, float, float]] = ()
    exact: float | None = None
    argmax: float | None = None
    study_label: str = field(default="study: small network, 10,000 images, 3 seeds ± sd")


def draw_bits(
    ours: Ours, published: Mapping[str, Published], *, low: float = 0.0, title: str = ""
) -> Figure:
    """Draw mAP against bits (log scale): ours, and published figures by letter.

    Parameters
    ----------
    ours : Ours
        What we measured.
    published : mapping of str to Published
        Rows by the letter that stands beside their last point; hollow markers are second-hand.
    low : float
        Where the axis of mAP begins.
    title : str
        What stands above the panels.

    Returns
    -------
    Figure
        One panel, and a second one that enlarges what lies near the exact vectors, if anything
        does.
    """
    close = _near_exact(ours, published)
    figure = new_figure(10.2 if close else 8.4, 4.8)
    panels = figure.subplots(1, 2 if close else 1, squeeze=False)[0]
    for axes, limits in zip(panels, [(low, 1.0), close], strict=False):
        _draw_ours(axes, ours)
        _draw_published(axes, published)
        axes.set(xscale="log", xlim=(3.4, 80), ylim=limits, xlabel="bits of a code (log scale)")
        axes.set_xticks(_TICKS, list(map(str, _TICKS)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("mAP" + (f" (the axis begins at {low:g})" if low else ""))
    _write_letters(panels[0], published, but=close)
    if close:
        panels[1].set_title("the same near the exact vectors, enlarged", fontsize=9)
        _write_letters(panels[1], published)
    figure.suptitle(title, fontsize=10)
    handles, labels = panels[0].get_legend_handles_labels()
    handles += (more := _protocol_handles(published))
    labels += [str(handle.get_label()) for handle in more]
    figure.legend(handles, labels, loc="outside lower center", fontsize=8.5, frameon=False, ncols=2)
    return figure


def _near_exact(
    ours: Ours, published: Mapping[str, Published], reach: float = 0.03
) -> tuple[float, float] | None:
    """Where the axis of an enlarged panel begins and ends; None where nothing is to be enlarged."""
    if ours.exact is None:
        return None
    values = [value for row in published.values() for value in row.maps.values()]
    values += [value for points in ours.points.values() for _, value in points]
    values += [value for _, value in ours.fitted]
    close = [value for value in values if abs(value - ours.exact) < reach]
    if not close:
        return None
    return min(*close, ours.exact) - 0.004, max(*close, ours.exact) + 0.004


def _draw_ours(axes: Axes, ours: Ours) -> None:
    lines = (
        (ours.exact, "ours: exact float vectors", "-"),
        (ours.argmax, "ours: argmax code", "--"),
    )
    for value, label, style in lines:
        if value is not None:
            axes.axhline(value, color=BLACK, ls=style, lw=1.1, label=label)
    if len(ours.fitted):
        bits, maps = zip(*ours.fitted, strict=True)
        axes.plot(bits, maps, color=BLUE, ls=":", marker=".", ms=7, lw=1.6,
                  label="ours: PQ fitted afterwards to the same embeddings")  # fmt: skip
    if len(ours.study):
        bits, means, deviations = zip(*ours.study, strict=True)
        axes.errorbar(bits, means, deviations, color=GREY, marker="o", mfc="white", ms=6, lw=1,
                      capsize=4, label=ours.study_label)  # fmt: skip
    markers = ("*", "h", "p", "8")
    for (label, points), marker in zip(
        ours.points.items(), markers * len(ours.points), strict=False
    ):
        bits, maps = zip(*points, strict=True)
        axes.plot(bits, maps, color=BLUE, ls="none", marker=marker, ms=13, mec="white", label=label,
                  zorder=4)  # fmt: skip


def _draw_published(axes: Axes, published: Mapping[str, Published]) -> None:
    for row in published.values():
        colour, marker = PROTOCOL_LOOKS[row.protocol]
        bits, maps = list(row.maps), list(row.maps.values())
        face = "white" if row.second_hand else colour
        axes.plot(bits, maps, color=colour, ls="-", lw=0.8, marker=marker, mfc=face, ms=7, mew=1.5)


def _write_letters(
    axes: Axes, published: Mapping[str, Published], *, but: tuple[float, float] | None = None
) -> None:
    """Each row's letter beside its last point, `but` those between two heights."""
    names: dict[tuple[int, float], list[str]] = {}
    for letter, row in published.items():
        last = list(row.maps.items())[-1]
        if but is None or not but[0] < last[1] < but[1]:
            names.setdefault(last, []).append(letter)
    gap = 0.0475 * float(np.diff(axes.get_ylim())[0])
    for (bits, value), place in _apart(list(names), gap).items():
        letters = ", ".join(names[bits, value])
        axes.annotate(
            letters, (bits, value), xytext=(bits * 1.17, place), fontsize=9, va="center",
            arrowprops={"arrowstyle": "-", "color": "#999999", "lw": 0.6, "shrinkB": 4},
        )  # fmt: skip


def _apart(places: list[tuple[int, float]], gap: float) -> dict[tuple[int, float], float]:
    """A height for the letter of each place: near it, and `gap` from the others of the same bits."""
    heights: dict[tuple[int, float], float] = {}
    for bits in {bits for bits, _ in places}:
        column = sorted(value for b, value in places if b == bits)
        at = np.array(column)
        for _ in range(50):  # push neighbours apart until none is too near
            missing = np.maximum(gap - np.diff(at), 0)
            at[:-1] -= missing / 2
            at[1:] += missing / 2
        heights |= {(bits, value): float(y) for value, y in zip(column, at, strict=True)}
    return heights


def _protocol_handles(published: Mapping[str, Published]) -> list[Line2D]:
    handles = []
    for protocol in dict.fromkeys(row.protocol for row in published.values()):
        rows = [row for row in published.values() if row.protocol == protocol]
        colour, marker = PROTOCOL_LOOKS[protocol]
        second_hand = all(row.second_hand for row in rows)
        words = f"published, {'' if protocol in FOREIGN else 'protocol '}{protocol}"
        handles.append(
            Line2D(
                [], [], color=colour, lw=0.8, marker=marker, ms=7, mew=1.5,
                mfc="white" if second_hand else colour,
                label=words + (" (second-hand)" if second_hand else ""),
            )
        )  # fmt: skip
    return handles


def draw_scarce(records: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw ADC mAP of the same network trained by several methods, a column for each size of code.

    Parameters
    ----------
    records : sequence of dict
        Of `our_runs.evaluations`.

    Returns
    -------
    Figure
        A mark for each run, and the best exact search of each column as a line above it.
    """
    by_cell: dict[tuple[int, int], list[Mapping[str, Any]]] = {}
    for one in records:
        K = one["n_codewords"]
        by_cell.setdefault((one["bits"], K), []).append(one)
    figure = new_figure(7.0, 4.2)
    axes = figure.subplots()
    methods = [m for m in LOOKS if any(one["method"] == m for one in records)]
    for column, (_, some) in enumerate(sorted(by_cell.items())):
        exact = max(one["exact_map"] for one in some)
        axes.plot([column - 0.4, column + 0.4], [exact, exact], color=GREY, lw=1.5, ls=":")
        for one in some:
            colour, marker, _ = LOOKS[one["method"]]
            shift = 0.16 * (methods.index(one["method"]) - (len(methods) - 1) / 2)
            axes.plot(column + shift, one["adc_map"], marker, color=colour, mec="white", zorder=3,
                      ms=15 if marker == "*" else 10)  # fmt: skip
            axes.annotate(f"{one['adc_map']:.2f}", (column + shift, one["adc_map"]), xytext=(0, -16),
                          textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
    names = [f"{bits // int(np.log2(K))} × {K}\n{bits} bits" for bits, K in sorted(by_cell)]
    axes.set_xticks(range(len(names)), names)
    axes.set(xlim=(-0.6, len(names) - 0.4), ylim=(0, 1.02), ylabel="ADC mAP@all")
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    handles = [
        Line2D([], [], color=LOOKS[m][0], marker=LOOKS[m][1], ls="none", ms=9, label=named(m))
        for m in methods
    ]
    handles.append(Line2D([], [], color=GREY, ls=":", label="best exact search"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8,
                  columnspacing=1.2, handletextpad=0.3)  # fmt: skip
    return figure
