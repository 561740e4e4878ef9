"""One query's search with every step kept: its code, what is looked up for each item, and the sum.

`Quantizer.distances` does this for all queries at once and keeps the sums only. Three ways to measure
are taken apart alike, because squared distances add up over the pieces of a vector: ADC (the query
exact, the item a code), SDC (both codes) and exact (no code at all).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import ProductQuantizer
from gsl_tutorial.validation import (
    as_array,
    as_codes,
    as_vectors,
    check_count,
    check_name,
    describe,
)

Measured = Literal["ADC", "SDC", "exact"]
Each = Literal["item", "distance"]


@dataclass(frozen=True)
class Found:
    """The first k items of a ranking, nearest first; row numbers order items of equal distance.

    Attributes
    ----------
    how : str
        How distances were measured.
    code : (M,) integer array
        The query's own code.
    items : (k,) integer array
        Rows of the database.
    codes : (k, M) integer array
        Their codes.
    parts : (k, M) float array
        What each subspace adds to the squared distance.
    distances : (k,) float array
        The squared distances, from the smallest on.
    tied : (k,) integer array
        How many items of the whole database have this very distance.
    everything : (N,) float array
        The distance of every item.
    """

    how: str
    code: Integer[np.ndarray, " M"]
    items: Integer[np.ndarray, " k"]
    codes: Integer[np.ndarray, "k M"]
    parts: Float[np.ndarray, "k M"]
    distances: Float[np.ndarray, " k"]
    tied: Integer[np.ndarray, " k"]
    everything: Float[np.ndarray, " N"]

    def tied_with(self, place: int) -> Integer[np.ndarray, " n"]:
        """All items of the database at the distance of the item in that place.

        Parameters
        ----------
        place : int
            Counted from 0, the nearest.

        Returns
        -------
        (n,) integer array
            Rows of the database, the item itself included.
        """
        return np.flatnonzero(self.everything == self.distances[place])


def look_up(
    quantizer: ProductQuantizer,
    query: Float[np.ndarray, " dim"],
    vectors: Float[np.ndarray, "N dim"],
    codes: Integer[np.ndarray, "N M"],
    *,
    how: Measured = "ADC",
    each: Each = "item",
    k: int = 10,
) -> Found:
    """Rank the whole database for one query and keep what the first k distances are made of.

    Parameters
    ----------
    quantizer : ProductQuantizer
        One whose distances are sums over subspaces.
    query : (dim,) float array
        What is searched with.
    vectors : (N, dim) float array
        The database.
    codes : (N, M) integer array
        The codes of the vectors.
    how : str
        "ADC", "SDC" or "exact".
    each : str
        "item", the k nearest items; or "distance", the nearest item at each of the k smallest
        distances (fewer where there are not so many): with ADC and SDC, a row for each code.
    k : int
        How many rows, from 1 to N.

    Returns
    -------
    Found

    Raises
    ------
    UnknownNameError
        For another way to measure, or another row.
    InvalidInputError
        For a quantizer whose distances are no sum over subspaces (residual, additive), for codes
        and vectors of different length, and for k outside 1 to N.

    Examples
    --------
    >>> pq = ProductQuantizer(2, 2).with_codebooks(np.array([[[0.0], [1.0]], [[0.0], [2.0]]]))
    >>> vectors = np.array([[0.9, 0.1], [0.1, 1.8], [1.0, 2.2]], dtype=np.float32)
    >>> found = look_up(pq, np.array([1.0, 0.0]), vectors, pq.encode(vectors), k=2)
    >>> found.items, found.codes.tolist(), found.parts.tolist()
    (array([0, 2]), [[1, 0], [1, 1]], [[0.0, 0.0], [0.0, 4.0]])
    """
    check_name("way to measure", how, get_args(Measured))
    check_name("row", each, get_args(Each))
    if not isinstance(quantizer, ProductQuantizer):
        raise InvalidInputError(
            "a product quantizer, rotated or not", describe(quantizer), "use quantizer.distances"
        )
    query = as_vectors(as_array(query, name="query")[None], name="query")
    codes = as_codes(codes, n_subspaces=quantizer.n_subspaces, n_codewords=quantizer.n_codewords)
    if len(vectors) != len(codes):
        raise InvalidInputError(
            f"a vector for each of {len(codes)} codes", f"{len(vectors)}", "pass them row by row"
        )
    k = check_count(k, name="k", low=1, high=len(codes))
    code = quantizer.encode(query)
    if how == "exact":
        vectors = as_vectors(vectors, dim=query.shape[1])
        # Subtracted first: far from the origin a rotation would round both.
        parts = (quantizer.split(vectors - query) ** 2).sum(axis=2)
    else:
        asked = query if how == "ADC" else quantizer.decode(code)
        table = quantizer.lookup_tables(asked)[0]
        parts = np.stack([row[codes[:, m]] for m, row in enumerate(table)], axis=1)
    # One piece after the other, as `Quantizer.distances` adds: equal codes get equal distances.
    distances = parts[:, 0].copy()
    for m in range(1, parts.shape[1]):
        distances += parts[:, m]
    values, first, sizes = np.unique(distances, return_index=True, return_counts=True)
    items = first[:k] if each == "distance" else np.argsort(distances, kind="stable")[:k]
    tied = sizes[np.searchsorted(values, distances[items])]
    return Found(how, code[0], items, codes[items], parts[items], distances[items], tied, distances)
