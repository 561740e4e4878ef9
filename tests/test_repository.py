"""The repository as a newcomer finds it: versions agree, promises in the README hold."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from benchmarks import costs_page

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# The names under which conda-forge keeps what PyPI calls otherwise.
CONDA_NAMES = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base", "dask": "dask-core"}


def _pins() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    rows = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name.lower().replace("_", "-"): Version(version) for name, version in rows}


def _conda() -> dict[str, Requirement]:
    lines = (ROOT / "environment.yml").read_text().splitlines()
    items = [line.strip().removeprefix("- ") for line in lines if line.strip().startswith("- ")]
    wanted = [item for item in items if re.match(r"[a-z].*>=", item)]
    return {(one := Requirement(item)).name: one for item in wanted}


CORE = [Requirement(text) for text in PROJECT["dependencies"]]
EXTRAS = {
    name: [Requirement(text) for text in wanted]
    for name, wanted in PROJECT["optional-dependencies"].items()
}
#: What opening the workbook takes, and what conda and Binder install.
RUNTIME = CORE + EXTRAS["course"] + EXTRAS["scale"]
TESTING = [
    one for name, extra in EXTRAS.items() if name not in ("course", "scale") for one in extra
]
#: The extras that a room of the package may import from.
ALLOWED = {"course.press": ("course", "authors", "test"), "course.two_tower": ("course", "lm"),
           "course.results": ("course", "hdf5"), "course.scale": ("course", "scale")}  # fmt: skip
#: Distributions that are imported under another name.
IMPORTED_AS = {
    "faiss-cpu": "faiss", "fonttools": "fontTools", "ipython": "IPython", "markdown-it-py": "markdown_it",
    "pillow": "PIL", "scikit-learn": "sklearn",
}  # fmt: skip


@pytest.mark.parametrize("wanted", RUNTIME + TESTING, ids=lambda one: one.name)
def test_known_good_versions_satisfy_the_project(wanted: Requirement) -> None:
    pins = _pins()
    assert wanted.name in pins, f"add {wanted.name} to constraints.txt"
    assert wanted.specifier.contains(pins[wanted.name])


@pytest.mark.parametrize("wanted", RUNTIME, ids=lambda one: one.name)
def test_conda_environment_asks_for_the_same(wanted: Requirement) -> None:
    name = CONDA_NAMES.get(wanted.name, wanted.name)
    assert name in _conda(), f"add {name} to environment.yml"
    assert _conda()[name].specifier == wanted.specifier


def test_conda_environment_asks_for_nothing_else() -> None:
    ours = {CONDA_NAMES.get(one.name, one.name) for one in RUNTIME}
    assert set(_conda()) - {"python"} == ours
    assert (
        _conda()["python"].specifier == Requirement("python" + PROJECT["requires-python"]).specifier
    )


def test_everything_that_is_imported_is_declared() -> None:
    """The core imports its own dependencies only, the course those of its extras."""

    def names(wanted: list[Requirement]) -> set[str]:
        return {IMPORTED_AS.get(one.name, one.name).replace("-", "_") for one in wanted}

    for path in (ROOT / "gsl_tutorial").rglob("*.py"):
        parts = path.relative_to(ROOT / "gsl_tutorial").parts
        extras = ALLOWED.get(".".join(parts[:2]), ("course",)) if parts[0] == "course" else ()
        known = names(CORE).union(*(names(EXTRAS[extra]) for extra in extras))
        tops: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                tops |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                tops.add(str(node.module).partition(".")[0])
        foreign = tops - sys.stdlib_module_names - {"gsl_tutorial"}
        assert foreign <= known, f"{path.name}: declare {sorted(foreign - known)}"


def test_torch_is_pinned_without_a_local_version() -> None:
    text = (ROOT / "constraints.txt").read_text()
    assert "\ntorch==2.13.0\n" in text
    assert "+cpu" not in text


def test_installed_versions_are_the_known_good_ones() -> None:
    from importlib.metadata import PackageNotFoundError, version

    if os.environ.get("GSL_TUTORIAL_NEWEST"):
        pytest.skip("this run tries the newest versions")
    for name, pinned in _pins().items():
        try:
            found = Version(version(name))
        except PackageNotFoundError:
            continue
        assert found.public == pinned.public, name


def test_version_is_said_once() -> None:
    import gsl_tutorial

    assert gsl_tutorial.__version__ == PROJECT["version"]
    assert f"version: {PROJECT['version']}" in (ROOT / "CITATION.cff").read_text()


def test_the_changelog_tells_of_this_version() -> None:
    notes = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (\S+)", notes, flags=re.M)
    assert versions[0] == "Unreleased"
    assert PROJECT["version"] in versions
    numbers = [Version(one) for one in versions[1:]]
    assert numbers == sorted(numbers, reverse=True)


def test_one_address_is_filled_in_everywhere() -> None:
    """`make address REPOSITORY=owner/name` writes it; the site reads it from pyproject.toml."""
    lines = (ROOT / "pyproject.toml").read_text()
    repository = tomllib.loads(lines)["tool"]["gsl-tutorial"]["repository"]
    launch = f"https://mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab/tree/notebooks/00_start_here.ipynb"
    readme = (ROOT / "README.md").read_text()
    assert launch in readme
    for found in re.findall(
        r"(?:mybinder\.org/v2/gh|colab\.research\.google\.com/github)/([\w.-]+/[\w.-]+)", readme
    ):
        assert found == repository


def test_hosted_ci_calls_our_own_script_on_every_python_that_we_allow() -> None:
    import yaml

    workflows = ROOT / ".github" / "workflows"
    check = yaml.safe_load((workflows / "check.yml").read_text())
    (job,) = check["jobs"].values()
    pythons = [Version(one) for one in job["strategy"]["matrix"]["python"]]
    allowed = Requirement("python" + PROJECT["requires-python"]).specifier
    assert pythons == [Version(f"3.{n}") for n in range(20) if allowed.contains(f"3.{n}.1")]
    for file in workflows.glob("*.yml"):
        read = yaml.safe_load(file.read_text())
        steps = [step for job in read["jobs"].values() for step in job["steps"]]
        assert any(".ci/run" in step.get("run", "") for step in steps), file.name
        assert read["permissions"] == {"contents": "read"}
    weekly = yaml.safe_load((workflows / "newest.yml").read_text())
    assert weekly[True]["schedule"]  # "on" is a truth value in YAML


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def test_nothing_foreign_or_large_is_committed() -> None:
    for path in _tracked():
        assert path.stat().st_size < 8e6, path
        assert not re.search(r"data_batch|test_batch|cifar-10-.*tar|ratings\.", path.name), path


def test_top_level_holds_only_what_the_readme_or_a_tool_names() -> None:
    tops = {path.relative_to(ROOT).parts[0] for path in _tracked()}
    known = {
        "notebooks", "gsl_tutorial", "data", "docs", "tests", "benchmarks", "environment.yml", "README.md",
        "pyproject.toml", "constraints.txt", "Makefile", "LICENSE", "LICENSE-TEXT", "CITATION.cff",
        "CONTRIBUTING.md", "INSTRUCTORS.md", ".gitignore", ".pre-commit-config.yaml", ".ci",
        "binder", "setup.py", "MANIFEST.in", ".github", "CHANGELOG.md", "SECURITY.md",
    }  # fmt: skip
    assert tops <= known, tops - known


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "data/README.md", "CHANGELOG.md", "SECURITY.md"]
)
def test_links_inside_the_repository_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / page).parent / target).exists(), target


def test_chapters_link_to_chapters_that_exist() -> None:
    for source in (ROOT / "notebooks" / "src").glob("*.py"):
        for target in re.findall(r"\]\(([^)#:]+\.ipynb)\)", source.read_text()):
            assert (ROOT / "notebooks" / target).exists(), f"{source.name} -> {target}"


def test_readme_names_every_chapter_and_every_command() -> None:
    readme = (ROOT / "README.md").read_text()
    for source in (ROOT / "notebooks" / "src").glob("*.py"):
        assert f"notebooks/{source.stem}.ipynb" in readme, source.stem
    helped = subprocess.run(
        [sys.executable, "-c", "from gsl_tutorial.course.cli import main; main()", "--help"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for command in re.findall(r"gsl-tutorial ([a-z]+)", readme):
        assert command in helped, command


def test_readme_gives_the_minutes_that_each_chapter_gives() -> None:
    readme = (ROOT / "README.md").read_text()
    for source in (ROOT / "notebooks" / "src").glob("*.py"):
        (told,) = re.findall(
            rf"notebooks/{source.stem}\.ipynb\) \|.*\| (\d+) \|$", readme, flags=re.M
        )
        own = re.findall(r"[Aa]bout (\d+)[\s#]+minutes", source.read_text())[0]
        assert told == own, source.stem


def test_the_page_of_costs_says_what_was_measured() -> None:
    assert costs_page.PAGE.read_text("utf-8") == costs_page.page()
    chapters = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert set(costs_page.read("one_core")["notebooks"]) == chapters
    (row,) = re.findall(r"^\| Python 3\.12.*$", (ROOT / "README.md").read_text(), flags=re.M)
    for one in costs_page.read("pythons")["runs"]:
        assert one["python"] in row
        assert f"{one['passed']:,}" in row


def test_readme_example_runs() -> None:
    import torch

    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.S)
    z = torch.randn(300, 16)
    names = {
        "embeddings": z.numpy(),
        "new_embeddings": z.numpy(),
        "encoder": lambda images: images,
        "images": z.clone().requires_grad_(),
        "labels": z,
        "similarity_loss": lambda a, b: (a * b).sum(),
    }
    exec(code, names)
    names["loss"].backward()
    assert names["images"].grad.shape == z.shape


def test_makefile_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for page in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"make ([a-z]+)", (ROOT / page).read_text()):
            assert f"\n{target}:" in makefile, target
