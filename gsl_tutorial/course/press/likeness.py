"""Code that is the same but for its names and numbers.

A solution that was copied and renamed is still the solution. Text is cut into tokens; every name of one's
own becomes a placeholder and every number or string another. What stays are keywords, operators, names of
Python's builtins, names after a dot (`.argmin`) and names of arguments (`axis=`). Two pieces of code are
alike when their tokens agree and their names can be exchanged one for one.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import keyword
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)|(?P<text>"[^"\n]*"|'[^'\n]*')|(?P<number>\d[\w.]*)|(?P<name>[^\W\d]\w*)"""
    r"""|(?P<sign>\*\*=?|//=?|[-+*/%@&|^<>=!:]=|->|<<|>>|[^\w\s])"""
)
#: After the name of an argument, with or without spaces.
_EQUALS = re.compile(r"\s*=(?!=)")
_KEPT = {*dir(builtins), *keyword.kwlist, "np", "numpy", "torch", "math"}
#: A name of one's own, and a number or a string.
_NAME, _LITERAL = "name", "literal"


@dataclass(frozen=True)
class Tokens:
    """A text as tokens.

    Attributes
    ----------
    kinds : str
        One character for each token, the same for all names and the same for all literals, so that a
        search for tokens is a search in a text.
    names : tuple of str
        What stands at each token.
    """

    kinds: str
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


class Reader:
    """Turns texts into tokens; two texts can be compared when one reader has read both."""

    def __init__(self) -> None:
        self._characters: dict[str, str] = {}

    def read(self, text: str) -> Tokens:
        """Cut a text of any kind into tokens.

        Parameters
        ----------
        text : str
            Code, prose, JSON: nothing has to parse.

        Returns
        -------
        Tokens
            The tokens, without comments.

        Examples
        --------
        >>> reader = Reader()
        >>> reader.read("a = b.sum(axis=2)").kinds == reader.read("x = y.sum(axis = 1)  # so").kinds
        True
        """
        kinds, names = [], []
        before = ""
        for match in _TOKEN.finditer(text):
            token, group = match[0], match.lastgroup
            if group == "comment":
                continue
            kind = token
            if group in ("text", "number"):
                kind = _LITERAL
            elif group == "name" and token not in _KEPT and before != ".":
                argument = before in ("(", ",") and _EQUALS.match(text, match.end())
                kind = token if argument else _NAME
            kinds.append(self._character(kind))
            names.append(token)
            before = token
        return Tokens("".join(kinds), tuple(names))

    def _character(self, kind: str) -> str:
        # From the private area on, so that no character means anything else.
        return self._characters.setdefault(kind, chr(0xE000 + len(self._characters)))

    def is_name(self, character: str) -> bool:
        """Whether a token is a name of one's own."""
        return character == self._character(_NAME)


def find(part: Tokens, text: Tokens, reader: Reader) -> int | None:
    """Find a piece of code in a text.

    Parameters
    ----------
    part, text : Tokens
        What is looked for, and where.
    reader : Reader
        The one that has read both.

    Returns
    -------
    int or None
        The first token of the text where the part stands with its names exchanged one for one.
    """
    at = text.kinds.find(part.kinds)
    while at >= 0:
        pairs = [
            (mine, text.names[at + i])
            for i, (mine, kind) in enumerate(zip(part.names, part.kinds, strict=True))
            if reader.is_name(kind)
        ]
        if len(set(pairs)) == len({a for a, _ in pairs}) == len({b for _, b in pairs}):
            return at
        at = text.kinds.find(part.kinds, at + 1)
    return None


def pieces(code: str) -> Iterator[str]:
    """Cut a solution into what gives it away: each statement, each two in a row, and the whole.

    Left out are mere names for numbers or words.

    Parameters
    ----------
    code : str
        Statements, indented as they may be.

    Yields
    ------
    str
        A piece, as it is written. Of a `return` or of an assignment to names, only the expression.
    """
    inside, body = _statements(code)
    found: list[tuple[ast.stmt | ast.expr, ...]] = []
    for each in itertools.chain.from_iterable(map(ast.walk, body)):
        if isinstance(each, ast.Return | ast.Assign | ast.AugAssign) and each.value is not None:
            found.append((each.value,))
        elif isinstance(each, ast.stmt):
            found.append((each,))
    for nodes in (*found, *itertools.pairwise(body), tuple(body)):
        if any(map(_computes, nodes)):
            yield _written(inside, *nodes)


def _computes(piece: ast.AST) -> bool:
    """Whether a piece is more than a name for numbers or words."""
    computing = ast.Call | ast.BinOp | ast.Compare | ast.Subscript
    return any(isinstance(node, computing) for node in ast.walk(piece))


def wholes(code: str) -> Iterator[str]:
    """Write a whole solution as `pieces` does; of a single `return` its expression, too.

    Parameters
    ----------
    code : str
        Statements, indented as they may be.

    Yields
    ------
    str
        The whole.

    Examples
    --------
    >>> list(wholes("return bits / 8"))
    ['return bits / 8', 'bits / 8']
    """
    inside, body = _statements(code)
    yield _written(inside, body[0], body[-1])
    match body:
        case [ast.Return(value=ast.expr() as value)] | [ast.Assign(value=value)]:
            yield _written(inside, value)


def _written(inside: str, *nodes: ast.stmt | ast.expr) -> str:
    """The text from the first node to the last. (`ast.unparse` would put brackets where nobody does.)"""
    lines = inside.encode().splitlines(keepends=True)
    first, last = nodes[0], nodes[-1]
    start = sum(map(len, lines[: first.lineno - 1])) + first.col_offset
    end = sum(map(len, lines[: (last.end_lineno or 1) - 1])) + (last.end_col_offset or 0)
    return inside.encode()[start:end].decode()


def _statements(code: str) -> tuple[str, Sequence[ast.stmt]]:
    """The code inside a function, and the statements that stand there."""
    inside = "def f():\n" + textwrap.indent(textwrap.dedent(code), "    ")
    function: Any = ast.parse(inside).body[0]  # the one that the line above wrote
    statements: list[ast.stmt] = function.body
    return inside, statements
