"""What the study of the feedback loop found: series over the rounds, and differences paired by seed.

Arms with the same seed meet the same users and the same coins, so they are compared seed by seed. With five
seeds the interval of a mean difference is Student's, which is wide for so few, as it should be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from gsl_tutorial.course.datasets.movielens import find_movielens, load_movielens
from gsl_tutorial.course.printing import Table
from gsl_tutorial.course.study.records import Record
from gsl_tutorial.course.two_tower.items import ItemTexts, first_cells
from gsl_tutorial.course.two_tower.loop import LOOP_ARMS
from gsl_tutorial.course.two_tower.loop_study import LoopResults
from gsl_tutorial.errors import DataMissingError, InvalidInputError
from gsl_tutorial.evaluation.intervals import Interval
from gsl_tutorial.validation import check_name

#: Figures of a round with the words for them.
MEASURES = {
    "recall": "recall of the true best 20",
    "gini": "Gini of what is shown",
    "head": "share of the head",
    "coverage": "coverage of the catalogue",
    "distance": "logged against true popularity",
    "regret": "regret, clicks a round",
    "variety": "true cells in a list",
    "clicks": "clicks of a user",
}


@dataclass(frozen=True)
class Series:
    """One figure of one arm, round by round.

    Attributes
    ----------
    arm : str
        A key of `LOOP_ARMS`.
    values : (seeds, rounds) float array
        One row for each seed, seeds rising.
    seeds : tuple of int
        Which.
    """

    arm: str
    values: Float[np.ndarray, "seeds rounds"]
    seeds: tuple[int, ...]

    @property
    def mean(self) -> Float[np.ndarray, " rounds"]:
        """Of the seeds."""
        return np.asarray(self.values.mean(axis=0))

    @property
    def half_width(self) -> Float[np.ndarray, " rounds"]:
        """Half of the 95% interval of the mean; 0 with a single seed."""
        n = len(self.values)
        if n < 2:
            return np.zeros(self.values.shape[1])
        spread = self.values.std(axis=0, ddof=1) / np.sqrt(n)
        return np.asarray(stats.t.ppf(0.975, n - 1) * spread)


def series(
    results: LoopResults, measure: str, *, part: str = "core", number: int = 0
) -> dict[str, Series]:
    """A figure of every arm of a part, in the order of the grid.

    Parameters
    ----------
    results : LoopResults
        The records.
    measure : str
        A key of `MEASURES`.
    part : str
        Name of the part.
    number : int
        That of a variant in the part.

    Returns
    -------
    dict of str to Series
        By arm, those with finished runs.

    Raises
    ------
    DataMissingError
        If no run is finished.
    """
    check_name("measure", measure, MEASURES)
    found: dict[str, list[Record]] = {arm: [] for arm in results.study.part(part).arms}
    for record in results.records(part, number=number):
        if record["arm"] in found:
            found[record["arm"]].append(record)
    out = {}
    for arm, records in found.items():
        if records:
            records = sorted(records, key=lambda one: int(one["seed"]))
            values = np.array([[one[measure] for one in r["rounds"]] for r in records])
            out[arm] = Series(arm, values, tuple(int(r["seed"]) for r in records))
    if not out:
        raise DataMissingError(
            f"finished loops of part {part}",
            f"none in {results.path / part}",
            f"run it first: gsl-tutorial two-tower loop --part {part}",
        )
    return out


def difference(a: Series, b: Series, *, last: int = 1) -> Interval:
    """The mean of a less that of b over the last rounds, paired by seed.

    Parameters
    ----------
    a, b : Series
        Of the same figure.
    last : int
        Over how many rounds at the end.

    Returns
    -------
    Interval
        Student's, at 95%.

    Raises
    ------
    InvalidInputError
        With fewer than two seeds in common.
    """
    common = sorted(set(a.seeds) & set(b.seeds))
    if len(common) < 2:
        raise InvalidInputError(
            f"two seeds or more of {a.arm} and {b.arm}",
            f"{len(common)} in common",
            "run the study for more seeds",
        )
    ends = [
        np.array([one.values[one.seeds.index(seed), -last:].mean() for seed in common])
        for one in (a, b)
    ]
    return student_interval(ends[0] - ends[1])


def student_interval(gaps: Float[np.ndarray, " n"]) -> Interval:
    """The mean of a few paired differences, with Student's interval at 95%.

    Parameters
    ----------
    gaps : (n,) float array
        One difference for each seed, two or more.

    Returns
    -------
    Interval

    Raises
    ------
    InvalidInputError
        For fewer than two.

    Examples
    --------
    >>> print(student_interval(np.array([0.1, 0.2, 0.3])))
    +0.2000 [-0.0484, +0.4484]
    """
    gaps = np.asarray(gaps, dtype=np.float64)
    if gaps.ndim != 1 or len(gaps) < 2:
        raise InvalidInputError("two differences or more", f"{gaps.size}", "run more seeds")
    mean = float(gaps.mean())
    half = float(stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps)))
    return Interval(mean, mean - half, mean + half)


def loop_as_text(results: LoopResults, part: str = "core") -> str:
    """A table of a part: each arm in the first and in the last round, the mean of the seeds.

    Parameters
    ----------
    results : LoopResults
        The records.
    part : str
        Name of the part.

    Returns
    -------
    str
    """
    blocks = []
    for number, variant in enumerate(results.study.part(part).variants):
        if not results.records(part, number=number):
            continue
        by_measure = {one: series(results, one, part=part, number=number) for one in MEASURES}
        words = ", ".join(f"{k} {v}" for k, v in variant.items())
        blocks.append((f"{words}\n" if words else "") + str(_table(by_measure)))
    return "\n\n".join(blocks)


def loop_as_table(results: LoopResults, part: str = "core") -> Table:
    """The first and the last round of every arm, for a notebook.

    Parameters
    ----------
    results : LoopResults
        The records.
    part : str
        Name of a part without variants.

    Returns
    -------
    Table
        A row for each arm.
    """
    return _table({one: series(results, one, part=part) for one in MEASURES})


def _table(by_measure: Mapping[str, Mapping[str, Series]]) -> Table:
    shown = ("recall", "gini", "head", "coverage", "distance", "regret", "variety")
    rows = []
    for arm in by_measure["recall"]:
        row = [arm]
        for measure in shown:
            mean = by_measure[measure][arm].mean
            row.append(f"{mean[0]:.2f} → {mean[-1]:.2f}")
        rows.append([*row, str(len(by_measure["recall"][arm].seeds))])
    return Table(rows, head=["arm", *shown, "seeds"])


def arm_in_words(arm: str) -> str:
    """What an arm does, for captions.

    Parameters
    ----------
    arm : str
        A key of `LOOP_ARMS`.

    Returns
    -------
    str
    """
    return LOOP_ARMS[check_name("arm", arm, LOOP_ARMS)].says


def film_cells(results: LoopResults, texts: ItemTexts) -> dict[int, int]:
    """The true cell of each film of the study's world, by its id of MovieLens.

    Parameters
    ----------
    results : LoopResults
        Whose world.
    texts : ItemTexts
        All films.

    Returns
    -------
    dict of int to int
    """
    rows, _, cells = first_cells(texts, results.study.world["n_true_cells"])
    return dict(zip(texts.ids[rows].tolist(), cells["simulator"].tolist(), strict=True))


def titles_at_hand() -> dict[int, str]:
    """The titles of the films by their ids, where MovieLens is on this machine; else nothing.

    Returns
    -------
    dict of int to str
    """
    if find_movielens() is None:
        return {}
    films = load_movielens()
    return dict(zip(films.movie_ids.tolist(), films.titles, strict=True))
