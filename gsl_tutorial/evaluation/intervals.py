"""Is one method better than another, or were the queries lucky? Bootstrap intervals of a difference.

Two methods rank the same queries, so their scores are compared query by query: hard queries are hard
for both, and the difference varies far less than the scores (Efron and Tibshirani, "An Introduction
to the Bootstrap", 1993). A trained network varies with its seed as well; those runs are clusters,
drawn whole. With few seeds a plain bootstrap is too sure of itself: it knows S - 1 deviations and
treats them as everything there is. What we add: the deviations of the drawn seeds from their mean are
stretched by sqrt(S / (S - 1)) t / z, Student's t quantile over the normal one, as Student's interval
would be. Nothing is assumed about the queries. The plain one is scipy's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import bootstrap, norm, t

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_array, check_count, check_size, describe

# Drawn positions held at once: 40 MB of them.
_DRAWN = 5_000_000


class Interval(NamedTuple):
    """The mean difference a - b and its confidence interval, in the units of the scores.

    Attributes
    ----------
    difference
        The mean.
    low, high
        The ends of the interval.
    """

    difference: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.difference:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"

    @property
    def excludes_zero(self) -> bool:
        """Whether the difference is one: the interval lies on one side of zero."""
        return self.low > 0 or self.high < 0

    @property
    def verdict(self) -> str:
        """What the interval allows to say of a: "better", "worse" or "no clear difference"."""
        if not self.excludes_zero:
            return "no clear difference"
        return "better" if self.low > 0 else "worse"


def paired_bootstrap(
    a: Float[np.ndarray, " Q"],
    b: Float[np.ndarray, " Q"],
    *,
    n_resamples: int = 10_000,
    random_state: int | np.random.Generator,
    confidence: float = 0.95,
) -> Interval:
    """Mean of a - b over queries, with the percentile interval from queries drawn with replacement.

    The interval speaks of other queries of this kind for *these two* trained networks; for other
    seeds see `clustered_bootstrap`.

    Parameters
    ----------
    a, b
        (Q,) Scores of the same queries in the same order, such as `average_precisions` of two
        methods; Q 2 or more.
    n_resamples
        How often the queries are drawn.
    random_state
        A seed or a generator.
    confidence
        Between 0 and 1.

    Returns
    -------
    Interval
        The mean of a - b, and the ends.

    Raises
    ------
    InvalidInputError
        Unless both are finite and (Q,) with the same Q of 2 or more, and for a confidence, a seed
        or a number of resamples out of range.

    Examples
    --------
    >>> a = np.array([0.9, 0.8, 0.7, 0.95])
    >>> print(paired_bootstrap(a, a - 0.1, random_state=0))
    +0.1000 [+0.1000, +0.1000]
    """
    differences = _differences(a, b, ndim=1, wanted="(Q,), one score for each query, Q 2 or more")
    rng, n_resamples = _checked(random_state, n_resamples, confidence)
    found = bootstrap(
        (differences,),
        np.mean,
        n_resamples=n_resamples,
        batch=_batch(differences.size),
        confidence_level=confidence,
        method="percentile",
        random_state=rng,
    ).confidence_interval
    return Interval(float(differences.mean()), float(found.low), float(found.high))


def clustered_bootstrap(
    a: Float[np.ndarray, "S Q"],
    b: Float[np.ndarray, "S Q"],
    *,
    shared_queries: bool = True,
    n_resamples: int = 10_000,
    random_state: int | np.random.Generator,
    confidence: float = 0.95,
) -> Interval:
    """Mean of a - b over seeds and queries, with an interval for other seeds *and* other queries.

    Three seeds carry little: expect wide intervals, they are honest.

    Parameters
    ----------
    a, b
        (S, Q) One row for each seed: row s of both was trained with seed s (a pair), column q is a
        query. S and Q 2 or more.
    shared_queries
        True: the columns are the same queries for all seeds (P2), and are drawn anew for all of
        them (Owen 2007, "The pigeonhole bootstrap"). False: each seed has its own (P1a), and its
        mean carries their luck already.
    n_resamples, random_state, confidence
        As in `paired_bootstrap`.

    Returns
    -------
    Interval
        The mean of a - b, and the ends.

    Raises
    ------
    InvalidInputError
        Unless both are finite and (S, Q), both S and Q 2 or more; and as `paired_bootstrap`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> b = rng.random((3, 200))
    >>> a = b + np.array([[0.10], [0.12], [0.11]])  # the gain varies a little with the seed
    >>> clustered_bootstrap(a, b, random_state=0).excludes_zero
    True
    >>> a = b + np.array([[0.30], [-0.20], [0.02]])  # and here too much to say
    >>> clustered_bootstrap(a, b, random_state=0).excludes_zero
    False
    """
    wanted = "(S, Q), a row for each seed and a column for each query, S and Q 2 or more"
    differences = _differences(a, b, ndim=2, wanted=wanted)
    rng, n_resamples = _checked(random_state, n_resamples, confidence)
    S, Q = differences.shape
    tail = (1 + confidence) / 2
    stretch = np.sqrt(S / (S - 1)) * t.ppf(tail, S - 1) / norm.ppf(tail)
    of_seed = differences.mean(axis=1)
    mean = of_seed.mean()
    drawn = []
    for start in range(0, n_resamples, _batch(Q)):
        size = min(_batch(Q), n_resamples - start)
        seeds = rng.integers(0, S, (size, S))
        resampled = mean + stretch * (of_seed[seeds].mean(axis=1) - mean)
        if shared_queries:
            queries = rng.integers(0, Q, (size, Q))
            luck = np.stack([row[queries].mean(axis=1) - row.mean() for row in differences], axis=1)
            resampled += np.take_along_axis(luck, seeds, axis=1).mean(axis=1)
        drawn.append(resampled)
    low, high = np.quantile(np.concatenate(drawn), [1 - tail, tail])
    return Interval(float(mean), float(low), float(high))


def _batch(width: int) -> int:
    """How many resamples of so many positions fit in memory."""
    return max(1, _DRAWN // width)


def _checked(
    random_state: object, n_resamples: object, confidence: object
) -> tuple[np.random.Generator, int]:
    n_resamples = check_count(n_resamples, name="n_resamples", low=2)
    if not 0 < check_size(confidence, name="confidence") < 1:
        raise InvalidInputError(
            "a confidence between 0 and 1", f"{confidence}", "write 0.95 for 95%"
        )
    if isinstance(random_state, np.random.Generator):
        return random_state, n_resamples
    seed = check_count(random_state, name="random_state", low=0)
    return np.random.default_rng(seed), n_resamples


def _differences(a: object, b: object, *, ndim: int, wanted: str) -> Float[np.ndarray, "..."]:
    one, other = (as_array(each, name="scores") for each in (a, b))
    numbers = all(each.dtype.kind in "biuf" for each in (one, other))
    if one.shape != other.shape or one.ndim != ndim or min(one.shape) < 2 or not numbers:
        raise InvalidInputError(
            f"two arrays of numbers {wanted}",
            f"{describe(one)} and {describe(other)}",
            "pass per-query scores of both methods, the same queries in the same order",
        )
    differences = one.astype(np.float64) - other.astype(np.float64)
    if not np.isfinite(differences).all():
        raise InvalidInputError(
            "finite scores", "NaN or infinity", "a query without relevant items scores 0, not NaN"
        )
    return differences
