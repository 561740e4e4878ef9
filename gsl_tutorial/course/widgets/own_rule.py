"""The reader's own snapping rule, called for every point of the explorer's picture.

The rule is a plain Python function for one point. Whatever it does, what comes back is either numbers or
one sentence that the widget can show: a rule that raises, that returns NaN or the wrong shape, or that
never ends is a fault in somebody's exercise, and no reason for a picture to stop.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.exercises.time_limit import TooSlow, time_limit
from gsl_tutorial.course.toys.plane import Plane
from gsl_tutorial.course.widgets.page_words import WORDS
from gsl_tutorial.snapping import SnapOptions
from gsl_tutorial.validation import describe

#: (d,) gradient, (d,) point, (n, d) candidates, strength -> (d,) gradient that leaves the layer.
Rule = Callable[[Any, Any, Any, float], Any]
#: What a rule may take for one picture; the reader waits for it.
LIMIT_S = 3.0


class OwnRuleFault(Exception):
    """What went wrong in the reader's rule, as one sentence."""


def own_gradients(
    rule: Rule, plane: Plane, z: Float[np.ndarray, "N 2"], options: SnapOptions
) -> Float[np.ndarray, "N 2"]:
    """Call the rule once for each point.

    Parameters
    ----------
    rule : callable
        rule(gradient, point, candidates, strength) -> gradient, for one point.
    plane : Plane
        Its loss and its codewords.
    z : (N, 2) array
        The points.
    options : SnapOptions
        The strength, and how many candidates each point has.

    Returns
    -------
    (N, 2) array
        What the rule returned.

    Raises
    ------
    OwnRuleFault
        The rule raised an error, took too long, or returned something else than two finite numbers.
    """
    with _watched(rule) as call:
        return _all(call, plane, z, options)


def own_path(
    rule: Rule,
    plane: Plane,
    starts: Float[np.ndarray, "N 2"],
    options: SnapOptions,
    *,
    n_steps: int,
    rate: float,
) -> Float[np.ndarray, "T N 2"]:
    """Follow points under the rule, as `run_method` does under a rival.

    Parameters
    ----------
    rule, plane, options
        See `own_gradients`.
    starts : (N, 2) array
        Where the points begin.
    n_steps : int
        How many steps.
    rate : float
        How far one step goes: z - rate * gradient.

    Returns
    -------
    (T, N, 2) array
        T = n_steps + 1.

    Raises
    ------
    OwnRuleFault
        See `own_gradients`; also where a point has left the plane for infinity.
    """
    path = [np.array(starts, dtype=np.float64)]
    with _watched(rule) as call, np.errstate(all="ignore"):
        for step in range(n_steps):
            after = path[-1] - rate * _all(call, plane, path[-1], options)
            if not np.abs(after).max(initial=0) < 1e6:
                raise OwnRuleFault(WORDS["own"]["far"].format(name_of(rule), step + 1))
            path.append(after)
    return np.stack(path)


def name_of(rule: Any) -> str:
    """The name of a rule, as the panel shows it."""
    return str(getattr(rule, "__name__", type(rule).__name__))


def _all(
    call: Callable[..., Any], plane: Plane, z: Float[np.ndarray, "N 2"], options: SnapOptions
) -> Float[np.ndarray, "N 2"]:
    near = plane.candidates(z, options.n_candidates)
    gradients = plane.gradient(z)
    found = [
        call(g, one, c, options.strength) for g, one, c in zip(gradients, z, near, strict=True)
    ]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


@contextlib.contextmanager
def _watched(rule: Rule) -> Iterator[Callable[..., Any]]:
    """The rule with its faults as sentences; all its calls together are limited in time."""
    words, name = WORDS["own"], name_of(rule)
    began, calls = time.perf_counter(), 0

    def call(g: Any, z: Any, candidates: Any, strength: float) -> Any:
        nonlocal calls
        calls += 1
        try:  # copies: a rule that changes what it is given must not change the picture
            value = rule(g.copy(), z.copy(), candidates.copy(), strength)
        except (Exception, SystemExit) as error:
            kind = type(error).__name__
            raise OwnRuleFault(words["raised"].format(name, kind, error, _place(z))) from error
        return _two_numbers(value, name, z)

    try:
        with time_limit(LIMIT_S), contextlib.redirect_stdout(io.StringIO()):
            yield call
    except TooSlow:
        seconds = round(time.perf_counter() - began)
        raise OwnRuleFault(words["slow"].format(name, seconds, calls)) from None


def _place(z: Any) -> str:
    return f"({z[0]:.2f}, {z[1]:.2f})"


def _two_numbers(value: Any, name: str, z: Any) -> Any:
    words = WORDS["own"]
    if value is None or value is ...:
        raise OwnRuleFault(words["nothing"].format(name, _place(z)))
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError
    except (
        TypeError,
        ValueError,
        RuntimeError,
    ):  # RuntimeError: a tensor that asks for its gradient
        raise OwnRuleFault(words["no_numbers"].format(name, describe(value), _place(z))) from None
    if array.shape != (2,):
        raise OwnRuleFault(words["shape"].format(name, array.shape, _place(z)))
    if not np.isfinite(array).all():
        raise OwnRuleFault(words["not_finite"].format(name, array.tolist(), _place(z)))
    return array
