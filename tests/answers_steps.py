"""Answers to the larger exercises of chapters 08, 09, 11 and 12, whose checks follow in steps."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
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
]
