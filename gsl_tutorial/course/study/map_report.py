"""The map: what a study of cells found, cell by cell and method by method, at equal bits.

Two methods are compared in a cell by the paired differences of their seeds (`clustered_bootstrap`: the
seeds are the clusters). Many cells make many chances to be lucky, so an interval is that of a Bonferroni
correction: with the level 5% for one pair of methods in all cells of the part together, each cell has the
level 5% divided by their number, also while some are not finished. Different pairs of methods are families
of their own, and the report says so.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gsl_tutorial.course.study.grid import Key, Part, Settings
from gsl_tutorial.course.study.records import Record
from gsl_tutorial.course.study.report import Spread
from gsl_tutorial.course.study.running import StudyResults
from gsl_tutorial.evaluation.intervals import Interval, clustered_bootstrap

#: Share of families in which an interval may miss the true difference.
LEVEL = 0.05
#: What a record says of the cells after the last round.
_LAST = ("purity", "pure_cells", "codeword_purity", "moved", "codeword_moved")


@dataclass(frozen=True)
class Ladder:
    """The trials of one method in one cell.

    Attributes
    ----------
    key : tuple of str
        What they are trials for.
    tried : tuple of (dict, float)
        Settings, and mean ADC mAP over the seeds of the tuning stage, in rising order of what
        varies.
    whole : bool
        Whether no trial is missing.
    """

    key: Key
    tried: tuple[tuple[Settings, float], ...]
    whole: bool

    @property
    def best(self) -> tuple[Settings, float]:
        """The settings of the best trial, and its ADC mAP."""
        return max(self.tried, key=lambda rung: rung[1])

    @property
    def at_end(self) -> bool:
        """Whether the best trial has no neighbour on one side."""
        return self.best in (self.tried[0], self.tried[-1])


@dataclass(frozen=True)
class Entry:
    """A method in a cell of a part, one value for each finished seed, by rising seed.

    Attributes
    ----------
    cell, method : str
        Which.
    seeds : tuple of int
        Those that are finished.
    figures : dict of str to tuple of float
        By name, one value for each seed.
    records : tuple of dict
        One for each seed.
    """

    cell: str
    method: str
    seeds: tuple[int, ...]
    figures: dict[str, tuple[float, ...]]
    records: tuple[Record, ...]

    def spread(self, name: str) -> Spread:
        """Mean and sample standard deviation over seeds of a figure.

        Parameters
        ----------
        name : str
            A key of `figures`, such as "adc_map".

        Returns
        -------
        Spread
            A single seed has deviation 0.
        """
        values = np.asarray(self.figures[name])
        return Spread(float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0)


def sizes(cell: str) -> tuple[int, int, int]:
    """M, K and bits of a cell.

    Parameters
    ----------
    cell : str
        "MxK".

    Returns
    -------
    tuple of int
        M, K and bits.

    Examples
    --------
    >>> sizes("4x16")
    (4, 16, 16)
    """
    M, K = map(int, cell.split("x"))
    return M, K, int(M * math.log2(K))


def cell_of(record: Record) -> str:
    """The cell "MxK" of a record."""
    config = record["config"]
    each = int(math.log2(config["n_codewords"]))
    return f"{config['bits'] // each}x{config['n_codewords']}"


def equal_bits(cells: Iterable[str]) -> dict[int, list[str]]:
    """Cells by their bits, those with more codewords first; only where there are two or more.

    Parameters
    ----------
    cells : iterable of str
        Each "MxK".

    Returns
    -------
    dict of int to list of str
        By rising number of bits.

    Examples
    --------
    >>> equal_bits(["2x4", "1x16", "2x8"])
    {4: ['1x16', '2x4']}
    """
    by_bits: dict[int, list[str]] = {}
    for cell in sorted(cells, key=lambda c: -sizes(c)[1]):
        by_bits.setdefault(sizes(cell)[2], []).append(cell)
    return {bits: found for bits, found in sorted(by_bits.items()) if len(found) > 1}


def ladders(results: StudyResults) -> list[Ladder]:
    """What was tried for each method in each cell; methods without a finished trial are left out.

    Parameters
    ----------
    results : StudyResults
        The records.

    Returns
    -------
    list of Ladder
    """
    study, more = results.study, results.more()
    scores: dict[Key, dict[int, list[float]]] = {}
    missing: set[Key] = set()
    for run in study.tuning(more):
        key = study.key(run.config.loss, run.config.method, run.cell, run.classes)
        score = results.trial(run)
        if score is None:
            missing.add(key)
        else:
            scores.setdefault(key, {}).setdefault(run.variant, []).append(score)
    found = []
    for key, by_variant in scores.items():
        declared = study.trials[key[0]][key[1]]
        rows = [*declared, *more.get(key, ())]
        missing |= {key} if len(rows) < len(declared) + study.more_trials else set()
        tried = [(rows[v], float(np.mean(values))) for v, values in by_variant.items()]
        tried.sort(key=lambda rung: tuple(v for v in rung[0].values() if not isinstance(v, str)))
        found.append(Ladder(key, tuple(tried), key not in missing))
    return found


def entries(
    results: StudyResults, part: Part, *, variant: int = 0, classes: int = 0
) -> list[Entry]:
    """The finished runs of a part, cell by cell and method by method as the part names them.

    Parameters
    ----------
    results : StudyResults
        The records.
    part : Part
        Whose runs.
    variant : int
        Number of the variant.
    classes : int
        How many of the classes; 0 for all of them.

    Returns
    -------
    list of Entry
    """
    by_place: dict[tuple[str, str, str], list[Record]] = {}
    for record in results.records(part.name):
        if (record["variant"], record.get("classes", 0)) == (variant, classes):
            place = record["quantizer"], cell_of(record), record["method"]
            by_place.setdefault(place, []).append(record)
    return [
        _entry(cell, method, by_place[quantizer, cell, method])
        for quantizer in part.quantizers
        for cell in part.cells
        for method in part.methods
        if (quantizer, cell, method) in by_place
    ]


def _entry(cell: str, method: str, records: Sequence[Record]) -> Entry:
    records = sorted(records, key=lambda r: r["seed"])
    figures = {
        name: tuple(float(r.get(name, 0.0)) for r in records)
        for name in ("adc_map", "exact_map", "argmax_map", "relative_distortion", "train_seconds")
    }
    for name in _LAST:
        figures[name] = tuple(r["history"][-1].get(name, math.nan) for r in map(_with, records))
    for name in ("cosine", "uphill"):
        figures[name] = tuple(
            float(np.mean([h[name] for h in r["history"] if name in h] or [math.nan]))
            for r in map(_with, records)
        )
    return Entry(cell, method, tuple(r["seed"] for r in records), figures, tuple(records))


def _with(record: Record) -> Record:
    return record if "history" in record else {**record, "history": [{}]}  # it diverged


def difference(
    results: StudyResults, one: Entry, other: Entry, *, comparisons: int
) -> Interval | None:
    """ADC mAP of `one` less that of `other`, with an interval.

    Parameters
    ----------
    results : StudyResults
        The records.
    one, other : Entry
        Paired by seed.
    comparisons : int
        For how many comparisons the interval is corrected.

    Returns
    -------
    Interval or None
        None with fewer than two seeds in common.
    """
    shared = sorted(set(one.seeds) & set(other.seeds))
    if len(shared) < 2:
        return None
    a, b = (
        np.stack([results.per_query(r) for r in entry.records if r["seed"] in shared])
        for entry in (one, other)
    )
    return clustered_bootstrap(
        a,
        b,
        # Where every seed draws its own queries, its mean carries their luck already.
        shared_queries=results.study.split_seed is not None,
        random_state=0,
        confidence=1 - LEVEL / comparisons,
    )


def differences(
    results: StudyResults, part: Part, method: str, other: str
) -> dict[tuple[str, str], Interval]:
    """`method` against `other` in every cell, corrected for the cells that the part declares.

    Parameters
    ----------
    results : StudyResults
        The records.
    part : Part
        Whose runs.
    method, other : str
        The difference is that of the first less the second.

    Returns
    -------
    dict
        By (quantizer, cell) the `Interval`, where there is one.
    """
    by_place = {(e.records[0]["quantizer"], e.cell, e.method): e for e in entries(results, part)}
    count = len(part.cells) * len(part.quantizers)
    found = {}
    for quantizer in part.quantizers:
        for cell in part.cells:
            pair = [by_place.get((quantizer, cell, name)) for name in (method, other)]
            if pair[0] is None or pair[1] is None:
                continue
            interval = difference(results, pair[0], pair[1], comparisons=count)
            if interval is not None:
                found[quantizer, cell] = interval
    return found


def as_json(results: StudyResults) -> dict[str, Any]:
    """All that a picture of the map needs, in a few tens of kilobytes.

    ADC mAP of every seed, means of the other figures, the trials, and the intervals of each method
    against "none", "penalty", "ste" and "snap-pull" with the number of comparisons they allow for.
    """
    study = results.study
    tuned: dict[str, Any] = {}
    for ladder in ladders(results):
        tuned.setdefault("/".join(ladder.key[2:]), {})[ladder.key[1]] = {
            "tried": [[_short(settings), round(score, 4)] for settings, score in ladder.tried],
            "best": _short(ladder.best[0]),
            "at_end": ladder.at_end,
            "whole": ladder.whole,
        }
    parts: dict[str, Any] = {}
    for part in study.parts:
        found: dict[str, Any] = {}
        for classes, number in itertools.product(part.classes, range(len(part.variants))):
            for entry in entries(results, part, variant=number, classes=classes):
                words = [entry.records[0]["quantizer"], entry.cell]
                words += [f"{classes} classes"] if classes else []
                place = found.setdefault(" ".join(words), {})
                row = {
                    "seeds": list(entry.seeds),
                    "adc_map": [round(v, 4) for v in entry.figures["adc_map"]],
                    **{
                        name: _number(entry.spread(name).mean)
                        for name in entry.figures
                        if name != "adc_map"
                    },
                    "options": _short(entry.records[0]["config"]["options"]),
                }
                if len(part.variants) > 1:
                    place.setdefault(entry.method, []).append(row)
                else:
                    place[entry.method] = row
        if found:
            parts[part.name] = {"cells": found}
        if found and len(part.variants) == 1 and part.classes == (0,):
            parts[part.name]["comparisons"] = len(part.cells) * len(part.quantizers)
            parts[part.name]["differences"] = {
                f"{method} - {other}": {
                    " ".join(place): [_number(v) for v in interval]
                    for place, interval in differences(results, part, method, other).items()
                }
                for other in ("none", "penalty", "ste", "snap-pull")
                for method in part.methods
                if method != other and other in part.methods
            }
    cells = study.tune.cells
    return {
        "study": study.name,
        "level": LEVEL,
        "cells": {cell: dict(zip(("M", "K", "bits"), sizes(cell), strict=True)) for cell in cells},
        "equal_bits": equal_bits(cells),
        "tuned": tuned,
        "parts": parts,
        "commits": sorted(
            {r.get("commit", "") for p in ("tune", *parts) for r in results.records(p)}
        ),
    }


def _short(settings: Settings) -> Settings:
    return {k: _number(v) if isinstance(v, float) else v for k, v in settings.items()}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.4g}")


def as_text(results: StudyResults) -> str:
    """The state of the study: what is tuned and how, then each part, then the differences."""
    study = results.study
    lines = [f"{study.name}: trials (ADC mAP on validation images); * the best stands at an end"]
    for ladder in ladders(results):
        score = ladder.best[1]
        state = "" if ladder.whole else f"   {len(ladder.tried)} trials so far"
        lines.append(
            f"  {' '.join(ladder.key[2:]):>18} {ladder.key[1]:15} {score:.3f} "
            f"{'*' if ladder.at_end else ' '} "
            + "  ".join(f"{_knobs(s)}:{v:.3f}" for s, v in ladder.tried)
            + state
        )
    for part in study.parts:
        # Numbers of classes are the matter of `law`.
        if part.classes != (0,) or not results.records(part.name):
            continue
        lines += ["", *_part_lines(results, part)]
    return "\n".join(lines)


def _knobs(settings: Settings) -> str:
    numbers = [f"{v:g}" for v in settings.values() if not isinstance(v, str)]
    return numbers[-1] if "length" in settings else numbers[0]


def _part_lines(results: StudyResults, part: Part) -> list[str]:
    count = len(part.cells) * len(part.quantizers)
    lines = [f"{part.name} ({', '.join(part.protocols)}): mean and spread over seeds"]
    for number, variant in enumerate(part.variants):
        for entry in entries(results, part, variant=number):
            lines.append(
                f"  {entry.records[0]['quantizer']} {entry.cell:>5} {entry.method:15} "
                f"{_knobs(variant) if variant else '':>6} "
                f"ADC mAP {entry.spread('adc_map'):.3f}  exact {entry.spread('exact_map').mean:.3f}  "
                f"rel. distortion {entry.spread('relative_distortion').mean:.3f}  "
                f"purity {entry.spread('purity').mean:.2f}  moved {entry.spread('moved').mean:.2f}  "
                f"uphill {entry.spread('uphill').mean:.0%}  ({len(entry.seeds)} seeds)"
            )
    if len(part.variants) > 1:
        return lines
    for other in ("none", "penalty", "ste"):
        for method in part.methods:
            if method == other or other not in part.methods:
                continue
            found = differences(results, part, method, other)
            if found:
                lines.append(
                    f"  {method} - {other}, 95% in all {count} together: "
                    + "  ".join(
                        f"{' '.join(place)} {interval}{'!' if interval.excludes_zero else ''}"
                        for place, interval in found.items()
                    )
                )
    return lines
