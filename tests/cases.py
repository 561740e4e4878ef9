"""What several test files draw from: snapping cases, quantizers of every kind, small losses of a batch.

Nothing here is fitted: quantizers get random codebooks, so that a case costs no k-means.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from gsl_tutorial import (
    AdditiveQuantizer,
    OptimizedProductQuantizer,
    ProductQuantizer,
    ResidualQuantizer,
)

FORMS, LENGTHS = ("replace", "pull", "look-ahead"), ("projected", "full")
FALLBACKS = ("zero", "keep", "nearest")
RULES = [
    {"form": form, "length": length, "fallback": fallback}
    for form, length, fallback in product(FORMS, LENGTHS, FALLBACKS)
]
ADDITIVE = (ResidualQuantizer, AdditiveQuantizer)
KINDS: tuple[Any, ...] = (ProductQuantizer, OptimizedProductQuantizer, *ADDITIVE)

seeds = st.integers(0, 2**32 - 1)
rules = st.fixed_dictionaries(
    {
        "form": st.sampled_from(FORMS),
        "length": st.sampled_from(LENGTHS),
        "fallback": st.sampled_from(FALLBACKS),
        "strength": st.sampled_from([0.0, 0.03, 1.0, 50.0]),
        "step": st.sampled_from([0.0, 0.1, 3.0]),
    }
)


def batch(n: int, dim: int = 6, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Random embeddings, (n, dim)."""
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def random_quantizer(kind: Any, M: int, K: int, d: int, seed: int = 0) -> Any:
    """A quantizer of M x K random codewords for vectors of dimension M d."""
    rng, dim = np.random.default_rng(seed), M * d
    if kind in ADDITIVE:
        return kind(M, K).with_codebooks(rng.normal(size=(M, K, dim)) / M)
    books = rng.normal(size=(M, K, d)).astype(np.float32)
    if kind is OptimizedProductQuantizer:
        return kind(M, K).with_codebooks(books, np.linalg.qr(rng.normal(size=(dim, dim)))[0])
    return kind(M, K).with_codebooks(books)


def snapping_case(
    N: int,
    M: int,
    d: int,
    n: int,
    seed: int,
    *,
    dtype: torch.dtype = torch.float64,
    size: float = 1.0,
    special: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Random (gradient, embedding, candidates); `special`: some g are 0, some z on a codeword."""
    rng = np.random.default_rng(seed)
    z, c = rng.normal(size=(N, M, d)), rng.normal(size=(N, M, n, d))
    c *= rng.choice([1e-2, 1.0, 10.0], size=(N, 1, 1, 1))
    g = rng.normal(size=(N, M, d)) * size
    if special:
        g[rng.random((N, M)) < 0.3] = 0
        on = rng.random((N, M)) < 0.3
        z[on] = c[:, :, rng.integers(n)][on]
    return tuple(torch.tensor(a, dtype=dtype) for a in (g, z, c))  # type: ignore[return-value]


@st.composite
def snapping_cases(
    draw: st.DrawFn,
    *,
    sizes: tuple[float, ...] = (1e-30, 1e-3, 1.0, 1e3, 1e30),
    low: int = 0,
    special: bool = True,
    dtypes: tuple[torch.dtype, ...] = (torch.float32, torch.float64),
) -> tuple[Tensor, Tensor, Tensor]:
    """`snapping_case` over all shapes, types and sizes of gradient."""
    shape = [draw(st.integers(a, b)) for a, b in ((low, 5), (1, 4), (1, 5), (1, 6))]
    return snapping_case(
        *shape,
        draw(seeds),
        dtype=draw(st.sampled_from(dtypes)),
        size=draw(st.sampled_from(sizes)),
        special=special,
    )


def exact(*tensors: Tensor) -> list[np.ndarray]:
    """The tensors as float64 arrays."""
    return [t.detach().cpu().double().numpy() for t in tensors]


def tolerance(dtype: torch.dtype) -> float:
    """Some roundings of that type, relative."""
    return 64 * torch.finfo(dtype).eps


def cosines(g: np.ndarray, z: np.ndarray, c: np.ndarray) -> np.ndarray:
    """(n,) cosine of the angle between -g and each c - z; 0 where one of them is no direction."""
    out = []
    for codeword in c:
        length = np.linalg.norm(codeword - z) * np.linalg.norm(g)
        out.append(-(codeword - z) @ g / length if length > 0 else 0.0)
    return np.array(out)


def gap(values: np.ndarray) -> float:
    """How far the smallest value lies below the next."""
    two = np.sort(values)[:2]
    return float(two[-1] - two[0]) if len(values) > 1 else np.inf


def drawn(quantizer: Any, n: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """(z, g, q(z)) in double precision, q(z) by the quantizer's own encode and decode."""
    z, g = (batch(n, quantizer.dim_, seed % 2**31 + i).double() for i in (0, 1))
    q = quantizer.decode(quantizer.encode(z.float().numpy()))
    return z, g, torch.from_numpy(q).double()
