"""Where negatives come from: sources that draw items, and say how often they draw each.

A source draws k items for each positive, and knows the *expected number of times* that it draws any
item j for that positive. Added up over all sources that is Q(j), which the loss divides by (`losses`), so
any mixture of sources estimates one and the same sum, without bias; the loss is its logarithm. A source
costs the same whatever the size of the catalogue: cells are kept as inverted lists, and a draw is a lookup.

Source: in-batch with correction, Yi et al. 2019; mixed with uniform ones, Yang et al. 2020; same-cluster
ones, the abstract of arXiv 2607.00448. How cells are made and corrected is our reconstruction.
Axes: B positives (one a row), k draws, N items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float, Int

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_count, describe


class CellTooSmallError(InvalidInputError):
    """A cluster holds one item: beside the positive itself there is nothing to draw."""


@dataclass(frozen=True, eq=False)
class InvertedLists:
    """For each cell the items in it, laid end to end: drawing is a lookup, never a scan.

    Attributes
    ----------
    labels : (N,) integer array
        The cell of each item.
    items : (N,) integer array
        All items, sorted by cell.
    starts : (cells + 1,) integer array
        Where each cell begins in `items`.
    place : (N,) integer array
        Where each item stands in `items`.
    """

    labels: Int[np.ndarray, " N"]
    items: Int[np.ndarray, " N"]
    starts: Int[np.ndarray, " cells_plus_1"]
    place: Int[np.ndarray, " N"]

    @classmethod
    def of(cls, labels: Int[np.ndarray, " N"]) -> InvertedLists:
        """Build the lists.

        Parameters
        ----------
        labels : (N,) integer array
            One cell number for each item, from 0 without gaps in use.

        Returns
        -------
        InvertedLists

        Raises
        ------
        CellTooSmallError
            For a cell of one item.
        InvalidInputError
            For anything else.
        """
        labels = np.asarray(labels)
        if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels):
            raise InvalidInputError(
                "a cell number for every item", describe(labels), "pass (N,) whole numbers"
            )
        if labels.min() < 0:
            raise InvalidInputError(
                "cell numbers from 0", f"{labels.min()}", "number the cells from 0"
            )
        sizes = np.bincount(labels)
        if (sizes == 1).any():
            alone = np.flatnonzero(sizes == 1)
            raise CellTooSmallError(
                "two items or more in every cell",
                f"{len(alone)} cells with one, cell {alone[0]} among them: no negative to draw",
                "call merge_small_cells first",
            )
        items = np.argsort(labels, kind="stable")
        place = np.empty_like(items)
        place[items] = np.arange(len(items))
        return cls(labels, items, np.concatenate([[0], np.cumsum(sizes)]), place)

    @property
    def sizes(self) -> Int[np.ndarray, " cells"]:
        """How many items are in each cell."""
        return np.diff(self.starts)

    def sizes_of(self, cells: Int[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
        """How many items these cells have, without a look at the others."""
        return np.asarray(self.starts[cells + 1] - self.starts[cells])

    def draw_mates(
        self, positives: Int[np.ndarray, " B"], k: int, rng: np.random.Generator
    ) -> Int[np.ndarray, "B k"]:
        """Draw items of each positive's cell, never itself, each other one equally likely.

        Parameters
        ----------
        positives : (B,) integer array
            Items.
        k : int
            How many to draw for each.
        rng : Generator
            Where the randomness comes from.

        Returns
        -------
        (B, k) integer array
        """
        cell = self.labels[positives]
        start, size = self.starts[cell], self.sizes_of(cell)
        # One of size - 1 steps round the list, starting from the positive's own place.
        step = rng.integers(1, size[:, None], size=(len(positives), k))
        place = (self.place[positives] - start)[:, None] + step
        drawn: np.ndarray = self.items[start[:, None] + place % size[:, None]]
        return drawn


class Source(Protocol):
    """What a source of negatives must be able to do."""

    @property
    def name(self) -> str:
        """What its negatives are called in notes and pictures."""
        ...

    def draw(
        self, positives: Int[np.ndarray, " B"], rng: np.random.Generator
    ) -> Int[np.ndarray, "B k"]:
        """Draw the same number of items for each positive.

        Parameters
        ----------
        positives : (B,) integer array
            Items.
        rng : Generator
            Where the randomness comes from.

        Returns
        -------
        (B, k) integer array
            Items.
        """
        ...

    def expected(
        self, items: Int[np.ndarray, "B n"], positives: Int[np.ndarray, " B"]
    ) -> Float[np.ndarray, "B n"]:
        """How many times this source draws each of these items on average.

        Parameters
        ----------
        items : (B, n) integer array
            What is asked about.
        positives : (B,) integer array
            For which positive of each row they are drawn.

        Returns
        -------
        (B, n) float array
            0 for an item that is never drawn.
        """
        ...


@dataclass(frozen=True)
class InBatch:
    """The other positives of the row's group: free, and as popular as the items are.

    The batch is cut into groups, so that the number of in-batch negatives does not hang on the size
    of the batch.

    Parameters
    ----------
    share : (N,) float array
        Of all training events, the share that are of each item.
    group : int
        How many rows a group has.
    name : str
        What its negatives are called.
    """

    share: Float[np.ndarray, " N"]
    group: int
    name: str = "in-batch"

    def draw(
        self, positives: Int[np.ndarray, " B"], rng: np.random.Generator
    ) -> Int[np.ndarray, "B k"]:
        """The other rows of each group.

        Parameters
        ----------
        positives : (B,) integer array
            Items; B is a multiple of `group`.
        rng : Generator
            Not used: nothing is drawn.

        Returns
        -------
        (B, group - 1) integer array

        Raises
        ------
        InvalidInputError
            Where groups do not fill the batch.
        """
        if self.group < 2 or len(positives) % self.group:
            raise InvalidInputError(
                "groups of two rows or more that fill the batch",
                f"{len(positives)} rows in groups of {self.group}",
                "cut the batch to a multiple of the group",
            )
        others = np.stack([np.roll(np.arange(self.group), -s) for s in range(1, self.group)], 1)
        return positives.reshape(-1, self.group)[:, others].reshape(len(positives), -1)

    def expected(
        self, items: Int[np.ndarray, "B n"], positives: Int[np.ndarray, " B"]
    ) -> Float[np.ndarray, "B n"]:
        """How often an item is among the other positives, on average.

        Parameters
        ----------
        items : (B, n) integer array
            What is asked about.
        positives : (B,) integer array
            Not used: the answer is the same for all of them.

        Returns
        -------
        (B, n) float array
        """
        return (self.group - 1) * self.share[items]


@dataclass(frozen=True)
class Uniform(Source):
    """Any item of the catalogue, each as likely as the other: mostly easy, never biased.

    Parameters
    ----------
    n_items : int
        The size of the catalogue.
    k : int
        How many to draw for each positive.
    name : str
        What its negatives are called.
    """

    n_items: int
    k: int
    name: str = "uniform"

    def draw(
        self, positives: Int[np.ndarray, " B"], rng: np.random.Generator
    ) -> Int[np.ndarray, "B k"]:
        """Draw k items for each positive."""
        return rng.integers(self.n_items, size=(len(positives), self.k))

    def expected(
        self, items: Int[np.ndarray, "B n"], positives: Int[np.ndarray, " B"]
    ) -> Float[np.ndarray, "B n"]:
        """How often an item is drawn on average: k shared by the whole catalogue."""
        return np.full(items.shape, self.k / self.n_items)


@dataclass
class SameCell(Source):
    """Items of the positive's own cell: hard where cells mean something.

    Parameters
    ----------
    lists : InvertedLists
        The cells; `refresh` gives new ones during training.
    k : int
        How many to draw for each positive.
    corrected : bool
        False counts the draws as if they were uniform: what happens when the correction is
        forgotten.
    name : str
        What its negatives are called.
    """

    lists: InvertedLists
    k: int
    corrected: bool = True
    name: str = "same cell"

    def refresh(self, labels: Int[np.ndarray, " N"]) -> None:
        """Use these cells from now on.

        Parameters
        ----------
        labels : (N,) integer array
            See `InvertedLists.of`.

        Raises
        ------
        CellTooSmallError, InvalidInputError
            See `InvertedLists.of`; also for another number of items.
        """
        if len(labels) != len(self.lists.labels):
            raise InvalidInputError(
                f"a cell for each of {len(self.lists.labels)} items", describe(labels), "pass all"
            )
        self.lists = InvertedLists.of(labels)

    def draw(
        self, positives: Int[np.ndarray, " B"], rng: np.random.Generator
    ) -> Int[np.ndarray, "B k"]:
        """Draw k items of each positive's cell, never itself."""
        return self.lists.draw_mates(positives, self.k, rng)

    def expected(
        self, items: Int[np.ndarray, "B n"], positives: Int[np.ndarray, " B"]
    ) -> Float[np.ndarray, "B n"]:
        """How often an item is drawn on average: k shared by the positive's mates, else 0."""
        labels = self.lists.labels
        if not self.corrected:
            return np.full(items.shape, self.k / len(labels))
        cell = labels[positives][:, None]
        mates = self.lists.sizes_of(cell) - 1
        return np.where(
            (labels[items] == cell) & (items != positives[:, None]), self.k / mates, 0.0
        )


@dataclass(frozen=True)
class Drawn:
    """One batch of negatives.

    Attributes
    ----------
    items : (B, n) integer array
        The negatives of each row.
    expected : (B, n) float array
        Q, how often each is drawn on average.
    kinds : (n,) integer array
        The source of each column.
    excluded : (B, n) bool array
        Which negatives do not count.
    """

    items: Int[np.ndarray, "B n"]
    expected: Float[np.ndarray, "B n"]
    kinds: Int[np.ndarray, " n"]
    excluded: Bool[np.ndarray, "B n"]


class PairSet:
    """A set of (row, item) pairs with quick membership: a user's history, an item's twins.

    Parameters
    ----------
    rows, items : (p,) integer arrays
        The pairs.
    n_items : int
        Items are numbered from 0 to n_items - 1.
    """

    def __init__(
        self, rows: Int[np.ndarray, " p"], items: Int[np.ndarray, " p"], n_items: int
    ) -> None:
        check_count(n_items, name="n_items", low=1)
        self._n = n_items
        self._keys = np.unique(np.asarray(rows, dtype=np.int64) * n_items + items)

    def holds(
        self, rows: Int[np.ndarray, " B"], items: Int[np.ndarray, "B n"]
    ) -> Bool[np.ndarray, "B n"]:
        """Whether (rows[b], items[b, i]) is in the set; a binary search, no scan.

        Parameters
        ----------
        rows : (B,) integer array
            Users, or items.
        items : (B, n) integer array
            Items.

        Returns
        -------
        (B, n) bool array
        """
        if not len(self._keys):
            return np.zeros(items.shape, dtype=bool)
        keys = rows[:, None] * self._n + items
        place = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        return self._keys[place] == keys


def draw_negatives(
    sources: list[Source],
    users: Int[np.ndarray, " B"],
    positives: Int[np.ndarray, " B"],
    *,
    history: PairSet,
    twins: PairSet,
    rng: np.random.Generator,
) -> Drawn:
    """Draw from all sources; Q is their sum, whatever source an item came from.

    Draws that are the positive itself, in the user's history or a twin of the positive are
    excluded, not drawn again.

    Parameters
    ----------
    sources : list of Source
        Whose columns come in this order.
    users, positives : (B,) integer arrays
        Who took what.
    history : PairSet
        The (user, item) pairs of the training set.
    twins : PairSet
        The (item, item) duplicates.
    rng : Generator
        Where the randomness comes from.

    Returns
    -------
    Drawn
    """
    blocks = [source.draw(positives, rng) for source in sources]
    items = np.concatenate(blocks, axis=1)
    kinds = np.repeat(np.arange(len(sources)), [block.shape[1] for block in blocks])
    expected = sum(source.expected(items, positives) for source in sources)
    excluded = (
        (items == positives[:, None]) | history.holds(users, items) | twins.holds(positives, items)
    )
    return Drawn(items, np.asarray(expected), kinds, excluded)
