"""Shards without a cluster: equal to one index, restartable, and precise about what is wrong."""

from __future__ import annotations

import errno
import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scale_cases import SOURCE, one_index, quantizers

from gsl_tutorial import ProductQuantizer
from gsl_tutorial.course.scale import shards
from gsl_tutorial.course.scale.building import ShardedIndex, build_index
from gsl_tutorial.course.scale.merging import merge_lists
from gsl_tutorial.course.scale.searching import search_index
from gsl_tutorial.course.scale.sources import (
    BLOCK,
    SyntheticVectors,
    VectorArray,
    VectorFile,
)
from gsl_tutorial.course.two_tower.items import load_items
from gsl_tutorial.errors import (
    ChecksumError,
    DataMissingError,
    InvalidInputError,
    RunMismatchError,
    StorageError,
)

QUANTIZERS = quantizers()
PQ = QUANTIZERS["PQ"]
QUERIES = SOURCE.queries(20)


def built(folder: Path, shard_size: int = 700, quantizer: Any = PQ) -> ShardedIndex:
    return build_index(SOURCE, quantizer, folder, shard_size=shard_size)


# ---- the same answer, however it is cut ----------------------------------------------------------


@pytest.mark.parametrize("kind", QUANTIZERS)
@pytest.mark.parametrize("shard_size", [SOURCE.n, 1001, 499])
def test_shards_answer_as_one_index_does(tmp_path: Path, kind: str, shard_size: int) -> None:
    quantizer = QUANTIZERS[kind]
    distances, ids = one_index(quantizer, QUERIES, 60)
    found = search_index(built(tmp_path, shard_size, quantizer), QUERIES, 60)
    np.testing.assert_array_equal(found.ids, ids)
    np.testing.assert_array_equal(found.distances, distances)
    assert (found.missing, found.n_searched) == ((), SOURCE.n)
    # With 64 codes for 3,000 vectors ties stand in every list: the test is about them.
    assert (np.diff(distances, axis=1) == 0).any(axis=1).all()


def test_the_items_of_chapter_11_take_the_same_path(tmp_path: Path) -> None:
    items = load_items().vectors.astype(np.float32)
    quantizer = ProductQuantizer(4, 16, random_state=0).fit(items)
    source, queries = VectorArray(items), items[::997]
    index = build_index(source, quantizer, tmp_path, shard_size=2000)
    found = search_index(index, queries, 20)
    assert np.array_equal(found.ids, one_index(quantizer, queries, 20, source)[1])


def test_more_neighbours_than_a_shard_has_and_than_there_are(tmp_path: Path) -> None:
    found = search_index(built(tmp_path, 100), QUERIES[:2], SOURCE.n + 5)
    assert sorted(found.ids[0, : SOURCE.n]) == list(range(SOURCE.n))
    assert (found.ids[:, SOURCE.n :] == -1).all()
    assert np.isinf(found.distances[:, SOURCE.n :]).all()


def test_queries_travel_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = built(tmp_path)
    whole = search_index(index, QUERIES, 5)
    monkeypatch.setattr("gsl_tutorial.course.scale.searching.AT_ONCE", 7)
    assert np.array_equal(search_index(index, QUERIES, 5).ids, whole.ids)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_merging_is_sorting_everything_by_distance_and_id(data: st.DataObject) -> None:
    n, k = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 12))
    distances = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)), float)
    cuts = sorted(data.draw(st.sets(st.integers(1, n), max_size=5)) | {0, n})
    lists = []
    for a, b in pairwise(cuts):
        best = a + np.lexsort((np.arange(a, b), distances[a:b]))[:k]
        pad = k - len(best)  # as faiss fills up a list that is too short
        lists.append(
            (
                np.pad(distances[best], (0, pad), constant_values=3.4e38)[None],
                np.pad(best, (0, pad), constant_values=-1)[None],
            )
        )
    lists = data.draw(st.permutations(lists))
    right = np.lexsort((np.arange(n), distances))[:k]
    got = merge_lists(lists, k)
    assert got[1][0, : len(right)].tolist() == right.tolist()
    assert got[0][0, : len(right)].tolist() == distances[right].tolist()
    assert (got[1][0, len(right) :] == -1).all()
    # Merging in steps gives the same.
    steps = lists[0]
    for one in lists[1:]:
        steps = merge_lists([steps, one], k)
    assert np.array_equal(merge_lists([steps], k)[1], got[1])


def test_lists_of_other_queries_are_refused() -> None:
    one, two = (np.zeros((1, 2)), np.zeros((1, 2), int)), (np.zeros((2, 2)), np.zeros((2, 2), int))
    for lists in ([], [one, two], [(np.zeros((1, 2)), np.zeros((1, 3), int))]):
        with pytest.raises(InvalidInputError, match="the same queries to every shard"):
            merge_lists(lists, 2)


# ---- sources -------------------------------------------------------------------------------------


def test_rows_do_not_depend_on_how_they_are_asked_for(tmp_path: Path) -> None:
    source = SyntheticVectors(2 * BLOCK + 10, dim=3)
    whole = source.rows(0, source.n)
    assert np.array_equal(whole[BLOCK - 2 : BLOCK + 2], source.rows(BLOCK - 2, BLOCK + 2))
    assert not np.isin(source.queries(50), whole).all(axis=1).any()
    np.save(tmp_path / "x.npy", whole)
    file, array = VectorFile(str(tmp_path / "x.npy")), VectorArray(whole)
    for other in (file, array):
        assert (other.n, other.dim) == whole.shape
        assert np.array_equal(other.rows(5, 9), whole[5:9])
    assert file.facts()["n"] == array.facts()["n"] == source.facts()["n"]


@pytest.mark.parametrize("rows", [(0, 0), (-1, 2), (5, 4), (2990, 3001)])
def test_rows_that_are_not_there(rows: tuple[int, int]) -> None:
    with pytest.raises(InvalidInputError, match="ask for rows that the source has"):
        SOURCE.rows(*rows)


def test_files_that_hold_no_vectors(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="No such file"):
        VectorFile(str(tmp_path / "none.npy"))
    (tmp_path / "text.npy").write_text("hello")
    with pytest.raises(InvalidInputError, match=r"numpy\.save"):
        VectorFile(str(tmp_path / "text.npy"))
    for array in (np.zeros(3), np.zeros((2, 2), int), np.zeros((0, 2))):
        np.save(tmp_path / "x.npy", array)
        with pytest.raises(InvalidInputError, match="one vector per row"):
            VectorFile(str(tmp_path / "x.npy"))
    np.save(tmp_path / "x.npy", np.full((2, 2), np.nan))
    with pytest.raises(InvalidInputError, match="NaN or infinity in 2 of 2 rows"):
        VectorFile(str(tmp_path / "x.npy")).rows(0, 2)
    with pytest.raises(InvalidInputError, match="at least one vector"):
        VectorArray(np.zeros((0, 2)))


# ---- building goes on where it was ---------------------------------------------------------------


def test_a_finished_shard_is_not_done_again(tmp_path: Path) -> None:
    made: list[int] = []

    class Interrupted(Exception):
        pass

    def stop_at_2(card: shards.ShardCard, left: int) -> None:
        made.append(card.number)
        if card.number == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        build_index(SOURCE, PQ, tmp_path, shard_size=700, on_shard=stop_at_2)
    with pytest.raises(DataMissingError, match=r"all 5 shards .* 3; shard 3 is the first"):
        ShardedIndex.open(tmp_path).cards()
    build_index(
        SOURCE, PQ, tmp_path, shard_size=700, on_shard=lambda c, left: made.append(c.number)
    )
    assert made == [0, 1, 2, 3, 4]
    assert np.array_equal(
        search_index(ShardedIndex.open(tmp_path), QUERIES, 9).ids, one_index(PQ, QUERIES, 9)[1]
    )


def test_the_same_index_twice_has_the_same_bytes(tmp_path: Path) -> None:
    one, two = built(tmp_path / "1"), built(tmp_path / "2")
    assert [c.sha256 for c in one.cards()] == [c.sha256 for c in two.cards()]


def test_a_damaged_shard_is_found_when_searching_and_mended_when_building(tmp_path: Path) -> None:
    index = built(tmp_path)
    path = shards.index_path(tmp_path, 3)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(ChecksumError, match=r"in shard 3 .*only this one is made anew"):
        search_index(index, QUERIES, 3)
    path.write_bytes(content[:-100])
    with pytest.raises(ChecksumError, match=r"bytes in shard 3"):
        search_index(index, QUERIES, 3)
    path.unlink()
    with pytest.raises(DataMissingError, match=r"the file of shard 3"):
        search_index(index, QUERIES, 3)
    made: list[int] = []
    build_index(
        SOURCE, PQ, tmp_path, shard_size=700, on_shard=lambda c, left: made.append(c.number)
    )
    assert made == [3]
    assert np.array_equal(search_index(index, QUERIES, 3).ids, one_index(PQ, QUERIES, 3)[1])


def test_a_full_disk_names_the_shard_and_keeps_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def full(number: int) -> None:
        if shards.card_path(tmp_path, 1).exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        real(number)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"to write shard 2, .*No space left.*shards are kept"):
        built(tmp_path)
    monkeypatch.undo()
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []
    assert len(built(tmp_path).cards()) == 5


# ---- what does not belong together ---------------------------------------------------------------


def change(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_cards_that_do_not_make_up_an_index(tmp_path: Path) -> None:
    index = built(tmp_path)
    card = shards.card_path(tmp_path, 2)
    good = card.read_text()
    for values, kind, words in (
        ({"start": 1300}, InvalidInputError, "ids from 1300, which are also in the shard before"),
        ({"start": 1500}, InvalidInputError, "ids from 1500, which come after a gap"),
        ({"start": 1400, "stop": 1400}, InvalidInputError, "none in shard 2"),
        ({"fingerprint": "0" * 64}, RunMismatchError, "shard 2 of another"),
        ({"number": 1}, InvalidInputError, "delete shard-00002.json"),
    ):
        card.write_text(good)
        change(card, values)
        with pytest.raises(kind, match=words):
            search_index(index, QUERIES, 3)
    for text in ("{}", "[1]", "no json"):
        card.write_text(text)
        with pytest.raises(InvalidInputError, match=r"shard-00002\.json"):
            search_index(index, QUERIES, 3)
    card.write_text(good)
    search_index(index, QUERIES, 3)


def test_a_shard_of_another_length(tmp_path: Path) -> None:
    index = built(tmp_path)
    other = faiss.IndexFlatL2(5)
    other.add(np.zeros((700, 5), np.float32))
    shards.write_shard(
        tmp_path, other, number=1, start=700, fingerprint=index.fingerprint, seconds=0.0
    )
    with pytest.raises(
        InvalidInputError, match=r"700 vectors of dimension 8 in shard 1.*of dimension 5"
    ):
        search_index(index, QUERIES, 3)


def test_another_index_in_the_folder(tmp_path: Path) -> None:
    built(tmp_path)
    for change in (
        {"shard_size": 701},
        {"quantizer": QUANTIZERS["RQ"]},
        {"quantizer": ProductQuantizer(2, 8, random_state=1).fit(SOURCE.rows(0, 600))},
    ):
        with pytest.raises(RunMismatchError, match="choose another folder"):
            built(tmp_path, **change)  # type: ignore[arg-type]
    with pytest.raises(RunMismatchError, match="another source"):
        build_index(SyntheticVectors(3000, dim=8, seed=4), PQ, tmp_path, shard_size=700)
    with pytest.raises(InvalidInputError, match="vectors of dimension 8, which the quantizer"):
        build_index(SyntheticVectors(3000, dim=9), PQ, tmp_path, shard_size=700)


@pytest.mark.parametrize(
    ("queries", "words"),
    [
        (np.zeros((2, 7)), r"queries of shape \(n, 8\)"),
        (np.zeros(8), r"queries of shape"),
        (np.zeros((0, 8)), "the number of queries"),
        (np.full((1, 8), np.nan), "finite queries"),
    ],
)
def test_queries_that_do_not_fit(tmp_path: Path, queries: Any, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        search_index(built(tmp_path), queries, 3)


def test_no_index_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match=r"no index\.json"):
        ShardedIndex.open(tmp_path)
    (tmp_path / "index.json").write_text('{"n": 3}')
    with pytest.raises(InvalidInputError, match="the plan of an index"):
        ShardedIndex.open(tmp_path)
