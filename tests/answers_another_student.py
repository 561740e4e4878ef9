"""What another student wrote, above all into the newest exercises, and what each answer is told.

`ALSO_RIGHT` holds right answers in other styles. `WRONG_TOO` holds wrong ones, each with what was wrong and
words of its message; with `UNNAMED` no mistake may be named, because nobody has foreseen this one: the
student's own value stands beside the expected one, and a question leads on.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from answers import Answer
from answers_steps import (
    _ap_over_orders,
    _log_of,
    _map_by_pairs,
    _may_be_drawn,
    _rest_of,
    _step,
    _those_with_any,
)

UNNAMED = "Work this one out on paper"


def _network(
    *,
    optimizer: Callable[..., Any] = torch.optim.SGD,
    order: slice = slice(None),
    value: Callable[..., Any] = lambda loss, z, layer, y: loss(z if layer is None else layer(z), y),
    step: Callable[..., None] | None = None,
    end_of_round: Callable[..., Any] = lambda layer, make, encoder, x, *_: make(
        encoder(x).detach()
    ),
) -> Answer:
    """The training of 08.4, each part of which may be another one."""

    def as_it_should_be(adam: Any, loss: Any) -> None:
        adam.zero_grad()
        loss.backward()
        adam.step()

    def train(
        make: Any, fit: Any, loss: Any, x: Any, y: Any, batches: Any, n: int, rate: float
    ) -> Any:
        encoder, layer = make(), None
        updates = optimizer(encoder.parameters(), lr=rate)
        for number in range(n):
            for rows in batches[order]:
                (step or as_it_should_be)(updates, value(loss, encoder(x[rows]), layer, y[rows]))
            layer = end_of_round(layer, fit, encoder, x, batches, number)
            updates.zero_grad()
        return encoder

    return train


def _emptied_too_late(updates: Any, loss: Any) -> None:
    loss.backward()
    updates.zero_grad()
    updates.step()


def _step_first(updates: Any, loss: Any) -> None:
    updates.step()
    updates.zero_grad()
    loss.backward()


def _never_emptied(updates: Any, loss: Any) -> None:
    loss.backward()
    updates.step()


def _of_what_it_gave(layer: Any, make: Any, encoder: Any, x: Any, *_: Any) -> Any:
    z = encoder(x).detach()
    return make(z if layer is None else layer(z))


def _middle_of_its_tie(d: Any, right: Any) -> float:
    total = 0.0
    for i in np.flatnonzero(right):
        nearer, tied = d < d[i], d == d[i]
        hits = right[nearer].sum() + (right[tied].sum() + 1) / 2
        total += hits / (nearer.sum() + (tied.sum() + 1) / 2)
    return total / right.sum() if right.any() else 0.0


def _start_of_its_tie(d: Any, right: Any) -> float:
    terms = [(right[d < d[i]].sum() + 1) / ((d < d[i]).sum() + 1) for i in np.flatnonzero(right)]
    return float(np.mean(terms)) if terms else 0.0


def _in_one_order(d: Any, right: Any, key: Any) -> float:
    hits = right[np.lexsort((key, d))]
    return (
        float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()) if hits.any() else 0.0
    )


def _of_each(score: Callable[[Any, Any], float], over: Callable[[Any], Any] = np.mean) -> Answer:
    return lambda d, q, y, own: over([score(*one) for one in _rest_of(d, q, y, own)])


def _all_own_rows(d: Any, q: Any, y: Any, own: Any) -> Any:
    keep = ~np.isin(np.arange(len(y)), own[own >= 0])
    return _map_by_pairs(d[:, keep], q, y[keep], np.full(len(q), -1))


def _own_row_last(d: Any, q: Any, y: Any, own: Any) -> Any:
    d = d.copy()
    here = own >= 0
    d[np.flatnonzero(here), own[here]] = np.inf
    return _map_by_pairs(d, q, y, np.full(len(q), -1))


def _row_minus_one(d: Any, q: Any, y: Any, own: Any) -> Any:
    return _map_by_pairs(d, q, y, np.where(own < 0, len(y) - 1, own))


def _own_among_the_right(d: Any, q: Any, y: Any, own: Any) -> Any:
    found = [
        _ap_over_orders(row, right) * right.sum() / max((y == label).sum(), 1)
        for (row, right), label in zip(_rest_of(d, q, y, own), q, strict=True)
    ]
    return np.mean(found)


def _weighted(d: Any, q: Any, y: Any, own: Any) -> Any:
    rest = list(_rest_of(d, q, y, own))
    return np.average([_ap_over_orders(*one) for one in rest], weights=[r.sum() for _, r in rest])


def _five_shuffles(d: Any, q: Any, y: Any, own: Any) -> Any:
    rng = np.random.default_rng(0)
    return np.mean([_map_by_pairs(d + 1e-9 * rng.random(d.shape), q, y, own) for _ in range(5)])


def _queries_of_the_database(d: Any, q: Any, y: Any, own: Any) -> Any:
    here = own >= 0 if (own >= 0).any() else own < 0
    return _map_by_pairs(d[here], q[here], y, own[here])


def _with_loss(loss: Callable[..., Any]) -> Answer:
    return lambda *a: _step(*a, loss=loss)


def _with_q(q: Callable[..., Any]) -> Answer:
    return lambda *a: _step(*a, Q=q)


def _hard_first(s: Any, p: int, labels: Any, history: Any, nu: int, nh: int, rng: Any) -> list[Any]:
    allowed, mates = _may_be_drawn(p, labels, history)
    mates = mates if len(mates) else allowed
    items = np.concatenate([rng.choice(mates, nh), rng.choice(allowed, nu)])
    q = nu / len(allowed) + np.isin(items, mates) * nh / len(mates)
    return [items.tolist(), q.tolist(), float(_log_of(s, p, np.exp(s[items]) / q))]


def _mixed(*a: Any) -> Any:
    items, q, loss = _step(*a)
    order = a[-1].permutation(len(items))
    return items[order], q[order], loss


def _rate(rank: Any, clicked: Any, randomised: Any, k: int) -> Any:
    return np.array([clicked[randomised & (rank == place)].mean() for place in range(k)])


def _seen(*a: Any) -> Any:
    rate = _rate(*a)
    return rate / rate[0]


def _of_rates(change: Callable[[Any], Any]) -> Answer:
    return lambda *a: change(_rate(*a))


def _smoothed(rank: Any, clicked: Any, randomised: Any, k: int) -> Any:
    rows = [randomised & (rank == place) for place in range(k)]
    rate = np.array([(clicked[row].sum() + 1) / (row.sum() + 2) for row in rows])
    return rate / rate[0]


def _shorter(rank: Any, clicked: Any, randomised: Any, k: int) -> Any:
    clicks = np.bincount(rank[randomised & clicked])
    rate = clicks / np.bincount(rank[randomised], minlength=k)[: len(clicks)]
    return rate / rate[0]


def _added_at(rank: Any, clicked: Any, randomised: Any, k: int) -> Any:
    clicks, shown = np.zeros(k), np.zeros(k)
    np.add.at(clicks, rank[randomised], clicked[randomised])
    np.add.at(shown, rank[randomised], 1)
    clicks /= shown
    clicks /= clicks[0]
    return clicks


def _sums(item: Any, weights: Any, n: int) -> Any:
    return np.bincount(item, weights=weights, minlength=n)


def _per_look(item: Any, rank: Any, clicked: Any, looks: Any, n: int) -> Any:
    return _sums(item, clicked, n) / _sums(item, looks[rank], n)


def _at_the_first_place(item: Any, rank: Any, clicked: Any, looks: Any, n: int) -> Any:
    first = rank == 0
    return _per_look(item[first], rank[first], clicked[first], looks, n)


def _per_look_in_torch(item: Any, rank: Any, clicked: Any, looks: Any, n: int) -> Any:
    films = torch.from_numpy(item)
    clicks, seen = (
        torch.zeros(n, dtype=torch.float64).index_add(0, films, torch.from_numpy(one * 1.0))
        for one in (clicked, looks[rank])
    )
    return clicks / seen


def _per_look_in_lists(item: Any, rank: Any, clicked: Any, looks: Any, n: int) -> list[Any]:
    of = [np.flatnonzero(item == film) for film in range(n)]
    return [sum(clicked[i] for i in rows) / sum(looks[rank[i]] for i in rows) for rows in of]


def _merged(
    *,
    far: Callable[[Any, Any], Any] = lambda table, codes: table[np.arange(len(table)), codes].sum(
        1
    ),
    new: Callable[..., int] = lambda start, row, number, n: start + row,
    merge: Callable[..., Any] = lambda best, found, k: sorted(best + found)[:k],
    lost: Callable[[Any], Any] = lambda best: best,
    end: Callable[..., Any] = lambda best, missing, k: ([i for _, i in best], missing),
) -> Answer:
    """The search of 12.5, each part of which may be another one."""

    def search(table: Any, shards: Any, k: int) -> Any:
        best: list[Any] = []
        missing = []
        for number, (start, codes) in enumerate(shards):
            if codes is None:
                missing.append(number)
                best = lost(best)
                continue
            distances = far(table, codes)
            found = [(d, new(start, row, number, len(codes))) for row, d in enumerate(distances)]
            best = merge(best, found, k)
        return end(best, missing, k)

    return search


def _entries(table: Any, codes: Any) -> Any:
    return table[np.arange(len(table)), codes]


def _ids(best: Any) -> list[int]:
    return [i for _, i in best]


def _residuals(z: Any, books: Any, sign: int) -> list[int]:
    code = []
    for book in books:
        code.append(int(((z - book) ** 2).sum(axis=1).argmin()))
        z = z + sign * book[code[-1]]
    return code


def _square(rows: Any, others: Any) -> Any:
    return ((rows[:, None] - others) ** 2).sum(axis=2)


def _in_place(queries: Any, database: Any) -> Any:
    table = np.zeros((len(queries), len(database)), dtype=np.float32)
    for i, query in enumerate(queries):
        for j, vector in enumerate(database):
            table[i, j] += np.sum((query - vector) ** 2)
    return table


def _moved_by_sums(points: Any, codewords: Any, cells: Any) -> Any:
    sums, n = np.zeros(codewords.shape), np.bincount(cells, minlength=len(codewords))[:, None]
    np.add.at(sums, cells, points)
    return np.where(n > 0, sums / np.maximum(n, 1), codewords)


def _best_or(nothing: Any, g: Any, z: Any, c: Any) -> Any:
    scores = (c - z) @ -g / np.linalg.norm(c - z, axis=1)
    return scores.argmax() if scores.max() > 0 else nothing


def _nearest_downhill(g: Any, z: Any, codewords: Any, strength: float, n: int) -> Any:
    out = g.copy()
    for i in range(len(z)):
        for k in ((codewords - z[i]) ** 2).sum(axis=1).argsort()[:n]:
            if (codewords[k] - z[i]) @ -g[i] > 0:
                out[i] += 2 * strength * (z[i] - codewords[k]) / len(z)
                break
    return out


ALSO_RIGHT: dict[str, tuple[Answer, ...]] = {
    "vector_bytes": (
        lambda N, dim, bits: N * -(-dim * bits // 8),
        lambda N, dim, bits: math.ceil(N * dim * bits / 8),
    ),
    "all_distances": (_in_place,),
    "nearest_rows": (lambda d, k: torch.from_numpy(d).topk(k, largest=False).indices,),
    "recall_at_k": (
        lambda f, t: (
            sum(len({*a} & {*b}) for a, b in zip(f.tolist(), t.tolist(), strict=True)) / t.size
        ),
    ),
    "assign_cells": (
        lambda p, c: [np.argmin([np.linalg.norm(one - each) for each in c]) for one in p],
    ),
    "mean_distortion": (lambda p, c, a: np.einsum("ij,ij->", p - c[a], p - c[a]) / len(p),),
    "move_codewords": (_moved_by_sums,),
    "lookup_table": (
        lambda q, C: torch.cdist(_torch(q).reshape(len(C), 1, -1), _torch(C))[:, 0].square(),
    ),
    "adc_distances": (lambda t, c: np.take_along_axis(t.T, c, axis=0).sum(axis=1),),
    "goes_uphill": (
        lambda g, p: [bool(a @ (a + b) < 0) for a, b in zip(g, p, strict=True)],
        lambda g, p: torch.from_numpy((g * (g + p)).sum(axis=1) < 0),
    ),
    "descends": (lambda g, z, c: [np.dot(one - z, -g) > 0 for one in c],),
    "choose": (
        lambda *a: _best_or(None, *a),
        lambda *a: None if (best := _best_or(None, *a)) is None else torch.tensor(best),
    ),
    "dominated": (
        lambda m, d: [
            any(a >= x and b <= y and (a > x or b < y) for a, b in zip(m, d, strict=True))
            for x, y in zip(m, d, strict=True)
        ],
    ),
    "train_in_turns": (_network(),),
    "honest_map": (
        lambda d, *a: np.float32(_map_by_pairs(d.astype(np.float32), *a)),
        lambda *a: torch.tensor(float(_map_by_pairs(*a))),
        lambda *a: np.array(_map_by_pairs(*a)),
    ),
    "expected_hits": (
        lambda d, r, k: np.float32(
            r[d < (edge := np.sort(d)[k - 1])].sum() + (k - (d < edge).sum()) * r[d == edge].mean()
        ),
    ),
    "standard_error": (lambda a, b: torch.tensor(a - b).std() / len(a) ** 0.5,),
    "hard_candidates": (
        lambda p, y, h: sorted({*np.flatnonzero(y == y[p]).tolist()} - {*h.tolist(), int(p)}),
    ),
    "sampled_step": (
        _hard_first,
        _mixed,
        lambda *a: tuple(map(torch.tensor, _step(*a))),
        lambda *a: [np.asarray(one, dtype=np.float32) for one in _step(*a)],
    ),
    "place_propensity": (_added_at, lambda *a: torch.tensor(_seen(*a)), lambda *a: list(_seen(*a))),
    "clicks_per_look": (
        _per_look_in_torch,
        _per_look_in_lists,
        lambda *a: _per_look(*a).astype(np.float32),
    ),
    "merge_top": (
        lambda d, i, k: _ids(heapq.nsmallest(k, zip(d.ravel(), i.ravel(), strict=True))),
    ),
    "choose_nprobe": (
        lambda ranks, wanted: np.sort(ranks)[max(math.ceil(wanted * len(ranks) - 1e-9), 1) - 1] + 1,
    ),
    "index_bytes": (
        lambda n, dim, lists, M, K: float(
            n * (math.ceil(M * math.log2(K) / 8) + 8) + 4 * dim * (lists + K)
        ),
    ),
    "search_shards": (
        _merged(),
        _merged(far=lambda t, c: _entries(t.astype(np.float32), c).sum(axis=1)),
        _merged(end=lambda best, missing, k: (torch.tensor(_ids(best)), torch.tensor(missing))),
        _merged(end=lambda best, missing, k: [np.array(_ids(best), np.int32), tuple(missing)]),
    ),
}


def _torch(a: Any) -> Any:
    return torch.from_numpy(np.asarray(a, dtype=np.float64))


#: exercise -> (what was wrong, the answer, words of what it is told)
WRONG_TOO: dict[str, tuple[tuple[str, Answer, str], ...]] = {
    "squared_distance": (
        ("absolute values", lambda x, y: np.abs(x - y).sum(), "square them instead"),
        ("the sum squared", lambda x, y: (x - y).sum() ** 2, "you squared the sum"),
    ),
    "all_distances": (
        (
            "no factor 2",
            lambda q, x: (q**2).sum(1)[:, None] + (x**2).sum(1) - q @ x.T,
            "count twice",
        ),
        ("plus 2", lambda q, x: (q**2).sum(1)[:, None] + (x**2).sum(1) + 2 * q @ x.T, UNNAMED),
    ),
    "nearest_rows": (
        ("not sorted", lambda d, k: d.argpartition(k - 1, axis=1)[:, :k], "not nearest first"),
    ),
    "vector_bytes": (
        (
            "each vector cut",
            lambda N, dim, bits: N * (dim * bits // 8),
            "one vector after the other",
        ),
        ("one byte more", lambda N, dim, bits: N * dim * bits / 8 + 1, UNNAMED),
    ),
    "recall_at_k": (
        ("first place only", lambda f, t: (f[:, 0] == t[:, 0]).mean(), UNNAMED),
        ("any", lambda f, t: (f[:, :, None] == t[:, None]).any((1, 2)).mean(), "at least one"),
    ),
    "mean_distortion": (
        ("the largest", lambda p, c, a: ((p - c[a]) ** 2).sum(axis=1).max(), UNNAMED),
    ),
    "move_codewords": (
        (
            "half of the way",
            lambda p, c, a: (c + _moved_by_sums(p, c, a)) / 2,
            "half of the way",
        ),
    ),
    "residual_code": (
        ("the same vector at each stage", lambda z, C: _residuals(z, C, 0), "looked at z itself"),
        ("added", lambda z, C: _residuals(z, C, 1), "subtract it"),
    ),
    "goes_uphill": (
        ("the longer one", lambda g, p: (p**2).sum(1) > (g**2).sum(1), "longer than g"),
        ("p alone", lambda g, p: (g * p).sum(1) < 0, "p alone"),
    ),
    "descends": (
        (
            "nearer than average",
            lambda g, z, c: ((c - z) ** 2).sum(1) < ((c - z) ** 2).sum(1).mean(),
            UNNAMED,
        ),
    ),
    "choose": (("-1 for None", lambda *a: _best_or(-1, *a), "return None"),),
    "replace_gradient": (
        (
            "the whole length of g",
            lambda g, z, c: np.linalg.norm(g) * (c - z) / np.linalg.norm(c - z),
            UNNAMED,
        ),
    ),
    "snap_batch": (("the nearest that descends", _nearest_downhill, "best aligned"),),
    "bias_of": (
        (
            "how many, not what share",
            lambda u, g: (
                ((u * g).sum(1) / np.sqrt((u**2).sum(1) * (g**2).sum(1))).mean(),
                ((u * g).sum(1) < 0).sum(),
            ),
            "divide by how many",
        ),
    ),
    "precision_at_k": (
        ("divided by all", lambda q, n: (n == q[:, None]).sum(axis=1) / n.size, UNNAMED),
    ),
    "train_in_turns": (
        (
            "momentum",
            _network(optimizer=lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9)),
            UNNAMED,
        ),
        ("Adam", _network(optimizer=torch.optim.Adam), UNNAMED),
        (
            "decay",
            _network(optimizer=lambda p, lr: torch.optim.SGD(p, lr, weight_decay=0.01)),
            UNNAMED,
        ),
        ("batches in reversed order", _network(order=slice(None, None, -1)), UNNAMED),
        (
            "loss times size of the batch",
            _network(value=lambda f, z, g, y: len(y) * f(z if g is None else g(z), y)),
            UNNAMED,
        ),
        (
            "half of the loss without the layer",
            _network(value=lambda f, z, g, y: (f(z, y) + f(z if g is None else g(z), y)) / 2),
            UNNAMED,
        ),
        ("emptied before the step", _network(step=_emptied_too_late), "network as it was made"),
        ("step first", _network(step=_step_first), UNNAMED),
        ("emptied once a round", _network(step=_never_emptied), UNNAMED),
        (
            "every second round",
            _network(
                end_of_round=lambda g, fit, e, x, b, n: fit(e(x).detach()) if n % 2 else g,
            ),
            UNNAMED,
        ),
        (
            "fitted on the first batch",
            _network(end_of_round=lambda g, fit, e, x, b, n: fit(e(x[b[0]]).detach())),
            UNNAMED,
        ),
        (
            "fitted on the images",
            _network(end_of_round=lambda g, fit, e, x, b, n: fit(x[:, :3])),
            UNNAMED,
        ),
        (
            "fitted on what the layer gave",
            _network(end_of_round=_of_what_it_gave),
            "what the layer made of the embeddings",
        ),
        ("not detached", _network(end_of_round=lambda g, fit, e, x, *_: fit(e(x))), "detach"),
    ),
    "share_of_perfect": (
        (
            "nearly all",
            lambda q, n: ((n == q[:, None]).mean(axis=1) > 0.9).mean(),
            "expected 0.4000",
        ),
        ("all of all", lambda q, n: float((n == q[:, None]).all()), "for all queries at once"),
    ),
    "pull_gradient": (
        ("added", lambda g, z, c, s, b: g + 2 * s * (z + c) / b, UNNAMED),
        ("batch squared", lambda g, z, c, s, b: g + 2 * s * (z - c) / b**2, UNNAMED),
        ("g divided as well", lambda g, z, c, s, b: (g + 2 * s * (z - c)) / b, "not g"),
    ),
    "honest_score": (
        (
            "one epoch for all",
            lambda v, t: t[:, v.mean(axis=0).argmax()].mean(),
            "one epoch for all",
        ),
        (
            "the worst",
            lambda v, t: t[np.arange(len(t)), v.argmin(axis=1)].mean(),
            "argmax, not argmin",
        ),
    ),
    "fewest_bits": (
        (
            "the nearest to the limit",
            lambda b, m, e, x: b[np.abs(e - m - x).argmin()],
            "nearest to the limit",
        ),
        ("relative", lambda b, m, e, x: b[(e - m) / e <= x].min(), "as a share of exact"),
    ),
    "honest_map": (
        ("every query's own row is out", _all_own_rows, UNNAMED),
        ("own row last", _own_row_last, UNNAMED),
        ("row -1 is the last", _row_minus_one, UNNAMED),
        ("own row counts as right", _own_among_the_right, UNNAMED),
        (
            "mean of best and worst",
            _of_each(lambda d, r: (_in_one_order(d, r, r) + _in_one_order(d, r, ~r)) / 2),
            UNNAMED,
        ),
        ("middle of the tie", _of_each(_middle_of_its_tie), UNNAMED),
        ("start of the tie", _of_each(_start_of_its_tie), UNNAMED),
        ("weighted by right items", _weighted, UNNAMED),
        ("the best query", _of_each(_ap_over_orders, np.max), UNNAMED),
        ("five shuffles", _five_shuffles, UNNAMED),
        ("queries of the database only", _queries_of_the_database, UNNAMED),
        (
            "right order, wrong mean",
            lambda *a: _those_with_any(*a) * 0.9,
            UNNAMED,
        ),
        ("order of the file", _of_each(lambda d, r: _in_one_order(d, r, d)), "order of the file"),
    ),
    "sampled_loss": (
        (
            "plus a tenth",
            lambda p, n, q: np.log(np.exp(p) + (np.exp(n) / q).sum()) - p + 0.1,
            UNNAMED,
        ),
    ),
    "sampled_step": (
        (
            "positive corrected, too",
            _with_loss(
                lambda s, p, i, q: np.log(np.exp(s[p]) / q.mean() + (np.exp(s[i]) / q).sum()) - s[p]
            ),
            UNNAMED,
        ),
        (
            "log2",
            _with_loss(lambda s, p, i, q: _log_of(s, p, np.exp(s[i]) / q) / np.log(2)),
            UNNAMED,
        ),
        (
            "divided by n",
            _with_loss(lambda s, p, i, q: _log_of(s, p, np.exp(s[i]) / len(i))),
            UNNAMED,
        ),
        (
            "scores turned round",
            _with_loss(lambda s, p, i, q: np.log(np.exp(-s[p]) + (np.exp(-s[i]) / q).sum()) + s[p]),
            UNNAMED,
        ),
        (
            "the larger part of Q",
            _with_q(
                lambda i, nu, nh, al, m, r: np.maximum(nu / len(al), np.isin(i, m) * nh / len(m))
            ),
            UNNAMED,
        ),
        (
            "chance to be drawn at all",
            _with_q(
                lambda i, nu, nh, al, m, r: (
                    1 - (1 - 1 / len(al)) ** nu * (1 - np.isin(i, m) / len(m)) ** nh
                )
            ),
            UNNAMED,
        ),
        (
            "films reversed, Q not",
            lambda *a: (lambda t: (t[0][::-1], *t[1:]))(_step(*a)),
            "reversed",
        ),
        (
            "the positive in its cell",
            lambda *a: _step(*a, mates_of=lambda p, y, h: np.flatnonzero(y == y[p])),
            "the positive itself was drawn",
        ),
    ),
    "place_propensity": (
        ("smoothed", _smoothed, UNNAMED),
        ("one place off", lambda *a: np.append(1, _seen(*a)[:-1]), UNNAMED),
        ("over the mean", _of_rates(lambda rate: rate / rate.mean()), UNNAMED),
        ("never rising", lambda *a: np.minimum.accumulate(_seen(*a)), UNNAMED),
        ("not looked at", lambda *a: 1 - _seen(*a), UNNAMED),
        ("odds", _of_rates(lambda p: p / (1 - p) / (p[0] / (1 - p[0]))), UNNAMED),
        ("root", lambda *a: np.sqrt(_seen(*a)), UNNAMED),
        ("rounded", lambda *a: np.round(_seen(*a), 2), UNNAMED),
        ("clicked or at random", lambda r, c, lot, k: _seen(r, c | lot, lot | c, k), UNNAMED),
        ("shorter", _shorter, "minlength"),
    ),
    "clicks_per_look": (
        ("smoothed", lambda i, r, c, w, n: (_sums(i, c, n) + 1) / (_sums(i, w[r], n) + 2), UNNAMED),
        (
            "the same look for all",
            lambda i, r, c, w, n: _sums(i, c, n) / _sums(i, np.full(len(i), w.mean()), n),
            UNNAMED,
        ),
        (
            "weights that add up",
            lambda i, r, c, w, n: _sums(i, c / w[r], n) / _sums(i, 1 / w[r], n),
            UNNAMED,
        ),
        (
            "looks upside down",
            lambda i, r, c, w, n: _sums(i, c, n) / _sums(i, 1 / w[r], n),
            UNNAMED,
        ),
        ("own looks", lambda i, r, c, w, n: _sums(i, c, n) / _sums(i, 1 / (1 + r), n), UNNAMED),
        ("cut at a half", lambda *a: np.minimum(_per_look(*a), 0.5), UNNAMED),
        (
            "first place only",
            lambda i, r, c, w, n: _per_look(i[r == 0], r[r == 0], c[r == 0], w, n),
            UNNAMED,
        ),
        ("over the largest", lambda *a: _per_look(*a) / _per_look(*a).max(), UNNAMED),
        ("order of the films", lambda *a: np.argsort(-_per_look(*a)), UNNAMED),
        ("1 for nobody", lambda *a: np.where(_per_look(*a) == 0, 1, _per_look(*a)), UNNAMED),
    ),
    "index_bytes": (
        (
            "ids of 4 bytes",
            lambda n, dim, lists, M, K: (
                n * (-(-M * int(np.log2(K)) // 8) + 4) + 4 * dim * (lists + K)
            ),
            "You got 46,048",
        ),
    ),
    "search_shards": (
        ("roots added", _merged(far=lambda t, c: _entries(np.sqrt(t), c).sum(axis=1)), UNNAMED),
        ("cut to whole", _merged(far=lambda t, c: _entries(t, c).sum(axis=1).astype(int)), UNNAMED),
        ("rows reversed", _merged(far=lambda t, c: _entries(t[::-1], c).sum(axis=1)), UNNAMED),
        ("the largest entry", _merged(far=lambda t, c: _entries(t, c).max(axis=1)), UNNAMED),
        ("half of k", _merged(merge=lambda b, f, k: sorted(b + f)[: k // 2]), UNNAMED),
        ("one too large", _merged(new=lambda start, row, number, n: start + row + 1), UNNAMED),
        (
            "number times own size",
            _merged(new=lambda start, row, number, n: number * n + row),
            UNNAMED,
        ),
        (
            "by arrival",
            _merged(merge=lambda b, f, k: sorted(b + f, key=lambda p: p[0])[:k]),
            "which shard answered",
        ),
        (
            "padded",
            _merged(end=lambda b, missing, k: (_ids(b) + [-1] * (k - len(b)), missing)),
            "fewer than k vectors are left",
        ),
        ("pairs", _merged(end=lambda b, missing, k: (b, missing)), "expected shape"),
        ("yes or no", _merged(end=lambda b, missing, k: (_ids(b), bool(missing))), "an empty list"),
        ("lost and forgotten", _merged(lost=lambda best: []), "expected shape"),
        (
            "missing ones reversed",
            _merged(end=lambda b, missing, k: (_ids(b), missing[::-1])),
            "the missing shards are [1, 4]",
        ),
    ),
}
