"""What the study found: means and spreads over seeds, and paired differences with their intervals.

And what its searches on validation events tried, in words, and what came of each trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gsl_tutorial.course.printing import Table
from gsl_tutorial.course.study.grid import Settings
from gsl_tutorial.course.study.records import Record
from gsl_tutorial.course.study.report import Spread, difference_by_seed
from gsl_tutorial.course.text_table import text_table
from gsl_tutorial.course.two_tower.grid import OF_DATA, measures_codes
from gsl_tutorial.course.two_tower.study import TwoTowerResults, check_ties
from gsl_tutorial.errors import DataMissingError
from gsl_tutorial.evaluation.intervals import Interval

#: Figures of a table with their heads.
COLUMNS = {
    "recall@10": "R@10",
    "recall@50": "R@50",
    "recall@100": "R@100",
    "ndcg@10": "NDCG@10",
    "tail_recall@50": "tail R@50",
    "coverage@10": "coverage",
    "popularity@10": "popularity",
}


@dataclass(frozen=True)
class ArmRow:
    """One arm on one task: each figure with its spread over seeds.

    Attributes
    ----------
    arm : str
        A key of `ARMS`.
    seeds : tuple of int
        Those that are finished.
    figures : dict of str to Spread
        By name, over seeds.
    seconds : float
        Of training.
    against_uniform : Interval or None
        Recall@10 less that of uniform negatives, paired.
    history : tuple of list
        For each seed what was noted in each epoch.
    """

    arm: str
    seeds: tuple[int, ...]
    figures: dict[str, Spread]
    seconds: float
    against_uniform: Interval | None
    history: tuple[list[dict[str, Any]], ...]

    @property
    def verdict(self) -> str:
        """What the interval of the paired difference in Recall@10 allows to say."""
        interval = self.against_uniform
        if interval is None:
            return ""
        ends = f"[{interval.low:+.3f}, {interval.high:+.3f}]"
        return f"{interval.difference:+.3f} {ends}  {interval.verdict}"

    def written(self, key: str) -> str:
        """One figure, with its spread where there is one: a single seed has none."""
        figure = self.figures[key]
        if key == "popularity@10":
            return f"{figure.mean:.1f}"
        return f"{figure:.3f}" if len(self.seeds) > 1 else f"{figure.mean:.3f}"


def compare_arms(results: TwoTowerResults, part: str, task: str, **where: Any) -> list[ArmRow]:
    """A row for each arm of a part, in the order of the grid.

    Parameters
    ----------
    results : TwoTowerResults
        The records.
    part, task : str
        Which runs.
    **where
        Further values of the records.

    Returns
    -------
    list of ArmRow

    Raises
    ------
    DataMissingError
        Where no run is finished.
    """
    by_arm: dict[str, list[Record]] = {}
    for record in results.records(part, task=task, **where):
        by_arm.setdefault(record["arm"], []).append(record)
    if not by_arm:
        raise DataMissingError(
            f"finished runs of {task} in {results.path / part}",
            "none",
            f"gsl-tutorial two-tower study --part {part}",
        )
    order = [arm for arm in results.study.part(part).arms if arm in by_arm]
    return [_row(results, arm, by_arm, task) for arm in order]


def _row(results: TwoTowerResults, arm: str, by_arm: dict[str, list[Record]], task: str) -> ArmRow:
    records = sorted(by_arm[arm], key=lambda r: r["seed"])
    others = by_arm.get("uniform", []) if arm != "uniform" else []
    return ArmRow(
        arm,
        tuple(r["seed"] for r in records),
        {key: Spread.of([r["figures"][key] for r in records]) for key in COLUMNS},
        float(np.mean([r["train_seconds"] for r in records])),
        difference_by_seed(results, records, others, shared_queries=_shared(task)),
        tuple(r["history"] for r in records),
    )


def _shared(task: str) -> bool:
    """Whether all seeds have the same users: a simulator's seed draws others, people stay the same."""
    return task == "movielens"


def paired_difference(
    results: TwoTowerResults,
    task: str,
    a: tuple[Sequence[str], str],
    b: tuple[Sequence[str], str],
) -> Interval:
    """Recall@10 of `a` minus that of `b` with its interval, paired by seed.

    Parameters
    ----------
    results : TwoTowerResults
        The records.
    task : str
        Which runs.
    a, b : (parts, arm)
        Names of parts, and of the arm; a seed that several parts hold counts once.

    Returns
    -------
    Interval

    Raises
    ------
    DataMissingError
        Unless two seeds or more are finished on both sides.
    RunMismatchError
        Where the two sides had other rules for ties, and so other hidden events.
    """
    mine, theirs = (
        [r for part in parts for r in results.records(part, task=task, arm=arm)]
        for parts, arm in (a, b)
    )
    check_ties([*mine, *theirs], ", ".join(sorted({*a[0], *b[0]})))
    found = difference_by_seed(results, mine, theirs, shared_queries=_shared(task))
    if found is None:
        both = {r["seed"] for r in mine} & {r["seed"] for r in theirs}
        raise DataMissingError(
            f"two seeds or more of {a[1]} in {', '.join(a[0])} and of {b[1]} in {', '.join(b[0])}",
            f"{len(both)}",
            f"gsl-tutorial two-tower study --part {a[0][-1]}",
        )
    return found


def arms_as_table(rows: Sequence[ArmRow]) -> Table:
    """The table of a task, with what each arm's difference from uniform negatives allows to say.

    NDCG is left to `arms_as_text`: with it the table would be wider than a cell of a notebook.
    """
    shown = {column: title for column, title in COLUMNS.items() if column != "ndcg@10"}
    lines = [[row.arm, *map(row.written, shown), row.verdict] for row in rows]
    return Table(lines, head=["arm", *shown.values(), "R@10 against uniform, [95% interval]"])


def arms_as_text(rows: Sequence[ArmRow]) -> str:
    """The table of a task, aligned, and below it the differences: for a terminal."""
    lines = [[row.arm, *map(row.written, COLUMNS)] for row in rows]
    text = text_table(lines, head=["arm", *COLUMNS.values()])
    judged = [(row.arm, row.verdict) for row in rows if row.verdict]
    if judged:
        text += "\n\nRecall@10 against uniform, [95% interval]:\n" + text_table(judged)
    return text


def codes_as_text(records: Sequence[Record]) -> str:
    """Recall@10 of exact search and of each size of code, mean and spread over these records."""
    by_size = {"exact": [r["figures"]["recall@10"] for r in records]}
    for size in sorted({int(size) for r in records for size in r["codes"]}):
        of_size = [r["codes"][str(size)] for r in records if str(size) in r["codes"]]
        by_size[f"{size} bytes"] = [one["recall@10"] for one in of_size]
    said = {name: Spread.of(values) for name, values in by_size.items()}
    return "Recall@10: " + ", ".join(
        f"{name} {found:.3f}" if len(records) > 1 else f"{name} {found.mean:.3f}"
        for name, found in said.items()
    )


def code_table(results: TwoTowerResults, task: str) -> dict[str, dict[int, dict[str, Spread]]]:
    """Recall of each size of code.

    Parameters
    ----------
    results : TwoTowerResults
        The records.
    task : str
        Which runs.

    Returns
    -------
    dict
        method -> bytes -> figure with its spread; bytes 0 stands for exact search of "none".
    """
    table: dict[str, dict[int, dict[str, list[float]]]] = {}
    parts = [one.name for one in results.study.parts if one.on == "test" and task in one.tasks]
    coded = [name for name in parts if measures_codes(name)]
    for record in (one for name in coded for one in results.records(name, task=task)):
        sizes = {int(size): figures for size, figures in record["codes"].items()}
        if record["method"] == "none":
            sizes[0] = record["figures"]
        for size, figures in sizes.items():
            cell = table.setdefault(record["method"], {}).setdefault(size, {})
            for key in ("recall@10", "recall@100"):
                cell.setdefault(key, []).append(figures[key])
    return {
        method: {
            size: {key: Spread.of(values) for key, values in cell.items()}
            for size, cell in sorted(sizes.items())
        }
        for method, sizes in table.items()
    }


#: How a setting is said in a table or a picture.
_WORDS = {
    "n_cells": "{} cells",
    "hard_share": "{:.0%} hard",
    "temperature": "τ {:g}",
    "learning_rate": "rate {:g}",
    "warm_up": "warm-up {}",
}


@dataclass(frozen=True)
class Trial:
    """One setting of an arm.

    Attributes
    ----------
    part, arm : str
        Which runs.
    number : int
        That of the setting in the part.
    setting : str
        What it changes, in words.
    figures : dict of str to float
        On the validation events.
    """

    part: str
    number: int
    arm: str
    setting: str
    figures: dict[str, float]


def in_words(arm: str, variant: Settings) -> str:
    """What a variant changes against the base of the study.

    Parameters
    ----------
    arm : str
        A key of `ARMS`.
    variant : dict
        The settings that are changed.

    Returns
    -------
    str

    Examples
    --------
    >>> in_words("text", {"n_users": 4000, "n_cells": 30, "temperature": 0.05})
    'τ 0.05, 30 cells'
    >>> in_words("learned", {})
    'refreshed cells'
    """
    said = ["refreshed cells"] if arm == "learned" else []
    for key in ("temperature", "learning_rate", "hard_share", "n_cells", "warm_up"):
        if key in variant and key not in OF_DATA:
            said.append(_WORDS[key].format(variant[key]))
    return ", ".join(said) or "as chosen"


def search_trials(
    results: TwoTowerResults, parts: Sequence[str], task: str, arms: Sequence[str]
) -> list[Trial]:
    """The finished trials of these parts and arms, the highest Recall@10 first.

    Parameters
    ----------
    results : TwoTowerResults
        The records.
    parts, arms : sequence of str
        Which trials.
    task : str
        On which data.

    Returns
    -------
    list of Trial

    Raises
    ------
    DataMissingError
        While a trial is missing: the best of some is not the best of all.
    RunMismatchError
        Where the parts had other rules for ties.
    """
    found, tried = [], list[Record]()
    for name in parts:
        part = results.study.part(name)
        for arm in (one for one in part.arms if one in arms):
            for number, variant in enumerate(part.variants):
                records = results.records(name, task=task, arm=arm, number=number)
                if len(records) != len(part.seeds):
                    raise DataMissingError(
                        f"{len(part.seeds)} runs of {arm} with {in_words(arm, variant)} in {name}",
                        f"{len(records)}",
                        f"gsl-tutorial two-tower study --part {name}",
                    )
                tried += records
                keys = records[0]["figures"]
                means = {k: sum(r["figures"][k] for r in records) / len(records) for k in keys}
                found.append(Trial(name, number, arm, in_words(arm, variant), means))
    check_ties(tried, ", ".join(parts))
    return sorted(found, key=lambda one: -one.figures["recall@10"])
