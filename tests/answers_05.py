"""Answers to the exercises of chapter 05: right ones, and wrong ones with a word of their
diagnosis. The tests are in `test_checks.py`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from answers import Exercise

from gsl_tutorial.course.exercises.chapters.chapter05_place import CODEWORDS, PARTNER
from gsl_tutorial.course.toys.plane import Plane


def _autograd(z: Any, q: Any, strength: float) -> Any:
    z = torch.from_numpy(z).requires_grad_()
    penalty = strength * (z - torch.from_numpy(q)).square().sum(1).mean()
    (gradient,) = torch.autograd.grad(penalty, z)
    return gradient.numpy()


def _length(a: Any) -> Any:
    return np.linalg.norm(a, axis=1, keepdims=True)


def _along(g: Any, pull: Any) -> Any:
    return (g * (g + pull)).sum(axis=1)


def _longer(g: Any, pull: Any) -> Any:
    return (_length(pull) > _length(g))[:, 0]


def _angle(g: Any, pull: Any) -> list[bool]:
    return [
        bool(np.dot(a, a + b) / np.linalg.norm(a) / np.linalg.norm(a + b) < 0)
        for a, b in zip(g, pull, strict=True)
    ]


def _critical(g: Any, z: Any, q: Any) -> float:
    uphill = g @ (q - z)
    return float(g @ g / (2 * uphill)) if uphill > 0 else np.inf


def _critical_by_cosine(g: Any, z: Any, q: Any) -> Any:
    u = q - z
    cosine = g @ u / np.linalg.norm(g) / np.linalg.norm(u)
    return np.linalg.norm(g) / (2 * np.linalg.norm(u) * cosine) if cosine > 0 else float("inf")


def _downhill_gives(value: Any) -> Any:
    return lambda g, z, q: _critical(g, z, q) if g @ (q - z) > 0 else value


def explorer_at(x: float, y: float, strength: float = 1.5) -> Any:
    return SimpleNamespace(plane=Plane(CODEWORDS, PARTNER), strength=strength, point=(x, y))


CHAPTER_05 = [
    Exercise(
        "penalty_gradient",
        right=(lambda z, q, s: 2 * s * (z - q) / len(z), _autograd),
        wrong=(
            (lambda z, q, s: 2 * s * (q - z) / len(z), "sign is turned"),
            (lambda z, q, s: s * (z - q) / len(z), "brings a factor 2."),
            (lambda z, q, s: 2 * s * (z - q), "divide by N = len(z)"),
            (lambda z, q, s: s * (z - q), "factor 2, and the penalty is a mean"),
            (lambda z, q, s: 2 * s * (z - q) / z.size, "all N x dim numbers"),
            (lambda z, q, s: 2 * s * (z - q) / z.shape[1], "divided by dim"),
            (lambda z, q, s: 2 * (z - q) / len(z), "lambda is missing"),
            (lambda z, q, s: 2 * s * s * (z - q) / len(z), "twice"),
            (lambda z, q, s: s * (z - q) / _length(z - q) / len(z), "of the distance, not"),
            (lambda z, q, s: s * (z - q) / _length(z - q), "mean over the batch is missing"),
            (lambda z, q, s: s * ((z - q) ** 2).sum(1).mean(), "penalty itself"),
            (lambda z, q, s: (2 * s * (z - q) / len(z)).sum(axis=0), "added the rows"),
            (lambda z, q, s: 2 * s * (z - q) ** 2 / len(z), "not squared"),
            (lambda z, q, s: z * 0, "row 0 should be"),
            (lambda z, q, s: 2 * s * (z - q) / 7, "not for 12 vectors"),
        ),
    ),
    Exercise(
        "goes_uphill",
        right=(lambda g, p: _along(g, p) < 0, _angle),
        wrong=(
            (lambda g, p: _along(g, p) > 0, "that is downhill"),
            (lambda g, p: (g * p).sum(axis=1) < 0, "whether p alone"),
            (lambda g, p: _longer(g, p), "longer than g. A long one"),
            (lambda g, p: _longer(g, p) & ((g * p).sum(axis=1) < 0), "project p on g"),
            (lambda g, p: ((g + p) * p).sum(axis=1) < 0, "compared the sum with p"),
            (lambda g, p: ((g - p) * g).sum(axis=1) < 0, "not g - p"),
            (lambda g, p: _along(g, p), "compare them with 0"),
            (lambda g, p: (g * (g + p)).sum() < 0, "one number for all"),
            (lambda g, p: (g * (g + p)).sum(axis=0) < 0, "axes are swapped"),
            (lambda g, p: (_along(g, p) < 0).sum(), "how many"),
            (lambda g, p: (_along(g, p) < 0).mean(), "that is the share"),
            (lambda g, p: np.flatnonzero(_along(g, p) < 0), "row numbers"),
            (lambda g, p: g * (g + p) < 0, "one answer for each number"),
            (lambda g, p: np.zeros(len(g), dtype=bool), "yours differ"),
        ),
    ),
    Exercise(
        "uphill_place",
        right=(
            lambda: (-0.25, 0.2),
            lambda: explorer_at(-0.3, 0.3),
            lambda: np.array([-0.55, 0.5], dtype=np.float32),
            (-0.3, 0.2),  # type: ignore[arg-type]
            explorer_at(-0.22, 0.24),
        ),
        wrong=(
            ((0.9, 0.9), "helps. Look for"),  # type: ignore[arg-type]
            (explorer_at(0.9, 0.9), "helps. Look for"),
            ((0.0, 0.0), "right angle"),  # type: ignore[arg-type]
            ((0.0, 0.02), "too weak"),  # type: ignore[arg-type]
            (explorer_at(-0.2, 0.2, 0.05), "too weak"),
            (explorer_at(-0.2, 0.2, 0.0), "strength is 0"),
            (explorer_at(-0.2, 0.2, 3.0), "set its slider to 1.5"),
            (explorer_at(-0.3, 0.3, 3.0), "set its slider to 1.5"),
            (explorer_at(-0.2, 0.2), "stood from the start"),
            ((-0.2, 0.2), "another place"),  # type: ignore[arg-type]
            ((-0.45, 0.45), "no slope"),  # type: ignore[arg-type]
            ((0.10, 0.10), "on a codeword"),  # type: ignore[arg-type]
            ((3.0, 0.0), "outside the picture"),  # type: ignore[arg-type]
            ((np.nan, 0.0), "two finite numbers"),  # type: ignore[arg-type]
            ((0.2, 0.3, 0.4), "expected two numbers"),  # type: ignore[arg-type]
            ((0.2, -0.2), "swapped"),  # type: ignore[arg-type]
        ),
    ),
    Exercise(
        "critical_strength",
        right=(_critical, _critical_by_cosine),
        wrong=(
            (lambda g, z, q: -_critical(g, z, q), "sign is turned"),
            (lambda g, z, q: 2 * _critical(g, z, q), "factor 2 of the penalty's gradient is"),
            (lambda g, z, q: 4 * _critical(g, z, q), "belongs below the line"),
            (lambda g, z, q: np.linalg.norm(g) / (2 * g @ (q - z)), "not |g|"),
            (lambda g, z, q: np.linalg.norm(g) / 2 / np.linalg.norm(q - z), "lengths only"),
            (lambda g, z, q: g @ (q - z) / 2 / ((q - z) @ (q - z)), "right angle to the pull"),
            (lambda g, z, q: 2 * (g @ (q - z)) / (g @ g), "upside down"),
            (lambda g, z, q: g @ g / (2 * g @ q), "used q itself"),
            (lambda g, z, q: g @ g / (2 * g @ z), "used z itself"),
            (lambda g, z, q: np.inf, "return infinity where"),
            (lambda g, z, q: 7.0, "yours is 7.000"),
            (lambda g, z, q: g @ g / (2 * g @ (q - z)), "negative strength"),
            (_downhill_gives(np.nan), "you give NaN"),
            (_downhill_gives(0.0), "you give 0"),
            (_downhill_gives(1e9), "not 1e+09"),
            (lambda g, z, q: g / 2, "expected one number"),
        ),
    ),
]
