"""An interrupted run, resumed, ends where the uninterrupted one does; no run overwrites another."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from runs_cases import (
    ROUNDS,
    SMALL,
    Stop,
    assert_same_weights,
    config,
    make_data,
    outcome,
    shorten,
    uninterrupted,
)

from gsl_tutorial import storage
from gsl_tutorial.course.datasets import load_digits
from gsl_tutorial.course.training import rounds
from gsl_tutorial.course.training.config import PROFILES
from gsl_tutorial.course.training.embedding import as_tensor
from gsl_tutorial.course.training.methods import MethodOptions
from gsl_tutorial.course.training.rounds import train
from gsl_tutorial.course.training.runs import RunFolder, load_model_file
from gsl_tutorial.errors import (
    DataMissingError,
    InvalidInputError,
    RunMismatchError,
    StorageError,
)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


@pytest.fixture(scope="module", params=["digits", "cifar10"])
def dataset(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("where", ["within", "after"])
@pytest.mark.parametrize("round_", range(1, ROUNDS + 1))
def test_a_resumed_run_ends_with_the_bits_of_the_uninterrupted_one(
    dataset: str, round_: int, where: str, tmp_path: Path
) -> None:
    stop, data = Stop(round_, where), make_data(dataset)
    with pytest.raises(KeyboardInterrupt):
        train(
            config(dataset),
            *data,
            folder=RunFolder(tmp_path),
            on_progress=stop.on_progress,
            on_round=stop.on_round,
        )
    finished = round_ if where == "after" else round_ - 1
    checkpoint = RunFolder(tmp_path).checkpoint_file
    if finished:
        _, header = storage.load_arrays(checkpoint)
        assert header["finished_rounds"] == len(header["history"]) == finished
    else:
        assert not checkpoint.exists()
    with pytest.raises(DataMissingError, match=r"finished run.*--resume"):
        RunFolder(tmp_path).load_model()
    begun: list[int] = []
    torch.manual_seed(round_)  # what the user does in between must not matter
    resumed = train(
        config(dataset),
        *data,
        folder=RunFolder(tmp_path),
        resume=True,
        on_round=lambda model, done: begun.append(done),
    )
    assert begun == list(range(finished, ROUNDS + 1))
    assert_same_weights(resumed, uninterrupted(dataset))
    assert outcome(resumed) == outcome(uninterrupted(dataset))
    loaded = RunFolder(tmp_path).load_model()
    assert_same_weights(loaded, resumed)
    assert loaded.history == resumed.history
    assert json.loads((tmp_path / "history.json").read_text()) == resumed.history
    left = {"config.json", "history.json"}
    left |= {f"{name}.safetensors" for name in ("checkpoint", "warm", "model")}
    assert set(os.listdir(tmp_path)) == left


def test_a_run_interrupted_again_and_again_still_ends_the_same(tmp_path: Path) -> None:
    data = make_data("digits")
    for round_ in range(1, ROUNDS + 1):
        with pytest.raises(KeyboardInterrupt):
            train(
                config(),
                *data,
                folder=RunFolder(tmp_path),
                resume=True,
                on_progress=Stop(round_, "within").on_progress,
                on_round=Stop(round_, "after").on_round,
            )
        if round_ < ROUNDS:  # let this round pass
            with pytest.raises(KeyboardInterrupt):
                train(
                    config(),
                    *data,
                    folder=RunFolder(tmp_path),
                    resume=True,
                    on_round=Stop(round_, "after").on_round,
                )
    resumed = train(config(), *data, folder=RunFolder(tmp_path), resume=True)
    assert_same_weights(resumed, uninterrupted("digits"))


def disk_full(_: Any, target: Path) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupted(_: Any, target: Path) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("failure", "error"), [(disk_full, StorageError), (interrupted, KeyboardInterrupt)]
)
@pytest.mark.parametrize("file", ["checkpoint.safetensors", "model.safetensors"])
def test_a_failed_write_leaves_a_run_that_can_go_on(
    failure: Callable[..., None],
    error: type[BaseException],
    file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = make_data("digits")
    rename, left = os.replace, [2 if file == "checkpoint.safetensors" else 1]

    def replaced(source: Any, target: Path) -> None:
        left[0] -= Path(target).name == file
        (failure if left[0] == 0 else rename)(source, target)

    monkeypatch.setattr(storage.os, "replace", replaced)
    with pytest.raises(error):
        train(config(), *data, folder=RunFolder(tmp_path))
    monkeypatch.setattr(storage.os, "replace", rename)
    _, header = storage.load_arrays(RunFolder(tmp_path).checkpoint_file)
    assert header["finished_rounds"] == (1 if file == "checkpoint.safetensors" else ROUNDS)
    resumed = train(config(), *data, folder=RunFolder(tmp_path), resume=True)
    assert_same_weights(resumed, uninterrupted("digits"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("finished") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PROFILES["digits"], "quick", SMALL["digits"])
        train(config(), *make_data("digits"), folder=RunFolder(path), provenance={"command": "x"})
    return path


def copy_run(source: Path, target: Path) -> RunFolder:
    target.mkdir()
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return RunFolder(target)


def test_a_finished_run_resumed_returns_at_once(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(*_: Any) -> float:
        raise AssertionError("it trained again")

    monkeypatch.setattr(rounds, "_step", step)
    before = {file: file.stat().st_mtime_ns for file in finished.glob("*.safetensors")}
    model = train(config(), *make_data("digits"), folder=RunFolder(finished), resume=True)
    assert_same_weights(model, uninterrupted("digits"))
    assert model.provenance == {"command": "x"}
    assert {file: file.stat().st_mtime_ns for file in finished.glob("*.safetensors")} == before


def test_a_finished_run_without_resume_is_refused(finished: Path) -> None:
    with pytest.raises(RunMismatchError, match=r"same configuration.*add --resume") as caught:
        train(config(), *make_data("digits"), folder=RunFolder(finished))
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_of_another_configuration_names_what_differs(resume: bool, finished: Path) -> None:
    wanted = config(seed=1, method="penalty", options=MethodOptions(n_candidates=2))
    kept = (finished / "config.json").read_bytes()
    with pytest.raises(RunMismatchError) as caught:
        train(wanted, *make_data("digits"), folder=RunFolder(finished), resume=resume)
    text = str(caught.value)
    for phrase in (
        str(finished),
        "seed=0 instead of 1",
        "method='snap-pull' instead of 'penalty'",
        "n_candidates=4 instead of 2",
        "choose another folder",
    ):
        assert phrase in text
    assert "bits" not in text
    assert (finished / "config.json").read_bytes() == kept


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("file", ["model.safetensors", "checkpoint.safetensors"])
def test_weights_without_a_configuration_are_not_overwritten(
    file: str, resume: bool, finished: Path, tmp_path: Path
) -> None:
    (tmp_path / file).write_bytes((finished / file).read_bytes())
    with pytest.raises(RunMismatchError, match=r"without a config\.json"):
        train(config(), *make_data("digits"), folder=RunFolder(tmp_path), resume=resume)
    assert os.listdir(tmp_path) == [file]


@pytest.mark.parametrize("file", ["model.safetensors", "checkpoint.safetensors"])
def test_files_of_another_configuration_in_a_run_are_refused(
    file: str, finished: Path, tmp_path: Path
) -> None:
    folder = copy_run(finished, tmp_path / "run")
    if file == "checkpoint.safetensors":
        folder.model_file.unlink()
    storage.write_json(folder.config_file, config(seed=4).to_dict())
    with pytest.raises(RunMismatchError, match=r"seed=0 instead of 4.*empty folder"):
        train(config(seed=4), *make_data("digits"), folder=folder, resume=True)
    if file == "model.safetensors":
        with pytest.raises(RunMismatchError, match="a model of the configuration"):
            folder.load_model()


def test_a_checkpoint_of_a_profile_that_has_changed_since_is_refused(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_run(finished, tmp_path / "run")
    folder.model_file.unlink()
    changed = replace(PROFILES["digits"]["quick"], momentum=0.5)
    monkeypatch.setitem(PROFILES["digits"], "quick", changed)
    with pytest.raises(RunMismatchError, match=r"momentum = 0\.9 instead of 0\.5.*empty folder"):
        train(config(), *make_data("digits"), folder=folder, resume=True)


def test_other_files_are_not_taken_for_a_model(finished: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"a model file.*pass the model\.safetensors"):
        load_model_file(finished / "checkpoint.safetensors")


def test_a_model_file_comes_back_whole(finished: Path) -> None:
    path = finished / "model.safetensors"
    model = load_model_file(path, expected=config(), sha256=storage.digest(path))
    assert model.config == config()
    assert_same_weights(model, uninterrupted("digits"))
    images = as_tensor(load_digits().query)
    assert torch.equal(
        rounds.embed(model.encoder, images),
        rounds.embed(uninterrupted("digits").encoder, images),
    )


def test_where_there_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match=r"no such folder.*gsl-tutorial train --out"):
        RunFolder(tmp_path / "nothing").load_model()
    with pytest.raises(DataMissingError, match=r"no config\.json in it"):
        RunFolder(tmp_path).load_model()
