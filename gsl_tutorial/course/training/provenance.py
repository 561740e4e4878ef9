"""Who made a run: what its card must say so that it can be made again."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path, PurePath
from typing import Any

import torch


def provenance(commit: str = "") -> dict[str, Any]:
    """Who made a run: the command, the commit, the versions that decide its numbers.

    Parameters
    ----------
    commit : str
        That of a copy of the package outside a checkout, where git cannot tell.

    Returns
    -------
    dict
        Ready for JSON.
    """
    return {
        "command": shlex.join(["gsl-tutorial", *map(_portable, sys.argv[1:])]),
        "commit": commit or _described(),
        "torch": torch.__version__.split("+")[0],
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
    }


def _portable(argument: str) -> str:
    """An argument as it can be typed anywhere: of an absolute path its last name, with --option= too."""
    option, equals, value = argument.rpartition("=")
    path = PurePath(value)
    return option + equals + (path.name if path.is_absolute() else value)


def _described() -> str:
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "not in a checkout"
