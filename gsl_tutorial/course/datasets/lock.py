"""One process at a time: a lock that the operating system lets go when its holder dies.

Thirty students press "fetch" in the same minute, some of them on one shared home folder. One
downloads, the others wait and then find the work done. The lock is held by an open file, not by the
file's existence: a killed process leaves the file behind but not the lock, so nobody waits for the
dead. Who holds it writes its name into the file, for those who lose patience.

Source: filelock, which knows each system's locks. What we changed: those who wait are told so once,
and where the file system has no locks the work goes on without one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from gsl_tutorial.errors import StorageError


@contextmanager
def exclusive(
    path: Path, *, on_wait: Callable[[], None], limit_s: float | None = None
) -> Iterator[bool]:
    """Hold the lock at `path` in a ``with`` block; `on_wait` is called once if another holds it.

    Gives True. Where the file system has no locks (some network folders), gives False at once: work
    may then be done twice, so its last step must be one atomic move.

    Parameters
    ----------
    path : Path
        The lock's own file; it stays there, empty of meaning, when the lock is free.
    on_wait : callable()
        Tell the user that she waits.
    limit_s : float, optional
        Seconds to wait at most; without it, for as long as the other needs.

    Raises
    ------
    StillHeldError
        If `limit_s` has passed; its text names the process that holds the lock.
    """
    # With a hook of ours, filelock reports a lack of locks; without one it makes do with a bare file.
    lock = FileLock(path, on_acquired=_sign, poll_interval=0.2)
    try:
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            on_wait()
            held = lock.acquire(timeout=-1 if limit_s is None else limit_s)
    except Timeout as error:
        raise StillHeldError(_signature(path), limit_s or 0) from error
    except OSError:
        yield False
        return
    with held:
        yield True


class StillHeldError(StorageError):
    """Another process kept a lock for longer than somebody wanted to wait; `holder` names it."""

    def __init__(self, holder: str, limit_s: float) -> None:
        self.holder = holder
        super().__init__(
            f"a lock within {limit_s:g} seconds",
            f"one that is held by {holder}",
            "wait until that has ended, or end it (a notebook: restart its kernel)",
        )


def _sign(descriptor: int) -> None:
    """Leave a note for those who wait: the number of this process and the name of its notebook."""
    notebook = os.environ.get("JPY_SESSION_NAME", "")
    # Windows lets nobody else read the first byte, which is the locked one.
    text = f" process {os.getpid()}" + (f", {notebook}" if notebook else "")
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, text.encode("utf-8", "replace")[:500])


def _signature(path: Path) -> str:
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(1)
            return file.read(500).decode("utf-8", "replace").strip() or "another process"
    except OSError:
        return "another process"
