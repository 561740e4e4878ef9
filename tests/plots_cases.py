"""Every drawing of the chapters, at both ends of its arguments, and what it is drawn from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from gsl_tutorial.course.plots import (
    clusters,
    costs,
    neighbours,
    product,
    quantizers,
    retrieval,
    turn_courses,
    turns,
)
from gsl_tutorial.course.plots.code_grid import draw_code_grid
from gsl_tutorial.course.plots.found_codes import draw_found_codes
from gsl_tutorial.course.plots.plane import draw_fields, draw_paths, draw_snap
from gsl_tutorial.course.plots.plane_turns import draw_turns_plane
from gsl_tutorial.course.plots.study import draw_seeds
from gsl_tutorial.course.toys.kmeans_steps import kmeans_steps
from gsl_tutorial.course.toys.neighbours import Compressed
from gsl_tutorial.course.toys.plane import Plane
from gsl_tutorial.course.toys.plane_methods import run_method
from gsl_tutorial.course.toys.plane_turns import POSITIVES, TurnsPlane, random_starts
from gsl_tutorial.course.training.recording import Frame, Recording, Turn
from gsl_tutorial.snapping import SnapOptions

RNG = np.random.default_rng(0)


def codebooks(M: int, K: int, dim: int = 64) -> np.ndarray:
    return RNG.uniform(size=(M, K, dim // M))


def _coding(M: int, K: int) -> Figure:
    return product.draw_coding(RNG.uniform(size=64), codebooks(M, K), RNG.integers(K, size=M))


def _table(M: int, K: int, scale: float = 3.0) -> Figure:
    code = RNG.integers(K, size=M)
    return product.draw_lookup_table(scale * RNG.uniform(size=(M, K)), code)


def _errors(n: int) -> Figure:
    true = RNG.uniform(1, 9, size=n)
    return product.draw_distance_errors(true, {"ADC": true - 1, "SDC": true * 0.8})


def _dials(pairs: list[tuple[int, int]], value: float = 1.0) -> Figure:
    M, K = np.array(pairs).T
    values = value * np.linspace(0, 1, len(pairs))
    return product.draw_dials(M, K, {"distortion": 1 - values, "recall": values})


PLANE = Plane(np.array([[-0.8, 0.7], [0.1, 0.1], [0.8, -0.8], [0.7, 0.8]]), np.array([-0.4, 0.4]))
POINTS = RNG.uniform(-1, 1, size=(9, 2))


def _gallery(with_pictures: bool) -> Figure:
    right = np.array([[True, False, True], [False, False, False]])
    return retrieval.draw_gallery(
        [RNG.uniform(size=(8, 8)) if with_pictures else None] * 2,
        [[RNG.uniform(size=(8, 8)) if with_pictures else None] * 3] * 2,
        right,
        query_names=["cat", "dog"],
        neighbour_names=[["cat", "automobile", "cat"]] * 2,
    )


def _found_codes(k: int, M: int, right: bool) -> Figure:
    codes = np.full((k, M), 255, dtype=np.uint8)
    codes[::2] = 0
    return draw_found_codes(
        "automobile", np.full(M, 255, dtype=np.uint8), ["automobile"] * k, codes,
        np.full(k, right), colours={"automobile": "#0072B2"},
    )  # fmt: skip


def _history(n: int) -> list[dict[str, float]]:
    return [{"round": i, "loss": 1 / i, "relative_distortion": 0.1 / i} for i in range(1, n + 1)]


def compression(places: np.ndarray, k: int, chance: float) -> Figure:
    curves = {"one": ([2, 4], [0.0, 1.0]), "two": ([2], [0.5])}
    return neighbours.draw_compression(
        POINTS, Compressed(places, 4, "a label"), np.zeros(2), true=np.arange(k),
        found=np.full(len(POINTS), chance), curves=curves, now=(4, 1.0),
    )  # fmt: skip


def _found(right: bool, rows: int) -> Figure:
    images = RNG.uniform(size=(10, 64))
    row = images, np.full(10, right)
    return neighbours.draw_found_images(images[0], {f"row {i}": row for i in range(rows)})


def _kmeans(start: np.ndarray, now: int, **how: float) -> Figure:
    return clusters.draw_kmeans(POINTS, kmeans_steps(POINTS, start), now, **how)


def _turned(degrees: float, lost: float) -> Figure:
    curve = [0, 45, 90], [lost, 0.0, lost]
    return quantizers.draw_rotated_grid(POINTS, POINTS - lost, POINTS[:4], degrees, curve)


def _sums(M: int, size: float = 1.0) -> Figure:
    steps = size * RNG.normal(size=(M, 2))
    return quantizers.draw_sums(POINTS[0], {"one": steps, "two": -steps}, POINTS)


#: Of its own, so that the pictures above stay as they were.
CIRCLE = np.random.default_rng(7)


def recording(method: str, rounds: int, *, n_classes: int = 5, uphill: bool = False) -> Recording:
    """A made-up training: vectors and codewords anywhere on the circle."""

    def on_circle(n: int) -> np.ndarray:
        angles = CIRCLE.uniform(-np.pi, np.pi, size=n)
        return np.column_stack([np.cos(angles), np.sin(angles)])

    def frame(round_: int, turn: Turn) -> Frame:
        books = None if round_ == 0 or (round_, turn) == (1, "network") else on_circle(4)
        value = None if books is None else 0.5
        return Frame(
            round_, turn, on_circle(40), on_circle(5), books, used=None, g=None,
            uphill=np.full(40, uphill and books is not None), loss=1.0,
            relative_distortion=value, adc_map=value, exact_map=1.0,
        )  # fmt: skip

    two: tuple[Turn, Turn] = ("network", "codebooks")
    frames = [frame(0, "start"), *(frame(r, turn) for r in range(1, rounds + 1) for turn in two)]
    history = [
        {"round": r, "loss": 1 / r, "relative_distortion": 0.1 / r}
        | ({"uphill": 0.5} if r > 1 else {})
        for r in range(1, rounds + 1)
    ]
    return Recording(method, np.arange(40) % n_classes, tuple(frames), tuple(history))


RECORDINGS = [recording("none", 3), recording("penalty", 3, uphill=True), recording("ste", 3)]
DIGITS = tuple("0123456789")


def _turns(method: str, K: int, n_steps: int) -> Figure:
    plane = TurnsPlane(np.array(POSITIVES), random_starts(0, 20), n_codewords=K)
    course = plane.run(method, SnapOptions(strength=4.0, n_candidates=1), n_steps=n_steps)
    return draw_turns_plane({method: course, "again": course})


def _grid(n_codes: int, panels: int, n: int = 200) -> Figure:
    codes, labels = RNG.integers(n_codes, size=(n, 2)), RNG.integers(10, size=n)
    return draw_code_grid({f"panel {i}": (codes, labels) for i in range(panels)}, 4, DIGITS)


DRAWINGS: dict[str, Callable[[], Figure]] = {
    "turns, one codeword": lambda: _turns("penalty", 1, 0),
    "turns, many, collapsed": lambda: _turns("snap", 20, 100),
    "code grid, all in one": lambda: _grid(1, 1),
    "code grid, all over": lambda: _grid(4, 5),
    "code grid, nearly empty": lambda: _grid(4, 2, n=1),
    "seeds": lambda: draw_seeds(
        {"none": [0.5], "snap-pull": [0.9, 0.95], "x": [0.1]}, xlabel="mAP"
    ),
    "snap, far corner": lambda: draw_snap(
        PLANE, (-1.2, -1.2), n_candidates=4, form="replace", strength=0.0
    ),
    "snap, on the partner": lambda: draw_snap(
        PLANE, PLANE.partner, form="pull", strength=3.0, n_candidates=3
    ),
    "snap, on a codeword": lambda: draw_snap(
        PLANE, PLANE.codewords[1], n_candidates=1, form="replace", fallback="nearest", strength=1.0
    ),
    "snap, other corner": lambda: draw_snap(
        PLANE, (1.2, 1.2), form="look-ahead", step=2.0, strength=1.0, n_candidates=3
    ),
    "snap, one codeword": lambda: draw_snap(
        Plane(np.zeros((1, 2)), np.ones(2)), (0, 0), n_candidates=1
    ),
    "fields": lambda: draw_fields(
        PLANE, {"zero": 0 * POINTS, "up": -PLANE.gradient(POINTS)}, POINTS
    ),
    "paths": lambda: draw_paths(
        PLANE, {"pull": run_method(PLANE, POINTS, "snap", SnapOptions(), n_steps=0)}
    ),
    "gallery of pictures": lambda: _gallery(True),
    "gallery of names": lambda: _gallery(False),
    "found codes, ten right": lambda: _found_codes(10, 4, True),
    "found codes, three wrong": lambda: _found_codes(3, 2, False),
    "found codes, none": lambda: _found_codes(0, 1, True),
    "bars": lambda: retrieval.draw_map_bars({"one": {"ADC": 0.0, "SDC": 1.0}}),
    "history": lambda: retrieval.draw_history({"none": _history(1), "snap-pull": _history(9)}),
    "curves": lambda: retrieval.draw_pr_curves({"one": (np.ones(1), np.ones(1))}),
    "confusion": lambda: retrieval.draw_confusion(np.eye(3), ["a", "b", "c"]),
    "costs": lambda: product.draw_codebook_costs(
        range(8, 65, 8), {"one": [2.0**b for b in range(8, 65, 8)]}, {"images": 1000}
    ),
    "costs, one point, no limit": lambda: product.draw_codebook_costs([8], {"one": [256]}, {}),
    "one subvector": lambda: product.draw_subvectors(RNG.uniform(size=64), 1),
    "four subvectors": lambda: product.draw_subvectors(RNG.uniform(size=64), 4),
    "subvectors of one pixel": lambda: product.draw_subvectors(RNG.uniform(size=64), 64),
    "codebooks 1 x 2": lambda: product.draw_codebooks(codebooks(1, 2), width=8),
    "codebooks 4 x 16": lambda: product.draw_codebooks(codebooks(4, 16), width=8),
    "codebooks 16 x 2, half lines": lambda: product.draw_codebooks(codebooks(16, 2), width=8),
    "codebooks 2 x 256": lambda: product.draw_codebooks(codebooks(2, 256), width=8),
    "coding, one subvector": lambda: _coding(1, 2),
    "coding, eight subvectors": lambda: _coding(8, 256),
    "coding, sixteen subvectors": lambda: _coding(16, 4),
    "one image": lambda: product.draw_images({"pixels": RNG.uniform(size=(1, 64))}),
    "an image in a frame": lambda: product.draw_images(
        {"pixels": RNG.uniform(size=(2, 64))}, {"pixels": np.array([False, True])}
    ),
    "rows of unequal length": lambda: product.draw_images(
        {"many": RNG.uniform(size=(10, 64)), "few": RNG.uniform(size=(2, 64))}
    ),
    "table 1 x 2": lambda: _table(1, 2),
    "table 4 x 16": lambda: _table(4, 16),
    "table 16 x 256, no numbers": lambda: _table(16, 256),
    "table of zeros": lambda: _table(4, 16, scale=0.0),
    "one pair": lambda: _errors(1),
    "many pairs": lambda: _errors(800),
    "dials, one point": lambda: _dials([(1, 16)]),
    "dials, many": lambda: _dials([(M, K) for K in (16, 64, 256) for M in (1, 2, 4, 8)]),
    "dials, all zero": lambda: _dials([(1, 16), (2, 16)], value=0.0),
    "neighbours, one": lambda: neighbours.draw_neighbours(POINTS, np.zeros(2), np.array([3])),
    "neighbours, all, on a point": lambda: neighbours.draw_neighbours(
        POINTS, POINTS[0], np.arange(len(POINTS))
    ),
    "compression to one place": lambda: compression(np.zeros((9, 2)), 9, 0.5),
    "compression that loses nothing": lambda: compression(POINTS, 1, 1.0),
    "compression that finds nothing": lambda: compression(-POINTS, 2, 0.0),
    "legend of compression": lambda: neighbours.draw_compression_legend(),
    "found images, all right": lambda: _found(True, 1),
    "found images, all wrong": lambda: _found(False, 6),
    "costs, one": lambda: costs.draw_costs({"one": 0.001}, unit="MB"),
    "costs, two": lambda: costs.draw_costs({"a\nb": 3.0, "c": 1e9}, unit="MB", title="memory"),
    "ends, one": lambda: clusters.draw_ends([0.04]),
    "ends": lambda: clusters.draw_ends(RNG.uniform(0.1, 1, size=100).tolist()),
    "memory": lambda: neighbours.draw_memory(
        [1e4, 1e9], {"floats": 3072, "codes": 1}, {"a laptop": 4e9}
    ),
    "recall": lambda: neighbours.draw_recall({"one": ([2, 512], [0, 1]), "two": ([1], [1])}),
    "cells, nothing assigned": lambda: clusters.draw_cells({"start": (POINTS, POINTS[:3], None)}),
    "cells, three panels, a dead codeword": lambda: clusters.draw_cells(
        {name: (POINTS, POINTS[:3], np.zeros(9, dtype=int)) for name in "abc"}
    ),
    "k-means, the start": lambda: _kmeans(POINTS[:4], 0),
    "k-means, the end": lambda: _kmeans(POINTS[:4], 99, best=0.01, longest=30),
    "k-means, one codeword": lambda: _kmeans(POINTS[:1], 2),
    "k-means, one on each point": lambda: _kmeans(POINTS, 1),
    "k-means, two on one point": lambda: _kmeans(POINTS[[0, 0, 1]], 3, best=9.0),
    "k-means, more codewords than markers": lambda: _kmeans(RNG.uniform(-1, 1, size=(24, 2)), 1),
    "rate": lambda: clusters.draw_rate({"plane": (range(3), {"held out": [1, 0.5, 0.0]})}),
    "turned grid, not at all": lambda: _turned(0, 0.3),
    "turned grid, a right angle": lambda: _turned(90, 0.01),
    "turned grid that loses nothing": lambda: _turned(45, 0.0),
    "methods, one": lambda: quantizers.draw_methods({"one": (POINTS, POINTS, POINTS[:1])}),
    "methods, five": lambda: quantizers.draw_methods(
        dict.fromkeys("abcde", (POINTS, 0.5 * POINTS, POINTS))
    ),
    "subvectors of two numbers": lambda: quantizers.draw_subvector_clouds(
        {"PQ": (RNG.normal(size=(30, 2, 2)), codebooks(2, 8, 4))}
    ),
    "sum of one": lambda: _sums(1),
    "sum of six, more than looks": lambda: _sums(6),
    "sum of nothing": lambda: _sums(2, size=0.0),
    "candidates, lines and places": lambda: quantizers.draw_candidates(
        POINTS[0], {"PQ": (POINTS, POINTS[:3].T[:, :, None]), "RQ": (POINTS, POINTS[None])}
    ),
    "beam, one width": lambda: quantizers.draw_beam([1], {"fresh": [0.0]}),
    "beam": lambda: quantizers.draw_beam([1, 2, 4], {"a": [3, 2, 1], "b": [4, 3, 3]}),
    "gaps": lambda: quantizers.draw_gaps(
        {"4 x 16": {"PQ": (1.0, 1.0), "RQ": (0.1, 0.9)}, "8 x 16": {"PQ": (0.0, 0.0)}}
    ),
    "dials, more lines than looks": lambda: _dials([(2, 2**b) for b in range(1, 9)]),
    "turn, the start": lambda: turns.draw_turn(RECORDINGS, 0),
    "turn, no codewords yet": lambda: turns.draw_turn(RECORDINGS, 1),
    "turn, the last": lambda: turns.draw_turn(RECORDINGS, 6),
    "turn, one recording of one round": lambda: turns.draw_turn([recording("soft", 1)], 2),
    "turns, one circle": lambda: turns.draw_turns(RECORDINGS[:1], [0], DIGITS),
    "turns, many": lambda: turns.draw_turns(RECORDINGS, [0, 2, 4, 6], DIGITS, titles=list("abc")),
    "turns, ten classes": lambda: turns.draw_turns(
        [recording("snap-pull", 1, n_classes=10, uphill=True)], [1, 2], DIGITS
    ),
    "legend of turns": lambda: turns.draw_turn_legend(RECORDINGS, DIGITS),
    "renumbered, all at one place": lambda: turns.draw_renumbered(
        POINTS, np.zeros(9, dtype=int), {"one": np.array([[0.0, 1.0]]), "two": np.ones((8, 2))}
    ),
    "courses": lambda: turn_courses.draw_courses(RECORDINGS),
    "courses, one round": lambda: turn_courses.draw_courses([recording("none", 1)]),
    "stairs": lambda: turn_courses.draw_stairs([3, 2, 1], ["network", "codebooks"], ylabel="sum"),
    "stairs, the start only": lambda: turn_courses.draw_stairs([1], [], ylabel="sum"),
}
