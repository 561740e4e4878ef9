"""Cells of a catalogue that is too large to stop for: found shard by shard, refreshed behind the training.

Three small things make a sampler of hard negatives usable at size. *Streaming*: k-means sees a sample, and
the catalogue is assigned one shard after the other, so that it need not fit into memory. *Double
buffering*: while training draws from one set of lists, the next one is built in the background, and they
are exchanged between two steps. The step at which that happens is fixed beforehand, so that a run does not
depend on how busy the machine was. *Streams*: the random numbers of a step are named by seed, process and
step, so that the processes of a data-parallel training draw independently, and one that is resumed draws on
as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from gsl_tutorial.course.two_tower.sampling import InvertedLists, SameCell
from gsl_tutorial.errors import InvalidInputError, TutorialError
from gsl_tutorial.quantizers.kmeans import kmeans, seed_from
from gsl_tutorial.quantizers.nearest import nearest
from gsl_tutorial.validation import as_vectors, check_count

#: Gives the shards of a catalogue, from the first to the last, every time it is called.
Shards = Callable[[], Iterable[Float[np.ndarray, "n dim"]]]


class RefreshError(TutorialError):
    """Something that is no fault of the cells went wrong in the thread that looks for them."""


def step_stream(seed: int, process: int, step: int) -> np.random.Generator:
    """The random numbers of one step of one process.

    Parameters
    ----------
    seed : int
        Of the training.
    process : int
        The number of the process, its rank, from 0.
    step : int
        The number of the step, from 0.

    Returns
    -------
    Generator
        The same for the same three numbers, independent of all others.

    Examples
    --------
    >>> int(step_stream(0, 0, 7).integers(100)) == int(step_stream(0, 0, 7).integers(100))
    True
    """
    for name, value in (("seed", seed), ("process", process), ("step", step)):
        check_count(value, name=name, low=0)
    return np.random.default_rng([seed, process, step, 83])


def streamed_cells(
    shards: Shards, n_cells: int, *, per_cell: int = 64, random_state: int
) -> Int[np.ndarray, " N"]:
    """Cells of a catalogue that comes in shards.

    The centroids are those of a sample, which is drawn evenly while the shards pass by (reservoir
    sampling). A cell of fewer than two items is dropped, and the shards are assigned once more.

    Parameters
    ----------
    shards : callable()
        Gives the shards; called two times or more.
    n_cells : int
        How many cells to look for.
    per_cell : int
        Items in the sample for each cell.
    random_state : int
        Draws the sample, and where k-means starts.

    Returns
    -------
    (N,) integer array
        Cell numbers from 0, none of them with fewer than two items.

    Raises
    ------
    InvalidInputError
        For no items, more cells than half of them, or rows that are no vectors.
    """
    check_count(n_cells, name="n_cells", low=1)
    sample, n_items = _sample(shards, n_cells * check_count(per_cell, name="per_cell", low=1),
                              np.random.default_rng([random_state, 1]))  # fmt: skip
    if n_items < 2 * n_cells:
        raise InvalidInputError(
            f"{2 * n_cells} items or more for {n_cells} cells",
            f"{n_items} in all shards",
            "use fewer cells",
        )
    centroids = kmeans(sample, n_cells, seed=seed_from(random_state), n_iterations=10)
    while True:
        labels = np.concatenate([nearest(_rows(one), centroids) for one in shards()])
        kept = np.bincount(labels, minlength=len(centroids)) > 1
        if kept.all():
            return labels.astype(np.int64)
        # With two items or more and one centroid left, its cell has them all: this ends.
        centroids = centroids[kept] if kept.any() else centroids[:1]


def _rows(shard: Any) -> Float[np.ndarray, "n dim"]:
    return as_vectors(shard, name="vectors of a shard")


def _sample(
    shards: Shards, size: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "s dim"], int]:
    """`size` rows of all shards, each as likely as the other, and how many rows there are."""
    seen, chosen = 0, None
    for shard in shards():
        rows = _rows(shard)
        if chosen is None:
            chosen = np.empty((0, rows.shape[1]), dtype=np.float32)
        room = min(size - len(chosen), len(rows))
        chosen = np.concatenate([chosen, rows[:room]])
        # Row number n takes the place of another with probability size / n.
        numbers = np.arange(seen + room, seen + len(rows)) + 1
        place = rng.integers(numbers) if len(numbers) else numbers
        for row in np.flatnonzero(place < size):
            chosen[place[row]] = rows[room + row]
        seen += len(rows)
    if chosen is None or not seen:
        raise InvalidInputError("a shard with an item", "none", "bring the catalogue")
    return chosen, seen


class BackgroundRefresh:
    """Build the next lists while training draws from those at hand.

    Parameters
    ----------
    source : SameCell
        Whose lists are exchanged.
    delay : int
        Steps between the begin of a refresh and the exchange, 1 or more. If the new lists are not ready
        by then, that step waits.

    Examples
    --------
    >>> source = SameCell(InvertedLists.of(np.array([0, 0, 1, 1])), 1)
    >>> with BackgroundRefresh(source, delay=2) as refresh:
    ...     refresh.begin(0, lambda: np.array([0, 1, 0, 1]))
    ...     [refresh.at(step) for step in range(3)]
    [False, False, True]
    >>> source.lists.labels
    array([0, 1, 0, 1])
    """

    def __init__(self, source: SameCell, *, delay: int) -> None:
        self._source = source
        self._delay = check_count(delay, name="delay", low=1)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cells")
        self._next: tuple[int, Future[InvertedLists]] | None = None

    def __enter__(self) -> BackgroundRefresh:
        return self

    def __exit__(self, *error: object) -> None:
        self._worker.shutdown(wait=True, cancel_futures=True)

    @property
    def is_idle(self) -> bool:
        """Whether no refresh is under way."""
        return self._next is None

    def begin(self, step: int, find: Callable[[], Int[np.ndarray, " N"]]) -> None:
        """Start a refresh.

        Parameters
        ----------
        step : int
            The number of the step that is about to be taken.
        find : callable()
            Gives the cell of each item; it runs in another thread, on vectors that it must have copied.

        Raises
        ------
        InvalidInputError
            While another refresh is under way.
        """
        if self._next is not None:
            raise InvalidInputError(
                "one refresh at a time",
                f"a second one at step {step}, before step {self._next[0]}",
                "begin it after the exchange, or with a shorter delay",
            )
        size = len(self._source.lists.labels)
        self._next = step + self._delay, self._worker.submit(_built, find, size)

    def at(self, step: int) -> bool:
        """Exchange the lists if this is the step for it: call it before each step.

        Parameters
        ----------
        step : int
            The number of the step that is about to be taken.

        Returns
        -------
        bool
            Whether they were exchanged.

        Raises
        ------
        CellTooSmallError, InvalidInputError
            If what was found are no cells of this catalogue.
        RefreshError
            If the search for them broke off with any other exception.
        """
        if self._next is None or step < self._next[0]:
            return False
        built, self._next = self._next[1], None
        try:
            self._source.lists = built.result()
        except TutorialError:
            raise
        except Exception as error:
            raise RefreshError(
                f"new cells for step {step}",
                f"{type(error).__name__} in the thread that looks for them: {error}",
                "mend what it says, or train without a refresh",
            ) from error
        return True


def _built(find: Callable[[], Int[np.ndarray, " N"]], size: int) -> InvertedLists:
    lists = InvertedLists.of(find())
    if len(lists.labels) != size:
        raise InvalidInputError(
            f"a cell for each of {size} items", f"{len(lists.labels)}", "assign all shards"
        )
    return lists
