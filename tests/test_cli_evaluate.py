"""`gsl-tutorial evaluate` on files of one's own, and `gsl-tutorial split`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from gsl_tutorial.course import cli
from gsl_tutorial.course.datasets import load_digits
from gsl_tutorial.evaluation import average_precision, average_precisions
from gsl_tutorial.quantizers import (
    OptimizedProductQuantizer,
    ProductQuantizer,
    ResidualQuantizer,
)

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


ADC = (*CODES, "--codebooks", "C.npy", "--queries", "Z.npy")


def test_codes_in_other_files_give_the_same_numbers(run: Run, files: dict[str, np.ndarray]) -> None:
    expected = json.loads(run(*CODES, *LABELS, "--json").out)
    scipy.io.savemat("all.mat", {"B_te": files["Q"], "B_db": files["D"], "L": files["QL"][:, None]})
    Path("DL.txt").write_text("".join(f"a/{i}.png {one}\n" for i, one in enumerate(files["DL"])))
    Path("QL.csv").write_text("label\n" + "".join(f"{float(one)}\n" for one in files["QL"]))
    np.savez("D.npz", files["D"])
    told = run(
        "evaluate", "--codes", "all.mat:B_te", "D.npz", "--labels", "all.mat:L", "DL.txt",
        "--protocol", "digits", "--json",
    )  # fmt: skip
    assert json.loads(told.out) == expected
    told = run(*CODES, "--labels", "QL.csv", "DL.txt", "--protocol", "digits", "--json")
    assert json.loads(told.out) == expected
    words = np.array(list("abcdefghij"))
    np.save("QW.npy", words[files["QL"]])
    np.save("DW.npy", words[files["DL"]])
    told = run(*CODES, "--labels", "QW.npy", "DW.npy", "--protocol", "own", "--json")
    assert json.loads(told.out)["value"] == expected["value"]


def test_several_labels(run: Run, files: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    q, d = (rng.random((len(files[name]), 9)) < 0.2 for name in ("QL", "DL"))
    scipy.io.savemat("many.mat", {"q": q.astype(float), "d": scipy.sparse.csc_matrix(d * 1.0)})
    for name, table in (("q", q), ("d", d)):
        Path(f"{name}.json").write_text(json.dumps([np.flatnonzero(row).tolist() for row in table]))
        Path(f"{name}.txt").write_text(
            "".join(f"img/{i}.jpg {' '.join(map(str, row))}\n" for i, row in enumerate(table * 1))
        )
    forms = [("many.mat:q", "many.mat:d"), ("q.json", "d.json"), ("q.txt", "d.txt")]
    told = [run(*CODES, "--labels", *form, "--protocol", "own", "--json") for form in forms]
    one, other, third = (json.loads(each.out) for each in told)
    shared = (q[:, None] & d).any(axis=2)
    distances = (files["Q"][:, None] != files["D"]).sum(axis=2)
    expected = [average_precision(*row) for row in zip(distances, shared, strict=True)]
    assert one["value"] == pytest.approx(np.mean(expected))
    for name in ("value", "ndcg@all", "relevance"):
        assert one[name] == other[name] == third[name]
    text = run(*CODES, "--labels", *forms[0], "--protocol", "own", "--gain", "exponential").out
    assert "ndcg_exponential@all" in text


def test_packed_and_signed_codes(run: Run, files: dict[str, np.ndarray]) -> None:
    bits = {name: (files[name] > files["X"].mean(axis=0)) for name in ("Z", "X")}
    for name, one in bits.items():
        np.save(f"{name}b.npy", one.astype(np.uint8))
        np.save(f"{name}s.npy", np.where(one, 1.0, -1.0).astype(np.float32))
        np.save(f"{name}p.npy", np.packbits(one, axis=1))
    told = {
        kind: run(
            "evaluate", "--codes", f"Z{kind}.npy", f"X{kind}.npy", *options, *LABELS, "--json"
        )
        for kind, options in {"b": (), "s": (), "p": ("--packed",)}.items()
    }
    plain, signed, packed = (json.loads(one.out) for one in told.values())
    assert plain == signed == packed
    assert plain["bits"] == 64
    assert "bits never change" in told["b"].err
    asked = run("evaluate", "--codes", "Zp.npy", "Xp.npy", *LABELS, "--json")
    assert "warning, packed bits?" in asked.err
    assert json.loads(asked.out)["value"] != plain["value"]
    assert (
        "packed" not in run("evaluate", "--codes", "Zp.npy", "Xp.npy", "--no-packed", *LABELS).err
    )


def test_sums_of_codewords_and_rotations(run: Run, files: dict[str, np.ndarray]) -> None:
    x, z = files["X"], files["Z"]
    rq = ResidualQuantizer(2, 16, random_state=0).fit(x)
    opq = OptimizedProductQuantizer(4, 16, n_iterations=2, random_state=0).fit(x)
    np.save("R.npy", opq.rotation_)
    for name, quantizer in (("rq", rq), ("opq", opq)):
        np.save(f"{name}.npy", quantizer.codebooks_)
        np.save(f"{name}D.npy", quantizer.encode(x))
        quantizer.save(f"{name}.safetensors")
        expected = average_precisions(
            quantizer.distances(z, quantizer.encode(x)), files["QL"], files["DL"]
        )
        with_codes = ("evaluate", "--codes", "-", f"{name}D.npy", "--queries", "Z.npy", *LABELS)
        rotation = ("--rotation", "R.npy") if name == "opq" else ()
        one = run(*with_codes, "--codebooks", f"{name}.npy", *rotation, "--json")
        other = run(*with_codes, "--codebooks", f"{name}.safetensors", "--json")
        assert json.loads(one.out)["value"] == pytest.approx(expected.mean(), abs=1e-3)
        assert json.loads(one.out) == json.loads(other.out)
        assert json.loads(one.out)["bits"] == quantizer.bits


def test_neighbours(run: Run, files: dict[str, np.ndarray]) -> None:
    true = np.argsort(((files["Z"][:, None] - files["X"]) ** 2).sum(axis=2), axis=1)[:, :10]
    rows = np.concatenate([np.full((len(true), 1), 10), true], axis=1)
    rows.astype("<i4").tofile("gt.ivecs")
    exact = run("evaluate", "--vectors", "Z.npy", "X.npy", "--neighbours", "gt.ivecs", "--json")
    assert json.loads(exact.out)["10-recall@10"] == pytest.approx(1, abs=0.01)
    codes = json.loads(run(*ADC, "--neighbours", "gt.ivecs", "--json").out)
    assert 0.1 < codes["1-recall@1"] < codes["1-recall@10"] < codes["1-recall@100"] <= 1
    assert codes["bits"] == 16
    both = json.loads(run(*ADC, *LABELS, "--neighbours", "gt.ivecs", "--json").out)
    assert both["10-recall@10"] == codes["10-recall@10"]
    assert both["value"] > 0.5
    np.save("found.npy", true[:, ::-1])
    found = json.loads(
        run("evaluate", "--found", "found.npy", "--neighbours", "gt.ivecs", "--json").out
    )
    assert (found["1-recall@1"], found["10-recall@10"]) == (0, 1)
    true[0, 3] = -1
    np.save("found.npy", true)
    told = run("evaluate", "--found", "found.npy", "--neighbours", "gt.ivecs")
    assert (told.status, "-1 is what faiss writes" in told.err) == (2, True)


def test_metrics(run: Run, files: dict[str, np.ndarray]) -> None:
    z, x = (files[name].astype(np.float64) for name in ("Z", "X"))
    for metric, distances in (
        ("ip", -(z @ x.T)),
        ("cosine", -(z / np.linalg.norm(z, axis=1, keepdims=True)
                     @ (x / np.linalg.norm(x, axis=1, keepdims=True)).T)),
    ):  # fmt: skip
        told = run("evaluate", "--vectors", "Z.npy", "X.npy", *LABELS, "--metric", metric, "--json")
        expected = average_precisions(distances, files["QL"], files["DL"]).mean()
        assert json.loads(told.out)["value"] == pytest.approx(expected, abs=1e-4)


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
        (("evaluate", "--vectors", "Z.npy", "X.npy", *LABELS, "--packed"), 2, "--packed cannot"),
        ((*CODES, *LABELS, "--metric", "ip"), 2, "--metric is for --vectors"),
        ((*CODES, *LABELS, "--rotation", "C.npy"), 2, "--rotation cannot stand beside codes"),
        (("evaluate", "--codes", "-", "D.npy", *LABELS), 2, "needs --codebooks"),
        ((*CODES, *LABELS, "--packed", "--bits", 12), 2, "2 bytes for 12 bits"),
        ((*ADC, *LABELS, "--bits", 12), 2, "--bits cannot stand beside --codebooks"),
        ((*ADC, *LABELS, "--metric", "dot"), 2, "cosine, ip, l2"),
        ((*CODES, "--neighbours", "D.npy", "--at", 3), 2, "--at cannot stand beside --neighbours"),
        (("evaluate", "--found", "D.npy"), 2, "--found needs --neighbours"),
        ((*CODES, "--neighbours", "QL.npy"), 2, "a row of neighbours"),
        (("evaluate", "--codes", "x.pt", "D.npy", *LABELS), 2, "weights_only=True"),
        (("evaluate", "--codes", "pipe.npy", "D.npy", *LABELS), 3, "a pipe"),
        (("evaluate", "--codes", ".", "D.npy", *LABELS), 3, "a folder"),
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
    os.mkfifo("pipe.npy")
    Path("x.pt").touch()
    told = run(*arguments)
    assert (told.status, told.out) == (status, "")
    assert phrase in " ".join(told.err.split())
    assert "Traceback" not in told.err


def test_the_help_names_what_is_checked(run: Run) -> None:
    text = " ".join(run("evaluate", "--help").out.split())
    for phrase in ("--codebooks", "--split", "query in the database", "warned of", "P1a", "ADC",
                   "--packed", "--neighbours", "--metric", ".ivecs", "nDCG"):  # fmt: skip
        assert phrase in text
    assert "checksums" in run("split", "--help").out
