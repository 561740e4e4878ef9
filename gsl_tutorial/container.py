"""What this process may use of the machine: processors and memory, as its container allows.

A container on a JupyterHub or on Binder often may use one processor of a machine that shows sixty-four.
``os.cpu_count`` and the affinity count all of them, and so do torch and faiss, whose threads then take
turns on one. The limits stand in the files of the control group (cgroup), which Linux shows to the
process; a limit of any group above it holds as well.

Source: the kernel's documentation of cgroup v2 (``cpu.max``, ``memory.max``) and v1 (``cpu.cfs_quota_us``,
``memory.limit_in_bytes``). It imports nothing but the standard library, because `gsl_tutorial` reads it
before torch is loaded.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def processors() -> int:
    """Count the processors that this process may keep busy, at least 1.

    Returns
    -------
    int
        The smaller of what the affinity allows and of what the container's quota allows; half a processor
        more does not carry another thread.
    """
    try:
        there = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        there = os.cpu_count() or 1
    quota = processor_quota()
    return there if quota is None else max(1, min(there, math.floor(quota)))


def processor_quota() -> float | None:
    """Return the processor time per second that the container allows.

    Returns
    -------
    float or None
        1.5 stands for one and a half processors; None where there is no limit.
    """
    limits = []
    for folder in _folders("cpu"):
        words = _read(folder / "cpu.max").split() or [
            _read(folder / "cpu.cfs_quota_us"),
            _read(folder / "cpu.cfs_period_us"),
        ]
        quota, period = (*(_number(word) for word in words), None)[:2]
        if quota and period:
            limits.append(quota / period)
    return min(limits, default=None)


def memory_limit() -> int | None:
    """Return how much memory the container allows.

    Returns
    -------
    int or None
        Bytes; None where there is no limit.
    """
    limits = []
    for folder in _folders("memory"):
        limit = _number(_read(folder / "memory.max") or _read(folder / "memory.limit_in_bytes"))
        # Version 1 writes "no limit" as the largest number of pages.
        if limit and limit < 2**60:
            limits.append(limit)
    return min(limits, default=None)


def _folders(controller: str) -> Iterator[Path]:
    """Yield the folders of this process's group and of those above it, for one kind of limit."""
    for line in _read(_OWN).splitlines() or ["0::/"]:
        _, names, path = line.split(":", 2)
        if names == "" or controller in names.split(","):
            root = _GROUPS / controller if names else _GROUPS
            # Inside a container, the path may be the host's, which is not there; the root always is.
            own = root / path.strip("/")
            yield from (folder for folder in (own, *own.parents) if folder.is_relative_to(root))


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _number(word: str) -> int | None:
    """Read a number above zero; "max" and -1 mean that there is no limit."""
    return int(word) if word.isdigit() and int(word) > 0 else None
