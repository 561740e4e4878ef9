"""The whole state of a widget as a short text: what "Copy link" gives, and what presets are made of.

`gsl1.gradient?mode=run&point=-0.2,0.2,&hide=presets`: the version, the kind of widget, then a value for
each trait, and the controls to hide. A list ends each number with a comma, a list of rows each row with a
semicolon; "-" is none; names hold neither. On a page, the same stands behind the "#" of the address.
`page_link.js` is the same for the page; tests have each read what the other wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from gsl_tutorial.course.widgets.page_words import WORDS
from gsl_tutorial.errors import InvalidInputError

VERSION = 1
#: Characters of a link. More rows than that are no picture, and a page would take minutes to draw them.
LONGEST = 100_000
_LINK = re.compile(r"gsl(\d+)\.([a-z]+)(?:\.(\d+))?\?(.*)", re.DOTALL)
_WHOLE = re.compile(r"([^%]|%[0-9a-fA-F]{2})*")
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)


def write_link(kind: str, values: Mapping[str, Any], *, hide: Iterable[str] = ()) -> str:
    """Write a state as a link.

    Parameters
    ----------
    kind : str
        The kind of widget, as `PageWidget.kind`.
    values : mapping of str to object
        Name -> number, truth value, name, list of numbers, or list of rows of numbers.
    hide : iterable of str
        Names of controls to hide.

    Returns
    -------
    str
        The link, without the address of a page.

    Examples
    --------
    >>> write_link("gradient", {"mode": "run", "point": [-0.2, 0.2]}, hide=["tour"])
    'gsl1.gradient?mode=run&point=-0.2,0.2,&hide=tour'
    """
    parts = [f"{name}={_written(value)}" for name, value in values.items()]
    hidden = ".".join(hide)
    return f"gsl{VERSION}.{kind}?{'&'.join(parts + ([f'hide={hidden}'] if hidden else []))}"


def read_link(text: str, kind: str) -> tuple[dict[str, Any], list[str]]:
    """Read a link, with or without the address of a page before it.

    Parameters
    ----------
    text : str
        What `write_link` or "Copy link" gave.
    kind : str
        The kind of widget that it must be for.

    Returns
    -------
    dict, list of str
        The values, and the names of controls to hide.

    Raises
    ------
    InvalidInputError
        The text is no link, is damaged, is very long, or is for another version or kind.

    Examples
    --------
    >>> read_link("gsl1.gradient?rate=.05&snap=true&point=1,2,", "gradient")
    ({'rate': 0.05, 'snap': True, 'point': [1, 2]}, [])
    """
    words = WORDS["link"]
    if len(text) > LONGEST:
        raise InvalidInputError(
            words["not_so_long"].format(f"{LONGEST:,}"), f"{len(text):,}", words["copy_again"]
        )
    match = _LINK.fullmatch(text.strip().rpartition("#")[2])
    if not match:
        raise InvalidInputError(
            words["a_link"].format(VERSION, kind), repr(text[:60]), words["copy_again"]
        )
    version, of, _, rest = match.groups()
    if int(version) != VERSION:
        raise InvalidInputError(words["this_version"].format(VERSION), version, words["update"])
    if of != kind:
        raise InvalidInputError(words["this_kind"].format(kind), of, words["copy_again"])
    values: dict[str, Any] = {}
    for part in filter(None, rest.split("&")):
        name, equals, value = part.partition("=")
        if not equals or not _WHOLE.fullmatch(value):
            raise InvalidInputError(words["a_value"], repr(part[:60]), words["copy_again"])
        values[name] = _read(unquote(value))
    hidden = values.pop("hide", "")
    return values, [one for one in str(hidden).split(".") if one]


def _written(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        rows = value and isinstance(value[0], (list, tuple))
        if rows:
            return "".join(f"{','.join(map(_written, row))};" for row in value)
        return "".join(f"{_written(one)}," for one in value) or ";"
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(int(value) if value.is_integer() and abs(value) < 1e15 else value)
    return str(value) if isinstance(value, int) else quote(value, safe="")


def _read(text: str) -> Any:
    if ";" in text:
        return [_numbers(row.split(",")) for row in text.split(";")[:-1] if text != ";"]
    if "," in text:
        return _numbers(text.split(",")[:-1])
    named = {"-": None, "true": True, "false": False}
    if text in named:
        return named[text]
    return _number(text) if _NUMBER.fullmatch(text) else text


def _numbers(texts: list[str]) -> list[float]:
    words = WORDS["link"]
    for text in texts:
        if not _NUMBER.fullmatch(text):
            raise InvalidInputError(words["a_number"], repr(text[:60]), words["copy_again"])
    return [_number(text) for text in texts]


def _number(text: str) -> float:
    return int(text) if re.fullmatch(r"-?\d{1,15}", text) else float(text)
