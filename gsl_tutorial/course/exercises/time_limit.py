"""A bound in time for a student's function: a loop that never ends becomes a sentence.

The operating system's alarm raises `TooSlow` inside the running code, `time.sleep` included; code in C
(a long NumPy call) ends first. It comes again every half second, in case the code swallows it. Where
there is no alarm (Windows, or a thread that is not the main one) nothing is bounded, and the reader
interrupts the kernel.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_AGAIN_S = 0.5


class TooSlow(BaseException):
    """Raised in the middle of code that passed its limit; no ``except Exception`` catches it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Limit the time of a ``with`` block.

    An alarm of somebody else is put aside meanwhile and goes on afterwards.

    Parameters
    ----------
    seconds : float
        How long the block may take.

    Raises
    ------
    TooSlow
        Raised inside the block when it takes longer.

    Examples
    --------
    >>> with time_limit(60):
    ...     1 + 1
    2
    """
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    running = True

    def ring(number: int, frame: Any) -> None:
        if running:
            raise TooSlow

    handler = signal.signal(signal.SIGALRM, ring)
    others = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_S)
    try:
        try:
            yield
        finally:
            running = False
    finally:
        signal.setitimer(signal.ITIMER_REAL, *others)
        signal.signal(signal.SIGALRM, handler if handler is not None else signal.SIG_DFL)
