"""The command line inside a test: how it is called, and a run that it trained within a second."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from gsl_tutorial.course import cli
from gsl_tutorial.course.training.config import PROFILES, Schedule
from gsl_tutorial.course.training.runs import RunFolder

SHORT = Schedule(3, epochs=1, batch_size=64, learning_rate=0.1, label_smoothing=0.0)

Run = Callable[..., SimpleNamespace]


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the profile "quick" of the digits be a matter of a second."""
    monkeypatch.setitem(PROFILES["digits"], "quick", SHORT)


def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs the command line in this process and gives (status, out, err)."""

    def run(*arguments: object) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["gsl-tutorial", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return SimpleNamespace(status=left.value.code, out=out, err=err)

    return run


def trained(out: Path) -> Path:
    """The folder of a finished run, trained by the command line."""
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        patch.setattr(sys, "argv", ["gsl-tutorial", "train", "--out", str(out)])
        with pytest.raises(SystemExit) as left:
            cli.main()
    assert left.value.code == 0
    return out


def weights(folder: Path) -> dict[str, bytes]:
    """The bytes of each array of a run's model, by name."""
    arrays = RunFolder(folder).load_model().arrays()
    return {name: array.tobytes() for name, array in arrays.items()}
