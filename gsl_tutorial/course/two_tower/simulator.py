"""Made-up users with a known taste, so that "hard negatives help" has a ground truth.

Each user likes a few of the true cells, has a favourite item in each, and prefers what is like it. How
much is the knob `sharpness`: with 0 every item of a liked cell is as good as the other, so a same-cell
negative is often a false one; with 6 the user wants the favourite's nearest relatives and not the rest of
the cell, so telling cell-mates apart is what the model must learn.

The texts may be those of real films. The effect that is measured on such users shows a mechanism; it is no
evidence about people, because the taste was made from the same texts as the cells.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from gsl_tutorial.course.datasets.interactions import Interactions
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_vectors, check_count, check_size


def simulate_users(
    text: Float[np.ndarray, "N t"],
    true_cells: Int[np.ndarray, " N"],
    *,
    n_users: int,
    sharpness: float,
    n_liked_cells: int = 2,
    n_events: int = 30,
    random_state: int,
) -> Interactions:
    """Events of users who like some cells, spread evenly over them, in random order.

    In a liked cell an item is chosen with probability proportional to exp(sharpness * t), without
    repetition. t is the cosine of its text with that of the user's favourite, both less the mean of
    the cell, in standard deviations over the cell. The favourite is an item of the cell like any
    other.

    Parameters
    ----------
    text : (N, t) float array
        What the language model says of each item.
    true_cells : (N,) integer array
        Cell numbers from 0.
    n_users : int
        How many users.
    sharpness : float
        How much the text decides; 0 for not at all.
    n_liked_cells : int
        How many cells each user likes.
    n_events : int
        How many events each user has.
    random_state : int
        Where the randomness comes from.

    Returns
    -------
    Interactions

    Raises
    ------
    InvalidInputError
        If too few cells have enough items.
    """
    text, true_cells = as_vectors(text, name="item texts"), np.asarray(true_cells)
    check_count(n_users, name="n_users", low=1)
    check_count(n_events, name="n_events", low=1)
    check_size(sharpness, name="sharpness")
    per_cell = -(-n_events // check_count(n_liked_cells, name="n_liked_cells", low=1))
    members = [np.flatnonzero(true_cells == cell) for cell in range(true_cells.max() + 1)]
    roomy = [one for one in members if len(one) >= per_cell]
    if len(roomy) < n_liked_cells:
        raise InvalidInputError(
            f"{n_liked_cells} cells with {per_cell} items or more",
            f"{len(roomy)} of {len(members)} cells",
            "ask for fewer events, or use fewer cells",
        )
    rng = np.random.default_rng(random_state)
    alike = [likeness(text[one]) for one in roomy]
    items = np.empty((n_users, n_events), dtype=np.int64)
    for user in range(n_users):
        chosen = []
        for cell in rng.choice(len(roomy), n_liked_cells, replace=False):
            table = alike[cell]
            liking = sharpness * table[rng.integers(len(table))]
            # The largest of liking + Gumbel noise: a draw without repetition from the softmax.
            drawn = np.argsort(-(liking + rng.gumbel(size=len(liking))))[:per_cell]
            chosen.append(roomy[cell][drawn])
        items[user] = rng.permutation(np.concatenate(chosen)[: per_cell * n_liked_cells])[:n_events]
    who = np.repeat(np.arange(n_users), n_events)
    when = np.tile(np.arange(n_events), n_users)
    return Interactions(who, items.ravel(), when, n_users, len(text))


def made_up_items(
    n_items: int, n_cells: int, *, dim: int = 16, spread: float = 0.5, random_state: int
) -> tuple[Float[np.ndarray, "N dim"], Int[np.ndarray, " N"]]:
    """A catalogue without films: points around centres, and their true cells.

    Parameters
    ----------
    n_items : int
        How many items, two for each cell or more.
    n_cells : int
        How many centres.
    dim : int
        Length of a vector.
    spread : float
        Of the points around their centre.
    random_state : int
        Where the randomness comes from.

    Returns
    -------
    text : (N, dim) float32 array
        The points.
    cells : (N,) integer array
        The centre of each.
    """
    check_count(n_cells, name="n_cells", low=1)
    check_count(n_items, name="n_items", low=2 * n_cells)
    rng = np.random.default_rng(random_state)
    cells = np.arange(n_items) % n_cells
    text = rng.normal(size=(n_cells, dim))[cells] + spread * rng.normal(size=(n_items, dim))
    return text.astype(np.float32), cells


def likeness(text: Float[np.ndarray, "n t"]) -> Float[np.ndarray, "n n"]:
    """How alike the items of one cell are, on a common scale.

    Parameters
    ----------
    text : (n, t) float array
        What the language model says of the items of the cell.

    Returns
    -------
    (n, n) float array
        Row f: cosines with item f, less the mean of the cell, in standard deviations of the row.
    """
    residual = text - text.mean(axis=0)
    unit = residual / np.maximum(np.linalg.norm(residual, axis=1, keepdims=True), 1e-9)
    cosine = unit @ unit.T
    spread = np.maximum(cosine.std(axis=1, keepdims=True), 1e-9)
    return np.asarray((cosine - cosine.mean(axis=1, keepdims=True)) / spread)
