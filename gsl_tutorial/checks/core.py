"""How a check works: a judge looks at an answer, and whatever happens the student gets a sentence.

A judge is a function of the answer. It returns a sentence (right), raises `NotYet` (still blank) or
`Mistake` (what is wrong, and why). An answer that raises, prints or returns nonsense is reported, never
passed on: a check must not stop a notebook. A judge gets a fresh example for each trial and never lets
an answer change data that others use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gsl_tutorial.validation import check_name


class NotYet(Exception):
    """The exercise is still blank."""


class Mistake(Exception):
    """A wrong answer whose cause is known."""


@dataclass(frozen=True)
class Verdict:
    """What a check says. `kind` is "right", "not yet" or "mistake"."""

    exercise: str
    kind: str
    text: str

    def __repr__(self) -> str:
        mark = {"right": "✓ Right", "not yet": "○ Not yet", "mistake": "✗ Look again"}[self.kind]
        return f"{mark} ({self.exercise}): {self.text}"


@dataclass
class _Exercise:
    id: str
    judge: Callable[[Any], str]
    hints: tuple[str, ...]
    given: int = 0


@dataclass
class _Checks:
    """The namespace `check`: one method for each exercise, by the judge's name."""

    exercises: dict[str, _Exercise] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Callable[[Any], Verdict]:
        if name.startswith("_") or name not in self.exercises:
            known = ", ".join(sorted(self.exercises))
            raise AttributeError(f"no check is called {name!r}; there are {known}")
        return lambda answer: _judge(self.exercises[name], answer)

    def __dir__(self) -> list[str]:
        return sorted(self.exercises)


check = _Checks()


def exercise(id: str, *, hints: tuple[str, str, str]) -> Callable[..., Callable[[Any], str]]:
    """Register a judge under its function's name."""

    def register(judge: Callable[[Any], str]) -> Callable[[Any], str]:
        check.exercises[judge.__name__] = _Exercise(id, judge, hints)
        return judge

    return register


def hint(id: str) -> None:
    """Print the next of the three hints of an exercise; after the last, all of them again."""
    by_id = {one.id: one for one in check.exercises.values()}
    one = by_id[check_name("exercise", id, by_id)]
    one.given = one.given % len(one.hints) + 1
    for number, text in enumerate(one.hints[: one.given], start=1):
        print(f"Hint {number} of {len(one.hints)} ({id}): {text}")


def call(answer: Any, *arguments: Any) -> Any:
    """Call a student's function on copies of the arguments; a blank one raises `NotYet`."""
    if answer is ... or answer is None:
        raise NotYet
    if not callable(answer):
        raise Mistake(f"expected a function, got {type(answer).__name__}.")
    copies = [np.copy(a) if isinstance(a, np.ndarray) else a for a in arguments]
    result = answer(*copies)
    if result is None or result is ...:
        raise NotYet
    for before, after in zip(arguments, copies, strict=True):
        if isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=True):
            raise Mistake("your function changes its arguments; work on a copy.")
    return result


def as_array(result: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The result as an array of numbers of that shape, or a `Mistake` that says how it differs."""
    try:
        array = np.asarray(result)
        array = array.astype(np.float64) if array.dtype != object else array
    except (TypeError, ValueError):
        array = np.empty(0, dtype=object)
    if array.dtype == object:
        raise Mistake(f"expected an array of numbers, got {type(result).__name__}.")
    if array.shape != shape:
        turned = array.ndim == len(shape) and sorted(array.shape) == sorted(shape)
        why = " The axes look swapped." if turned else ""
        raise Mistake(f"expected shape {shape}, got {array.shape}.{why}")
    if not np.isfinite(array).all():
        raise Mistake("the result contains NaN or infinity.")
    return array


def _judge(one: _Exercise, answer: Any) -> Verdict:
    try:
        return Verdict(one.id, "right", one.judge(answer))
    except NotYet:
        return Verdict(one.id, "not yet", f'fill in the blank; hint("{one.id}") helps.')
    except Mistake as mistake:
        return Verdict(one.id, "mistake", str(mistake))
    except (
        Exception,
        SystemExit,
    ) as error:  # the student's own code failed: that is a finding, not a crash
        return Verdict(one.id, "mistake", f"it raised {type(error).__name__}: {str(error)[:200]}")
