"""The progress file: which exercises were tried and solved, kept on this machine only.

One small JSON file in the user's data folder, or where `GSL_TUTORIAL_PROGRESS` says. Two notebooks may
write at once: each change is read, changed and replaced under a lock, for which nobody waits longer than
some seconds. A file that cannot be read is
kept aside, never overwritten. Only answers given in a notebook count: not those of tests, of a build, or of
the solved notebooks.
"""

from __future__ import annotations

import os
import re
import stat
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
#: Far more than anybody needs: what is above is a mistake or a joke.
_MOST_TRIES, _MOST_EXERCISES = 100_000, 1_000
_ID = re.compile(r"[0-9]{2}\.[0-9]{1,2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[0-9.:+Z-]{0,14}")
#: Around a solution in a chapter's source.
_MARKER = "# BEGIN SOLUTION"
_stopped = False
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


def stop() -> None:
    """Record nothing more in this process."""
    global _stopped
    _stopped = True


def is_recorded() -> bool:
    """Whether answers given here count: in a notebook that a reader runs, and not in a solved one.

    A solved notebook says so itself (`stop`); one without that line, or a chapter's source, is known by
    its path or by the markers around its solutions.
    """
    if _stopped or os.environ.get("GSL_TUTORIAL_PRESS"):
        return False
    if _MARKER in _cell_that_runs():
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
        found = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise DataMissingError(
            f"a readable file {path.name}",
            f"{getattr(error, 'strerror', None) or error}",
            "check the path",
        ) from error
    size = found.st_size
    if not stat.S_ISREG(found.st_mode):  # to open a pipe that nobody writes to would wait for ever
        raise InvalidInputError("a progress file", "a folder, a pipe or a device", _NEW_ONE)
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
    if not isinstance(exercises, dict) or len(exercises) > _MOST_EXERCISES:
        raise InvalidInputError("a progress file with exercises", "none, or far too many", _NEW_ONE)
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
    fits = _ID.fullmatch(name) is not None and isinstance(one, dict) and set(one) >= known
    if not fits or not all(type(one[key]) is kind for key, kind in kinds.items()):
        raise InvalidInputError(
            "an entry with tries and times", f"exercise {name[:20]!r}", _NEW_ONE
        )
    entry = Entry(**{key: one[key] for key in known})
    possible = 0 <= entry.tries <= _MOST_TRIES and (entry.tries > 0 or not entry.solved)
    # Times may be missing in a file that was put together by hand; words in their place may not.
    if not possible or not all(_is_time(each) for each in (entry.first_solved, entry.last_tried)):
        raise InvalidInputError(
            "tries that can be, and times in ISO 8601", f"exercise {name}", _NEW_ONE
        )
    return entry


def _is_time(text: str) -> bool:
    """Whether a text is empty or a time such as 2026-01-02T03:04:05+00:00."""
    return not text or _TIME.fullmatch(text) is not None


def _cell_that_runs() -> str:
    """The text of the cell that runs now; empty outside IPython."""
    cells = getattr(get_ipython(), "user_ns", {}).get("In") or [""]
    return str(cells[-1])


def _nothing() -> None:
    """Wait silently: another notebook holds the file for a moment."""
