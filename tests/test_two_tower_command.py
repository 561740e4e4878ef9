"""`gsl-tutorial two-tower`: what it refuses, and what it prints of finished runs."""

from __future__ import annotations

import sys

import pytest

from gsl_tutorial import cli
from gsl_tutorial.shipped import DATA
from gsl_tutorial.two_tower.grid import load_grid
from gsl_tutorial.two_tower.study import TwoTowerResults


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["study", "--share", "1"], 2, "a share like 1/2"),
        (["study", "--part", "nonsense"], 2, "core"),
        (["study", "--part", "core", "--results", "nowhere"], 3, "part tune"),
        (["study", "--grid", "nowhere.toml"], 3, "no such file"),
        (["study", "--results", "nowhere", "--report"], 3, "expected finished runs of tune, core"),
        (["--help"], 0, "embed"),
    ],
)
def test_the_command_says_what_is_wrong(
    arguments: list[str],
    status: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["gsl-tutorial", "two-tower", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    out, err = capsys.readouterr()
    assert left.value.code == status
    assert words in out + err


def test_the_command_reports_what_is_shipped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["study", "--part", "core", "--results", str(DATA / "results"), "--report"]
    monkeypatch.setattr(sys, "argv", ["gsl-tutorial", "two-tower", *arguments])
    with pytest.raises(SystemExit):
        cli.main()
    out = capsys.readouterr().out
    assert "core, movielens" in out
    assert "uniform-4x" in out


def test_the_command_reports_codes_by_their_bytes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["study", "--part", "codes", "--results", str(DATA / "results"), "--report"]
    monkeypatch.setattr(sys, "argv", ["gsl-tutorial", "two-tower", *arguments])
    with pytest.raises(SystemExit):
        cli.main()
    out = capsys.readouterr().out
    kept = TwoTowerResults(load_grid(), DATA / "results").records("codes", number=1)
    mean = sum(one["codes"]["8"]["recall@10"] for one in kept) / len(kept)
    below = out.split("method penalty, bytes_per_item 8\n")[1].splitlines()[0]
    assert f"8 bytes {mean:.3f} ±" in below
    assert "16 bytes" not in below
