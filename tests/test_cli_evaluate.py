"""`gsl-tutorial evaluate` on files of one's own, and `gsl-tutorial split`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gsl_tutorial.course import cli
from gsl_tutorial.course.datasets import load_digits
from gsl_tutorial.evaluation import average_precisions
from gsl_tutorial.quantizers import ProductQuantizer

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_(*arguments: object) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["gsl-tutorial", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return SimpleNamespace(status=left.value.code, out=out, err=err)

    return run_


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """The digits as somebody's own files, in the working folder."""
    monkeypatch.chdir(tmp_path)
    data = load_digits(random_state=0)
    pq = ProductQuantizer(4, 16, random_state=0).fit(data.database.x)
    arrays = {
        "Z": data.query.x, "X": data.database.x, "C": pq.codebooks_,
        "Q": pq.encode(data.query.x), "D": pq.encode(data.database.x),
        "QL": data.query.labels, "DL": data.database.labels,
    }  # fmt: skip
    for name, array in arrays.items():
        np.save(f"{name}.npy", array)
    return arrays


LABELS = ("--labels", "QL.npy", "DL.npy", "--protocol", "digits")
CODES = ("evaluate", "--codes", "Q.npy", "D.npy")


def test_codes(run: Run, files: dict[str, np.ndarray]) -> None:
    told = run(*CODES, *LABELS, "--json", "--radius", 1, "--k", 10, "--per-query", "ap.npy")
    assert told.status == 0
    values = json.loads(told.out)
    expected = average_precisions(
        (files["Q"][:, None] != files["D"]).sum(axis=2), files["QL"], files["DL"]
    )
    np.testing.assert_allclose(np.load("ap.npy"), expected)
    assert values["value"] == pytest.approx(expected.mean())
    assert {"precision@10", "recall@10", "precision_within_1", "warnings"} <= set(values)
    assert "warning, ties" in told.err
    text = run(*CODES, *LABELS)
    assert text.out.startswith("protocol ")
    assert "warning" not in text.out


def test_tables_and_vectors(run: Run, files: dict[str, np.ndarray]) -> None:
    adc = run(*CODES, "--codebooks", "C.npy", "--queries", "Z.npy", *LABELS, "--json")
    exact = run("evaluate", "--vectors", "Z.npy", "X.npy", *LABELS, "--json")
    symmetric = run(*CODES, *LABELS, "--json")
    a, e, s = (json.loads(told.out)["value"] for told in (adc, exact, symmetric))
    assert s < a
    assert s < e
    assert json.loads(adc.out)["search"].startswith("ADC")


def test_split_and_back(run: Run, files: dict[str, np.ndarray]) -> None:
    told = run("split", "--protocol", "digits", "--seed", 0, "--out", "s.json")
    assert told.status == 0
    assert told.out.startswith(
        "digits: 360 queries, 1,437 to train on, 1,437 in the database (with"
    )
    assert told.out.endswith("Wrote s.json\n")
    sha = json.loads(run("split", "--protocol", "digits", "--out", "s.json", "--json").out)[
        "sha256"
    ]
    good = run(*CODES, *LABELS, "--split", "s.json", "--json")
    assert sha[:16] in json.loads(good.out)["protocol"]
    run("split", "--protocol", "digits", "--seed", 1, "--out", "t.json")
    bad = run(*CODES, *LABELS, "--split", "t.json")
    assert (bad.status, bad.out) == (2, "")
    assert "'labels changed'" in bad.err
    assert run("split", "--protocol", "P7", "--out", "u.json").status == 2
    assert not Path("u.json").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "phrase"),
    [
        (("evaluate",), 2, "give one of: the folder of a run, --codes, --vectors"),
        (("evaluate", "r", "--codes", "Q.npy", "D.npy"), 2, "give one of"),
        ((*CODES, "--vectors", "Z.npy", "X.npy"), 2, "give one of"),
        (CODES, 2, "--codes needs --labels"),
        ((*CODES, "--labels", "QL.npy", "DL.npy"), 2, "and --protocol"),
        ((*CODES, *LABELS, "--codebooks", "C.npy"), 2, "both --codebooks and --queries"),
        ((*CODES, *LABELS, "--queries", "Z.npy"), 2, "both --codebooks and --queries"),
        (
            (*CODES, *LABELS, "--codebooks", "C.npy", "--queries", "Z.npy", "--radius", 1),
            2,
            "ADC measures distances",
        ),
        (("evaluate", "--vectors", "Z.npy", "X.npy", *LABELS, "--radius", 1), 2, "--radius cannot"),
        (("evaluate", "r", "--k", 5, "--at", 5), 2, "--at, --k cannot stand beside the run r"),
        (("evaluate", "r", "--denominator", "retrieved"), 2, "--denominator is for files"),
        ((*CODES, *LABELS, "--at", 0), 2, "at a whole number"),
        ((*CODES, *LABELS, "--denominator", "hits"), 2, "a denominator out of"),
        (("evaluate", "--codes", "D.npy", "D.npy", "--labels", "DL.npy", "DL.npy", "--protocol",
          "own"), 2, "'query in database'"),
        (("evaluate", "--codes", "none.npy", "D.npy", *LABELS), 3, "a readable file none.npy"),
    ],
)  # fmt: skip
def test_what_is_refused(
    arguments: tuple[object, ...], status: int, phrase: str, run: Run, files: dict[str, np.ndarray]
) -> None:
    told = run(*arguments)
    assert (told.status, told.out) == (status, "")
    assert phrase in " ".join(told.err.split())
    assert "Traceback" not in told.err


def test_the_help_names_what_is_checked(run: Run) -> None:
    text = " ".join(run("evaluate", "--help").out.split())
    for phrase in ("--codebooks", "--split", "query in the database", "warned of", "P1a", "ADC"):
        assert phrase in text
    assert "checksums" in run("split", "--help").out
