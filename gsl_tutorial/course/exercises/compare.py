"""Naming a mistake: a wrong answer is compared with what well-known wrong formulas would give.

A judge lists the right value and the wrong ones, each with its sentence. The first that agrees
speaks; where none does, the shape is explained, and last the plain difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, NotYet, as_array, explained


class KnownMistake(Mistake):
    """A mistake that was recognised by the value to which it leads."""


def compare(
    result: Any,
    right: Any,
    wrong: Mapping[str, Any],
    *,
    otherwise: str | Callable[[tuple[int, ...]], str],
) -> None:
    """Return when `result` is right; else raise the `Mistake` that explains it best.

    wrong: for each diagnosis, the value to which that mistake leads. It may have another shape.
    otherwise: what to say of numbers of the right shape that nobody foresaw, or a function that
    says it of the first place at which they differ.
    """
    right = np.asarray(right, dtype=np.float64)
    if same(result, right):
        return
    for diagnosis, value in wrong.items():
        if same(result, value):
            raise KnownMistake(diagnosis)
    got = as_array(result, right.shape)
    if np.asarray(result).dtype.kind in "iu" and (
        np.array_equal(got, np.trunc(right)) or np.array_equal(got, np.rint(right))
    ):
        raise KnownMistake("the fractions are cut off: keep floats, not whole numbers (int).")
    if callable(otherwise):
        differs = ~np.isclose(got, right, rtol=1e-4, atol=1e-6)
        otherwise = otherwise(tuple(int(i) for i in np.argwhere(differs)[0]))
    raise Mistake(otherwise)


def same(result: Any, value: Any) -> bool:
    """Whether both are arrays of numbers, of one shape, and agree to float32 rounding."""
    try:
        got, wanted = np.asarray(result), np.asarray(value, dtype=np.float64)
        if got.dtype.kind not in "biuf" or got.shape != wanted.shape:
            return False
        with np.errstate(all="ignore"):
            return bool(np.allclose(got.astype(np.float64), wanted, rtol=1e-4, atol=1e-6))
    except Exception:  # whatever a student returns, it is only "not the same"
        return False


def at_every_size(sizes: Sequence[str], judge: Callable[[int], None]) -> None:
    """Call `judge` for each trial; the later ones find sizes that were written into the code."""
    for number, size in enumerate(sizes):
        try:
            judge(number)
        except Exception as error:
            if number == 0:
                raise
            why = "it returned nothing." if isinstance(error, NotYet) else _said(error)
            ask = " Is a number written into your code that should come from the arguments?"
            raise Mistake(
                f"right for {sizes[0]}, but not for {size}: {why[:300]}"
                + ("" if isinstance(error, KnownMistake) else ask)
            ) from error


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, Mistake) else explained(error)
