"""`gsl-tutorial scale`: what it prints, what it says when something is wrong, and that it goes on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_cases import Run, command_line
from scale_cases import SOURCE, one_index

from gsl_tutorial.course.scale import shards
from gsl_tutorial.course.scale.building import ShardedIndex


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return command_line(monkeypatch, capsys)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", SOURCE.rows(0, SOURCE.n))
    np.save(tmp_path / "q.npy", SOURCE.queries(4))
    return tmp_path


@pytest.mark.parametrize("how", [("--workers", 0), ("--threads",)])
def test_build_go_on_and_search(run: Run, files: Path, how: tuple[object, ...]) -> None:
    folder = files / "index"
    build = ("scale", "build", folder, "--vectors", files / "x.npy", "--subspaces", 2, "--codewords", 8,
             "--shard-size", 1000, "--json", *how)  # fmt: skip
    done = run(*build)
    assert done.status == 0, done.err
    assert json.loads(done.out) == {
        "folder": str(folder), "vectors": 3000, "bits": 6, "shards": 3, "built_now": 3,
    }  # fmt: skip
    shards.card_path(folder, 1).unlink()
    again = run(*build)
    assert again.status == 0, again.err
    assert json.loads(again.out)["built_now"] == 1
    found = run("scale", "search", folder, "--queries", files / "q.npy", "-k", 7, "--json", *how)
    quantizer = ShardedIndex.open(folder).quantizer()
    distances, ids = one_index(quantizer, SOURCE.queries(4), 7)
    answer = json.loads(found.out)
    assert answer["ids"] == ids.tolist()
    assert np.allclose(answer["distances"], distances)
    assert (answer["missing"], answer["searched"]) == ([], 3000)
    told = run("scale", "search", folder, "--queries", files / "q.npy", "-k", 7, *how)
    assert [list(map(int, line.split())) for line in told.out.splitlines()] == ids.tolist()
    run("scale", "search", folder, "--queries", files / "q.npy", "--out", files / "ids.npy", *how)
    assert np.load(files / "ids.npy")[:, :7].tolist() == ids.tolist()


def test_what_is_wrong_is_a_sentence_and_a_status(run: Run, files: Path) -> None:
    folder = files / "index"
    base = ("--workers", 0)
    for arguments, status, words in (
        (("search", folder, "--queries", files / "q.npy"), 3, "no index.json"),
        (("build", folder, "--vectors", files / "none.npy"), 3, "none.npy"),
        (("build", folder, "--n", 0), 2, "n a whole number"),
        (("build", folder, "--n", 5000, "--dim", 9), 2, "divisible by n_subspaces=8"),
        (("bench", "--folder", folder, "--sizes", "1e6"), 2, "whole numbers like 1000,3000"),
    ):
        done = run("scale", *arguments, *(() if arguments[0] == "bench" else base))
        assert done.status == status, done.err
        assert words in done.err
    run("scale", "build", folder, "--n", 2000, "--codewords", 16, "--shard-size", 1000, *base)
    other = run("scale", "build", folder, "--n", 2001, "--shard-size", 1000, *base)
    assert other.status == 4
    assert "choose another folder" in other.err
    wrong = run("scale", "search", folder, "--queries", files / "q.npy", *base)
    assert wrong.status == 2
    assert "queries of shape (n, 32)" in wrong.err


def test_a_scheduler_that_is_not_there_or_lacks_its_files(run: Run, files: Path) -> None:
    done = run(
        "scale",
        "build",
        files / "i",
        "--n",
        3000,
        "--scheduler",
        "tls://127.0.0.1:9",
        "--tls-ca",
        "x",
    )
    assert done.status == 2
    assert "three files for TLS" in done.err
