"""Check of chapter 12 that puts the parts together: a search over shards that come in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare

Table = Float[np.ndarray, "M K"]
#: The id of the first vector, and the codes; None for a shard that did not answer.
Shard = tuple[int, Integer[np.ndarray, "n M"] | None]

_STEPS = (
    "step 1 (one shard)",
    "step 2 (three shards, one after the other)",
    "step 3 (shards that answer in another order)",
    "step 4 (many equal distances)",
    "step 5 (shards smaller than k)",
    "step 6 (two shards are lost)",
    "step 7 (the first one is lost, and fewer than k vectors are left)",
)
#: M, K, k, the sizes of the shards, the order in which they come, those that are lost (by their place in
#: that order), and the seed: with it, the slips below lead elsewhere.
_CASES: tuple[tuple[int, int, int, tuple[int, ...], tuple[int, ...], tuple[int, ...], int], ...] = (
    (2, 4, 3, (9,), (0,), (), 14),
    (3, 5, 4, (6, 9, 7), (0, 1, 2), (), 2),
    (2, 6, 5, (8, 12, 6, 7), (2, 0, 3, 1), (), 1),
    (3, 3, 11, (40, 60, 50), (1, 2, 0), (), 5),
    (2, 5, 7, (3, 5, 4, 2), (3, 1, 0, 2), (), 0),
    (4, 4, 4, (9, 6, 8, 7, 10), (4, 1, 0, 3, 2), (1, 4), 11),
    (3, 4, 9, (3, 6, 4), (1, 2, 0), (0,), 1),
)


def _example(number: int) -> tuple[Table, list[Shard], int]:
    """A lookup table, the shards as they come, and how many are wanted."""
    M, K, k, sizes, order, lost, seed = _CASES[number]
    rng = np.random.default_rng([1250 + number, seed])
    # Quarters add up without rounding, so equal distances are equal however they are added.
    table = rng.integers(0, 3 if number == 3 else 9, size=(M, K)) / 4
    starts = np.cumsum([0, *sizes])
    shards: list[Shard] = []
    for place, s in enumerate(order):
        codes = rng.integers(0, K, size=(sizes[s], M))
        shards.append((int(starts[s]), None if place in lost else codes))
    return table, shards, k


def _own_rows(table: Table, codes: Any) -> Any:
    return table[np.arange(len(table)), codes].sum(axis=1)


def _search(
    table: Table,
    shards: Sequence[Shard],
    k: int,
    *,
    start: Callable[[int, int, int], int] = lambda first, place, before: first,
    add: Callable[[Table, Any], Any] = _own_rows,
    sign: int = 1,
    tie: Callable[[int, int], Any] = lambda id, arrival: id,
    tie_inside: int = 1,
    from_each: int | None = None,
    of_all: int | None = None,
    stops: bool = False,
    only: slice = slice(None),
) -> Any:
    """The ids that are found, each part of which may be done wrongly."""
    pairs: list[tuple[Any, Any, int]] = []
    before = 0
    for place, (first, codes) in list(enumerate(shards))[only]:
        if codes is None:
            if stops:
                break
            continue
        far = sign * np.asarray(add(table, codes))
        rows = np.lexsort((tie_inside * np.arange(len(codes)), far))[: from_each or k]
        begin = start(first, place, before)
        pairs += [
            (far[row], tie(begin + row, len(pairs) + n), begin + row) for n, row in enumerate(rows)
        ]
        before += len(codes)
    return np.array([one[-1] for one in sorted(pairs)][: of_all or k])


@exercise(
    "12.5",
    hints=(
        "Go shard by shard, as in a worker: the distances of its codes (03.4), and the k nearest among "
        "them. Then merge its list with the best list so far, as in 12.1.",
        "Row r of a shard that begins at id `start` has the id start + r. Pairs (distance, id) sort "
        "themselves by the rule: sorted(best + new)[:k] is the list after each shard.",
        "Begin with two empty lists, the best so far and the missing. For number, (start, codes) in "
        "enumerate(shards): where codes is None, the number goes into missing, and the loop continues. "
        "For the others, the distances are table[np.arange(M), codes].sum(axis=1).",
    ),
)
def search_shards(answer: Any) -> str:
    """search_shards(table (M, K), [(start, codes (n, M) or None), ...], k) -> ids, missing."""
    at_every_size(_STEPS, lambda number: _judge_step(answer, number))
    return (
        "that is one index, whoever answers first, and it says what it could not search. The next cell "
        "lets it search a million."
    )


def _judge_step(answer: Any, number: int) -> None:
    table, shards, k = _example(number)
    right = _search(table, shards, k)
    missing = [place for place, (_, codes) in enumerate(shards) if codes is None]
    result = call(answer, table, shards, k)
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Mistake(
            "give two things back: the ids of the nearest, and the numbers of the shards that did not "
            "answer (an empty list, where all did)."
        )
    ids, lost = result
    if isinstance(ids, set | frozenset):
        raise Mistake("a set has no order; return the ids as a list, nearest first.")
    if _is(lost, right) and _is(ids, missing):
        raise Mistake("the two are swapped: first the ids, then the missing shards.")
    compare(
        ids,
        right,
        _wrong_ids(table, shards, k, right, has_lost=bool(missing)),
        otherwise=lambda at: (
            f"place {at[0] + 1} of {len(right)} should hold id {right[at[0]]}, at distance "
            f"{_distances(table, shards)[right[at[0]]]:g}."
        ),
    )
    _judge_missing(lost, missing, shards)


def _judge_missing(lost: Any, missing: list[int], shards: Sequence[Shard]) -> None:
    starts = [start for start, _ in shards]
    if isinstance(lost, set | frozenset):
        lost = sorted(lost)
    if not missing:
        if not _is(lost, []):
            raise Mistake(
                "the ids are right. Every shard answered, so nothing is missing: the second thing to give "
                "back is an empty list."
            )
        return
    answered = [place for place in range(len(shards)) if place not in missing]
    compare(
        lost,
        missing,
        {
            "the ids are right, but nothing is said to be missing. An incomplete answer that looks "
            "complete is the worst of all: note each shard whose codes are None.": np.zeros(0),
            "those are the shards that answered; those that did not are asked for.": answered,
            "those are the ids at which the missing shards begin; give the places in the list, from 0.": [
                starts[place] for place in missing
            ],
            "you count from 1; the first shard of the list is number 0.": [
                place + 1 for place in missing
            ],
            "that is how many are missing; say which ones.": len(missing),
            "that marks each shard; give the numbers of the missing ones.": [
                codes is None for _, codes in shards
            ],
            "that marks each shard; give the numbers of the missing ones. ": [
                codes is not None for _, codes in shards
            ],
        },
        otherwise=f"the missing shards are {missing}, by their place in the list.",
    )


def _wrong_ids(
    table: Table, shards: Sequence[Shard], k: int, right: Any, *, has_lost: bool
) -> dict[str, Any]:
    """Where the known slips lead."""
    several = sum(codes is not None for _, codes in shards) > 1

    def slip(where: bool = True, **how: Any) -> Any:
        return _search(table, shards, k, **how) if where else np.nan

    far = _distances(table, shards)
    found = [one for one in shards if one[1] is not None]
    from_each = [_search(table, [one], k) for one in found]
    sizes = {len(codes) for _, codes in found if codes is not None}
    every_table = {
        "table[:, codes] looks up every row of the table for every number of the code; pair row m with "
        "number m: table[np.arange(M), codes].": slip(
            add=lambda table, codes: table[:, codes].sum(axis=(0, 2))
        ),
        "you looked every number up in the first row of the table; each subspace has its own.": slip(
            add=lambda table, codes: table[0][codes].sum(axis=1)
        ),
        "you used the first number of each code only; add the M numbers up.": slip(
            add=lambda table, codes: table[0][codes[:, 0]]
        ),
    }
    return {
        "every shard counts its own rows from 0: add the id at which it begins.": slip(
            start=lambda first, place, before: 0
        ),
        "the shards have different sizes, and they come in any order: the first id of each is given.": slip(
            len(sizes) > 1, start=lambda first, place, before: place * max(sizes)
        ),
        "you counted on from the shard that came before. They come in any order: the first id of each is "
        "given.": slip(several, start=lambda first, place, before: before),
        "of equal distances, the smaller id comes first. Here the order depends on which shard answered "
        "first.": slip(several, tie=lambda id, arrival: arrival),
        "of equal distances, the larger id comes first; it should be the smaller one.": slip(
            tie=lambda id, arrival: -id, tie_inside=-1
        ),
        "inside a shard, too, the smaller id comes first of equal distances, and that decides who is among "
        "its k nearest.": slip(tie_inside=-1),
        "those are the farthest; the smallest distances come first.": slip(sign=-1),
        "that is the list of the first shard that answered; merge it with the others.": (
            from_each[0] if several else np.nan
        ),
        "that is the list of the last shard; is the best list so far overwritten?": (
            from_each[-1] if several else np.nan
        ),
        "those are the best of each shard; all of the nearest may lie in one.": slip(from_each=1),
        "those are the best of each shard; all of the nearest may lie in one. ": slip(
            from_each=1, of_all=len(shards)
        ),
        "each shard gave fewer than k: all of the nearest may lie in one.": slip(
            from_each=-(-k // len(shards)) if several else None
        ),
        "each shard gave fewer than k: all of the nearest may lie in one. ": slip(
            from_each=max(1, k // len(shards)) if several else None
        ),
        "those are the lists of the shards, one behind the other; merge them, and keep k.": (
            np.concatenate(from_each) if several else np.nan
        ),
        "those are the lists of the shards, one behind the other, cut after k; sort them first.": (
            np.concatenate(from_each)[:k] if several else np.nan
        ),
        "the list is merged, but not cut: keep the k nearest.": slip(of_all=10**6),
        "that is one item too many: k are asked for.": slip(from_each=k + 1, of_all=k + 1),
        "that is one item too few: k are asked for.": slip(of_all=k - 1),
        "fewer than k vectors are left: give back their ids, and nothing for the others.": (
            np.append(right, np.full(k - len(right), -1)) if len(right) < k else right
        ),
        "those are distances; return the ids.": far[right],
        "you stopped at the shard that did not answer; the others still count.": slip(
            has_lost, stops=True
        ),
        "the last shard is left out.": slip(several, only=slice(None, -1)),
        "the first shard of the list is left out.": slip(several, only=slice(1, None)),
        **every_table,
    }


def _distances(table: Table, shards: Sequence[Shard]) -> Any:
    """The distance of each id; infinite where its shard is lost."""
    far = np.full(max(start for start, _ in shards) + 100, np.inf)
    for start, codes in shards:
        if codes is not None:
            far[start : start + len(codes)] = _own_rows(table, codes)
    return far


def _is(result: Any, numbers: Any) -> bool:
    """Whether a result holds just these whole numbers."""
    try:
        return np.array_equal(np.asarray(result).ravel(), np.asarray(numbers).ravel())
    except Exception:  # whatever a student returns, it is only "something else"
        return False
