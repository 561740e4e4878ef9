"""CIFAR-100: two sources, one data set; nothing is believed unverified; protocols do not leak."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from gsl_tutorial.course.datasets import cifar100
from gsl_tutorial.course.datasets.cifar10_files import OfficialFile
from gsl_tutorial.course.datasets.cifar100 import (
    PROTOCOLS_100,
    SHEETS,
    arrange_100,
    class_names,
    names,
    read_cifar100,
)
from gsl_tutorial.course.study import load_study
from gsl_tutorial.course.study.running import execute
from gsl_tutorial.course.training import train_run
from gsl_tutorial.course.training.config import DATASETS, PROFILES, Schedule
from gsl_tutorial.errors import ChecksumError, DataMissingError, InvalidInputError

LABELS = np.concatenate([np.repeat(np.arange(100), each) for each in (200, 100)])


def test_the_names_are_those_of_a_hundred_classes() -> None:
    found = names()
    assert len(found) == 100
    assert list(found) == sorted(found) == list(class_names())
    assert {len(of_class) for of_class in found.values()} == {200}
    assert all(list(of_class) == sorted(set(of_class)) for of_class in found.values())


@pytest.mark.parametrize("protocol", PROTOCOLS_100)
@pytest.mark.parametrize("seed", [0, 1])
def test_protocols_do_not_leak(protocol: str, seed: int) -> None:
    images = np.zeros((30_000, 1, 1, 3), dtype=np.uint8)
    data = arrange_100(images, LABELS, protocol=protocol, random_state=seed)
    train, database, query = (
        set(split.indices.tolist()) for split in (data.train, data.database, data.query)
    )
    seen, searched = set(data.train.labels.tolist()), set(data.database.labels.tolist())
    assert set(data.query.labels.tolist()) == searched
    assert not query & (train | database)
    assert max(train | database) < 20_000
    if protocol == "validation":
        assert max(query) < 20_000
        assert (len(train), len(query)) == (18_000, 2_000)
    else:
        assert min(query) >= 20_000
    if protocol == "unseen":
        assert not seen & searched
        assert (len(seen), len(searched)) == (80, 20)
        other = arrange_100(images, LABELS, protocol=protocol, random_state=seed + 1)
        assert set(other.query.labels.tolist()) != searched
    else:
        assert train == database
        assert len(seen) == 100
    assert set(DATASETS["cifar100"]) == set(PROTOCOLS_100)


def test_another_protocol_is_refused() -> None:
    images = np.zeros((30_000, 1, 1, 3), dtype=np.uint8)
    with pytest.raises(InvalidInputError, match="a protocol of CIFAR-100"):
        arrange_100(images, LABELS, protocol="P1a", random_state=0)


def test_without_a_source_the_places_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        DataMissingError, match=r"cifar-100-python or cifar-100-subset in .*tar\.gz"
    ):
        read_cifar100(tmp_path)
    (tmp_path / SHEETS).mkdir()
    with pytest.raises(DataMissingError, match="SHA256SUMS"):
        read_cifar100(tmp_path)
    (tmp_path / SHEETS / "SHA256SUMS").write_text("0  ./train/apple.webp\n")
    with pytest.raises(ChecksumError, match="nothing of it was opened"):
        read_cifar100(tmp_path)


@pytest.fixture
def official(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The official archive in small: all names, images of one colour that tells class and name."""
    rng = np.random.default_rng(0)
    rows: dict[str, list[tuple[int, str]]] = {"train": [], "test": []}
    for label, (kind, of_class) in enumerate(names().items()):
        rows["train"] += [(label, name) for name in (*of_class, f"{kind}_s_extra")]
        rows["test"] += [(label, f"{kind}_s_{i:06}") for i in range(2)]
    folder = tmp_path / cifar100.FOLDER
    folder.mkdir()
    sums = {}
    for part, of_part in rows.items():
        shuffled = [of_part[i] for i in rng.permutation(len(of_part))]
        data = np.zeros((len(shuffled), 3072), dtype=np.uint8)
        data[:, 0] = [label for label, _ in shuffled]
        data[:, 1024] = [hash_of(name) for _, name in shuffled]
        batch = {
            b"data": data,
            b"fine_labels": [label for label, _ in shuffled],
            b"filenames": [f"{name}.png".encode() for _, name in shuffled],
        }
        content = pickle.dumps(batch)
        (folder / part).write_bytes(content)
        sums[part] = OfficialFile(hashlib.md5(content).hexdigest(), len(content))
    monkeypatch.setattr(cifar100, "FILES", MappingProxyType(sums))
    # NumPy no longer writes pickles as it did in 2009, and no others pass the real one.
    monkeypatch.setattr(cifar100, "_unpickle", lambda content, name: pickle.loads(content))
    return tmp_path


def hash_of(name: str) -> int:
    return hashlib.md5(name.encode()).digest()[0]


def test_the_official_archive_gives_the_named_images_in_order(official: Path) -> None:
    images, labels = read_cifar100(official)
    assert images.shape == (20_200, 32, 32, 3)
    wanted = [(label, name) for label, row in enumerate(names().values()) for name in row]
    assert labels[:20_000].tolist() == [label for label, _ in wanted]
    assert images[:20_000, 0, 0, 0].tolist() == [label for label, _ in wanted]
    assert images[:20_000, 0, 0, 1].tolist() == [hash_of(name) for _, name in wanted]
    assert labels[20_000:].tolist() == sorted(labels[20_000:].tolist())


def test_an_archive_that_was_changed_is_never_opened(official: Path) -> None:
    path = official / cifar100.FOLDER / "test"
    path.write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(ChecksumError, match="nothing of it was opened"):
        read_cifar100(official)


def test_both_sources_count_alike() -> None:
    """The sheets are lossless copies of the archive's images; here that they can be read at all."""
    try:
        images, labels = read_cifar100()
    except DataMissingError:
        pytest.skip("CIFAR-100 is not on this machine")
    assert images.shape == (30_000, 32, 32, 3)
    assert np.array_equal(labels, LABELS)
    assert len(np.unique(images.reshape(30_000, -1)[:2_000], axis=0)) > 1_990


def test_a_study_of_the_crowd_runs_under_every_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.zeros((30_000, 32, 32, 3), dtype=np.uint8)
    images[:] = (np.random.default_rng(0).integers(0, 256, (100, 32, 32, 3), dtype=np.uint8))[
        LABELS
    ]
    monkeypatch.setattr(train_run, "read_cifar100", lambda root: (images, LABELS))
    short = Schedule(2, epochs=1, batch_size=50, learning_rate=0.1, encoder="conv-small")
    monkeypatch.setitem(PROFILES["cifar100"], "study", short)
    study = replace(load_study("map-crowd"), train_per_class=5, queries=100)
    chosen: dict[Any, Any] = {key: {} for key in study.keys()}  # noqa: SIM118
    runs = [study.tuning()[0]] + [study.runs(part, chosen)[0] for part in study.parts]
    sizes = {}
    for run in runs:
        record, per_query = execute(run, study)
        sizes[record["protocol"]] = (record["n_train"], record["n_database"], record["n_query"])
        assert per_query.shape == (record["n_query"],)
        assert record["bits"] == 16
    assert sizes == {
        "validation": (500, 500, 100),
        "P2": (500, 500, 100),
        "unseen": (400, 100, 100),
    }
