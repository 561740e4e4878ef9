"""Three ways to compare a query with a database, for `outside.measure_outside`.

Integer codes against integer codes, exact queries against codes by look-up tables (ADC), vectors
against vectors. Shapes and types are checked here; what the numbers then mean is `audit`'s affair.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Integer, Real

from gsl_tutorial.course.results.audit import Warned
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation.at_rank import code_distances
from gsl_tutorial.evaluation.distances import squared_distances
from gsl_tutorial.quantizers import ProductQuantizer
from gsl_tutorial.validation import as_codes, as_vectors, describe


@dataclass(frozen=True)
class Search:
    """How queries meet the database: what is measured, in how many bits, and the distances.

    query: in the same form as the database items, to look for queries among them; None where there
    is no such form. distances_of takes a slice of the queries and some rows of `database`.
    """

    kind: str
    bits: int
    n_query: int
    query: np.ndarray | None
    database: np.ndarray
    distances_of: Callable[[slice, np.ndarray], Real[np.ndarray, "b U"]]
    found: tuple[Warned, ...] = ()

    @property
    def has_codes(self) -> bool:
        """Whether items are codes, of which equal ones are always tied."""
        return self.database.dtype.kind in "iu"


def by_codes(query_codes: np.ndarray, database_codes: np.ndarray) -> Search:
    """Integer codes (B, M) and (N, M): the distance is the number of columns that differ.

    For binary codes one column is one bit. Raises `InvalidInputError` for other shapes and types.
    """
    query_codes, database_codes = (
        _integer(query_codes, "query"),
        _integer(database_codes, "database"),
    )
    if query_codes.shape[1] != database_codes.shape[1]:
        raise InvalidInputError(
            "query and database codes with as many columns",
            f"{describe(query_codes)} and {describe(database_codes)}",
            "pass codes of one quantizer",
        )
    symbols = [len(np.unique(column)) for column in database_codes.T]
    return Search(
        f"symmetric: number of differing columns out of {len(symbols)}",
        sum(math.ceil(math.log2(n)) for n in symbols),
        len(query_codes),
        query_codes,
        database_codes,
        lambda rows, codes: code_distances(query_codes[rows], codes),
    )


def by_tables(
    queries: np.ndarray,
    database_codes: np.ndarray,
    codebooks: np.ndarray,
    *,
    query_codes: np.ndarray | None = None,
) -> Search:
    """ADC: queries (B, dim), codes (N, M) and codebooks (M, K, dim / M); squared sub-distances.

    query_codes: the codes that the same encoder gave the queries; where these codebooks would give
    others, encoding and look-up use different codewords, and that is warned of.
    """
    database_codes = _integer(database_codes, "database")
    books = np.asarray(codebooks)
    if books.ndim != 3:
        raise InvalidInputError(
            "codebooks (M, K, d): M books of K codewords of length d",
            describe(books),
            "stack the books along a first axis; additive codes are not for this command",
        )
    pq = ProductQuantizer(books.shape[0], books.shape[1]).with_codebooks(books)
    as_codes(database_codes, n_subspaces=pq.n_subspaces, n_codewords=pq.n_codewords)
    queries = as_vectors(queries, dim=pq.dim_, name="queries")
    found = []
    if query_codes is not None:
        query_codes = _integer(query_codes, "query")
        if query_codes.shape != (len(queries), pq.n_subspaces):
            raise InvalidInputError(
                f"query codes ({len(queries)}, {pq.n_subspaces}), the codes of the queries",
                describe(query_codes),
                "pass both for the same queries, or no query codes",
            )
        share = (pq.encode(queries) == query_codes).mean()
        if share < 0.99:
            text = f"{1 - share:.1%} of the query codes are not the nearest of these codewords"
            found.append(Warned("codes of other codewords", text))
    return Search(
        "ADC: sum of squared sub-distances to the codewords",
        pq.bits,
        len(queries),
        query_codes,
        database_codes,
        lambda rows, codes: pq.distances(queries[rows], codes),
        tuple(found),
    )


def by_vectors(query: np.ndarray, database: np.ndarray) -> Search:
    """Exact squared Euclidean distances between vectors (B, dim) and (N, dim)."""
    database = as_vectors(database, name="database vectors")
    query = as_vectors(query, dim=database.shape[1], name="query vectors")
    return Search(
        "exact: squared Euclidean distance",
        32 * database.shape[1],
        len(query),
        query,
        database,
        lambda rows, vectors: squared_distances(query[rows], vectors),
    )


def _integer(codes: np.ndarray, of: str) -> Integer[np.ndarray, "n M"]:
    codes = np.asarray(codes)
    if codes.ndim != 2 or codes.shape[1] == 0 or not len(codes) or codes.dtype.kind not in "iu":
        raise InvalidInputError(
            f"integer {of} codes, a row for each item and a column for each subspace or bit",
            describe(codes),
            "turn signs into bits with (x > 0).astype(numpy.uint8), packed bits into columns with "
            "numpy.unpackbits(x, axis=1)"
            if codes.ndim == 2 and codes.size
            else "bring them into the shape (number of items, length of a code) with reshape",
        )
    return codes
