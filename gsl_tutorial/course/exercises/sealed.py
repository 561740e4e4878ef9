"""Modules of a student copy whose text would give the exercises away, and how they are read.

A check compares an answer with the right one, so its source holds the right one. `gsl-tutorial
release` therefore writes such a module packed: the text is compressed and cannot be read or searched
by chance. It runs as before, on any version of Python. This is a cover, not a lock: who wants to
unpack it can.
"""

from __future__ import annotations

import base64
import textwrap
import zlib
from typing import Any

_STUB = '''"""{title}

Packed in student copies, because its text would give exercises away: see `exercises.sealed`.
"""

from gsl_tutorial.course.exercises.sealed import unseal

unseal(
    globals(),
    """
{packed}
""",
)
'''


def seal(source: str, *, title: str) -> str:
    """Return the source of a module that does the same and whose text cannot be read.

    Parameters
    ----------
    source : str
        Source of the module.
    title : str
        First line of the new module's docstring.

    Returns
    -------
    str
        A module that unpacks and runs the source.

    Examples
    --------
    >>> stub = seal("answer = 6 * 7", title="An example.")
    >>> "answer" in stub
    False
    >>> namespace = {"__name__": "example"}
    >>> exec(stub, namespace)
    >>> namespace["answer"]
    42
    """
    packed = base64.b64encode(zlib.compress(source.encode(), 9)).decode()
    return _STUB.format(title=title, packed="\n".join(textwrap.wrap(packed, 96)))


def unseal(namespace: dict[str, Any], packed: str) -> None:
    """Run a packed module in the namespace of its stub.

    Neither `inspect` nor a traceback nor `name??` in a notebook finds the text.

    Parameters
    ----------
    namespace : dict
        The globals of the stub.
    packed : str
        What `seal` packed.
    """
    source = zlib.decompress(base64.b64decode(packed)).decode()
    name = f"<sealed {namespace['__name__']}>"
    exec(compile(source, name, "exec", dont_inherit=True), namespace)
