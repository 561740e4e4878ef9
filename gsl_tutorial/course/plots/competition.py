"""The picture of competing negatives: how far they are behind, and who of them is pushed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.style import BLACK, new_figure
from gsl_tutorial.course.plots.two_tower import KINDS

_HATCHES = {"in-batch": "..", "uniform": "", "same cell": "//"}
_BINS = np.linspace(-2, 1, 61)


def draw_competition(
    pushed: Mapping[str, tuple[Float[np.ndarray, " c"], Float[np.ndarray, " c"]]],
    *,
    n_events: int,
    temperature: float,
    title: str = "",
) -> Figure:
    """Draw how far negatives are behind their positive, and how much of the push each kind has.

    Parameters
    ----------
    pushed : mapping of str to pair of (c,) arrays
        Kind -> (gap, |dL/ds|) of its draws, as from `two_tower.competition.pushes`.
    n_events : int
        How many positives the draws belong to.
    temperature : float
        Temperature of the loss.
    title : str
        What stands above the left side.

    Returns
    -------
    Figure
        On the left, the draws by how far they are behind, and below it exp(gap / temperature),
        their weight before the correction. On the right, the share of all draws and of the whole
        push that belongs to each kind.
    """
    figure = new_figure(9, 4.2, layout=None)  # places given: half the time of finding them
    grid = figure.add_gridspec(
        2, 2, width_ratios=(1.35, 1), height_ratios=(2, 1),
        left=0.075, right=0.985, top=0.925, bottom=0.12, wspace=0.27, hspace=0.12,
    )  # fmt: skip
    above = figure.add_subplot(grid[0, 0])
    below = figure.add_subplot(grid[1, 0], sharex=above)
    bars = figure.add_subplot(grid[:, 1])
    for kind, (gap, _) in pushed.items():
        colour, _, line = KINDS[kind]
        share = np.histogram(gap, _BINS)[0] / max(1, len(gap))
        above.stairs(share, _BINS, color=colour, linestyle=line, linewidth=1.8, label=kind)
    for axes in (above, below):
        axes.axvline(0, color=BLACK, linewidth=0.8)
        axes.grid(alpha=0.25)
    above.set_ylim(0, 0.16)
    above.set_ylabel("share of the draws")
    above.set_yticks([0, 0.05, 0.1, 0.15], ["0%", "5%", "10%", "15%"])
    above.tick_params(labelbottom=False)
    above.legend(loc="upper left", fontsize=9)
    above.set_title(title, fontsize=10)
    steps = np.linspace(_BINS[0], 0.25, 300)
    below.plot(steps, np.exp(steps / temperature), color=BLACK)
    below.set_ylim(0, 1.15)
    below.set_xlim(_BINS[0], _BINS[-1])
    below.set_ylabel("weight")
    below.set_xlabel("cosine of the negative less that of the positive")

    total = sum(float(push.sum()) for _, push in pushed.values())
    drawn = sum(len(push) for _, push in pushed.values())
    for row, kind in enumerate(reversed(KINDS)):
        _, push = pushed.get(kind, (np.zeros(0), np.zeros(0)))
        of_push, of_draws = float(push.sum()) / max(total, 1e-30), len(push) / max(1, drawn)
        colour = KINDS[kind][0]
        bars.barh(row + 0.19, of_draws, 0.34, color="white", edgecolor="0.35")
        bars.barh(row - 0.19, of_push, 0.34, color=colour, edgecolor="white", hatch=_HATCHES[kind])
        labels = ("none drawn", "") if kind not in pushed else (
            f"{of_draws:.0%} of the draws", f"{of_push:.0%} of the push"
        )  # fmt: skip
        bars.text(of_draws + 0.02, row + 0.19, labels[0], va="center", fontsize=9)
        bars.text(of_push + 0.02, row - 0.19, labels[1], va="center", fontsize=9)
    bars.set_yticks(range(len(KINDS)), list(reversed(KINDS)))
    bars.set_xlim(0, 1.65)
    bars.set_xticks([0, 0.5, 1], ["0%", "50%", "100%"])
    bars.set_title(f"all pushes for one positive add up to {total / n_events:.2f}", fontsize=10)
    return figure
