"""Arrays that no function asked for: every kind of number, shape, layout and container, by seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse

Maker = Callable[[np.random.Generator], Any]

#: Values that a column, a row or everything may hold.
VALUES = [
    0.0, -0.0, 1.0, -1.0, 0.1, 255.0, 1e-45, -1e-45, 1e-38, 1e-20, 1e10, -3.2e7, 1e18, -1e19, 1e20,
    3e25, 3e38, -3e38, 1e300, np.nan, np.inf, -np.inf,
]  # fmt: skip
DTYPES = [
    "f4", "f4", "f4", "f8", "f2", ">f4", ">f8", "g", "i1", "u1", "i2", "i4", "i8", "u8", ">i4", "?",
    "c8", "O", "U3", "S2", "M8[D]", "m8[s]",
]  # fmt: skip
SHAPES = [(), (0,), (4,), (0, 4), (5, 0), (1, 4), (7, 4), (7, 4), (9, 4), (30, 4), (7, 3), (1, 1),
          (4, 2), (2, 3, 4), (2, 4, 2), (1, 2, 3, 4)]  # fmt: skip
TORCH = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8,
         torch.bool, torch.complex64]  # fmt: skip


def numbers(rng: np.random.Generator) -> np.ndarray:
    """Plain numbers, or some of `VALUES` among them."""
    shape = SHAPES[rng.integers(len(SHAPES))]
    array = np.asarray(rng.normal(size=shape) * 10.0 ** rng.integers(-3, 4))
    how = rng.integers(5)
    if how == 0:
        array = np.asarray(array + VALUES[rng.integers(len(VALUES))])
    elif how == 1:
        array = np.full(shape, VALUES[rng.integers(len(VALUES))])
    elif how == 2 and array.size:
        array.flat[rng.integers(array.size)] = VALUES[rng.integers(len(VALUES))]
    elif how == 3:
        array = np.asarray(rng.integers(-1, 5, shape)).astype(float)
    dtype = DTYPES[rng.integers(len(DTYPES))]
    with np.errstate(all="ignore"):
        try:
            return array.astype(dtype)
        except (ValueError, TypeError, OverflowError):
            return array


def laid_out(rng: np.random.Generator, folder: Path) -> np.ndarray:
    """The same numbers, lying otherwise in memory."""
    array = np.asarray(numbers(rng))
    how = rng.integers(6)
    if how == 0:
        return np.asfortranarray(array)
    if how == 1 and array.ndim:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if how == 2 and array.ndim:
        return array[::-1]
    if how == 3:
        array.flags.writeable = False
        return array
    if how == 4 and array.size and array.dtype.kind in "fiu":
        path = folder / f"{rng.integers(50)}.npy"
        np.save(path, array)
        return np.load(path, mmap_mode="r")
    return np.broadcast_to(array, (3, *array.shape))[0]


class Angry:
    """Whose every question is answered with an error."""

    def __array__(self, *args: Any, **options: Any) -> np.ndarray:
        raise RuntimeError("no")

    def __len__(self) -> int:
        raise RuntimeError("no")


def contained(rng: np.random.Generator) -> Any:
    """Tensors, masked and sparse arrays, lists, and what is no array."""
    array = numbers(rng)
    how = rng.integers(12)
    if how < 5:
        with np.errstate(all="ignore"):
            real = array.astype(np.float64) if array.dtype.kind in "fiub" else np.zeros(array.shape)
        tensor = torch.from_numpy(np.array(real)).to(TORCH[rng.integers(len(TORCH))])
        if how == 1 and tensor.is_floating_point():
            return tensor.requires_grad_()
        if how == 2:
            return tensor.to("meta")
        if how == 3 and tensor.ndim:
            return tensor.to_sparse()
        return tensor
    if how == 5:
        return np.ma.masked_array(array, mask=rng.random(array.shape) < 0.3)
    if how == 6 and array.ndim == 2 and array.dtype.kind in "fiu" and array.dtype.isnative:
        with np.errstate(all="ignore"):
            return sparse.csr_matrix(array.astype(np.float64))
    if how == 7:
        return array.tolist()
    odd = [
        None,
        "text",
        b"bytes",
        3,
        2.5,
        True,
        [],
        [[1.0], [1.0, 2.0]],
        {},
        Angry(),
        object(),
        int,
    ]
    return odd[rng.integers(len(odd))]


def hostile(rng: np.random.Generator, folder: Path) -> Any:
    """One of all these."""
    how = rng.random()
    return numbers(rng) if how < 0.4 else laid_out(rng, folder) if how < 0.65 else contained(rng)
