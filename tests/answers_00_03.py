"""Answers to the exercises of chapters 00 and 03: right ones, and wrong ones with a word of their
diagnosis.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from answers import Answer, Exercise


def _cut(vector: Any, codebooks: Any) -> Any:
    M, _, d = codebooks.shape
    return codebooks - vector.reshape(M, 1, d)


def _table(vector: Any, codebooks: Any) -> Any:
    return (_cut(vector, codebooks) ** 2).sum(axis=2)


def _entries(table: Any, codes: Any) -> Any:
    return table[np.arange(len(table)), codes]


def _encode_by_loops(z: Any, codebooks: Any) -> list[int]:
    code = []
    for m, book in enumerate(codebooks):
        piece = z[m * book.shape[1] : (m + 1) * book.shape[1]]
        code.append(min(range(len(book)), key=lambda k: np.linalg.norm(piece - book[k])))
    return code


def _table_by_products(query: Any, codebooks: Any) -> Any:
    pieces = np.stack(np.split(query, len(codebooks)))
    cross = np.einsum("mkd,md->mk", codebooks, pieces)
    return (codebooks**2).sum(2) - 2 * cross + (pieces**2).sum(1)[:, None]


def _adc_by_loops(table: Any, codes: Any) -> list[float]:
    return [sum(table[m][k] for m, k in enumerate(code)) for code in codes]


def _sizes(bits: Answer, each: Answer) -> Answer:
    return lambda N, M, K: (bits(M, K), each(N, bits(M, K)))


def _bits(M: int, K: int) -> float:
    return M * math.log2(K)


def _whole_bytes(N: int, bits: float) -> int:
    return N * math.ceil(bits / 8)


CHAPTER_00 = [
    Exercise(
        "squared_distance",
        right=(
            lambda x, y: ((x - y) ** 2).sum(),
            lambda x, y: sum((a - b) * (a - b) for a, b in zip(x, y, strict=True)),
            lambda x, y: np.float32(np.dot(x - y, x - y)),
            lambda x, y: torch.from_numpy(x - y).square().sum(),
        ),
        wrong=(
            (lambda x, y: np.linalg.norm(x - y), "root"),
            (lambda x, y: (x - y).sum(), "square each one"),
            (lambda x, y: (x - y).sum() ** 2, "squared the sum"),
            (lambda x, y: abs(x - y).sum(), "absolute"),
            (lambda x, y: (x - y) ** 2, "add them up"),
            (lambda x, y: x - y, "these are the differences"),
            (lambda x, y: ((x - y) ** 2).mean(), "mean"),
            (lambda x, y: -((x - y) ** 2).sum(), "sign"),
            (lambda x, y: ((x + y) ** 2).sum(), "added x and y"),
            (lambda x, y: 22.25, "not for five numbers"),
            (lambda x, y: None if len(x) != 2 else ((x - y) ** 2).sum(), "returned nothing"),
        ),
    ),
]

CHAPTER_03 = [
    Exercise(
        "encode_one",
        right=(
            lambda z, C: _table(z, C).argmin(axis=1),
            _encode_by_loops,
            lambda z, C: np.sqrt(_table(z, C)).argmin(axis=1).astype(np.uint8),
        ),
        wrong=(
            (lambda z, C: _table(z, C).argmax(axis=1), "farthest"),
            (lambda z, C: _table(z, C).min(axis=1), "not min"),
            (lambda z, C: _table(z, C), "table of distances"),
            (lambda z, C: C[np.arange(len(C)), _table(z, C).argmin(axis=1)], "row numbers"),
            (
                lambda z, C: C[np.arange(len(C)), _table(z, C).argmin(axis=1)].ravel(),
                "reconstruction",
            ),
            (lambda z, C: _table(z, C).argmin(axis=1) + 1, "from 1"),
            (lambda z, C: _table(z, C).argmin(axis=0), "wrong axis"),
            (lambda z, C: _table(z, C).argmin(axis=1).astype(float), "whole numbers"),
            (lambda z, C: _cut(z, C).sum(axis=2).argmin(axis=1), "cancel"),
            (lambda z, C: abs(_cut(z, C)).sum(axis=2).argmin(axis=1), "absolute"),
            (lambda z, C: _table(z, C[:1].repeat(len(C), 0)).argmin(axis=1), "first codebook"),
            (
                lambda z, C: _table(z.reshape(-1, len(C)).T.ravel(), C).argmin(axis=1),
                "every M-th",
            ),
            (
                lambda z, C: (C * z.reshape(len(C), 1, -1)).sum(axis=2).argmax(axis=1),
                "inner product",
            ),
            (lambda z, C: ((C - z.reshape(4, 1, 16)) ** 2).sum(2).argmin(1), "not for M = 3"),
        ),
    ),
    Exercise(
        "code_size",
        right=(
            _sizes(_bits, _whole_bytes),
            lambda N, M, K: [M * (K - 1).bit_length(), N * -(-M * (K - 1).bit_length() // 8)],
            lambda N, M, K: np.array([M * np.log2(K), N * np.ceil(M * np.log2(K) / 8)]),
        ),
        wrong=(
            (_sizes(lambda M, K: M * math.sqrt(K), _whole_bytes), "sqrt"),
            (_sizes(lambda M, K: M * K, _whole_bytes), "codewords stored"),
            (_sizes(lambda M, K: math.log2(K), _whole_bytes), "one subvector"),
            (_sizes(lambda M, K: M * math.log(K), _whole_bytes), "base 2"),
            (_sizes(lambda M, K: K**M, _whole_bytes), "different codes"),
            (_sizes(_bits, lambda N, bits: N * bits), "8 of them"),
            (_sizes(_bits, lambda N, bits: N * bits / 8), "whole byte"),
            (_sizes(_bits, lambda N, bits: N * (bits // 8)), "rounded down"),
            (_sizes(_bits, lambda N, bits: math.ceil(bits / 8)), "there are N"),
            (_sizes(_bits, lambda N, bits: N * bits * 8), "so divide"),
            (lambda N, M, K: (_whole_bytes(N, _bits(M, K)), _bits(M, K)), "swapped"),
            (lambda N, M, K: (_bits(M, K) / 8, 0), "these are bytes"),
            (lambda N, M, K: M * math.log2(K), "two numbers"),
            (lambda N, M, K: (30, 4000), "not for N = 1437"),
        ),
    ),
    Exercise(
        "lookup_table",
        right=(
            _table,
            _table_by_products,
            lambda q, C: [[((p - c) ** 2).sum() for c in C[m]]
                          for m, p in enumerate(np.split(q, len(C)))],
            lambda q, C: _table(q, C).astype(np.float32),
        ),
        wrong=(
            (lambda q, C: np.sqrt(_table(q, C)), "root"),
            (lambda q, C: _table(q, C).T, "axes are swapped"),
            (lambda q, C: _cut(q, C).sum(axis=2), "without squaring"),
            (lambda q, C: -_cut(q, C).sum(axis=2), "without squaring"),
            (lambda q, C: _cut(q, C).sum(axis=2) ** 2, "squared the sum"),
            (lambda q, C: abs(_cut(q, C)).sum(axis=2), "absolute"),
            (lambda q, C: (_cut(q, C) ** 2).mean(axis=2), "mean"),
            (lambda q, C: _cut(q, C) ** 2, "axis=2"),
            (lambda q, C: (_cut(q, C) ** 2).sum(axis=0), "over the subvectors"),
            (lambda q, C: (_cut(q, C) ** 2).sum(axis=1), "over the codewords"),
            (lambda q, C: _table(q, C).min(axis=1), "keep all K"),
            (lambda q, C: _table(q.reshape(-1, len(C)).T.ravel(), C), "every M-th"),
            (lambda q, C: _table(q, C[:1].repeat(len(C), 0)), "first codebook"),
            (lambda q, C: _table(q, C) + 1, "row 0, column 0 should be"),
            (lambda q, C: _table(q, C)[:, :-1], "expected shape"),
        ),
    ),
    Exercise(
        "adc_distances",
        right=(
            lambda table, codes: _entries(table, codes).sum(axis=1),
            _adc_by_loops,
            lambda table, codes: np.take_along_axis(table.T, codes, axis=0).sum(axis=1),
        ),
        wrong=(
            (lambda table, codes: np.sqrt(_entries(table, codes).sum(axis=1)), "root of the sum"),
            (lambda table, codes: np.sqrt(_entries(table, codes)).sum(axis=1), "roots before"),
            (lambda table, codes: (_entries(table, codes) ** 2).sum(axis=1), "squared distances"),
            (lambda table, codes: _entries(table, codes).sum(axis=0), "over the vectors"),
            (lambda table, codes: _entries(table, codes), "one step is left"),
            (lambda table, codes: _entries(table, codes).sum(), "one number"),
            (lambda table, codes: _entries(table, codes).mean(axis=1), "mean"),
            (lambda table, codes: _entries(table, codes).max(axis=1), "largest"),
            (lambda table, codes: table[0, codes].sum(axis=1), "first row"),
            (lambda table, codes: table[:, codes], "pair row m"),
            (lambda table, codes: codes.sum(axis=1), "codes themselves"),
            (lambda table, codes: table[codes, np.arange(len(table))].sum(axis=1), "outside"),
            (lambda table, codes: np.argsort(_adc_by_loops(table, codes)), "positions"),
            (lambda table, codes: np.zeros(len(codes)), "the distance of code 0 is"),
        ),
    ),
]  # fmt: skip
