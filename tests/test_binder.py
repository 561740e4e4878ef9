"""Binder: the same packages as conda's environment, one version of Python, and settings for every Lab."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from jupyterlab_server.settings_utils import _get_overrides
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parent.parent
BINDER = ROOT / "binder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def entries(path: Path) -> list[str]:
    """The lines of an environment file that say something."""
    return [line for line in path.read_text().splitlines() if not line.startswith("#")]


def python_version() -> str:
    (line,) = (one for one in entries(BINDER / "environment.yml") if "- python" in one)
    found = re.fullmatch(r"  - python=(\d+\.\d+)", line)
    assert found, f"repo2docker reads only python=X.Y, and this is {line!r}"
    return found[1]


def test_binder_builds_what_conda_builds_with_one_python() -> None:
    ours = [line for line in entries(ROOT / "environment.yml") if "- -e ." not in line]
    ours = [re.sub(r"^  - python>=.*", f"  - python={python_version()}", line) for line in ours]
    assert entries(BINDER / "environment.yml") == ours
    allowed = SpecifierSet(PROJECT["project"]["requires-python"])
    assert allowed.contains(python_version() + ".1")


def test_repo2docker_builds_on_that_python(tmp_path: Path) -> None:
    tool = os.environ.get("GSL_TUTORIAL_REPO2DOCKER") or shutil.which("repo2docker")
    if tool is None:
        pytest.skip("no repo2docker: pip install jupyter-repo2docker, it needs no Docker here")
    shutil.copytree(BINDER, tmp_path / "binder")
    done = subprocess.run(
        [tool, "--no-build", "--debug", str(tmp_path)], capture_output=True, text=True, check=True
    )
    said = done.stdout + done.stderr
    assert f"environment for python={python_version()}" in said
    assert "unspecified" not in said
    assert 'env update -p ${NB_PYTHON_PREFIX} --file "binder/environment.yml"' in said
    assert "binder/postBuild" in said
    assert "R2D_ENTRYPOINT" in said
    assert "binder/start" in said


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_scripts_can_be_run(name: str) -> None:
    assert os.access(BINDER / name, os.X_OK)
    subprocess.run(["bash", "-n", str(BINDER / name)], check=True)


def test_the_build_leaves_what_a_start_needs(tmp_path: Path) -> None:
    """postBuild, with a `python` that does nothing: JupyterLab then finds our settings and chapter 00."""
    clone, prefix, programs = (tmp_path / name for name in ("clone", "prefix", "programs"))
    programs.mkdir()
    (programs / "python").write_text("#!/bin/sh\n")
    (programs / "python").chmod(0o755)
    settings = ROOT / "gsl_tutorial" / "course" / "cli" / "lab_settings"
    shutil.copytree(settings, clone / settings.relative_to(ROOT))
    subprocess.run(
        [str(BINDER / "postBuild")], cwd=clone, check=True,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "NB_PYTHON_PREFIX": str(prefix)},
    )  # fmt: skip
    read, error = _get_overrides(str(prefix / "share" / "jupyter" / "lab" / "settings"))
    assert not error
    assert read["@jupyter-widgets/jupyterlab-manager:plugin"] == {"saveState": True}
    (config,) = (prefix / "etc" / "jupyter" / "jupyter_server_config.d").glob("*.json")
    (opened,) = re.findall(
        r"/lab/tree/(.*)", json.loads(config.read_text())["ServerApp"]["default_url"]
    )
    assert (ROOT / opened).exists()


@pytest.mark.parametrize(("asked", "threads"), [(None, "{allowed}"), ("7", "7")])
def test_the_start_sets_threads_and_becomes_the_command(asked: str | None, threads: str) -> None:
    from gsl_tutorial.container import processors

    environment = {name: text for name, text in os.environ.items() if name != "OMP_NUM_THREADS"}
    environment |= {"OMP_NUM_THREADS": asked} if asked else {}
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        [str(BINDER / "start"), "bash", "-c", "echo $OMP_NUM_THREADS; exit 3"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == threads.format(allowed=processors()), done.stderr
    assert done.returncode == 3


def test_every_jupyterlab_of_the_environment_saves_widgets() -> None:
    """The settings are files of the distribution, and JupyterLab reads them from where they land."""
    (place,) = (
        (folder, files) for folder, files in PROJECT["tool"]["setuptools"]["data-files"].items()
    )
    assert place[0] == "share/jupyter/lab/settings/overrides.d"
    (file,) = place[1]
    read, error = _get_overrides(str((ROOT / file).parents[1]))
    assert not error
    assert read["@jupyter-widgets/jupyterlab-manager:plugin"] == {"saveState": True}
    assert json.loads((ROOT / file).read_text())["@jupyterlab/apputils-extension:notification"]


@pytest.mark.parametrize("ready", [".ready-course", ".ready"])
def test_make_lays_them_where_jupyter_looks(ready: str, tmp_path: Path) -> None:
    """Its editable install would leave them out."""
    words = ["make", "-n", f"VENV={tmp_path}", f"{tmp_path}/{ready}"]
    environment = {name: text for name, text in os.environ.items() if "MAKE" not in name}
    said = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    (line,) = (one for one in said.stdout.splitlines() if "lab_settings" in one)
    subprocess.run(line, shell=True, cwd=ROOT, check=True)
    read, error = _get_overrides(str(tmp_path / "share/jupyter/lab/settings"))
    assert not error
    assert read["@jupyter-widgets/jupyterlab-manager:plugin"] == {"saveState": True}
