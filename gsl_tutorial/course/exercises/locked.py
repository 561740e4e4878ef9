"""Points for one exercise, asked from a locked cell of nbgrader.

The locked cell throws away what was imported from this package and imports it again from its files, so a
check that a cell above has replaced is replaced back. What it cannot import again (NumPy, the builtins) is
looked at: a function that is not its owner's own, before or after the answer ran, is noticed and costs the
point. Python cannot keep code in one process from changing other code for good: whoever grades people that
want to cheat reads their cells, too.
"""

from __future__ import annotations

import builtins
import copy
import dis
import inspect
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

#: What checks compute with. Shells put functions of their own into the builtins.
_LOOKED_AT = (builtins, copy, dis, inspect, math, np, np.linalg)
#: Where the code of a function may come from: this package, the standard library, what is installed. The
#: code of a cell has no such file.
_HOMES = (
    str(Path(__file__).resolve().parents[2]),
    str(Path(inspect.__file__).resolve().parent),
    str(Path(np.__file__).resolve().parents[1]),
)
#: Modules whose objects are callable without being functions: ufuncs, `exit`, `display`, names of types.
_FOREIGN = ("numpy", "_sitebuiltins", "IPython", "typing", "collections", "types")


def points(name: str, answer: Any) -> int:
    """Ask a check, and give a point where it says "right".

    Parameters
    ----------
    name : str
        Name of the check.
    answer : object
        The student's answer.

    Returns
    -------
    int
        1 or 0; what was noticed is printed.
    """
    try:
        from gsl_tutorial.course.exercises import check

        before = patched()
        verdict = getattr(check, name)(answer)
        after = patched()
        right = verdict.kind == "right"
    except KeyboardInterrupt:  # the grader's limit in time
        raise
    except BaseException as error:
        print(f"no point: the check could not be asked ({type(error).__name__})")
        return 0
    if noticed := sorted({*before, *after}):
        print(f"no point: replaced by the submission: {', '.join(noticed)}")
        return 0
    print(verdict)
    return int(right)


def patched() -> list[str]:
    """List what is not its owner's own among the functions that checks use.

    Returns
    -------
    list of str
        Names such as "numpy.allclose"; empty where nothing was replaced.
    """
    return [
        f"{module.__name__}.{name}"
        for module in (*_LOOKED_AT, *_own_modules())
        for name, value in list(vars(module).items())
        if not name.startswith("__") and not _is_genuine(value)
    ]


def _is_genuine(value: Any) -> bool:
    """Whether a value may stand in a module: nothing that is called, or code of installed files."""
    value = value.__func__ if isinstance(value, MethodType) else value
    if type(value).__name__ == "_lru_cache_wrapper":
        value = inspect.unwrap(value)
    if isinstance(value, FunctionType):
        file = value.__code__.co_filename
        return file.startswith((*_HOMES, "<sealed gsl_tutorial.", "<frozen "))
    if isinstance(value, type):
        return value.__module__ != "__main__"
    if isinstance(value, BuiltinFunctionType) or not callable(value):
        return True
    return type(value).__module__.split(".")[0] in (*_FOREIGN, "gsl_tutorial")


def _own_modules() -> Iterator[ModuleType]:
    for name, module in list(sys.modules.items()):
        if name.startswith("gsl_tutorial.course.exercises") and isinstance(module, ModuleType):
            yield module
