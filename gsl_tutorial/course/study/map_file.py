"""The map in one small file, `data/map.json`: what chapter 07, its widget and the README's picture read.

Intervals are drawn from the figures of every query of every seed, which takes minutes; a reader has
seconds. So `gather` does that once from the records of the studies "map", "map-digits", "map-classes" and
"circle", and of those in `elsewhere`, as far as they have come, and `read_map` gives what it found back as
objects. Nothing in the file is not in the records: `gsl-tutorial map` makes it again, and a test compares.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.study import law
from gsl_tutorial.course.study.elsewhere import (
    COMMAND,
    Elsewhere,
    as_interval,
    gather_elsewhere,
    parse_elsewhere,
)
from gsl_tutorial.course.study.grid import Part, load_study
from gsl_tutorial.course.study.map_report import as_json, cell_of, sizes
from gsl_tutorial.course.study.rounds_told import Rounds, gather_rounds, parse_rounds
from gsl_tutorial.course.study.running import StudyResults
from gsl_tutorial.errors import DataMissingError, InvalidInputError
from gsl_tutorial.evaluation.intervals import Interval
from gsl_tutorial.storage import read_json, write_json

#: Where the file lies that is shipped.
FILE = DATA / "map.json"
#: Studies of the law, and whom snapping is compared with.
LAWS, RIVALS = ("map-digits", "map-classes"), ("penalty", "none", "ste")


@dataclass(frozen=True)
class Finding:
    """What is known of a method in a cell.

    Attributes
    ----------
    method : str
        One of the study's methods.
    setting : str
        What its best trial was tuned to, such as "strength 3".
    tried : tuple of (str, float)
        Every trial and its ADC mAP on validation images.
    at_end : bool
        Whether the best trial stands at an end of what was tried.
    seeds : tuple of int
        Finished test runs; empty while there are trials only.
    adc_map : tuple of float
        Of each of these seeds, on test images.
    exact_map, relative_distortion : float or None
        Means over the seeds.
    against : dict of str to Interval
        By rival the ADC mAP less that of the rival, with the corrected interval.
    """

    method: str
    setting: str = ""
    tried: tuple[tuple[str, float], ...] = ()
    at_end: bool = False
    seeds: tuple[int, ...] = ()
    adc_map: tuple[float, ...] = ()
    exact_map: float | None = None
    relative_distortion: float | None = None
    against: Mapping[str, Interval] = field(default_factory=dict)

    @property
    def mean(self) -> float | None:
        """The mean ADC mAP over seeds on test images; None without a test run."""
        return sum(self.adc_map) / len(self.adc_map) if self.adc_map else None

    @property
    def trial(self) -> float | None:
        """The ADC mAP of the best trial on validation images; None without a trial."""
        return max((score for _, score in self.tried), default=None)


@dataclass(frozen=True)
class Cell:
    """A place of the map: M subspaces of K codewords.

    Attributes
    ----------
    name : str
        "MxK".
    M, K, bits : int
        Subspaces, codewords in each, and bits of a code.
    findings : dict of str to Finding
        By method.
    """

    name: str
    M: int
    K: int
    bits: int
    findings: Mapping[str, Finding]

    @property
    def state(self) -> str:
        """How far the study has come here: "tested", "tuned" or "not yet run"."""
        if any(one.adc_map for one in self.findings.values()):
            return "tested"
        return "tuned" if self.findings else "not yet run"

    def gain(self, method: str = "snap-pull", rival: str = "penalty") -> Interval | None:
        """ADC mAP of one method less that of another, where two seeds or more have run both.

        Parameters
        ----------
        method, rival : str
            The difference is that of the first less the second.

        Returns
        -------
        Interval or None
        """
        found = self.findings.get(method)
        return found.against.get(rival) if found else None


@dataclass(frozen=True)
class Swept:
    """One strength of a method in a cell.

    Attributes
    ----------
    strength : float
        Lambda.
    adc_map, relative_distortion : tuple of float
        One value for each seed.
    """

    strength: float
    adc_map: tuple[float, ...]
    relative_distortion: tuple[float, ...]


@dataclass(frozen=True)
class MethodTable:
    """All that the file says.

    Attributes
    ----------
    cells : tuple of Cell
        In the order of the study.
    methods : tuple of str
        In the order of the study.
    level : float
        How often one interval or more of a family may miss.
    comparisons : int
        How many intervals a family has: each allows for so many.
    sweep : dict of str to dict of str to tuple of Swept
        Cell -> method -> by rising strength.
    sweep_trials : tuple of str
        Cells of the sweep that show trials (one seed), because their own runs are not done.
    gains : dict of str to dict of str to tuple of Gain
        Study of the law -> rival -> the gain of snapping over it.
    elsewhere : dict of str to dict of str to dict of str to Interval
        Topic -> place -> rival, under other conditions; see `elsewhere.TOPICS`.
    circle : dict of str to Finding
        By method, on the circle of chapter 07.
    rounds : dict of str to dict of str to dict of str to tuple of float
        Cell -> method -> measure -> its mean in each round; see `rounds_told.MEASURES`.
    """

    cells: tuple[Cell, ...]
    methods: tuple[str, ...]
    level: float
    comparisons: int
    sweep: Mapping[str, Mapping[str, tuple[Swept, ...]]]
    sweep_trials: tuple[str, ...]
    gains: Mapping[str, Mapping[str, tuple[law.Gain, ...]]]
    elsewhere: Elsewhere
    circle: Mapping[str, Finding]
    rounds: Rounds

    def cell(self, name: str) -> Cell:
        """The cell of that name.

        Raises
        ------
        InvalidInputError
            The map has no such cell.
        """
        for one in self.cells:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.cells)
        raise InvalidInputError(f"a cell out of {known}", repr(name), "choose one of them")


# ---- from records to the file ----


def gather(root: str | Path) -> dict[str, Any]:
    """Everything that the file holds, from the records.

    Parameters
    ----------
    root : path
        The folder of results, such as data/results.

    Returns
    -------
    dict
        As `write_map` writes it. Parts that have not run are empty.
    """
    results = StudyResults(load_study("map"), root)
    told = as_json(results)
    test = told["parts"].get("test", {})
    sweep, trials = _sweep(results)
    circle = StudyResults(load_study("circle"), root)
    return {
        "made by": COMMAND,
        "level": told["level"],
        "comparisons": test.get("comparisons", len(told["cells"])),
        "methods": list(results.study.tune.methods),
        "cells": [
            {"cell": name, **size, "methods": _methods(told, test, name)}
            for name, size in told["cells"].items()
        ],
        "sweep trials": trials,
        "sweep": sweep,
        "gains": {name: _gains(root, name) for name in LAWS},
        "elsewhere": gather_elsewhere(root),
        "circle": _circle(as_json(circle)),
        "rounds": gather_rounds(results, results.study.parts[0]),
    }


def _methods(told: dict[str, Any], test: dict[str, Any], cell: str) -> dict[str, Any]:
    """Trials and test runs of a cell, by method."""
    found: dict[str, Any] = {}
    for method, ladder in told["tuned"].get(cell, {}).items():
        found[method] = _trials(ladder)
    for method, row in test.get("cells", {}).get(f"pq {cell}", {}).items():
        found.setdefault(method, {})
        found[method] |= {k: row[k] for k in ("seeds", "adc_map", "exact_map")}
        found[method]["relative_distortion"] = row["relative_distortion"]
        against = {
            other: places[f"pq {cell}"]
            for pair, places in test.get("differences", {}).items()
            for one, other in [pair.split(" - ")]
            if one == method and f"pq {cell}" in places
        }
        found[method]["against"] = against
    return found


def _trials(ladder: dict[str, Any]) -> dict[str, Any]:
    return {
        "setting": _setting(ladder["best"]),
        "at_end": ladder["at_end"],
        "tried": [[_setting(settings), score] for settings, score in ladder["tried"]],
    }


def _setting(settings: Mapping[str, Any]) -> str:
    """Settings in words: "strength 3"."""
    numbers = {k: v for k, v in settings.items() if not isinstance(v, str)}
    words = {"rate": "learning rate x"}
    return ", ".join(f"{words.get(k, k)} {v:g}" for k, v in numbers.items())


def _sweep(results: StudyResults) -> tuple[dict[str, Any], list[str]]:
    """Strengths by cell, and which cells show trials that vary the strength.

    Those are the cells where a run of the part "strength" is missing: half a cell, with more seeds at one
    strength than at another, would bend the curve.
    """
    part = next(part for part in results.study.parts if part.name == "strength")
    missing = {run.cell for run in results.planned(part.name) if not results.has(run)}
    points: dict[str, dict[str, dict[float, list[tuple[float, float]]]]] = {}
    for record in (*results.records("tune"), *results.records(part.name)):
        cell, method = cell_of(record), record["method"]
        is_shown = (record["part"] == "tune") == (cell in missing)
        if is_shown and cell in part.cells and method in part.methods:
            by_strength = points.setdefault(cell, {}).setdefault(method, {})
            pair = record["adc_map"], record.get("relative_distortion", math.nan)
            strength = record["config"]["options"]["strength"]
            by_strength.setdefault(strength, []).append(pair)
    shown = [cell for cell in part.cells if cell in points]
    return {
        cell: {
            method: [
                [strength, *([_round(v) for v in each] for each in zip(*pairs, strict=True))]
                for strength, pairs in sorted(by_strength.items())
            ]
            for method, by_strength in points[cell].items()
        }
        for cell in shown
    }, [cell for cell in shown if cell in missing]


def _gains(root: str | Path, name: str) -> dict[str, Any]:
    """The gain of snap (pull) over each rival, in every cell and for every number of classes."""
    results = StudyResults(load_study(name), root)
    part: Part = results.study.parts[0]
    found = {}
    for rival in RIVALS:
        try:
            rows = law.gains(results, part, "snap-pull", rival)
        except DataMissingError:
            continue
        found[rival] = [[g.cell, g.classes, [_round(v) for v in g.by_seed]] for g in rows]
    return found


def _circle(told: dict[str, Any]) -> dict[str, Any]:
    """Every method on the circle; plain training at the others' learning rate, and at its tuned one."""
    found: dict[str, Any] = {}
    for ladders in told["tuned"].values():
        found |= {method: _trials(ladder) for method, ladder in ladders.items()}
    parts: dict[str, Any] = {
        part: next(iter(found_in["cells"].values()), {}) for part, found_in in told["parts"].items()
    }
    for method, row in parts.get("test", {}).items():
        found.setdefault(method, {}).update({k: row[k] for k in ("seeds", "adc_map")})
    if same := parts.get("same-rate", {}).get("none"):
        tuned = found.pop("none")
        found[f"none ({tuned['setting']})"] = tuned
        found["none"] = {k: same[k] for k in ("seeds", "adc_map")}
    return found


def _round(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


def write_map(found: dict[str, Any], path: Path = FILE) -> None:
    """Write what `gather` found.

    Parameters
    ----------
    found : dict
        All of it.
    path : Path
        Where to.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    write_json(path, found, indent=None)


# ---- from the file to objects ----


def read_map(path: str | Path = FILE) -> MethodTable:
    """Read the file.

    Parameters
    ----------
    path : path
        The shipped one by default.

    Returns
    -------
    MethodTable

    Raises
    ------
    DataMissingError
        There is no such file.
    InvalidInputError
        It is no map.
    """
    if not Path(path).exists():
        raise DataMissingError(f"the map in {Path(path).name}", "no such file", f"run {COMMAND}")
    return parse_map(read_json(Path(path)))


def parse_map(found: Any) -> MethodTable:
    """Make the objects of what the file holds.

    Parameters
    ----------
    found : dict
        As `gather` makes it.

    Returns
    -------
    MethodTable

    Raises
    ------
    InvalidInputError
        Something is missing, or cannot be.
    """
    try:
        return _parse(found)
    except InvalidInputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InvalidInputError(
            "a map as `gsl-tutorial map` writes it",
            f"{type(error).__name__}: {error}",
            f"make it again: {COMMAND}",
        ) from error


def _parse(found: dict[str, Any]) -> MethodTable:
    return MethodTable(
        cells=tuple(_cell(row) for row in found["cells"]),
        methods=tuple(found["methods"]),
        level=float(found["level"]),
        comparisons=int(found["comparisons"]),
        sweep={
            cell: {
                method: tuple(Swept(float(s), _figures(a), _figures(d)) for s, a, d in rows)
                for method, rows in by_method.items()
            }
            for cell, by_method in found["sweep"].items()
        },
        sweep_trials=tuple(map(str, found["sweep trials"])),
        gains={
            study: {
                rival: tuple(law.Gain(cell, int(n), tuple(values)) for cell, n, values in rows)
                for rival, rows in by_rival.items()
            }
            for study, by_rival in found["gains"].items()
        },
        elsewhere=parse_elsewhere(found["elsewhere"]),
        circle={method: _finding(method, row) for method, row in found["circle"].items()},
        rounds=parse_rounds(found["rounds"]),
    )


def _cell(row: dict[str, Any]) -> Cell:
    name = row["cell"]
    if sizes(name) != (row["M"], row["K"], row["bits"]):
        raise InvalidInputError(
            f"M, K and bits {sizes(name)} of cell {name}: bits = M log2 K",
            f"{(row['M'], row['K'], row['bits'])}",
            f"make the map again: {COMMAND}",
        )
    findings = {method: _finding(method, one) for method, one in row["methods"].items()}
    return Cell(name, *sizes(name), findings)


def _finding(method: str, row: dict[str, Any]) -> Finding:
    seeds, values = tuple(row.get("seeds", ())), _figures(row.get("adc_map", ()))
    if len(seeds) != len(values) or not all(0 <= value <= 1 for value in values):
        raise InvalidInputError(
            f"an ADC mAP from 0 to 1 for each seed of {method}",
            f"{len(seeds)} seeds and {list(values)}",
            f"make the map again: {COMMAND}",
        )
    return Finding(
        method,
        str(row.get("setting", "")),
        tuple((str(words), float(score)) for words, score in row.get("tried", ())),
        bool(row.get("at_end", False)),
        seeds,
        values,
        row.get("exact_map"),
        row.get("relative_distortion"),
        {rival: as_interval(values) for rival, values in row.get("against", {}).items()},
    )


def _figures(values: Any) -> tuple[float, ...]:
    return tuple(math.nan if value is None else float(value) for value in values)
