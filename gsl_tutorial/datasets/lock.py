"""One process at a time: a lock that the operating system lets go when its holder dies.

Thirty students press "fetch" in the same minute, some of them on one shared home folder. One
downloads, the others wait and then find the work done. The lock is held by an open file, not by the
file's existence: a killed process leaves the file behind but not the lock, so nobody waits for the
dead.

Source: ``flock(2)``; ``msvcrt.locking`` on Windows. What we changed: waiting is a loop of short
tries, so that it can be interrupted and tell the user, once, what it waits for.
"""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_EVERY_S = 0.2
_HELD_BY_ANOTHER = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}


@contextmanager
def exclusive(path: Path, *, on_wait: Callable[[], None]) -> Iterator[bool]:
    """Hold the lock at `path` in a ``with`` block; `on_wait` is called once if another holds it.

    Gives True. Where the file system has no locks (some network folders), gives False at once: work
    may then be done twice, so its last step must be one atomic move.
    """
    with open(path, "ab") as file:
        held = _wait_for(file, on_wait)
        try:
            yield held
        finally:
            if held:
                _unlock(file)


def _wait_for(file: IO[bytes], on_wait: Callable[[], None]) -> bool:
    tell = on_wait
    while True:
        try:
            _lock(file)
        except OSError as error:
            if error.errno not in _HELD_BY_ANOTHER:
                return False
        else:
            return True
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
