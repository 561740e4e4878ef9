"""Files are whole or absent: failed writes, changed bytes, cut files, and what comes back."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsl_tutorial import storage
from gsl_tutorial.errors import ChecksumError, DataMissingError, InvalidInputError, StorageError
from gsl_tutorial.storage import (
    digest,
    load_arrays,
    read_json,
    save_arrays,
    write_bytes,
    write_json,
)

ARRAYS = {
    "float16": np.linspace(0, 1, 6, dtype=np.float16).reshape(2, 3),
    "float32": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "not contiguous": np.arange(12, dtype=np.int64).reshape(3, 4).T,
    "codes": np.array([[0, 255], [7, 1]], dtype=np.uint8),
    "scalar": np.array(7, dtype=np.int64),
    "empty": np.empty((0, 5), dtype=np.float32),
}


def no_space(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fails_on_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the file accept half of the bytes and then say that the disk is full."""
    original = tempfile.NamedTemporaryFile

    def opened(*args: Any, **kwargs: Any) -> Any:
        file = original(*args, **kwargs)
        write = file.write

        def half(content: bytes) -> None:
            write(content[: len(content) // 2])
            no_space()

        file.write = half
        return file

    monkeypatch.setattr(storage.tempfile, "NamedTemporaryFile", opened)


FAILURES = {
    "making the file": lambda m: m.setattr(storage.tempfile, "NamedTemporaryFile", no_space),
    "in the middle": fails_on_write,
    "flushing": lambda m: m.setattr(storage.os, "fsync", no_space),
    "renaming": lambda m: m.setattr(storage.os, "replace", no_space),
}


@pytest.mark.parametrize("when", FAILURES)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.bin"
    write_bytes(path, b"the old content")
    FAILURES[when](monkeypatch)
    with pytest.raises(StorageError) as caught:
        write_bytes(path, b"n" * 2048)
    monkeypatch.undo()
    assert path.read_bytes() == b"the old content"
    assert os.listdir(tmp_path) == ["model.bin"]
    text = str(caught.value)
    for phrase in ("2,048 bytes to model.bin", "No space left", "free space", "old file is un"):
        assert phrase in text
    assert str(tmp_path) in text
    assert caught.value.exit_code == 5
    assert isinstance(caught.value, OSError)


def test_an_interrupt_in_a_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.bin"
    write_bytes(path, b"old")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(storage.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.bin"]


def test_the_file_appears_only_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new" / "model.bin"
    seen: list[tuple[bool, bytes]] = []

    def replaced(source: Path, target: Path) -> None:
        seen.append((path.exists(), Path(source).read_bytes()))
        os.rename(source, target)

    monkeypatch.setattr(storage.os, "replace", replaced)
    write_bytes(path, b"all of it")
    assert seen == [(False, b"all of it")]
    assert path.read_bytes() == b"all of it"
    assert os.listdir(path.parent) == ["model.bin"]


def test_a_written_file_can_be_read_by_others(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_a_file_in_the_place_of_a_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match="choose another folder"):
        write_json(tmp_path / "file" / "run" / "config.json", {})
    assert (tmp_path / "file").read_text() == "mine"


def test_arrays_and_header_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    header = {"config": {"bits": 32, "name": "é"}, "history": [{"loss": 0.1}], "none": None}
    save_arrays(path, ARRAYS, header)
    arrays, found = load_arrays(path, sha256=digest(path))
    assert found == header
    assert set(arrays) == set(ARRAYS)
    for name, expected in ARRAYS.items():
        assert arrays[name].dtype == expected.dtype
        assert arrays[name].shape == expected.shape, name
        np.testing.assert_array_equal(arrays[name], expected)


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_arrays(tmp_path / name, ARRAYS, {"seed": 0})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_changed_byte_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    save_arrays(path, ARRAYS, {})
    published = digest(path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    def opened(*_: Any, **__: Any) -> None:
        raise AssertionError("the file was opened as safetensors")

    monkeypatch.setattr(storage, "safe_open", opened)
    with pytest.raises(ChecksumError) as caught:
        load_arrays(path, sha256=published)
    assert published in str(caught.value)
    assert digest(path) in str(caught.value)
    assert "fetch the file again" in str(caught.value)


@pytest.mark.parametrize("keep", [0, 4, 40, -1])
def test_a_cut_file_is_named(keep: int, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_arrays(path, ARRAYS, {})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InvalidInputError, match=r"a whole safetensors file at a\.safetensors"):
        load_arrays(path)


@pytest.mark.parametrize("read", [load_arrays, read_json, digest])
@pytest.mark.parametrize("what", ["missing", "a folder"])
def test_what_cannot_be_read_is_missing_data(read: Any, what: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    if what == "a folder":
        path.mkdir()
    with pytest.raises(DataMissingError, match="a readable file") as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert isinstance(caught.value, FileNotFoundError)


def test_json_round_trip_and_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    value = {"z": 1, "a": [1.5, None, "x"]}
    write_json(path, value)
    assert read_json(path) == value
    assert list(json.loads(path.read_text())) == ["z", "a"]
    assert path.read_text().endswith("}\n")
    path.write_text('{"z": 1, "a"')
    with pytest.raises(InvalidInputError, match=r"JSON in a\.json.*make the file again"):
        read_json(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInputError):
        read_json(path)
