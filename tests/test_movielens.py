"""MovieLens: the official bytes or a sentence that says what differs; hidden moments stay hidden."""

from __future__ import annotations

import hashlib
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsl_tutorial.course.datasets import fetch_movielens, interactions, movielens
from gsl_tutorial.course.datasets.download import MOVIELENS, fetch
from gsl_tutorial.course.datasets.interactions import (
    Interactions,
    TooFewInteractionsError,
    leave_last_out,
    lots,
    only_active,
)
from gsl_tutorial.course.datasets.movielens import EditedRatingsError, read_movielens, what_differs
from gsl_tutorial.course.two_tower.data import prefixes
from gsl_tutorial.errors import ChecksumError, DataMissingError, DownloadError, InvalidInputError

OFFICIAL = movielens.find_movielens(os.environ.get("GSL_TUTORIAL_DATA", "nowhere"))
needs_ratings = pytest.mark.skipif(OFFICIAL is None, reason="MovieLens is not on this machine")
HEADER = b"userId,movieId,rating,timestamp\r\n"
ROWS = [b"%d,1,4.0,964982703" % (1 + i % movielens.N_USERS) for i in range(movielens.N_RATINGS)]


def as_file(rows: list[bytes], header: bytes = HEADER) -> bytes:
    return header + b"".join(row + b"\r\n" for row in rows)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (as_file(ROWS, b"userid,movieid,rating,timestamp\n"), "its header is 'userid"),
        (as_file(ROWS)[:-9], "cut short, in row 100,836"),
        (as_file(ROWS[:50_000]), "50,000 rows, 50,836 too few"),
        (
            as_file([*ROWS, b"999,999999,5.0,1"]),
            "1 added rows of users that do not exist, user 999",
        ),
        (as_file([*ROWS, ROWS[0]]), "100,837 rows, 1 too many"),
        (as_file([b"%d,1,4.0,9" % (i % 610) for i in range(100_836)]), "shifted"),
        (as_file([b"%d,1,4.0,9" % (1 + i % 943) for i in range(100_000)]), "another edition"),
        (as_file([ROWS[0]] * 600_000), "another edition"),
        (as_file([*ROWS[:3], b"x", *ROWS[4:]]), "row 4 is not a rating: 'x'"),
        (as_file(ROWS), "other contents"),
        (b"\xff\xfe\x00", "header"),
        (HEADER.strip(), "it has no rows"),
    ],
)
def test_an_edited_file_is_told_by_name(content: bytes, words: str) -> None:
    assert words in what_differs("ratings.csv", content)
    with pytest.raises(EditedRatingsError, match="two-tower fetch"):
        read_movielens({"ratings.csv": content, "movies.csv": b""})


@given(st.binary(max_size=200))
def test_looking_at_a_strange_file_never_raises(content: bytes) -> None:
    assert what_differs("ratings.csv", content)
    assert what_differs("movies.csv", content)


def test_a_missing_folder_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="two-tower fetch"):
        movielens.load_movielens(tmp_path)


def test_ids_of_another_edition_are_refused() -> None:
    known = np.array([5, 2, 9])
    assert movielens.rows_of(np.array([9, 5, 5]), known).tolist() == [2, 0, 0]
    for stranger in (1, 7, 1000):
        with pytest.raises(InvalidInputError, match=f"{stranger} among them"):
            movielens.rows_of(np.array([9, stranger]), known)


@needs_ratings
def test_the_official_files_are_read_and_unix_line_ends_are_the_same() -> None:
    assert OFFICIAL is not None
    content = {name: (OFFICIAL / name).read_bytes() for name in movielens.FILES}
    data = read_movielens(content)
    assert (len(data.rating), len(data.titles)) == (movielens.N_RATINGS, movielens.N_FILMS)
    assert data.user.max() == movielens.N_USERS - 1
    unix = {name: one.replace(b"\r\n", b"\n") for name, one in content.items()}
    assert np.array_equal(read_movielens(unix).item, data.item)
    with pytest.raises(ValueError, match="read-only"):
        data.rating[0] = 9
    with pytest.raises(EditedRatingsError, match="999 among them"):
        read_movielens({**content, "ratings.csv": content["ratings.csv"] + b"999,999999,5.0,1\r\n"})
    with pytest.raises(EditedRatingsError, match="cut short"):
        read_movielens({**content, "ratings.csv": content["ratings.csv"][:100_000]})


@needs_ratings
def test_no_event_at_or_after_a_users_test_moment_is_learned_from() -> None:
    data = movielens.load_movielens(OFFICIAL)
    events = only_active(data.liked(), at_least=20)
    _nothing_leaks(leave_last_out(events, n_test=5, n_validation=5), events)


def _nothing_leaks(split: interactions.Histories, events: Interactions) -> None:
    for user in range(events.n_users):
        test = split.test.time[split.test.user == user]
        validation = split.validation.time[split.validation.user == user]
        train = split.train.time[split.train.user == user]
        before = split.seen_before_test
        assert before.time[before.user == user].max(initial=-1) < test.min()
        assert train.max(initial=-1) < min(validation.min(initial=test.min()), test.min())
    parts = (split.train, split.validation, split.test)
    assert sum(map(len, parts)) + split.n_dropped == len(events)


events_of_some_users = st.lists(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), min_size=4, max_size=9),
    min_size=1,
    max_size=4,
)


def _events(users: list[list[tuple[int, int]]]) -> Interactions:
    rows = [(u, item, time) for u, one in enumerate(users) for item, time in one]
    user, item, time = np.array(rows).T
    return Interactions(user, item, time, len(users), 7)


@settings(max_examples=100, deadline=None)
@given(events_of_some_users)
def test_ties_never_leak(users: list[list[tuple[int, int]]]) -> None:
    events = _events(users)
    split = leave_last_out(events, n_test=2, n_validation=1)
    _nothing_leaks(split, events)
    assert np.bincount(split.test.user).tolist() == [2] * len(users)


@settings(max_examples=50, deadline=None)
@given(events_of_some_users, st.randoms(use_true_random=False))
def test_ties_are_broken_randomised_so_the_order_of_the_file_does_not_matter(users, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = [random.sample(one, len(one)) for one in users]
    a, b = (leave_last_out(_events(one)) for one in (users, shuffled))
    assert np.array_equal(a.test.item, b.test.item)
    assert np.array_equal(a.train.item, b.train.item)


def test_lots_do_not_know_the_items_number() -> None:
    """Users who rated ten films in one second: which of them is hidden must not depend on its id."""
    n_users, n_items = 2_000, 300
    rng = np.random.default_rng(0)
    item = np.stack([rng.choice(n_items, 10, replace=False) for _ in range(n_users)]).ravel()
    user, time = np.repeat(np.arange(n_users), 10), np.zeros(10 * n_users, int)
    time[::10] = -1  # one earlier event to learn from
    events = Interactions(user, item, time, n_users, n_items)
    split = leave_last_out(events, n_test=1, n_validation=1)
    hidden = split.test.item
    assert abs(hidden.mean() - (n_items - 1) / 2) < 4 * n_items / np.sqrt(12 * n_users)
    assert abs((hidden < n_items / 10).mean() - 0.1) < 0.03
    # The same items twice: users do not share their lots.
    same = np.tile(item[:10], n_users)
    last = leave_last_out(Interactions(user, same, time, n_users, n_items)).test.item
    assert len(np.unique(last)) == 9


@settings(max_examples=50, deadline=None)
@given(events_of_some_users)
def test_events_of_one_moment_are_not_in_each_others_profile(
    users: list[list[tuple[int, int]]],
) -> None:
    events = _events(users)
    profiles = prefixes(events, 9)
    for row in range(len(events)):
        earlier = (events.user == events.user[row]) & (events.time < events.time[row])
        own = events.item[earlier].tolist()
        assert profiles[row].tolist() == [-1] * (9 - len(own)) + own
    first = events.moments
    same = [(events.user[first] == events.user), (events.time[first] == events.time)]
    assert np.all(same)
    assert (first <= np.arange(len(events))).all()


@needs_ratings
def test_in_the_ratings_many_events_share_their_second() -> None:
    events = only_active(movielens.load_movielens(OFFICIAL).liked(), at_least=20)
    shared = np.diff(
        np.append(np.flatnonzero(events.moments == np.arange(len(events))), len(events))
    )
    assert 0.1 < shared[shared > 1].sum() / len(events) < 0.25
    profiles = prefixes(events, 1)[:, 0]
    place = np.flatnonzero(profiles >= 0)
    assert not np.isin(place, np.flatnonzero(events.moments == events.starts[events.user])).any()


def test_lots_are_the_same_whoever_asks() -> None:
    one = lots(np.arange(1000), 3)
    assert len(np.unique(one)) == 1000
    np.testing.assert_array_equal(lots(np.arange(1000)[::-1].astype(np.int32), 3)[::-1], one)
    assert not np.array_equal(lots(np.arange(1000), 3, seed=1), one)
    assert not np.array_equal(lots(3, np.arange(1000)), one)
    ones = np.unpackbits(one.view(np.uint8)).mean()
    assert abs(ones - 0.5) < 0.01


def test_users_with_one_interaction_are_named() -> None:
    events = Interactions(*np.array([[0, 0, 0, 1], [1, 2, 3, 4], [1, 2, 3, 4]]), 2, 5)
    with pytest.raises(TooFewInteractionsError, match=r"user 1 has 1.*at_least=3"):
        leave_last_out(events)
    assert len(leave_last_out(only_active(events, at_least=3)).test) == 1
    with pytest.raises(TooFewInteractionsError, match="most active one has 3"):
        only_active(events, at_least=9)


@pytest.mark.parametrize(
    ("user", "item", "words"),
    [([0, 1], [0], "one for each event"), ([0, 5], [0, 0], "numbers from 0 to 1"),
     ([0, 1], [0.5, 1], "whole numbers"), ([0, 1], [0, -1], "from -1")],
)  # fmt: skip
def test_events_out_of_range_are_refused(user: list[int], item: list[float], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        Interactions(np.array(user), np.array(item), np.zeros(2, dtype=int), 2, 3)


def test_fetch_finds_what_is_there_and_obeys_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GSL_TUTORIAL_OFFLINE", "1")
    with pytest.raises(DownloadError, match=r"unset it, or bring .* copy the official folder"):
        fetch_movielens(tmp_path)
    if OFFICIAL is not None:
        assert fetch_movielens(OFFICIAL) == OFFICIAL


@needs_ratings
def test_fetch_checks_and_unpacks(tmp_path: Path) -> None:
    assert OFFICIAL is not None
    packed = tmp_path / "made.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name in (*movielens.FILES, "README.txt"):
            archive.write(OFFICIAL / name, f"{movielens.FOLDER}/{name}")
        archive.writestr(f"{movielens.FOLDER}/tags.csv", "not asked for")
    ours = replace(MOVIELENS, sha256=hashlib.sha256(packed.read_bytes()).hexdigest())
    folder = fetch(ours, tmp_path / "cache", packed=packed)
    assert len(movielens.load_movielens(folder).titles) == movielens.N_FILMS
    assert {path.name for path in folder.iterdir()} == {*movielens.FILES, "README.txt"}
    lock = f".{movielens.FOLDER}.lock"
    assert {p.name for p in (tmp_path / "cache").iterdir()} == {lock, movielens.FOLDER}
    packed.write_bytes(b"not a zip")
    with pytest.raises(ChecksumError, match=r"with 9 bytes and .* nothing in it was read"):
        fetch(ours, tmp_path / "other", packed=packed)
    assert not (tmp_path / "other").exists()
