"""Train the runs of one cell once more and hold each against its record.

On another machine kernels, and so the order of sums, differ, and a training amplifies that; in a coarse
cell a run then differs as much as one of another seed. So a figure must come back within three times the
spread over the seeds of its own method and cell, where there are three of them, else within `TOLERANCE`.
On the machine and the versions that made the record it comes back exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gsl_tutorial.course.results.reproduce import Comparison
from gsl_tutorial.course.study.grid import StudyRun
from gsl_tutorial.course.study.map_report import cell_of
from gsl_tutorial.course.study.records import Record
from gsl_tutorial.course.study.running import Bench, StudyResults, execute
from gsl_tutorial.course.training.config import TrainingConfig
from gsl_tutorial.errors import DataMissingError

#: Three times .02, the spread over seeds that the coarsest cell of the first probes showed.
TOLERANCE = 0.06


def repeat_cell(
    results: StudyResults,
    part: str,
    cell: str,
    *,
    seed: int | None = None,
    on_run: Callable[[StudyRun, int, int], None] = lambda run, i, n: None,
) -> Iterator[tuple[str, Comparison]]:
    """Train and measure each run of a cell again, and compare its ADC mAP with the recorded one.

    Parameters
    ----------
    results : StudyResults
        The records.
    part, cell : str
        Which records: every method, every variant.
    seed : int, optional
        Of the runs to repeat; the lowest one on record by default.
    on_run : callable(run, i, n)
        Called before each run with the run, its number from 1 on, and how many there are.

    Yields
    ------
    name : str
        Of the run.
    comparison : Comparison
        The recorded ADC mAP beside the new one.

    Raises
    ------
    DataMissingError
        Where the part has no record of the cell and seed.
    """
    records = [r for r in results.records(part) if cell_of(r) == cell]
    if seed is None and records:
        seed = min(r["seed"] for r in records)
    chosen = [r for r in records if r["seed"] == seed]
    if not chosen:
        raise DataMissingError(
            f"records of cell {cell} in {results.path / part}",
            f"none with seed {seed}" if records else "none",
            f"gsl-tutorial study {results.study.name} --part {part}, or another cell",
        )
    bench = Bench(results.study)
    for number, record in enumerate(chosen):
        config = TrainingConfig.from_dict(record["config"])
        run = StudyRun(part, config, record["variant"], cell, record.get("classes", 0))
        on_run(run, number + 1, len(chosen))
        again, _ = execute(run, results.study, bench)
        spread = _tolerance([r for r in records if _kind(r) == _kind(record)])
        yield run.name, Comparison("adc_map", record["adc_map"], again["adc_map"], spread)


def _kind(record: Record) -> tuple[object, ...]:
    names = ("protocol", "loss", "method", "quantizer")
    asked = (record["config"][name] for name in names)
    return (*asked, record["variant"], record.get("classes", 0))


def _tolerance(records: list[Record]) -> float:
    values = [r["adc_map"] for r in records]
    return 3 * float(np.std(values, ddof=1)) if len(values) > 2 else TOLERANCE
