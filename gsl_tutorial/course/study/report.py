"""What a study found: means with their spread, paired differences, and verdicts in words.

Methods are compared seed by seed and query by query (`evaluation.intervals`): both saw the same training
images, the same queries and the same database. A gain is claimed only where the interval of the difference
lies on one side of zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.printing import Table
from gsl_tutorial.course.study.records import Record, Records
from gsl_tutorial.course.study.running import StudyResults
from gsl_tutorial.course.text_table import text_table
from gsl_tutorial.course.training.method_names import named
from gsl_tutorial.course.training.methods import MethodOptions
from gsl_tutorial.errors import DataMissingError
from gsl_tutorial.evaluation.intervals import Interval, clustered_bootstrap

#: A setting in which methods are compared.
SETTING = ("protocol", "loss", "quantizer", "bits")


class Spread(NamedTuple):
    """Mean and sample standard deviation over seeds.

    Attributes
    ----------
    mean : float
        Of the values.
    deviation : float
        Of the values, in the same unit.
    """

    mean: float
    deviation: float

    def __format__(self, spec: str) -> str:
        return f"{self.mean:{spec}} ± {self.deviation:{spec}}"

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Mean and deviation of some values; a single one has deviation 0."""
        array = np.asarray(values, dtype=np.float64)
        return cls(float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else 0.0)


@dataclass(frozen=True)
class Row:
    """One method in one setting, over all its seeds; differences are paired, of ADC mAP.

    Attributes
    ----------
    method : str
        Its name in the study.
    seeds : tuple of int
        Those that are finished.
    adc_map, exact_map, argmax_map, relative_distortion : Spread
        As in `RetrievalResult`.
    perplexity : Spread
        How many codewords are in use, the mean over codebooks.
    cosine, uphill : Spread
        See `bias`; means over the rounds.
    seconds : Spread
        Of training.
    against_none, against_penalty : Interval or None
        ADC mAP less that of plain training, and of the penalty.
    options : dict
        The settings that were chosen for the method.
    """

    method: str
    seeds: tuple[int, ...]
    adc_map: Spread
    exact_map: Spread
    argmax_map: Spread
    relative_distortion: Spread
    perplexity: Spread
    cosine: Spread
    uphill: Spread
    seconds: Spread
    against_none: Interval | None
    against_penalty: Interval | None
    options: dict[str, Any]

    @property
    def verdict(self) -> str:
        """In words: what the intervals allow to say, and no more."""
        words = [
            f"{_word(interval)} {name} ({interval.difference:+.3f})"
            for name, interval in (
                ("plain training", self.against_none),
                ("the penalty", self.against_penalty),
            )
            if interval is not None
        ]
        return "; ".join(words)


def _word(interval: Interval) -> str:
    return interval.verdict + (" than" if interval.excludes_zero else " from")


def settings(results: StudyResults, part: str) -> list[tuple[Any, ...]]:
    """The settings of a part that have finished runs.

    Parameters
    ----------
    results : StudyResults
        The records.
    part : str
        Name of the part.

    Returns
    -------
    list of tuple
        Each (protocol, loss, quantizer, bits).
    """
    found = {tuple(r[key] for key in SETTING) for r in results.records(part)}
    return sorted(found)


def compare(results: StudyResults, part: str, setting: Sequence[Any]) -> list[Row]:
    """One row for each method of a setting, in the order in which the study names them.

    Parameters
    ----------
    results : StudyResults
        The records.
    part : str
        Name of the part.
    setting : sequence
        One of `settings`.

    Returns
    -------
    list of Row

    Raises
    ------
    DataMissingError
        Where no run of the setting is finished.
    """
    by_method: dict[str, list[Record]] = {}
    for record in results.records(part):
        if tuple(record[key] for key in SETTING) == tuple(setting) and record["variant"] == 0:
            by_method.setdefault(record["method"], []).append(record)
    if not by_method:
        raise DataMissingError(
            f"finished runs of {setting} in {results.path / part}",
            "none",
            f"gsl-tutorial study {results.study.name} --part {part}",
        )
    order = [method for method in results.study.tune.methods if method in by_method]
    return [_row(results, method, by_method) for method in order]


def _row(results: StudyResults, method: str, by_method: dict[str, list[Record]]) -> Row:
    records = sorted(by_method[method], key=lambda r: r["seed"])

    def against(other: str) -> Interval | None:
        if other == method or other not in by_method:
            return None
        # Where every seed draws its own queries, its mean carries their luck already.
        shared = results.study.split_seed is not None
        return difference_by_seed(results, records, by_method[other], shared_queries=shared)

    def spread(key: str) -> Spread:
        return Spread.of([r[key] for r in records])

    return Row(
        method,
        tuple(r["seed"] for r in records),
        **{key: spread(key) for key in ("adc_map", "exact_map", "argmax_map")},
        relative_distortion=spread("relative_distortion"),
        perplexity=spread("perplexity"),
        **{key: Spread.of([bias(r)[key].mean() for r in records]) for key in ("cosine", "uphill")},
        seconds=spread("train_seconds"),
        against_none=against("none"),
        against_penalty=against("penalty"),
        options={"learning_rate": records[0]["learning_rate"], **records[0]["options"]},
    )


def bias(record: Record) -> dict[str, Float[np.ndarray, " rounds"]]:
    """How far the gradients of a run pointed from those of the similarity loss.

    Parameters
    ----------
    record : dict
        Of the run.

    Returns
    -------
    dict
        "cosine" and "uphill", the share that pointed uphill: arrays with one value for each round
        trained with the codebooks.
    """
    rounds = [r for r in record["history"] if "cosine" in r]
    return {key: np.array([r[key] for r in rounds]) for key in ("cosine", "uphill")}


def difference_by_seed(
    results: Records[Any, Any],
    mine: Sequence[Record],
    theirs: Sequence[Record],
    *,
    shared_queries: bool,
) -> Interval | None:
    """The figures of these runs minus those of others, paired by seed and query, with an interval.

    Parameters
    ----------
    results : Records
        The records.
    mine, theirs : sequence of dict
        Finished runs, one of a seed on either side.
    shared_queries : bool
        Whether all seeds have the same queries; see `clustered_bootstrap`.

    Returns
    -------
    Interval or None
        None where fewer than two seeds are on both sides.
    """
    a, b = ({r["seed"]: r for r in side} for side in (mine, theirs))
    seeds = sorted(set(a) & set(b))
    if len(seeds) < 2:
        return None
    x, y = (np.stack([results.per_query(side[seed]) for seed in seeds]) for side in (a, b))
    return clustered_bootstrap(x, y, shared_queries=shared_queries, random_state=0)


def trials(results: StudyResults, part: str) -> str:
    """Every run of a part on a line of its own: for the tuning stage, and for parts with variants.

    Parameters
    ----------
    results : StudyResults
        The records.
    part : str
        Name of the part.

    Returns
    -------
    str
    """
    head = ("loss", "method", "settings", "seed", "ADC mAP", "rel. distortion", "cosine", "uphill")
    lines = [
        (
            *(r["loss"], r["method"], _tried(r), r["seed"]),
            f"{r['adc_map']:.3f}",
            f"{r['relative_distortion']:.3f}",
            f"{bias(r)['cosine'].mean():.2f}",
            f"{bias(r)['uphill'].mean():.0%}",
        )
        for r in results.records(part)
    ]
    return text_table(lines, head=head)


def _tried(record: Record) -> str:
    """The settings in which a run differs from the defaults, and its learning rate."""
    default = asdict(MethodOptions())
    words = [f"{key} {value}" for key, value in record["options"].items() if value != default[key]]
    return ", ".join([f"rate {record['learning_rate']:g}", *words])


def as_text(rows: Sequence[Row]) -> str:
    """The table of a setting, aligned."""
    return str(as_table(rows))


def as_table(rows: Sequence[Row]) -> Table:
    """The table of a setting, for a notebook."""
    head = ("method", "ADC mAP", "exact mAP", "rel. distortion", "perplexity", "cosine", "uphill",
            "verdict on ADC mAP")  # fmt: skip
    lines = [
        (
            named(row.method),
            f"{row.adc_map:.3f}",
            f"{row.exact_map:.3f}",
            f"{row.relative_distortion:.3f}",
            f"{row.perplexity.mean:.0f}",
            f"{row.cosine.mean:.2f}",
            f"{row.uphill.mean:.0%}",
            row.verdict,
        )
        for row in rows
    ]
    return Table(lines, head=head)
