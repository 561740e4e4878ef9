"""A wheel, made from the sdist: in an environment without a clone it gives notebooks, data and the truth.

The environment is a new one that borrows the installed packages, but not the clone that is installed beside
them: only what the wheel brings of gsl_tutorial is there. `make fresh` does the same with nothing borrowed.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tarfile
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import LIMIT_S, TOKEN, lab_environment, until

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow


def run(
    *words: str | Path, cwd: Path, check: bool = True, **more: str
) -> subprocess.CompletedProcess[str]:
    ours = ("PYTHONPATH", "GSL_TUTORIAL_DATA", "PIP_CONSTRAINT")
    environment = {name: text for name, text in os.environ.items() if name not in ours} | more
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not check or done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an sdist of what git knows, and a wheel that was made from it."""
    clone, to = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("built")
    listed = run("git", "ls-files", "-z", "-co", "--exclude-standard", cwd=ROOT, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", to, clone, cwd=to)
    return to


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def commands(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of a new environment into which the wheel is installed."""
    home = tmp_path_factory.mktemp("fresh") / "env"
    venv.create(home, symlinks=True, with_pip=False)
    python = home / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", wheel, cwd=home)
    (own,) = home.glob("lib/python*/site-packages")
    # A path that stands in a .pth file is not searched for further ones, such as that of our clone.
    (own / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"])
    return home / "bin"


def test_the_wheel_holds_notebooks_data_and_settings_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    packed = "gsl_tutorial/course/packed"
    for source in (ROOT / "notebooks" / "src").glob("*.py"):
        assert f"{packed}/notebooks/{source.stem}.ipynb" in names
        assert f"{packed}/notebooks/solutions/{source.stem}.ipynb" in names
    assert f"{packed}/data/cifar10-p2-32bit/card.json" in names
    assert any(
        name.endswith("share/jupyter/lab/settings/overrides.d/gsl-tutorial.json") for name in names
    )
    assert not any("/src/" in name or name.startswith("tests") or ".." in name for name in names)
    assert wheel.stat().st_size < 60e6


def test_the_sdist_holds_what_a_clone_holds(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = ("README.md", "Makefile", "constraints.txt", "binder/start", "notebooks/src/00_start_here.py",
              "tests/test_packaging.py", "docs/training.md", "data/README.md", "LICENSE-TEXT")  # fmt: skip
    assert not [name for name in wanted if name not in names]


def test_an_empty_folder_gets_the_workbook_and_answers_stay(commands: Path, tmp_path: Path) -> None:
    """`gsl-tutorial lab --copy`, up to a JupyterLab that serves chapter 00."""
    work = tmp_path / "work"
    mine = work / "notebooks" / "01_search_by_similarity.ipynb"
    mine.parent.mkdir(parents=True)
    mine.write_text("my answers")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [str(commands / "gsl-tutorial"), "lab", "--copy", "--no-browser", "--port", str(port)],
            cwd=work, env=lab_environment(tmp_path), stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}/api/contents/notebooks/00_start_here.ipynb?token={TOKEN}"

    def served() -> str:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=LIMIT_S) as answer:
                return json.load(answer)["name"]
        except OSError as error:
            raise AssertionError(f"{error}: {log.read_text()}") from error

    try:
        assert until(None, served) == "00_start_here.ipynb"
    finally:
        server.terminate()
        server.wait(LIMIT_S)
    assert mine.read_text() == "my answers"
    assert (work / "notebooks" / "solutions" / "03_product_quantization.ipynb").exists()
    assert (work / "data" / "cifar10-p2-32bit" / "embeddings.safetensors").exists()
    assert not (work / "notebooks" / "src").exists()


def test_without_a_terminal_nothing_is_copied_and_the_way_is_told(
    commands: Path, tmp_path: Path
) -> None:
    done = run(commands / "gsl-tutorial", "lab", "--no-browser", cwd=tmp_path, check=False)
    assert done.returncode == 3
    assert "gsl-tutorial lab --copy" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_tells_the_truth_there(commands: Path, tmp_path: Path) -> None:
    done = run(commands / "gsl-tutorial", "doctor", "--json", cwd=tmp_path, check=False)
    found = {one["topic"]: one for one in json.loads(done.stdout)["findings"]}
    assert found["notebooks"]["text"].startswith("in the package")
    assert found["weights"]["level"] == "ok"
    advice = " ".join(one["todo"] for one in found.values())
    assert "-e ." not in advice
    assert "clone" not in advice


def test_chapters_find_what_we_computed(commands: Path, tmp_path: Path) -> None:
    program = (
        "from gsl_tutorial.course.results.saved_runs import DATA, load_shipped\n"
        "import gsl_tutorial; print(gsl_tutorial.__file__); print(DATA)\n"
        "print(load_shipped('cifar10-p2-32bit').codes.shape)\n"
        "from gsl_tutorial.course.widgets.photo_data import RUN\n"
        "print(RUN.parent == DATA)"
    )
    done = run(commands / "python", "-c", program, cwd=tmp_path)
    package, data, shape, widgets_too = done.stdout.splitlines()
    assert widgets_too == "True"
    assert package.startswith(str(commands.parent))
    assert data.startswith(str(commands.parent))
    assert shape == "(50000, 4)"


@pytest.fixture
def core_only(commands: Path) -> Iterator[Path]:
    """The same environment while typer, which only the course brings, cannot be found."""
    (own,) = commands.parent.glob("lib/python*/site-packages")
    block = own / "typer.py"
    block.write_text("raise ModuleNotFoundError('No module named typer', name='typer')\n")
    yield commands
    block.unlink()


def test_the_command_of_the_core_alone_says_what_it_lacks(core_only: Path, tmp_path: Path) -> None:
    done = run(core_only / "gsl-tutorial", "--help", cwd=tmp_path, check=False)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert 'pip install "gsl-tutorial[course]"' in done.stderr
