"""What a wrong answer must be told, and what it must not be told: the cases that were once got wrong.

Each entry is an answer, words that its message must hold, and words that it must not hold: mistakes
that were named although nobody had made them, and slips of shape and type, which every check should know.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from answers import Answer
from scipy.spatial.distance import cdist

Told = tuple[Answer, str, str]


def _t(a: Any) -> Any:
    return torch.from_numpy(np.asarray(a, dtype=np.float64))


def _table(rows: Any, others: Any) -> Any:
    return ((rows[:, None] - others) ** 2).sum(axis=2)


def _hits(found: Any, true: Any) -> Any:
    return (found[:, :, None] == true[:, None]).any(axis=1)


def _first_term(x: Any, y: Any) -> Any:
    for a, b in zip(x, y, strict=True):
        return (a - b) ** 2
    return 0.0


def _last_term(x: Any, y: Any) -> Any:
    total = 0.0
    for a, b in zip(x, y, strict=True):
        total = (a - b) ** 2
    return total


def _pieces(z: Any, C: Any) -> Any:
    return ((C - z.reshape(len(C), 1, -1)) ** 2).sum(axis=2)


def _overlapping(q: Any, C: Any) -> Any:
    d = C.shape[2]
    return np.stack([((C[m] - q[m : m + d]) ** 2).sum(axis=1) for m in range(len(C))])


def _cosines(g: Any, z: Any, c: Any) -> Any:
    return (c - z) @ -g / np.linalg.norm(c - z, axis=1) / np.linalg.norm(g)


def _or_none(g: Any, z: Any, c: Any, score: Any) -> int | None:
    return int(np.argmax(score)) if ((c - z) @ -g).max() > 0 else None


def _ap(r: Any, n: int, R: int, cut: int) -> float:
    gained = np.cumsum(r) / np.arange(1, len(r) + 1) * r
    return float(gained[:cut].sum() / max(1, min(R, n)))


def _sure(d: Any, k: int) -> tuple[Any, Any]:
    edge = np.sort(d)[k - 1]
    return d < edge, d == edge


def _found(table: Any, shards: Any, k: int, *, by_place: bool = False) -> tuple[Any, Any]:
    pairs = [
        (sum(table[m, c] for m, c in enumerate(code)), (row if by_place else start + row))
        for start, codes in shards
        if codes is not None
        for row, code in enumerate(codes)
    ]
    return [i for _, i in sorted(pairs)[:k]], [n for n, (_, c) in enumerate(shards) if c is None]


def _one_step(
    s: Any, p: int, labels: Any, history: Any, nu: int, nh: int, rng: Any,
    *, factor: float = 1.0, more: float = 0.0,
) -> tuple[Any, Any, Any]:  # fmt: skip
    free = np.setdiff1d(np.arange(len(labels)), [*history, p])
    near = free[labels[free] == labels[p]]
    near = near if len(near) else free
    items = np.append(rng.choice(free, nu), rng.choice(near, nh))
    q = factor * (nu / len(free) + np.isin(items, near) * nh / len(near)) + more
    return items, q, 0.0


def _all_at_once(new: Any, loss: Any, x: Any, y: Any, steps: int, rate: float) -> Any:
    encoder = new()
    optimizer = torch.optim.SGD(encoder.parameters(), lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(encoder(x), y).backward()
        optimizer.step()
    return encoder


TOLD: dict[str, tuple[Told, ...]] = {
    "squared_distance": (
        (_first_term, "`return` stand inside the loop", "written into"),
        (_last_term, "+=, not with =", "written into"),
        (lambda x, y: ((x - y) ** 2).sum() / 2, "half of the right value", "root"),
        (lambda x, y: ((x - y) ** 2).sum() + 1, "You got", "written into"),
        (lambda x, y: 22.25, "written into your code", "half"),
        (lambda x, y: int(((x - y) ** 2).sum()), "fractions are cut off", "written into"),
    ),
    "all_distances": (
        (lambda q, x: cdist(q, x), "you took the root", "written into"),
        (lambda q, x: (_table(q, x), 1), "you returned 2 things", "expected an array"),
        (lambda q, x: _table(q, x).min(axis=1), "expected shape", "root"),
    ),
    "nearest_rows": (
        (lambda d, k: _t(d).topk(k, largest=False), "return .indices alone", "expected shape"),
        (lambda d, k: _t(d).topk(k, largest=False).values, "argsort, not sort", "written into"),
        (lambda d, k: _t(d).sort(dim=1), "values and indices", "written into"),
    ),
    "vector_bytes": (
        (lambda N, dim, bits: N * dim * bits / 4, "twice the right value", "written into"),
        (lambda N, dim, bits: N * dim * 2, "you got", "root"),
    ),
    "recall_at_k": (
        (lambda f, t: int(_hits(f, t).mean()), "fractions are cut off", "place by place"),
        (lambda f, t: _hits(f, t).mean() / 2, "half", "place by place"),
        (lambda f, t: 0.0, "you got 0", "place by place"),
    ),
    "assign_cells": (
        (lambda p, c: cdist(p, c).min(1), "argmin, not min", "written into"),
        (lambda p, c: cdist(p, c), "one step is left: .argmin(axis=1)", "shape"),
        (lambda p, c: torch.cdist(_t(p), _t(c)).min(1), "return .indices alone", "fit together"),
        (
            lambda p, c: torch.cdist(_t(p), _t(c)).topk(1, largest=False),
            "values and indices",
            "root",
        ),
    ),
    "mean_distortion": (
        (
            lambda p, c, a: ((p - c[a]) ** 2).sum(axis=1).mean() / 2,
            "half of the right value",
            "numbers of a vector, too",
        ),
        (
            lambda p, c, a: float(np.median(((p - c[a]) ** 2).sum(axis=1))),
            "you got",
            "written into",
        ),
    ),
    "encode_one": (
        (lambda z, C: _t(_pieces(z, C)).min(1), "return .indices alone", "fit together"),
        (lambda z, C: np.sqrt(_pieces(z, C)).min(axis=1), "argmin, not min", "written into"),
        (lambda z, C: ((C - z) ** 2).sum(axis=2).argmin(axis=1), "axes fit where", "not a number"),
    ),
    "lookup_table": (
        (_overlapping, "the subvectors overlap", "written into"),
        (lambda q, C: ((C - q) ** 2).sum(axis=2), "axes fit where", "add up to a distance"),
        (lambda q, C: _t(_pieces(q, C)).sort(dim=1), "values and indices", "fit together"),
    ),
    "adc_distances": (
        (lambda t, c: t[:, c].sum((0, 2)), "pair row m with number m", "whole rows"),
        (lambda t, c: t[:, c].sum(axis=0), "pair row m with number m", "expected shape"),
        (lambda t, c: t[:, c], "np.arange(M), codes", "expected shape"),
        (lambda t, c: t[:, c].sum(), "np.arange(M), codes", "expected shape"),
        (lambda t, c: _t(t[np.arange(len(t)), c].sum(1)).sort(), "return", "fit together"),
    ),
    "additive_distances": (
        (
            lambda q, C, c, n: q @ q - 2 * (C @ q)[:, c].sum(axis=(0, 2)) + n,
            "tables[:, codes] looks up",
            "written into",
        ),
    ),
    "adc_distance": (
        (lambda t, c: t[:, c].sum((0, 1)), "whole columns", "expected one number"),
        (lambda t, c: t[0, c[0]], "first term only", "written into"),
    ),
    "critical_strength": (
        (
            lambda g, z, q: g @ g / (len(z) * (g @ (q - z))) if g @ (q - z) > 0 else np.inf,
            "yours is",
            "the factor 2 of the penalty's gradient is missing",
        ),
    ),
    "descends": (
        (lambda g, z, c: _cosines(g, z, c) > 0.5, "codeword", "you used c itself"),
        (lambda g, z, c: ((c - z) @ -g > 0).astype(int), "give True and False", "sign"),
        (lambda g, z, c: ((c - z) @ -g > 0).astype(float), "as numbers", "sign"),
    ),
    "goes_uphill": (
        (
            lambda g, p: ((g * (g + p)).sum(axis=1) < 0).astype(int),
            "give True and False",
            "written into",
        ),
        (lambda g, p: (g * (g + p)).sum(axis=1) <= 0, "right angle", "downhill"),
    ),
    "choose": (
        (
            lambda g, z, c: _or_none(g, z, c, (c - z) @ -g / ((c - z) ** 2).sum(axis=1)),
            "squared length",
            "that is the nearest one",
        ),
        (
            lambda g, z, c: _or_none(g, z, c, c @ -g / np.linalg.norm(c - z, axis=1)),
            "subtract z there",
            "written into",
        ),
        (
            lambda g, z, c: _or_none(g, z, c, c @ -g / np.linalg.norm(c, axis=1)),
            "the candidates themselves",
            "written into",
        ),
        (
            lambda g, z, c: _or_none(g, z, c, _cosines(g, z, c)) or None,
            "you returned None although some",
            "straight uphill",
        ),
        (lambda g, z, c: 0, "By what do you choose?", "first one that descends"),
    ),
    "replace_gradient": (
        (lambda g, z, c: 2 * (g @ (c - z)) * (c - z) / ((c - z) @ (c - z)), "twice", "unit vector"),
        (lambda g, z, c: g, "You got", "written into"),
    ),
    "pull_gradient": (
        (lambda g, z, c, s, b: g + 2 * 0.7 * (z - c) / b, "You got", "factor 2"),
        (lambda g, z, c, s, b: g + 2 * s * (z - c) / len(z), "You got", "divide the pull"),
        (lambda g, z, c, s, b: 2 * g + 4 * s * (z - c) / b, "twice the right value", "sign"),
    ),
    "dominated": (
        (
            lambda m, d: ((m > m[:, None]) & (d <= d[:, None])).any(axis=1),
            "as good in mAP with less distortion",
            "written into",
        ),
        (
            lambda m, d: ((m >= m[:, None]) & (d < d[:, None])).any(axis=1),
            "as good in distortion with more mAP",
            "written into",
        ),
    ),
    "precision_at_k": (
        (lambda q, n: (n == q[:, None]).mean(axis=1) / 2, "half", "written into"),
        (lambda q, n: (n == q[:, None])[:, :4].mean(axis=1), "You got", "first neighbour only"),
    ),
    "relative_distortion": (
        (
            lambda z, q: np.median(((z - q) ** 2).sum(1)) / ((z - z.mean(0)) ** 2).sum(1).mean(),
            "you got",
            "no square root",
        ),
    ),
    "fewest_bits": (
        (
            lambda b, m, e, x: b[e - m < x].min(),
            "<=, not <",
            "written into",
        ),
        (lambda b, m, e, x: 16, "written into your code", "loses exactly"),
    ),
    "expected_hits": (
        (lambda d, r, k: r[~_sure(d, k)[0]].mean(), "you got", "the order in the file"),
        (lambda d, r, k: 0.0, "you got 0", "the order in the file"),
    ),
    "ap_at": (
        (lambda r, n, R: _ap(r, n, R, R + 1), "one rank too many", "not cut"),
        (lambda r, n, R: 0.5 * _ap(r, n, R, R), "half", "divided by R"),
    ),
    "honest_score": (
        (
            lambda v, t: float(np.median(t[np.arange(len(t)), v.argmax(axis=1)])),
            "median over the seeds",
            "one run chose for all",
        ),
    ),
    "three_faults": (
        ({"C": "cut", "D": "bits"}, "missed: 1", "wrong accusation"),  # type: ignore[dict-item]
        ({"C": "cut", "D": "bits", "F": "query", "E": "bits"}, "E is honest", "missed"),  # type: ignore
        ({"C": "bits", "D": "cut", "F": "query"}, "not of 'bits'", "missed"),  # type: ignore[dict-item]
        ({"B": "bits"}, "B is honest", "is at fault"),  # type: ignore[dict-item]
    ),
    "search_shards": (
        (lambda t, s, k: _found(t, s, k, by_place=True), "its own rows from 0", "written into"),
        (
            lambda t, s, k: (_found(t, s, k)[0], [1, 4] if len(s) == 5 else []),
            "for step 7",
            "count from 1",
        ),
        (lambda t, s, k: (sorted(_found(t, s, k)[0]), _found(t, s, k)[1]), "sorted", "which shard"),
        (lambda t, s, k: _found(t, s[:1], k), "should hold id", "the first shard that answered"),
        (lambda t, s, k: ([0, 1, 2], []), "you got", "the first shard"),
    ),
    "sampled_step": (
        (lambda *a: _one_step(*a, factor=0.5), "half of the right value", "adds up both"),
        (lambda *a: _one_step(*a, more=1.0), "on average", "turned Q round"),
        (lambda *a: _one_step(*a)[0], "three things", "written into"),
        (lambda *a: (*_one_step(*a)[:2], 1.0), "for the loss expected", "wrong sign"),
        (
            lambda *a: (a[3][:1].repeat(a[4] + a[5]), 1, 1),
            "of the history was drawn",
            "positive itself",
        ),
    ),
    "train_in_turns": (
        (lambda e, layer, *a: e(), "as it was made", "too few"),
        (
            lambda e, layer, f, x, y, b, n, r: _all_at_once(e, f, x, y, 1, r),
            "You got",
            "batch by batch",
        ),
        (
            lambda e, layer, f, x, y, b, n, r: _all_at_once(e, f, x, y, n, r),
            "You got",
            "hears nothing",
        ),
        (lambda e, layer, f, x, y, b, n, r: x, "not its embeddings", "written into"),
    ),
    "honest_map": (
        (lambda d, q, y, own: 1 / 3, "written into your code", "the luckiest"),
        (lambda d, q, y, own: (y == q[:, None]).mean(), "you got", "the order of the file"),
        (lambda d, q, y, own: np.ones(len(q)), "expected one number", "AP of each query; one step"),
    ),
}
