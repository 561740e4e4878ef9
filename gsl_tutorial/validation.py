"""Checks on what a caller hands in, written once.

Every public function that takes embeddings sends them through `as_vectors`, so that a wrong shape,
a wrong type or a NaN is named in the same words everywhere and before any work is done.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.errors import InvalidInputError, UnknownNameError

_LARGEST = np.iinfo(np.int64).max


def describe(value: object) -> str:
    """Say what a value is, in a few words.

    Examples
    --------
    >>> describe(np.zeros((3, 2)))
    'a (3, 2) array of float64'
    """
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None:
        return f"a {tuple(shape)} array of {str(dtype).removeprefix('torch.')}"
    return f"{type(value).__name__} {value!r}"[:80]


def largest(dim: int) -> float:
    """How large the entries of vectors of this length may be: the limit of squared distances.

    Two such vectors differ by at most twice as much in each entry; the squared distance between
    them, and that between sums of a few of them, still fits float32.

    Examples
    --------
    >>> f"{largest(128):.1e}"
    '4.1e+17'
    """
    return float(np.sqrt(float(np.finfo(np.float32).max) / max(1, dim)) / 4)


def as_array(values: Any, *, name: str) -> np.ndarray:
    """Return a list, a tensor (of any device, with or without gradient) or an array as an array.

    Parameters
    ----------
    values
        What a caller handed in. A bfloat16 tensor comes back as float32, which holds it exactly.
    name
        What it is called in messages.

    Returns
    -------
    numpy.ndarray
        Of the same shape; it may share the memory of `values`.

    Raises
    ------
    InvalidInputError
        For a masked array that hides something (NumPy would drop the mask without a word), sparse
        matrices, a tensor without data, rows of different lengths, and what is no array at all.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        raise InvalidInputError(
            f"{name} without a mask",
            f"a masked array that hides {np.ma.getmaskarray(values).sum()} of {values.size} entries",
            "leave the hidden items out, or write what stands for them with .filled(...)",
        )
    if _is_sparse(values):
        raise InvalidInputError(
            f"dense {name}",
            f"a sparse {type(values).__name__} of shape {tuple(getattr(values, 'shape', ()))}",
            "convert them with .toarray(), or .to_dense() for a tensor",
        )
    try:
        if hasattr(values, "detach"):
            values = values.detach().cpu()
            values = values.float() if str(values.dtype) == "torch.bfloat16" else values
        return np.asarray(values)
    except Exception as fault:  # whatever a stranger's __array__ raises
        raise InvalidInputError(
            f"{name} that form an array", f"{type(values).__name__}: {fault}",
            "give every row the same length",
        ) from fault  # fmt: skip


def _is_sparse(values: object) -> bool:
    # scipy's matrices and arrays, and torch's tensors, without importing either.
    if str(getattr(values, "layout", "")).startswith("torch.sparse"):
        return True
    return hasattr(values, "tocsr") and hasattr(values, "nnz")


def as_vectors(
    values: object, *, dim: int | None = None, name: str = "embeddings"
) -> Float[np.ndarray, "n dim"]:
    """Return vectors as a finite array of float32 in C order.

    Parameters
    ----------
    values
        One vector a row. Whole numbers (pixels) and floating-point ones of any width are taken,
        arrays, tensors and data frames alike.
    dim
        How long they must be; None: any length.
    name
        What they are called in messages.

    Returns
    -------
    numpy.ndarray
        (n, dim) of float32; it may share the memory of `values`.

    Raises
    ------
    InvalidInputError
        For another shape, a type that holds no real numbers, NaN, infinity, and entries above
        `largest(dim)`, whose squared distances would leave float32.
    """
    array = _numbers(values, dim, name)
    with np.errstate(over="ignore"):  # a float64 too large for float32 is refused below
        array = np.ascontiguousarray(array, dtype=np.float32)
    if min(array.strides) < 0:  # one row, turned around: torch takes no such array
        array = array.copy()
    limit = largest(array.shape[1])
    # NaN wins in both, and fails the comparison.
    if array.size and not (array.max() <= limit and array.min() >= -limit):
        _refuse_values(array, limit, name)
    return array


def as_rows(
    values: object, *, dim: int | None = None, name: str = "embeddings"
) -> Float[np.ndarray, "n dim"]:
    """Return what `as_vectors` does, but leave float64 as it is.

    Parameters
    ----------
    values, dim, name
        As in `as_vectors`.

    Raises
    ------
    InvalidInputError
        As `as_vectors`.
    """
    array = _numbers(values, dim, name)
    if array.dtype != np.float64 or not array.size:
        return as_vectors(array, name=name)
    limit = largest(array.shape[1])
    if not (array.max() <= limit and array.min() >= -limit):
        _refuse_values(array, limit, name)
    return array


def _numbers(values: object, dim: int | None, name: str) -> np.ndarray:
    """A two-dimensional array of real numbers, or an error."""
    array = as_array(values, name=name)
    if array.ndim != 2 or (dim is not None and array.shape[1] != dim):
        wanted = f"(n, {dim})" if dim is not None else "(n, dim)"
        raise InvalidInputError(
            f"{name} of shape {wanted}", describe(array), "pass one vector per row"
        )
    if array.dtype.kind not in "fiu":
        raise InvalidInputError(
            f"floating-point {name}, or whole numbers",
            describe(array),
            "convert them with .astype(numpy.float32)",
        )
    return array


def _refuse_values(array: Float[np.ndarray, "n dim"], limit: float, name: str) -> None:
    bad = ~np.isfinite(array).all(axis=1)
    if bad.any():
        raise InvalidInputError(
            f"finite {name}",
            f"NaN or infinity in {bad.sum()} of {len(array)} rows, the first is row "
            f"{int(bad.argmax())}",
            "find out where they come from: a diverged training or a division by zero",
        )
    sizes = np.abs(array).max(axis=1)
    raise InvalidInputError(
        f"{name} with entries of size {limit:.2g} at most, so that squared distances over "
        f"{array.shape[1]} numbers fit float32",
        f"{sizes.max():.3g} in row {int(sizes.argmax())}",
        "divide all vectors by the same number",
    )


def column_names(values: object) -> np.ndarray | None:
    """Return the names of a data frame's columns, or None where there are none, or not all are text.

    Whatever has `columns` counts, so pandas and its rivals need not be installed.
    """
    columns = getattr(values, "columns", None)
    if columns is None or callable(columns):
        return None
    try:
        names = list(columns)
    except TypeError:
        return None
    return np.array(names, dtype=object) if all(isinstance(n, str) for n in names) else None


def as_labels(values: object, *, name: str = "labels") -> np.ndarray:
    """Return labels in one of three forms, whatever the file or the library they came from.

    Parameters
    ----------
    values
        One label for each item: whole numbers of any type (floats and truth values too), strings or
        bytes, in the shape (N,) or, as .mat files have them, (N, 1). Or several labels for each
        item: a table (N, L) of truth values, of 0 and 1 or sparse, or a list of N sets. Lists,
        arrays, tensors and columns of a data frame are taken alike.
    name
        What they are called in messages.

    Returns
    -------
    numpy.ndarray
        (N,) of int64 (uint64 where a label needs it) or of strings; (N, L) of bool; or (N,) of
        frozensets. Passing the result once more changes nothing.

    Raises
    ------
    InvalidInputError
        For fractions, for floats so large that neighbouring labels are one number, for masked
        arrays, and for shapes that are none of these.

    Examples
    --------
    >>> as_labels([[3.0], [5.0]])
    array([3, 5])
    >>> as_labels([[0, 1, 1], [0, 0, 0]])
    array([[False,  True,  True],
           [False, False, False]])
    >>> as_labels([{"sea", "sky"}, set()]).tolist() == [{"sea", "sky"}, set()]
    True
    """
    if type(values) is np.ndarray and values.ndim == 1 and values.dtype == np.int64:
        return values  # what most callers have, and nothing to do
    if hasattr(values, "toarray"):
        values = values.toarray()
    if _holds_sets(values):
        return _as_sets(values, name)
    labels = as_array(values, name=name)
    if (labels.ndim == 2 and labels.shape[1] > 1) or (labels.ndim == 2 and labels.dtype == bool):
        return _as_table(labels, name)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise InvalidInputError(
            f"{name} (N,), one for each item, or (N, L) truth values, one for each item and label",
            describe(labels),
            "give each item one row",
        )
    return _as_column(labels, name)


def _holds_sets(values: Any) -> bool:
    if isinstance(values, np.ndarray) and (values.dtype != object or values.ndim == 0):
        return False
    if (
        not hasattr(values, "__len__")
        or not hasattr(values, "__iter__")
        or hasattr(values, "detach")
    ):
        return False
    return len(values) > 0 and isinstance(next(iter(values)), (set, frozenset))


def _as_sets(values: Any, name: str) -> np.ndarray:
    items = np.empty(len(values), dtype=object)
    for i, labels in enumerate(values):
        if not isinstance(labels, (set, frozenset)):
            raise InvalidInputError(
                f"{name} that are all sets", f"{describe(labels)} as item {i}",
                "write an item without labels as set()",
            )  # fmt: skip
        items[i] = frozenset(getattr(one, "item", lambda one=one: one)() for one in labels)
    return items


def _as_table(table: np.ndarray, name: str) -> np.ndarray:
    if table.dtype == bool:
        return table
    if table.dtype.kind not in "iuf" or not ((table == 0) | (table == 1)).all():
        raise InvalidInputError(
            f"{name} (N,), or several for each item as (N, L) truth values (0 and 1)",
            f"{describe(table)} with other values",
            "write 1 where an item has a label and 0 elsewhere, or pass one label for each item",
        )
    return table.astype(bool)


def _as_column(labels: np.ndarray, name: str) -> np.ndarray:
    if labels.dtype == object:
        listed = labels.tolist()
        is_text = len(listed) > 0 and all(isinstance(one, str) for one in listed)
        if is_text:
            labels = np.asarray(listed)
        elif all(isinstance(one, int) for one in listed):
            for dtype in (np.int64, np.uint64):
                if all(np.iinfo(dtype).min <= one <= np.iinfo(dtype).max for one in listed):
                    labels = np.array(listed, dtype=dtype)
                    break
    kind = labels.dtype.kind
    if kind in "iub":
        too_large = labels.dtype == np.uint64 and labels.size and labels.max() > _LARGEST
        return labels if too_large else labels.astype(np.int64, copy=False)
    if kind == "U":
        return labels
    if kind == "S":
        try:
            return labels.astype(str)
        except UnicodeDecodeError:
            pass
    if kind == "f":
        largest = 2.0 ** (np.finfo(labels.dtype).nmant + 1) - 1  # above, neighbours are one
        if (labels == np.floor(labels)).all() and (np.abs(labels) <= largest).all():
            return labels.astype(np.int64)
        raise InvalidInputError(
            f"{name} that are whole numbers, at most {largest:.0f} as {labels.dtype}",
            f"{describe(labels)} with others",
            "store labels as integers; round scores yourself if they are meant as classes",
        )
    raise InvalidInputError(
        f"{name} that are whole numbers, strings or sets",
        describe(labels),
        "number the classes, or write a table of truth values",
    )


def as_codes(values: object, *, n_subspaces: int, n_codewords: int) -> Integer[np.ndarray, "n m"]:
    """Return codes as an array of whole numbers.

    Parameters
    ----------
    values
        One code a row, as `encode` returns them.
    n_subspaces
        M, the length of a code.
    n_codewords
        K: entries lie in [0, K).

    Returns
    -------
    numpy.ndarray
        (n, M), of the type that they came in.

    Raises
    ------
    InvalidInputError
        For another shape, a type that is not an integer, or entries outside [0, K).
    """
    codes = as_array(values, name="codes")
    if codes.ndim != 2 or codes.shape[1] != n_subspaces:
        raise InvalidInputError(
            f"codes of shape (n, {n_subspaces})", describe(codes), "pass what `encode` returned"
        )
    if codes.dtype.kind not in "iu":
        raise InvalidInputError("integer codes", describe(codes), "pass what `encode` returned")
    if codes.size and (codes.min() < 0 or codes.max() >= n_codewords):
        raise InvalidInputError(
            f"codes from 0 to {n_codewords - 1}",
            f"codes from {codes.min()} to {codes.max()}",
            "use the quantizer that made these codes",
        )
    return codes


def as_places(
    values: object,
    *,
    n_rows: int,
    n_items: int | None = None,
    name: str = "neighbours",
    distinct: bool = False,
) -> Integer[np.ndarray, "n_rows t"]:
    """Return row by row the numbers of items, such as neighbours.

    Parameters
    ----------
    values
        Whole numbers; floats that are whole are taken.
    n_rows, n_items
        How many rows there must be, and how many items, where that is known.
    name
        What they are called in messages.
    distinct
        Whether a row may name an item once only.

    Returns
    -------
    numpy.ndarray
        (n_rows, t) of int64.

    Raises
    ------
    InvalidInputError
        For another shape, for numbers that are no items (-1 is faiss's "nothing found", and would
        be the last item to NumPy), and for repeated ones where `distinct`.
    """
    places = as_array(values, name=name)
    if places.ndim != 2 or len(places) != n_rows or places.shape[1] == 0:
        raise InvalidInputError(
            f"a row of {name} for each of the {n_rows} queries", describe(places),
            "pass the lists of the same queries, in the same order",
        )  # fmt: skip
    is_whole = places.dtype.kind in "iu" or (
        places.dtype.kind == "f" and bool((places == np.floor(places)).all())
    )
    if not is_whole:
        raise InvalidInputError(f"{name} as whole numbers", describe(places), "pass item numbers")
    if not places.size:
        return places.astype(np.int64)
    low, high = places.min(), places.max()
    # In Python's numbers: a float16 would overflow, and 2**64 is no int64.
    if low < 0 or float(high) >= (2**53 if n_items is None else n_items):
        top = "" if n_items is None else f" to {n_items - 1}"
        raise InvalidInputError(
            f"{name} as item numbers from 0{top}",
            f"{low} to {high}",
            "-1 is what faiss writes where it found nothing: search more lists (nprobe), or ask for fewer"
            if low < 0
            else "number the items as the database does, from 0",
        )
    places = places.astype(np.int64)
    if distinct:
        in_order = np.sort(places, axis=1)
        repeated = (in_order[:, 1:] == in_order[:, :-1]).any(axis=1)
        if repeated.any():
            raise InvalidInputError(
                f"{name} that are all different in a row",
                f"one named twice in {int(repeated.sum())} rows, row {int(repeated.argmax())} first",
                "leave the second one out: it would count twice",
            )
    return places


def check_count(value: object, *, name: str, low: int, high: int | None = None) -> int:
    """Return a whole number as an int.

    Parameters
    ----------
    value
        A whole number, Python's or NumPy's, and no truth value.
    name
        What it is called in messages.
    low, high
        The least and the largest that it may be; `high` None: no limit.

    Raises
    ------
    InvalidInputError
        For anything else.
    """
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_whole or value < low or (high is not None and value > high):  # type: ignore[operator]
        span = f"{low} or more" if high is None else f"from {low} to {high}"
        raise InvalidInputError(f"{name} a whole number, {span}", repr(value), f"change {name}")
    return int(value)  # type: ignore[call-overload]


def check_size(value: object, *, name: str) -> float:
    """Return a finite number, 0 or more, as a float.

    Parameters
    ----------
    value
        The number.
    name
        What it is called in messages.

    Raises
    ------
    InvalidInputError
        For anything else.
    """
    if isinstance(value, (int, float)) and 0 <= value < math.inf:
        return float(value)
    raise InvalidInputError(f"{name} 0 or more, finite", repr(value), f"change {name}")


def check_name(kind: str, name: object, known: Iterable[str]) -> str:
    """Return `name` when it is one of `known`.

    Parameters
    ----------
    kind
        What the name is of, such as "dataset", for the message.
    name
        The name that was asked for.
    known
        The names that exist.

    Raises
    ------
    UnknownNameError
        When it is none of them.
    """
    names = list(known)
    if not isinstance(name, str) or name not in names:
        raise UnknownNameError(kind, name, names)
    return name


@runtime_checkable
class Sized(Protocol):
    """Whatever has M subspaces of K codewords.

    Attributes
    ----------
    n_subspaces
        M.
    n_codewords
        K.
    """

    n_subspaces: int
    n_codewords: int


def check_sizes(sized: Sized) -> tuple[int, int]:
    """Return (M, K) as whole numbers.

    Raises
    ------
    InvalidInputError
        Unless M is 1 or more and K from 2 to 65536.
    """
    M = check_count(sized.n_subspaces, name="n_subspaces", low=1)
    return M, check_count(sized.n_codewords, name="n_codewords", low=2, high=65536)


def check_tail(values: Any, *tail: int, name: str) -> None:
    """Refuse values that are not a tensor or an array of shape (N, *tail).

    Parameters
    ----------
    values
        What a caller handed in.
    *tail
        The length of every axis but the first.
    name
        What they are called in messages.

    Raises
    ------
    InvalidInputError
        For another shape.
    """
    known = hasattr(values, "reshape") and hasattr(values, "ndim") and not _is_sparse(values)
    numbers = not isinstance(values, np.ma.MaskedArray) and (
        values.dtype.kind in "fiu"
        if isinstance(values, np.ndarray)
        else str(getattr(values, "dtype", "")) != "torch.bool"
    )
    if not known or not numbers or values.ndim != 1 + len(tail) or tuple(values.shape[1:]) != tail:
        shape = ", ".join(map(str, ("N", *tail)))
        raise InvalidInputError(
            f"{name} of shape ({shape}), numbers without a mask",
            describe(values),
            "pass one vector per row",
        )


def check_codebooks(codebooks: object, sized: Sized) -> np.ndarray:
    """Return codebooks as an array.

    Parameters
    ----------
    codebooks
        (M, K, d) For each subspace its codewords, d 1 or more.
    sized
        Says what M and K must be.

    Raises
    ------
    InvalidInputError
        For another shape, and as `check_sizes`.
    """
    M, K = check_sizes(sized)
    books = as_array(codebooks, name="codebooks")
    if books.ndim != 3 or books.shape[:2] != (M, K) or books.shape[2] < 1:
        raise InvalidInputError(
            f"codebooks of shape ({M}, {K}, d)", describe(books), "match M and K"
        )
    return books


def check_training_set(X: object, sized: Sized, *, pieces: int) -> Float[np.ndarray, "N dim"]:
    """Return vectors that K codewords can be learned from and that `pieces` divides.

    Parameters
    ----------
    X
        (N, dim) One vector a row, N at least K.
    sized
        Says what K is.
    pieces
        How many parts of equal length each vector is cut into; 1: it stays whole.

    Returns
    -------
    numpy.ndarray
        (N, dim) of float32.

    Raises
    ------
    InvalidInputError
        For fewer than K vectors, for a length that `pieces` does not divide, and as `as_vectors`.
    """
    _, K = check_sizes(sized)
    vectors = as_vectors(X)
    if vectors.shape[1] == 0 or vectors.shape[1] % pieces:
        divisible = f" divisible by n_subspaces={pieces}" if pieces > 1 else " 1 or more"
        raise InvalidInputError(
            f"vectors whose length is{divisible}",
            f"length {vectors.shape[1]}",
            "change n_subspaces, or pad or project the vectors",
        )
    if len(vectors) < K:
        raise InvalidInputError(
            f"at least n_codewords={K} training vectors",
            f"{len(vectors)}",
            "pass more vectors or ask for fewer codewords",
        )
    return vectors


def named_arrays(arrays: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the arrays of these names.

    Parameters
    ----------
    arrays
        By name, as `arrays()` of a quantizer returned them.
    *names
        Which there must be; there must be no others.

    Raises
    ------
    InvalidInputError
        Where one is missing, or there are others.
    """
    if not isinstance(arrays, Mapping) or set(arrays) != set(names):
        found = ", ".join(sorted(arrays)) if isinstance(arrays, Mapping) else describe(arrays)
        raise InvalidInputError(
            f"the arrays {' and '.join(names)}",
            found or "none",
            "pass what `arrays()` of the same kind of quantizer returned",
        )
    return dict(arrays)
