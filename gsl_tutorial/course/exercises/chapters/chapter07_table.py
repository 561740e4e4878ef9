"""Check of chapter 07 that puts the parts together: two methods compared fairly, from their raw scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.exercises.checking import (
    Mistake,
    NothingReturned,
    NotYet,
    call,
    exercise,
)
from gsl_tutorial.course.exercises.compare import at_every_size, compare, shown

Scores = dict[int, Float[np.ndarray, " Q"]]

#: The seeds of ours and of theirs, how many queries each seed has, and the factor of the interval.
_CASES: tuple[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], float], ...] = (
    ((0, 1), (0, 1), (6, 6), 12.7),
    ((0, 1, 2, 3, 4), (0, 1, 2, 3, 4), (30,) * 5, 2.78),
    ((3, 5, 8), (3, 5, 8), (4, 9, 20), 4.3),
    ((0, 1, 2, 3), (2, 0, 3, 1), (12,) * 4, 3.18),
    ((0, 1, 2, 7, 4), (9, 4, 2, 1, 6), (15,) * 5, 4.3),
)
_STEPS = (
    "step 1 (two seeds)",
    "step 2 (five seeds)",
    "step 3 (three seeds, each with its own number of queries)",
    "step 4 (seeds in another order)",
    "step 5 (some seeds were run with one method only)",
)


def _scores(number: int) -> tuple[Scores, Scores]:
    """APs of two methods: a query that is hard, or a seed that is bad, is so for both."""
    our_seeds, their_seeds, counts, _ = _CASES[number]
    rng = np.random.default_rng(75 + number)
    sizes = dict(zip(our_seeds, counts, strict=True))
    ours, theirs = {}, {}
    for seed in sorted({*our_seeds, *their_seeds}):
        base = rng.uniform(0.3, 0.7, sizes.get(seed, counts[0])) + rng.normal(scale=0.15)
        gain = 0.02 + rng.normal(scale=0.05)
        ours[seed] = np.clip(base + gain + rng.normal(scale=0.08, size=base.shape), 0, 1)
        theirs[seed] = np.clip(base + rng.normal(scale=0.08, size=base.shape), 0, 1)
    return {s: ours[s] for s in our_seeds}, {s: theirs[s] for s in their_seeds}


@exercise(
    "07.5",
    hints=(
        "Refuse first, then compute. What is left is one number for each seed that both methods have run, "
        "the mean of the differences of its queries. These few numbers make the interval.",
        "Look both methods up under the same seed: [seed for seed in ours if seed in theirs]. For each, "
        "take the mean over the queries of ours less theirs. Half of the interval is factor times the "
        "standard deviation (ddof=1) of these means, divided by the root of how many there are.",
        "When trials[0] and trials[1] differ, or fewer than two seeds are left, the answer is None. Else "
        "give three numbers back: the mean of the gains, that mean less the half, and that mean plus the "
        "half.",
    ),
)
def fair_difference(answer: Any) -> str:
    """fair_difference(ours, theirs, trials, factor) -> (mean, low, high), or None."""
    at_every_size(_STEPS, lambda number: _judge_numbers(answer, number))
    ours, theirs = _scores(1)
    for trials in ((12, 2), (2, 12)):
        _must_refuse(
            answer,
            (ours, theirs, trials, 2.78),
            f"refuse what was not tuned alike: with trials = {trials} one method had more chances to be "
            "lucky, so return None.",
        )
    some = ({s: ours[s] for s in left} for left in ((0,), (1, 2), (3, 4), (0, 4)))
    one, early, late, both = some
    for a, b in ((one, {s: theirs[s] for s in one}), (both, {0: theirs[0]})):
        _must_refuse(
            answer,
            (a, b, (5, 5), 12.7),
            "a single seed has no spread, so it says nothing about other seeds: return None for fewer than "
            "two common seeds.",
        )
    _must_refuse(
        answer,
        (early, {s: theirs[s] for s in late}, (5, 5), 12.7),
        "the two have no seed in common, so nothing can be paired: return None.",
    )
    return "one number for each training, paired, and nothing that was not treated alike."


def _must_refuse(answer: Any, arguments: tuple[Any, ...], said: str) -> None:
    try:
        got = call(answer, *arguments)
    except NotYet:  # None, as it should be
        return
    try:
        mine = shown(got)
    except Exception:  # whatever a student returns in place of None
        mine = type(got).__name__
    raise Mistake(f"the numbers are right where there are any, but {said} You got {mine}.")


def _judge_numbers(answer: Any, number: int) -> None:
    ours, theirs = _scores(number)
    factor = _CASES[number][3]
    seeds = [seed for seed in ours if seed in theirs]
    gains = np.array([(ours[s] - theirs[s]).mean() for s in seeds])
    half = factor * gains.std(ddof=1) / np.sqrt(len(gains))
    right = _ends(gains.mean(), half)
    try:
        result = call(answer, ours, theirs, (5, 5), factor)
    except NothingReturned as none:
        raise Mistake(
            f"you returned None, although both had 5 trials and {len(seeds)} seeds in common. Is a "
            "`return` missing, or is the test turned round?"
        ) from none
    compare(
        result,
        right,
        {
            **_wrong_widths(ours, theirs, gains, factor),
            **_wrong_gains(ours, theirs, gains, factor),
            **_wrong_forms(right, half, gains),
        },
        otherwise=lambda at: (
            f"{('the mean', 'the lower end', 'the upper end')[at[0]]}: expected {right[at]:.4f}. The "
            f"gains of the {len(gains)} common seeds are {gains.round(4).tolist()}."
        ),
    )


def _ends(mean: Any, half: Any) -> np.ndarray:
    return np.array([mean, mean - half, mean + half])


def _around(gains: np.ndarray, factor: float) -> np.ndarray:
    return _ends(gains.mean(), factor * gains.std(ddof=1) / np.sqrt(len(gains)))


def _wrong_widths(
    ours: Scores, theirs: Scores, gains: np.ndarray, factor: float
) -> dict[str, np.ndarray]:
    """The right mean, with another interval round it."""
    mean, spread, S = gains.mean(), gains.std(ddof=1), len(gains)
    queries = np.concatenate([ours[s] - theirs[s] for s in ours if s in theirs])
    a, b = (np.array([side[s].mean() for s in ours if s in theirs]) for side in (ours, theirs))
    unpaired = np.hypot(a.std(ddof=1), b.std(ddof=1))
    alone = queries.std(ddof=1) / np.sqrt(len(queries))
    halves = {
        "you took the two for unrelated: a bad start is bad for both. Subtract seed by seed, then take the "
        "spread of the differences.": factor * unpaired / np.sqrt(S),
        "your interval counts every query as a training of its own. Average each seed over its queries "
        "first; only the seeds are independent.": factor * alone,
        "your interval counts every query as a training of its own. Average each seed over its queries "
        "first; only the seeds are independent. ": factor * queries.std() / np.sqrt(len(queries)),
        "that is the spread of queries over the root of the seeds: average each seed over its queries "
        "first.": factor * queries.std(ddof=1) / np.sqrt(S),
        "that is the spread of single seeds; their mean varies less, by the root of how many there are.": (
            factor * spread
        ),
        "divided by the number of seeds instead of its root.": factor * spread / S,
        "divide by the root of the number of seeds; you multiplied.": factor * spread * np.sqrt(S),
        "with so few seeds the divisor matters: take .std(ddof=1), which divides by one less.": (
            factor * gains.std() / np.sqrt(S)
        ),
        "S - 1 stands in the spread already (ddof=1): divide by the root of the number of seeds.": (
            factor * spread / np.sqrt(S - 1) if S != 2 else np.nan
        ),
        "that is a variance: take the root.": factor * spread**2 / np.sqrt(S),
        "the factor is missing.": spread / np.sqrt(S),
        "the factor is given; with few seeds it is far more than 1.96.": 1.96 * spread / np.sqrt(S),
        "the factor is given; with few seeds it is far more than 2.": 2 * spread / np.sqrt(S),
        "the factor reaches from the mean to one end; you halved it.": factor
        * spread
        / np.sqrt(S)
        / 2,
    }
    return {
        said: _ends(mean, half) if np.isfinite(half) else np.array(np.nan)
        for said, half in halves.items()
    }


def _wrong_gains(
    ours: Scores, theirs: Scores, gains: np.ndarray, factor: float
) -> dict[str, np.ndarray]:
    """The right interval round other numbers."""
    n = min(len(ours), len(theirs))
    a, b = (np.array([one.mean() for one in side.values()]) for side in (ours, theirs))
    alone = [np.array([side[s].mean() for s in ours if s in theirs]) for side in (ours, theirs)]
    medians = np.array([np.median(ours[s] - theirs[s]) for s in ours if s in theirs])
    halved = _around(gains, factor)
    return {
        "the sign is turned round: ours less theirs.": _around(-gains, factor),
        "you paired by place, not by seed: the two need not come in the same order. Look both up under the "
        "same seed.": _around(a[:n] - b[:n], factor),
        "you sorted both: then the best seed of one meets the best of the other. Pair by seed.": _around(
            np.sort(alone[0]) - np.sort(alone[1]), factor
        ),
        "keep the signs: a seed in which ours is worse counts against it.": _around(
            np.abs(gains), factor
        ),
        "that is the median over the queries; take the mean.": _around(medians, factor),
        "that is the median over the seeds; take the mean.": _ends(
            np.median(gains), halved[2] - halved[0]
        ),
        "that is ours alone; the difference is asked for.": _around(alone[0], factor),
        "that is theirs alone; the difference is asked for.": _around(alone[1], factor),
        "that compares the best seeds; take the mean over all common ones.": _ends(
            a.max() - b.max(), halved[2] - halved[0]
        ),
        "you averaged all seeds of each side, also those that the other has not run.": _ends(
            a.mean() - b.mean(), halved[2] - halved[0]
        ),
        "your mean counts queries, so a seed with many of them counts more; average each seed first.": (
            _ends(_mean_of_queries(ours, theirs), halved[2] - halved[0])
        ),
        "those are gains in percent of theirs; take plain differences.": _around(
            gains / alone[1], factor
        ),
    }


def _mean_of_queries(ours: Mapping[int, Any], theirs: Mapping[int, Any]) -> float:
    return float(np.concatenate([ours[s] - theirs[s] for s in ours if s in theirs]).mean())


def _wrong_forms(right: np.ndarray, half: float, gains: np.ndarray) -> dict[str, Any]:
    """The right numbers, handed over in another way."""
    mean, low, high = right
    return {
        "the mean is right; give the two ends of the interval, too: mean, low, high.": mean,
        "the ends are right; the mean comes first: mean, low, high.": np.array([low, high]),
        "the numbers are right, but their order is mean, low, high.": np.array([low, mean, high]),
        "the two ends are swapped: mean, low, high.": np.array([mean, high, low]),
        "the ends lie around the mean, not around 0: add it.": np.array([mean, -half, half]),
        "that is the mean and how far the interval reaches; give both of its ends.": np.array(
            [mean, half]
        ),
        "those are the gains of the seeds, one for each. Now their mean and its interval.": (
            gains if len(gains) != 3 else np.nan
        ),
    }
