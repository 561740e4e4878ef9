"""The exit statuses of the command line, each with what it says: 1 to 6, and 130."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cli_cases import Run, command_line, shorten, trained, weights

from gsl_tutorial.course import cli, datasets, press
from gsl_tutorial.course.cli import doctor
from gsl_tutorial.course.datasets.cifar10_files import FILES, FOLDER
from gsl_tutorial.course.results import evaluate_run
from gsl_tutorial.course.training import train_run
from gsl_tutorial.errors import DownloadError


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return command_line(monkeypatch, capsys)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("runs") / "first")


def test_status_1_something_is_wrong(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report = SimpleNamespace(ok=False, as_dict=lambda: {"ok": False})
    monkeypatch.setattr(doctor, "examine", lambda: report)
    monkeypatch.setattr(doctor, "render", lambda _: "not ready")
    assert vars(run("doctor")) == {"status": 1, "out": "not ready\n", "err": ""}
    assert json.loads(run("doctor", "--json").out) == {"ok": False}
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    stale = SimpleNamespace(chapter="03_product", variant="student", built=False)
    monkeypatch.setattr(press, "build", lambda *_, **__: [stale])
    told = run("build", "--check")
    assert told.status == 1
    assert "03_product" in told.out
    assert "stale" in told.out
    monkeypatch.setattr(press, "build", lambda *_, **__: [])
    assert run("build", "--check").status == 0


@pytest.mark.parametrize(
    ("options", "phrase"),
    [
        (["--bits", 7], "choose bits among 8, 16, 32, 64"),
        (["--method", "steer"], "a method out of halfway, none, penalty"),
        (["--loss", "hinge"], "a loss out of cross-entropy, supervised-contrastive, triplet"),
        (["--dataset", "mnist"], "a dataset out of cifar10, cifar100, digits"),
        (["--protocol", "P2"], "a protocol of the data set digits: one of digits, validation"),
        (["--profile", "slow"], "a profile out of quick"),
        (["--quantizer", "ivf"], "a quantizer out of lsq, opq, pq, rq"),
        (["--seed", -1], "seed a whole number"),
        (["--seed", 99999999999999999999], "seed a whole number, from 0 to 4294967295"),
        (["--strength", "nan"], "strength 0 or more, finite; got nan"),
        (["--strength", -1], "strength 0 or more, finite; got -1.0"),
    ],
)
def test_status_2_wrong_arguments(
    options: list[object], phrase: str, run: Run, tmp_path: Path
) -> None:
    told = run("train", "--out", tmp_path / "r", *options)
    assert told.status == 2
    assert told.err.startswith("gsl-tutorial: expected ")
    assert phrase in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""
    assert not (tmp_path / "r").exists()


def test_status_3_data_missing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATA", "CACHE"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"GSL_TUTORIAL_{name}", str(tmp_path / name))
    told = run("train", "--dataset", "cifar10", "--out", tmp_path / "r")
    assert told.status == 3
    for phrase in (
        str(tmp_path / "DATA"),
        str(tmp_path / "CACHE"),
        "gsl-tutorial fetch",
        "missing",
    ):
        assert phrase in told.err
    assert not (tmp_path / "r").exists(), "no half-made run"
    told = run("evaluate", tmp_path / "nothing")
    assert told.status == 3
    assert "no such folder" in told.err
    assert "gsl-tutorial train --out" in told.err
    monkeypatch.chdir(tmp_path)
    told = run("build")
    assert told.status == 3
    assert "no notebooks/src" in told.err


def test_status_3_data_damaged(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GSL_TUTORIAL_DATA", str(tmp_path))
    (tmp_path / FOLDER).mkdir()
    for name, official in FILES.items():  # right sizes (sparse files), wrong bytes
        with (tmp_path / FOLDER / name).open("wb") as file:
            file.truncate(official.n_bytes)
    told = run("train", "--dataset", "cifar10", "--out", tmp_path / "r")
    assert told.status == 3
    assert "MD5" in told.err
    assert "nothing was unpickled" in told.err


def test_status_3_no_mirror(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(**_: Any) -> Path:
        raise DownloadError("a mirror that answers", "no network", "copy the folder")

    def found(
        *, progress: Callable[[int, int], None], notice: Callable[[str], None], **_: object
    ) -> Path:
        progress(5, 10)
        notice("trying another mirror")
        return tmp_path

    monkeypatch.setattr(datasets, "fetch_cifar10", fail)
    told = run("fetch")
    assert (told.status, told.out) == (3, "")
    assert "a mirror that answers" in told.err
    monkeypatch.setattr(datasets, "fetch_cifar10", found)
    told = run("fetch", "--json")
    assert told.status == 0
    assert json.loads(told.out) == {"cifar10": str(tmp_path)}
    assert "trying another mirror" in told.err


def test_status_4_another_run_in_the_folder(
    run: Run, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Said before minutes are spent on reading the images.
    monkeypatch.setattr(train_run, "load_data", lambda *_, **__: pytest.fail("read the data"))
    before = weights(finished)
    told = run("train", "--out", finished)
    assert (told.status, told.out) == (4, "")
    assert "--resume" in told.err
    told = run("train", "--out", finished, "--seed", 3, "--resume")
    assert told.status == 4
    assert "seed=0 instead of 3" in told.err
    assert weights(finished) == before


def test_status_5_cannot_write(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    told = run("train", "--out", tmp_path / "file" / "run")
    assert (told.status, told.out) == (5, "")
    assert "choose another folder" in told.err
    assert "Not a directory" in told.err


@pytest.mark.parametrize("method", ["penalty", "snap"])
def test_status_6_diverged(method: str, run: Run, tmp_path: Path) -> None:
    told = run("train", "--out", tmp_path, "--method", method, "--strength", 1e38)
    assert (told.status, told.out) == (6, "")
    assert "lower the strength or the learning rate" in told.err


@pytest.mark.parametrize("command", ["train", "evaluate", "doctor"])
def test_status_130_interrupted(
    command: str, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, finished: Path
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train_run, "train_run", interrupt)
    monkeypatch.setattr(evaluate_run, "evaluate_model", interrupt)
    monkeypatch.setattr(doctor, "examine", interrupt)
    arguments = {"train": ["--out", tmp_path], "evaluate": [finished], "doctor": []}
    told = run(command, *arguments[command])
    assert (told.status, told.out) == (130, "")
    assert "Interrupted." in told.err
    assert "Traceback" not in told.err
    assert ("--resume" in told.err) is (command == "train")


def test_a_fault_of_ours_shows_its_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(doctor, "examine", broken)
    monkeypatch.setattr(sys, "argv", ["gsl-tutorial", "doctor"])
    with pytest.raises(ZeroDivisionError):
        cli.main()
