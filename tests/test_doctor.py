"""The doctor: what it says when something is short, missing or broken."""

from __future__ import annotations

import builtins
import hashlib
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from gsl_tutorial.course.cli import doctor
from gsl_tutorial.course.cli.doctor import Finding, Report, examine, render
from gsl_tutorial.course.cli.openmp import Meeting, Runtime
from gsl_tutorial.course.datasets import cifar10_files as files
from gsl_tutorial.course.datasets.cifar10_files import FOLDER


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # It starts a process that imports torch; test_openmp lets it.
    monkeypatch.setattr(doctor.openmp, "meet", lambda: Meeting((Runtime("libgomp", "torch"),)))
    monkeypatch.delenv("GSL_TUTORIAL_DATA", raising=False)
    monkeypatch.setenv("GSL_TUTORIAL_CACHE", str(tmp_path / "cache"))


def about(report: Report, topic: str) -> Finding:
    return next(finding for finding in report.findings if finding.topic == topic)


def test_this_machine_can_be_examined_without_leaving_a_trace(tmp_path: Path) -> None:
    report = examine()
    topics = {finding.topic for finding in report.findings}
    assert {"python", "numpy", "torch", "cores", "memory", "disk", "gpu", "CIFAR-10"} <= topics
    assert all(finding.todo for finding in report.findings if finding.level != "ok")
    assert not (tmp_path / "cache").exists()
    assert json.loads(json.dumps(report.as_dict()))["ok"] is report.ok


def test_missing_images_are_a_note_and_not_a_problem() -> None:
    finding = about(examine(), "CIFAR-10")
    assert finding.level == "note"
    assert "gsl-tutorial fetch" in finding.todo


def test_half_a_folder_and_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "data_batch_1").write_bytes(b"cut")
    finding = about(examine(data=tmp_path), "CIFAR-10")
    assert finding.level == "note"
    assert "incomplete" in finding.text
    table = {"data_batch_1": files.OfficialFile(hashlib.md5(b"cut").hexdigest(), 3)}
    monkeypatch.setattr(files, "FILES", table)
    assert about(examine(data=tmp_path), "CIFAR-10") == Finding(
        "ok", "CIFAR-10", f"complete: {folder}, every byte as published"
    )


def test_one_changed_byte_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "data_batch_1").write_bytes(b"cuT")
    table = {"data_batch_1": files.OfficialFile(hashlib.md5(b"cut").hexdigest(), 3)}
    monkeypatch.setattr(files, "FILES", table)
    report = examine(data=tmp_path)
    assert not report.ok
    assert "data_batch_1" in about(report, "CIFAR-10").text
    assert "gsl-tutorial fetch" in about(report, "CIFAR-10").todo


@pytest.mark.parametrize(
    ("card", "changed"),
    [
        ({"sha256": {"a.safetensors": hashlib.sha256(b"right").hexdigest()}}, ""),
        ({"sha256": {"a.safetensors": hashlib.sha256(b"wrong").hexdigest()}}, "a.safetensors"),
        ({"sha256": {"b.safetensors": "0"}}, "b.safetensors"),
        ({"sha256": 3}, "card.json"),
        ([], "card.json"),
    ],
)
def test_shipped_weights_are_compared_with_their_card(
    tmp_path: Path, card: object, changed: str
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a.safetensors").write_bytes(b"right")
    (tmp_path / "run" / "card.json").write_text(json.dumps(card))
    report = examine(shipped=tmp_path)
    finding = about(report, "weights")
    assert (finding.level == "problem") is bool(changed)
    assert changed in finding.text


def test_a_missing_and_an_old_package(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "pooch":
            raise metadata.PackageNotFoundError(name)
        return {"numpy": "1.26.4"}.get(name) or real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    report = examine()
    assert about(report, "pooch").level == "problem"
    assert about(report, "pooch").todo == "pip install 'pooch>=1.8'"
    assert about(report, "numpy").level == "note"
    assert "1.26.4" in about(report, "numpy").text
    assert not report.ok
    assert render(report).endswith("Not ready: 1 problem to solve first.")
    monkeypatch.setattr(doctor, "find_spec", lambda name: object())
    assert about(examine(), "pooch").level == "ok"  # conda names it otherwise


def test_a_torch_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def broken(name: str, *args: object, **more: object) -> object:
        if name == "torch":
            raise OSError("libtorch.so: cannot open shared object file\nsecond line")
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", broken)
    report = examine()
    findings = [f for f in report.findings if f.topic == "torch"]
    assert findings[-1].text.endswith("OSError: libtorch.so: cannot open shared object file")
    assert not report.ok


def test_more_threads_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.container, "processors", lambda: 0)
    assert about(examine(), "threads").todo == "set OMP_NUM_THREADS=0"


def test_two_openmp_runtimes_of_one_family(monkeypatch: pytest.MonkeyPatch) -> None:
    assert about(examine(), "openmp") == Finding("ok", "openmp", "libgomp (torch)")
    both = (Runtime("libomp", "torch"), Runtime("libiomp5", "faiss_cpu"))
    monkeypatch.setattr(doctor.openmp, "meet", lambda: Meeting(both))
    assert about(examine(), "openmp").level == "note"
    assert "openmp" not in {finding.topic for finding in examine(together=False).findings}
    monkeypatch.setattr(doctor.openmp, "meet", lambda: Meeting(both, end="died: signal 6"))
    report = examine()
    assert not report.ok
    assert "libomp (torch), libiomp5 (faiss_cpu)" in render(report)


def test_short_of_memory_and_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.container, "memory_limit", lambda: 10**9)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: SimpleNamespace(free=10**8))
    report = examine()
    assert about(report, "memory").level == "note"
    assert "of 1.0 GB" in about(report, "memory").text
    assert about(report, "disk").level == "note"
    assert report.ok


def test_shipped_weights_are_listed(tmp_path: Path) -> None:
    assert about(examine(shipped=tmp_path / "absent"), "weights").level == "note"
    (tmp_path / "small.safetensors").write_bytes(bytes(250_000))
    finding = about(examine(shipped=tmp_path), "weights")
    assert finding == Finding("ok", "weights", "small.safetensors, 0.25 MB")


def test_a_folder_of_many_weights_is_one_line(tmp_path: Path) -> None:
    for name in ("run/a.safetensors", "results/x/a.safetensors", "results/y/b.safetensors"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(bytes(250_000))
    found = [one.text for one in examine(shipped=tmp_path).findings if one.topic == "weights"]
    assert found == ["results, 0.50 MB (2 files)", "run, 0.25 MB"]


def test_missing_ratings_are_no_obstacle(tmp_path: Path) -> None:
    assert about(examine(data=tmp_path), "MovieLens").level == "ok"
    (tmp_path / "ml-latest-small").mkdir()
    for name in ("ratings.csv", "movies.csv"):
        (tmp_path / "ml-latest-small" / name).write_text("")
    assert about(examine(data=tmp_path), "MovieLens").text.endswith("ml-latest-small")


def test_importing_the_doctor_is_quick() -> None:
    code = "import sys, gsl_tutorial.course.cli.doctor; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
