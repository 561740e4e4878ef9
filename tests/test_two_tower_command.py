"""`gsl-tutorial two-tower`: what it refuses, and what it prints of finished runs."""

from __future__ import annotations

import pytest
from cli_cases import Run, command_line

from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.two_tower.grid import load_grid
from gsl_tutorial.course.two_tower.study import TwoTowerResults

command = pytest.fixture(command_line)


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
    arguments: list[str], status: int, words: str, command: Run
) -> None:
    left = command("two-tower", *arguments)
    assert left.status == status
    assert words in left.out + left.err


def reported(command: Run, part: str) -> str:
    """What the command prints of a part of the shipped study."""
    left = command("two-tower", "study", "--part", part, "--results", DATA / "results", "--report")
    assert left.status == 0, left.err
    out: str = left.out
    return out


def test_the_command_reports_what_is_shipped(command: Run) -> None:
    out = reported(command, "core")
    assert "core, movielens" in out
    assert "uniform-4x" in out


def test_the_command_reports_codes_by_their_bytes(command: Run) -> None:
    kept = TwoTowerResults(load_grid(), DATA / "results").records("codes", number=1)
    mean = sum(one["codes"]["8"]["recall@10"] for one in kept) / len(kept)
    out = reported(command, "codes")
    below = out.split("method penalty, bytes_per_item 8\n")[1].splitlines()[0]
    assert f"8 bytes {mean:.3f} ±" in below
    assert "16 bytes" not in below
