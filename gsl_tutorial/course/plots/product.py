"""Product quantization in pictures: the cut, the codewords, the code, the lookup table, the price.

Vectors are square images read row by row, so that a subvector can be seen as a band of the image. Every
function takes arrays and returns a figure; none of them computes a code or a distance itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Integer
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from gsl_tutorial.course.plots.style import BLACK, CURVES, GREY, RED, new_figure

_TEXT = 11
#: Images: ink is dark, the range is that of the pixels.
_INK: dict[str, Any] = {"cmap": "gray_r", "vmin": 0.0, "vmax": 1.0, "interpolation": "nearest"}
#: Wider tables carry no numbers, and longer codebooks go on in the next line.
_NUMBERED_COLUMNS = 16


def draw_codebook_costs(
    bits: Sequence[int], codewords: Mapping[str, Sequence[float]], limits: Mapping[str, float]
) -> Figure:
    """Draw codewords to store against bits of the code, on a logarithmic scale.

    Parameters
    ----------
    bits : sequence of int
        Bits of a code.
    codewords : mapping of str to sequence of float
        Name -> codewords to store at each number of bits.
    limits : mapping of str to float
        Name -> a number of codewords, drawn as a line across.

    Returns
    -------
    Figure
        One curve for each name.
    """
    figure = new_figure(8.2, 4.2)
    axes = figure.add_subplot()
    for (label, counts), (colour, marker, line) in zip(codewords.items(), CURVES, strict=False):
        axes.plot(bits, counts, color=colour, marker=marker, ls=line, lw=2, ms=8, label=label)
    for label, limit in limits.items():
        axes.axhline(limit, color=GREY, lw=5, alpha=0.5, zorder=0, label=label)
    axes.set_yscale("log")
    axes.set_xticks(bits)
    axes.set_xlabel("bits of a code", fontsize=_TEXT)
    axes.set_ylabel("codewords to store", fontsize=_TEXT)
    axes.grid(color="0.9")
    axes.legend(fontsize=_TEXT, loc="upper left", frameon=False)
    return figure


def draw_subvectors(z: Float[np.ndarray, " dim"], n_subspaces: int) -> Figure:
    """Draw an image with its cuts, and beside it the same numbers as rows.

    Parameters
    ----------
    z : (dim,) array
        A flat image.
    n_subspaces : int
        M, the number of subvectors; it divides dim.

    Returns
    -------
    Figure
        The image on the left; on the right, one row for each subvector.
    """
    d = len(z) // n_subspaces
    figure = new_figure(9.2, 0.6 * min(n_subspaces, 8) + 1.4)
    left, right = figure.subplots(1, 2, width_ratios=[1, 2.4])
    _draw_image(left, z)
    _draw_cuts(left, z, n_subspaces)
    left.set_title("the image", fontsize=_TEXT)
    strips = np.full((2 * n_subspaces - 1, d), np.nan)
    strips[::2] = z.reshape(n_subspaces, d)
    right.imshow(strips, aspect="auto", **_INK)
    for m in range(n_subspaces):
        right.add_patch(
            Rectangle((-0.5, 2 * m - 0.5), d, 1, fill=False, ec=RED, lw=2, clip_on=False)
        )
    right.set_yticks(
        range(0, 2 * n_subspaces - 1, 2),
        [f"    m = {m}   z[{m * d}:{m * d + d}]" for m in range(n_subspaces)],
        fontsize=_TEXT,
    )
    right.tick_params(length=0)
    right.set_xticks([])
    right.spines[:].set_visible(False)
    right.set_title(f"the vector in {n_subspaces} subvectors of {d} numbers", fontsize=_TEXT)
    return figure


def draw_codebooks(codebooks: Float[np.ndarray, "M K d"], width: int) -> Figure:
    """Draw every codeword as a small picture.

    Parameters
    ----------
    codebooks : (M, K, d) array
        The codewords.
    width : int
        Width of a picture, in pixels of the image.

    Returns
    -------
    Figure
        A band for each subspace; above each codeword stands its number k.
    """
    M, K, d = codebooks.shape
    columns = min(K, 8)
    lines = -(-K // columns)
    h, w = max(1, d // width), min(d, width)
    cell_h, cell_w = h + 2.0, w + 1.2
    band = lines * cell_h + 0.8
    figure = new_figure(9.4, min(max(9.4 * (M * band + 1) / (columns * cell_w + 6), 1.5), 24))
    axes = figure.add_subplot()
    for m in range(M):
        for k in range(K):
            x, y = (k % columns) * cell_w, m * band + (k // columns) * cell_h
            axes.imshow(codebooks[m, k].reshape(h, w), extent=(x, x + w, y + h, y), **_INK)
            axes.add_patch(Rectangle((x, y), w, h, fill=False, ec=GREY, lw=0.8))
            axes.text(x + w / 2, y - 0.15, str(k), ha="center", va="bottom", fontsize=9)
        middle = m * band + (lines * cell_h - 2.0) / 2
        axes.text(-1, middle, f"m = {m}", ha="right", va="center", fontsize=_TEXT)
    axes.set(xlim=(-6, columns * cell_w), ylim=(M * band - 1, -1.6), aspect="equal")
    axes.axis("off")
    return figure


def draw_coding(
    z: Float[np.ndarray, " dim"],
    codebooks: Float[np.ndarray, "M K d"],
    code: Integer[np.ndarray, " M"],
) -> Figure:
    """Draw how a product code is made of one image.

    Parameters
    ----------
    z : (dim,) array
        A flat image.
    codebooks : (M, K, d) array
        The codewords of each subspace.
    code : (M,) array of int
        The codeword chosen in each subspace.

    Returns
    -------
    Figure
        From left to right: the image, its subvectors, the chosen codewords, the reconstruction.
    """
    M, _, d = codebooks.shape
    chosen = codebooks[np.arange(M), code]
    subvectors = z.reshape(M, d)
    side = int(np.sqrt(len(z)))
    shape = (max(1, d // side), min(d, side))
    figure = new_figure(9.4, 3.6)
    grid = figure.add_gridspec(M, 4, width_ratios=[1.25, 1, 1, 1.25])
    before, after = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[:, 3])
    _draw_image(before, z)
    _draw_cuts(before, z, M)
    before.set_title("the image z", fontsize=_TEXT)
    _draw_image(after, chosen.reshape(-1))
    _draw_cuts(after, z, M)
    after.set_title("the reconstruction q(z)", fontsize=_TEXT)
    errors = ((subvectors - chosen) ** 2).sum(axis=1)
    after.set_xlabel(f"squared error {errors.sum():.2f}", fontsize=_TEXT)
    for m in range(M):
        left, right = figure.add_subplot(grid[m, 1]), figure.add_subplot(grid[m, 2])
        left.imshow(subvectors[m].reshape(shape), **_INK)
        right.imshow(chosen[m].reshape(shape), **_INK)
        for axes in (left, right):
            axes.set(xticks=[], yticks=[])
        if M <= 8:
            right.set_ylabel(f"→  {code[m]}  ", fontsize=13, rotation=0, ha="right", va="center")
            right.set_xlabel(f"squared error {errors[m]:.2f}", fontsize=10)
        if m == 0:
            left.set_title("its subvectors", fontsize=_TEXT)
            right.set_title("code and codewords", fontsize=_TEXT)
    return figure


def draw_images(
    rows: Mapping[str, Float[np.ndarray, "n dim"]],
    framed: Mapping[str, Bool[np.ndarray, " n"]] | None = None,
) -> Figure:
    """Draw rows of images under each other, to compare before and after.

    Parameters
    ----------
    rows : mapping of str to (n, dim) array
        Name of a row -> its flat images.
    framed : mapping of str to (n,) array of bool, optional
        Name of a row -> which of its images stand in a thick frame.

    Returns
    -------
    Figure
        Each row with its name.
    """
    n = max(map(len, rows.values()))
    side = int(np.sqrt(next(iter(rows.values())).shape[1]))
    step = side + 1.0
    figure = new_figure(9.4, 8.4 / n * len(rows) + 0.2)
    # One pair of axes for all: laying out many small ones takes seconds.
    axes = figure.add_subplot()
    for line, (name, images) in enumerate(rows.items()):
        thick = (framed or {}).get(name, np.zeros(len(images), dtype=bool))
        for column, (image, in_frame) in enumerate(zip(images, thick, strict=True)):
            x, y = column * step, line * step
            axes.imshow(image.reshape(side, side), extent=(x, x + side, y + side, y), **_INK)
            colour, width = (RED, 3.5) if in_frame else (BLACK, 0.8)
            axes.add_patch(
                Rectangle((x, y), side, side, fill=False, ec=colour, lw=width, clip_on=not in_frame)
            )
    axes.set(xlim=(-0.1, n * step - 0.9), ylim=(len(rows) * step - 0.9, -0.1), aspect="equal")
    axes.set_xticks([])
    axes.set_yticks(np.arange(len(rows)) * step + side / 2, list(rows), fontsize=_TEXT)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def draw_lookup_table(table: Float[np.ndarray, "M K"], code: Integer[np.ndarray, " M"]) -> Figure:
    """Draw a lookup table as a heat map.

    Parameters
    ----------
    table : (M, K) array
        Squared distances from one query's subvectors to all codewords.
    code : (M,) array of int
        The code whose entries are outlined and added up.

    Returns
    -------
    Figure
        The table, with the sum of the outlined entries.
    """
    M, K = table.shape
    entries = table[np.arange(M), code]
    figure = new_figure(9.4, 0.45 * min(M, 16) + 1.7)
    axes = figure.add_subplot()
    top = float(table.max())
    image = axes.imshow(table, cmap="cividis", vmin=0, vmax=top, aspect="auto")
    figure.colorbar(image, ax=axes, pad=0.01).set_label("squared distance", fontsize=_TEXT)
    if K <= _NUMBERED_COLUMNS:
        for m in range(M):
            for k in range(K):
                named = k == code[m]
                axes.text(
                    k,
                    m,
                    f"{table[m, k]:.2f}",
                    ha="center",
                    va="center",
                    fontsize=11 if named else 9,
                    fontweight="bold" if named else "normal",
                    color=_readable_on(tuple(image.to_rgba(table[m, k]))),
                )
        axes.set_xticks(range(K))
    for m, k in enumerate(code):
        # White inside black shows on every colour of the map, and in grey.
        for colour, width in ((BLACK, 5), ("white", 2.2)):
            axes.add_patch(Rectangle((k - 0.5, m - 0.5), 1, 1, fill=False, ec=colour, lw=width))
    axes.set_yticks(range(M), [f"m = {m}" for m in range(M)], fontsize=_TEXT)
    axes.set_xlabel("codeword k", fontsize=_TEXT)
    terms = " + ".join(f"{entry:.2f}" for entry in entries[:8]) + (" + ..." if M > 8 else "")
    axes.set_title(
        f"code [{' '.join(map(str, code[:8]))}{' ...' if M > 8 else ''}]:  "
        f"{terms} = {entries.sum():.2f}",
        fontsize=12,
        loc="left",
    )
    return figure


def _draw_image(axes: Axes, z: Float[np.ndarray, " dim"]) -> None:
    side = int(np.sqrt(len(z)))
    axes.imshow(z.reshape(side, side), **_INK)
    axes.set(xticks=[], yticks=[])


def _draw_cuts(axes: Axes, z: Float[np.ndarray, " dim"], n_subspaces: int) -> None:
    """Draw a line between neighbouring pixels of different subvectors."""
    side = int(np.sqrt(len(z)))
    piece = (np.arange(len(z)) * n_subspaces // len(z)).reshape(side, side)
    across = [
        [(x - 0.5, y + 0.5), (x + 0.5, y + 0.5)] for y, x in np.argwhere(piece[:-1] != piece[1:])
    ]
    down = [
        [(x + 0.5, y - 0.5), (x + 0.5, y + 0.5)]
        for y, x in np.argwhere(piece[:, :-1] != piece[:, 1:])
    ]
    axes.add_collection(LineCollection(across + down, colors=RED, linewidths=2.5))


def _readable_on(colour: Sequence[float]) -> str:
    """Black or white, whichever has more contrast (WCAG 2 relative luminance)."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]
    )
    return BLACK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "white"


def draw_distance_errors(
    true: Float[np.ndarray, " P"], estimates: Mapping[str, Float[np.ndarray, " P"]]
) -> Figure:
    """Draw estimated against true squared distances.

    Parameters
    ----------
    true : (P,) array
        Exact squared distances of P pairs.
    estimates : mapping of str to (P,) array
        Way of estimating -> its values for the same pairs.

    Returns
    -------
    Figure
        A panel for each way, and all errors as histograms.
    """
    figure = new_figure(9.6, 3.5)
    panels = figure.subplots(1, len(estimates) + 1)
    top = 1.05 * max(float(true.max()), *(float(one.max()) for one in estimates.values()))
    errors = {name: estimate - true for name, estimate in estimates.items()}
    everything = np.concatenate(list(errors.values()))
    edges = np.linspace(everything.min() - 1e-6, everything.max() + 1e-6, 33)
    last = panels[-1]
    for i, (name, estimate) in enumerate(estimates.items()):
        colour, marker, line = CURVES[i]
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
    """Draw measured values against bits, for many choices of M and K.

    Parameters
    ----------
    n_subspaces, n_codewords : (R,) arrays of int
        M and K of each measurement.
    panels : mapping of str to (R,) array
        Name of a value -> what was measured.

    Returns
    -------
    Figure
        One panel for each value; a line for each K, with M written inside the points.
    """
    bits = np.asarray(n_subspaces) * np.log2(n_codewords)
    figure = new_figure(9.6, 4.2)
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (name, values) in zip(all_axes, panels.items(), strict=True):
        for i, K in enumerate(np.unique(n_codewords)):
            colour, marker, line = CURVES[i % len(CURVES)]
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
