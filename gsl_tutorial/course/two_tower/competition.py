"""Which negatives compete: fixed draws, looked at again after every epoch of a training.

For some training events we draw negatives of every kind once. A model then says how far each one is
*behind* its positive: the cosine of the negative less that of the positive, below 0 where the positive
wins. From that follows how hard the loss would push each of them, at any temperature and any share of hard
negatives, so both can be turned without training again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from gsl_tutorial.course.two_tower.data import TwoTowerData, prefixes
from gsl_tutorial.course.two_tower.losses import pressure
from gsl_tutorial.course.two_tower.sampling import (
    InBatch,
    InvertedLists,
    SameCell,
    Source,
    Uniform,
    draw_negatives,
)
from gsl_tutorial.course.two_tower.towers import TwoTower
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_count, check_size


@dataclass(frozen=True, eq=False)
class FixedDraws:
    """B events with the same negatives for every look.

    Their n columns are the in-batch negatives, then `budget` of each other kind.

    Attributes
    ----------
    users, positives : (B,) integer arrays
        Who took what.
    histories : (B, h) integer array
        The user's last items, -1 where there are fewer.
    items : (B, n) integer array
        The negatives.
    kinds : tuple of str
        The kind of each column.
    excluded : (B, n) bool array
        Which negatives do not count.
    per_draw : dict of str to (B, n) float array
        By kind, how often one draw of it gives the item.
    budget, group : int
        See `fix_draws`.
    """

    users: Int[np.ndarray, " B"]
    positives: Int[np.ndarray, " B"]
    histories: Int[np.ndarray, "B h"]
    items: Int[np.ndarray, "B n"]
    kinds: tuple[str, ...]
    excluded: Bool[np.ndarray, "B n"]
    per_draw: dict[str, Float[np.ndarray, "B n"]]
    budget: int
    group: int


def fix_draws(
    data: TwoTowerData,
    cells: Int[np.ndarray, " N"],
    *,
    n_events: int = 400,
    group: int = 8,
    budget: int = 8,
    history: int = 30,
    random_state: int = 0,
) -> FixedDraws:
    """Draw negatives of every kind for some training events.

    Parameters
    ----------
    data : TwoTowerData
        Whose events.
    cells : (N,) integer array
        Where hard negatives come from.
    n_events : int
        How many events; cut to a multiple of `group`.
    group : int
        Rows whose positives are each other's in-batch negatives.
    budget : int
        Negatives of each other kind.
    history : int
        From how many last items a user is made.
    random_state : int
        Where the randomness comes from.

    Returns
    -------
    FixedDraws

    Raises
    ------
    CellTooSmallError
        For a cell of one item.
    InvalidInputError
        With fewer events than fill a group, and for cells as in `InvertedLists.of`.
    """
    check_count(budget, name="budget", low=1)
    train, rng = data.events.train, np.random.default_rng(random_state)
    number = min(check_count(n_events, name="n_events", low=1), len(train)) // group * group
    if not number:
        raise InvalidInputError(f"{group} events or more", f"{n_events}", "look at more events")
    rows = rng.choice(len(train), number, replace=False)
    users, positives = train.user[rows], train.item[rows]
    lists = InvertedLists.of(cells)
    many: list[Source] = [
        InBatch(data.share, group), Uniform(train.n_items, budget), SameCell(lists, budget)
    ]  # fmt: skip
    draws_of = (group - 1, budget, budget)
    drawn = draw_negatives(many, users, positives, history=data.history, twins=data.twins, rng=rng)
    often = {
        source.name: source.expected(drawn.items, positives) / number
        for source, number in zip(many, draws_of, strict=True)
    }
    return FixedDraws(
        users, positives, prefixes(train, history)[rows], drawn.items,
        tuple(many[kind].name for kind in drawn.kinds), drawn.excluded, often, budget, group,
    )  # fmt: skip


def behind(draws: FixedDraws, model: TwoTower) -> Float[np.ndarray, "B n"]:
    """How far each negative is behind the positive.

    Parameters
    ----------
    draws : FixedDraws
        The negatives.
    model : TwoTower
        Scores them.

    Returns
    -------
    (B, n) float array
        The cosine of each negative with the user, less that of the positive; from -2 to 2.
    """
    with torch.no_grad():
        users = model.users(
            torch.from_numpy(draws.histories),
            torch.from_numpy(draws.users) if model.user_table is not None else None,
        ).numpy()
        items = model.items().numpy()
    cosine = np.einsum("bd,bnd->bn", users, items[draws.items])
    positive = (users * items[draws.positives]).sum(axis=1, keepdims=True)
    return np.asarray(cosine - positive)


def pushes(
    draws: FixedDraws,
    gap: Float[np.ndarray, "B n"],
    *,
    temperature: float,
    hard: int,
    corrected: bool = True,
) -> dict[str, tuple[Float[np.ndarray, " c"], Float[np.ndarray, " c"]]]:
    """How hard the loss pushes the draws that count away.

    Parameters
    ----------
    draws : FixedDraws
        The negatives.
    gap : (B, n) float array
        What `behind` gave.
    temperature : float
        Of the softmax, above 0.
    hard : int
        How many of the budget come from the positive's cell.
    corrected : bool
        False counts these as uniform draws.

    Returns
    -------
    dict
        kind -> (gap, |dL/ds|), two arrays with an entry for each draw; kinds without draws are left
        out.

    Raises
    ------
    InvalidInputError
        For a temperature of 0 and hard > budget.
    """
    check_count(hard, name="hard", low=0, high=draws.budget)
    if check_size(temperature, name="temperature") == 0:
        raise InvalidInputError("a temperature above 0", "0", "raise it")
    number = {"in-batch": draws.group - 1, "uniform": draws.budget - hard, "same cell": hard}
    counted_as = number if corrected else {**number, "uniform": draws.budget, "same cell": 0}
    expected = sum(counted_as[kind] * share for kind, share in draws.per_draw.items())
    kinds = np.array(draws.kinds)
    place = np.concatenate([np.arange((kinds == kind).sum()) for kind in number])
    used = place < np.array([number[kind] for kind in kinds])
    pushed = pressure(
        torch.zeros(len(gap)),
        torch.from_numpy(np.asarray(gap[:, used] / temperature, dtype=np.float32)),
        torch.from_numpy(np.asarray(expected, dtype=np.float32)[:, used]),
        torch.from_numpy(draws.excluded[:, used]),
    ).numpy()
    out = {}
    for kind in number:
        columns = kinds[used] == kind
        if columns.any():
            there = ~draws.excluded[:, used][:, columns]
            out[kind] = gap[:, used][:, columns][there], pushed[:, columns][there]
    return out
