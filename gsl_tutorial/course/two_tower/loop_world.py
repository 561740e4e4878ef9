"""A small world for the feedback loop: who would click what, known exactly.

Each made-up user likes two of the true cells, and in them what is like a favourite film, as in `simulator`.
Two things are added, because a loop needs them. Films differ in *appeal*, which everybody feels alike, and
some cells are liked by more users than others: so there is a **true popularity**, to which the popularity
in a log can be compared. And what is known of a user and a film is a chance, not an event: the probability
of a click once the user looks at the film. Whether the user looks is decided by the place in the list.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from gsl_tutorial.course.two_tower.simulator import likeness
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_vectors, check_count, check_size, describe

#: Log odds of a click: for a film of other cells, what a liked cell adds, and what one unit of appeal adds.
ELSEWHERE, LIKED, APPEAL = -4.0, 3.0, 0.8


@dataclass(frozen=True, eq=False)
class World:
    """Items, users and the chance of every click.

    Parameters
    ----------
    text : (N, t) float array
        What the language model says of each item.
    cells : dict of str to (N,) integer array
        Those that training may use, and "true", by which users choose.
    chance : (U, N) float array
        The probability that a user clicks on an item that he or she looks at.

    Raises
    ------
    InvalidInputError
        If texts, cells and chances are not of the same items, or a chance is not from 0 to 1.
    """

    text: Float[np.ndarray, "N t"]
    cells: dict[str, Int[np.ndarray, " N"]]
    chance: Float[np.ndarray, "U N"]

    def __post_init__(self) -> None:
        chance = np.asarray(self.chance)
        if chance.ndim != 2 or not chance.size or not ((chance >= 0) & (chance <= 1)).all():
            raise InvalidInputError(
                "the chance of a click, from 0 to 1, for every user and item",
                describe(chance),
                "pass probabilities (U, N)",
            )
        for what, one in (("text", self.text), *self.cells.items()):
            if len(one) != chance.shape[1]:
                raise InvalidInputError(
                    f"one row of {what} for each of {chance.shape[1]} items",
                    describe(np.asarray(one)),
                    "order texts, cells and chances like the catalogue",
                )

    @property
    def popularity(self) -> Float[np.ndarray, " N"]:
        """The true popularity: each item's share of all clicks if everybody looked at everything."""
        wanted = self.chance.sum(axis=0, dtype=np.float64)
        return np.asarray(wanted / wanted.sum())


def examination(n_slots: int, strength: float) -> Float[np.ndarray, " n_slots"]:
    """The chance that a user looks at each place of a list.

    Parameters
    ----------
    n_slots : int
        The length of the list.
    strength : float
        Of the position effect: 0 for readers who look at everything; at 1 the second place is seen
        half as often as the first, the third a third as often.

    Returns
    -------
    (n_slots,) float array
        rank ** -strength, counted from rank 1.

    Examples
    --------
    >>> examination(4, 1.0)
    array([1.        , 0.5       , 0.33333333, 0.25      ])
    """
    check_count(n_slots, name="n_slots", low=1)
    check_size(strength, name="strength of the position effect")
    return np.arange(1, n_slots + 1, dtype=np.float64) ** -float(strength)


def make_world(
    text: Float[np.ndarray, "N t"],
    true_cells: Int[np.ndarray, " N"],
    cells: dict[str, Int[np.ndarray, " N"]],
    *,
    n_users: int,
    sharpness: float,
    random_state: int,
) -> World:
    """Users with a taste over a catalogue.

    Parameters
    ----------
    text : (N, t) float array
        What the language model says of each item.
    true_cells : (N,) integer array
        Cell numbers from 0: by these users choose.
    cells : dict of str to (N,) integer array
        The cells that training may use.
    n_users : int
        How many users.
    sharpness : float
        How much the text decides inside a liked cell; 0 for not at all.
    random_state : int
        Where the randomness comes from.

    Returns
    -------
    World

    Raises
    ------
    InvalidInputError
        For fewer than two cells, or a cell without an item.
    """
    text, true_cells = as_vectors(text, name="item texts"), np.asarray(true_cells)
    check_count(n_users, name="n_users", low=1)
    check_size(sharpness, name="sharpness")
    sizes = np.bincount(true_cells)
    if len(sizes) < 2 or (sizes == 0).any():
        raise InvalidInputError(
            "two true cells or more, none of them empty",
            f"{len(sizes)} cells, {int((sizes == 0).sum())} of them empty",
            "number the cells from 0 without gaps",
        )
    rng = np.random.default_rng([random_state, 31])
    log_odds = np.full((n_users, len(text)), ELSEWHERE)
    members = [np.flatnonzero(true_cells == cell) for cell in range(len(sizes))]
    alike = [likeness(text[one]) for one in members]
    # The second cell is liked by half as many as the first, the third by a third as many.
    weight = rng.permutation(1 / np.arange(1, len(sizes) + 1))
    for user in range(n_users):
        for cell in rng.choice(len(sizes), 2, replace=False, p=weight / weight.sum()):
            favourite = rng.integers(sizes[cell])
            log_odds[user, members[cell]] += LIKED + sharpness * alike[cell][favourite]
    log_odds += APPEAL * rng.normal(size=len(text))
    return World(text, {**cells, "true": true_cells}, 1 / (1 + np.exp(-log_odds)))
