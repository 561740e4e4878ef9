"""The student's own function beside the package's, in the cells after an exercise."""

from __future__ import annotations

from typing import Any

from gsl_tutorial.course.exercises.checking import NotYet, call, explained

_BLANK = "Yours is still blank: solve the exercise above, then run this cell again."


def attempt(function: Any, *arguments: Any) -> Any:
    """Call a student's function; a blank or an error becomes a sentence, and the chapter goes on.

    Parameters
    ----------
    function : object
        What the student wrote.
    *arguments : object
        What it is called with, as copies.

    Returns
    -------
    object
        What it returns; None where it is blank or fails.

    Examples
    --------
    >>> attempt(lambda x: 2 * x, 21)
    42
    >>> attempt(lambda x: 1 / x, 0)
    Yours stopped: it raised ZeroDivisionError: division by zero (in the line "attempt(lambda x: 1 / x, 0)")
    """
    try:
        return call(function, *arguments)
    except NotYet:
        print(_BLANK)
    except Exception as error:
        said = str(error) if not hasattr(error, "raised_by_answer") else explained(error)
        print(f"Yours stopped: {said}")
    return None
