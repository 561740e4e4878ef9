"""Answers to the exercises of chapter 11: right ones, and wrong ones with a word of their diagnosis.
The tests are in `test_checks.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from answers import Exercise


def _loss(p: Any, s: Any, q: Any) -> Any:
    return np.log(np.exp(p) + (np.exp(s) / q).sum()) - p


def _mates(p: int, labels: Any) -> Any:
    return np.flatnonzero(labels == labels[p])


def _allowed(p: int, labels: Any, history: Any) -> Any:
    mates = _mates(p, labels)
    return mates[(mates != p) & ~np.isin(mates, history)]


def _order(items: Any, times: Any) -> Any:
    return np.lexsort((items, times))


def _split(items: Any, times: Any, n: int) -> Any:
    order = _order(items, times)
    moment = times[order][-n]
    return items[order][times[order] < moment], items[order][-n:]


def _split_by_loop(items: Any, times: Any, n: int) -> Any:
    events = sorted(zip(times.tolist(), items.tolist(), strict=True))
    hidden = events[-n:]
    return [i for t, i in events if t < hidden[0][0]], [i for _, i in hidden]


def _by_row(items: Any, times: Any, n: int) -> Any:
    order = np.argsort(times, kind="stable")
    moment = times[order][-n]
    return items[order][times[order] < moment], items[order][-n:]


def _rate(rank: Any, clicked: Any, k: int) -> Any:
    return np.bincount(rank[clicked], minlength=k) / np.bincount(rank, minlength=k)


def _propensity(rank: Any, clicked: Any, randomised: Any, k: int) -> Any:
    rate = _rate(rank[randomised], clicked[randomised], k)
    return rate / rate[0]


def _seen(item: Any, weights: Any, n: int) -> Any:
    return np.bincount(item, weights=weights, minlength=n)


def _per_look(item: Any, rank: Any, clicked: Any, looks: Any, n: int) -> Any:
    return _seen(item, clicked, n) / _seen(item, looks[rank], n)


CHAPTER_11 = [
    Exercise(
        "sampled_loss",
        right=(
            _loss,
            lambda p, s, q: (
                -math.log(1 / (1 + sum(math.exp(x - p) / y for x, y in zip(s, q, strict=True))))
            ),
            lambda p, s, q: (
                torch.logsumexp(torch.tensor([p, *(s - np.log(q))]), dim=0) - p
            ).item(),
        ),
        wrong=(
            (lambda p, s, q: _loss(p, s, 1 / q), "wrong sign"),
            (lambda p, s, q: _loss(p, s, 1), "not corrected"),
            (lambda p, s, q: _loss(p, s - q, 1), "you subtracted Q"),
            (lambda p, s, q: _loss(p - np.log(q.mean()), s, q), "corrected the positive"),
            (lambda p, s, q: np.log((np.exp(s) / q).sum()) - p, "positive is missing"),
            (lambda p, s, q: -_loss(p, s, q), "turned round"),
            (lambda p, s, q: np.exp(-_loss(p, s, q)), "that is the probability"),
            (lambda p, s, q: _loss(p, s, q) + p, "only the logarithm of the sum"),
            (
                lambda p, s, q: np.log(np.exp(p) + (np.exp(s) / q).mean()) - p,
                "mean of the negatives",
            ),
            (lambda p, s, q: _loss(p, s / q, 1), "divided the scores"),
            (lambda p, s, q: _loss(p, s, q) / np.log(10), "natural logarithm"),
            (lambda p, s, q: s - np.log(q) - p, "one number for each negative"),
            (lambda p, s, q: np.append(s - np.log(q), p), "those are 6 numbers"),
            (
                lambda p, s, q: np.log(np.exp(s - np.log(q)).sum()) - (p - np.log(q)),
                "belongs to the negatives alone",
            ),
            (
                lambda p, s, q: np.logaddexp(p, s - np.log(q)).sum() - p,
                "a logarithm for each negative",
            ),
            (lambda p, s, q: 1.5, "expected"),
            (
                lambda p, s, q: np.log(np.exp(p) + (np.exp(s) / q)[:5].sum()) - p,
                "not for 9 negatives",
            ),
        ),
    ),
    Exercise(
        "hard_candidates",
        right=(
            _allowed,
            lambda p, labels, history: [
                j
                for j in range(len(labels))
                if labels[j] == labels[p] and j != p and j not in set(history.tolist())
            ],
            lambda p, labels, history: np.setdiff1d(_mates(p, labels), np.append(history, p)),
        ),
        wrong=(
            (lambda p, L, h: np.setdiff1d(_mates(p, L), h), "the positive itself"),
            (lambda p, L, h: np.setdiff1d(_mates(p, L), [p]), "false negatives"),
            (lambda p, L, h: _mates(p, L), "both in it"),
            (lambda p, L, h: np.setdiff1d(np.flatnonzero(L[p] != L), h), "other cells"),
            (lambda p, L, h: np.setdiff1d(np.arange(len(L)), np.append(h, p)), "any cell"),
            (lambda p, L, h: np.intersect1d(_mates(p, L), h), "items of the history"),
            (lambda p, L, h: np.isin(np.arange(len(L)), _allowed(p, L, h)), "True and False"),
            (lambda p, L, h: L[_allowed(p, L, h)], "cell's own numbers"),
            (
                lambda p, L, h: np.searchsorted(_mates(p, L), _allowed(p, L, h)),
                "places inside the cell",
            ),
            (lambda p, L, h: _allowed(p, L, h)[::-1], "another order"),
            (lambda p, L, h: len(_allowed(p, L, h)), "say which"),
            (lambda p, L, h: _allowed(p, L, h)[:-1], "is missing"),
            (lambda p, L, h: np.where(L[p] == L), "a tuple of arrays"),
            (lambda p, L, h: set(_allowed(p, L, h).tolist()), "a set has no order"),
            (lambda p, L, h: np.flatnonzero(p == L), "nothing is left"),
            (lambda p, L, h: L[p] == L, "True and False"),
            (lambda p, L, h: np.sort(h), "this is the history"),
            (lambda p, L, h: np.flatnonzero(L[p] != L), "all items of other cells"),
            (lambda p, L, h: np.append(_allowed(p, L, h), p), "the positive itself"),
            (lambda p, L, h: np.delete(_mates(p, L), _mates(p, L) == p)[1:], "has liked it"),
            (lambda p, L, h: L[L[p] == L], "its cell is"),
            (lambda p, L, h: np.append(_allowed(p, L, h), -1), "is no item"),
            (lambda p, L, h: np.repeat(_allowed(p, L, h), 2), "not each one once"),
        ),
    ),
    Exercise(
        "profile_and_hidden",
        right=(_split, _split_by_loop),
        wrong=(
            (lambda i, t, n: _split(i, t, n)[::-1], "swapped"),
            (
                lambda i, t, n: (np.concatenate(_split(i, t, n)), _split(i, t, n)[1]),
                "shown what it must find",
            ),
            (lambda i, t, n: (i[_order(i, t)], _split(i, t, n)[1]), "the whole history"),
            (lambda i, t, n: (i[:-n], i[-n:]), "in no order"),
            (lambda i, t, n: (i[_order(i, t)][:-n], i[_order(i, t)][-n:]), "strictly earlier"),
            (lambda i, t, n: (i[_order(i, t)][n:], i[_order(i, t)][:n]), "hide the last"),
            (_by_row, "ordered by item number"),
            (lambda i, t, n: _split(t, t, n), "those are times"),
            (
                lambda i, t, n: (
                    _order(i, t)[: len(_split(i, t, n)[0])],
                    _order(i, t)[-n:],
                ),
                "row numbers",
            ),
            (lambda i, t, n: (np.sort(i)[:-n], np.sort(i)[-n:]), "highest item numbers"),
            (lambda i, t, n: (_split(i, t, n)[0][1:], _split(i, t, n)[1]), "the profile should be"),
            (lambda i, t, n: i, "expected two arrays"),
            (lambda i, t, n: (_split(i, t, n)[0], i[t >= np.sort(t)[-n]]), "no more and no fewer"),
            (
                lambda i, t, n: (_split(i, t, n)[0], _split(i, t, n)[1][::-1]),
                "the hidden items are the right ones, but earliest first",
            ),
            (
                lambda i, t, n: (i[t < np.sort(t)[-n]], _split(i, t, n)[1]),
                "the profile holds the right ones, but earliest first",
            ),
            (
                lambda i, t, n: (
                    i[_order(i, t)][t[_order(i, t)] <= np.sort(t)[-n]],
                    _split(i, t, n)[1],
                ),
                "holds too much",
            ),
            (
                lambda i, t, n: (_split(i, t, n)[0], _split(i, t, n)[1] * 0 - 1),
                "the hidden items should be",
            ),
            (lambda i, t, n: ("ab", "cd"), "two arrays of item numbers"),
        ),
    ),
    Exercise(
        "place_propensity",
        right=(
            _propensity,
            lambda r, c, lot, k: [
                c[lot & (r == i)].mean() / c[lot & (r == 0)].mean() for i in range(k)
            ],
        ),
        wrong=(
            (lambda r, c, lot, k: _rate(r, c, k) / _rate(r, c, k)[0], "all rows are in it"),
            (lambda r, c, lot, k: _propensity(r, c, ~lot, k), "rows that the model chose"),
            (
                lambda r, c, lot, k: (
                    np.bincount(r[lot & c], minlength=k) / np.bincount(r[lot & c])[0]
                ),
                "not all places were shown",
            ),
            (lambda r, c, lot, k: np.bincount(r[lot & c], minlength=k), "numbers of clicks"),
            (lambda r, c, lot, k: _rate(r[lot], c[lot], k), "divide them by that of the first"),
            (lambda r, c, lot, k: _rate(r, c, k), "click rates of all rows"),
            (
                lambda r, c, lot, k: _rate(r[lot], c[lot], k) / _rate(r[lot], c[lot], k).sum(),
                "add up to 1",
            ),
            (lambda r, c, lot, k: 1 / _propensity(r, c, lot, k), "one over the propensity"),
            (
                lambda r, c, lot, k: np.bincount(r[lot]) / np.bincount(r[lot])[0],
                "who clicked there",
            ),
            (
                lambda r, c, lot, k: (
                    np.bincount(r[lot & c], minlength=k)
                    / np.bincount(r, minlength=k)
                    / (lot & c & (r == 0)).sum()
                    * (r == 0).sum()
                ),
                "how often a place was shown at all",
            ),
            (lambda r, c, lot, k: 1 / (1 + np.arange(k)), "rule of the simulator"),
            (lambda r, c, lot, k: np.ones(k) * 7, "these are not the click rates"),
            (lambda r, c, lot, k: _propensity(r, c, lot, k)[1:], "expected"),
            (lambda r, c, lot, k: _propensity(r, c, lot, k).mean(), "one number for everything"),
            (
                lambda r, c, lot, k: _propensity(r, c, lot, k) - _propensity(r, c, lot, k).min(),
                "these are not the click rates",
            ),
        ),
    ),
    Exercise(
        "clicks_per_look",
        right=(
            _per_look,
            lambda i, r, c, looks, n: [
                c[i == one].sum() / looks[r[i == one]].sum() for one in range(n)
            ],
        ),
        wrong=(
            (lambda i, r, c, looks, n: _seen(i, c, n), "which is the loop itself"),
            (lambda i, r, c, looks, n: _seen(i, c, n) / np.bincount(i), "hardly looked at"),
            (lambda i, r, c, looks, n: _seen(i, looks[r], n), "those are looks"),
            (lambda i, r, c, looks, n: _seen(i, c / looks[r], n), "still counts twice"),
            (
                lambda i, r, c, looks, n: _seen(i, c / looks[r], n) / np.bincount(i),
                "unbiased as well",
            ),
            (lambda i, r, c, looks, n: _seen(i, c * looks[r], n), "must count more"),
            (
                lambda i, r, c, looks, n: (
                    _seen(i, c, n) / np.maximum(_seen(i, c * looks[r], n), 1e-9)
                ),
                "at clicked places alone",
            ),
            (lambda i, r, c, looks, n: 1 / _per_look(i, r, c, looks, n), "upside down"),
            (
                lambda i, r, c, looks, n: (
                    _per_look(i, r, c, looks, n) / _per_look(i, r, c, looks, n).sum()
                ),
                "give clicks per look",
            ),
            (lambda i, r, c, looks, n: _seen(i, c, n) / c.sum(), "what the loop feeds on"),
            (
                lambda i, r, c, looks, n: _seen(i, c / looks[r], n) / _seen(i, looks[r], n),
                "looks twice",
            ),
            (lambda i, r, c, looks, n: np.full(n, 0.2), "these are not the clicks"),
            (lambda i, r, c, looks, n: _per_look(i, r, c, looks, n)[:-1], "expected"),
            (
                lambda i, r, c, looks, n: _per_look(i, r, c, looks, n).mean(),
                "one number for everything",
            ),
            (
                lambda i, r, c, looks, n: _seen(i, c, n) / (_seen(i, looks[r], n) + 5),
                "these are not the clicks",
            ),
        ),
    ),
]
