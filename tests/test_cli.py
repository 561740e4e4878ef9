"""The command line as a user meets it: help that teaches, exit statuses, JSON, Ctrl-C and --resume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gsl_tutorial import cli, datasets, doctor, pipeline, press
from gsl_tutorial.config import PROFILES, Schedule
from gsl_tutorial.datasets.files import FILES, FOLDER
from gsl_tutorial.errors import DownloadError
from gsl_tutorial.runs import RunFolder

SHORT = Schedule(3, epochs=1, batch_size=64, learning_rate=0.1, label_smoothing=0.0)

Run = Callable[..., SimpleNamespace]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROFILES["digits"], "quick", SHORT)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process: (status, out, err)."""

    def run_(*arguments: object) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["gsl-tutorial", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return SimpleNamespace(status=left.value.code, out=out, err=err)

    return run_


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, trained by the command line."""
    out = tmp_path_factory.mktemp("runs") / "first"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PROFILES["digits"], "quick", SHORT)
        patch.setattr(sys, "argv", ["gsl-tutorial", "train", "--out", str(out)])
        with pytest.raises(SystemExit) as left:
            cli.main()
    assert left.value.code == 0
    return out


def weights(folder: Path) -> dict[str, bytes]:
    arrays = RunFolder(folder).load_model().arrays()
    return {name: array.tobytes() for name, array in arrays.items()}


# Help


@pytest.mark.parametrize(
    ("command", "phrases"),
    [
        ((), ["first walk", "doctor", "train --dataset digits --out", "evaluate", "Exit status"]),
        (("doctor",), ["versions", "memory", "--json"]),
        (("fetch",), ["170 MB", "GSL_TUTORIAL_DATA", "GSL_TUTORIAL_MIRROR", "Without a network"]),
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
    from gsl_tutorial.config import DATASETS
    from gsl_tutorial.methods import METHODS

    text = run("train", "--help").out
    for name in [*METHODS, *DATASETS, *DATASETS["cifar10"]]:
        assert name in text


HEAVY = "('torch', 'faiss', 'matplotlib', 'gsl_tutorial.training')"


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["evaluate", "--nonsense"]])
def test_help_and_usage_errors_import_nothing_heavy(arguments: list[str]) -> None:
    program = (
        f"import sys; sys.argv = ['gsl-tutorial', *{arguments!r}]\n"
        "from gsl_tutorial.cli import main\n"
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
    assert set(values) == {"run", "round", *measured}
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
    *("dataset", "quantizer", "method", "encoder", "weights", "pre_training", "profile", "seed"),
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
    assert card["command"] == f"gsl-tutorial train --out {finished}"
    assert {"commit", "torch", "threads", "cores", "metrics", "sha256"} <= set(card)
    assert set(card["metrics"]) == PROMISED


# Exit statuses


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
        (["--method", "steer"], "a method out of none, penalty"),
        (["--loss", "hinge"], "a loss out of cross-entropy, supervised-contrastive, triplet"),
        (["--dataset", "mnist"], "a dataset out of cifar10, digits"),
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

    def found(*, progress: Callable[[int, int], None], notice: Callable[[str], None]) -> Path:
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
    monkeypatch.setattr(pipeline, "load_data", lambda *_, **__: pytest.fail("read the data"))
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

    monkeypatch.setattr(pipeline, "train_run", interrupt)
    monkeypatch.setattr(pipeline, "evaluate_model", interrupt)
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


# Ctrl-C, really

PROGRAM = """
import signal, sys, time

# A background job of a shell starts with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from gsl_tutorial.config import PROFILES, Schedule
from gsl_tutorial import pipeline
PROFILES["digits"]["quick"] = Schedule({rounds}, 1, 64, 0.1, label_smoothing=0.0)
original = pipeline.train_run
def slow(*arguments, on_progress, **others):
    def paused(at):
        on_progress(at)
        time.sleep(0.02)  # 22 steps a round: long enough to be interrupted in the next one
    return original(*arguments, on_progress=paused, **others)
pipeline.train_run = slow
sys.argv = ["gsl-tutorial", "train", "--out", sys.argv[1]]
from gsl_tutorial.cli import main
main()
"""


def test_ctrl_c_keeps_the_last_round_and_resume_ends_with_the_same_weights(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 6
    out = tmp_path / "interrupted"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(rounds=rounds), str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # The same sums in the same order as in this process.
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    )
    try:
        deadline = time.monotonic() + 60
        while not (out / "checkpoint.safetensors").exists():
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        printed, told = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert printed == ""
    assert "Interrupted." in told
    assert f"kept in {out}" in told
    assert "--resume" in told
    assert "Traceback" not in told
    assert {path.name for path in out.iterdir()} == {
        "config.json",
        "checkpoint.safetensors",
        "warm.safetensors",
    }
    assert run("evaluate", out).status == 3

    monkeypatch.setitem(PROFILES["digits"], "quick", replace(SHORT, rounds=rounds))
    assert run("train", "--out", out, "--resume").status == 0
    assert run("train", "--out", tmp_path / "whole").status == 0
    assert weights(out) == weights(tmp_path / "whole")
    assert run("evaluate", out).status == 0
