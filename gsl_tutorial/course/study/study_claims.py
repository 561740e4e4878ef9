"""The claims that the studies' records make in the text: each sentence with what stands behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gsl_tutorial.course.results.claims import Claim, in_words
from gsl_tutorial.course.study.map_file import MethodTable
from gsl_tutorial.course.study.map_words import (
    answers,
    circle_says,
    said,
    size_of,
    sweep_says,
)
from gsl_tutorial.course.study.report import Row
from gsl_tutorial.course.training.method_names import named

_MAP_CHECK = "a test: it makes data/map.json again from the records and compares"
_CELL = re.compile(r"\b\d+ × \d+\b")


def map_claims(table: MethodTable) -> list[Claim]:
    """The sentences of `when_it_matters`, each with its records.

    Parameters
    ----------
    table : MethodTable
        The map.

    Returns
    -------
    list of Claim
    """
    each = 100 * (1 - table.level / table.comparisons)
    check = "this cell, whose text is compared whenever the notebooks are tested; and " + _MAP_CHECK
    claims = []
    for one in answers(table):
        cells = [table.cell(name) for name in one.cells]
        tested = [cell for cell in cells if cell.state == "tested"]
        part, start = ("test", "P2") if tested else ("tune", "validation")
        seeds = {seed for cell in tested for seed in cell.findings["snap-pull"].seeds}
        interval = "none: these are means over the seeds" if tested else "none before the test runs"
        if one.gains:
            listed = "; ".join(f"{place}: {said(gain)}" for place, gain in one.gains.items())
            together = f"95% for all {table.comparisons} cells together"
            interval = f"{one.of}, {each:.1f}% each, so {together}. {listed}"
        claims.append(
            Claim(
                one.sentence,
                tuple(
                    f"data/results/map/{part}/{start}_*_pq{cell.name}_seed*.json"
                    for cell in tested or cells
                    if cell.findings
                ),
                f"{in_words(seeds)} for each method"
                if tested
                else "one seed, on validation images",
                interval,
                check,
            )
        )
    return claims


def circle_claims(table: MethodTable) -> list[Claim]:
    """The sentences of `circle_says`, each with its records.

    Parameters
    ----------
    table : MethodTable
        The map.

    Returns
    -------
    list of Claim
    """
    parts = ("test", "same-rate")
    records = tuple(f"data/results/circle/{part}/digits_*_seed*_classes5.json" for part in parts)
    seeds = {seed for one in table.circle.values() for seed in one.seeds}
    why = "none is drawn: look at the dots of the picture, one for each seed"
    return [
        Claim(sentence, records, f"{in_words(seeds)} for each method", why, _MAP_CHECK)
        for sentence in circle_says(table)
    ]


def sweep_claims(table: MethodTable) -> list[Claim]:
    """The sentences of `sweep_says`, each with its records.

    Parameters
    ----------
    table : MethodTable
        The map.

    Returns
    -------
    list of Claim
    """
    claims = []
    for sentence in sweep_says(table):
        sizes = _CELL.findall(sentence) or [size_of(name) for name in table.sweep]
        names = [size.replace(" × ", "x") for size in sizes]
        parts = {name: "tune" if name in table.sweep_trials else "strength" for name in names}
        records = tuple(
            f"data/results/map/{parts[name]}/validation_*_{method}_pq{name}_seed*.json"
            for name in names
            for method in ("penalty", "snap-pull")
        )
        most = max(
            (
                len(p.adc_map)
                for name in names
                for of in table.sweep.get(name, {}).values()
                for p in of
            ),
            default=0,
        )
        why = "none: one seed" if most < 2 else "none is drawn: look at the dots of the picture"
        claims.append(
            Claim(sentence, records, f"{most} for each strength, on validation images", why,
                  _MAP_CHECK)
        )  # fmt: skip
    return claims


def setting_claim(
    says: str,
    study: str,
    part: str,
    setting: Sequence[str | int],
    rows: Sequence[Row],
    *,
    compared: bool = False,
) -> Claim:
    """The claim of one setting of a study: its methods against plain training.

    Parameters
    ----------
    says : str
        The sentence.
    study, part : str
        Where the records lie.
    setting : sequence of str and int
        Protocol, loss, quantizer, and bits.
    rows : sequence of Row
        From `compare`.
    compared : bool
        Whether the sentence stands in a cell whose text the tests of the notebooks compare.

    Returns
    -------
    Claim
    """
    protocol, loss, quantizer, bits = setting
    check = "this cell, which makes the sentence from the records whenever it runs"
    if compared:
        check += "; its text is compared whenever the notebooks are tested"
    methods = rows[0].method if len(rows) == 1 else "*"
    differences = "; ".join(
        f"{named(row.method)} {said(row.against_none)}"
        for row in rows
        if row.against_none is not None
    )
    return Claim(
        says,
        (f"data/results/{study}/{part}/{protocol}_{loss}_{methods}_{quantizer}{bits}_seed*.json",),
        f"{in_words({seed for row in rows for seed in row.seeds})} for each method",
        f"95%, paired over seeds and queries, ADC mAP less that of plain training: {differences}",
        check,
    )
