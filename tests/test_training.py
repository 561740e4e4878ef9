"""Runs: same seed, same bits; an interrupted run, resumed, ends where the uninterrupted one does."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gsl_tutorial import storage, training
from gsl_tutorial.config import DATASETS, PROFILES, Schedule, TrainingConfig
from gsl_tutorial.datasets import PROTOCOLS, Dataset, Split, load_digits
from gsl_tutorial.errors import (
    DataMissingError,
    InvalidInputError,
    RunMismatchError,
    StorageError,
    UnknownNameError,
)
from gsl_tutorial.losses import METHODS, MethodOptions
from gsl_tutorial.pipeline import as_tensor, embed_split, train_run
from gsl_tutorial.runs import RunFolder, TrainedModel, load_model_file
from gsl_tutorial.training import DivergedError, Progress, refit_quantizer, train

ROUNDS = 3
SMALL = {
    "digits": Schedule(ROUNDS, epochs=2, batch_size=64, learning_rate=0.1, label_smoothing=0.0),
    "cifar10": Schedule(ROUNDS, epochs=1, batch_size=24, learning_rate=0.1),
}


@pytest.fixture(autouse=True)
def small_schedules(monkeypatch: pytest.MonkeyPatch) -> None:
    for dataset, schedule in SMALL.items():
        monkeypatch.setitem(PROFILES[dataset], "quick", schedule)


def config(dataset: str = "digits", **settings: Any) -> TrainingConfig:
    """A configuration with small codebooks: 2 x 16 codewords for 8 numbers."""
    return TrainingConfig(dataset, **{"bits": 8, "n_codewords": 16, "dim": 8, **settings})


def make_data(dataset: str) -> tuple[Tensor, Tensor]:
    """The digits, or 50 random images in three classes: (images, labels)."""
    if dataset == "digits":
        split = load_digits().train
        return as_tensor(split), torch.from_numpy(split.labels.copy())
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (50, 3, 32, 32), generator=generator).to(torch.uint8)
    return images, torch.arange(50) % 3


@pytest.fixture(scope="module", params=["digits", "cifar10"])
def dataset(request: pytest.FixtureRequest) -> str:
    return str(request.param)


_UNINTERRUPTED: dict[str, TrainedModel] = {}


def uninterrupted(dataset: str) -> TrainedModel:
    """The reference run on a data set, trained once for all tests."""
    if dataset not in _UNINTERRUPTED:
        _UNINTERRUPTED[dataset] = train(config(dataset), *make_data(dataset))
    return _UNINTERRUPTED[dataset]


def assert_same_weights(one: TrainedModel, other: TrainedModel) -> None:
    mine, theirs = one.arrays(), other.arrays()
    assert set(mine) == set(theirs)
    assert "codebooks" in mine
    for name, array in mine.items():
        assert array.tobytes() == theirs[name].tobytes(), name


def outcome(model: TrainedModel) -> list[dict[str, float]]:
    """The records without the seconds, which differ on each run."""
    return [{k: v for k, v in record.items() if k != "seconds"} for record in model.history]


# Same seed, same bits


def test_the_same_seed_gives_the_same_bits(dataset: str) -> None:
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again = train(config(dataset), *make_data(dataset))
    assert torch.equal(torch.get_rng_state(), before)
    assert_same_weights(again, uninterrupted(dataset))
    assert outcome(again) == outcome(uninterrupted(dataset))


def test_another_seed_gives_other_weights(dataset: str) -> None:
    other = train(config(dataset, seed=1), *make_data(dataset)).arrays()
    same = uninterrupted(dataset).arrays()
    for name in ("classifier.weight", "codebooks"):
        assert not np.array_equal(other[name], same[name])


def test_the_callers_images_and_labels_are_left_alone(dataset: str) -> None:
    images, labels = make_data(dataset)
    kept = images.clone(), labels.clone()
    train(config(dataset), images, labels)
    assert torch.equal(images, kept[0])
    assert torch.equal(labels, kept[1])


def test_history_has_one_record_a_round_and_the_network_learns() -> None:
    images, labels = make_data("digits")
    steps: list[Progress] = []
    rounds: list[tuple[int, int, bool]] = []
    model = train(
        config(),
        images,
        labels,
        on_progress=steps.append,
        on_round=lambda model, done: rounds.append((done, len(model.history), model.is_quantized)),
    )
    assert [record["round"] for record in model.history] == [1, 2, 3]
    assert all(
        set(record) == {"round", "loss", "relative_distortion", "seconds"}
        for record in model.history
    )
    assert model.history[-1]["loss"] < 0.5 * model.history[0]["loss"]
    assert 0 < model.history[-1]["relative_distortion"] < 0.3
    assert model.train_seconds == sum(record["seconds"] for record in model.history) > 0
    per_round = 2 * (len(images) // 64)
    n_steps = ROUNDS * per_round
    assert [(p.step, p.n_steps) for p in steps] == [(i + 1, n_steps) for i in range(n_steps)]
    assert [p.round for p in steps] == [1 + i // per_round for i in range(n_steps)]
    assert rounds == [(0, 0, False), (1, 1, True), (2, 2, True), (3, 3, True)]
    mean = sum(p.loss for p in steps[-per_round:]) / per_round
    assert math.isclose(mean, model.history[-1]["loss"], rel_tol=1e-9)
    z = embed_split(model, load_digits().train).z
    distortion = model.quantizer.relative_distortion(z)
    assert math.isclose(distortion, model.history[-1]["relative_distortion"], rel_tol=1e-5)


def test_batches_cover_an_epoch_without_repeats_and_flips_alternate() -> None:
    images = torch.zeros(50, 3, 32, 32, dtype=torch.uint8)
    images[..., 16:] = 200  # bright on the right
    wanted = config("cifar10")
    seen = []
    for round_ in range(3):
        flipped = torch.full((50,), -1)
        batches = list(training._round_batches(wanted, images, round_))
        assert [len(batch.index) for batch in batches] == [24, 24]
        for batch in batches:
            assert (flipped[batch.index] == -1).all(), "an image came twice"
            left, right = batch.images[:, 0, 0, 4], batch.images[:, 0, 0, 27]
            flipped[batch.index] = (left > right).long()
        seen.append((flipped, torch.cat([batch.index for batch in batches])))
    for (first, order), (second, other_order) in pairwise(seen):
        both = (first >= 0) & (second >= 0)
        assert both.sum() > 40
        assert (first[both] + second[both] == 1).all(), "flips must alternate"
        assert not torch.equal(order, other_order)
    assert 10 < seen[0][0].sum() < 40


def test_every_epoch_has_an_order_of_its_own() -> None:
    images, per_epoch = torch.zeros(640, 64), 10
    orders = []
    for round_ in range(2):
        index = [batch.index for batch in training._round_batches(config(), images, round_)]
        assert len(index) == 2 * per_epoch
        orders += [torch.cat(index[:per_epoch]), torch.cat(index[per_epoch:])]
    assert all(torch.equal(order.sort().values, torch.arange(640)) for order in orders)
    assert len({tuple(order.tolist()) for order in orders}) == 4


def test_fewer_images_than_a_batch_are_one_batch() -> None:
    images, labels = make_data("digits")
    model = train(config(), images[:60], labels[:60])
    assert len(model.history) == ROUNDS


def test_the_learning_rate_rises_and_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    original, asked = training._triangle, []
    monkeypatch.setattr(training, "_triangle", lambda t: asked.append(t) or original(t))
    images, labels = make_data("digits")
    train(config(), images[:640], labels[:640])
    n_steps = ROUNDS * 2 * 10
    assert asked == [i / n_steps for i in range(n_steps)], "once, over the whole training"
    assert training._triangle(0) == training._triangle(1) == 0.02
    assert training._triangle(0.1) == pytest.approx(0.5)
    assert training._triangle(0.2) == pytest.approx(1)
    assert training._triangle(0.6) == pytest.approx(0.5)


# Interrupt and resume


class Stop:
    """A callback that interrupts in a round: at one of its steps, or when it has just ended."""

    def __init__(self, round_: int, where: str) -> None:
        self.round, self.where = round_, where

    def on_progress(self, at: Progress) -> None:
        if self.where == "within" and at.round == self.round and at.step % 2 == 0:
            raise KeyboardInterrupt

    def on_round(self, model: TrainedModel, done: int) -> None:
        if self.where == "after" and done == self.round:
            raise KeyboardInterrupt


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
    left = {"config.json", "checkpoint.safetensors", "model.safetensors", "history.json"}
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

    monkeypatch.setattr(training, "_step", step)
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
        "method='snap' instead of 'penalty'",
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
        training.embed(model.encoder, images),
        training.embed(uninterrupted("digits").encoder, images),
    )


def test_where_there_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match=r"no such folder.*gsl-tutorial train --out"):
        RunFolder(tmp_path / "nothing").load_model()
    with pytest.raises(DataMissingError, match=r"no config\.json in it"):
        RunFolder(tmp_path).load_model()


# Divergence


@pytest.mark.parametrize("method", METHODS)
def test_every_method_says_that_it_diverged(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fast enough to break only after the first round, when the quantizer has its say.
    wild = replace(SMALL["digits"], learning_rate=1e38, warmup_rounds=0)
    data = make_data("digits")
    folder = RunFolder(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train(config(method=method), *data, folder=folder, on_round=Stop(1, "after").on_round)
    monkeypatch.setitem(PROFILES["digits"], "quick", wild)
    with pytest.raises(
        DivergedError, match=r"finite.*NaN or infinity.*lower the strength"
    ) as error:
        train(config(method=method), *data, folder=folder, resume=True)
    assert error.value.exit_code == 6


def test_a_huge_strength_diverges_and_keeps_the_round_before(tmp_path: Path) -> None:
    wanted = config(method="penalty", options=MethodOptions(strength=1e38))
    with pytest.raises(DivergedError):
        train(wanted, *make_data("digits"), folder=RunFolder(tmp_path))
    _, header = storage.load_arrays(RunFolder(tmp_path).checkpoint_file)
    assert header["finished_rounds"] == 1


def test_an_infinite_loss_of_finite_embeddings_is_noticed() -> None:
    wanted = config(method="penalty", options=MethodOptions(strength=1e300))
    with pytest.raises(DivergedError, match="finite loss"):
        train(wanted, *make_data("digits"))


def test_weights_that_break_in_the_last_step_of_a_round_are_noticed() -> None:
    model = TrainedModel.new(config())
    with torch.no_grad():
        next(iter(model.encoder.parameters())).fill_(torch.nan)
    with pytest.raises(DivergedError, match="finite embeddings"):
        refit_quantizer(model, make_data("digits")[0], everything=True)


# Methods


def test_every_method_trains_and_those_that_pull_are_more_compact() -> None:
    data, ends, starts = make_data("digits"), {}, set()
    for method in METHODS:
        model = train(config(method=method, options=MethodOptions(strength=10.0)), *data)
        assert all(math.isfinite(record["loss"]) for record in model.history)
        ends[method] = model.history[-1]["relative_distortion"]
        starts.add(model.history[0]["loss"])
    assert len(starts) == 1, "the first round knows no codebook, so all methods are equal in it"
    for method in ("penalty", "snap-pull", "snap-lookahead"):
        assert ends[method] < 0.6 * ends["none"], ends
    assert ends["snap"] == ends["snap-pull"]
    assert len(set(ends.values())) == len(ends) - 1, ends


def test_refitting_follows_the_embeddings_from_where_the_codebooks_stand() -> None:
    images, _ = make_data("digits")
    model = TrainedModel.new(config())
    first = refit_quantizer(model, images, everything=True)
    books = model.quantizer.codebooks_.copy()
    again = refit_quantizer(model, images, everything=True)
    assert again <= first * 1.001
    # Turned round, the codewords stay turned round: a code keeps its meaning.
    model.quantizer.with_codebooks(books[:, ::-1].copy())
    refit_quantizer(model, images, everything=True)
    moved = np.abs(model.quantizer.codebooks_ - books[:, ::-1]).max()
    assert moved < 0.2 * np.abs(books - books[:, ::-1]).max()


def test_large_sets_are_refitted_on_an_even_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_REFIT_SAMPLE", 100)
    sizes: list[int] = []
    original = training.embed
    monkeypatch.setattr(
        training, "embed", lambda encoder, x: sizes.append(len(x)) or original(encoder, x)
    )
    images, labels = make_data("digits")
    train(config(), images, labels)
    assert sizes[-1] == len(images), "the last fit sees everything"
    assert all(100 <= size < 200 for size in sizes[:-1])


# Labels


def three_classes(labels: tuple[int, ...]) -> Dataset:
    """The digits 0, 1, ... under other labels."""
    digits = load_digits()

    def part(split: Split) -> Split:
        rows = np.flatnonzero(split.labels < len(labels))
        return Split(
            split.name,
            split.x[rows],
            labels=np.array(labels)[split.labels[rows]],
            indices=split.indices[rows],
        )

    return replace(
        digits,
        train=part(digits.train),
        validation=part(digits.validation),
        database=part(digits.database),
        query=part(digits.query),
    )


def test_labels_need_not_count_from_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROFILES["digits"], "quick", replace(SMALL["digits"], epochs=8))
    odd, plain = three_classes((40, 3, 17)), three_classes((2, 0, 1))
    model = train_run(config(), odd, folder=RunFolder(tmp_path))
    assert model.classifier.weight.shape == (3, 8)
    assert_same_weights(model, train_run(config(), plain))
    loaded = RunFolder(tmp_path).load_model()
    assert_same_weights(loaded, model)
    seen = embed_split(loaded, odd.query, classes=np.unique(odd.train.labels))
    assert (seen.predicted == odd.query.labels).mean() > 0.95
    assert (embed_split(loaded, plain.query).predicted == plain.query.labels).mean() > 0.95


def test_one_class_is_not_enough() -> None:
    with pytest.raises(InvalidInputError, match=r"two classes or more to train on; got 1\."):
        train_run(config(), three_classes((7,)))


def test_too_few_images_for_the_codebooks_are_named() -> None:
    images, labels = make_data("digits")
    with pytest.raises(InvalidInputError, match=r"at least n_codewords=16 .*got 15"):
        train(config(), images[:15], labels[:15])


# Configurations


@pytest.mark.parametrize(
    ("settings", "phrases"),
    [
        ({"bits": 7}, ["M log2 K with K = 256", "bits = 7", "8, 16, 32, 64"]),
        ({"bits": 24}, ["a divisor of 32", "bits = 24"]),
        ({"bits": 0}, ["bits a whole number, 1 or more", "got 0"]),
        ({"bits": 16.0}, ["bits a whole number", "got 16.0"]),
        ({"bits": 512}, ["M a divisor of 32"]),
        ({"n_codewords": 100}, ["K = 100"]),
        ({"n_codewords": 1}, ["n_codewords a whole number, from 2 to 65536"]),
        ({"dim": 30}, ["a divisor of 30"]),
        ({"dim": 0}, ["dim a whole number, 1 or more"]),
        ({"seed": -1}, ["seed a whole number", "got -1"]),
        ({"seed": 2**32}, ["seed", "to 4294967295", "got 4294967296"]),
        ({"seed": True}, ["seed", "got True"]),
        ({"dataset": "cifar100"}, ["a dataset out of cifar10, digits", "'cifar100'"]),
        ({"method": "ste"}, ["a method out of none, penalty, snap", "'ste'"]),
        ({"method": None}, ["a method out of", "None"]),
        ({"quantizer": "opq"}, ["a quantizer out of pq", "'opq'"]),
        ({"profile": "slow"}, ["a profile out of quick", "'slow'"]),
        ({"protocol": "P2"}, ["a protocol of digits out of digits", "'P2'"]),
        (
            {"dataset": "cifar10", "protocol": "P3"},
            ["a protocol of cifar10 out of P0, P1a, P1b, P2, unseen, validation", "'P3'"],
        ),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(
    settings: dict[str, Any], phrases: list[str]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        TrainingConfig(**settings)
    for phrase in [*phrases, "What to do: "]:
        assert phrase in str(caught.value)
    is_name = "out of" in phrases[0]
    assert isinstance(caught.value, UnknownNameError) is is_name
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("settings", "phrases"),
    [
        ({"strength": -0.1}, ["strength 0 or more, finite", "-0.1"]),
        ({"strength": math.nan}, ["strength", "nan"]),
        ({"strength": math.inf}, ["strength", "inf"]),
        ({"strength": "1"}, ["strength", "'1'"]),
        ({"step": -1}, ["step 0 or more", "-1"]),
        ({"n_candidates": 0}, ["n_candidates a whole number, 1 or more"]),
        ({"length": "half"}, ["a length out of full, projected", "'half'"]),
        ({"fallback": "none"}, ["a fallback out of keep, nearest, zero", "'none'"]),
    ],
)
def test_options_that_cannot_work_are_refused(settings: dict[str, Any], phrases: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        MethodOptions(**settings)
    for phrase in phrases:
        assert phrase in str(caught.value)


@pytest.mark.parametrize(
    "one",
    [
        TrainingConfig(),
        TrainingConfig("cifar10", bits=64, method="penalty", seed=2**32 - 1, protocol="unseen"),
        config(options=MethodOptions(0.1, n_candidates=2, length="full", fallback="keep", step=3)),
    ],
    ids=str,
)
def test_a_configuration_goes_through_json_and_back(one: TrainingConfig) -> None:
    assert TrainingConfig.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    assert one.difference(one) == ""


@pytest.mark.parametrize(
    ("values", "phrases"),
    [
        ({"bits": 8, "colour": 1}, ["the settings", "method", "unknown colour", "version"]),
        ({"options": {"lambda": 1}}, ["the settings", "strength", "unknown lambda"]),
        ([1, 2], ["the settings", "[1, 2]"]),
        ({"options": 3}, ["the settings", "got 3"]),
        ({"bits": "32"}, ["bits a whole number", "'32'"]),
    ],
)
def test_settings_that_are_not_known_are_refused(values: Any, phrases: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        TrainingConfig.from_dict(values)
    for phrase in phrases:
        assert phrase in str(caught.value)


def test_settings_that_are_absent_take_the_defaults() -> None:
    assert TrainingConfig.from_dict({"bits": 16}) == TrainingConfig(bits=16)


def test_every_dataset_has_its_profiles_and_known_protocols() -> None:
    assert set(DATASETS) == set(PROFILES)
    assert {code for codes in DATASETS.values() for code in codes} == set(PROTOCOLS)
    assert TrainingConfig("cifar10").protocol == "P2"
    assert TrainingConfig("digits").protocol == "digits"
