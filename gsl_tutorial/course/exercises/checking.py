"""How a check works: a judge looks at an answer, and whatever happens the student gets a sentence.

A judge is a function of the answer. It returns a sentence (right), raises `NotYet` (still blank) or
`Mistake` (what is wrong, and why). An answer that raises, prints, never ends or returns nonsense is
reported, never passed on: a check must not stop a notebook. A judge gets a fresh example for each
trial and never lets an answer change data that others use.
"""

from __future__ import annotations

import copy
import html
import linecache
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gsl_tutorial.course.exercises import progress_file as record
from gsl_tutorial.course.exercises.advice import (
    about_blank,
    about_shape,
    advice_for,
    has_blank,
    is_stub,
    kind_of,
)
from gsl_tutorial.course.exercises.progress_view import ProgressLine, chapters
from gsl_tutorial.course.exercises.time_limit import TooSlow, time_limit
from gsl_tutorial.course.printing import wrapped

#: How long one check may take; right answers take a fraction of a second.
LIMIT_S = 20.0
#: Longer results are not looked at.
_MOST_ITEMS = 10**7
_LONGEST_TEXT = 700
#: As text looks in JupyterLab, with lines that break between words.
#: A bar beside each verdict, in colours that differ for colour-blind eyes and on dark pages; the mark and
#: the words say the same.
_COLOURS = {"right": "#009e73", "not yet": "#888888", "mistake": "#d55e00"}
_LOOK = (
    "white-space: pre-wrap; font-family: var(--jp-code-font-family, monospace); "
    "font-size: var(--jp-code-font-size, 13px); line-height: 1.4; margin: 0.2em 0"
)


class NotYet(Exception):
    """The exercise is still blank; the text, where there is one, says what to do next."""


class NothingReturned(NotYet):
    """A function with something in it that gives back `None`: a missing `return`, most often."""


class Mistake(Exception):
    """A wrong answer whose cause is known."""


@dataclass(frozen=True)
class Verdict:
    """What a check says.

    Attributes
    ----------
    exercise : str
        The number of the exercise.
    kind : str
        "right", "not yet" or "mistake".
    text : str
        The sentence for the reader.
    line : ProgressLine or None
        The reader's progress.
    next_step : str
        For a blank: where to write what. It is shown in a reader's own notebook.
    """

    exercise: str
    kind: str
    text: str
    line: ProgressLine | None = None
    next_step: str = ""

    def __repr__(self) -> str:
        mark = {"right": "✓ Right", "not yet": "○ Not yet", "mistake": "✗ Look again"}[self.kind]
        return f"{mark} ({self.exercise}): {self.text}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """The sentence; in a reader's own notebook what to do next and the progress stand below it."""
        if self.line is None:
            return {"text/plain": wrapped(repr(self))}
        words = [wrapped(repr(self)), *([wrapped(self.next_step)] if self.next_step else [])]
        step = f'<p style="margin: 0.4em 0; max-width: 45em">{html.escape(self.next_step)}</p>'
        mark, said = map(html.escape, repr(self).split(": ", 1))
        bar = f"border-left: 5px solid {_COLOURS[self.kind]}; padding-left: 0.7em"
        page = (
            f'<div style="{bar}"><div class="mathjax_ignore" style="{_LOOK}">'
            f"<strong>{mark}</strong>: {said}</div>{step if self.next_step else ''}"
            f"{self.line._repr_html_()}</div>"
        )
        return {"text/plain": "\n".join([*words, str(self.line)]), "text/html": page}


@dataclass
class _Exercise:
    id: str
    judge: Callable[[Any], str]
    hints: tuple[str, ...]


@dataclass
class _Checks:
    """The namespace `check`: one method for each exercise, by the judge's name."""

    exercises: dict[str, _Exercise] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Callable[[Any], Verdict]:
        if name.startswith("_") or name not in self.exercises:
            known = ", ".join(sorted(self.exercises))
            raise AttributeError(f"no check is called {name!r}; there are {known}")
        return lambda answer: _answered(self.exercises[name], answer)

    def __dir__(self) -> list[str]:
        return sorted(self.exercises)

    def off_the_record(self) -> None:
        """Note nothing from now on, as long as this kernel runs: what a solved notebook says first."""
        record.stop()

    @property
    def ids(self) -> list[str]:
        """The numbers of all exercises, like "03.1", in order."""
        return sorted(one.id for one in self.exercises.values())


check = _Checks()


def exercise(id: str, *, hints: tuple[str, str, str]) -> Callable[..., Callable[[Any], str]]:
    """Register a judge under its function's name.

    Parameters
    ----------
    id : str
        The number of the exercise, such as "02.1".
    hints : tuple of three str
        From a nudge to the answer.

    Returns
    -------
    callable
        The decorator.
    """

    def register(judge: Callable[[Any], str]) -> Callable[[Any], str]:
        check.exercises[judge.__name__] = _Exercise(id, judge, hints)
        return judge

    return register


def call(answer: Any, *arguments: Any) -> Any:
    """Call a student's function on copies of the arguments.

    Parameters
    ----------
    answer : object
        What the student wrote.
    *arguments : object
        What it is called with.

    Returns
    -------
    object
        What it returns.

    Raises
    ------
    NotYet
        For a blank answer.
    NothingReturned
        Where a `return` is missing.
    Mistake
        For an answer that is no function, changes its arguments, or returns a generator or far too
        many numbers.
    """
    if answer is ... or answer is None:
        raise NotYet
    if not callable(answer):
        raise Mistake(
            f"expected a function, got {type(answer).__name__}: give its name alone, without brackets."
        )
    copies = [copy.deepcopy(one) for one in arguments]
    try:
        result = answer(*copies)
    except Exception as error:
        with suppress(Exception):
            error.raised_by_answer = True  # type: ignore[attr-defined]
        raise
    if result is None or result is ...:
        raise NotYet if result is ... or _is_blank(answer) else NothingReturned
    if not all(map(_alike, arguments, copies)):
        raise Mistake("your function changes its arguments; work on a copy.")
    if isinstance(result, Iterator):
        raise Mistake("your function returned a generator; return its values, for instance a list.")
    if (n := _n_items(result)) > _MOST_ITEMS:
        raise Mistake(f"your function returned {n:,} numbers, far more than asked for.")
    return result


def _is_blank(function: Any) -> bool:
    """Whether a blank is left: nothing has been written yet, or a line of dots still stands there."""
    return is_stub(function) or has_blank(function)


def as_array(result: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The result as an array of numbers of one shape.

    Parameters
    ----------
    result : object
        What a student's function returned.
    shape : tuple of int
        The right one; () for one number.

    Returns
    -------
    float64 array

    Raises
    ------
    Mistake
        Where the result is something else; it says how it differs.
    """
    try:
        array = np.asarray(result)
    except Exception:  # ragged lists, words, tensors that need a gradient, objects that refuse
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "biuf":
        raise Mistake(f"expected an array of numbers, got {kind_of(result, array)}.")
    if array.shape != shape:
        wanted = f"shape {shape}" if shape else "one number"
        got = str(array.shape) if array.ndim else "one number"
        got = f"shape {got}" if array.ndim and not shape else got
        raise Mistake(f"expected {wanted}, got {got}.{about_shape(array.shape, shape)}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise Mistake("the result contains NaN or infinity.")
    return array


def _answered(one: _Exercise, answer: Any) -> Verdict:
    """Judge, and note it in the reader's progress where answers count."""
    verdict = _judge(one, answer)
    if not record.is_recorded():
        return verdict
    right = None if verdict.kind == "not yet" else verdict.kind == "right"
    progress, trouble = record.note(record.progress_file(), one.id, right=right)
    here = next(s for s in chapters(progress, check.ids) if one.id in s.exercises)
    return replace(verdict, line=ProgressLine(here, trouble))


def _judge(one: _Exercise, answer: Any) -> Verdict:
    try:
        with time_limit(LIMIT_S):
            return Verdict(one.id, "right", one.judge(answer))
    except NothingReturned:
        text = (
            "your function returned nothing (None). Does every way through it end with `return`? "
            "(print only shows a value; return hands it over.)"
        )
    except NotYet as blank:
        text = f'fill in the blank; hint("{one.id}") helps.'
        return Verdict(one.id, "not yet", text, next_step=str(blank) or about_blank(answer))
    except Mistake as mistake:
        text = str(mistake)
    except TooSlow:
        text = (
            f"it did not end within {LIMIT_S:g} seconds, on a small example. Is there a loop that "
            "never ends, or one loop too many?"
        )
    except KeyboardInterrupt:  # the reader stopped it, and the cells after it
        raise
    except BaseException as error:  # the student's own code failed: a finding, not a crash
        text = explained(error)
    return Verdict(one.id, "mistake", text[:_LONGEST_TEXT])


def explained(error: BaseException) -> str:
    """A sentence about an error: of the student's code, or from a result that no check could read."""
    kind, words = type(error).__name__, ""
    with suppress(Exception):  # an error of one's own may have a text that fails
        words = " ".join(str(error).split())[:200]
    said = f"{kind}: {words}" if words else kind
    if isinstance(error, Exception) and not hasattr(error, "raised_by_answer"):
        return (
            "the result cannot be compared. Has it the type and the shape that the function's first "
            f"line promises? (Looking at it raised {said})"
        )
    return f"it raised {said}{_line_of(error)}{advice_for(said)}"


def _line_of(error: BaseException) -> str:
    """The student's line that failed, where its text is known."""
    with suppress(Exception):
        frames = traceback.extract_tb(error.__traceback__)
        place = next(i for i, frame in enumerate(frames) if frame.name == call.__name__)
        own = frames[place + 1].filename
        last = next(frame for frame in reversed(frames) if frame.filename == own)
        line = linecache.getline(own, last.lineno or 0).strip()
        if line:
            return f' (in the line "{line[:80]}")'
    return ""


def _alike(before: Any, after: Any) -> bool:
    """Whether an argument is still what it was."""
    if hasattr(before, "dtype") and np.ndim(before):  # an array, or a tensor
        before, after = (
            np.asarray(one.detach() if hasattr(one, "detach") else one) for one in (before, after)
        )
        inexact = before.dtype.kind in "fc"
        return before.dtype == after.dtype and np.array_equal(before, after, equal_nan=inexact)
    if isinstance(before, Mapping):
        return list(before) == list(after) and all(_alike(before[k], after[k]) for k in before)
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(_alike, before, after))
    if isinstance(before, np.random.Generator):
        return True  # drawing moves it on
    return before is after or bool(before == after)


def _n_items(result: Any) -> int:
    if isinstance(result, np.ndarray):
        return result.size
    with suppress(Exception):
        return len(result)
    return 0
