"""Checks that all quantizers share: sizes, shapes, training sets, arrays that come from a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_vectors, check_count, describe


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
    if tuple(getattr(values, "shape", ())[1:]) != tail or values.ndim != 1 + len(tail):
        shape = ", ".join(map(str, ("N", *tail)))
        raise InvalidInputError(
            f"{name} of shape ({shape})", describe(values), "pass one vector per row"
        )


def check_codebooks(codebooks: object, sized: Sized) -> np.ndarray:
    """Return `codebooks` as an array of shape (M, K, d), or raise `InvalidInputError`."""
    M, K = check_sizes(sized)
    books = np.asarray(codebooks)
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
