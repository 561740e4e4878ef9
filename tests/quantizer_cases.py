"""Quantizers and vectors that tests share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gsl_tutorial import (
    AdditiveQuantizer,
    OptimizedProductQuantizer,
    ProductQuantizer,
    ResidualQuantizer,
)

CUT = [ProductQuantizer, OptimizedProductQuantizer]
ADDITIVE = [ResidualQuantizer, AdditiveQuantizer]
each_kind = pytest.mark.parametrize("kind", CUT + ADDITIVE, ids=lambda kind: kind.short_name)


def vectors(n: int, dim: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)


def made(kind: Any, M: int, K: int, d: int, seed: int = 0) -> Any:
    """A quantizer of M x K codewords for vectors of dimension M d, from random arrays."""
    dim = M * d
    if kind in ADDITIVE:
        return kind(M, K).with_codebooks(vectors(M * K, dim, seed).reshape(M, K, dim))
    books = vectors(M * K, d, seed).reshape(M, K, d)
    if kind is ProductQuantizer:
        return kind(M, K).with_codebooks(books)
    return kind(M, K).with_codebooks(books, np.linalg.qr(vectors(dim, dim, seed + 1))[0])


def correlated(n: int, dim: int = 8, seed: int = 0) -> np.ndarray:
    return vectors(n, dim, seed) @ vectors(dim, dim, 77)
