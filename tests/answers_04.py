"""Answers to the exercises of chapter 04: right ones, and wrong ones with a word of their diagnosis.
The tests are in `test_checks.py`.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import torch
from answers import Exercise


def _turned_row_by_row(X: Any, R: Any, quantize: Any) -> Any:
    return np.stack([R.T @ quantize((R @ z)[None])[0] for z in X])


def _stages(z: Any, books: Any, then: Any, score: Any = None) -> Any:
    score = score or (lambda d: (d**2).sum(axis=1))
    code, left = [], z
    for book in books:
        code.append(score(book - left).argmin())
        left = then(left, book[code[-1]])
    return np.array(code)


def _greedy(z: Any, books: Any, score: Any = None) -> Any:
    return _stages(z, books, lambda left, c: left - c, score)


def _residual_in_torch(z: Any, books: Any) -> Any:
    left, code = torch.from_numpy(z), []
    for book in torch.from_numpy(books):
        code.append(int(torch.cdist(left[None], book)[0].argmin()))
        left = left - book[code[-1]]
    return code


def _residual_by_sums(z: Any, books: Any) -> Any:
    code: list[int] = []
    for m in range(len(books)):
        sums = sum(books[i][k] for i, k in enumerate(code)) + books[m]
        code.append(min(range(len(books[m])), key=lambda k: np.linalg.norm(z - sums[k])))
    return code


def _chosen(z: Any, books: Any) -> Any:
    return books[np.arange(len(books)), _greedy(z, books)]


def _exhaustive(z: Any, books: Any) -> Any:
    codes = product(*(range(len(book)) for book in books))
    return min(codes, key=lambda c: np.linalg.norm(z - sum(books[m][k] for m, k in enumerate(c))))


def _pair(z: Any, first: Any, second: Any, rows: Any) -> Any:
    rows = np.asarray(rows)
    errors = ((z - first[rows][:, None] - second) ** 2).sum(axis=2)
    place, j = np.unravel_index(errors.argmin(), errors.shape)
    return np.array([rows[place], j])


def _order(z: Any, first: Any) -> Any:
    return ((first - z) ** 2).sum(axis=1).argsort()


def _beam(z: Any, first: Any, second: Any, width: int) -> Any:
    return _pair(z, first, second, _order(z, first)[:width])


def _beam_by_loops(z: Any, first: Any, second: Any, width: int) -> tuple[int, int]:
    kept = sorted(range(len(first)), key=lambda k: np.linalg.norm(z - first[k]))[:width]
    pairs = [(k, j) for k in kept for j in range(len(second))]
    return min(pairs, key=lambda pair: np.linalg.norm(z - first[pair[0]] - second[pair[1]]))


def _beam_place(z: Any, first: Any, second: Any, width: int) -> Any:
    kept = list(_order(z, first)[:width])
    k, j = _beam(z, first, second, width)
    return np.array([kept.index(k), j])


def _beam_worst(z: Any, first: Any, second: Any, width: int) -> Any:
    pairs = [_pair(z, first, second, [k]) for k in _order(z, first)[:width]]
    return max(pairs, key=lambda pair: np.linalg.norm(z - first[pair[0]] - second[pair[1]]))


def _beam_by_sign(z: Any, first: Any, second: Any, width: int) -> Any:
    kept = _order(z, first)[:width]
    errors = ((first[kept][:, None] - z - second) ** 2).sum(axis=2)
    place, j = np.unravel_index(errors.argmin(), errors.shape)
    return np.array([kept[place], j])


def _picked(books: Any, codes: Any) -> Any:
    return books[np.arange(len(books)), codes]


def _products(q: Any, books: Any, codes: Any) -> Any:
    return (books @ q)[np.arange(len(books)), codes].sum(axis=1)


def _adc(q: Any, books: Any, codes: Any, norms: Any) -> Any:
    return (q**2).sum() - 2 * _products(q, books, codes) + norms


CHAPTER_04 = [
    Exercise(
        "rotate_quantize",
        right=(
            lambda X, R, f: f(X @ R.T) @ R,
            lambda X, R, f: (np.linalg.inv(R) @ f((R @ X.T).T).T).T,
            _turned_row_by_row,
        ),
        wrong=(
            (lambda X, R, f: f(X), "as they stand"),
            (lambda X, R, f: f(X @ R.T), "did not turn back"),
            (lambda X, R, f: f(X @ R), "and not back"),
            (lambda X, R, f: f(X @ R.T) @ R.T, "to turn back, use the transpose"),
            (lambda X, R, f: f(X @ R) @ R, "by the transpose of what"),
            (lambda X, R, f: f(X @ R) @ R.T, "both turns"),
            (lambda X, R, f: X @ R.T @ R, "nothing was quantized"),
            (lambda X, R, f: X, "as they came"),
            (lambda X, R, f: X @ R.T, "only turned"),
            (lambda X, R, f: f(X) @ R.T, "before you turned"),
            (lambda X, R, f: f(X) @ R, "turned the wrong way round"),
            (lambda X, R, f: R.T @ f(R @ X.T), "takes an array of rows"),
            (lambda X, R, f: R.T @ f(R @ X), "vectors are rows of X"),
            (lambda X, R, f: f(X @ R.T) @ R + 1, "first row should be"),
        ),
    ),
    Exercise(
        "residual_code",
        right=(_greedy, _residual_in_torch, _residual_by_sums),
        wrong=(
            (lambda z, C: _stages(z, C, lambda left, c: left), "looked at z itself"),
            (lambda z, C: _stages(z, C, lambda left, c: z - c), "only the last codeword"),
            (lambda z, C: _stages(z, C, lambda left, c: left + c), "you added the codeword"),
            (lambda z, C: _stages(z, C, lambda left, c: c - left), "sign of what is left"),
            (lambda z, C: _stages(z, C, lambda left, c: c), "quantized the codeword"),
            (lambda z, C: _greedy(z, C[::-1])[::-1], "last codebook first"),
            (lambda z, C: _greedy(z, C, lambda d: -(d**2).sum(axis=1)), "farthest"),
            (lambda z, C: _greedy(z, C, lambda d: d.sum(axis=1)), "cancel"),
            (lambda z, C: _greedy(z, C, lambda d: abs(d).sum(axis=1)), "absolute"),
            (_exhaustive, "nearest of all sums"),
            (lambda z, C: _greedy(z, C) + 1, "from 1"),
            (_chosen, "those are the chosen codewords"),
            (lambda z, C: _chosen(z, C).sum(axis=0), "the reconstruction"),
            (lambda z, C: z - _chosen(z, C).sum(axis=0), "what is left at the end"),
            (lambda z, C: _greedy(z, C)[-1], "last stage only"),
            (lambda z, C: _greedy(z, C).astype(float), "whole numbers"),
            (lambda z, C: 0 * _greedy(z, C), "expected the code"),
            (
                lambda z, C: np.r_[_greedy(z, C[:3]), -np.ones(len(C[3:]), int)],
                "not for M = 4",
            ),
        ),
    ),
    Exercise(
        "beam_code",
        right=(_beam, _beam_by_loops),
        wrong=(
            (lambda z, a, b, w: _beam(z, a, b, 1), "greedy"),
            (lambda z, a, b, w: _beam(z, a, b, len(a)), "every codeword of the first"),
            (lambda z, a, b, w: _pair(z, a, b, _order(z, a)[-w:]), "farthest"),
            (_beam_worst, "largest error"),
            (lambda z, a, b, w: _beam(z, a, b, w + 1), "too many"),
            (lambda z, a, b, w: _beam(z, a, b, w - 1), "too few"),
            (lambda z, a, b, w: _pair(z, a, b, range(w)), "first rows of the codebook"),
            (_beam_place, "place in the list"),
            (
                lambda z, a, b, w: np.array([_order(z, a)[0], _order(z, b)[0]]),
                "second stage looked at z",
            ),
            (_beam_by_sign, "not first[k] - z"),
            (lambda z, a, b, w: _beam(z, a, b, w)[::-1], "swapped"),
            (lambda z, a, b, w: _beam(z, a, b, w) + 1, "from 1"),
            (
                lambda z, a, b, w: a[_beam(z, a, b, w)[0]] + b[_beam(z, a, b, w)[1]],
                "that is the sum",
            ),
            (lambda z, a, b, w: _beam(z, a, b, w).astype(float), "whole numbers"),
            (lambda z, a, b, w: np.array([0, 0]), "in play are"),
            (lambda z, a, b, w: _beam(z, a, b, 4), "not for K = 12, dim = 4, width = 2"),
        ),
    ),
    Exercise(
        "additive_distances",
        right=(
            _adc,
            lambda q, C, codes, norms: ((q - _picked(C, codes).sum(axis=1)) ** 2).sum(axis=1),
            lambda q, C, codes, norms: [
                q @ q - 2 * sum(q @ C[m][k] for m, k in enumerate(code)) + norm
                for code, norm in zip(codes, norms, strict=True)
            ],
        ),
        wrong=(
            (lambda q, C, codes, n: _adc(q, C, codes, 0), "are missing: add norms"),
            (lambda q, C, codes, n: _adc(q, C, codes, n) + _products(q, C, codes), "twice"),
            (lambda q, C, codes, n: _adc(-q, C, codes, n), "sign of the products"),
            (lambda q, C, codes, n: _adc(q, C, codes, n) - q @ q, "no distances"),
            (lambda q, C, codes, n: _adc(q, C, codes, -n), "you subtracted norms"),
            (lambda q, C, codes, n: _adc(q, C, codes, n**2), "do not square"),
            (lambda q, C, codes, n: _adc(q, C, codes, np.sqrt(n)), "do not take their root"),
            (
                lambda q, C, codes, n: ((q - _picked(C, codes)) ** 2).sum(axis=(1, 2)),
                "one by one",
            ),
            (
                lambda q, C, codes, n: _adc(q, C, codes, (_picked(C, codes) ** 2).sum((1, 2))),
                "squared lengths of the codewords",
            ),
            (
                lambda q, C, codes, n: _adc(q, C, codes, n) + (len(C) - 1) * (q @ q),
                "once for each stage; it counts once",
            ),
            (lambda q, C, codes, n: _adc(q, C, codes, len(C) * n), "they count once"),
            (lambda q, C, codes, n: _adc(q, C[:1], codes[:, :1], n), "only the first stage"),
            (
                lambda q, C, codes, n: _adc(q, C[:1].repeat(len(C), 0), codes, n),
                "in the first codebook",
            ),
            (lambda q, C, codes, n: np.sqrt(_adc(q, C, codes, n)), "you took the root"),
            (lambda q, C, codes, n: _picked(C, codes).sum(axis=1), "reconstructions"),
            (lambda q, C, codes, n: _products(q, C, codes), "these are the products"),
            (lambda q, C, codes, n: _adc(q, C, codes, n).sum(), "one number for all"),
            (
                lambda q, C, codes, n: (C @ q)[codes, np.arange(len(C))].sum(axis=1),
                "fell outside",
            ),
            (lambda q, C, codes, n: 0 * n, "the first distance is"),
        ),
    ),
]
