"""Checks on what a caller hands in, written once.

Every public function that takes embeddings sends them through `as_vectors`, so that a wrong shape,
a wrong type or a NaN is named in the same words everywhere and before any work is done.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.errors import InvalidInputError, UnknownNameError


def describe(value: object) -> str:
    """Say what a value is, in a few words.

    >>> describe(np.zeros((3, 2)))
    'a (3, 2) array of float64'
    """
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None:
        return f"a {tuple(shape)} array of {str(dtype).removeprefix('torch.')}"
    return f"{type(value).__name__} {value!r}"[:80]


def largest(dim: int) -> float:
    """Return how large the entries of vectors of this length may be: the limit of squared distances.

    Two such vectors differ by at most twice as much in each entry; the squared distance between them,
    and that between sums of a few of them, still fits float32.

    >>> f"{largest(128):.1e}"
    '4.1e+17'
    """
    return float(np.sqrt(float(np.finfo(np.float32).max) / max(1, dim)) / 4)


def as_array(values: object, *, name: str) -> np.ndarray:
    """Return what the caller handed in as a NumPy array, tensors included; nothing is computed.

    A tensor leaves its graph and its device; bfloat16, which NumPy does not know, becomes float32.

    Raises
    ------
    InvalidInputError
        For sparse matrices, masked entries, a tensor without data, and what is no array at all.
    """
    if isinstance(values, np.ndarray):
        if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
            raise InvalidInputError(
                f"{name} without gaps",
                f"a masked array with {int(np.ma.getmaskarray(values).sum())} entries masked",
                "fill them, or leave the rows out",
            )
        return np.asarray(values)
    if _is_sparse(values):
        raise InvalidInputError(
            f"dense {name}",
            f"a sparse {type(values).__name__} of shape {tuple(getattr(values, 'shape', ()))}",
            "convert them with .toarray(), or .to_dense() for a tensor",
        )
    try:
        if hasattr(values, "detach") and hasattr(values, "cpu"):
            tensor = values.detach().cpu()
            values = tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor
        return np.asarray(values)
    except Exception as error:  # whatever a stranger's __array__ raises
        raise InvalidInputError(
            f"{name} as an array or a tensor", describe(values), "pass a NumPy array of numbers"
        ) from error


def _is_sparse(values: object) -> bool:
    # scipy's matrices and arrays, and torch's tensors, without importing either.
    if str(getattr(values, "layout", "")).startswith("torch.sparse"):
        return True
    return hasattr(values, "tocsr") and hasattr(values, "nnz")


def as_vectors(
    values: object, *, dim: int | None = None, name: str = "embeddings"
) -> Float[np.ndarray, "n dim"]:
    """Return `values` as a finite, C-ordered (n, dim) float32 array.

    Whole numbers (pixels) and floating-point ones of any width are taken, arrays, tensors and data
    frames alike.

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
    """Return what `as_vectors` does, but leave float64 as it is."""
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


def as_codes(values: object, *, n_subspaces: int, n_codewords: int) -> Integer[np.ndarray, "n m"]:
    """Return `values` as an (n, n_subspaces) integer array with entries in [0, n_codewords)."""
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


def check_count(value: object, *, name: str, low: int, high: int | None = None) -> int:
    """Return `value` as an int within [low, high], or raise `InvalidInputError`."""
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_whole or value < low or (high is not None and value > high):  # type: ignore[operator]
        span = f"{low} or more" if high is None else f"from {low} to {high}"
        raise InvalidInputError(f"{name} a whole number, {span}", repr(value), f"change {name}")
    return int(value)  # type: ignore[call-overload]


def check_size(value: object, *, name: str) -> float:
    """Return `value` as a finite float, 0 or more, or raise `InvalidInputError`."""
    if isinstance(value, (int, float)) and 0 <= value < math.inf:
        return float(value)
    raise InvalidInputError(f"{name} 0 or more, finite", repr(value), f"change {name}")


def check_name(kind: str, name: object, known: Iterable[str]) -> str:
    """Return `name` when it is one of `known`, or raise `UnknownNameError`."""
    names = list(known)
    if not isinstance(name, str) or name not in names:
        raise UnknownNameError(kind, name, names)
    return name


class Sized(Protocol):
    """Whatever has M subspaces of K codewords."""

    n_subspaces: int
    n_codewords: int


def check_sizes(sized: Sized) -> tuple[int, int]:
    """Return (M, K) as whole numbers, or raise `InvalidInputError`."""
    M = check_count(sized.n_subspaces, name="n_subspaces", low=1)
    return M, check_count(sized.n_codewords, name="n_codewords", low=2, high=65536)


def check_tail(values: Any, *tail: int, name: str) -> None:
    """Raise `InvalidInputError` unless `values` is a tensor or array of shape (N, *tail)."""
    known = hasattr(values, "reshape") and hasattr(values, "ndim") and not _is_sparse(values)
    numbers = not isinstance(values, np.ndarray) or values.dtype.kind in "fiu"
    if not known or not numbers or values.ndim != 1 + len(tail) or tuple(values.shape[1:]) != tail:
        shape = ", ".join(map(str, ("N", *tail)))
        raise InvalidInputError(
            f"{name} of shape ({shape})", describe(values), "pass one vector per row"
        )


def check_codebooks(codebooks: object, sized: Sized) -> np.ndarray:
    """Return `codebooks` as an array of shape (M, K, d), or raise `InvalidInputError`."""
    M, K = check_sizes(sized)
    books = as_array(codebooks, name="codebooks")
    if books.ndim != 3 or books.shape[:2] != (M, K) or books.shape[2] < 1:
        raise InvalidInputError(
            f"codebooks of shape ({M}, {K}, d)", describe(books), "match M and K"
        )
    return books


def check_training_set(X: object, sized: Sized, *, pieces: int) -> Float[np.ndarray, "N dim"]:
    """Return vectors that K codewords can be learned from and that `pieces` divides."""
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
    """Return the arrays called `names`; raises `InvalidInputError` where there are others."""
    if not isinstance(arrays, Mapping) or set(arrays) != set(names):
        found = ", ".join(sorted(arrays)) if isinstance(arrays, Mapping) else describe(arrays)
        raise InvalidInputError(
            f"the arrays {' and '.join(names)}",
            found or "none",
            "pass what `arrays()` of the same kind of quantizer returned",
        )
    return dict(arrays)
