"""One search, many figures: what a table prints depends on choices that are made after the codes.

The distances stay what they are. What changes is how many ranks are looked at, by what average precision
is divided, and whether queries without a hit count. Each of these was found in public code; chapter 10
says where.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Integer

from gsl_tutorial.course.results.saved_runs import Shipped
from gsl_tutorial.evaluation import average_precisions

#: What is asked, and what may be answered; the first answers together are mAP@all.
_RANKS = {
    "the whole ranking": None,
    "the first 1,000": 1000,
    "the first 100": 100,
    "the first 10": 10,
}
_DIVISORS: dict[str, Literal["relevant", "retrieved"]] = {
    "the hits there could be": "relevant",
    "the hits that came": "retrieved",
}
_EMPTY = {"count as 0": False, "are left out": True}


@dataclass(frozen=True)
class Choices:
    """Questions with their answers, and a figure for each way to answer all of them.

    Attributes
    ----------
    questions : dict of str to list of str
        Each question with its answers.
    figures : (n_1, n_2, ...) array
        An axis for each question, a place for each answer.
    """

    questions: dict[str, list[str]]
    figures: Float[np.ndarray, "..."]


def reported_figures(
    databases: Mapping[str, tuple[Float[np.ndarray, "B N"], Integer[np.ndarray, " N"]]],
    query_labels: Integer[np.ndarray, " B"],
) -> Choices:
    """Measure one search in every way that a reader may choose.

    Parameters
    ----------
    databases : mapping of str to ((B, N) array, (N,) array)
        Name -> the distances of all queries to it, and its labels.
    query_labels : (B,) array
        Labels of the queries.

    Returns
    -------
    Choices
        Mean average precision of every combination.
    """
    questions = {
        "search among": list(databases),
        "look at": list(_RANKS),
        "divide by": list(_DIVISORS),
        "queries without a hit": list(_EMPTY),
    }
    figures = np.empty([len(answers) for answers in questions.values()])
    for d, (distances, labels) in enumerate(databases.values()):
        for (r, at), (v, divisor) in product(
            enumerate(_RANKS.values()), enumerate(_DIVISORS.values())
        ):
            each = average_precisions(distances, query_labels, labels, at=at, denominator=divisor)
            for e, left_out in enumerate(_EMPTY.values()):
                figures[d, r, v, e] = each[each > 0].mean() if left_out else each.mean()
    return Choices(questions, figures)


def search_by_signs(
    run: Shipped, *, n_bits: int, n_query: int = 300, random_state: int = 0
) -> tuple[
    dict[str, tuple[Float[np.ndarray, "B N"], Integer[np.ndarray, " N"]]],
    Integer[np.ndarray, " B"],
]:
    """Search a trained run through very short codes: the signs of random projections.

    Parameters
    ----------
    run : Shipped
        Where embeddings and labels come from.
    n_bits : int
        Bits of a code.
    n_query : int
        How many of the run's queries search; the other queries are one of two databases.
    random_state : int
        Seed of the projections and of the choice of images.

    Returns
    -------
    databases : dict of str to ((B, N) array, (N,) array)
        Number of bits that differ, and labels: among held-out images, and among as many on which the
        network was trained.
    query_labels : (B,) array
        Labels of the queries.
    """
    rng = np.random.default_rng(random_state)
    normals = rng.normal(size=(run.query.z.shape[1], n_bits))
    middle = run.database.z.mean(axis=0)

    def code(z: Float[np.ndarray, "N dim"]) -> Bool[np.ndarray, "N bits"]:
        return (z - middle) @ normals > 0

    order = rng.permutation(len(run.query))
    asked, held_out = order[:n_query], order[n_query:]
    trained = rng.permutation(len(run.database))[: len(held_out)]
    query = code(run.query.z[asked])
    sets = {
        "held-out images": (run.query, held_out),
        "images of the training": (run.database, trained),
    }
    databases = {
        name: (_differing(query, code(part.z[rows])), part.labels[rows])
        for name, (part, rows) in sets.items()
    }
    return databases, run.query.labels[asked]


def _differing(
    query: Bool[np.ndarray, "B bits"], database: Bool[np.ndarray, "N bits"]
) -> Float[np.ndarray, "B N"]:
    """How many bits differ, for every pair: whole numbers, in float32."""
    signs = (2 * one.astype(np.float32) - 1 for one in (query, database))
    a, b = signs
    return (query.shape[1] - a @ b.T) / 2
