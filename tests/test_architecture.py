"""The floors of the package and the house rules that a machine can check."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gsl_tutorial

ROOT = Path(gsl_tutorial.__file__).parent

#: Lower floors never import higher ones (DESIGN section 3). A name stands for a module or a folder.
FLOORS = {
    **dict.fromkeys(("errors", "validation", "storage", "progress", "sealed"), 0),
    **dict.fromkeys(("quantizers",), 1),
    **dict.fromkeys(("snapping", "snapping_numpy", "losses", "methods", "bias", "plane"), 2),
    **dict.fromkeys(("codebook_state", "loss_scale", "snapping_compiled"), 2),
    **dict.fromkeys(("plane_losses", "plane_methods"), 2),
    **dict.fromkeys(
        ("distances", "ties", "ranking", "compiled", "evaluation", "cutoffs", "bootstrap"), 2
    ),
    **dict.fromkeys(("clustering", "neighbours", "plane_codes"), 2),
    **dict.fromkeys(("datasets", "encoders", "averaging"), 3),
    **dict.fromkeys(
        (
            "config",
            "optimizing",
            "runs",
            "training",
            "search",
            "retrieval",
            "pipeline",
            "shipped",
            "two_tower",
        ),
        4,
    ),
    **dict.fromkeys(("labels", "audit", "comparisons", "outside", "study", "optimizing"), 4),
    **dict.fromkeys(("turns", "reproducing", "checklist"), 4),
    **dict.fromkeys(("trivial",), 2),
    **dict.fromkeys(("lookups", "published", "results"), 4),
    **dict.fromkeys(("plots", "widgets", "checks"), 5),
    **dict.fromkeys(("press", "doctor", "lab", "cli"), 6),
}
#: Names of the table that may still be to come.
TO_COME: set[str] = set()

MODULES = sorted(
    path for path in ROOT.rglob("*.py") if not any(part.startswith(".") for part in path.parts)
)
TREES = {path: ast.parse(path.read_text()) for path in MODULES}
LONGEST = 260

each_module = pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(ROOT)).removesuffix(".py")
)


def part_of(path: Path) -> str:
    """The name in `FLOORS` that a file belongs to: "quantizers" for quantizers/base.py."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every import of the package, wherever it stands: (line, dotted name)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative imports hide the floor"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) in ("import_module", "importlib.import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.lineno, str(node.args[0].value)


def too_high(tree: ast.AST, part: str) -> list[str]:
    """What a module of this part imports from floors above it."""
    found = []
    for line, name in imported(tree):
        package, _, rest = name.partition(".")
        home = rest.partition(".")[0]
        if package != "gsl_tutorial" or home == part:
            continue
        if not rest or home not in FLOORS:
            # A public name of the package itself: it is where __init__ says it is.
            home = gsl_tutorial._HOMES.get(home, "gsl_tutorial.cli").split(".")[1]
        if FLOORS[home] > FLOORS[part]:
            found.append(f"line {line}: {part} ({FLOORS[part]}) imports {home} ({FLOORS[home]})")
    return found


def test_every_module_has_a_floor() -> None:
    parts = {part_of(path) for path in MODULES} - {"__init__"}
    assert parts - set(FLOORS) == set(), "give the new module a floor"
    assert set(FLOORS) - parts <= TO_COME, "a module is gone"


@each_module
def test_lower_floors_never_import_higher_ones(path: Path) -> None:
    if part_of(path) != "__init__":
        assert too_high(TREES[path], part_of(path)) == []


def test_the_package_itself_imports_nothing_when_it_is_imported() -> None:
    inside = [node for node in TREES[ROOT / "__init__.py"].body if isinstance(node, ast.ImportFrom)]
    modules = {str(node.module) for node in inside}
    assert not any(name.startswith("gsl_tutorial") for name in modules)
    for name in gsl_tutorial.__all__:
        assert getattr(gsl_tutorial, name).__module__.startswith(gsl_tutorial._HOMES[name])
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        gsl_tutorial.nonsense  # noqa: B018


@pytest.mark.parametrize(
    ("source", "part", "allowed"),
    [
        ("from gsl_tutorial.runs import RunFolder", "encoders", False),
        ("import gsl_tutorial.cli", "pipeline", False),
        ("def f():\n    from gsl_tutorial import plots", "retrieval", False),
        ("from gsl_tutorial import GradientSnapping", "quantizers", False),
        ("import importlib\nimportlib.import_module('gsl_tutorial.doctor')", "plots", False),
        ("if TYPE_CHECKING:\n    from gsl_tutorial.training import train", "losses", False),
        ("from gsl_tutorial import ProductQuantizer", "losses", True),
        ("from gsl_tutorial.runs import RunFolder", "training", True),
        ("from gsl_tutorial.errors import TutorialError\nimport torch", "quantizers", True),
        ("from gsl_tutorial.press import build", "cli", True),
    ],
)
def test_the_rule_finds_what_it_should(source: str, part: str, allowed: bool) -> None:
    assert (too_high(ast.parse(source), part) == []) is allowed


@each_module
def test_every_module_says_what_it_is_for_and_stays_short(path: Path) -> None:
    assert ast.get_docstring(TREES[path]), "the idea stands in the first lines"
    n_lines = len(path.read_text().splitlines())
    assert n_lines <= LONGEST, f"{n_lines} lines: one file, one idea"


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
    if path != ROOT / "datasets" / "cifar10.py":
        assert not roots & {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve"}
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Call):
            call = ast.unparse(node)
            assert not call.startswith("torch.load("), "weights are safetensors"
            assert "allow_pickle=True" not in call


@each_module
def test_only_the_command_line_and_the_checks_print(path: Path) -> None:
    if part_of(path) in ("cli", "checks"):  # a check speaks to the student
        return
    calls = [node for node in ast.walk(TREES[path]) if isinstance(node, ast.Call)]
    lines = [node.lineno for node in calls if ast.unparse(node.func) == "print"]
    assert lines == [], "the package is silent; progress is a callback"


@pytest.mark.parametrize("name", ["gsl_tutorial", "gsl_tutorial.cli", "gsl_tutorial.datasets"])
def test_importing_is_quick(name: str) -> None:
    program = f"import sys, {name}; print([m for m in ('torch', 'faiss') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
