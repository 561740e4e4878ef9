"""The files of the field: what was written comes back, and a hostile file is a sentence, never a hang."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from gsl_tutorial.course.results.array_files import read_array, read_labels
from gsl_tutorial.errors import DataMissingError, InvalidInputError, TutorialError
from gsl_tutorial.storage import load_array, read_json

few = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def vecs(rows: np.ndarray, dtype: str) -> bytes:
    return b"".join(struct.pack("<i", len(row)) + row.astype(dtype).tobytes() for row in rows)


def npy(header: str) -> bytes:
    """A version 1.0 file with any header and no numbers."""
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


# What was written comes back


@few
@given(
    st.integers(1, 7),
    st.integers(1, 9),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["f", "i", "b"]),
)
def test_vecs_and_bins(tmp_path: Path, n: int, d: int, seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    vec, bin_, dtype = {"f": ("fvecs", "fbin", "<f4"), "i": ("ivecs", "ibin", "<i4"),
                        "b": ("bvecs", "u8bin", "u1")}[kind]  # fmt: skip
    rows = rng.integers(0, 256, (n, d)).astype(dtype)
    (tmp_path / f"a.{vec}").write_bytes(vecs(rows, dtype))
    (tmp_path / f"a.{bin_}").write_bytes(struct.pack("<II", n, d) + rows.tobytes())
    for name in (vec, bin_):
        got = read_array(tmp_path / f"a.{name}")
        assert got.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(got, rows)
        got[0, 0] = 1  # ours to write to: no view of a file


def test_ids_with_distances_behind_them(tmp_path: Path) -> None:
    ids = np.arange(6, dtype="<i4").reshape(2, 3)
    tail = np.zeros((2, 3), "<f4").tobytes()
    (tmp_path / "gt.ibin").write_bytes(struct.pack("<II", 2, 3) + ids.tobytes() + tail)
    np.testing.assert_array_equal(read_array(tmp_path / "gt.ibin"), ids)


@pytest.mark.parametrize("version", ["4", "5"])
@pytest.mark.parametrize("compressed", [False, True])
def test_matlab(tmp_path: Path, version: str, compressed: bool) -> None:
    labels = np.arange(5.0)[:, None]
    many = scipy.sparse.csc_matrix(np.eye(5))
    scipy.io.savemat(
        tmp_path / "a.mat", {"L": labels, "S": many}, format=version, do_compression=compressed
    )
    path = f"{tmp_path}/a.mat"
    np.testing.assert_array_equal(read_array(f"{path}:L"), labels)
    np.testing.assert_array_equal(read_array(f"{path}:S"), np.eye(5))
    with pytest.raises(InvalidInputError, match="it holds L, S"):
        read_array(path)
    with pytest.raises(InvalidInputError, match="got M; it holds L, S"):
        read_array(f"{path}:M")
    scipy.io.savemat(tmp_path / "b.mat", {"only": labels}, format=version)
    np.testing.assert_array_equal(read_array(tmp_path / "b.mat"), labels)


@few
@given(st.sampled_from(["4", "5"]), st.booleans(), st.integers(0, 2**32 - 1), st.data())
def test_matlab_files_are_read_as_scipy_reads_them(
    tmp_path: Path, version: str, compressed: bool, seed: int, data: st.DataObject
) -> None:
    rng, wanted = np.random.default_rng(seed), {}
    kinds = ["f8", "f4", "i4", "i2", "u2", "u1"]
    kinds += ["i1", "u4", "i8", "u8", "?"] if version == "5" else []
    for i in range(data.draw(st.integers(1, 4))):
        shape = (data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5)))
        dense = rng.integers(0, 3, shape).astype(data.draw(st.sampled_from(kinds)))
        sparse = data.draw(st.booleans())
        wanted[f"v{i}" * (1 + 3 * i)] = scipy.sparse.csc_matrix(dense * 1.0) if sparse else dense
    others = {"words": "abc", "complex": np.array([1j])}
    others |= {"cell": np.array([1, "a"], object), "record": {"a": 1}} if version == "5" else {}
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {**others, **wanted}, format=version, do_compression=compressed)
    theirs = scipy.io.loadmat(path)
    for name in wanted:
        got, known = read_array(f"{path}:{name}"), theirs[name]
        if scipy.sparse.issparse(known):
            known = known.toarray()
        np.testing.assert_array_equal(got, known)
        assert got.dtype == known.dtype or (got.dtype, known.dtype) == (bool, np.uint8)
        assert got.flags.c_contiguous
        assert got.dtype.isnative
    with pytest.raises(InvalidInputError):
        read_array(f"{path}:words")


def test_hdf5(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    rng = np.random.default_rng(0)
    train, ids = rng.random((7, 3), np.float32), rng.integers(0, 7, (2, 4))
    with h5py.File(tmp_path / "ann.hdf5", "w") as file:
        file["train"], file["deep/neighbors"] = train, ids
        file.create_dataset("huge", (10**7, 10**4), "f4", chunks=True)
        file.create_virtual_dataset("far", h5py.VirtualLayout((3,), "f4"))
    path = f"{tmp_path}/ann.hdf5"
    np.testing.assert_array_equal(read_array(f"{path}:train"), train)
    np.testing.assert_array_equal(read_array(f"{path}:deep/neighbors"), ids)
    with pytest.raises(InvalidInputError, match=r"\(10000000, 10000\) in a file of"):
        read_array(f"{path}:huge")
    with pytest.raises(InvalidInputError, match="it holds deep/neighbors, far, huge, train"):
        read_array(path)
    # MATLAB 7.3 is HDF5 with a foreword of 512 bytes, and keeps columns together.
    with h5py.File(tmp_path / "new.mat", "w", userblock_size=512) as file:
        file["X"] = train.T
    with (tmp_path / "new.mat").open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file")
    np.testing.assert_array_equal(read_array(tmp_path / "new.mat"), train)


def test_without_h5py_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(InvalidInputError, match="pip install h5py"):
        read_array(tmp_path / "a.h5")


@few
@given(st.sampled_from(["u1", "<i8", ">i4", "f2", "f4", "f8", "?", "<U3"]), st.booleans())
def test_numpy(tmp_path: Path, dtype: str, in_columns: bool) -> None:
    array = np.arange(12).reshape(3, 4).astype(dtype)
    array = np.asfortranarray(array) if in_columns else array
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", array)
    np.savez(tmp_path / "two.npz", a=array, b=array[:0])
    for where in ("a.npy", "a.npz", "two.npz:a"):
        got = read_array(f"{tmp_path}/{where}")
        assert got.dtype == array.dtype
        np.testing.assert_array_equal(got, array)
    assert read_array(f"{tmp_path}/two.npz:b").shape == (0, 4)
    with pytest.raises(InvalidInputError, match="it holds a, b"):
        read_array(tmp_path / "two.npz")


def test_safetensors(tmp_path: Path) -> None:
    save_file({"codes": np.arange(4), "labels": np.ones(4)}, tmp_path / "a.safetensors")
    np.testing.assert_array_equal(read_array(f"{tmp_path}/a.safetensors:codes"), np.arange(4))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.csv", "1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("a.csv", "x;y\n1;2.5\n3;4\n", [[1, 2.5], [3, 4]]),
        ("a.csv:y", "x,y\n1,2\n3,4\n", [2, 4]),
        ("a.csv:name", "id,name\n1,cat\n2,dog\n", ["cat", "dog"]),
        ("a.csv", "label\n3\n5\n", [3, 5]),
        ("a.csv", '"a b"\n"c"\n', ["a b", "c"]),
        ("a.tsv", "1\t2\n3\t4", [[1, 2], [3, 4]]),
        ("a.txt", "7\n9\n", [7, 9]),
        ("a.txt", "\ufeff1 2\r\n3 4\r\n", [[1, 2], [3, 4]]),
        ("a.txt", "cat\ndog\n", ["cat", "dog"]),
        ("a.csv", f"{2**53 + 1}\n{2**53}\n", [2**53 + 1, 2**53]),
        ("a.txt", "data/1.jpg 0 1 0\ndata/a b.jpg 1 0 0\n", [[0, 1, 0], [1, 0, 0]]),
        ("a.txt", "data/1.jpg 4\ndata/2.jpg 5\n", [4, 5]),
        ("a.json", "[[1, 0], [0, 1]]", [[1, 0], [0, 1]]),
    ],
)
def test_text(tmp_path: Path, name: str, text: str, expected: list[Any]) -> None:
    (tmp_path / name.partition(":")[0]).write_text(text, encoding="utf-8", newline="")
    got = read_array(f"{tmp_path}/{name}")
    assert got.tolist() == expected
    assert got.dtype.kind == np.asarray(expected).dtype.kind


@pytest.mark.parametrize(
    ("name", "text"), [("a.json", "[[1, 5], [2], []]"), ("a.txt", "1 5\n2\n7\n")]
)
def test_lists_of_labels(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_labels(tmp_path / name)[:2] == [[1, 5], [2]]
    with pytest.raises(InvalidInputError, match="lists of different lengths"):
        read_array(tmp_path / name)


def test_lists_of_words_and_of_one_length(tmp_path: Path) -> None:
    for text in ('[["sea", "sky"], ["town"]]', '[["sea"], ["town"]]', "[[1, 5], [2, 7]]"):
        (tmp_path / "a.json").write_text(text)
        assert read_labels(tmp_path / "a.json") == json.loads(text)
    (tmp_path / "a.json").write_text("[[1, 0], [0, 1]]")
    assert isinstance(read_labels(tmp_path / "a.json"), np.ndarray)


def test_colons_and_strange_names(tmp_path: Path) -> None:
    np.save(tmp_path / "a:b.npy", np.arange(3))
    assert read_array(tmp_path / "a:b.npy").tolist() == [0, 1, 2]
    (tmp_path / "noname").write_bytes((tmp_path / "a:b.npy").read_bytes())
    assert read_array(tmp_path / "noname").tolist() == [0, 1, 2]
    with pytest.raises(DataMissingError, match="No such file"):
        read_array(f"{tmp_path}/none.mat:x")
    with pytest.raises(DataMissingError):
        read_array("a\0b.npy")
    with pytest.raises(InvalidInputError, match="no name behind") as caught:
        read_array(f"{tmp_path}/a:b.npy:\x1b[2J")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x.pt", ["PyTorch", "weights_only=True", "numpy.save('x.npy'", "torch.load('x.pt'"]),
        ("x.PTH", ["PyTorch", "x.npy"]),
        ("x.pkl", ["may run anything", "pickle.load(open('x.pkl', 'rb'))"]),
        ("x.joblib", ["joblib.load"]),
        ("x.parquet", ["read_parquet('x.parquet')"]),
        ("x.faiss", ["from_faiss(faiss.read_index('x.faiss'))"]),
        ("x.npy.gz", ["unpack it first"]),
        ("x.tfrecord", ["its own library"]),
        ("x y';rm.pt", ["torch.load('FILE.pt'"]),
        ("x.weird", ["one of the kinds .npy", "'x.weird'"]),
    ],
)
def test_what_is_not_read_is_named_with_the_line_that_converts_it(
    tmp_path: Path, name: str, words: list[str]
) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(InvalidInputError) as caught:
        read_array(tmp_path / name)
    for word in words:
        assert word in str(caught.value)


def test_the_line_for_torch_files_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.chdir(tmp_path)
    torch.save(torch.arange(3.0, requires_grad=True), "x.pt")
    with pytest.raises(InvalidInputError) as caught:
        read_array("x.pt")
    line = str(caught.value).split('"')[1]
    exec(line)
    assert read_array("x.npy").tolist() == [0, 1, 2]


# Hostile files


def bomb() -> bytes:
    """A .npz whose member claims a terabyte."""
    inner = npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**11},)}}")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.npy", inner)
    return out.getvalue()


HUGE = {
    "big.npy": npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**12}, 4)}}"),
    "wraps.npy": npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({2**40}, {2**40})}}"),
    "minus.npy": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-3, 4)}"),
    "objects.npy": npy("{'descr': '|O', 'fortran_order': False, 'shape': (3,)}"),
    "code.npy": npy("__import__('os').system('false')"),
    "big.npz": bomb(),
    "cut.fvecs": vecs(np.ones((3, 4)), "<f4")[:-3],
    "row.fvecs": vecs(np.ones((3, 4)), "<f4") + struct.pack("<i", 5) + bytes(16),
    "minus.fvecs": struct.pack("<i", -4) + bytes(16),
    "zero.ivecs": struct.pack("<i", 0) * 3,
    "swapped.ivecs": struct.pack(">i", 4) + bytes(16),
    "big.fvecs": struct.pack("<i", 2**31 - 1) + bytes(16),
    "short.bvecs": b"\x01\x00",
    "big.fbin": struct.pack("<II", 2**32 - 1, 2**32 - 1) + bytes(16),
    "none.ibin": struct.pack("<II", 0, 4),
    "not.mat": b"MATLAB 5.0 MAT-file" + bytes(200),
    "old.mat": struct.pack("<5i", 0, 2**30, 2**30, 0, 2) + b"x\0" + bytes(8),
    "not.h5": b"\x89HDF\r\n\x1a\n" + bytes(50),
    "not.safetensors": b"\xff" * 40,
    "not.csv": b"\xff\xfe\x00",
    "nul.csv": b"1,2\0,3\n",
    "ragged.csv": b"1.5,2\n3\n",
    "words.csv": b"a,1\nb,2\nc,x\n",
    "deep.json": b"[" * 100_000,
    "words.json": b'{"a": 1}',
    "mixed.txt": b"a.jpg 1 0\nb.jpg x\n",
    **dict.fromkeys(("empty.npy", "empty.npz", "empty.fvecs", "empty.mat", "empty.csv",
                     "empty.h5", "empty.json", "empty.fbin", "empty.txt"), b""),
}  # fmt: skip


@pytest.mark.parametrize("name", HUGE)
def test_hostile_files_are_refused_without_memory(tmp_path: Path, name: str) -> None:
    import tracemalloc

    (tmp_path / name).write_bytes(HUGE[name])
    for read in (read_array, read_labels):
        tracemalloc.start()
        with pytest.raises(TutorialError):
            read(tmp_path / name)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 30e6


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".fvecs", ".mat", ".h5", ".csv", ".json"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "missing", "loop"])
def test_what_is_no_file_is_refused_and_never_waited_for(
    tmp_path: Path, suffix: str, kind: str
) -> None:
    path = tmp_path / f"x{suffix}"
    {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to("/dev/zero"),
        "missing": lambda: None,
        "loop": lambda: path.symlink_to(path),
    }[kind]()
    for read in (read_array, load_array, read_json):
        with pytest.raises(DataMissingError):
            read(path)


EXAMPLES: dict[str, Callable[[Path], None]] = {
    "a.npy": lambda path: np.save(path, np.ones((3, 4), np.float32)),
    "a.npz": lambda path: np.savez(path, np.ones((3, 4), np.float32)),
    "a.mat": lambda path: scipy.io.savemat(path, {"x": np.eye(3)}),
    "z.mat": lambda path: scipy.io.savemat(
        path, {"x": scipy.sparse.eye(3, format="csc")}, do_compression=True
    ),
    "a.fvecs": lambda path: path.write_bytes(vecs(np.ones((3, 4)), "<f4")) and None,
    "a.ibin": lambda path: path.write_bytes(struct.pack("<II", 1, 2) + bytes(8)) and None,
    "a.json": lambda path: path.write_text(json.dumps([[1, 2], [3]])) and None,
    "a.csv": lambda path: path.write_text("x,y\n1,2\n") and None,
}


@settings(
    max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_damaged_files_give_an_array_or_a_sentence(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    path = tmp_path / name
    EXAMPLES[name](path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    with suppress(TutorialError):
        read_labels(path)
