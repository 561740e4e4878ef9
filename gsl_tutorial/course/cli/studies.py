"""What the commands of both studies have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from gsl_tutorial.errors import DataMissingError, InvalidInputError


def share_of(text: str) -> tuple[int, int]:
    """(1, 2) for "1/2"; raises `InvalidInputError`."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None:
        raise InvalidInputError("a share like 1/2", text, "write --share 1/2")
    return int(match[1]), int(match[2])


def nothing_finished(parts: Iterable[str], folder: Path) -> DataMissingError:
    """The error for a report of parts without a finished run."""
    return DataMissingError(
        f"finished runs of {', '.join(parts)} in {folder}",
        "none",
        "run the study first, or read ours: --results data/results",
    )
