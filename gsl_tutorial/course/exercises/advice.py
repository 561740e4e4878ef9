"""What to try when an answer raised an error, or has another shape; and whether a blank is left.

The words of Python and NumPy are quoted as they are; the sentence here comes after them.
"""

from __future__ import annotations

import dis
import inspect
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

#: Words of an error, and what to do about it.
_ADVICE = {
    "could not be broadcast": (
        "Two axes fit where their lengths are equal or one of them is 1; x[:, None] adds an axis of "
        "length 1."
    ),
    "matmul": (
        "In a @ b the last axis of a must be as long as the axis of b that it meets: the first axis "
        "of a vector, the last but one of a larger array."
    ),
    "truth value of an array": (
        "An if takes one True or False. Leave the if out: a comparison of arrays is an array already."
    ),
    "bitwise_xor": "A power is written ** in Python.",
    "same_kind": (
        "An array of whole numbers holds no fractions: make it without dtype=int, and start from "
        "zeros of floats."
    ),
}
#: The instructions of a function that only says `...`, `pass` or `return None`.
_OF_A_STUB = {"RESUME", "NOP", "CACHE", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE", "POP_TOP"}
_BLANK = re.compile(r"^\s*(return\s+)?\.\.\.", re.MULTILINE)


def advice_for(said: str) -> str:
    """What to do about an error that says this; empty where nothing is known.

    >>> advice_for("TypeError: ufunc 'bitwise_xor' not supported for the input types")
    '. A power is written ** in Python.'
    """
    return next((f". {advice}" for words, advice in _ADVICE.items() if words in said), "")


def is_stub(function: Any) -> bool:
    """Whether nothing but a constant stands in a function: one that has not been touched."""
    code = getattr(function, "__code__", None)
    return code is None or {one.opname for one in dis.get_instructions(code)} <= _OF_A_STUB


def about_blank(answer: Any) -> str:
    """Where to write what, for an exercise that is still blank.

    Parameters
    ----------
    answer : object
        What the check was given: a function as a rule.

    Returns
    -------
    str
        Two or three sentences.
    """
    name = getattr(answer, "__name__", "")
    place = f" of {name}" if name.isidentifier() else ""
    hints = "If you get stuck, open the first hint below; two more lie inside it."
    if not callable(answer):
        return (
            "Nothing is wrong, your answer is just missing. Write it where `...` stands now, and run this "
            f"cell again with Shift+Enter. {hints}"
        )
    if not is_stub(answer) and has_blank(answer):
        return (
            f"You have made a start. In the body{place} there is still a line with `...`: write the rest "
            f"in its place, and run this cell again with Shift+Enter. {hints}"
        )
    return (
        "Nothing is wrong, you have just not written anything yet. Put your code into the "
        f"body{place}, where `...` stands now, let it `return` its result, and run this cell again with "
        f"Shift+Enter. The line in triple quotes says what comes in and what goes out. {hints}"
    )


def has_blank(function: Callable[..., Any]) -> bool:
    """Whether a line `...` still stands in the text of a function, with other lines around it."""
    with suppress(Exception):  # a function without a text: made by a program, or in C
        return _BLANK.search(inspect.getsource(function)) is not None
    return False


def about_shape(got: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """What may have led to this shape instead of that one.

    Parameters
    ----------
    got, wanted : tuple of int
        The shape of the answer, and the right one.

    Returns
    -------
    str
        A sentence that begins with a space, or "".
    """
    if len(got) == len(wanted) and sorted(got) == sorted(wanted):
        return " The axes look swapped."
    if len(got) > len(wanted) and [n for n in got if n != 1] == [n for n in wanted if n != 1]:
        return (
            " There is an axis of length 1 too many: leave keepdims out, or take it off with [0]."
        )
    if len(wanted) == 1 and got == wanted * 2 and wanted[0] > 1:
        return " That is a table, each with each: was a column (N, 1) combined with a row (N,)?"
    return ""


def kind_of(result: Any, array: np.ndarray) -> str:
    """What came instead of numbers, in a word.

    Parameters
    ----------
    result : object
        The answer.
    array : array
        What NumPy makes of it.

    Returns
    -------
    str
    """
    if array.dtype.kind in "SU":
        return "text"
    if isinstance(result, list | tuple):
        return f"a {type(result).__name__} whose entries do not fit together in one array"
    return "complex numbers" if array.dtype.kind == "c" else type(result).__name__


def about_pair(result: Any, is_right: Callable[[Any], bool]) -> str:
    """What to say of two results where one was asked for.

    It is a whole topk or sort of PyTorch, above all.

    Parameters
    ----------
    result : object
        The answer.
    is_right : callable
        Whether a part of it is what was asked for.

    Returns
    -------
    str
        "" where the answer is no tuple or list, or nothing helpful is known.
    """
    with suppress(Exception):
        if not isinstance(result, tuple | list) or not 1 <= len(result) <= 3:
            return ""
        places = [number for number, part in enumerate(result) if is_right(part)]
        if isinstance(result, tuple) and hasattr(result, "values") and hasattr(result, "indices"):
            name = (".values", ".indices")[places[0]] if places else ".indices or .values"
            return (
                "PyTorch's topk, sort, min and max along an axis give two things, values and indices: "
                f"return {name} alone."
            )
        if places and len(result) > 1:
            return f"you returned {len(result)} things; the answer is number {places[0]} of them alone."
        if places and isinstance(result, tuple):
            return "the answer is inside a tuple of length 1: take its [0]."
    return ""
