"""What a two-tower training needs, in one object: events in three parts, item texts, cells.

Histories are causal: the user vector of a training event is made from strictly earlier events only, that of
a test from everything before the test moment. `prefixes` lays them out once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from gsl_tutorial.course.datasets.interactions import (
    Histories,
    Interactions,
    leave_last_out,
    only_active,
)
from gsl_tutorial.course.datasets.movielens import MovieLens
from gsl_tutorial.course.two_tower.cells import find_twins, genre_cells, shuffled_cells
from gsl_tutorial.course.two_tower.items import ItemTexts
from gsl_tutorial.course.two_tower.sampling import PairSet
from gsl_tutorial.course.two_tower.simulator import simulate_users
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_vectors, check_count, describe


@dataclass(frozen=True, eq=False)
class TwoTowerData:
    """What the two towers learn from, and are measured on.

    Parameters
    ----------
    name : str
        Of the data.
    events : Histories
        Train, validation and test.
    text : (N, t) float array
        What the language model says of each item.
    cells : dict of str to (N,) integer array
        By name, cell numbers from 0.

    Raises
    ------
    InvalidInputError
        If texts or cells are not one for each item, or texts are not finite.

    Attributes
    ----------
    history : PairSet
        The (user, item) pairs of the training events.
    twins : PairSet
        The (item, item) pairs whose texts nearly agree.
    """

    name: str
    events: Histories
    text: Float[np.ndarray, "N t"]
    cells: dict[str, Int[np.ndarray, " N"]]
    history: PairSet = field(init=False)
    twins: PairSet = field(init=False)

    def __post_init__(self) -> None:
        train, text = self.events.train, as_vectors(self.text, name="item texts")
        n = train.n_items
        for what, array in (("text", text), *self.cells.items()):
            if len(array) != n:
                raise InvalidInputError(
                    f"one row of {what} for each of {n} items",
                    describe(np.asarray(array)),
                    "order texts and cells like the catalogue",
                )
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "history", PairSet(train.user, train.item, n))
        object.__setattr__(self, "twins", PairSet(*find_twins(text), n))

    @property
    def popularity(self) -> Int[np.ndarray, " N"]:
        """How many training events each item has."""
        return self.events.train.counts()

    @property
    def share(self) -> Float[np.ndarray, " N"]:
        """The share of training events that are of each item: what in-batch negatives follow."""
        counts = self.popularity
        return np.asarray(counts / counts.sum())


def prefixes(events: Interactions, length: int) -> Int[np.ndarray, "n length"]:
    """For each event the last items that its user had before.

    Events of the same second are not in each other's profile: nobody knows which came first.

    Parameters
    ----------
    events : Interactions
        All events.
    length : int
        The most items to show, 1 or more.

    Returns
    -------
    (n, length) integer array
        Items of earlier moments, the latest last; -1 fills up.
    """
    check_count(length, name="length", low=1)
    start = events.starts[events.user]
    place = events.moments[:, None] - np.arange(length, 0, -1)
    return np.where(place >= start[:, None], events.item[place.clip(min=0)], -1)


def last_events(events: Interactions, length: int) -> Int[np.ndarray, "users length"]:
    """For each user the last items.

    Parameters
    ----------
    events : Interactions
        All events.
    length : int
        The most items to show.

    Returns
    -------
    (users, length) integer array
        The latest last; -1 fills up.
    """
    starts, ends = events.starts[:-1], events.starts[1:]
    place = ends[:, None] - np.arange(length, 0, -1)
    safe = place.clip(min=0, max=max(0, len(events) - 1))
    if not len(events):
        return np.full(place.shape, -1)
    return np.where(place >= starts[:, None], events.item[safe], -1)


def movielens_data(
    films: MovieLens, texts: ItemTexts, *, n_test: int = 5, n_validation: int = 5
) -> TwoTowerData:
    """Users with 20 liked films or more; their last ones are hidden.

    Parameters
    ----------
    films : MovieLens
        Films and ratings.
    texts : ItemTexts
        In any order of films.
    n_test, n_validation : int
        How many films of each user to hide.

    Returns
    -------
    TwoTowerData

    Raises
    ------
    MissingTextError
        For a film without a text.
    TooFewInteractionsError
        If no user has so many films, or 20 are too few to hide these.
    """
    rows = texts.rows(films.movie_ids)
    events = leave_last_out(
        only_active(films.liked(), at_least=20), n_test=n_test, n_validation=n_validation
    )
    cells = {"text": texts.cells["training"][rows], "genre": genre_cells(films.genres)}
    cells["random"] = shuffled_cells(cells["text"], random_state=0)
    return TwoTowerData("movielens", events, texts.vectors[rows], cells)


def simulated_data(
    text: Float[np.ndarray, "N t"],
    true_cells: Int[np.ndarray, " N"],
    found_cells: Int[np.ndarray, " N"],
    *,
    n_users: int,
    sharpness: float,
    random_state: int,
    genres: tuple[str, ...] = (),
) -> TwoTowerData:
    """Users of `simulate_users`, and the cells that training may use.

    Parameters
    ----------
    text : (N, t) float array
        What the language model says of each item.
    true_cells : (N,) integer array
        The cells by which users choose.
    found_cells : (N,) integer array
        Those that training may use, not the true ones.
    n_users, sharpness, random_state
        See `simulate_users`.
    genres : tuple of str
        Of each item, for the cells of genres; empty for none.

    Returns
    -------
    TwoTowerData

    Raises
    ------
    InvalidInputError
        See `simulate_users`.
    """
    users = simulate_users(
        text, true_cells, n_users=n_users, sharpness=sharpness, random_state=random_state
    )
    cells = {
        "text": found_cells,
        "true": true_cells,
        "random": shuffled_cells(found_cells, random_state=0),
    }
    if genres:
        cells["genre"] = genre_cells(genres)
    events = leave_last_out(users, n_test=5, n_validation=5)
    return TwoTowerData(f"simulated, sharpness {sharpness:g}", events, text, cells)
