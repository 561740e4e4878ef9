"""Pictures of chapter 12: lists and recall, tasks of workers, growth with size, engines side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from gsl_tutorial.course.plots.style import BLACK, BLUE, CURVES, GREY, ORANGE, RED, SKY, new_figure
from gsl_tutorial.course.scale.costs import Attempt
from gsl_tutorial.course.scale.searching import Partial


def draw_tasks(partials: Sequence[Partial], *, killed: int | None = None) -> Figure:
    """Draw which worker searched which shard, when, and what the merged list had seen by then.

    Parameters
    ----------
    partials : sequence of Partial
        In the order in which they came; one at least.
    killed : int, optional
        Number of the process that was killed.

    Returns
    -------
    Figure
        Above, a row for each process; below, how many shards the merged list holds.
    """
    start = min(one.began for one in partials)
    names: dict[int, str] = {}
    for one in partials:
        names.setdefault(one.process, one.worker)
    rows = {process: i for i, process in enumerate(sorted(names, key=lambda p: (names[p], p)))}
    figure = new_figure(7.5, 2.2 + 0.5 * len(rows))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[len(rows) + 0.6, 1.6])
    for one in partials:
        y, left = rows[one.process], 1e3 * (one.began - start)
        width = max(1e3 * (one.ended - one.began), 0.4)
        is_lost = one.process == killed
        above.barh(
            y, width, left=left, height=0.7, color=ORANGE if is_lost else BLUE,
            edgecolor="white", hatch="//" if is_lost else None,
        )  # fmt: skip
        above.text(left + width / 2, y, str(one.shard), ha="center", va="center", fontsize=7, color=BLACK
                   if is_lost else "white")  # fmt: skip
    if killed in rows:
        last = max(one.ended for one in partials if one.process == killed)
        above.plot(1e3 * (last - start), rows[killed], "X", color=RED, markersize=13, clip_on=False)
        above.annotate(
            "killed", (1e3 * (last - start), rows[killed]), xytext=(12, 0),
            textcoords="offset points", va="center", color=RED,
        )  # fmt: skip
    above.set_yticks(list(rows.values()), [f"worker {names[p]}" for p in rows])
    above.set_ylim(len(rows) - 0.4, -0.6)
    ends = sorted(1e3 * (one.ended - start) for one in partials)
    below.step([0, *ends], range(len(ends) + 1), where="post", color=BLACK)
    below.set_ylabel("shards\nmerged")
    below.set_ylim(0, len(ends) * 1.05)
    below.set_xlabel("milliseconds since the first task began")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_attempts(
    made: Sequence[Attempt], n_workers: int, time: float, lost: Mapping[int, float]
) -> Figure:
    """Draw a simulated search up to a moment.

    Parameters
    ----------
    made : sequence of Attempt
        In milliseconds.
    n_workers : int
        How many workers.
    time : float
        The moment.
    lost : mapping of int to float
        When which worker dies.

    Returns
    -------
    Figure
        A row for each worker, a block for each task.
    """
    figure = new_figure(7.5, 1.2 + 0.5 * n_workers)
    axes = figure.subplots()
    for one in made:
        now = min(one.ended, time)
        if one.began > time:
            continue
        colour = SKY if one.ended > time else BLUE if one.done else ORANGE
        hatch = "//" if colour == ORANGE else None
        axes.barh(
            one.worker, now - one.began, left=one.began, height=0.8, color=colour,
            edgecolor="white", hatch=hatch,
        )  # fmt: skip
        if now - one.began > 5:
            axes.text(
                (one.began + now) / 2, one.worker, str(one.shard), ha="center", va="center",
                fontsize=8, color="white" if colour == BLUE else BLACK,
            )  # fmt: skip
    for worker, at in lost.items():
        if at <= time:
            axes.plot(at, worker, "X", color=RED, markersize=12)
    axes.axvline(time, color=BLACK, lw=1)
    axes.set_yticks(range(n_workers), [f"worker {i}" for i in range(n_workers)])
    axes.set_ylim(n_workers - 0.4, -0.6)
    axes.set_xlim(0, 1.02 * max(one.ended for one in made))
    axes.set_xlabel("milliseconds since the search began")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_lists(ranks: Int[np.ndarray, " B"], n_lists: int) -> Figure:
    """Draw recall against the number of lists that are looked into.

    Parameters
    ----------
    ranks : (B,) array of int
        In which list each query's nearest vector lies, 0 for the nearest list.
    n_lists : int
        How many there are.

    Returns
    -------
    Figure
        The distribution of the ranks, summed up, on a logarithmic axis.
    """
    figure = new_figure(6.2, 3.2)
    axes = figure.subplots()
    probes = np.unique(np.geomspace(1, n_lists, 60).astype(int))
    found = [(ranks < p).mean() for p in probes]
    axes.step(probes, found, where="post", color=BLUE, label="the lists hold the nearest vector")
    axes.plot(probes, probes / n_lists, ":", color=GREY, label="if lists were random")
    axes.set_xscale("log")
    axes.set_xlabel(f"nprobe: lists looked into, of {n_lists}")
    axes.set_ylabel("share of queries")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(0, 0.45))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_growth(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """Draw seconds against the number of vectors, both logarithmic.

    Parameters
    ----------
    curves : mapping
        By name: sizes and seconds.

    Returns
    -------
    Figure
        One line for each name, and a dotted one that is linear.
    """
    figure = new_figure(6.2, 3.4)
    axes = figure.subplots()
    for (name, (sizes, seconds)), (colour, marker, line) in zip(
        curves.items(), CURVES, strict=False
    ):
        axes.plot(sizes, seconds, line, marker=marker, color=colour, label=name)
        axes.plot(sizes, np.asarray(sizes) * seconds[0] / sizes[0], ":", color=GREY, zorder=0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("vectors")
    axes.set_ylabel("seconds of one processor")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_engines(rows: Sequence[Mapping[str, float | str]], *, at: int = 10) -> Figure:
    """Draw recall against speed for each engine.

    Parameters
    ----------
    rows : sequence of mappings
        As `measuring.measure_engines` gives them.
    at : int
        At which rank recall is shown.

    Returns
    -------
    Figure
        To the right is faster, upwards is better.
    """
    figure = new_figure(7.2, 4.0)
    axes = figure.subplots()
    names = list(dict.fromkeys(str(row["engine"]) for row in rows))
    marks = [*CURVES, (ORANGE, "v", "--"), (GREY, "P", ":"), ("#5B2A86", "*", "-")]
    for name, (colour, marker, line) in zip(names, marks, strict=False):
        own = [row for row in rows if row["engine"] == name]
        speed = [float(row["queries_a_second"]) for row in own]
        found = [float(row[f"recall@{at}"]) for row in own]
        axes.plot(speed, found, line, marker=marker, color=colour, label=name)
        for row, x, y in zip(own, speed, found, strict=True):
            if "nprobe" in row:
                axes.annotate(
                    str(row["nprobe"]), (x, y), xytext=(4, 4), textcoords="offset points",
                    fontsize=7, color=colour,
                )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlabel("queries a second, one thread")
    axes.set_ylabel(f"recall at {at}")
    axes.set_ylim(0, 1.04)
    axes.legend(frameon=False, fontsize=8, loc="lower left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
