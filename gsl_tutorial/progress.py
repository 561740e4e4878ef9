"""One progress bar for terminal and notebook, silent where nobody watches.

While chapters are pressed or tested the bar is off: its text holds times, which differ on each run.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from tqdm.auto import tqdm


def progress_bar(what: str, *, unit: str = "step") -> Any:
    """Return a tqdm bar of unknown length; set `total`, call `update(n)`, use it in a `with`."""
    return tqdm(
        desc=what,
        unit=unit,
        unit_scale=unit == "B",
        total=None,
        leave=False,
        disable=bool(os.environ.get("GSL_TUTORIAL_PRESS")),
    )


def say(text: str) -> None:
    """Write a line to standard error, above a bar that is running."""
    tqdm.write(text, file=sys.stderr)
