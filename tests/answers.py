"""Answers to the exercises of chapter 06: right ones, and wrong ones with a word of
their diagnosis. `test_checks.py` holds those of 00 and 03, and all the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Answer = Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """Answers to one exercise: right ones, and wrong ones with a word that their diagnosis says."""

    name: str
    right: tuple[Answer, ...]
    wrong: tuple[tuple[Answer, str], ...]


def _cosines(g: Any, z: Any, c: Any) -> Any:
    return (c - z) @ -g / np.linalg.norm(c - z, axis=1) / np.linalg.norm(g)


def _choose(g: Any, z: Any, c: Any) -> int | None:
    cosines = _cosines(g, z, c)
    return int(cosines.argmax()) if cosines.max() > 0 else None


def _choose_by_loop(g: Any, z: Any, candidates: Any) -> int | None:
    best, found = 0.0, None
    for j, c in enumerate(candidates):
        value = float(np.dot(-g, c - z)) / float(np.sqrt(((c - z) ** 2).sum()))
        if value > best:
            best, found = value, j
    return found


def _rows_of_one(directions: Any) -> Any:
    """Each row as long as 1: a right angle must stay one."""
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def _unit(z: Any, c: Any) -> Any:
    return (c - z) / np.linalg.norm(c - z)


CHAPTER_06 = [
    Exercise(
        "descends",
        right=(
            lambda g, z, c: (c - z) @ -g > 0,
            lambda g, z, c: np.array([float(np.dot(g, one - z)) < 0 for one in c]),
            lambda g, z, c: _rows_of_one(c - z) @ (-g / np.linalg.norm(g)) > 0,
        ),
        wrong=(
            (lambda g, z, c: (c - z) @ g > 0, "sign is turned round"),
            (lambda g, z, c: c @ -g > 0, "direction of the step"),
            (lambda g, z, c: _nearest_only(z, c), "nearness does not matter"),
            (lambda g, z, c: (c - z) @ -g, "compare the product with 0"),
            (lambda g, z, c: (c - z) @ -g >= 0, "a right angle does not descend"),
            (lambda g, z, c: (c - z) @ g < 1e-9, "a right angle does not descend"),
            (lambda g, z, c: ~((c - z) @ -g > 0), "sign is turned round"),
            (lambda g, z, c: (c - z) @ g, "ask whether it is above 0"),
            (lambda g, z, c: (c - z) * -g > 0, "number by number"),
            (lambda g, z, c: ((c - z) * -g > 0).all(axis=1), "of a row up first"),
            (lambda g, z, c: ((c - z) * -g > 0).any(axis=1), "(or use @)"),
            (lambda g, z, c: ((c - z) * -g).sum(axis=0) > 0, "axes are swapped"),
            (lambda g, z, c: np.flatnonzero((c - z) @ -g > 0), "row numbers"),
            (lambda g, z, c: _nearer_to_the_step(g, z, c), "the product of c - z"),
            (lambda g, z, c: ((c - z) @ -g > 0)[:3], "expected shape"),
        ),
    ),
    Exercise(
        "choose",
        right=(_choose, _choose_by_loop),
        wrong=(
            (lambda g, z, c: int(_cosines(g, z, c).argmin()), "straight uphill"),
            (lambda g, z, c: int(np.linalg.norm(c - z, axis=1).argmin()), "nearest codeword"),
            (lambda g, z, c: int(((c - z) @ -g).argmax()), "divide by the length"),
            (lambda g, z, c: int(_cosines(g, z, c).argmax()), "return None"),
            (lambda g, z, c: c[_cosines(g, z, c).argmax()], "one index"),
            (lambda g, z, c: 17, "expected an index from 0"),
            (lambda g, z, c: int(np.flatnonzero((c - z) @ -g > 0)[0]), "first one that descends"),
            (lambda g, z, c: _nearest_descending(g, z, c), "nearest one that descends"),
            (lambda g, z, c: _place_among_descending(g, z, c), "among the descending ones"),
            (lambda g, z, c: (_choose(g, z, c) or 0) + 1, "count from 0"),
            (lambda g, z, c: _choose(-g, z, c), "straight uphill"),
            (lambda g, z, c: None if len(c) else 0, "or does a `return` miss"),
        ),
    ),
    Exercise(
        "replace_gradient",
        right=(
            lambda g, z, c: (g @ _unit(z, c)) * _unit(z, c),
            lambda g, z, c: (c - z) * np.dot(g, c - z) / np.dot(c - z, c - z),
        ),
        wrong=(
            (lambda g, z, c: -(g @ _unit(z, c)) * _unit(z, c), "the other way"),
            (lambda g, z, c: (g @ (c - z)) * (c - z), "unit vector first"),
            (lambda g, z, c: (g @ (c - z)) * _unit(z, c), "one of the two factors"),
            (lambda g, z, c: z - c, "pull's gradient"),
            (lambda g, z, c: -np.linalg.norm(g) * _unit(z, c), "full"),
            (lambda g, z, c: g @ _unit(z, c), "only how long it is"),
            (lambda g, z, c: g @ (c - z), "times the length of c - z"),
            (lambda g, z, c: c - z, "the direction alone"),
            (lambda g, z, c: g - (g @ _unit(z, c)) * _unit(z, c), "across the line"),
            (lambda g, z, c: g * (g @ (c - z)) / (g @ g), "on the line of g"),
            (lambda g, z, c: c * (g @ c) / (c @ c), "used c itself"),
            (lambda g, z, c: g * _unit(z, c) ** 2, "number by number"),
            (lambda g, z, c: 0 * g, "expected ["),
        ),
    ),
    Exercise(
        "pull_gradient",
        right=(
            lambda g, z, c, strength, batch: g + 2 * strength * (z - c) / batch,
            lambda g, z, c, strength, batch: g - (c - z) * (2 * strength / batch),
        ),
        wrong=(
            (lambda g, z, c, strength, batch: g - 2 * strength * (z - c) / batch, "sign"),
            (lambda g, z, c, strength, batch: 2 * strength * (z - c) / batch, "g is lost"),
            (lambda g, z, c, strength, batch: g + strength * (z - c) / batch, "factor 2"),
            (lambda g, z, c, strength, batch: g + 2 * strength * (z - c), "divide the pull"),
            (lambda g, z, c, strength, batch: g, "the pull is missing"),
            (lambda g, z, c, s, batch: -g - 2 * s * (z - c) / batch, "that is the step"),
            (lambda g, z, c, s, batch: g + s * (z - c), "two things are missing"),
            (lambda g, z, c, s, batch: (g + 2 * s * (z - c)) / batch, "g passes whole"),
            (lambda g, z, c, s, batch: g + 2 * s * (z - c) * batch, "you multiplied"),
            (lambda g, z, c, s, batch: g + s * (z - c) ** 2 / batch, "you squared z - c"),
            (lambda g, z, c, s, batch: g + s * ((z - c) ** 2).sum() / batch, "the loss itself"),
            (lambda g, z, c, s, batch: 0 * g, "expected ["),
        ),
    ),
]


def _nearer_to_the_step(g: Any, z: Any, c: Any) -> Any:
    return ((c - z + g) ** 2).sum(axis=1) < ((c - z) ** 2).sum(axis=1)


def _nearest_descending(g: Any, z: Any, c: Any) -> int:
    lengths = np.where((c - z) @ -g > 0, np.linalg.norm(c - z, axis=1), np.inf)
    return int(lengths.argmin())


def _place_among_descending(g: Any, z: Any, c: Any) -> int:
    cosines = _cosines(g, z, c)
    return int(cosines[cosines > 0].argmax())


def _nearest_only(z: Any, c: Any) -> Any:
    squared = ((c - z) ** 2).sum(axis=1)
    return squared == squared.min()
