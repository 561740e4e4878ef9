"""The command line as a user meets it: help that teaches, training, evaluation, export, JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli_cases import Run, command_line, shorten, trained

from gsl_tutorial.course.results.shipped_codes import load_codes
from gsl_tutorial.errors import ChecksumError, InvalidInputError
from gsl_tutorial.evaluation import mean_average_precision
from gsl_tutorial.quantizers.faiss_index import to_faiss


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return command_line(monkeypatch, capsys)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("runs") / "first")


# Help


@pytest.mark.parametrize(
    ("command", "phrases"),
    [
        ((), ["first walk", "doctor", "train --dataset digits --out", "evaluate", "Exit status"]),
        (("doctor",), ["versions", "memory", "--json"]),
        (("fetch",), ["170 MB", "GSL_TUTORIAL_DATA", "GSL_TUTORIAL_MIRROR", "Without a network"]),
        (("fetch",), ["--from", "tried before", "--archive", "brought from elsewhere"]),
        (("train",), ["Ctrl-C", "--resume", "snap-lookahead", "digits", "cifar10", "--seed"]),
        (("evaluate",), ["mean average precision", "[run]", "--protocol", "--json"]),
        (("export",), ["weights, embeddings and codes", "--to", "data/"]),
        (("lab",), ["JupyterLab", "--no-browser", "--port"]),
        (("report",), ["--folder", "--json", "--csv", "hands in", "Nothing leaves this machine"]),
        (("build",), ["notebooks/src", "--force", "--check"]),
    ],
)
def test_help_teaches(command: tuple[str, ...], phrases: list[str], run: Run) -> None:
    told = run(*command, "--help")
    assert told.status == 0
    text = " ".join(told.out.split())
    for phrase in ["Usage: ", *phrases]:
        assert phrase in text
    for status in ("0", "1", "2", "3", "4", "5", "6", "130"):
        assert command or f"{status} " in text.split("Exit status:")[1]


def test_every_method_protocol_and_dataset_stands_in_the_help(run: Run) -> None:
    from gsl_tutorial.course.training.config import DATASETS
    from gsl_tutorial.course.training.methods import METHODS

    text = run("train", "--help").out
    for name in [*METHODS, *DATASETS, *DATASETS["cifar10"]]:
        assert name in text


HEAVY = "('torch', 'faiss', 'matplotlib', 'gsl_tutorial.course.training.rounds')"


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["evaluate", "--nonsense"]])
def test_help_and_usage_errors_import_nothing_heavy(arguments: list[str]) -> None:
    program = (
        f"import sys; sys.argv = ['gsl-tutorial', *{arguments!r}]\n"
        "from gsl_tutorial.course.cli import main\n"
        "try: main()\n"
        f"except SystemExit: print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_no_arguments_show_the_help(run: Run) -> None:
    told = run()
    assert told.status == 2
    assert "first walk" in told.out + told.err


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["evaluate", "--protcol", "P2"], "--protocol"),
        (["train"], "--out"),
        (["evaluate"], "run"),
        (["train", "--out", "x", "--bits", "many"], "--bits"),
        (["train", "--out", "x", "extra"], "extra"),
    ],
)
def test_usage_errors_are_status_2(arguments: list[str], phrase: str, run: Run) -> None:
    told = run(*arguments)
    assert told.status == 2
    assert told.out == ""
    assert phrase in told.err
    assert "Usage: gsl-tutorial" in told.err
    assert "Traceback" not in told.err


# Train and evaluate


def test_train_and_evaluate_print_results_on_standard_output_only(
    tmp_path: Path, run: Run, finished: Path
) -> None:
    told = run("train", "--out", tmp_path / "r", "--seed", 1)
    assert told.status == 0
    assert told.out.startswith("Trained in ")
    assert f"Next: gsl-tutorial evaluate {tmp_path / 'r'}" in told.out
    assert len(told.out.splitlines()) == 2
    told = run("evaluate", finished)
    assert told.status == 0
    assert "ranking by ADC" in told.err
    names = [line.split()[0] for line in told.out.splitlines()]
    assert names[0] == "protocol"
    assert {"adc_map", "sdc_map", "exact_map", "argmax_map"} <= set(names)
    assert "ranking" not in told.out


def test_train_json(tmp_path: Path, run: Run) -> None:
    told = run("train", "--out", tmp_path / "r", "--json", "--method", "none", "--bits", 16)
    values = json.loads(told.out)
    measured = {"loss", "relative_distortion", "perplexity", "cosine", "uphill", "seconds"}
    cells = {"purity", "pure_cells", "codeword_purity", "moved", "codeword_moved"}
    assert set(values) == {"run", "round", *measured, *cells}
    assert values["run"] == str(tmp_path / "r")
    assert values["round"] == 3
    records = json.loads((tmp_path / "r" / "history.json").read_text())
    assert values["seconds"] == sum(record["seconds"] for record in records)
    stored = json.loads((tmp_path / "r" / "config.json").read_text())
    assert (stored["method"], stored["bits"], stored["seed"]) == ("none", 16, 0)


def test_every_option_of_train_reaches_the_run(tmp_path: Path, run: Run) -> None:
    options = {"method": "penalty", "bits": 8, "seed": 5, "profile": "quick", "protocol": "digits"}
    words = [word for key, value in options.items() for word in (f"--{key}", value)]
    assert run("train", "--out", tmp_path, *words, "--strength", 0.5).status == 0
    stored = json.loads((tmp_path / "config.json").read_text())
    assert {key: stored[key] for key in options} == options
    assert stored["options"]["strength"] == 0.5


#: What a number must never stand without.
PROMISED = {
    *("protocol", "n_query", "n_train", "n_database", "train_in_database", "query_in_database"),
    *("metric", "denominator", "ties", "bits", "adc_map", "sdc_map", "exact_map", "argmax_map"),
    *("accuracy", "relative_distortion", "distinct_codes", "search_seconds", "train_seconds"),
    *("dataset", "quantizer", "n_codewords", "method", "strength", "encoder", "weights"),
    *("pre_training", "profile", "seed"),
}


def test_evaluate_json_has_exactly_what_must_stand_beside_a_number(
    run: Run, finished: Path
) -> None:
    told = run("evaluate", finished, "--json")
    values = json.loads(told.out)
    assert set(values) == PROMISED
    assert (values["n_query"], values["n_train"], values["n_database"]) == (360, 1437, 1437)
    assert (values["metric"], values["denominator"], values["ties"]) == (
        "mAP@all",
        "relevant",
        "exact",
    )
    for key in ("adc_map", "sdc_map", "exact_map", "argmax_map", "relative_distortion"):
        assert 0 < values[key] < 1, key
    assert (values["bits"], values["encoder"], values["seed"]) == (32, "digits", 0)
    assert values["weights"] == 64 * 128 + 128 + 128 * 128 + 128 + 128 * 32 + 32
    assert values["train_seconds"] > 0
    assert values["search_seconds"] > 0


def test_export_writes_a_folder_with_its_card(run: Run, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    told = run("export", finished, "--to", tmp_path)
    assert told.status == 0
    written = {"card.json", "embeddings.safetensors", "model.safetensors"}
    assert {path.name for path in tmp_path.iterdir()} == {*written, "notes.txt"}
    assert all(name in told.out for name in written)
    assert "notes.txt" not in told.out
    card = json.loads((tmp_path / "card.json").read_text())
    assert (
        card["command"] == f"gsl-tutorial train --out {finished.name}"
    )  # no folder of this machine
    assert {"commit", "torch", "threads", "cores", "metrics", "sha256"} <= set(card)
    assert set(card["metrics"]) == PROMISED


def test_export_of_codes_alone(run: Run, finished: Path, tmp_path: Path) -> None:
    assert run("export", finished, "--to", tmp_path / "small", "--codes").status == 0
    assert {path.name for path in (tmp_path / "small").iterdir()} == {
        "card.json",
        "codes.safetensors",
    }
    shipped = load_codes("small", root=tmp_path)
    _, ranks = to_faiss(shipped.quantizer, shipped.codes).search(shipped.query.z, 1)
    right = shipped.labels[ranks[:, 0]] == shipped.query.labels
    metrics = shipped.card["metrics"]
    assert right.mean() > 0.8
    assert shipped.config.bits == metrics["bits"] == 32
    distances = shipped.quantizer.distances(shipped.query.z, shipped.codes)
    found = mean_average_precision(distances, shipped.query.labels, shipped.labels)
    # The queries are kept as float16: no more than that lies between the two.
    assert found == pytest.approx(metrics["adc_map"], abs=1e-3)
    run("export", finished, "--to", tmp_path / "whole")
    with pytest.raises(InvalidInputError, match="read a whole run with load_shipped"):
        load_codes("whole", root=tmp_path)
    changed = tmp_path / "small" / "codes.safetensors"
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    with pytest.raises(ChecksumError):
        load_codes("small", root=tmp_path)
