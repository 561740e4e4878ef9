"""The progress file: which exercises were tried and solved, kept on this machine only.

One small JSON file in the user's data folder, or where `GSL_TUTORIAL_PROGRESS` says. Two notebooks may
write at once: each change is read, changed and replaced under a lock, for which nobody waits longer than
some seconds. A file that cannot be read is
kept aside, never overwritten. Only answers given in a notebook count: not those of tests, of a build, or of
the solved notebooks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import platformdirs
from IPython.core.getipython import get_ipython

from gsl_tutorial.course.datasets.download import StillHeldError, exclusive
from gsl_tutorial.errors import DataMissingError, InvalidInputError, TutorialError
from gsl_tutorial.storage import read_json, write_json

FORMAT = 1
_LARGEST = 2**20
#: Seconds to wait for another notebook, which needs a few milliseconds. Stopped ones hold on for ever.
_PATIENCE_S = 5.0
_NEW_ONE = "move it elsewhere; a new one is begun with the next answer"


@dataclass(frozen=True)
class Entry:
    """One exercise.

    Attributes
    ----------
    tries : int
        Answers that were not blank.
    solved : bool
        Whether an answer was ever right.
    first_solved, last_tried : str
        Times in UTC, ISO 8601; empty where it never happened.
    """

    tries: int = 0
    solved: bool = False
    first_solved: str = ""
    last_tried: str = ""


@dataclass(frozen=True)
class Progress:
    """All exercises that were tried.

    Attributes
    ----------
    entries : mapping of str to Entry
        The exercises by id ("03.1").
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def solved(self, exercise: str) -> bool:
        """Whether an answer to this exercise was ever right; a later wrong one takes nothing away."""
        return self.entries.get(exercise, Entry()).solved

    def with_answer(self, exercise: str, *, right: bool, at: datetime) -> Progress:
        """Return the same progress with one more answer.

        Parameters
        ----------
        exercise : str
            Id of the exercise.
        right : bool
            Whether the answer is right.
        at : datetime
            When it was given, in UTC.

        Returns
        -------
        Progress
            The new state; this one is left as it is.
        """
        old, now = self.entries.get(exercise, Entry()), at.isoformat(timespec="seconds")
        first = old.first_solved or (now if right else "")
        new = Entry(old.tries + 1, old.solved or right, first, now)
        return Progress({**self.entries, exercise: new})

    def as_dict(self) -> dict[str, Any]:
        """What the file holds."""
        entries = {name: asdict(self.entries[name]) for name in sorted(self.entries)}
        return {"format": FORMAT, "exercises": entries}


def progress_file() -> Path:
    """Where the progress of this user lies, whether or not it is there yet."""
    if named := os.environ.get("GSL_TUTORIAL_PROGRESS"):
        return Path(os.path.expanduser(named))
    return Path(platformdirs.user_data_dir("gsl-tutorial", appauthor=False)) / "progress.json"


def is_recorded() -> bool:
    """Whether answers given here count: in a notebook that a reader runs, and not in a solved one."""
    if os.environ.get("GSL_TUTORIAL_PRESS"):
        return False
    # Jupyter's server tells a kernel the path of its notebook.
    if "solutions" in PurePosixPath(os.environ.get("JPY_SESSION_NAME", "")).parts:
        return False
    return bool(os.environ.get("GSL_TUTORIAL_PROGRESS")) or get_ipython() is not None


def read(path: Path) -> Progress:
    """Read a progress file, or an export of `gsl-tutorial report --json`.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Progress
        What it holds.

    Raises
    ------
    DataMissingError
        The file is not there, or may not be read.
    InvalidInputError
        It is no progress file of this format.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataMissingError(
            f"a readable file {path.name}", f"{error.strerror or error}", "check the path"
        ) from error
    if size > _LARGEST:
        raise InvalidInputError(
            f"a progress file of at most {_LARGEST:,} bytes", f"{size:,} bytes", _NEW_ONE
        )
    try:
        value = read_json(path)
    except RecursionError as error:
        raise InvalidInputError("a progress file", "JSON nested too deep", _NEW_ONE) from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise InvalidInputError(f"a progress file of format {FORMAT}", "something else", _NEW_ONE)
    exercises = value.get("exercises")
    if not isinstance(exercises, dict):
        raise InvalidInputError("a progress file with exercises", "none", _NEW_ONE)
    return Progress({name: _entry(name, one) for name, one in exercises.items()})


def note(path: Path, exercise: str, *, right: bool | None) -> tuple[Progress, str]:
    """Add one answer to a progress file.

    Nothing that a disk can cause is raised: a check goes on without its progress.

    Parameters
    ----------
    path : Path
        The file; made if it does not exist.
    exercise : str
        Id of the exercise.
    right : bool or None
        Whether the answer is right; None for a blank, which only reads.

    Returns
    -------
    progress : Progress
        The new state.
    trouble : str
        A sentence about what went wrong, mostly empty.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f".{path.name}.lock")
        with exclusive(lock, on_wait=_nothing, limit_s=_PATIENCE_S):
            progress, trouble = _read_or_set_aside(path)
            if right is not None:
                progress = progress.with_answer(exercise, right=right, at=datetime.now(UTC))
                write_json(path, progress.as_dict())
        return progress, trouble
    except StillHeldError as error:
        return _read_only(path), (
            f"Your progress could not be saved: its file is in use by {error.holder}. To mend it, "
            f"{error.todo}; then run this cell again."
        )
    except OSError as error:  # StorageError is one, too
        return Progress(), f"Your progress could not be saved: {error.strerror or error}"


def _read_only(path: Path) -> Progress:
    """What is noted so far; nothing where that cannot be read. A file is replaced whole, so no lock."""
    try:
        return read(path)
    except TutorialError:
        return Progress()


def _read_or_set_aside(path: Path) -> tuple[Progress, str]:
    if not path.exists():
        return Progress(), ""
    try:
        return read(path), ""
    except InvalidInputError as error:
        aside = _free(lambda i: path.with_name(f"{path.stem}-damaged-{i}{path.suffix}"))
        os.replace(path, aside)
        return (
            Progress(),
            f"The progress file could not be read ({error.got}); it is kept as {aside}.",
        )


def _free(name: Callable[[int], Path]) -> Path:
    number = 1
    while name(number).exists():
        number += 1
    return name(number)


def _entry(name: str, one: Any) -> Entry:
    kinds = {"tries": int, "solved": bool, "first_solved": str, "last_tried": str}
    known = {each.name for each in fields(Entry)}
    fits = isinstance(one, dict) and set(one) >= known
    if not fits or not all(type(one[key]) is kind for key, kind in kinds.items()):
        raise InvalidInputError("an entry with tries and times", f"exercise {name!r}", _NEW_ONE)
    return Entry(**{key: one[key] for key in known})


def _nothing() -> None:
    """Wait silently: another notebook holds the file for a moment."""
