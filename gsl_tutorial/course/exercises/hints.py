"""Three hints, opened one at a time: each lies folded inside the one before it.

``hint("03.1")`` shows one closed line. Mouse, Enter or Space opens it; the line for the second hint
stands inside the first, and the third inside the second. It is plain HTML (nested <details>), so it works
on a saved notebook and on a web page without a kernel. Where no HTML is shown, ``hint("03.1", 2)`` prints
the second hint.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

from IPython.display import display

from gsl_tutorial.course.exercises.checking import check
from gsl_tutorial.validation import check_count, check_name

_FOLD = "margin: 0.3em 0 0.3em 1em; max-width: 45em; line-height: 1.4"


@dataclass(frozen=True)
class HintLadder:
    """The hints of one exercise, all closed.

    Attributes
    ----------
    exercise : str
        Id of the exercise.
    hints : tuple of str
        The hints, each one telling more than the one before.
    """

    exercise: str
    hints: tuple[str, ...]

    def __repr__(self) -> str:
        n = len(self.hints)
        return f'Hint 1 of {n} ({self.exercise}) is closed; hint("{self.exercise}", 1) prints it.'

    def _repr_html_(self) -> str:
        n, inner = len(self.hints), ""
        for number in range(n, 0, -1):
            title = f"Hint {number} of {n}" + (f" ({self.exercise})" if number == 1 else "")
            text = html.escape(self.hints[number - 1], quote=False)
            inner = f'<details style="{_FOLD}"><summary>{title}</summary>\n<p>{text}</p>\n{inner}</details>'
        return inner


def hint(id: str, step: int | None = None) -> None:
    """Show the closed ladder of hints of an exercise, or print one step of it.

    Parameters
    ----------
    id : str
        The exercise's number, for instance "03.1".
    step : int, optional
        1, 2 or 3, to print that hint as text.

    Raises
    ------
    UnknownNameError
        There is no exercise of that number.
    InvalidInputError
        There is no such step.
    """
    by_id = {one.id: one for one in check.exercises.values()}
    one = by_id[check_name("exercise", id, by_id)]
    if step is None:
        display(HintLadder(id, one.hints))
        return
    number = check_count(step, name="step", low=1, high=len(one.hints))
    print(f"Hint {number} of {len(one.hints)} ({id}): {one.hints[number - 1]}")
