"""The core by itself: with GSL_TUTORIAL_CORE_ALONE=1 these tests run as if nothing else were installed.

Everything that the extras of the course bring, and the course itself, then refuses to be imported.
`make unit` runs this folder that way.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

#: Distributions that are imported under another name.
_IMPORTED_AS = {
    "fonttools": "fontTools", "ipython": "IPython", "markdown_it_py": "markdown_it", "pillow": "PIL",
}  # fmt: skip
#: What pytest and torch use themselves.
_NEEDED_HERE = {"filelock", "packaging", "pygments", "tqdm"}


def outside_the_core() -> set[str]:
    """The top-level modules of the extras `course`, `authors` and `lm`, as pyproject.toml names them."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [text for name in ("course", "authors", "lm") for text in extras[name]]
    names = {re.split(r"[^\w.-]", text, maxsplit=1)[0].replace("-", "_") for text in wanted}
    return {_IMPORTED_AS.get(name, name) for name in names} - _NEEDED_HERE


class NothingElse(MetaPathFinder):
    """Refuses what lies outside the core."""

    def __init__(self) -> None:
        self.refused = outside_the_core()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> Any:
        """Raise for a package of the course; leave everything else to others."""
        if fullname.split(".")[0] in self.refused or fullname.startswith("gsl_tutorial.course"):
            raise ModuleNotFoundError(f"the core asked for {fullname}", name=fullname)
        return None


if os.environ.get("GSL_TUTORIAL_CORE_ALONE"):
    nothing_else = NothingElse()
    # A plugin of pytest may have loaded some of them already; it keeps what it holds.
    for name in [name for name in sys.modules if name.split(".")[0] in nothing_else.refused]:
        del sys.modules[name]
    sys.meta_path.insert(0, nothing_else)
