"""Three ways to compare a query with a database, for `code_files.measure_outside`.

Codes against codes (the number of columns, or bits, that differ), exact queries against codes (ADC:
product, rotated product and additive codes, with their codebooks), vectors against vectors. The last two
measure squared distances, inner products or cosines. Shapes, types and alphabets are checked here; what
the numbers then mean is `audit`'s affair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from jaxtyping import Float, Integer, Real

from gsl_tutorial.course.results.alphabets import Symbols, as_symbols, whole_numbers
from gsl_tutorial.course.results.audit import Warned
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation.at_rank import code_distances, word_distances, words_of_bits
from gsl_tutorial.evaluation.distances import squared_distances
from gsl_tutorial.validation import as_array, as_codes, as_vectors, check_name, describe

if TYPE_CHECKING:
    from gsl_tutorial.quantizers import Quantizer

#: Squared Euclidean distance; minus the inner product; minus the cosine.
Metric = Literal["l2", "ip", "cosine"]
_SAID = {"l2": "squared Euclidean distance", "ip": "inner product", "cosine": "cosine"}


@dataclass(frozen=True)
class Search:
    """How queries meet the database: what is measured, in how many bits, and the distances.

    Attributes
    ----------
    kind : str
        What is measured.
    bits : int
        The length of a code.
    n_query : int
        How many queries.
    query : array or None
        In the same form as the database items, to look for queries among them; None where there is
        no such form.
    database : array
        A row for each item.
    distances_of : callable(rows, items)
        From a slice of the queries, b of them, and U rows of `database`, (b, U) numbers: smaller is
        nearer, so inner products come with a minus sign.
    found : tuple of Warned
        What the reader must be told about the files.
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


def by_codes(
    query_codes: np.ndarray,
    database_codes: np.ndarray,
    *,
    packed: bool | None = None,
    bits: int | None = None,
) -> Search:
    """Codes (B, M) and (N, M): the distance is the number of columns that differ.

    Parameters
    ----------
    query_codes, database_codes : (B, M) and (N, M) arrays
        Columns of 0 and 1, or of -1 and +1, are bits, and then this is the Hamming distance; other
        whole numbers are the symbols of M subspaces.
    packed : bool, optional
        Whether they are bytes of eight bits each, from numpy.packbits. None: they are not, but
        bytes that look like it are questioned; False: they are not, and nothing is asked.
    bits : int, optional
        The length of a code as it was published; None: as it is stored.

    Returns
    -------
    Search

    Raises
    ------
    InvalidInputError
        For other shapes and types, different alphabets, and `bits` that the codes do not fit.
    """
    found = as_symbols(query_codes, database_codes, packed=packed, bits=bits)
    n = found.database.shape[1]
    words = _Last(words_of_bits)

    def distances_of(rows: slice, codes: np.ndarray) -> np.ndarray:
        if found.are_bits:
            return word_distances(words_of_bits(found.query[rows]), words(codes))
        return code_distances(found.query[rows], codes)

    what = "bits" if found.are_bits else "columns"
    return Search(
        f"symmetric: number of differing {what} out of {n}",
        found.bits,
        len(found.query),
        found.query,
        found.database,
        distances_of,
        (*found.warnings, *_dead(found)),
    )


def by_tables(
    queries: np.ndarray,
    database_codes: np.ndarray,
    codebooks: np.ndarray,
    *,
    query_codes: np.ndarray | None = None,
    rotation: np.ndarray | None = None,
    metric: Metric = "l2",
) -> Search:
    """Exact queries against the reconstructions that codes stand for (ADC).

    Parameters
    ----------
    queries : (B, dim) float array
        The exact queries.
    database_codes : (N, M) integer array
        From 0 to K - 1.
    codebooks : array
        (M, K, dim / M): product codes, whose codewords stand side by side. (M, K, dim): additive
        codes (residual quantization, LSQ), whose codewords are added up.
    query_codes : (B, M) integer array, optional
        The codes that the same encoder gave the queries. Where these codebooks would give others,
        encoding and lookup use different codewords, and that is warned of.
    rotation : (dim', dim) float array, optional
        Orthonormal rows, z' = rotation @ z: the codewords live in the rotated space (OPQ).
    metric : str
        "l2", "ip" or "cosine", of the query with the reconstruction.

    Returns
    -------
    Search

    Raises
    ------
    InvalidInputError
        For shapes that do not fit, codes that are no codewords, and vectors of length 0 under
        "cosine".
    """
    check_name("metric", metric, get_args(Metric))
    codes = whole_numbers(database_codes, "database")
    books = as_array(codebooks, name="codebooks")
    if books.ndim != 3:
        raise InvalidInputError(
            "codebooks (M, K, d): M books of K codewords of dimension d",
            describe(books),
            "stack the books along a first axis; for an index of faiss, "
            "gsl_tutorial.quantizers.faiss_index.from_faiss gives them",
        )
    queries = as_array(queries, name="queries")
    if rotation is not None:
        queries = _rotated(queries, rotation)
    M, K, d = books.shape
    is_sum = queries.ndim == 2 and queries.shape[1] == d and M > 1
    # Late, for codes without codebooks need neither them nor torch, which is 200 MB.
    from gsl_tutorial.quantizers import ProductQuantizer, ResidualQuantizer

    quantizer: Quantizer = (ResidualQuantizer if is_sum else ProductQuantizer)(M, K)
    quantizer.with_codebooks(books)
    codes = as_codes(codes, n_subspaces=M, n_codewords=K)
    vectors = as_vectors(_as_float(queries), dim=quantizer.dim_, name="queries")
    found = []
    if query_codes is not None:
        query_codes = whole_numbers(query_codes, "query")
        if query_codes.shape != (len(vectors), M):
            raise InvalidInputError(
                f"query codes ({len(vectors)}, {M}), the codes of the queries",
                describe(query_codes),
                "pass both for the same queries, or no query codes",
            )
        query_codes = as_codes(query_codes, n_subspaces=M, n_codewords=K)
        found = _other_codewords(quantizer, vectors, query_codes, is_sum)
    if metric == "cosine":
        vectors = _directions(vectors, "queries")
    what = "sum of whole codewords" if is_sum else "codewords side by side"
    turned = ", rotated" if rotation is not None else ""
    return Search(
        f"ADC: {_SAID[metric]} to a reconstruction, {what}{turned}",
        quantizer.bits,
        len(vectors),
        query_codes,
        codes,
        _to_reconstructions(quantizer, vectors, metric),
        (
            *found,
            *_dead(Symbols(codes[:0], codes, quantizer.bits, False, ())),
        ),
    )


def by_vectors(query: np.ndarray, database: np.ndarray, *, metric: Metric = "l2") -> Search:
    """Exact search among vectors.

    Parameters
    ----------
    query, database : (B, dim) and (N, dim) arrays
        Bytes (.bvecs, .u8bin) are taken as numbers.
    metric : str
        "l2", "ip" or "cosine".

    Returns
    -------
    Search

    Raises
    ------
    InvalidInputError
        For other shapes and types, and for vectors of length 0 under "cosine".
    """
    check_name("metric", metric, get_args(Metric))
    stored = as_array(database, name="database vectors")
    database = as_vectors(_as_float(stored), name="database vectors")
    query = as_vectors(
        _as_float(as_array(query, name="query vectors")),
        dim=database.shape[1],
        name="query vectors",
    )
    if metric == "cosine":
        query, database = _directions(query, "queries"), _directions(database, "database vectors")

    def distances_of(rows: slice, vectors: np.ndarray) -> np.ndarray:
        if metric == "l2":
            return squared_distances(query[rows], vectors)
        return -(query[rows] @ vectors.T)

    return Search(
        f"exact: {_SAID[metric]}",
        min(32, 8 * stored.dtype.itemsize) * database.shape[1],  # we compute in 32 bits
        len(query),
        query,
        database,
        distances_of,
    )


class _Last:
    """What was made of the last array, kept for the next call: a search asks for one, block by block."""

    def __init__(self, make: Callable[[np.ndarray], np.ndarray]) -> None:
        self._make = make
        self._kept: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(self, array: np.ndarray) -> np.ndarray:
        kept = self._kept  # read once: threads may ask together
        if kept is None or kept[0] is not array:
            kept = self._kept = (array, self._make(array))
        return kept[1]


def _to_reconstructions(
    quantizer: Quantizer, queries: Float[np.ndarray, "B dim"], metric: Metric
) -> Callable[[slice, np.ndarray], Float[np.ndarray, "b U"]]:
    def decoded(codes: Integer[np.ndarray, "U M"]) -> Float[np.ndarray, "U dim"]:
        vectors = quantizer.decode(codes)
        return _directions(vectors, "reconstructions") if metric == "cosine" else vectors

    vectors = _Last(decoded)
    if metric == "l2":
        return lambda rows, codes: quantizer.distances(queries[rows], codes)
    return lambda rows, codes: -(queries[rows] @ vectors(codes).T)


def _other_codewords(
    quantizer: Quantizer,
    queries: Float[np.ndarray, "B dim"],
    query_codes: Integer[np.ndarray, "B M"],
    is_sum: bool,
) -> list[Warned]:
    trap = "codes of other codewords"
    if is_sum:
        # An additive encoder may choose another sum that is as near; so distortions are compared.
        ours, theirs = (
            ((queries - quantizer.decode(codes)) ** 2).sum(axis=1).mean()
            for codes in (quantizer.encode(queries), query_codes)
        )
        if theirs <= 1.25 * ours:
            return []
        text = f"the sums that the query codes stand for are {theirs / ours:.1f} times as far as others"
        return [Warned(trap, f"{text}; or the rotation is missing or transposed")]
    share = (quantizer.encode(queries) == query_codes).mean()
    if share >= 0.99:
        return []
    text = f"{1 - share:.1%} of the query codes are not the nearest of these codewords"
    return [Warned(trap, f"{text}; or the rotation is missing or transposed")]


def _dead(found: Symbols) -> list[Warned]:
    """Name the columns of the database that never change: they are paid for and say nothing."""
    columns = found.database.T
    n = sum(bool((column == column[0]).all()) for column in columns) if len(found.database) else 0
    if not n or len(found.database) < 2:
        return []
    each = found.bits // len(columns)
    said = (
        f"{n} of {len(columns)} bits never change in the database"
        if found.are_bits
        else f"{n} of {len(columns)} columns ({n * each} of {found.bits} bits) never change in the "
        "database"
    )
    return [Warned("dead bits", said)]


def _rotated(queries: np.ndarray, rotation: object) -> np.ndarray:
    matrix = as_array(rotation, name="a rotation")
    fits = matrix.ndim == 2 and queries.ndim == 2 and matrix.shape[1] == queries.shape[1]
    if fits and matrix.dtype.kind == "f" and np.isfinite(matrix).all():
        rows = matrix.astype(np.float64)
        if np.abs(rows @ rows.T - np.eye(len(rows))).max() <= 1e-3:
            vectors = as_vectors(_as_float(queries), name="queries")
            return (vectors @ rows.T).astype(np.float32)
    dim = queries.shape[-1] if queries.ndim else 0
    raise InvalidInputError(
        f"an orthonormal rotation ({dim}, {dim}), z' = rotation @ z",
        describe(matrix),
        "pass OPQ's matrix: ours is rotation_, faiss's OPQMatrix.A; that of nanopq is transposed",
    )


def _as_float(array: np.ndarray) -> np.ndarray:
    """Bytes as numbers: the vectors of SIFT come as .bvecs."""
    return array.astype(np.float32) if array.dtype in (np.uint8, np.int8) else array


def _directions(vectors: Float[np.ndarray, "n dim"], of: str) -> Float[np.ndarray, "n dim"]:
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    if not largest.all():
        row = int((largest[:, 0] == 0).argmax())
        raise InvalidInputError(
            f"{of} with a direction, for the cosine",
            f"row {row} is all zeros",
            "leave such rows out, or use the inner product",
        )
    scaled = vectors / largest  # first: squares of very small or large numbers would be lost
    return np.asarray(scaled / np.linalg.norm(scaled, axis=1, keepdims=True), dtype=np.float32)
