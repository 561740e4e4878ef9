"""Whatever is handed to a measure, the answer is a result or a sentence: thousands of strange arguments."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch

from gsl_tutorial.course.datasets.interactions import Interactions, leave_last_out
from gsl_tutorial.course.results.code_files import (
    measure_found,
    measure_neighbours,
    measure_outside,
)
from gsl_tutorial.course.results.searches import Search, by_codes, by_tables, by_vectors
from gsl_tutorial.course.toys.neighbours import (
    chances,
    nearest_neighbours,
    recall_at,
    recall_of_lists,
)
from gsl_tutorial.course.two_tower.evaluation import measure_lists, top_items
from gsl_tutorial.errors import TutorialError
from gsl_tutorial.evaluation.at_rank import (
    code_distances,
    precision_recall_curve,
    precisions_at,
    recalls_at,
    within_radius,
)
from gsl_tutorial.evaluation.ranking import Members

SHAPES = [
    (), (0,), (3,), (5,), (3, 5), (5, 3), (3, 1), (5, 1), (3, 0), (0, 5), (3, 4), (5, 4), (3, 9),
    (5, 9), (3, 2), (5, 2), (2, 4, 2), (2, 4, 4),
]  # fmt: skip
TYPES = ["u1", "i1", "i8", ">i4", "u8", "f2", "f4", "f8", "?", "S3", "U3", "O", "c16", "M8[s]"]
ODD = [
    None, "abc", 3, -1, float("nan"), {}, object(), [set(), {1}], [[1, 2], [3]], [{1}] * 3,
    [{1}, {2}, {1, 2}, set(), {3}], [[1], [2], [3], [4], [5]], [[[1]]] * 3,
]  # fmt: skip


class Junk:
    """Draws arguments; half of them are what somebody could mean."""

    def __init__(self, seed: int) -> None:
        self.rng, self.random = np.random.default_rng(seed), random.Random(seed)

    def number(self) -> Any:
        return self.random.choice([None, 0, 1, 2, 3, 5, -1, 1.5, "a", 10**20, True, np.int64(2)])

    def array(self) -> Any:
        pick, rng = self.random.choice, self.rng
        if pick([True, False]):
            shape = pick(SHAPES[4:])
            return pick([rng.random(shape), rng.integers(0, 2, shape), rng.integers(0, 5, shape)])
        shape = pick(SHAPES)
        values = pick([
            rng.integers(0, 2, shape), rng.integers(-1, 5, shape), rng.normal(size=shape) * 1e30,
            np.full(shape, np.nan), np.full(shape, -1), 2 * rng.integers(0, 2, shape) - 1,
            rng.integers(0, 256, shape), np.full(shape, 2**63 - 1),
        ])  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                array = np.asarray(values.astype(pick(TYPES)))
            except (ValueError, TypeError):
                array = np.asarray(values)
        chance = self.random.random()
        if chance < 0.1:
            return array.tolist()
        if chance < 0.2 and array.dtype.kind in "iuf":
            return np.ma.masked_equal(array, 0)
        if chance < 0.3 and array.dtype.kind in "if" and array.dtype.isnative:
            return torch.tensor(array, requires_grad=array.dtype.kind == "f")
        if chance < 0.35 and array.ndim == 2 and array.dtype.kind in "iuf" and array.dtype != "f2":
            return scipy.sparse.csr_matrix(array.astype(array.dtype.newbyteorder("=")))
        return pick(ODD) if chance < 0.45 else array

    def search(self) -> Search:
        array, pick = self.array, self.random.choice
        metric: Any = pick(["l2", "ip", "cosine", "x", None])
        return pick([
            lambda: by_codes(array(), array(), packed=pick([None, True, False]), bits=self.number()),
            lambda: by_tables(array(), array(), array(), query_codes=pick([None, array()]),
                              rotation=pick([None, array()]), metric=metric),
            lambda: by_vectors(array(), array(), metric=metric),
            self.codes,
        ])()  # fmt: skip

    def codes(self) -> Search:
        return by_codes(self.rng.integers(0, 4, (3, 2)), self.rng.integers(0, 4, (5, 2)))

    def events(self) -> Interactions:
        return Interactions(
            self.array(), self.array(), self.array(), self.number(), self.random.choice([1, 5])
        )


EVENTS = Interactions(np.arange(3), np.arange(3), np.arange(3), 3, 5)
MEMBERS = Members.of_labels(np.array([0, 1, 0, 2, 1]))
CALLS: dict[str, Callable[[Junk], Any]] = {
    "search": Junk.search,
    "measure_outside": lambda j: measure_outside(
        j.codes(), j.array(), j.array(), at=j.number(), k=j.number(), radius=j.number()
    ),
    "measure_neighbours": lambda j: measure_neighbours(j.search(), j.array()),
    "measure_found": lambda j: measure_found(j.array(), j.array()),
    "recall_at": lambda j: recall_at(j.array(), j.array()),
    "chances": lambda j: chances(j.array(), j.array(), j.number()),
    "nearest_neighbours": lambda j: nearest_neighbours(j.array(), j.number()),
    "recall_of_lists": lambda j: recall_of_lists(j.array(), j.array(), j.number()),
    "precisions_at": lambda j: precisions_at(j.array(), j.array(), j.array(), k=j.number()),
    "recalls_at": lambda j: recalls_at(j.array(), j.array(), j.array(), k=j.number()),
    "curve": lambda j: precision_recall_curve(j.array(), j.array(), j.array()),
    "code_distances": lambda j: code_distances(j.array(), j.array()),
    "within_radius": lambda j: within_radius(j.array(), j.array(), MEMBERS, radius=j.number()),
    "top_items": lambda j: top_items(j.array(), EVENTS, j.array(), j.number()),
    "measure_lists": lambda j: measure_lists(j.array(), j.array(), EVENTS, j.array()),
    "events": Junk.events,
    "leave_last_out": lambda j: leave_last_out(j.events(), n_test=j.number()),
}


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", CALLS)
def test_strange_arguments_give_a_result_or_a_sentence(name: str) -> None:
    junk, told = Junk(sorted(CALLS).index(name)), 0
    for _ in range(400):
        try:
            CALLS[name](junk)
        except TutorialError:
            told += 1
    assert told > 0
