"""One progress bar for terminal and notebook, silent where nobody watches.

While chapters are pressed or tested the bar is off: its text holds times, which differ on each run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm.auto import tqdm


def progress_bar(what: str, *, unit: str = "step") -> Any:
    """Return a bar of unknown length: set `total`, call `update(n)`, use it in a `with`.

    Parameters
    ----------
    what : str
        Stands in front of the bar.
    unit : str
        What is counted; "B" for bytes, which are shown in kB and MB.

    Returns
    -------
    tqdm
        Off while chapters are pressed.
    """
    return tqdm(
        desc=what,
        unit=unit,
        unit_scale=unit == "B",
        total=None,
        leave=False,
        disable=bool(os.environ.get("GSL_TUTORIAL_PRESS")),
    )


@contextmanager
def training_bar() -> Iterator[Callable[[Any], None]]:
    """A bar for one or several trainings.

    Yields
    ------
    callable
        To be handed to `on_progress`.
    """
    with progress_bar("train") as bar:

        def show(at: Any) -> None:
            bar.total = at.n_steps
            bar.set_description(f"round {at.round}/{at.n_rounds}", refresh=False)
            bar.set_postfix(loss=f"{at.loss:.3f}", refresh=False)
            if at.step < bar.n:  # the next training has begun
                bar.reset(at.n_steps)
            bar.update(at.step - bar.n)

        yield show


def say(text: str) -> None:
    """Write a line to standard error, above a bar that is running."""
    tqdm.write(text, file=sys.stderr)
