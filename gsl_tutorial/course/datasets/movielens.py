"""MovieLens latest-small: 100,836 ratings of 9,742 films by 610 users, read and never shipped.

Public copies of this file are often edited: an extra row, a header in other letters, users renumbered,
a download cut short, another edition of the set. Every byte is compared with the official file's MD5
first; where it differs, the file is looked at only to say *what* differs.

Source: F. M. Harper and J. A. Konstan, "The MovieLens Datasets", ACM TiiS 5(4), 2015. Its licence
allows research, asks for that citation, and wants copies to travel with the licence; so none travels
with us. Copies with Unix line ends hold the same rows and are accepted.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Int

from gsl_tutorial.course.datasets.cifar10_files import OfficialFile, cache_folder
from gsl_tutorial.course.datasets.interactions import Interactions
from gsl_tutorial.course.datasets.splits import read_only
from gsl_tutorial.errors import ChecksumError, DataMissingError, InvalidInputError

FOLDER = "ml-latest-small"
#: The files that we read. MD5 and size are those of the official, CRLF-ended files.
FILES: Mapping[str, OfficialFile] = MappingProxyType(
    {
        "ratings.csv": OfficialFile("325a6f09399d1c45671f187505e1a100", 2_483_723),
        "movies.csv": OfficialFile("ed94fab72b62442ef8150d9446e000d6", 494_431),
    }
)
N_RATINGS, N_FILMS, N_USERS = 100_836, 9_742, 610
_HEADERS = {"ratings.csv": "userId,movieId,rating,timestamp", "movies.csv": "movieId,title,genres"}
_ROWS = {"ratings.csv": N_RATINGS, "movies.csv": N_FILMS}
#: Also what someone without a network can do.
COPY_IT = (
    "copy the official folder ml-latest-small and set GSL_TUTORIAL_DATA to the folder that holds it"
)
HOW_TO_GET = f"run `gsl-tutorial two-tower fetch` (1 MB), or {COPY_IT}"


class EditedRatingsError(ChecksumError):
    """A MovieLens file is not the official one; the message says in what it differs."""


@dataclass(frozen=True, eq=False, repr=False)
class MovieLens:
    """Films in the order of the file, and ratings that point to their rows.

    Attributes
    ----------
    movie_ids : (n_items,) integer array
        The ids of MovieLens, which are no row numbers.
    titles, genres : tuple of str
        Of each film; genres as in the file, "Comedy|Drama".
    user : (n,) integer array
        Who rated, counted from 0.
    item : (n,) integer array
        The row of the film.
    rating : (n,) float array
        0.5 to 5 stars.
    time : (n,) integer array
        Seconds since 1970.
    """

    movie_ids: Int[np.ndarray, " n_items"]
    titles: tuple[str, ...]
    genres: tuple[str, ...]
    user: Int[np.ndarray, " n"]
    item: Int[np.ndarray, " n"]
    rating: Float[np.ndarray, " n"]
    time: Int[np.ndarray, " n"]

    def __repr__(self) -> str:
        return f"MovieLens({len(self.rating):,} ratings, {len(self.titles):,} films)"

    def liked(self, at_least: float = 3.5) -> Interactions:
        """The ratings of `at_least` stars and more, as events.

        Parameters
        ----------
        at_least : float
            Stars, 0.5 to 5.

        Returns
        -------
        Interactions
            All users and films, those without such a rating included.
        """
        rows = self.rating >= at_least
        return Interactions(
            self.user[rows],
            self.item[rows],
            self.time[rows],
            int(self.user.max()) + 1,
            len(self.titles),
        )


def find_movielens(root: str | Path | None = None) -> Path | None:
    """Return the folder that holds both files, or None.

    Parameters
    ----------
    root : path, optional
        Where to look. Without it: the folder named by `GSL_TUTORIAL_DATA`, then the user's cache.

    Returns
    -------
    Path or None
    """
    if root is not None:
        places = [Path(root).expanduser()]
    else:
        named = os.environ.get("GSL_TUTORIAL_DATA")
        places = [*([Path(named).expanduser()] if named else []), cache_folder()]
    for place in places:
        for folder in (place / FOLDER, place):
            if all((folder / name).is_file() for name in FILES):
                return folder
    return None


def load_movielens(root: str | Path | None = None) -> MovieLens:
    """Read the official files.

    Parameters
    ----------
    root : path, optional
        See `find_movielens`.

    Returns
    -------
    MovieLens

    Raises
    ------
    DataMissingError
        If a file is missing or cannot be read.
    EditedRatingsError
        If a file is not the official one.
    """
    folder = find_movielens(root)
    if folder is None:
        raise DataMissingError(
            f"a folder {FOLDER} with {' and '.join(FILES)}",
            f"none in {root or 'GSL_TUTORIAL_DATA or the cache'}",
            HOW_TO_GET,
        )
    try:
        content = {name: (folder / name).read_bytes() for name in FILES}
    except OSError as error:
        raise DataMissingError(
            f"readable files in {folder}", error.strerror or str(error), HOW_TO_GET
        ) from error
    return read_movielens(content)


def read_movielens(content: Mapping[str, bytes]) -> MovieLens:
    """Read the bytes of ratings.csv and movies.csv.

    Parameters
    ----------
    content : mapping of str to bytes
        Both files, by name.

    Returns
    -------
    MovieLens

    Raises
    ------
    EditedRatingsError
        On any other bytes than the official ones.
    """
    for name in FILES:
        verify(name, content[name])
    films = list(csv.reader(io.StringIO(content["movies.csv"].decode("utf-8"))))[1:]
    movie_ids = np.array([int(row[0]) for row in films])
    columns = np.loadtxt(
        io.StringIO(content["ratings.csv"].decode("ascii")), delimiter=",", skiprows=1, unpack=True
    )
    user, movie, rating, time = columns
    item = rows_of(movie.astype(np.int64), movie_ids)
    arrays = movie_ids, user.astype(np.int64) - 1, item, rating, time.astype(np.int64)
    movie_ids, user, item, rating, time = (read_only(array) for array in arrays)
    return MovieLens(
        movie_ids,
        tuple(row[1] for row in films),
        tuple(row[2] for row in films),
        user,
        item,
        rating,
        time,
    )


def rows_of(ids: Int[np.ndarray, " n"], known: Int[np.ndarray, " m"]) -> Int[np.ndarray, " n"]:
    """Where each id stands in `known`.

    Parameters
    ----------
    ids : (n,) integer array
        What is looked up; an id may come several times.
    known : (m,) integer array
        The ids that there are, in any order.

    Returns
    -------
    (n,) integer array
        Positions in `known`.

    Raises
    ------
    InvalidInputError
        For ids that are not there.
    """
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known, ids, sorter=order).clip(max=len(known) - 1)
    rows: np.ndarray = order[place]
    unknown = known[rows] != ids
    if unknown.any():
        missing = np.unique(ids[unknown])
        raise InvalidInputError(
            f"ids of the {len(known):,} items of the catalogue",
            f"{len(missing)} others, {missing[0]} among them",
            "use ratings and films of one and the same edition",
        )
    return rows


def verify(name: str, content: bytes) -> None:
    """Compare a file with the official one.

    Parameters
    ----------
    name : str
        "ratings.csv" or "movies.csv".
    content : bytes
        What the file holds.

    Raises
    ------
    EditedRatingsError
        If it is another file; the message says what differs.
    """
    official = FILES[name].md5
    # The same rows with Unix line ends are the same data.
    for same in (content, content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")):
        if hashlib.md5(same, usedforsecurity=False).hexdigest() == official:
            return
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    raise EditedRatingsError(
        f"the official {name} of {FOLDER} ({_ROWS[name]:,} rows, MD5 {official})",
        f"MD5 {found}: {what_differs(name, content)}",
        HOW_TO_GET,
    )


def what_differs(name: str, content: bytes) -> str:
    """Say in a few words in what a file is not the official one; never raises.

    Parameters
    ----------
    name : str
        "ratings.csv" or "movies.csv".
    content : bytes
        What the file holds.

    Returns
    -------
    str
        A few words.

    Examples
    --------
    >>> what_differs("ratings.csv", b"")
    'the file is empty'
    """
    text = content.decode("utf-8", errors="replace")
    lines = text.splitlines()
    if not lines:
        return "the file is empty"
    header, rows = lines[0].lstrip("\ufeff"), lines[1:]
    if header != _HEADERS[name]:
        return f"its header is {header[:60]!r}, not {_HEADERS[name]!r}"
    n, wanted = len(rows), _ROWS[name]
    if n > 5 * wanted:
        return f"{n:,} rows: another edition of MovieLens"
    if not content.endswith(b"\n"):
        return f"it is cut short, in row {n:,}: {rows[-1][:40]!r}" if rows else "it has no rows"
    if name == "ratings.csv" and (words := _wrong_ratings(rows)):
        return words
    if n != wanted:
        return f"{n:,} rows, {abs(n - wanted):,} too {'many' if n > wanted else 'few'}"
    return "as many rows, but other contents"


def _wrong_ratings(rows: list[str]) -> str:
    """What is wrong with the users of ratings.csv, or an empty text."""
    users = []
    for number, row in enumerate(rows, start=1):
        fields = row.split(",")
        if len(fields) != 4 or not fields[0].isdigit():
            return f"row {number:,} is not a rating: {row[:40]!r}"
        users.append(int(fields[0]))
    known = np.unique(users)
    strange = known[(known < 1) | (known > N_USERS)]
    if len(known) == N_USERS and known[0] != 1 and known[-1] - known[0] == N_USERS - 1:
        return f"user ids run from {known[0]} to {known[-1]} in place of 1 to {N_USERS}: shifted"
    if 0 < len(strange) <= 20 and len(rows) > N_RATINGS // 2:
        count = int(np.isin(users, strange).sum())
        return f"{count} added rows of users that do not exist, user {strange[0]} among them"
    if len(strange) or len(known) != N_USERS:
        return f"{len(rows):,} rows of {len(known):,} users: another edition of MovieLens"
    return ""
