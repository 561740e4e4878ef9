"""Answers to the larger exercises of chapters 08, 09, 11 and 12, whose checks follow in steps."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
import torch
from answers import Exercise


def _pairs(table: Any, start: int, codes: Any) -> list[tuple[float, int]]:
    distances = [sum(table[m, c] for m, c in enumerate(code)) for code in codes]
    return [(float(d), start + row) for row, d in enumerate(distances)]


def _sharded(
    table: Any,
    shards: Any,
    k: int,
    *,
    key: Any = None,
    first: Any = lambda start, number, before: start,
    of_each: Any = lambda pairs, k: heapq.nsmallest(k, pairs),
    gone: Any = lambda number, start: number,
    stop: bool = False,
    cut: int = 0,
) -> tuple[list[int], list[Any]]:
    """The lists of the shards, merged at the end; each part may be another one."""
    found: list[tuple[float, int]] = []
    missing: list[Any] = []
    before = 0
    for number, (start, codes) in enumerate(shards):
        if codes is None:
            missing.append(gone(number, start))
            if stop:
                break
            continue
        found += of_each(_pairs(table, first(start, number, before), codes), k)
        before += len(codes)
    return [i for _, i in sorted(found, key=key)[: k + cut]], missing


def _sharded_by_heap(table: Any, shards: Any, k: int) -> Any:
    """Sorted lists, merged by a heap when all have come."""
    lists, missing = [], []
    for number, (start, codes) in enumerate(shards):
        if codes is None:
            missing += [number]
        else:
            lists.append(sorted(_pairs(table, start, codes)))
    return [item for _, item in list(heapq.merge(*lists))[:k]], missing


def _sharded_in_numpy(table: Any, shards: Any, k: int) -> Any:
    """All answers side by side, sorted once."""
    here = [(start, codes) for start, codes in shards if codes is not None]
    ids = np.concatenate([np.arange(start, start + len(codes)) for start, codes in here])
    codes = np.concatenate([codes for _, codes in here])
    far = sum(row[codes[:, m]] for m, row in enumerate(table))
    missing = np.flatnonzero([codes is None for _, codes in shards])
    return ids[np.lexsort((ids, far))][:k], missing


def _pair_of(table: Any, shards: Any, k: int, ids: Any = None, missing: Any = None) -> Any:
    """The right answer, with one of the two things replaced."""
    right, lost = _sharded(table, shards, k)
    return ids(right) if ids else right, missing(lost) if missing else lost


def _every_row(table: Any, shards: Any, k: int) -> Any:
    found = []
    for start, codes in shards:
        if codes is not None:
            far = table[:, codes].sum(axis=(0, 2))
            found += [(d, start + row) for row, d in enumerate(far)]
    return [i for _, i in sorted(found)[:k]], _sharded(table, shards, k)[1]


def _one_list(at: int) -> Any:
    def search(table: Any, shards: Any, k: int) -> Any:
        here = [one for one in shards if one[1] is not None]
        return _sharded(table, [here[at]], k)[0], _sharded(table, shards, k)[1]

    return search


def _side_by_side(table: Any, shards: Any, k: int) -> Any:
    lists = [_sharded(table, [one], k)[0] for one in shards if one[1] is not None]
    return np.concatenate(lists), _sharded(table, shards, k)[1]


def _without_the_guard(table: Any, shards: Any, k: int) -> Any:
    pairs = [pair for start, codes in shards for pair in _pairs(table, start, codes)]
    return [i for _, i in sorted(pairs)[:k]], []


def _the_others(table: Any, shards: Any, k: int) -> Any:
    """Where some are lost, those that are not."""
    ids, missing = _sharded(table, shards, k)
    return ids, [n for n in range(len(shards)) if n not in missing] if missing else []


def _far_of(table: Any, shards: Any, ids: Any) -> Any:
    far = {
        i: d for start, codes in shards if codes is not None for d, i in _pairs(table, start, codes)
    }
    return [far[i] for i in ids]


def _may_be_drawn(p: int, labels: Any, history: Any) -> tuple[Any, Any]:
    allowed = [
        f for f in range(len(labels)) if f != p and f not in set(np.asarray(history).tolist())
    ]
    return np.array(allowed), np.array([f for f in allowed if labels[f] == labels[p]], dtype=int)


def _step(
    s: Any,
    p: int,
    labels: Any,
    history: Any,
    nu: int,
    nh: int,
    rng: Any,
    *,
    films: Any = None,
    mates_of: Any = None,
    Q: Any = None,
    loss: Any = None,
    items: Any = None,
    source: Any = None,
) -> Any:
    """One training step, each of whose parts may be another one."""
    allowed, mates = _may_be_drawn(p, labels, history)
    allowed = allowed if films is None else films(p, labels, history)
    mates = mates if mates_of is None else mates_of(p, labels, history)
    rng = rng if source is None else source(rng)
    if not len(mates):
        nu, nh, mates = nu + nh, 0, allowed
    drawn = np.concatenate([rng.choice(allowed, nu), rng.choice(mates, nh)])
    right = nu / len(allowed) + np.isin(drawn, mates) * nh / len(mates)
    expected = right if Q is None else Q(drawn, nu, nh, allowed, mates, right)
    total = np.exp(s[p]) + (np.exp(s[drawn]) / right).sum()
    value = np.log(total) - s[p] if loss is None else loss(s, p, drawn, right)
    return (drawn if items is None else items(drawn)), expected, value


def _step_by_mask(
    s: Any, p: int, labels: Any, history: Any, nu: int, nh: int, rng: Any
) -> tuple[Any, Any, Any]:
    """The chances of every film first; then one table of weights."""
    free = np.ones(len(labels))
    free[history] = 0
    free[p] = 0
    near = free * (labels == labels[p])
    if near.sum() == 0:
        near = free
    table = nu * free / free.sum() + nh * near / near.sum()
    items = [rng.choice(len(labels), p=free / free.sum()) for _ in range(nu)]
    items += [rng.choice(len(labels), p=near / near.sum()) for _ in range(nh)]
    logits = np.append(s[items] - np.log(table[items]), s[p])
    return items, table[items], np.logaddexp.reduce(logits) - s[p]


def _step_in_torch(
    s: Any, p: int, labels: Any, history: Any, nu: int, nh: int, rng: Any
) -> tuple[Any, Any, Any]:
    """Uniform numbers, looked up; the loss as a cross-entropy."""
    allowed = np.delete(np.arange(len(labels)), np.append(history, p))
    mates = allowed[labels[allowed] == labels[p]]
    mates = mates if mates.size else allowed
    near = mates[(rng.random(nh) * mates.size).astype(int)]
    items = np.hstack([allowed[(rng.random(nu) * allowed.size).astype(int)], near])
    expected = np.array([nu / allowed.size + (nh / mates.size if i in mates else 0) for i in items])
    logits = torch.tensor(np.hstack([s[p], s[items] - np.log(expected)]))
    zero = torch.zeros(1, dtype=torch.long)
    return items, expected, torch.nn.functional.cross_entropy(logits[None], zero).item()


def _own_way(drawn: Any, nu: int, nh: int, allowed: Any, mates: Any, right: Any) -> Any:
    return np.repeat([nu / len(allowed), nh / len(mates)], [nu, nh])


def _not_the_cell(p: int, labels: Any, history: Any) -> Any:
    allowed, mates = _may_be_drawn(p, labels, history)
    return np.setdiff1d(allowed, mates)


def _mean_loss(s: Any, p: int, i: Any, q: Any) -> Any:
    return np.log(np.exp(s[p]) + (np.exp(s[i]) / q).mean()) - s[p]


def _log_of(s: Any, p: int, weights: Any) -> Any:
    return np.log(np.exp(s[p]) + weights.sum()) - s[p]


def _distinct(s: Any, p: int, i: Any, q: Any) -> Any:
    first = np.unique(i, return_index=True)[1]
    return _log_of(s, p, (np.exp(s[i]) / q)[first])


def _places(p: int, labels: Any, history: Any) -> Any:
    return np.arange(len(_may_be_drawn(p, labels, history)[0]))


def _fresh(rng: Any) -> Any:
    return np.random.default_rng()


def _same_again(rng: Any) -> Any:
    return np.random.default_rng(0)


def _nobody_left(*a: Any) -> Any:
    """Draws nothing in the place of the cell that is empty."""
    items, Q, loss = _step(*a)
    mates = _may_be_drawn(*a[1:4])[1]
    return (items, Q, loss) if len(mates) else (items[: a[4]], Q[: a[4]], loss)


def _only_half_of_Q(*a: Any) -> Any:
    mates = _may_be_drawn(*a[1:4])[1]
    return _step(*a, Q=lambda i, nu, nh, al, m, r: r if len(mates) else r * a[4] / (a[4] + a[5]))


def _skewed(pool: Any) -> Any:
    """Draws of the catalogue come from another pool; Q and loss are as they should be."""

    def step(*a: Any) -> Any:
        s, p, labels, history, nu, nh, rng = a
        allowed, mates = _may_be_drawn(p, labels, history)
        near = mates if len(mates) else allowed
        i = np.append(rng.choice(pool(p, labels, history), nu), rng.choice(near, nh)).astype(int)
        q = nu / len(allowed) + np.isin(i, near) * nh / len(near)
        return i, q, _log_of(s, p, np.exp(s[i]) / q)

    return step


def _popular(p: int, labels: Any, history: Any) -> Any:
    allowed = _may_be_drawn(p, labels, history)[0]
    return np.append(allowed, allowed[:2])


# The first optimizer brings in half of PyTorch: no check's clock should run meanwhile.
torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)


def _turns_by_autograd(
    make_encoder: Any,
    make_layer: Any,
    loss: Any,
    images: Any,
    labels: Any,
    batches: Any,
    n: int,
    rate: float,
) -> Any:
    """The step by hand, and a layer that does nothing to begin with."""
    encoder = make_encoder()
    weights = list(encoder.parameters())

    def layer(z: Any) -> Any:
        return z

    for _ in range(n):
        for rows in batches:
            value = loss(layer(encoder(images[rows])), labels[rows])
            gradients = torch.autograd.grad(value, weights)
            with torch.no_grad():
                for weight, gradient in zip(weights, gradients, strict=True):
                    weight -= rate * gradient
        with torch.no_grad():
            layer = make_layer(encoder(images))
    return encoder


def _turns_by_the_number(
    make_encoder: Any,
    make_layer: Any,
    loss: Any,
    images: Any,
    labels: Any,
    batches: Any,
    n: int,
    rate: float,
) -> Any:
    """One loop over all batches of all rounds."""
    encoder = make_encoder()
    optimizer = torch.optim.SGD(encoder.parameters(), lr=rate)
    layers = [torch.nn.Identity()]
    for number in range(n * len(batches)):
        if number and number % len(batches) == 0:
            layers.append(make_layer(encoder(images).detach()))
        rows = batches[number % len(batches)]
        optimizer.zero_grad()
        loss(layers[-1](encoder(images[rows])), labels[rows]).backward()
        optimizer.step()
    return encoder


def _turns(
    make_encoder: Any, make_layer: Any, loss: Any, images: Any, labels: Any, batches: Any, n: int,
    rate: float, *, rounds: Any = lambda n: range(n), part: Any = lambda batches: batches,
    zero: bool = True, uses: bool = True, first: bool = False, when: str = "round", of: str = "all",
    target: Any = None, every: bool = False, sign: int = 1, result: Any = None, anew: bool = False,
    inside: bool = True,
) -> Any:  # fmt: skip
    """The loops, each of whose parts may be another one."""
    encoder = make_encoder()
    optimizer = torch.optim.SGD(encoder.parameters(), lr=rate)
    layer = make_layer(encoder(images).detach()) if first else None
    for number in rounds(n):
        if anew and number:
            encoder = make_encoder()
            optimizer = torch.optim.SGD(encoder.parameters(), lr=rate)
        before = encoder(images).detach()
        if not inside:
            optimizer.zero_grad()
        for rows in part(batches):
            rows = slice(None) if every else rows
            z = encoder(images[rows])
            z = layer(z) if layer is not None and uses else z
            if zero and inside:
                optimizer.zero_grad()
            (sign * loss(z, labels[rows] if target is None else target(labels, rows))).backward()
            if inside:
                optimizer.step()
            if when == "batch":
                layer = make_layer(encoder(images).detach())
        if not inside:
            optimizer.step()
        if when == "round" or (when == "once" and number == 0):
            rows = part(batches)[-1]
            whole = {"all": encoder(images), "last": encoder(images[rows]), "before": before}[of]
            layer = make_layer(whole.detach())
    return encoder if result is None else result(encoder, images)


def _rest_of(d: Any, q: Any, y: Any, own: Any) -> Any:
    """Of each query: distances and right ones, without its own row."""
    for row, label, mine in zip(d, q, own, strict=True):
        keep = np.arange(len(row)) != mine
        yield row[keep], y[keep] == label


def _ap_over_orders(d: Any, right: Any) -> float:
    """Right items in pairs: how probable is it that one stands before the other?"""
    total = 0.0
    for i in np.flatnonzero(right):
        nearer, tied = d < d[i], d == d[i]
        hits, others = (nearer & right).sum(), (tied & right).sum() - 1
        n = tied.sum() - 1
        for s in range(n + 1):  # so many of its tie stand before it
            among = s * others / n if n else 0
            total += (hits + among + 1) / (nearer.sum() + s + 1) / (n + 1)
    return total / right.sum() if right.any() else 0.0


def _map_by_pairs(d: Any, q: Any, y: Any, own: Any) -> Any:
    return np.mean([_ap_over_orders(row, right) for row, right in _rest_of(d, q, y, own)])


def _map_by_counting(d: Any, q: Any, y: Any, own: Any) -> float:
    """Sizes of all ties at once, from np.unique."""
    found = 0.0
    for row, right in _rest_of(d, q, y, own):
        _, which, t = np.unique(row, return_inverse=True, return_counts=True)
        r = np.bincount(which, weights=right)
        start, hits = np.cumsum(t) - t, np.cumsum(r) - r
        of = np.repeat(np.arange(len(t)), t)
        s = np.arange(len(row)) - start[of]
        rest = (r - 1) / np.maximum(t - 1, 1)
        terms = (r / t)[of] * (hits[of] + 1 + s * rest[of]) / (start[of] + s + 1)
        found += terms.sum() / r.sum() if r.sum() else 0.0
    return found / len(d)


def _ap(right: Any) -> float:
    if not right.any():
        return 0.0
    return float((np.cumsum(right) / np.arange(1, len(right) + 1))[right].mean())


def _map_in_order(key: Any) -> Any:
    """AP of one order of the ties."""

    def score(d: Any, q: Any, y: Any, own: Any) -> Any:
        return np.mean([_ap(r[np.lexsort((key(r), row))]) for row, r in _rest_of(d, q, y, own)])

    return score


def _map_of_ends(d: Any, q: Any, y: Any, own: Any) -> Any:
    scores = []
    for row, right in _rest_of(d, q, y, own):
        ends = [right[row <= row[i]].mean() for i in np.flatnonzero(right)]
        scores.append(np.mean(ends) if ends else 0.0)
    return np.mean(scores)


def _aps(d: Any, q: Any, y: Any, own: Any) -> Any:
    return np.array([_ap_over_orders(*one) for one in _rest_of(d, q, y, own)])


def _those_with_any(d: Any, q: Any, y: Any, own: Any) -> Any:
    return np.mean([_ap_over_orders(*one) for one in _rest_of(d, q, y, own) if one[1].any()])


def _map_unconditional(d: Any, q: Any, y: Any, own: Any) -> Any:
    scores = []
    for row, right in _rest_of(d, q, y, own):
        before = hits = total = 0.0
        for value in np.unique(row):
            t, r = (row == value).sum(), right[row == value].sum()
            s = np.arange(1, t + 1)
            total += r / t * ((hits + s * r / t) / (before + s)).sum()
            before, hits = before + t, hits + r
        scores.append(total / hits if hits else 0.0)
    return np.mean(scores)


STEPS = [
    Exercise(
        "search_shards",
        right=(_sharded_by_heap, _sharded_in_numpy),
        wrong=(
            (lambda *a: _sharded(*a, first=lambda s, n, b: 0), "counts its own rows from 0"),
            (lambda *a: _sharded(*a, first=lambda s, n, b: b), "counted on from the shard"),
            (lambda *a: _sharded(*a, key=lambda pair: pair[0]), "which shard answered first"),
            (
                lambda *a: _sharded(
                    *a,
                    key=lambda pair: (pair[0], -pair[1]),
                    of_each=lambda pairs, k: sorted(pairs, key=lambda p: (p[0], -p[1]))[:k],
                ),
                "the larger id comes first",
            ),
            (
                lambda *a: _sharded(
                    *a, of_each=lambda pairs, k: sorted(pairs, key=lambda p: (p[0], -p[1]))[:k]
                ),
                "inside a shard, too",
            ),
            (
                lambda *a: _sharded(
                    *a, key=lambda p: (-p[0], p[1]), of_each=lambda pairs, k: pairs
                ),
                "those are the farthest",
            ),
            (_one_list(0), "the first shard that answered"),
            (_one_list(-1), "the list of the last shard"),
            (lambda *a: _sharded(*a, of_each=lambda pairs, k: [min(pairs)]), "may lie in one"),
            (_side_by_side, "one behind the other; merge them"),
            (
                lambda t, s, k: _pair_of(t, s, k, lambda ids: _side_by_side(t, s, k)[0][:k]),
                "cut after k; sort them first",
            ),
            (
                lambda t, s, k: _sharded(t, s, k, cut=10**6, of_each=lambda pairs, k: pairs[:k]),
                "place",
            ),
            (lambda *a: _sharded(*a, cut=10**6), "merged, but not cut"),
            (lambda *a: _sharded(*a, cut=-1), "one item too few"),
            (
                lambda t, s, k: _pair_of(t, s, k, lambda ids: _far_of(t, s, ids)),
                "those are distances",
            ),
            (_every_row, "every row of the table"),
            (lambda *a: _sharded(*a, stop=True), "stopped at the shard that did not answer"),
            (_without_the_guard, "it raised TypeError"),
            (lambda *a: _pair_of(*a, missing=lambda lost: []), "looks complete"),
            (lambda *a: _sharded(*a, gone=lambda number, start: start), "the missing shards begin"),
            (lambda *a: _sharded(*a, gone=lambda number, start: number + 1), "count from 1"),
            (
                lambda t, s, k: (
                    _sharded(t, s, k)[0],
                    [n for n, one in enumerate(s) if one[1] is not None],
                ),
                "Every shard answered",
            ),
            (_the_others, "the shards that answered"),
            (lambda *a: _sharded(*a)[::-1], "the two are swapped"),
            (lambda *a: _sharded(*a)[0], "give two things back"),
            (lambda *a: _pair_of(*a, ids=set), "a set has no order"),
            (lambda *a: _pair_of(*a, ids=lambda ids: ids[::-1]), "reversed order"),
            (lambda *a: _pair_of(*a, ids=lambda ids: [i + 1 for i in ids]), "should hold id"),
            (lambda *a: _pair_of(*a, missing=lambda lost: len(lost)), "nothing is missing"),
        ),
    ),
    Exercise(
        "sampled_step",
        right=(_step_by_mask, _step_in_torch),
        wrong=(
            (
                lambda *a: _step(*a, Q=_own_way) if len(_may_be_drawn(*a[1:4])[1]) else _step(*a),
                "adds up both",
            ),
            (
                lambda *a: _step(
                    *a, Q=lambda i, nu, nh, al, m, r: np.full(len(i), (nu + nh) / len(al))
                ),
                "counted all draws as draws of the whole catalogue",
            ),
            (
                lambda *a: _step(
                    *a, Q=lambda i, nu, nh, al, m, r: np.full(len(i), nu / len(al) + nh / len(m))
                ),
                "no part from the cell",
            ),
            (
                lambda *a: _step(
                    *a, Q=lambda i, nu, nh, al, m, r: r - nu / len(al) + nu / len(a[2])
                ),
                "N less the positive and the history",
            ),
            (
                lambda *a: _step(
                    *a, Q=lambda i, nu, nh, al, m, r: r - nu / len(al) + nu / (len(a[2]) - 1)
                ),
                "the history cannot be drawn either",
            ),
            (
                lambda *a: _step(
                    *a,
                    Q=lambda i, nu, nh, al, m, r: (
                        nu / len(al) + np.isin(i, m) * nh / (a[2] == a[2][a[1]]).sum()
                    ),
                ),
                "in the cell, too",
            ),
            (
                lambda *a: _step(*a, Q=lambda i, nu, nh, al, m, r: r / len(i)),
                "divided by the number of draws",
            ),
            (lambda *a: _step(*a, Q=lambda i, nu, nh, al, m, r: 1 / r), "turned Q round"),
            (
                lambda *a: _step(*a, Q=lambda i, nu, nh, al, m, r: np.log(r)),
                "those are the logarithms",
            ),
            (
                lambda *a: _step(*a, Q=lambda i, nu, nh, al, m, r: np.bincount(i)[i]),
                "came this time",
            ),
            (
                lambda *a: _step(
                    *a,
                    Q=lambda i, nu, nh, al, m, r: (
                        (nu > 0) / len(al) + (nh > 0) * np.isin(i, m) / len(m)
                    ),
                ),
                "chances of one draw",
            ),
            (_only_half_of_Q, "nobody is left in the cell, so"),
            (_nobody_left, "draw all of them"),
            (
                lambda *a: _step(
                    *a, films=lambda p, labels, h: np.setdiff1d(np.arange(len(labels)), h)
                ),
                "the positive itself was drawn",
            ),
            (
                lambda *a: _step(
                    *a, films=lambda p, labels, h: np.delete(np.arange(len(labels)), p)
                ),
                "a film of the history was drawn",
            ),
            (lambda *a: _step(*a, films=_places), "drawn"),
            (
                lambda *a: _step(*a, mates_of=lambda *b: _may_be_drawn(*b)[0]),
                "must come from the positive's",
            ),
            (lambda *a: _step(*a, films=_not_the_cell), "lie in the cell"),
            (lambda *a: _step(*a, films=_popular), "on average"),
            (
                lambda *a: _step(*a, source=_fresh),
                "with the same rng your function draws other films",
            ),
            (lambda *a: _step(*a, source=_same_again), "draws the same films for another rng"),
            (lambda *a: _step(*a, items=np.unique), "put in only once"),
            (lambda *a: _step(*a, items=lambda i: i + 100), "does not exist"),
            (
                lambda *a: _step(*a, loss=lambda s, p, i, q: _log_of(s, p, np.exp(s[i]) * q)),
                "wrong sign",
            ),
            (
                lambda *a: _step(*a, loss=lambda s, p, i, q: _log_of(s, p, np.exp(s[i]))),
                "not corrected",
            ),
            (
                lambda *a: _step(*a, loss=lambda s, p, i, q: _log_of(s, p, np.exp(s[i] - q))),
                "its logarithm",
            ),
            (lambda *a: _step(*a, loss=_mean_loss), "mean of the negatives"),
            (lambda *a: _step(*a, loss=_distinct), "drawn twice counts twice"),
            (
                lambda *a: _step(
                    *a, loss=lambda s, p, i, q: np.log((np.exp(s[i]) / q).sum()) - s[p]
                ),
                "the positive is missing",
            ),
            (
                lambda *a: _step(
                    *a, loss=lambda s, p, i, q: _log_of(s, p, np.exp(s[i]) / q) + s[p]
                ),
                "the logarithm of the sum",
            ),
            (
                lambda *a: _step(*a, loss=lambda s, p, i, q: -_log_of(s, p, np.exp(s[i]) / q)),
                "turned round",
            ),
            (
                lambda *a: _step(*a, loss=lambda s, p, i, q: np.log(np.exp(s).sum()) - s[p]),
                "every film counts",
            ),
            (lambda *a: _step(*a)[2], "give three things back"),
            (lambda *a: _step(*a)[:2], "give three things back"),
        ),
    ),
    Exercise(
        "train_in_turns",
        right=(_turns_by_autograd, _turns_by_the_number),
        wrong=(
            (lambda *a: _turns(*a, rounds=lambda n: ()), "network as it was made"),
            (lambda *a: _turns(*a, rounds=lambda n: (0,)), "where one round leads"),
            (lambda *a: _turns(*a, rounds=lambda n: range(n - 1)), "one round too few"),
            (lambda *a: _turns(*a, rounds=lambda n: range(n + 1)), "one round too many"),
            (lambda *a: _turns(*a, zero=False), "add up: call optimizer.zero_grad()"),
            (lambda *a: _turns(*a, uses=False), "hears nothing of the codewords"),
            (lambda *a: _turns(*a, first=True), "no layer yet"),
            (lambda *a: _turns(*a, when="never"), "hears nothing of the codewords"),
            (lambda *a: _turns(*a, when="once"), "made once and stays"),
            (lambda *a: _turns(*a, when="batch"), "made after each batch"),
            (lambda *a: _turns(*a, of="last"), "made from the last batch"),
            (lambda *a: _turns(*a, of="before"), "as they were before the round"),
            (lambda *a: _turns(*a, part=lambda batches: batches[:1]), "the first one only"),
            (lambda *a: _turns(*a, part=lambda batches: batches[-1:]), "the last one only"),
            (
                lambda *a: _turns(*a, part=lambda batches: batches[:-1] or batches),
                "last batch is left out",
            ),
            (lambda *a: _turns(*a, every=True), "expected"),
            (
                lambda *a: _turns(*a, every=True, part=lambda batches: batches[:1]),
                "go batch by batch",
            ),
            (lambda *a: _turns(*a, inside=False), "one step a round"),
            (lambda *a: _turns(*a, anew=True), "made anew in each round"),
            (
                lambda *a: _turns(*a, target=lambda y, rows: y[: len(rows)]),
                "the labels do not belong",
            ),
            (lambda *a: _turns(*a, sign=-1), "lead uphill"),
            (lambda *a: _turns(*a[:-1], a[-1] / 2), "the rate is half"),
            (
                lambda *a: _turns(*a, result=lambda encoder, images: encoder(images)),
                "not its embeddings",
            ),
            (
                lambda *a: _turns(*a, result=lambda encoder, images: (encoder, 1)),
                "the encoder alone",
            ),
            (lambda *a: _turns(*a, result=lambda encoder, images: 3), "not this: int"),
            (lambda *a: torch.nn.Linear(3, 3), "does not take the images"),
            (lambda *a: a[0], "not this: function"),
            (lambda *a: _turns(*a[:-1], 1.7 * a[-1]), "after the training"),
        ),
    ),
    Exercise(
        "honest_map",
        right=(_map_by_pairs, _map_by_counting),
        wrong=(
            (_map_in_order(lambda r: np.arange(len(r))), "the order of the file"),
            (_map_in_order(lambda r: ~r), "the luckiest order"),
            (_map_in_order(lambda r: r), "the unluckiest order"),
            (_map_of_ends, "the precision at its end"),
            (_map_unconditional, "not r / t"),
            (
                lambda d, q, y, own: _map_by_pairs(d, q, y, 0 * own - 1),
                "the query itself is in its",
            ),
            (_those_with_any, "left out of your mean"),
            (lambda d, q, y, own: _map_by_pairs(-d, q, y, own), "begins with the farthest"),
            (lambda *a: _aps(*a), "the AP of each query"),
            (lambda *a: _aps(*a).sum(), "the sum over the queries"),
            (lambda *a: _aps(*a)[0], "the first query's score"),
            (lambda *a: _aps(*a)[-1], "the last query's score"),
            (lambda *a: np.median(_aps(*a)), "the median of the queries"),
            (lambda *a: 100 * _map_by_pairs(*a), "in per cent"),
            (lambda *a: _map_by_pairs(*a) / 2, "half of the right value"),
            (lambda *a: round(_map_by_pairs(*a)), "fractions are cut off"),
            (lambda *a: 0.5, "written into your code"),
            (lambda d, q, y, own: (y[d.argmin(axis=1)] == q).mean(), "the AP of each query:"),
            (
                lambda d, q, y, own: np.mean([r.mean() for _, r in _rest_of(d, q, y, own)]),
                "the AP of each query:",
            ),
            (
                lambda d, q, y, own: np.mean(
                    [_ap_over_orders(x, r) * r.sum() / len(r) for x, r in _rest_of(d, q, y, own)]
                ),
                "not by the length of the list",
            ),
            (lambda d, q, y, own: np.argsort(d, axis=1), "expected one number"),
            (lambda d, q, y, own: (_map_by_pairs(d, q, y, own), d), "number 0 of them"),
        ),
    ),
]
