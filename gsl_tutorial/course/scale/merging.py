"""One list of nearest items from several: exactly the list that one index would have given.

Each shard answers with its own k nearest. The k nearest of all are among them, because an item that is
beaten k times in its own shard is beaten k times altogether. Distances of codes are often equal to
the last bit, so the order needs a second key: of equal distances, the smaller id comes first.
faiss keeps the same rule within an index, and so the merged list does not depend on how the items
were cut into shards.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_count

Lists = tuple[Float[np.ndarray, "B k"], Integer[np.ndarray, "B k"]]


def merge_lists(lists: Sequence[Lists], k: int) -> Lists:
    """Merge partial lists of the same queries, nearest first.

    Parameters
    ----------
    lists
        (B, any) distances and (B, any) ids of each shard; id -1 is faiss's "nothing found".
    k
        How many to keep.

    Returns
    -------
    distances
        (B, k), infinite where there are not so many items.
    ids
        (B, k), -1 there.

    Raises
    ------
    InvalidInputError
        Without any list, and for lists of other queries.

    Examples
    --------
    >>> left = np.array([[1.0, 3.0]]), np.array([[4, 0]])
    >>> right = np.array([[1.0, 2.0]]), np.array([[2, 9]])
    >>> merge_lists([left, right], 3)[1]
    array([[2, 4, 9]])
    """
    check_count(k, name="k", low=1)
    shapes = {np.shape(part)[:1] for pair in lists for part in pair}
    if len(shapes) != 1 or any(np.shape(d) != np.shape(i) for d, i in lists):
        raise InvalidInputError(
            "lists of distances and ids for the same queries",
            f"{len(lists)} lists with {sorted(shapes)} rows",
            "send the same queries to every shard, and at least to one",
        )
    distances = np.concatenate([d for d, _ in lists], axis=1)
    ids = np.concatenate([i for _, i in lists], axis=1)
    distances = np.where(ids < 0, np.inf, distances)
    order = np.lexsort((ids, distances), axis=1)[:, :k]
    distances = np.take_along_axis(distances, order, axis=1)
    ids = np.take_along_axis(ids, order, axis=1)
    # -1 sorts before the ids of other infinities, but only padding is infinite.
    missing = k - distances.shape[1]
    if missing > 0:
        distances = np.pad(distances, ((0, 0), (0, missing)), constant_values=np.inf)
        ids = np.pad(ids, ((0, 0), (0, missing)), constant_values=-1)
    return distances, ids
