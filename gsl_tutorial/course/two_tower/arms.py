"""The registry of arms: which mixture of negatives a training uses, every arm on the same budget.

All arms see the same events in the same order and the same in-batch negatives. What differs is where the
`budget` further negatives of each positive come from. To add one: a line here, and a row in the study.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from gsl_tutorial.course.two_tower.sampling import InBatch, InvertedLists, SameCell, Source, Uniform
from gsl_tutorial.errors import DataMissingError
from gsl_tutorial.validation import check_name


@dataclass(frozen=True)
class Arm:
    """Where the further negatives of a training come from, and what the loss knows of it.

    Parameters
    ----------
    says : str
        The arm in words.
    budget : float
        Factor of the further negatives.
    cells : str
        Where a part of them comes from: "text", "random", "genre", "true", or "learned", the item
        tower's own, found anew after each epoch; "" for no cells.
    in_batch_corrected, hard_corrected : bool
        Whether Q knows of these draws.
    full : bool
        Whether the softmax runs over the whole catalogue.
    """

    says: str
    budget: float = 1.0
    cells: str = ""
    in_batch_corrected: bool = True
    hard_corrected: bool = True
    full: bool = False


ARMS: dict[str, Arm] = {
    "in-batch-raw": Arm("in-batch only, no logQ", budget=0, in_batch_corrected=False),
    "in-batch": Arm("in-batch only, with logQ", budget=0),
    "uniform": Arm("in-batch and uniform"),
    "uniform-4x": Arm("in-batch and four times the uniform", budget=4),
    "text": Arm("half of the uniform from the same text cluster", cells="text"),
    "text-raw": Arm(
        "the same, drawn hard and counted as uniform", cells="text", hard_corrected=False
    ),
    "true": Arm("from the simulator's own cells", cells="true"),
    "random": Arm("from random cells of the same sizes", cells="random"),
    "genre": Arm("from cells of the same genres", cells="genre"),
    "learned": Arm("from clusters of the item tower, refreshed each epoch", cells="learned"),
    "full": Arm("softmax over the whole catalogue", budget=0, full=True),
}


def get_arm(name: str) -> Arm:
    """The arm of that name.

    Parameters
    ----------
    name : str
        A key of `ARMS`.

    Returns
    -------
    Arm

    Raises
    ------
    UnknownNameError
        If there is none; the message lists them.
    """
    return ARMS[check_name("arm", name, ARMS)]


def sources_of(
    arm: Arm,
    *,
    share: Float[np.ndarray, " N"],
    cells: Mapping[str, Int[np.ndarray, " N"]],
    group: int,
    budget: int,
    hard_share: float,
    warm: bool,
) -> list[Source]:
    """The sources of one epoch. Before the model is warm, all further negatives are uniform.

    Parameters
    ----------
    arm : Arm
        Which.
    share : (N,) float array
        The share of training events that are of each item.
    cells : mapping of str to (N,) integer array
        The cells that the data has, by name.
    group : int
        Rows whose positives are each other's in-batch negatives.
    budget : int
        Further negatives of each positive, before the arm's factor.
    hard_share : float
        How much of the budget comes from the arm's cells, at least one.
    warm : bool
        Whether the warm-up is over.

    Returns
    -------
    list of Source

    Raises
    ------
    DataMissingError
        Where the data has no such cells.
    """
    n_items = len(share)
    # Uncorrected: Q is 1 for every item, so its logarithm vanishes.
    counted = share if arm.in_batch_corrected else np.full(n_items, 1 / (group - 1))
    sources: list[Source] = [InBatch(counted, group)]
    extra = int(budget * arm.budget)
    hard = max(1, round(extra * hard_share)) if arm.cells and warm and extra else 0
    if extra - hard > 0:
        sources.append(Uniform(n_items, extra - hard))
    if hard:
        if arm.cells not in cells:
            raise DataMissingError(
                f"{arm.cells} cells of the items",
                f"{', '.join(cells) or 'none'}",
                "take an arm whose cells are there",
            )
        lists = InvertedLists.of(cells[arm.cells])
        sources.append(SameCell(lists, hard, corrected=arm.hard_corrected))
    return sources
