"""Chapter 07's map: every method in every cell, and a bet before the interval answers.

All numbers and sentences are made here, from `course.study.map_file`; the page (`method_map*.js`) shows
them, and lives on without a kernel. The map opens in a cell where snapping does badly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import traitlets as T
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.method_map import draw_method_map
from gsl_tutorial.course.plots.study import LOOKS
from gsl_tutorial.course.plots.style import BLACK
from gsl_tutorial.course.study.map_file import Cell, Finding, MethodTable
from gsl_tutorial.course.study.map_report import equal_bits
from gsl_tutorial.course.study.map_words import (
    answer,
    best_of,
    in_a_sentence,
    opening,
    said,
    size_of,
    verdict,
    when_it_matters,
)
from gsl_tutorial.course.training.method_names import named
from gsl_tutorial.course.widgets.page import PageWidget, entry, script, style, to_json
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_name, describe

SCRIPT = script(
    "page_choice", "method_map_marks", "method_map_grid", "method_map_panel", "method_map"
)
STYLE = style("explorer", "method_map")
#: Whom a method is compared with, and what can be bet.
RIVALS, GUESSES = ("penalty", "none", "ste", "snap-pull"), ("wins", "ties", "loses")
_BET = re.compile(r"(\d+x\d+)=(\w+)")


@dataclass(frozen=True)
class Reading:
    """What the map says about the chosen method in the chosen cell.

    Attributes
    ----------
    cell, method : str
        Which.
    sentence : str
        Mean, seeds, setting, exact search and distortion.
    mean : str
        ADC mAP, three digits; empty where nothing has run.
    against : dict of str to str
        By rival the difference with its interval.
    answer : str
        Whether snap (pull) beats the penalty in this cell.
    """

    cell: str
    method: str
    sentence: str
    mean: str
    against: dict[str, str]
    answer: str


class MethodMap(PageWidget):
    """The cells of the study as tiles, the methods of one cell beside them, and a bet.

    Parameters
    ----------
    table : MethodTable
        The map, from `read_map`.
    cell : str, optional
        The chosen cell; by default one where snapping does badly.
    method, rival : str
        Who is compared with whom on the tiles.
    bets : str
        Bets that are placed already, such as "2x4=wins 4x16=ties".
    whole : bool
        Whether every cell answers at once, without a bet.
    alt : str
        What the picture shows, for those who do not see it; made from the numbers by default.

    Raises
    ------
    InvalidInputError
        The input of the constructor is faulty. Set later, the same fault is a message in the
        widget's own area, over the last good picture.

    Examples
    --------
    >>> from gsl_tutorial.course.study.map_file import read_map
    >>> the_map = MethodMap(read_map(), cell="2x4", bets="2x4=wins")
    >>> the_map.read_out().cell
    '2x4'
    """

    kind, render = "map", "renderMethodMap"
    script, style = SCRIPT, STYLE
    told = ("found", "cell", "method", "rival", "bets", "whole")
    unlinked = ("found",)
    _esm, _css = entry(SCRIPT, "renderMethodMap"), STYLE

    found = T.Any().tag(sync=True, to_json=to_json)
    cell, method = T.Unicode().tag(sync=True), T.Unicode().tag(sync=True)
    rival, bets = T.Unicode().tag(sync=True), T.Unicode().tag(sync=True)
    whole = T.Bool(False).tag(sync=True)

    def __init__(
        self,
        table: MethodTable,
        *,
        cell: str | None = None,
        method: str = "snap-pull",
        rival: str = "penalty",
        bets: str = "",
        whole: bool = False,
        alt: str = "",
    ) -> None:
        if not isinstance(table, MethodTable) or not table.cells:
            raise InvalidInputError(
                "a map with one cell or more", describe(table), "pass read_map()"
            )
        self._alt, self.table = alt, table
        super().__init__(
            found=page_of(table),
            cell=table.cell(opening(table).name if cell is None else cell).name,
            method=check_name("method", method, table.methods),
            rival=check_name("rival", rival, RIVALS),
            bets=bets,
            whole=bool(whole),
        )
        self.check()

    def read_out(self) -> Reading:
        """What the page says about the chosen method in the chosen cell, from Python's own numbers."""
        self.check()
        cell = self.table.cell(self.cell)
        finding = cell.findings.get(self.method, Finding(self.method))
        return Reading(
            self.cell,
            self.method,
            sentence(cell, finding),
            _number(_value(cell, finding)),
            {rival: said(gain) for rival, gain in finding.against.items() if rival in RIVALS},
            answer(cell),
        )

    def still(self) -> Figure:
        """The whole map, drawn by matplotlib."""
        return draw_method_map(self.table, self.method, self.rival)

    def described(self) -> str:
        """What the map shows and how it is read; what it says, once the reader has asked for all of it."""
        shown = (
            f"A map of {len(self.table.cells)} cells: subspaces (M) downwards, codewords (K) to the right, "
            "dashed lines between cells of equal bits. A cell holds the difference in ADC mAP between "
            f"{in_a_sentence(self.method)} and {in_a_sentence(self.rival)} with its interval, and a mark: "
            "▲ where the interval lies above zero, ≈ where it contains zero, ▼ where it lies below."
        )
        if self.whole or all(cell.gain() is None for cell in self.table.cells):
            return " ".join([shown, *when_it_matters(self.table)])
        return f"{shown} Bet first: the numbers of a cell come after your bet."

    def check(self) -> None:
        """Check what was set later.

        Raises
        ------
        InvalidInputError
            Some of it is faulty.
        """
        cells = self.found.get("cells") if isinstance(self.found, dict) else None
        if not isinstance(cells, list) or not cells:
            raise InvalidInputError(
                "a map with one cell or more", describe(self.found), "pass read_map()"
            )
        self.table.cell(self.cell)
        check_name("method", self.method, self.table.methods)
        check_name("rival", self.rival, RIVALS)
        for word in self.bets.split():
            bet = _BET.fullmatch(word)
            if bet is None or bet[2] not in GUESSES:
                raise InvalidInputError(
                    f"bets like 2x4=wins, with {', '.join(GUESSES)}", repr(word), "mend the bets"
                )
            self.table.cell(bet[1])


def page_of(table: MethodTable) -> dict[str, Any]:
    """The map as the page reads it: every text that it shows, and numbers for what it draws."""
    linked = equal_bits(cell.name for cell in table.cells)
    return {
        "methods": [
            {"key": method, "name": named(method), "mark": LOOKS[method][1],
             "colour": LOOKS[method][0].replace(BLACK, "var(--ink)")}  # dark paper, too
            for method in table.methods
        ],
        "rivals": [{"key": rival, "name": named(rival)} for rival in RIVALS],
        "note": (
            f"Each interval allows for {table.comparisons} comparisons (Bonferroni): for one pair of "
            f"methods, the chance that any of them misses is at most {table.level:.0%}. They are paired, "
            "and drawn from seeds and queries."
        ),
        "cells": [
            {
                "name": cell.name,
                "label": size_of(cell.name),
                "M": cell.M,
                "K": cell.K,
                "bits": cell.bits,
                "state": cell.state,
                "hint": _hint(cell),
                "answer": answer(cell),
                "verdict": verdict(cell.gain()),
                "beside": _beside(table, cell, linked.get(cell.bits, [])),
                "rows": [_row(cell, cell.findings[m]) for m in table.methods if m in cell.findings],
            }
            for cell in table.cells
        ],
    }  # fmt: skip


def _row(cell: Cell, finding: Finding) -> dict[str, Any]:
    return {
        "method": finding.method,
        "mean": _number(_value(cell, finding)),
        "value": _value(cell, finding),
        "seeds": list(finding.adc_map),
        "sentence": sentence(cell, finding),
        "against": [
            {"rival": rival, "low": gain.low, "high": gain.high, "difference": gain.difference,
             "short": f"{gain.difference:+.3f}", "text": said(gain), "verdict": verdict(gain)}
            for rival in RIVALS if (gain := finding.against.get(rival)) is not None
        ],
    }  # fmt: skip


def _value(cell: Cell, finding: Finding) -> float | None:
    """The ADC mAP to show: of test images, or, as long as the whole cell is untested, of its best trial."""
    return finding.trial if cell.state == "tuned" else finding.mean


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def sentence(cell: Cell, finding: Finding) -> str:
    """All numbers of a method in a cell, in words.

    Parameters
    ----------
    cell : Cell
        Where.
    finding : Finding
        Of the method.

    Returns
    -------
    str
    """
    head = f"{named(finding.method)} at {size_of(cell.name)}"
    if finding.trial is None and finding.mean is None:
        return f"{head}: not yet run."
    tuned = f"tuned to {finding.setting}, the best of {len(finding.tried)} trials"
    if finding.at_end:
        tuned += " (it stands at an end of what was tried)"
    if finding.mean is None:
        told = f"{head}: ADC mAP {finding.trial:.3f} on validation images with one seed, {tuned}. "
        return told + (
            "It was left at that: no test images, no interval."
            if cell.state == "tested"
            else "Its test runs are still to come, so it has no interval."
        )
    low, high = min(finding.adc_map), max(finding.adc_map)
    text = (
        f"{head}: ADC mAP {finding.mean:.3f}, the mean of {len(finding.seeds)} seeds ({low:.3f} to "
        f"{high:.3f}), {tuned}."
    )
    if finding.exact_map is not None:
        text += f" Exact search on the same embeddings: {finding.exact_map:.3f}."
    if finding.relative_distortion is not None:
        text += f" Relative distortion: {finding.relative_distortion:.3f}."
    return text


def _hint(cell: Cell) -> str:
    """What the reader knows before the bet: what coding costs here when nothing is done about it."""
    plain = cell.findings.get("none")
    if plain is None or (plain.mean is None and plain.trial is None):
        return "Nothing has been run in this cell yet."
    if plain.mean is None or plain.exact_map is None:
        return f"Plain training reaches an ADC mAP of {plain.trial:.3f} here (validation images, one seed)."
    return (
        f"Plain training reaches an ADC mAP of {plain.mean:.3f} through these codes; exact search on the "
        f"same embeddings reaches {plain.exact_map:.3f}."
    )


def _beside(table: MethodTable, cell: Cell, names: list[str]) -> list[dict[str, str]]:
    """The other cells of equal bits, with the best that they reach."""
    found = []
    for name in names:
        if name != cell.name:
            best = best_of(table.cell(name))
            text = f"{best.mean:.3f} with {named(best.method)}" if best else "not yet tested"
            found.append({"name": name, "label": size_of(name), "text": text})
    return found
