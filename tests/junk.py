"""Answers that no exercise asks for: wrong types, hostile objects, endless and enormous results."""

from __future__ import annotations

import decimal
import itertools
from typing import Any

import numpy as np
import torch
from answers import Answer


class Hostile:
    """Refuses everything that a check may ask of an object."""

    def _refuse(self, *arguments: Any) -> Any:
        raise RuntimeError("hostile")

    __eq__ = __ne__ = __lt__ = __gt__ = __bool__ = __len__ = __iter__ = __getitem__ = _refuse
    __array__ = __float__ = __int__ = __repr__ = __str__ = __contains__ = __hash__ = _refuse
    __add__ = __sub__ = __mul__ = __matmul__ = __call__ = _refuse


class Mute(Exception):
    """An error whose text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def raises(error: BaseException) -> Answer:
    def answer(*arguments: Any) -> Any:
        raise error

    return answer


def recurses(*arguments: Any) -> Any:
    return recurses(*arguments)


async def awaits(*arguments: Any) -> int:
    return 1


def always(value: Any) -> Answer:
    return lambda *arguments: value


_circle: list[Any] = []
_circle.append(_circle)

#: Functions, mostly: the verdict must be "mistake".
ALWAYS_WRONG: dict[str, Any] = {
    "a string": "text",
    "a number": 3,
    "an array": np.zeros(3),
    "a string returned": always("text"),
    "a number as a string": always("3.0"),
    "NaN": lambda *a: np.full(np.shape(a[0]) if a else 3, np.nan),
    "one NaN": always(float("nan")),
    "infinity": always(np.full((4, 16), np.inf)),
    "huge numbers": always(np.full((4, 16), 1e300)),
    "a huge integer": always(10**400),
    "a large array": lambda *a: np.zeros(10**6),
    "ragged lists": always([[1], [1, 2]]),
    "a list of None": always([None, 1]),
    "an object array": always(np.array([{}, None], dtype=object)),
    "a dictionary": always({"answer": 1}),
    "an object": lambda *a: object(),
    "a generator": lambda *a: (x for x in range(3)),
    "a function": always(always),
    "complex numbers": always(1j),
    "booleans": lambda *a: np.ones((4, 16), dtype=bool),
    "dates": always(np.array(["2020-01-01"], dtype="datetime64[D]")),
    "a tensor with a gradient": lambda *a: torch.ones(3, requires_grad=True),
    "a pair of strings": always(("a", "b")),
    "a pair of arrays": lambda *a: (np.zeros(3), np.zeros(3)),
    "raises": raises(ValueError("a student's own error")),
    "raises a KeyError": raises(KeyError("x")),
    "raises an IndexError": raises(IndexError("x")),
    "raises what has no text": raises(ZeroDivisionError()),
    "raises a mute error": raises(Mute()),
    "asserts": raises(AssertionError()),
    "stops an iteration": raises(StopIteration()),
    "leaves": raises(SystemExit(3)),
    "ends a generator": raises(GeneratorExit()),
    "runs out of memory": raises(MemoryError()),
    "says much": raises(ValueError("words " * 10_000)),
    "recurses for ever": recurses,
    "a class": int,
    "a hostile object": Hostile(),
}

#: Results that are hard to look at: also always a mistake.
STRANGE: dict[str, Answer] = {
    "hostile": lambda *a: Hostile(),
    "a list of hostile": lambda *a: [Hostile(), Hostile()],
    "a pair of hostile": lambda *a: (Hostile(), Hostile()),
    "an array of hostile": lambda *a: np.array([Hostile(), None], dtype=object),
    "endless": lambda *a: itertools.count(),
    "a map": lambda *a: map(abs, [1]),
    "a long range": lambda *a: range(10**12),
    "a virtual giant": lambda *a: np.broadcast_to(1.0, (10**6, 10**6)),
    "a circle": always(_circle),
    "deep lists": lambda *a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],
    "a set": always({1, 2}),
    "bytes": always(b"\x00\xff"),
    "a decimal": always(decimal.Decimal("NaN")),
    "a record array": lambda *a: np.zeros(3, dtype=[("a", float)]),
    "a masked array": lambda *a: np.ma.masked_all(3),
    "an empty dictionary in a list": always([{}]),
    "many axes": lambda *a: np.zeros((1,) * 20),
    "a module": always(np),
    "a coroutine": awaits,
}  # fmt: skip

#: Empty results: an exercise may take them for a blank.
SOMETIMES_BLANK: dict[str, Answer] = {
    "an empty list": always([]),
    "an empty array": lambda *a: np.zeros(0),
    "an empty string": always(""),
    "an empty tuple": always(()),
    "an empty dictionary": lambda *a: {},
    "a pair of None": always((None, None)),
    "NotImplemented": always(NotImplemented),
}

#: Values that are no functions.
DATA: dict[str, Any] = {
    "a list": [1, 2, 3],
    "a pair of words": ["a", "b"],
    "NaNs": np.array([np.nan, np.nan]),
    "a dictionary": {"A": "bits", "C": "cut"},
    "a dictionary of lists": {"A": [1], 2: None},
    "a tensor": torch.ones(2),
    "a huge pair": (1e300, -1e300),
    "a nested pair": ((1, 2), [3]),
}
