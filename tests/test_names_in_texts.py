"""Names in docstrings, comments and pages: what they point at exists, so no word outlives a move."""

from __future__ import annotations

import ast
import importlib.util
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from rooms import ROOT

REPOSITORY = ROOT.parent
CODE = sorted(
    [
        *ROOT.rglob("*.py"),
        *(p for folder in ("tests", "benchmarks") for p in (REPOSITORY / folder).glob("*.py")),
    ]
)
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "data").rglob("*.md")])
#: A name in full, or the path of a file or folder of the package.
_FULL = re.compile(r"\bgsl_tutorial((?:\.\w+)+|(?:/[\w.*-]+)+)")
#: A path from the package on, as pages write it.
_INSIDE = re.compile(r"`(?:course|snapping|quantizers|evaluation)/[\w./*-]*`")
_TICKS = re.compile(r"(?<!`)`([A-Za-z_][\w.]*)`(?!`)")
_FILE = re.compile(r".*\.(py|toml|json|safetensors|md|npz|npy|css|js|csv)")


@cache
def texts_of(path: Path) -> list[str]:
    """The docstrings and comments of a module, or the whole of a page."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return [text]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
    return [*comments, *filter(None, map(ast.get_docstring, nodes))]


@cache
def words_of(path: Path) -> frozenset[str]:
    """Every identifier of a module, and every word in its strings that are no docstrings."""
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    words: set[str] = set()
    for token in tokens:
        if token.type == tokenize.NAME:
            words.add(token.string)
        elif token.type == tokenize.STRING and '"""' not in token.string:
            words.update(re.findall(r"\w+", token.string))
    return frozenset(words)


@cache
def modules() -> dict[str, list[Path]]:
    """The files of the package by the name of their module; a folder stands for its `__init__`."""
    found: dict[str, list[Path]] = {}
    for path in ROOT.rglob("*.py"):
        name = path.parent.name if path.stem == "__init__" else path.stem
        found.setdefault(name, []).append(path)
    return found


def exists(start: Path, rest: list[str]) -> bool:
    """Whether `rest`, a path of folders, modules and at last a name, leads on from a folder."""
    for number, part in enumerate(rest):
        if (start / part).is_dir():
            start = start / part
        elif (start / f"{part}.py").is_file():
            inside = rest[number + 1 :]
            return not inside or inside[0] in words_of(start / f"{part}.py")
        else:
            return part in words_of(start / "__init__.py")
    return True


def stale_full_names(text: str) -> list[str]:
    """Full names and paths of the package that lead nowhere."""
    found = []
    for match in _FULL.finditer(text):
        rest = match[1].rstrip(".")
        if rest.startswith("/"):
            path = rest.strip("/")
            is_there = any(ROOT.glob(path)) or any(ROOT.glob(f"{path}.py"))
        else:
            is_there = exists(ROOT, rest.strip(".").split("."))
        found += [] if is_there else [match[0]]
    inside = [path.strip("`") for path in _INSIDE.findall(text)]
    return found + [path for path in inside if not any(ROOT.glob(path))]


def stale_words(path: Path) -> Iterator[str]:
    """Words in backticks that name nothing in the code of this repository, nor in a library."""
    everywhere = {p.stem for p in CODE}.union(modules(), *map(words_of, CODE))
    files = {p.name for p in CODE} | {p.name for p in ROOT.rglob("*.toml")}
    for match in (found for text in texts_of(path) for found in _TICKS.finditer(text)):
        first, *rest = match[1].strip(".").split(".")
        if _FILE.fullmatch(match[1]):
            is_there = match[1] in files or first in everywhere
        elif not rest:
            is_there = first in everywhere
        elif first in modules():
            homes = [p.parent if p.stem == "__init__" else p for p in modules()[first]]
            is_there = any(
                exists(home, rest) if home.is_dir() else rest[0] in words_of(home) for home in homes
            )
        else:
            is_there = (
                {first, rest[0]} <= everywhere if first[0].isupper() else first in words_of(path)
            ) or importlib.util.find_spec(first) is not None
        if not is_there:
            yield match[1]


@pytest.mark.parametrize("path", [*CODE, *PAGES], ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_full_names_and_paths_lead_somewhere(path: Path) -> None:
    assert [name for text in texts_of(path) for name in stale_full_names(text)] == []


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_words_in_backticks_are_names_of_something(path: Path) -> None:
    assert list(stale_words(path)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see `gsl_tutorial.course.training.rounds.train`", 0),
        ("in gsl_tutorial/snapping/layer.py, and gsl_tutorial/course/study/*.toml.", 0),
        ("from gsl_tutorial import snap_gradient; gsl_tutorial.snap_gradient.", 0),
        ("`course/study/*.toml`, `snapping/` and `course/results/audit.py`", 0),
        ("`course/" + "results/labels.py`", 1),
        ("see " + "gsl_tutorial.shipped.load_shipped", 1),
        ("gsl_tutorial" + "/study/cifar10.toml and " + "gsl_tutorial" + "/snapping.py", 2),
        ("gsl_tutorial.course.training.rounds." + "no_such_function", 1),
    ],
)
def test_a_stale_name_is_found(text: str, found: int) -> None:
    assert len(stale_full_names(text)) == found
