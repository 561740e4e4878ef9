"""What the study found: means and spreads over seeds, and paired differences with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gsl_tutorial.course.text_table import text_table
from gsl_tutorial.course.two_tower.grid import measures_codes
from gsl_tutorial.course.two_tower.study import Record, TwoTowerResults
from gsl_tutorial.errors import DataMissingError
from gsl_tutorial.evaluation.intervals import Interval, clustered_bootstrap

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
    """One arm on one task: each figure as (mean, sample standard deviation) over seeds."""

    arm: str
    seeds: tuple[int, ...]
    figures: dict[str, tuple[float, float]]
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
        mean, spread = self.figures[key]
        if key == "popularity@10":
            return f"{mean:.1f}"
        return f"{mean:.3f} ± {spread:.3f}" if len(self.seeds) > 1 else f"{mean:.3f}"


def compare_arms(results: TwoTowerResults, part: str, task: str, **where: Any) -> list[ArmRow]:
    """A row for each arm of a part, in the order of the grid. where: further values of the records.

    Raises `DataMissingError` where no run is finished.
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
    interval = None
    theirs = {r["seed"]: r for r in by_arm.get("uniform", [])}
    pairs = [(r, theirs[r["seed"]]) for r in records if r["seed"] in theirs]
    if arm != "uniform" and len(pairs) > 1:
        interval = _interval(results, pairs, task)
    return ArmRow(
        arm,
        tuple(r["seed"] for r in records),
        {key: mean_and_spread([r["figures"][key] for r in records]) for key in COLUMNS},
        float(np.mean([r["train_seconds"] for r in records])),
        interval,
        tuple(r["history"] for r in records),
    )


def paired_difference(
    results: TwoTowerResults,
    task: str,
    a: tuple[Sequence[str], str],
    b: tuple[Sequence[str], str],
) -> Interval:
    """Recall@10 of a minus b with its interval, paired by seed. a, b: (parts, arm), where a seed that
    several parts hold counts once.

    Raises `DataMissingError` unless two seeds or more are finished on both sides.
    """
    mine, theirs = (
        {r["seed"]: r for part in parts for r in results.records(part, task=task, arm=arm)}
        for parts, arm in (a, b)
    )
    both = sorted(set(mine) & set(theirs))
    if len(both) < 2:
        raise DataMissingError(
            f"two seeds or more of {a[1]} in {', '.join(a[0])} and of {b[1]} in {', '.join(b[0])}",
            f"{len(both)}",
            f"gsl-tutorial two-tower study --part {a[0][-1]}",
        )
    return _interval(results, [(mine[seed], theirs[seed]) for seed in both], task)


def _interval(
    results: TwoTowerResults, pairs: Sequence[tuple[Record, Record]], task: str
) -> Interval:
    a, b = (np.stack([results.per_user(r) for r in side]) for side in zip(*pairs, strict=True))
    # A simulator's seed draws other users; people stay the same.
    return clustered_bootstrap(a, b, shared_queries=task == "movielens", random_state=0)


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation; a single value has spread 0."""
    array = np.asarray(values, dtype=np.float64)
    return float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else 0.0


def arms_as_text(rows: Sequence[ArmRow]) -> str:
    """The table of a task, aligned, and below it the differences: narrow enough for a notebook."""
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
    said = {name: mean_and_spread(values) for name, values in by_size.items()}
    return "Recall@10: " + ", ".join(
        f"{name} {mean:.3f}" + (f" ± {spread:.3f}" if len(records) > 1 else "")
        for name, (mean, spread) in said.items()
    )


def code_table(
    results: TwoTowerResults, task: str
) -> dict[str, dict[int, dict[str, tuple[float, float]]]]:
    """method -> bytes -> figure -> (mean, spread); bytes 0 stands for exact search of "none"."""
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
            size: {key: mean_and_spread(values) for key, values in cell.items()}
            for size, cell in sorted(sizes.items())
        }
        for method, sizes in table.items()
    }
