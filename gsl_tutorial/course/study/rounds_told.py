"""What goes on inside a training: how cells mix, sort and settle from round to round, method by method.

The end of a run says who won. Its history says more: which share of the training images changed its cell,
which share lies in a cell where its own class is the most frequent one (the *purity*), and for which share
the gradient pointed uphill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gsl_tutorial.course.study.grid import Part
from gsl_tutorial.course.study.map_report import entries
from gsl_tutorial.course.study.running import StudyResults

#: Which rounds are told: few cells and methods, because a reader compares them by eye.
CELLS, METHODS = ("2x4", "4x4", "2x16"), ("none", "penalty", "ste", "snap-pull")
#: measure -> what it is the share of.
MEASURES = {
    "moved": "images that changed their cell",
    "purity": "images whose cell is mostly of their class",
    "uphill": "images with a gradient that points uphill",
}

#: cell -> method -> measure -> the mean over the seeds, one value for each round.
Rounds = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]


def gather_rounds(results: StudyResults, part: Part) -> dict[str, Any]:
    """The mean history of each method in each cell that is told.

    Parameters
    ----------
    results : StudyResults
        Records whose histories hold `MEASURES`.
    part : Part
        The part of the grid whose runs are read.

    Returns
    -------
    dict
        As `Rounds`. Before the first joint round nothing can have moved: the first round is left out.
        Cells and methods that have not run are missing.
    """
    found: dict[str, Any] = {}
    for entry in entries(results, part):
        histories = [record["history"][1:] for record in entry.records]
        if entry.cell not in CELLS or entry.method not in METHODS or not histories:
            continue
        found.setdefault(entry.cell, {})[entry.method] = {
            measure: [
                float(f"{value:.3g}")
                for value in np.mean([[r[measure] for r in one] for one in histories], axis=0)
            ]
            for measure in MEASURES
        }
    return found


def parse_rounds(found: Mapping[str, Any]) -> Rounds:
    """Make numbers of what the file holds.

    Parameters
    ----------
    found : mapping
        As `gather_rounds` makes it.

    Returns
    -------
    Rounds

    Raises
    ------
    KeyError
        A measure is missing.
    ValueError
        A share is none, or the measures of a method differ in their number of rounds.
    """
    told = {
        cell: {
            method: {measure: tuple(map(float, one[measure])) for measure in MEASURES}
            for method, one in by_method.items()
        }
        for cell, by_method in found.items()
    }
    for cell, by_method in told.items():
        for method, one in by_method.items():
            if len({len(values) for values in one.values()}) > 1:
                raise ValueError(f"{cell}, {method}: measures of different numbers of rounds")
            for measure, values in one.items():
                if not all(0 <= value <= 1 for value in values):
                    raise ValueError(f"{cell}, {method}: {measure} {values} is no share")
    return told
