"""Somebody else's codes, measured as we measure our own, with every trap looked for.

`measure_outside` ranks once, streamed, reads everything off that ranking, and prints nothing without
its protocol. The traps are `audit`'s, the ways to compare are those of `comparisons`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.course.datasets import PROTOCOLS, Protocol, get_protocol
from gsl_tutorial.course.datasets.split_file import SplitFile, label_checksum
from gsl_tutorial.course.results.audit import (
    Warned,
    check_labels,
    check_protocol,
    check_query_in_database,
    warn_of_collapse,
    warn_of_empty,
    warn_of_metric,
    warn_of_ties,
)
from gsl_tutorial.course.results.searches import Search
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation import Denominator, group_codes
from gsl_tutorial.evaluation.at_rank import precision_of_runs, recall_of_runs, within_radius
from gsl_tutorial.evaluation.distances import blocks
from gsl_tutorial.evaluation.ranking import Members, stream
from gsl_tutorial.evaluation.ties import Runs, average_precisions_of_runs
from gsl_tutorial.validation import check_count, check_name

#: Stands for "no published protocol".
OWN = "own"


@dataclass(frozen=True)
class OutsideResult:
    """A number with all that must stand beside it, in the order in which it is printed."""

    protocol: str
    n_query: int
    n_train: int | None
    n_database: int
    train_in_database: bool | None
    query_in_database: bool | None
    search: str
    bits: int
    distinct_codes: int | None
    metric: str
    denominator: str
    ties: str
    value: float
    map_all: float
    map_all_if_ties_fell_well: float
    map_all_if_ties_fell_badly: float
    map_all_of_chance: float
    extras: dict[str, float]
    queries_without_relevant: int
    query_label_sha256: str
    database_label_sha256: str
    warnings: tuple[Warned, ...]
    #: (B,) of `metric`, for paired comparisons; not printed.
    per_query: Float[np.ndarray, " B"] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the per-query values, ready for JSON."""
        values = asdict(self)
        del values["per_query"]
        values["warnings"] = [str(one) for one in self.warnings]
        values.update(values.pop("extras"))
        return values


def measure_outside(
    search: Search,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    *,
    protocol: str = OWN,
    split: SplitFile | None = None,
    at: int | None = None,
    denominator: Denominator = "relevant",
    k: int | None = None,
    radius: int | None = None,
) -> OutsideResult:
    """Measure and audit. Ties exact; the other arguments as in `evaluation.average_precision`.

    protocol: a code of `PROTOCOLS`, or "own". split: the split file whose order the labels follow.
    k: also precision and recall at k. radius: also precision within so many differing columns.
    Raises `InvalidInputError` where the number would be meaningless; the message names the mistake.
    """
    check_name("protocol", protocol, (*PROTOCOLS, OWN))
    numbers = None if protocol == OWN else get_protocol(protocol)
    n_items = len(search.database)
    given = np.asarray(query_labels), np.asarray(database_labels)
    q_labels = check_labels(given[0], of="queries", n=search.n_query)
    d_labels = check_labels(given[1], of="database items", n=n_items)
    checksums = label_checksum(q_labels), label_checksum(d_labels)
    check_name("denominator", denominator, ("relevant", "retrieved"))
    at = None if at is None else check_count(at, name="at", low=1, high=n_items)
    k = None if k is None else check_count(k, name="k", low=1, high=n_items)
    found = [*search.found, *check_protocol(q_labels, d_labels, numbers, split)]
    if search.query is not None:
        found += check_query_in_database(
            search.query, search.database, numbers, are_codes=search.has_codes
        )

    rows, members = _grouped(search, d_labels)
    scores = np.concatenate(
        list(
            stream(
                lambda part: search.distances_of(part, rows),
                q_labels,
                members,
                lambda runs: _score(runs, at, denominator, k),
            )
        ),
        axis=1,
    )
    value, relevant_value, all_, well, badly, chance, precision, recall, relevant = scores
    if checksums != (label_checksum(given[0]), label_checksum(given[1])):
        raise InvalidInputError(
            "labels that nobody writes to", "the mistake 'labels changed', during the ranking",
            "pass copies",
        )  # fmt: skip
    extras = {} if k is None else {f"precision@{k}": precision, f"recall@{k}": recall}
    means = {name: float(each.mean()) for name, each in extras.items()}
    if radius is not None:
        means |= _within(search, rows, q_labels, members, check_count(radius, name="radius", low=0))
    cut = {"value": value.mean(), "all": all_.mean(), "relevant": relevant_value.mean()}
    return OutsideResult(
        protocol=protocol if split is None else str(split),
        **_facts(numbers),
        n_query=search.n_query,
        n_database=n_items,
        search=search.kind,
        bits=search.bits,
        distinct_codes=len(rows) if search.has_codes else None,
        metric="mAP@all" if at is None else f"mAP@{at}",
        denominator=denominator,
        ties="exact",
        value=float(value.mean()),
        map_all=float(all_.mean()),
        map_all_if_ties_fell_well=float(well.mean()),
        map_all_if_ties_fell_badly=float(badly.mean()),
        map_all_of_chance=float(chance.mean()),
        extras=means,
        queries_without_relevant=int((relevant == 0).sum()),
        query_label_sha256=checksums[0],
        database_label_sha256=checksums[1],
        warnings=(
            *found,
            *warn_of_metric(at, denominator, cut),
            *warn_of_ties(d_labels, float(well.mean()), float(badly.mean())),
            *warn_of_empty(value, relevant > 0),
            *warn_of_collapse(len(rows)),
        ),
        per_query=value,
    )


def _facts(numbers: Protocol | None) -> dict[str, Any]:
    names = ("n_train", "train_in_database", "query_in_database")
    return {name: getattr(numbers, name, None) for name in names}


def _grouped(search: Search, labels: Integer[np.ndarray, " N"]) -> tuple[np.ndarray, Members]:
    """What distances are needed to: distinct codes, or all vectors; and who is relevant there."""
    if not search.has_codes:
        return search.database, Members.of_labels(labels)
    distinct, counts = group_codes(search.database, labels)
    return distinct, Members.of_counts(counts)


def _score(runs: Runs, at: int | None, denominator: str, k: int | None) -> Float[np.ndarray, "9 b"]:
    """Everything of some queries that the result needs, one row each."""
    B, N = len(runs.relevant), runs.n_items
    none, everything = np.zeros(B), np.full(B, float(N))
    # Chance: all items are tied.
    one_run = Runs(np.arange(B), everything, runs.relevant, none, none, runs.relevant, N)
    rules = [
        (runs, at, denominator, "exact"),
        (runs, at, "relevant", "exact"),
        (runs, None, "relevant", "exact"),
        (runs, None, "relevant", "optimistic"),
        (runs, None, "relevant", "pessimistic"),
        (one_run, None, "relevant", "exact"),
    ]
    cut = N if k is None else k
    return np.stack(
        [
            *(
                average_precisions_of_runs(of, at=a, denominator=by, ties=ties)
                for of, a, by, ties in rules
            ),
            precision_of_runs(runs, k=cut),
            recall_of_runs(runs, k=cut),
            runs.relevant,
        ]
    )


def _within(
    search: Search,
    rows: np.ndarray,
    labels: Integer[np.ndarray, " B"],
    members: Members,
    radius: int,
) -> dict[str, float]:
    """Precision within a radius, by the field's rule, and how many queries retrieved nothing."""
    parts = [
        within_radius(search.distances_of(part, rows), labels[part], members, radius=radius)
        for part in blocks(len(labels))
    ]
    return {
        f"precision_within_{radius}": float(np.concatenate([p.precision for p in parts]).mean()),
        f"recall_within_{radius}": float(np.concatenate([p.recall for p in parts]).mean()),
        f"retrieve_nothing_within_{radius}": sum(int((p.retrieved == 0).sum()) for p in parts),
    }
