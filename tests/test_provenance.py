"""What a record says of its making is true and names no folder of anybody's machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gsl_tutorial.course.training.provenance import provenance

DATA = Path(__file__).parents[1] / "data"


def test_of_an_absolute_path_only_its_name_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "results"
    arguments = [
        "study",
        "map",
        "--results",
        str(folder),
        f"--out={folder}",
        "--share",
        "1/2",
        "a/b",
    ]
    monkeypatch.setattr("sys.argv", ["gsl-tutorial", *arguments])
    assert provenance("abc")["command"] == (
        "gsl-tutorial study map --results results --out=results --share 1/2 a/b"
    )
    assert provenance("abc")["commit"] == "abc"


def test_no_record_that_we_ship_names_an_absolute_path() -> None:
    records = sorted(DATA.rglob("*.json"))
    assert records
    named = [
        path.relative_to(DATA).as_posix()
        for path in records
        if re.search(r'"command": "[^"]*[ =]/', path.read_text(encoding="utf-8"))
    ]
    assert named == [], "write the command as anybody can type it"
