"""Mutants: small machine-made changes to a right answer, each of which a check must refuse.

The right answers are the workbook's own solutions (between the markers in `notebooks/src`) and the second
ways in the `answers_*` files. Each change is one of those that people make: another comparison, one off, a
term dropped or doubled, a sign, an axis, the order of arguments, a square left out, the first or the last
case only, `or` in place of a test for `None`, fractions cut off, another direction of sorting, min for max.
The idea is mutation testing (DeMillo, Lipton and Sayward, "Hints on test data selection", 1978); ours works
on the syntax tree, one change at a time, and needs no package.
"""

from __future__ import annotations

import ast
import copy
import importlib
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gsl_tutorial.course.exercises import check
from gsl_tutorial.course.press.sources import draft, tags

SOURCES = sorted((Path(__file__).parents[1] / "notebooks" / "src").glob("*.py"))
ANSWERS = (
    "answers", "answers_00_03", "answers_01_02", "answers_04", "answers_05", "answers_07", "answers_08",
    "answers_09", "answers_10", "answers_11", "answers_12", "answers_builds", "answers_steps",
)  # fmt: skip
#: Exercises whose answer is data: any place that goes uphill is right, and a table has no formula.
DATA = ("uphill_place", "three_faults")
#: Slow twins, which would take half of the time.
_TOO_SLOW = ("_expected_by_shuffling",)
#: Names of functions and methods that are taken for one another.
_SWAPS = {
    "argmin": ("argmax", "min"), "argmax": ("argmin", "max"), "min": ("max", "argmin"),
    "max": ("min", "argmax"), "sum": ("mean", "max", "prod"), "mean": ("sum", "max"),
    "any": ("all",), "all": ("any",), "log2": ("log", "sqrt", "log10"), "log": ("log2", "sqrt"),
    "ceil": ("floor",), "std": ("var",), "argsort": ("sort",), "maximum": ("minimum",), "round": ("floor",),
    "ones": ("zeros",), "zeros": ("ones",),
}  # fmt: skip
_COMPARED = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}  # fmt: skip
_OPERATORS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div,), ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,), ast.Pow: (ast.Mult,),
}  # fmt: skip
#: What may be done to a value that is given back.
_RETURNED = {
    "-({})": "the sign", "({})[:1]": "the first only", "({})[-1:]": "the last only",
    "({})[1:]": "all but one",
    "({})[::-1]": "the order", "np.asarray({}).astype(int)": "cut off", "np.round({})": "rounded",
    "np.abs({})": "without sign", "np.sort({}, axis=0)": "sorted", "2 * ({})": "doubled",
    "({}) / 2": "halved",
    "({}) + 1": "one more", "({}) ** 2": "squared", "np.sqrt(np.abs({}))": "the root",
    "np.zeros_like({})": "nothing",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A changed answer: what was changed into what, and the function."""

    exercise: str
    change: str
    answer: Any


@dataclass(frozen=True)
class Original:
    """A right answer as a syntax tree, and how to make a function of such a tree."""

    exercise: str
    tree: ast.AST
    make: Callable[[ast.AST], Any]


@cache
def originals() -> tuple[Original, ...]:
    """The right answers of all exercises whose text is at hand."""
    return (*_from_notebooks(), *_from_answers())


def _from_notebooks() -> Iterator[Original]:
    for source in SOURCES:
        for cell in draft(source, "solution").notebook.cells:
            if cell.cell_type != "code" or "exercise" not in tags(cell):
                continue
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.FunctionDef) and node.name in check.exercises:
                    node.body = [one for one in node.body if not _is_text(one)]
                    yield Original(
                        node.name, node, _maker({"np": np, "math": math, "torch": torch})
                    )


def _from_answers() -> Iterator[Original]:
    for name in ANSWERS:
        module = importlib.import_module(name)
        tree = ast.parse(Path(str(module.__file__)).read_text())
        functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
        for call in ast.walk(tree):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
                continue
            if call.func.id != "Exercise":
                continue
            exercise = ast.literal_eval(call.args[0])
            if exercise in DATA:
                continue
            ways = next(one.value for one in call.keywords if one.arg == "right")
            for way in getattr(ways, "elts", ()):
                if isinstance(way, ast.Lambda):
                    yield Original(exercise, way, _maker(vars(module)))
                elif isinstance(way, ast.Name) and way.id in {*functions} - {*_TOO_SLOW}:
                    yield Original(exercise, functions[way.id], _maker(vars(module)))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _maker(names: dict[str, Any]) -> Callable[[ast.AST], Any]:
    def make(tree: ast.AST) -> Any:
        space = {**names, "np": np}
        if isinstance(tree, ast.FunctionDef):
            module = ast.fix_missing_locations(ast.Module([tree], type_ignores=[]))
            exec(compile(module, "<mutant>", "exec"), space)
            return space[tree.name]
        expression = ast.fix_missing_locations(ast.Expression(tree))  # type: ignore[arg-type]
        return eval(compile(expression, "<mutant>", "eval"), space)

    return make


def mutants(exercise: str) -> list[Mutant]:
    """Every mutant of every right answer of an exercise, none twice."""
    found: dict[str, Mutant] = {}
    for original in originals():
        if original.exercise != exercise:
            continue
        nodes = list(_places(original.tree))
        for index, (path, node) in enumerate(nodes):
            if _is_of_a_signature(path):
                continue
            is_result = isinstance(original.tree, ast.Lambda) and path == ("body",)
            for changed in (*_changes(node), *(_wrapped(node) if is_result else ())):
                tree = copy.deepcopy(original.tree)
                _replace(tree, index, changed)
                ast.fix_missing_locations(tree)
                text = f"{_shown(node)} -> {_shown(changed)}"
                whole = ast.unparse(tree)
                if whole not in found and whole != ast.unparse(original.tree):
                    try:
                        found[whole] = Mutant(exercise, text, original.make(tree))
                    except (SyntaxError, TypeError, ValueError):
                        continue  # no program at all
    return list(found.values())


def _shown(node: ast.AST) -> str:
    return " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())


def _places(tree: ast.AST, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], ast.AST]]:
    """All nodes in the order in which `_replace` counts them, with the names of the fields on the way."""
    for name, value in ast.iter_fields(tree):
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, ast.AST):
                yield (*path, name), one
                yield from _places(one, (*path, name))


def _is_of_a_signature(path: tuple[str, ...]) -> bool:
    return path[0] in ("args", "returns") or "annotation" in path


def _replace(tree: ast.AST, index: int, changed: ast.AST) -> None:
    """Put `changed` in the place of node number `index` of `_places`."""
    count = 0

    def visit(parent: ast.AST) -> bool:
        nonlocal count
        for name, value in ast.iter_fields(parent):
            many = isinstance(value, list)
            for place, one in enumerate(value if many else [value]):
                if not isinstance(one, ast.AST):
                    continue
                if count == index:
                    if many:
                        value[place] = changed
                    else:
                        setattr(parent, name, changed)
                    return True
                count += 1
                if visit(one):
                    return True
        return False

    visit(tree)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of a node."""
    for kind, how in _HOW.items():
        if isinstance(node, kind):
            yield from how(copy.deepcopy(node))


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        if value is False:
            yield ast.Constant(True)
    elif isinstance(value, int | float):
        yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        if value not in (0, 1):
            yield ast.Constant(value * value)
    elif isinstance(value, str) and value in ("no", "yes", "with a note"):
        yield from (ast.Constant(one) for one in ("no", "yes", "with a note") if one != value)


def _comparison(node: ast.Compare) -> Iterator[ast.AST]:
    if len(node.ops) == 1:
        for other in _COMPARED.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [other()], node.comparators)
    yield (
        ast.UnaryOp(ast.Invert(), node)
        if not isinstance(node.ops[0], ast.Is | ast.IsNot | ast.In)
        else (ast.UnaryOp(ast.Not(), node))
    )


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    yield from (node.left, node.right)
    for other in _OPERATORS.get(type(node.op), ()):
        yield ast.BinOp(node.left, other(), node.right)
    if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.FloorDiv):
        yield ast.BinOp(node.right, node.op, node.left)
    if isinstance(node.op, ast.Add | ast.Sub):
        for left, right in (
            (ast.BinOp(ast.Constant(2), ast.Mult(), node.left), node.right),
            (node.left, ast.BinOp(ast.Constant(2), ast.Mult(), node.right)),
        ):
            yield ast.BinOp(left, node.op, right)
    if isinstance(node.op, ast.Sub | ast.MatMult | ast.Mult):
        yield ast.Call(ast.Name("abs", ast.Load()), [node], [])


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    yield node.operand


def _called(node: ast.Call) -> Iterator[ast.AST]:
    name = node.func
    if isinstance(name, ast.Attribute):
        for other in _SWAPS.get(name.attr, ()):
            of = ast.Name("np", ast.Load()) if other in ("sqrt", "floor") else name.value
            yield ast.Call(ast.Attribute(of, other, ast.Load()), node.args, node.keywords)
        if not _is_module(name.value) and name.attr not in ("tolist", "copy", "item", "numpy"):
            yield name.value  # the step left out
    if isinstance(name, ast.Name):
        for other in _SWAPS.get(name.id, ()):
            yield ast.Call(ast.Name(other, ast.Load()), node.args, node.keywords)
    if node.args and not (
        isinstance(name, ast.Name) and name.id in ("float", "int", "bool", "list")
    ):
        yield node.args[0]
        yield ast.Call(node.func, node.args[:-1], node.keywords)
    if len(node.args) > 1:
        yield ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], node.keywords)
        yield node.args[1]
    for number, keyword in enumerate(node.keywords):
        if keyword.arg == "strict":
            continue  # it only complains
        rest = node.keywords[:number] + node.keywords[number + 1 :]
        yield ast.Call(node.func, node.args, rest)
        if keyword.arg in ("axis", "dim"):  # NumPy's name and PyTorch's
            for axis in (0, 1, 2):
                yield ast.Call(
                    node.func, node.args, [*rest, ast.keyword(keyword.arg, ast.Constant(axis))]
                )


def _is_module(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "math", "torch")


def _subscript(node: ast.Subscript) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load):
        yield node.value
        for part in ("::-1", "1:", ":-1"):
            yield ast.parse(f"({ast.unparse(node)})[{part}]", mode="eval").body


def _slice(node: ast.Slice) -> Iterator[ast.AST]:
    for lower, upper in (
        (_one_more(node.lower), node.upper), (node.lower, _one_more(node.upper)),
        (_one_more(node.lower, -1), node.upper), (node.lower, _one_more(node.upper, -1)),
        (None, node.upper), (node.lower, None),
    ):  # fmt: skip
        yield ast.Slice(lower, upper, node.step)


def _one_more(node: ast.expr | None, by: int = 1) -> ast.expr | None:
    return node and ast.BinOp(node, ast.Add(), ast.Constant(by))


def _if(node: ast.If) -> Iterator[ast.AST]:
    for test in (True, False):
        yield ast.If(ast.Constant(test), node.body, node.orelse)


def _if_expression(node: ast.IfExp) -> Iterator[ast.AST]:
    yield from (node.body, node.orelse, ast.IfExp(node.test, node.orelse, node.body))
    yield ast.BoolOp(ast.Or(), [node.body, node.orelse])


def _boolean(node: ast.BoolOp) -> Iterator[ast.AST]:
    other = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
    yield ast.BoolOp(other, node.values)
    yield from node.values


def _loop(node: ast.For) -> Iterator[ast.AST]:
    for part in ("[1:]", "[:-1]", "[:1]", "[::-1]"):
        parts = ast.parse(f"list({ast.unparse(node.iter)}){part}", mode="eval").body
        yield ast.For(node.target, parts, node.body, node.orelse)


def _comprehension(node: ast.comprehension) -> Iterator[ast.AST]:
    for part in ("[1:]", "[:-1]", "[:1]", "[::-1]"):
        parts = ast.parse(f"list({ast.unparse(node.iter)}){part}", mode="eval").body
        yield ast.comprehension(node.target, parts, node.ifs, 0)
    if node.ifs:
        yield ast.comprehension(node.target, node.iter, [], 0)


def _augmented(node: ast.AugAssign) -> Iterator[ast.AST]:
    yield ast.Assign([node.target], node.value)


def _returned(node: ast.Return) -> Iterator[ast.AST]:
    if node.value is not None:
        for changed in _wrapped(node.value):
            yield ast.Return(changed)


def _wrapped(value: ast.expr) -> Iterator[ast.expr]:
    for form in _RETURNED:
        yield ast.parse(form.format(ast.unparse(value)), mode="eval").body


def _tuple(node: ast.Tuple) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        yield ast.Tuple(node.elts[::-1], ast.Load())
        for number in range(len(node.elts)):
            yield ast.Tuple(node.elts[:number] + node.elts[number + 1 :], ast.Load())


_HOW: dict[type, Callable[[Any], Iterator[ast.AST]]] = {
    ast.Constant: _constant, ast.Compare: _comparison, ast.BinOp: _binary, ast.UnaryOp: _unary,
    ast.Call: _called, ast.Subscript: _subscript, ast.Slice: _slice, ast.If: _if,
    ast.IfExp: _if_expression, ast.BoolOp: _boolean, ast.For: _loop,
    ast.comprehension: _comprehension, ast.AugAssign: _augmented, ast.Return: _returned,
    ast.Tuple: _tuple,
}  # fmt: skip


def survivors(exercise: str) -> tuple[int, list[Mutant]]:
    """How many mutants an exercise has, and those that its check takes for right."""
    every = mutants(exercise)
    kept = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for mutant in every:
            if getattr(check, exercise)(mutant.answer).kind == "right":
                kept.append(mutant)
    return len(every), kept
