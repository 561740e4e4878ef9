"""What one notebook may cost on the student's laptop: time, memory, room on disk.

The numbers stand here and nowhere else. 1 MB is 1024 x 1024 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MB = 1024 * 1024


@dataclass(frozen=True)
class Budgets:
    """Limits of one notebook.

    Attributes
    ----------
    seconds : float
        Time of a run.
    memory_mb : float
        Peak memory of the kernel, in MB.
    disk_mb : float
        Size of the file, in MB.

    Examples
    --------
    >>> Budgets().broken(seconds=75.0, memory_mb=300.0, disk_mb=0.2)
    ['75.0 s of 60 s']
    """

    seconds: float = 60.0
    memory_mb: float = 1024.0
    disk_mb: float = 1.0

    def broken(self, *, seconds: float, memory_mb: float, disk_mb: float) -> list[str]:
        """List the limits that were passed.

        Parameters
        ----------
        seconds, memory_mb, disk_mb : float
            What a notebook took, in the units of the limits.

        Returns
        -------
        list of str
            One text for each limit that was passed; empty when all were kept.
        """
        spent = [
            (seconds, self.seconds, "s"),
            (memory_mb, self.memory_mb, "MB of memory"),
            (disk_mb, self.disk_mb, "MB on disk"),
        ]
        return [
            f"{used:.1f} {unit} of {limit:g} {unit}" for used, limit, unit in spent if used > limit
        ]


BUDGETS = Budgets()


def disk_mb(path: Path) -> float:
    """Size of a file in MB."""
    return path.stat().st_size / MB
