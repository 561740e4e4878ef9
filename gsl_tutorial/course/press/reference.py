"""The reference of the core: a page for each room, made by Sphinx from the docstrings.

Docstrings are written to be read in a terminal, where |x| is a length and `codebooks_` a name. Sphinx reads
reStructuredText, in which both mean something else, so they are escaped on the way.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

#: For each page its title, what it says first, and the modules whose public names it tells.
PAGES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "quantizers": (
        "Quantizers",
        "Each turns vectors into short codes and back. `Quantizer` is the contract; the others say how "
        "they spend the bits.",
        ("quantizers.base", "quantizers.product", "quantizers.optimized", "quantizers.residual",
         "quantizers.additive", "quantizers.load", "quantizers.kmeans", "quantizers.faiss_index"),
    ),
    "snapping": (
        "Snapping",
        "The layer, the rule that it follows, and the same rule in plain NumPy.",
        ("snapping.layer", "snapping.options", "snapping.rule", "snapping.by_hand"),
    ),
    "evaluation": (
        "Evaluation",
        "Measures of a ranking as pure functions of distances and labels, with ties treated exactly, and "
        "intervals for their differences.",
        ("evaluation.average_precision", "evaluation.at_rank", "evaluation.discounted_gain",
         "evaluation.intervals", "evaluation.argmax_code", "evaluation.distances"),
    ),
    "errors": (
        "Errors",
        "Each says what was expected, what came, and what to do. All of them are a `TutorialError`.",
        ("errors",),
    ),
}  # fmt: skip

_INDEX = """\
# Reference

The core of the package: what you get from `pip install gsl-tutorial`, without Jupyter. Every example on
these pages is run by our tests.

```{{toctree}}
:maxdepth: 1

{pages}
```
"""
_MODULE = """\
## {title}

````{{eval-rst}}
.. automodule:: gsl_tutorial.{name}
   :members:
   :member-order: bysource
   :show-inheritance:
````
"""
_CODE = re.compile(r"(``.+?``|`[^`]+`)")

SETTINGS: dict[str, Any] = {
    # A name in single backticks is a name, wherever it leads.
    "default_role": "code",
    # Types stand in the docstrings, with shapes; in the signatures they would hide the names.
    "autodoc_typehints": "none",
    "autodoc_preserve_defaults": True,
    "napoleon_numpy_docstring": True,
    "napoleon_google_docstring": False,
    "napoleon_use_rtype": False,
    "napoleon_use_ivar": True,
}
EXTENSIONS = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]


def write_reference(folder: Path) -> list[str]:
    """Write the pages that Sphinx fills.

    Parameters
    ----------
    folder : Path
        Where they go; it is made.

    Returns
    -------
    list of str
        The names of the pages, the first page among them.
    """
    folder.mkdir(parents=True)
    for page, (title, about, modules) in PAGES.items():
        parts = [_MODULE.format(title=_title(name), name=name) for name in modules]
        text = f"# {title}\n\n{about}\n\n" + "\n".join(parts)
        (folder / f"{page}.md").write_text(text, encoding="utf-8")
    (folder / "index.md").write_text(_INDEX.format(pages="\n".join(PAGES)), encoding="utf-8")
    return ["index", *PAGES]


def escaped(lines: list[str]) -> list[str]:
    r"""Escape what a docstring means as it stands and reStructuredText would take for markup.

    Parameters
    ----------
    lines : list of str
        A docstring.

    Returns
    -------
    list of str
        The same lines; examples and code are left alone.

    Examples
    --------
    >>> escaped(["`codebooks_` or codebooks_ and |x|^2", ">>> a | b_"])
    ['`codebooks_` or codebooks\\_ and \\|x\\|^2', '>>> a | b_']
    """
    made, in_example = [], False
    for line in lines:
        in_example = line.lstrip().startswith(">>>") or (in_example and bool(line.strip()))
        if in_example:
            made.append(line)
            continue
        parts = _CODE.split(line)
        parts[::2] = [
            re.sub(r"(?<=\w)_(?!\w)", r"\\_", one.replace("|", r"\|")) for one in parts[::2]
        ]
        made.append("".join(parts))
    return made


def connect(app: Any) -> None:
    """Let Sphinx pass every docstring through `escaped` before it is read."""

    def process(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
        lines[:] = escaped(lines)

    def skip(
        app: Any, what: str, name: str, thing: Any, skipped: bool, options: Any
    ) -> bool | None:
        # What scikit-learn adds to every estimator, and what a module has from elsewhere.
        theirs = re.fullmatch(r"set_\w+_request", name)
        module = getattr(thing, "__module__", None) or "gsl_tutorial"
        return True if theirs or not module.startswith("gsl_tutorial") else None

    app.connect("autodoc-skip-member", skip)
    # Before napoleon, which listens at 500, turns sections into fields.
    app.connect("autodoc-process-docstring", process, priority=400)


def _title(name: str) -> str:
    return name.rpartition(".")[2].replace("_", " ").capitalize()
