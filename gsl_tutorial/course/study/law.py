"""Is there a law behind the map? The gain of a method against codewords and classes, with its fit.

The guess under test: snapping gains over the penalty as the codewords become fewer than what must be told
apart. "Fewer" can be read in two ways, by codebook (K against the classes) or by code (K^M of them), and
the number of subspaces may matter by itself, so all three stand beside each gain. A rank correlation asks
whether the gain grows at all, with an interval from whole cells drawn with replacement; bins show its
shape, which a straight line would hide: where even the best code cannot name the classes, nothing gains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from gsl_tutorial.course.study.grid import Part
from gsl_tutorial.course.study.map_report import cell_of, sizes
from gsl_tutorial.course.study.records import Record
from gsl_tutorial.course.study.running import StudyResults
from gsl_tutorial.errors import DataMissingError
from gsl_tutorial.evaluation.intervals import Interval


@dataclass(frozen=True)
class Gain:
    """ADC mAP of one method less that of another, in one cell and for one number of classes.

    Attributes
    ----------
    cell : str
        "MxK".
    classes : int
        How many classes.
    by_seed : tuple of float
        The gain with each seed.
    """

    cell: str
    classes: int
    by_seed: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return float(np.mean(self.by_seed))

    @property
    def words_per_class(self) -> float:
        """log2 of the codewords of one codebook for each class: below 0 they are fewer."""
        return math.log2(sizes(self.cell)[1] / self.classes)

    @property
    def codes_per_class(self) -> float:
        """log2 of the codes, K^M, for each class."""
        return sizes(self.cell)[2] - math.log2(self.classes)


def gains(results: StudyResults, part: Part, method: str, other: str) -> list[Gain]:
    """The gain in every cell and for every number of classes in which both have finished seeds.

    Parameters
    ----------
    results : StudyResults
        The records.
    part : Part
        Whose runs.
    method, other : str
        The gain is that of the first over the second.

    Returns
    -------
    list of Gain

    Raises
    ------
    DataMissingError
        Where there is none.
    """
    by_place: dict[tuple[str, int, str], dict[int, float]] = {}
    for record in results.records(part.name):
        place = cell_of(record), _classes(record), record["method"]
        by_place.setdefault(place, {})[record["seed"]] = record["adc_map"]
    found = []
    for cell in part.cells:
        for classes in sorted(part.classes):
            one, two = (by_place.get((cell, classes or 10, m), {}) for m in (method, other))
            if seeds := sorted(set(one) & set(two)):
                found.append(Gain(cell, classes or 10, tuple(one[s] - two[s] for s in seeds)))
    if not found:
        raise DataMissingError(
            f"finished runs of {method} and {other} in {results.path / part.name}",
            "none",
            f"gsl-tutorial study {results.study.name} --part {part.name}",
        )
    return found


def _classes(record: Record) -> int:
    return int(record.get("classes", 10))


def rank_correlation(found: list[Gain], what: str, *, random_state: int = 0) -> Interval:
    """Spearman's rank correlation of the mean gain with a property of `Gain`.

    Parameters
    ----------
    found : list of Gain
        From `gains`.
    what : str
        "words_per_class" or "codes_per_class".
    random_state : int
        Where the randomness of the interval comes from.

    Returns
    -------
    Interval
        The correlation, from -1 to 1, and its 95% interval.

    Notes
    -----
    Whole cells are drawn with replacement, because the classes of one cell are not independent.
    """
    rng = np.random.default_rng(random_state)
    cells = sorted({gain.cell for gain in found})
    by_cell = {cell: [g for g in found if g.cell == cell] for cell in cells}

    def correlation(drawn: list[Gain]) -> float:
        x, y = [getattr(g, what) for g in drawn], [g.mean for g in drawn]
        return float(spearmanr(x, y).statistic) if len(set(x)) > 1 and len(set(y)) > 1 else 0.0

    resampled = [
        correlation([g for cell in rng.choice(cells, len(cells)) for g in by_cell[str(cell)]])
        for _ in range(1_000)
    ]
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Interval(correlation(found), float(low), float(high))


def bins(found: list[Gain], what: str) -> list[tuple[int, int, float, float]]:
    """The gains by whole steps of a property.

    Parameters
    ----------
    found : list of Gain
        From `gains`.
    what : str
        "words_per_class" or "codes_per_class".

    Returns
    -------
    list of tuple
        For each step: the step, the number of gains, the mean gain, the largest gain.
    """
    by_step: dict[int, list[float]] = {}
    for gain in found:
        by_step.setdefault(math.floor(getattr(gain, what)), []).append(gain.mean)
    return [
        (step, len(values), float(np.mean(values)), max(values))
        for step, values in sorted(by_step.items())
    ]


def as_text(results: StudyResults, part: Part, method: str, other: str) -> str:
    """The gains as a table of cells and classes, then how they go with codewords and codes.

    Parameters
    ----------
    results, part, method, other
        See `gains`.

    Returns
    -------
    str

    Raises
    ------
    DataMissingError
        See `gains`.
    """
    found = gains(results, part, method, other)
    classes = sorted({gain.classes for gain in found})
    table = {(gain.cell, gain.classes): gain for gain in found}
    lines = [
        f"{method} - {other}, mean ADC mAP of {max(len(g.by_seed) for g in found)} seeds at most"
    ]
    lines.append("   cell" + "".join(f"{n:>8}" for n in classes) + "   classes")
    for cell in part.cells:
        row = [table.get((cell, n)) for n in classes]
        if any(row):
            lines.append(
                f"{cell:>7}" + "".join(f"{g.mean:+8.3f}" if g else "       ." for g in row)
            )
    for M in sorted({sizes(gain.cell)[0] for gain in found}):
        some = [gain for gain in found if sizes(gain.cell)[0] == M]
        for what in ("words_per_class", "codes_per_class"):
            text = "  ".join(f"{step:+d}: {mean:+.3f}" for step, _, mean, _ in bins(some, what))
            line = f"M = {M}, mean gain by log2 {what.replace('_', ' ')}: {text}"
            if len({gain.cell for gain in some}) > 2:
                line += f"   rank correlation {rank_correlation(some, what)}"
            lines.append(line)
    return "\n".join(lines)
