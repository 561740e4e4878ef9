"""Answers to the exercises of chapter 09: right ones, and wrong ones with a word of their diagnosis.
The tests are in `test_checks.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from answers import Exercise


def _same(query: Any, neighbours: Any) -> Any:
    return neighbours == query[:, None]


def _entries(table: Any, code: Any) -> Any:
    return table[np.arange(len(code)), code]


def _precision(relevant: Any) -> Any:
    return np.cumsum(relevant) / np.arange(1, len(relevant) + 1)


def _ap(relevant: Any) -> float:
    return float(_precision(relevant)[relevant].mean()) if relevant.any() else 0.0


def _ap_by_loop(relevant: Any) -> float:
    right, total = 0, 0.0
    for k, hit in enumerate(relevant, start=1):
        if hit:
            right += 1
            total += right / k
    return total / right if right else 0.0


def _ap_counted_late(relevant: Any) -> float:
    right, total = 0, 0.0
    for k, hit in enumerate(relevant, start=1):
        if hit:
            total += right / k
            right += 1
    return total / right if right else 0.0


def _good(bits: Any, maps: Any, exact: float, loss: float) -> Any:
    return exact - maps <= loss


def _fewest_by_loop(bits: Any, maps: Any, exact: float, loss: float) -> int:
    for b, m in sorted(zip(bits.tolist(), maps.tolist(), strict=True)):
        if m >= exact - loss - 1e-12:
            return int(b)
    return 0


_ASKS = ("protocol", "metric", "bits")


def _stands(ours: Any, theirs: Any, asks: Any = _ASKS, noted: Any = ("training", "hand")) -> str:
    if any(ours[key] != theirs[key] for key in asks):
        return "no"
    training = "training" in noted and ours["pre_training"] != theirs["pre_training"]
    return "with a note" if training or ("hand" in noted and theirs["second_hand"]) else "yes"


def _stands_by_sets(ours: Any, theirs: Any) -> str:
    if not {(k, ours[k]) for k in _ASKS} <= set(theirs.items()):
        return "no"
    told = {(k, theirs[k]) for k in ("pre_training", "second_hand")}
    return "yes" if told == {("pre_training", ours["pre_training"]), ("second_hand", False)} else (
        "with a note")  # fmt: skip


CHAPTER_09 = [
    Exercise(
        "adc_distance",
        right=(
            lambda table, code: _entries(table, code).sum(),
            lambda table, code: sum(table[m][k] for m, k in enumerate(code)),
        ),
        wrong=(
            (lambda table, code: np.sqrt(_entries(table, code).sum()), "no square root"),
            (lambda table, code: (_entries(table, code) ** 2).sum(), "square them again"),
            (lambda table, code: np.sqrt(_entries(table, code)).sum(), "do not add up"),
            (lambda table, code: _entries(table, code).mean(), "take the sum"),
            (lambda table, code: table.min(axis=1).sum(), "smallest entry"),
            (lambda table, code: table[0, code].sum(), "first row"),
            (lambda table, code: _entries(table, code), "one step is left"),
            (lambda table, code: table[:, code].sum(), "whole columns"),
            (lambda table, code: table[:, code], "every row at every number"),
            (lambda table, code: table[:, code].sum(axis=1), "every row of its own"),
            (lambda table, code: table[:, code].sum(axis=0), "every column of its own"),
            (lambda table, code: table[code].sum(), "fell outside the table"),
            (lambda table, code: table[code, np.arange(len(code))].sum(), "fell outside"),
            (lambda table, code: (table * code).sum(), "different shapes"),
            (lambda table, code: table @ code, "different shapes"),
            (lambda table, code: sum(table[m, code] for m in [code]), "fell outside"),
            (lambda table, code: float(table[:, code]), "different shapes"),
            (lambda table, code: code.sum(), "say where to look"),
            (lambda table, code: _entries(table, code).prod(), "add them"),
            (lambda table, code: 1.0, "expected"),
            (lambda table, code: sum(table[m, code[m]] for m in range(4)), "written into your"),
        ),
    ),
    Exercise(
        "average_precision",
        right=(_ap, _ap_by_loop),
        wrong=(
            (lambda r: r.mean(), "order must count"),
            (lambda r: _precision(r).mean(), "right items only"),
            (lambda r: _precision(r)[r].sum() / len(r), "not by the length"),
            (lambda r: 1 / (np.flatnonzero(r)[0] + 1) if r.any() else 0.0, "reciprocal rank"),
            (lambda r: (1 / (np.flatnonzero(r) + 1)).mean(), "mean reciprocal rank"),
            (lambda r: _precision(r)[r], "take their mean"),
            (_precision, "precisions at all ranks"),
            (lambda r: _precision(r)[r].sum(), "these are sums"),
            (lambda r: _ap(r[::-1]), "from its end"),
            (lambda r: _ap_counted_late(r), "count that item, too"),
            (lambda r: np.r_[0, _precision(r)[:-1]][r].mean(), "one rank too early"),
            (
                lambda r: np.maximum.accumulate(_precision(r)[::-1])[::-1][r].mean(),
                "interpolated AP",
            ),
            (lambda r: _ap(r) if r.any() else 1.0, "counts 0, not 1"),
            (lambda r: _ap(r) if r.any() else float("nan"), "NaN"),
            (lambda r: _ap(r) if r.any() else 0.5, "counts 0"),
            (lambda r: 0.123, "expected"),
        ),
    ),
    Exercise(
        "share_of_perfect",
        right=(
            lambda q, n: _same(q, n).all(axis=1).mean(),
            lambda q, n: sum(all(row) for row in _same(q, n)) / len(q),
        ),
        wrong=(
            (lambda q, n: _same(q, n).mean(), "precision at k"),
            (lambda q, n: _same(q, n).any(axis=1).mean(), "at least one"),
            (lambda q, n: _same(q, n).all(axis=1).sum(), "divide by how many"),
            (lambda q, n: _same(q, n).all(axis=0).mean(), "axes are swapped"),
            (lambda q, n: _same(q, n).all(axis=1), "take the mean"),
            (lambda q, n: 1 - _same(q, n).all(axis=1).mean(), "with a wrong neighbour"),
            (lambda q, n: 100 * _same(q, n).all(axis=1).mean(), "per cent"),
            (lambda q, n: _same(q, n)[:, 0].mean(), "first neighbour only"),
            (lambda q, n: (n - q).mean(), "do not fit together"),
            (lambda q, n: (_same(q, n).sum(axis=1) == 10).mean(), "you got 0, expected"),
            (lambda q, n: _same(q, n).all(), "all queries at once"),
            (lambda q, n: (n == n[:, :1]).all(axis=1).mean(), "agree with each other"),
            (lambda q, n: round(_same(q, n).all(axis=1).mean()), "cut off or rounded"),
            (lambda q, n: (_same(q, n).mean(axis=1) >= 0.5).mean(), "at least half"),
            (lambda q, n: _same(q, n).all(axis=1).sum() / n.shape[1], "that of queries"),
            (lambda q, n: 0.123, "expected"),
        ),
    ),
    Exercise(
        "fewest_bits",
        right=(lambda b, m, e, x: b[_good(b, m, e, x)].min(), _fewest_by_loop),
        wrong=(
            (lambda b, m, e, x: int(np.argmax(_good(b, m, e, x))), "that is the place"),
            (lambda b, m, e, x: m[_good(b, m, e, x)][0], "that is the mAP of"),
            (lambda b, m, e, x: b[m.argmax()], "highest mAP"),
            (lambda b, m, e, x: b[_good(b, m, e, x)].max(), "longest good code"),
            (lambda b, m, e, x: b[_good(b, m, e, x)][0], "the list is in no order"),
            (lambda b, m, e, x: b.min(), "keep the good ones first"),
            (lambda b, m, e, x: b[~_good(b, m, e, x)][0], "loses more than allowed"),
            (lambda b, m, e, x: b[m >= e * (1 - x)].min(), "as a share of exact"),
            (lambda b, m, e, x: b[m >= e].min(), "no loss at all"),
            (lambda b, m, e, x: b[_good(b, m, e, x)], "all the good ones"),
            (_good, "says which are good"),
            (lambda b, m, e, x: _good(b, m, e, x).sum(), "counts the good ones"),
            (lambda b, m, e, x: 7, "expected"),
            (lambda b, m, e, x: _fewest_by_loop(np.sort(b), m, e, x), "without their mAP"),
            (lambda b, m, e, x: b[abs(e - m) <= x].min(), "absolute value"),
            (lambda b, m, e, x: b[abs(e - x - m).argmin()], "nearest to the limit"),
        ),
    ),
    Exercise(
        "may_stand_beside",
        right=(_stands, _stands_by_sets),
        wrong=(
            (lambda o, t: _stands(o, t, ("metric", "bits")), "protocol is forgotten"),
            (lambda o, t: _stands(o, t, ("protocol", "bits")), "metric is forgotten"),
            (lambda o, t: _stands(o, t, ("protocol", "metric")), "bits are forgotten"),
            (lambda o, t: _stands(o, t, ("protocol",)), "only the protocol counts"),
            (lambda o, t: _stands(o, t, (*_ASKS, "pre_training")), "does not forbid the row"),
            (lambda o, t: _stands(o, t, noted=("hand",)), "pre-training is forgotten"),
            (lambda o, t: _stands(o, t, noted=("training",)), "second-hand figures need a note"),
            (lambda o, t: _stands(o, t, noted=()), "no row ever gets a note"),
            (
                lambda o, t: "no" if _stands(o, t) != "yes" else "yes",
                "notes are no bar",
            ),
            (
                lambda o, t: _stands(o, {**t, "protocol": t["protocol"][:2]})
                if "family" in t["protocol"] else _stands(o, t),
                "'P2 family' is not P2",
            ),
            (lambda o, t: _stands(o, t) if t["map"] > 0.5 else "no", "does not depend on"),
            (
                lambda o, t: "with a note"
                if _stands(o, {**o, **{k: t[k] for k in ("pre_training", "second_hand")}}) != "yes"
                else _stands(o, t),
                "no note helps",
            ),
            (
                lambda o, t: "yes" if _stands(o, t) == "with a note" and not (
                    t["second_hand"] and o["pre_training"] != t["pre_training"]
                ) else _stands(o, t),
                "one reason is enough",
            ),
            (
                lambda o, t: _stands({**o, "pre_training": "none"}, t),
                "both networks began from ImageNet",
            ),
            (
                lambda o, t: "no" if t["second_hand"] else _stands(o, t),
                "second-hand figure does not forbid",
            ),
            (
                lambda o, t: "no" if all(o[k] != t[k] for k in _ASKS) else _stands(o, t, ()),
                "any, not all",
            ),
            (lambda o, t: _stands(o, t) == "yes", "return one of"),
            (lambda o, t: "maybe", "return one of"),
            (lambda o, t: "yes", "whatever comes"),
            (lambda o, t: o["denominator"], "there is no field"),
            (lambda o, t: (t.update(bits=1), _stands(o, t))[1], "changes its arguments"),
            (lambda o, t: "yes" if t["bits"] == 48 else "no", "for a row that differs in"),
        ),
    ),
]  # fmt: skip
