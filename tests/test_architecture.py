"""The rule between rooms, and the house rules that a machine can check."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from rooms import DRAWING, FLOOR, ROOMS, ROOT, drawing, imported, part_of, room_of

import gsl_tutorial

MODULES = sorted(
    path for path in ROOT.rglob("*.py") if not any(part.startswith(".") for part in path.parts)
)
TREES = {path: ast.parse(path.read_text()) for path in MODULES}

each_module = pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(ROOT)).removesuffix(".py")
)


def too_high(tree: ast.AST, room: str) -> list[str]:
    """What a module of this room imports from rooms above it, or beside it."""
    found = []
    for line, name in imported(tree):
        package, _, rest = name.partition(".")
        if package != "gsl_tutorial":
            continue
        # A public name of the package itself: it is where __init__ says it is.
        home = room_of(gsl_tutorial._HOMES.get(rest, name).partition(".")[2])
        if home != room and FLOOR.get(home, len(ROOMS)) >= FLOOR[room]:
            found.append(f"line {line}: {room} imports {home or name}")
    return found


def test_the_drawing_in_the_readme_shows_the_house_as_it_is() -> None:
    assert DRAWING.read_text(encoding="utf-8") == drawing(), "run python tests/rooms.py"


def test_every_module_stands_in_a_room() -> None:
    rooms = {part_of(path) for path in MODULES} - {"__init__", "course.__init__"}
    assert rooms == set(FLOOR), "give the new room its place, or take the old one away"


@each_module
def test_rooms_import_only_what_lies_below(path: Path) -> None:
    if (room := part_of(path)) in FLOOR:
        assert too_high(TREES[path], room) == []


def test_the_package_itself_imports_next_to_nothing_when_it_is_imported() -> None:
    inside = [node for node in TREES[ROOT / "__init__.py"].body if isinstance(node, ast.ImportFrom)]
    modules = {str(node.module) for node in inside}
    ours = {name for name in modules if name.startswith("gsl_tutorial")}
    assert ours == {"gsl_tutorial.container"}  # the standard library only, read before torch is
    for name in gsl_tutorial.__all__:
        assert getattr(gsl_tutorial, name).__module__.startswith(gsl_tutorial._HOMES[name])
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        gsl_tutorial.nonsense  # noqa: B018


@pytest.mark.parametrize(
    ("source", "room", "allowed"),
    [
        ("from gsl_tutorial.course.results.measure import measure", "course.training", False),
        ("import gsl_tutorial.course.cli", "course.press", False),
        ("def f():\n    from gsl_tutorial.course import plots", "course.results", False),
        ("from gsl_tutorial import GradientSnapping", "quantizers", False),
        ("from gsl_tutorial.snapping import Form", "evaluation", False),
        ("importlib.import_module('gsl_tutorial.course.cli.doctor')", "course.plots", False),
        ("if TYPE_CHECKING:\n    from gsl_tutorial.course.toys.plane import World", "quantizers", False),
        ("import gsl_tutorial", "validation", False),
        ("from gsl_tutorial import ProductQuantizer", "snapping", True),
        ("from gsl_tutorial.course.datasets import Split", "course.training", True),
        ("from gsl_tutorial.errors import TutorialError\nimport torch", "quantizers", True),
        ("from gsl_tutorial.course.press import build", "course.cli", True),
    ],
)  # fmt: skip
def test_the_rule_finds_what_it_should(source: str, room: str, allowed: bool) -> None:
    assert (too_high(ast.parse(source), room) == []) is allowed


@each_module
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(TREES[path]), "the idea stands in the first lines"


def undocumented(tree: ast.Module) -> list[str]:
    """Public functions and classes without a docstring.

    Inside a class, methods that torch, autograd or a property names speak for themselves where
    they are one or two statements long.
    """
    found = []
    for node in tree.body:
        # The hooks of a plugin are pytest's, and documented there.
        is_ours = isinstance(node, (ast.FunctionDef, ast.ClassDef))
        if not is_ours or node.name.startswith(("_", "pytest_")):
            continue
        if not ast.get_docstring(node):
            found.append(f"line {node.lineno}: {node.name}")
        if isinstance(node, ast.ClassDef):
            found += [
                f"line {method.lineno}: {node.name}.{method.name}"
                for method in node.body
                if isinstance(method, ast.FunctionDef)
                and not method.name.startswith("_")
                and len(method.body) > 2
                and method.name != "forward"  # the class says what it does
                and not ast.get_docstring(method)
            ]
    return found


@each_module
def test_public_functions_and_classes_are_documented(path: Path) -> None:
    assert undocumented(TREES[path]) == []


@each_module
def test_a_users_input_is_never_asserted(path: Path) -> None:
    lines = [node.lineno for node in ast.walk(TREES[path]) if isinstance(node, ast.Assert)]
    assert lines == [], "raise a typed error: asserts vanish under python -O"


#: What of `numpy.random` needs no global generator.
LOCAL = {"default_rng", "Generator", "SeedSequence", "PCG64", "BitGenerator"}


def global_randomness(tree: ast.AST) -> list[str]:
    """Calls that set or draw from a generator that belongs to everybody."""
    found: list[str] = []

    def visit(node: ast.AST, forked: bool) -> None:
        if isinstance(node, ast.With):
            forked = forked or any("fork_rng" in ast.unparse(item) for item in node.items)
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            seeds_torch = name in ("torch.manual_seed", "torch.seed", "torch.random.manual_seed")
            seeds_torch |= name.startswith(("torch.cuda.manual_seed", "torch.default_generator."))
            of_numpy = name.startswith(("np.random.", "numpy.random."))
            if (
                (seeds_torch and not forked)
                or (of_numpy and name.split("(")[0].split(".")[2] not in LOCAL)
                or name.startswith("random.")
            ):
                found.append(f"line {node.lineno}: {name}")
        for child in ast.iter_child_nodes(node):
            visit(child, forked)

    visit(tree, False)
    return found


@each_module
def test_randomness_is_an_argument_and_never_a_global_seed(path: Path) -> None:
    assert global_randomness(TREES[path]) == []


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("np.random.seed(0)", False),
        ("numpy.random.normal(size=3)", False),
        ("torch.manual_seed(0)", False),
        ("random.shuffle(x)", False),
        ("with open(f):\n    torch.manual_seed(0)", False),
        ("with torch.random.fork_rng(devices=[]):\n    torch.manual_seed(0)", True),
        ("np.random.default_rng(0).normal()", True),
        ("torch.Generator().manual_seed(0)", True),
    ],
)
def test_the_rule_on_randomness_finds_what_it_should(source: str, allowed: bool) -> None:
    assert (global_randomness(ast.parse(source)) == []) is allowed


@each_module
def test_only_cifar10_unpickles(path: Path) -> None:
    names = {name for _, name in imported(TREES[path])}
    roots = {name.split(".")[0] for name in names}
    if path != ROOT / "course" / "datasets" / "cifar10.py":
        assert not roots & {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve"}
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Call):
            call = ast.unparse(node)
            assert not call.startswith("torch.load("), "weights are safetensors"
            assert "allow_pickle=True" not in call


@each_module
def test_only_the_command_line_and_the_checks_print(path: Path) -> None:
    # A check speaks to the student, and printing is what its room is for.
    if part_of(path) in ("course.cli", "course.exercises", "course.printing"):
        return
    calls = [node for node in ast.walk(TREES[path]) if isinstance(node, ast.Call)]
    lines = [node.lineno for node in calls if ast.unparse(node.func) == "print"]
    assert lines == [], "the package is silent; progress is a callback"


@pytest.mark.parametrize(
    "name", ["gsl_tutorial", "gsl_tutorial.course.cli", "gsl_tutorial.course.datasets"]
)
def test_importing_is_quick(name: str) -> None:
    program = f"import sys, {name}; print([m for m in ('torch', 'faiss') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
