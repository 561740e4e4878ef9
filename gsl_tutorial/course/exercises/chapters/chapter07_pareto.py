"""Check of chapter 07, last part: which methods of a Pareto plot are dominated."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare, refuse_no_booleans


def _table(number: int) -> tuple[np.ndarray, np.ndarray]:
    """mAP and distortion with a twin, a tie in each, and methods on both sides of the front. In the last
    two a method is dominated by a tie in one number alone, and twins stand on the front."""
    if number == 2:
        return np.array([0.70, 0.70, 0.60, 0.80]), np.array([0.20, 0.10, 0.10, 0.30])
    if number == 3:
        return np.array([0.50, 0.80, 0.80, 0.90, 0.90]), np.array([0.05, 0.10, 0.10, 0.20, 0.25])
    quality = np.array([0.70, 0.74, 0.66, 0.80, 0.69, 0.77, 0.60, 0.74])
    distortion = np.array([0.20, 0.06, 0.03, 0.12, 0.06, 0.08, 0.30, 0.06])
    if number > 3:  # the only one that dominates another stands first, and last
        turn = 1 if number == 4 else -1
        return np.array([0.9, 0.5, 0.4])[::turn], np.array([0.10, 0.20, 0.05])[::turn]
    if number:
        rng = np.random.default_rng(number)
        more = rng.uniform(0.5, 0.7, 12), rng.uniform(0.03, 0.4, 12)
        order = rng.permutation(20)
        quality = np.concatenate([quality, more[0]])[order]
        distortion = np.concatenate([distortion, more[1]])[order]
    return quality, distortion


@exercise(
    "07.4",
    hints=(
        "i is dominated when some j is at least as good in both numbers, and better in one of them.",
        "adc_map[:, None] against adc_map compares all pairs: row i, column j. Less distortion is "
        "better.",
        "Make two tables, `no_worse` in both numbers (&) and `better` in one of them (|). A row with a "
        "pair that is in both tables is dominated: .any(axis=1).",
    ),
)
def dominated(answer: Any) -> str:
    """dominated(adc_map (n,), distortion (n,)) -> (n,) booleans."""

    def one(number: int) -> None:
        quality, distortion = _table(number)
        # Row i, column j: how j compares with i.
        higher, as_high = quality > quality[:, None], quality >= quality[:, None]
        lower, as_low = distortion < distortion[:, None], distortion <= distortion[:, None]
        right = np.asarray((as_high & as_low & (higher | lower)).any(axis=1))
        n = len(quality)
        best, least = quality == quality.max(), distortion == distortion.min()
        more = distortion > distortion[:, None]
        twisted = as_high & ~lower & (higher | more)
        poorer, as_poor = quality < quality[:, None], quality <= quality[:, None]
        index = int(np.flatnonzero(right)[0])
        result = call(answer, quality, distortion)
        compare(
            result,
            right,
            {
                "you marked those that are not dominated, the front itself; turn it round.": ~right,
                "all are marked. Ask for both: another one is no worse in either number, and it is "
                "better in one. (Each is as good as itself; and each is beaten in one number.)": (
                    np.ones(n)
                ),
                "you asked for better in both; as good in one and better in the other is enough.": (
                    (higher & lower).any(axis=1)
                ),
                "as good in mAP with less distortion dominates, too: ask >= of one and < of the other, "
                "either way round.": (higher & as_low).any(axis=1),
                "as good in distortion with more mAP dominates, too: ask for the tie in both numbers.": (
                    (as_high & lower).any(axis=1)
                ),
                "twins dominate each other in your answer: one of the two must be better.": (
                    ((as_high & as_low) & (np.eye(n) == 0)).any(axis=1)
                ),
                "less distortion is better: you took more of it for better.": twisted.any(axis=1),
                "more mAP is better: you took less of it for better.": (
                    (as_poor & as_low & (poorer | lower)).any(axis=1)
                ),
                "the table is turned: you marked those that dominate another one.": (
                    (as_high & as_low & (higher | lower)).any(axis=0)
                ),
                "only the highest mAP is left; a method with less distortion may stay, too.": ~best,
                "only the least distortion is left; a method with more mAP may stay, too.": ~least,
                "only the two ends of the front are left; those between may stay, too.": (
                    ~(best | least)
                ),
                "those are row numbers; give True or False for each method.": (
                    np.flatnonzero(right)
                ),
                "that is how many are dominated; say which.": right.sum(),
            },
            otherwise=f"method {index} (mAP {quality[index]:.2f}, distortion "
            f"{distortion[index]:.2f}) is dominated; {right.sum()} of {n} are.",
        )
        refuse_no_booleans(result)

    at_every_size(
        [
            "8 methods",
            "20 methods",
            "4 methods",
            "5 methods",
            "3 methods",
            "3 methods in another order",
        ],
        one,
    )
    return "what is left is the front: to choose among those is to choose what you need."
