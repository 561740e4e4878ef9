"""Docstrings are numpydoc: they parse, and what they name exists; read from the source, not imported."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest
from numpydoc.docscrape import NumpyDocString  # type: ignore[import-untyped]
from rooms import ROOT, part_of

#: Rooms in which every parameter is explained and every error has its place.
WHOLE = (
    "errors",
    "storage",
    "validation",
    "quantizers",
    "snapping",
    "evaluation",
    "course.text_table",
    "course.plots",
    "course.toys",
    "course.widgets",
    "course.datasets",
    "course.exercises",
    "course.press",
    "course.results",
    "course.scale",
    "course.study",
    "course.training",
    "course.two_tower",
)

FILES = sorted(ROOT.rglob("*.py"))
_RAISES = re.compile(r"\brais(?:es?|ing) (?:an? )?`\w+`", re.IGNORECASE)
_SECTIONS = frozenset(NumpyDocString.sections) - {"Signature", "Summary", "Extended Summary"}
_PROSE = ("Summary", "Extended Summary", "Notes", "Warnings")
_LISTED = ("Parameters", "Other Parameters", "Attributes")
#: Base classes of others whose methods are theirs to explain: torch.autograd.Function.
_FOREIGN = {"Function"}
_KINDS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Documented(NamedTuple):
    """A public function, class or method: where it stands, and what it takes."""

    where: str
    room: str
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    parameters: tuple[str, ...] | None  #: None: not known, a base class is somebody else's
    attributes: frozenset[str]
    bases: tuple[str, ...] | None = None  #: of a method's class

    @property
    def text(self) -> str | None:
        return ast.get_docstring(self.node)


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the package, by its path."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in FILES
    }


@cache
def classes() -> dict[str, ast.ClassDef]:
    """Every class at the top of a module, by its name."""
    return {
        node.name: node
        for tree in trees().values()
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


def names_of(expression: ast.expr) -> str:
    """The last name of a base class or decorator: "Base" for `module.Base[int]`."""
    while isinstance(expression, (ast.Subscript, ast.Call)):
        expression = expression.value if isinstance(expression, ast.Subscript) else expression.func
    return expression.attr if isinstance(expression, ast.Attribute) else ast.unparse(expression)


def taken_by(function: ast.FunctionDef | ast.AsyncFunctionDef, *, method: bool) -> tuple[str, ...]:
    """The parameters of a function as numpydoc writes them, without self and cls."""
    each = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    static = any(names_of(d) == "staticmethod" for d in function.decorator_list)
    each = each[1:] if method and not static else each
    stars = [(function.args.vararg, "*"), (function.args.kwarg, "**")]
    each += [f"{sign}{one.arg}" for one, sign in stars if one is not None]
    return (*each, *(a.arg for a in function.args.kwonlyargs))


def fields_of(node: ast.ClassDef) -> tuple[str, ...]:
    """The annotated names of a class: what a record is made of."""
    return tuple(
        each.target.id
        for each in node.body
        if isinstance(each, ast.AnnAssign)
        and isinstance(each.target, ast.Name)
        and names_of(each.annotation) != "ClassVar"
        and not each.target.id.startswith("_")  # of no caller's business, or `_: KW_ONLY`
    )


def is_record(node: ast.ClassDef) -> bool:
    return any(names_of(b) == "NamedTuple" for b in node.bases) or any(
        names_of(d) == "dataclass" for d in node.decorator_list
    )


def taken_by_class(node: ast.ClassDef) -> tuple[str, ...] | None:
    """What a class is made with: of its `__init__`, its fields, or those of its bases."""
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            return taken_by(each, method=True)
    found: tuple[str, ...] = ()
    for base in map(names_of, node.bases):
        if base in classes():
            inherited = taken_by_class(classes()[base])
            if inherited is None:
                return None
            found += inherited
        elif base not in ("NamedTuple", "Protocol", "Generic", "ABC", "Exception", "object"):
            return None
    return found + (fields_of(node) if is_record(node) else ())


def attributes_of(node: ast.ClassDef) -> frozenset[str]:
    """What an instance has: fields, properties, and whatever is set on self or on the class."""
    found = set(fields_of(node))
    for each in ast.walk(node):
        if isinstance(each, ast.FunctionDef):
            found.add(each.name)
        elif isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store):
            found.add(each.attr)
        elif isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            found.add(each.id)
    for base in map(names_of, node.bases):
        found |= attributes_of(classes()[base]) if base in classes() else set()
    return frozenset(found)


def public() -> Iterator[Documented]:
    """All public functions and classes of the package, and the public methods of these classes."""

    def inside(path: str, node: ast.Module | ast.ClassDef, name: str) -> Iterator[Documented]:
        for each in node.body:
            if not isinstance(each, _KINDS) or each.name.startswith("_"):
                continue
            where, room = f"{name}.{each.name}", part_of(ROOT / path)
            if isinstance(each, ast.ClassDef):
                taken = taken_by_class(each)
                yield Documented(where, room, each, taken, attributes_of(each))
                yield from inside(path, each, where)
            else:
                method = isinstance(node, ast.ClassDef)
                taken = taken_by(each, method=method)
                bases = tuple(map(names_of, node.bases)) if isinstance(node, ast.ClassDef) else None
                yield Documented(where, room, each, taken, frozenset(), bases)

    for path, tree in trees().items():
        yield from inside(path, tree, path.removesuffix(".py").replace("/", "."))


EVERYTHING = list(public())
WITH_TEXT = [one for one in EVERYTHING if one.text]
IN_WHOLE = [one for one in EVERYTHING if one.room in WHOLE]


def parsed(text: str) -> NumpyDocString:
    """A docstring in its sections; what numpydoc only warns of is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return NumpyDocString(text)


def listed(doc: NumpyDocString, *sections: str) -> list[str]:
    """The names that these sections explain; "query, database" are two."""
    entries = [entry for section in sections for entry in doc[section]]
    return [name.strip().replace("\\", "") for entry in entries for name in entry.name.split(",")]


def told_by_bases(method: str, bases: tuple[str, ...]) -> set[str]:
    """The parameters that the same method of a base class explains."""
    told: set[str] = set()
    for base in (classes()[name] for name in bases if name in classes()):
        for each in base.body:
            if isinstance(each, ast.FunctionDef) and each.name == method:
                told.update(listed(parsed(ast.get_docstring(each) or ""), "Parameters"))
        told |= told_by_bases(method, tuple(map(names_of, base.bases)))
    return told


def faults_of_form(text: str) -> list[str]:
    """What keeps a docstring from being read in sections."""
    try:
        doc = parsed(text)
    except Exception as fault:
        return [f"does not parse: {fault}"]
    faults = []
    if not doc["Summary"]:
        faults.append("has no summary")
    for line in (line.strip().rstrip(":") for part in _PROSE for line in doc[part]):
        if line in _SECTIONS or line in ("Args", "Arguments", "Return", "Yield", "Example"):
            faults.append(f"says {line} without underlining it")
    for section in ("Parameters", "Raises", "Attributes"):
        for entry in doc[section]:
            said = entry.desc if section == "Raises" else [entry.type, *entry.desc]
            if not "".join(said).strip():
                faults.append(f"does not explain {entry.name or entry.type} in {section}")
    return faults


def raised_in(node: ast.AST) -> set[str]:
    """The errors of ours that a body raises in so many words, those of inner functions left out."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Raise) and isinstance(child.exc, ast.Call):
            found.add(names_of(child.exc))
        if not isinstance(child, (*_KINDS, ast.Lambda)):
            found |= raised_in(child)
    return found & ERRORS


ERRORS = {node.name for node in trees()["errors.py"].body if isinstance(node, ast.ClassDef)}


def faults_of_whole(one: Documented) -> list[str]:
    """What a function or a record leaves unsaid."""
    record = isinstance(one.node, ast.ClassDef)
    if one.text is None:
        return [] if one.bases or not one.parameters else ["has no docstring"]
    doc = parsed(one.text)
    faults = []
    foreign = _FOREIGN & set(one.bases or ())
    if one.parameters is not None and len(one.parameters) > 1 and not foreign:
        told = listed(doc, *_LISTED)
        # What is inherited is explained where it comes from.
        own = set(one.parameters) - told_by_bases(one.node.name, one.bases or ())
        if isinstance(one.node, ast.ClassDef):
            has_init = any(getattr(each, "name", "") == "__init__" for each in one.node.body)
            own = own if has_init else own & set(fields_of(one.node))
        faults += [f"does not explain {name}" for name in one.parameters if name in own - set(told)]
    told_of = [
        line for part in (*_LISTED, "Returns", "Yields") for e in doc[part] for line in e.desc
    ]
    prose = [line for part in _PROSE for line in doc[part]]
    if found := _RAISES.search("\n".join(prose + told_of)):
        faults.append(f"says {found[0]!r} in its prose")
    if not record:
        told = [name.strip() for entry in doc["Raises"] for name in entry.type.split(",")]
        faults += [f"raises {name}: not in Raises" for name in raised_in(one.node) - set(told)]
    return faults


def test_something_is_read() -> None:
    assert len(WITH_TEXT) > 500
    assert {one.room for one in IN_WHOLE} == set(WHOLE)


def test_every_docstring_parses() -> None:
    faults = {one.where: found for one in WITH_TEXT if (found := faults_of_form(one.text or ""))}
    assert not faults, "\n".join(f"{where}: {'; '.join(found)}" for where, found in faults.items())


def test_what_is_explained_exists() -> None:
    faults = []
    for one in WITH_TEXT:
        if one.parameters is None:
            continue
        doc = parsed(one.text or "")
        for name in listed(doc, "Parameters", "Other Parameters"):
            if name not in one.parameters:
                faults.append(f"{one.where}: takes no {name}")
        for name in listed(doc, "Attributes"):
            if name not in one.attributes and name not in one.parameters:
                faults.append(f"{one.where}: has no {name}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("room", WHOLE)
def test_nothing_is_left_unsaid(room: str) -> None:
    faults = {
        one.where: found for one in IN_WHOLE if one.room == room and (found := faults_of_whole(one))
    }
    assert not faults, "\n".join(f"{where}: {'; '.join(found)}" for where, found in faults.items())


_HEAD = "def f(a, b):\n    '''Do it.\n\n"
_PARAMETERS = "    Parameters\n    ----------\n    a\n        One.\n    b\n        Two.\n"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (_HEAD + "    Remarks\n    -------\n    None.\n    '''", "does not parse"),
        (_HEAD + "    Parameters\n    -----\n    a\n        One.\n    '''", "does not parse"),
        (_HEAD + "    Parameters:\n        a: one\n    '''", "without underlining"),
        (_HEAD + "    Parameters\n    ----------\n    a\n    b\n    '''", "does not explain a in"),
        (_HEAD + _PARAMETERS + "    '''", ""),
    ],
)
def test_faults_of_form_are_found(source: str, said: str) -> None:
    faults = faults_of_form(ast.get_docstring(ast.parse(source).body[0]) or "")  # type: ignore[arg-type]
    assert said in "".join(faults)
    assert bool(faults) == bool(said)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def f(a, b):\n    pass", "has no docstring"),
        (_HEAD + "    a: one. b: two.\n    '''", "does not explain a; does not explain b"),
        (_HEAD + "    Raises `InvalidInputError` on NaN.\n\n" + _PARAMETERS + "    '''", "in its prose"),
        (_HEAD + _PARAMETERS + "    '''\n    raise InvalidInputError('', '', '')", "not in Raises"),
        (
            _HEAD + _PARAMETERS + "\n    Raises\n    ------\n    StorageError, InvalidInputError\n"
            "        On NaN.\n    '''\n    raise InvalidInputError('', '', '')",
            "",
        ),
    ],
)  # fmt: skip
def test_what_is_left_unsaid_is_found(source: str, said: str) -> None:
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    one = Documented("f", "", node, taken_by(node, method=False), frozenset())
    faults = faults_of_whole(one)
    assert said in "; ".join(faults)
    assert bool(faults) == bool(said)
