"""Splits, protocols and loaders: sizes, disjointness, seeds, and data that must not be believed."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gsl_tutorial.course.datasets import (
    PROTOCOLS,
    Split,
    arrange,
    cifar10,
    cifar10_files,
    cifar10_status,
    draw_per_class,
    find_cifar10,
    load_cifar10,
    load_digits,
    make_blobs_2d,
    read_cifar10,
    split,
)
from gsl_tutorial.course.datasets.cifar10_files import FOLDER, OfficialFile
from gsl_tutorial.errors import (
    ChecksumError,
    DataMissingError,
    InvalidInputError,
    UnknownNameError,
)

ROWS = 20  # images in each batch of the small fake
CIFAR = [code for code in PROTOCOLS if code != "digits"]


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    """60,000 labels in an order like the official one: balanced batches, shuffled inside."""
    rng = np.random.default_rng(7)
    parts = [rng.permutation(np.repeat(np.arange(10), n // 10)) for n in (50_000, 10_000)]
    return np.concatenate(parts)


def batch_bytes(number: int) -> bytes:
    """Return a batch as Python 2 pickled it: byte strings, and NumPy's names of 2009.

    Python 3 no longer writes such pickles, so the few opcodes are spelled out.
    """
    data = np.random.default_rng(number).integers(0, 256, (ROWS, 3072), dtype=np.uint8).tobytes()
    text = b"U%c%s"  # a short byte string: its length, then its bytes
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K%cM\x00\x0c\x86"
        % ROWS  # version 1, shape (ROWS, 3072)
        + b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        + b"\x89T%s%stb" % (len(data).to_bytes(4, "little"), data)  # row-major, the values
    )
    labels = b"](" + b"".join(b"K%c" % (i % 10) for i in range(ROWS)) + b"e"
    return b"\x80\x02}(" + text % (4, b"data") + array + text % (6, b"labels") + labels + b"u."


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny complete copy of CIFAR-10, with the table of checksums to match."""
    for variable in ("GSL_TUTORIAL_DATA", "GSL_TUTORIAL_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("GSL_TUTORIAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cifar10, "_ROWS", ROWS)
    folder = tmp_path / "data" / FOLDER
    folder.mkdir(parents=True)
    for number, name in enumerate(cifar10_files.FILES):
        (folder / name).write_bytes(batch_bytes(number) if name != "batches.meta" else b"meta")
    believe(folder, monkeypatch)
    return folder


def believe(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the table of checksums say that what lies in `folder` is official."""
    table = {
        name: OfficialFile(
            hashlib.md5((folder / name).read_bytes()).hexdigest(), (folder / name).stat().st_size
        )
        for name in cifar10_files.FILES
    }
    monkeypatch.setattr(cifar10_files, "FILES", table)


# -- splits ------------------------------------------------------------------------------------


def test_arrays_of_a_split_cannot_be_changed_and_the_callers_own_can() -> None:
    own = np.arange(6.0).reshape(3, 2)
    part = Split("query", own, labels=np.array([0, 1, 1]), indices=np.arange(3))
    for array in (part.x, part.labels, part.indices, part.take(slice(1)).x):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9
    own[0] = 5
    assert repr(part) == "Split(query: 3 x 2 float64, 2 classes)"


@pytest.mark.parametrize(
    ("labels_", "indices"),
    [([0, 1], [0, 1, 2]), ([0.0, 1.0, 2.0], [0, 1, 2]), ([0, 1, 2], [[0, 1, 2]])],
)
def test_a_split_with_wrong_labels_says_so(labels_: list, indices: list) -> None:
    with pytest.raises(InvalidInputError, match=r"expected one integer in .* What to do: give x"):
        Split("train", np.zeros((3, 2)), labels=np.array(labels_), indices=np.array(indices))


@pytest.mark.parametrize("seed", range(5))
def test_draw_per_class_is_balanced_sorted_and_without_repetition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    some = rng.integers(0, 4, 200)
    drawn = draw_per_class(some, 20, rng=rng)
    assert np.bincount(some[drawn]).tolist() == [20] * 4
    assert np.all(np.diff(drawn) > 0)


def test_draw_per_class_refuses_more_than_there_are() -> None:
    with pytest.raises(InvalidInputError, match="between 0 and 1 rows a class"):
        draw_per_class(np.array([0, 0, 1]), 2, rng=np.random.default_rng(0))


# -- toy and digits ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_blobs_are_seeded_balanced_and_in_the_picture(seed: int) -> None:
    blobs = make_blobs_2d(40, 3, random_state=seed)
    assert np.array_equal(blobs.x, make_blobs_2d(40, 3, random_state=seed).x)
    assert not np.array_equal(blobs.x, make_blobs_2d(40, 3, random_state=seed + 1).x)
    assert np.bincount(blobs.labels).tolist() == [40] * 3
    assert np.abs(blobs.x).max() < 1.2
    assert blobs.x.dtype == np.float64


def test_blobs_refuse_nothing() -> None:
    with pytest.raises(InvalidInputError, match="n_per_class=0"):
        make_blobs_2d(0, random_state=0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("validation", [0, 200])
def test_digits_are_split_evenly_and_without_overlap(seed: int, validation: int) -> None:
    data = load_digits(random_state=seed, validation=validation)
    assert [len(s) for s in (data.query, data.database, data.validation)] == [360, 1437, validation]
    assert np.bincount(data.query.labels).tolist() == [36] * 10
    assert not np.intersect1d(data.query.indices, data.database.indices).size
    apart = np.concatenate([data.train.indices, data.validation.indices])
    assert np.array_equal(np.sort(apart), data.database.indices)
    assert data.query.x.dtype == np.float32
    assert (data.database.x.min(), data.database.x.max()) == (0, 1)
    same = load_digits(random_state=seed, validation=100)
    assert np.array_equal(data.query.indices, same.query.indices)


@pytest.mark.parametrize("validation", [-10, 15, 2000])
def test_digits_refuse_an_uneven_validation_set(validation: int) -> None:
    with pytest.raises(InvalidInputError, match="What to do"):
        load_digits(validation=validation)


def test_choices_cannot_be_made_on_the_test_queries() -> None:
    data = load_digits(validation=100)
    tuning = data.as_validation()
    seen = np.concatenate([tuning.query.indices, tuning.database.indices])
    assert not np.intersect1d(seen, data.query.indices).size
    assert not np.intersect1d(tuning.query.indices, tuning.database.indices).size
    with pytest.raises(InvalidInputError, match="load it with"):
        load_digits().as_validation()


# -- protocols ---------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CIFAR)
@pytest.mark.parametrize("seed", range(3))
def test_a_protocol_keeps_its_word(code: str, seed: int, labels: np.ndarray) -> None:
    word, drawn = PROTOCOLS[code], split(labels, code, random_state=seed)
    sizes = [len(drawn.query), len(drawn.train), len(drawn.database)]
    assert sizes == [word.n_query, word.n_train, word.n_database]
    for part in (drawn.query, drawn.train, drawn.database):
        assert len(np.unique(part)) == len(part)
        assert np.ptp(np.unique(labels[part], return_counts=True)[1]) == 0  # balanced
        assert not part.flags.writeable
    assert np.isin(drawn.train, drawn.database).all() == word.train_in_database
    assert np.isin(drawn.train, drawn.database).any() == word.train_in_database
    assert np.isin(drawn.query, drawn.database).any() == word.query_in_database
    assert not np.isin(drawn.query, drawn.train).any()
    again = split(labels, code, random_state=seed)
    assert np.array_equal(drawn.query, again.query)
    assert np.array_equal(drawn.train, again.train)


def test_the_sizes_are_those_of_the_references() -> None:
    sizes = {p.code: (p.n_query, p.n_train, p.n_database) for p in PROTOCOLS.values()}
    assert sizes["P1a"] == (1_000, 5_000, 54_000)
    assert sizes["P1b"] == (1_000, 5_000, 59_000)
    assert sizes["P2"] == (10_000, 50_000, 50_000)
    assert sizes["P0"] == (10_000, 50_000, 10_000)
    assert sizes["unseen"] == (3_000, 35_000, 15_000)


def test_p1a_and_p1b_differ_by_the_training_images_alone(labels: np.ndarray) -> None:
    a, b = (split(labels, code, random_state=5) for code in ("P1a", "P1b"))
    assert np.array_equal(a.query, b.query)
    assert np.array_equal(np.sort(np.concatenate([a.database, a.train])), b.database)


@pytest.mark.parametrize("seed", range(3))
def test_unseen_classes_are_never_trained_on(seed: int, labels: np.ndarray) -> None:
    drawn = split(labels, "unseen", random_state=seed)
    assert len(set(drawn.held_out)) == 3
    assert set(labels[drawn.query]) == set(labels[drawn.database]) == set(drawn.held_out)
    assert not set(labels[drawn.train]) & set(drawn.held_out)


def test_another_seed_draws_others(labels: np.ndarray) -> None:
    for code in ("P1a", "validation"):
        one, two = (split(labels, code, random_state=seed).query for seed in (0, 1))
        assert not np.array_equal(one, two)
    assert len({split(labels, "unseen", random_state=s).held_out for s in range(8)}) > 1


def test_a_seed_keeps_its_meaning_over_the_years(labels: np.ndarray) -> None:
    # Published numbers hang on these draws. If NumPy's generator ever changes, this line says so.
    drawn = split(labels, "P1a", random_state=0)
    assert [int(drawn.query.sum()), int(drawn.train.sum())] == [29_517_179, 147_482_421]


def test_protocols_refuse_what_they_do_not_know(labels: np.ndarray) -> None:
    with pytest.raises(UnknownNameError, match=r"a protocol out of P0, P1a.*got 'P9'"):
        split(labels, "P9", random_state=0)
    with pytest.raises(InvalidInputError, match=r"60,000 labels .*P2.*shape \(100,\)"):
        split(labels[:100], "P2", random_state=0)
    with pytest.raises(InvalidInputError, match="then the 1,000 a class"):
        split(np.sort(labels), "P1a", random_state=0)
    with pytest.raises(InvalidInputError, match="1,797"):
        split(labels, "digits", random_state=0)


@pytest.mark.parametrize("code", CIFAR)
def test_arrange_gives_the_rows_that_were_drawn(code: str, labels: np.ndarray) -> None:
    x = np.arange(60_000).reshape(-1, 1)
    names = tuple("abcdefghij")
    data = arrange(x, labels, protocol=code, random_state=1, class_names=names)
    drawn = split(labels, code, random_state=1)
    for part, rows in (
        (data.query, drawn.query),
        (data.train, drawn.train),
        (data.database, drawn.database),
    ):
        assert np.array_equal(part.indices, rows)
        assert np.array_equal(part.x[:, 0], rows)
        assert np.array_equal(part.labels, labels[rows])
    assert [s.name for s in (data.query, data.train, data.database)] == [
        "query",
        "train",
        "database",
    ]
    if code in ("P0", "P2"):
        assert np.shares_memory(data.train.x, x)
        assert np.shares_memory(data.query.x, x)


# -- CIFAR-10, a tiny fake ---------------------------------------------------------------------


def test_the_fake_is_found_and_read(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for root in (fake, fake.parent):
        assert find_cifar10(root) == fake
        assert cifar10_status(root).state == "complete"
    images, labels_ = read_cifar10(fake)
    assert images.shape == (6 * ROWS, 32, 32, 3)
    stored = np.random.default_rng(0).integers(0, 256, (ROWS, 3072), dtype=np.uint8)
    assert np.array_equal(images[3, :, :, 1].ravel(), stored[3, 1024:2048])  # green
    assert labels_[:3].tolist() == [0, 1, 2]
    monkeypatch.setenv("GSL_TUTORIAL_DATA", str(fake.parent))
    assert find_cifar10() == fake
    monkeypatch.setenv("GSL_TUTORIAL_CACHE", str(fake.parent))
    monkeypatch.setenv("GSL_TUTORIAL_DATA", "/nowhere")
    assert find_cifar10() == fake  # the cache comes second


@pytest.mark.parametrize("seed", range(5))
def test_held_out_images_are_set_apart_without_losing_one(fake: Path, seed: int) -> None:
    images, labels_ = read_cifar10(fake)
    data = load_cifar10(fake, holdout=30, random_state=seed)
    assert np.bincount(data.validation.labels).tolist() == [3] * 10
    assert np.array_equal(np.sort(data.database.indices), np.arange(5 * ROWS))
    assert np.shares_memory(data.train.x, data.database.x)
    for part in (data.train, data.validation, data.database, data.query):
        assert np.array_equal(part.x, images[part.indices])
        assert np.array_equal(part.labels, labels_[part.indices])
    assert not np.intersect1d(data.train.indices, data.validation.indices).size


@pytest.mark.parametrize(("holdout", "text"), [(7, "multiple of 10"), (100, "below 100")])
def test_an_impossible_holdout_is_refused(fake: Path, holdout: int, text: str) -> None:
    with pytest.raises(InvalidInputError, match=text):
        load_cifar10(fake, holdout=holdout)


def test_missing_data_says_where_it_looked(fake: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    text = r"7 files of CIFAR-10 in .*empty; got none of them.*fetch.*GSL_TUTORIAL_DATA"
    with pytest.raises(DataMissingError, match=text):
        load_cifar10(empty)
    assert find_cifar10(empty) is None


def test_a_half_extracted_folder_is_listed(fake: Path) -> None:
    (fake / "data_batch_4").unlink()
    (fake / "test_batch").write_bytes(b"cut")
    text = r"has data_batch_1, .*missing or cut short: data_batch_4, test_batch"
    with pytest.raises(DataMissingError, match=text):
        load_cifar10(fake)
    assert cifar10_status(fake).state == "incomplete"


class Payload:
    """Unpickling this runs a program of the attacker's choice: here, it makes a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple:
        return (os.mkdir, (str(self.trace),))


def test_a_changed_byte_stops_everything_before_unpickling(
    fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fake / "test_batch"  # the last one to be read: the others must not be unpickled either
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    monkeypatch.setattr(cifar10, "_unpickle", lambda *_: pytest.fail("a file was unpickled"))
    with pytest.raises(ChecksumError) as caught:
        load_cifar10(fake)
    text = str(caught.value)
    assert cifar10_files.FILES["test_batch"].md5 in text
    assert hashlib.md5(content).hexdigest() in text
    assert "test_batch" in text
    assert "What to do: delete the folder" in text


def test_a_malicious_pickle_does_not_run(
    fake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace, path = tmp_path / "trace", fake / "data_batch_2"
    evil = pickle.dumps(Payload(trace), protocol=2)
    path.write_bytes(evil.ljust(path.stat().st_size, b"."))  # the right size, the wrong checksum
    with pytest.raises(ChecksumError, match="nothing was unpickled"):
        load_cifar10(fake)
    believe(fake, monkeypatch)  # now the checksum is "right" too
    with pytest.raises(ChecksumError, match=r"a call to (posix|nt)\.mkdir, which was refused"):
        load_cifar10(fake)
    assert not trace.exists()


def test_a_file_that_changes_after_the_first_check_is_not_believed(
    fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = cifar10.verify_files

    def verify_then_swap(folder: Path) -> None:
        verify(folder)
        path = folder / "data_batch_1"
        path.write_bytes(path.read_bytes()[::-1])

    monkeypatch.setattr(cifar10, "verify_files", verify_then_swap)
    with pytest.raises(ChecksumError, match="data_batch_1"):
        load_cifar10(fake)


def test_importing_the_data_sets_does_not_import_torch() -> None:
    code = "import sys, gsl_tutorial.course.datasets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- CIFAR-10, the real one --------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> str:
    root = os.environ.get("GSL_TUTORIAL_DATA")
    if not root or find_cifar10(root) is None:
        pytest.skip("GSL_TUTORIAL_DATA does not name a folder that holds cifar-10-batches-py")
    return root


@pytest.mark.images
def test_the_official_batches_are_read(real: str) -> None:
    data = load_cifar10(real, holdout=5_000, random_state=3)
    sizes = [len(s) for s in (data.train, data.validation, data.database, data.query)]
    assert sizes == [45_000, 5_000, 50_000, 10_000]
    for part in (data.train, data.validation, data.database, data.query):
        assert np.ptp(np.bincount(part.labels)) == 0
    # The means of the training images, as every recipe prints them.
    mean = data.database.x.mean(axis=(0, 1, 2), dtype=np.float64) / 255
    assert np.allclose(mean, [0.4914, 0.4822, 0.4465], atol=1e-4)
    assert data.class_names[data.query.labels[0]] == "cat"  # the first test image


@pytest.mark.images
def test_holdout_and_the_validation_protocol_draw_the_same_images(real: str) -> None:
    images, labels_ = read_cifar10(real)
    held_out = split(labels_, "validation", random_state=3).query
    data = load_cifar10(real, holdout=5_000, random_state=3)
    assert np.array_equal(np.sort(data.validation.indices), held_out)
    row = data.validation.indices[17]
    assert np.array_equal(data.validation.x[17], images[row])
