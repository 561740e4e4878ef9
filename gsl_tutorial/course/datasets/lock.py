"""One process at a time: a lock that the operating system lets go when its holder dies.

Thirty students press "fetch" in the same minute, some of them on one shared home folder. One
downloads, the others wait and then find the work done. The lock is held by an open file, not by the
file's existence: a killed process leaves the file behind but not the lock, so nobody waits for the
dead. Who holds it writes its name into the file, for those who lose patience.

Source: ``flock(2)``; ``msvcrt.locking`` on Windows. What we changed: waiting is a loop of short
tries, so that it can be interrupted and tell the user, once, what it waits for.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from gsl_tutorial.errors import StorageError

_EVERY_S = 0.2
_HELD_BY_ANOTHER = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}


@contextmanager
def exclusive(
    path: Path, *, on_wait: Callable[[], None], limit_s: float | None = None
) -> Iterator[bool]:
    """Hold the lock at `path` in a ``with`` block; `on_wait` is called once if another holds it.

    Gives True. Where the file system has no locks (some network folders), gives False at once: work
    may then be done twice, so its last step must be one atomic move.

    limit_s: seconds to wait at most; without one, for as long as the other needs.
    Raises `StillHeldError` when they have passed; its text names the process that holds the lock.
    """
    with open(path, "a+b") as file:
        held = _wait_for(file, on_wait, limit_s)
        if held:
            _sign(file)
        try:
            yield held
        finally:
            if held:
                _unlock(file)


class StillHeldError(StorageError):
    """Another process kept a lock for longer than somebody wanted to wait; `holder` names it."""

    def __init__(self, holder: str, limit_s: float) -> None:
        self.holder = holder
        super().__init__(
            f"a lock within {limit_s:g} seconds",
            f"one that is held by {holder}",
            "wait until that has ended, or end it (a notebook: restart its kernel)",
        )


def _sign(file: IO[bytes]) -> None:
    """Leave a note for those who wait: the number of this process and the name of its notebook."""
    notebook = os.environ.get("JPY_SESSION_NAME", "")
    # Windows lets nobody else read the first byte, which is the locked one.
    text = f" process {os.getpid()}" + (f", {notebook}" if notebook else "")
    with suppress(OSError):
        file.truncate(0)
        file.write(text.encode("utf-8", "replace")[:500])
        file.flush()


def _signature(file: IO[bytes]) -> str:
    try:
        file.seek(1)
        return file.read(500).decode("utf-8", "replace").strip() or "another process"
    except OSError:
        return "another process"


def _wait_for(file: IO[bytes], on_wait: Callable[[], None], limit_s: float | None) -> bool:
    tell, began = on_wait, time.monotonic()
    while True:
        try:
            _lock(file)
        except OSError as error:
            if error.errno not in _HELD_BY_ANOTHER:
                return False
        else:
            return True
        if limit_s is not None and time.monotonic() - began >= limit_s:
            raise StillHeldError(_signature(file), limit_s)
        tell()
        tell = _say_nothing
        time.sleep(_EVERY_S)


def _say_nothing() -> None:
    """Take the place of `on_wait` once it was called."""


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
