"""How JupyterLab is started: loopback only, token kept, a busy port told."""

import socket
from pathlib import Path

import pytest

from gsl_tutorial.course.cli import lab
from gsl_tutorial.errors import DataMissingError, InvalidInputError

ROOT = Path(__file__).resolve().parent.parent


def test_it_listens_here_only_and_keeps_its_token() -> None:
    words = " ".join(lab.command(ROOT, browser=False, port=None))
    assert "--ServerApp.ip=127.0.0.1" in words
    assert "token" not in words.lower()
    assert "password" not in words.lower()
    assert "/lab/tree/notebooks/00_start_here.ipynb" in words
    assert "--no-browser" in words
    assert "--no-browser" not in lab.command(ROOT, browser=True, port=None)


def test_a_busy_port_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert not lab.is_free(port)
        with pytest.raises(InvalidInputError, match=f"free port; got {port}.*leave --port out"):
            lab.command(ROOT, browser=False, port=port)
    assert f"--ServerApp.port={port}" in lab.command(ROOT, browser=False, port=port)


def test_a_foreign_folder_falls_back_to_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert lab.workbook_root() == ROOT
    monkeypatch.setattr(lab, "shipped_workbook", lambda: None)
    with pytest.raises(DataMissingError, match="gsl-tutorial lab --copy"):
        lab.workbook_root()


def test_a_relative_data_folder_keeps_its_meaning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(lab.os, "execv", lambda program, words: started.append(words))
    monkeypatch.setattr(lab.subprocess, "call", lambda words: 0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GSL_TUTORIAL_DATA", "shared/data")
    lab.start(browser=False)
    assert lab.os.environ["GSL_TUTORIAL_DATA"] == str(tmp_path / "shared" / "data")
    assert len(started) == 1
