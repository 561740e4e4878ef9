"""Split files: drawn by seed, written, read back, and refused when anything in them has changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsl_tutorial.course.datasets import PROTOCOLS, load_digits
from gsl_tutorial.course.datasets.split_file import (
    draw_split,
    label_checksum,
    read_split,
    write_split,
)
from gsl_tutorial.course.results import saved_runs
from gsl_tutorial.course.results.saved_runs import labels_of
from gsl_tutorial.errors import (
    ChecksumError,
    DataMissingError,
    InvalidInputError,
    StorageError,
    TutorialError,
    UnknownNameError,
)

PARTS = ("query", "train", "database")


@pytest.fixture(scope="module")
def cifar() -> np.ndarray:
    return labels_of("P2")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "split.json"
    write_split(path, draw_split(labels_of("digits"), "digits", seed=3))
    return path


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_written_and_read_back(protocol: str, tmp_path: Path) -> None:
    labels = labels_of(protocol)
    drawn = draw_split(labels, protocol, seed=1)
    write_split(tmp_path / "s.json", drawn)
    back = read_split(tmp_path / "s.json")
    numbers = PROTOCOLS[protocol]
    for name in PARTS:
        positions = getattr(drawn.indices, name)
        np.testing.assert_array_equal(getattr(back.indices, name), positions)
        assert len(positions) == getattr(numbers, f"n_{name}")
    assert (back.protocol, back.seed, back.checksum) == (numbers, 1, drawn.checksum)
    assert back.indices.held_out == drawn.indices.held_out
    assert back.label_checksums["query"] == label_checksum(labels[drawn.indices.query])
    assert back.label_checksums["database"] == label_checksum(labels[drawn.indices.database])
    for words in (str(numbers), "seed 1", drawn.checksum[:16]):
        assert words in str(back)
    content = json.loads((tmp_path / "s.json").read_text())
    assert content["printed"] == str(drawn)
    assert content["protocol"]["train_in_database"] == numbers.train_in_database


def test_a_seed_is_a_split(cifar: np.ndarray) -> None:
    one, again, other = (draw_split(cifar, "P1a", seed=seed).checksum for seed in (0, 0, 1))
    assert one == again != other
    assert draw_split(cifar, "P1b", seed=0).checksum != one
    assert "held out" in str(draw_split(cifar, "unseen", seed=0))
    assert "held out" not in str(draw_split(cifar, "P2", seed=0))


def test_the_split_is_the_one_that_training_uses() -> None:
    data, drawn = load_digits(random_state=5), draw_split(labels_of("digits"), "digits", seed=5)
    np.testing.assert_array_equal(data.query.indices, drawn.indices.query)
    np.testing.assert_array_equal(data.database.indices, drawn.indices.database)


def _set(*keys: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (_set("query", 0, to=1_700), ChecksumError, ["positions with SHA-256", "been changed"]),
        (_set("database", -1, to=0), ChecksumError, ["SHA-256"]),
        (_set("seed", to=4), ChecksumError, ["SHA-256"]),
        (_set("sha256", to="0" * 64), ChecksumError, ["0000"]),
        (_set("protocol", "n_query", to=10), InvalidInputError, ["360", "one meaning"]),
        (_set("protocol", "code", to="P9"), UnknownNameError, ["'P9'"]),
        (_set("format", to="other"), InvalidInputError, ["'other'", "gsl-tutorial split"]),
        (_set("train", to=[]), InvalidInputError, ["whole split file", "train"]),
        (_set("query", to=[0.5]), InvalidInputError, ["whole split file", "query"]),
        (lambda content: content.pop("label_sha256"), InvalidInputError, ["label_sha256"]),
        (lambda content: content.pop("protocol"), InvalidInputError, ["protocol"]),
    ],
)
def test_a_changed_file_is_refused(
    change: Callable[[dict[str, Any]], None],
    kind: type[TutorialError],
    words: list[str],
    file: Path,
) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(kind) as caught:
        read_split(file)
    for word in words:
        assert word in str(caught.value)


def test_other_files(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError):
        read_split(tmp_path / "none.json")
    (tmp_path / "list.json").write_text("[1, 2]")
    with pytest.raises(InvalidInputError, match="another file"):
        read_split(tmp_path / "list.json")
    with pytest.raises(StorageError):
        write_split(
            tmp_path / "list.json" / "x.json", draw_split(labels_of("digits"), "digits", seed=0)
        )


def test_bad_seeds_and_labels(cifar: np.ndarray) -> None:
    with pytest.raises(InvalidInputError, match="seed a whole number"):
        draw_split(cifar, "P1a", seed=-1)
    with pytest.raises(UnknownNameError, match="'P3'"):
        draw_split(cifar, "P3", seed=0)
    with pytest.raises(InvalidInputError, match="60,000 labels"):
        draw_split(cifar[:100], "P1a", seed=0)


def test_labels_without_images_are_those_of_the_images(
    cifar: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.testing.assert_array_equal(np.bincount(cifar), [6_000] * 10)
    monkeypatch.setattr(saved_runs, "SHIPPED", tmp_path / "none")
    monkeypatch.setattr(saved_runs, "read_cifar10", lambda: (None, cifar))
    np.testing.assert_array_equal(labels_of("P1a"), cifar)
    monkeypatch.setattr(saved_runs, "CIFAR10_SHA256", "other")
    with pytest.raises(ChecksumError, match="labels of CIFAR-10"):
        labels_of("P1a")
