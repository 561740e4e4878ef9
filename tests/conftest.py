"""What holds for all tests: none of them measures time; and what browser tests share.

Hypothesis fails an example that takes more than 200 ms unless told otherwise, which on a busy machine any
example may.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")


@pytest.fixture
def problems(opened: Any) -> Iterator[list[str]]:
    """What goes wrong on the page that a module calls `opened`, and what it asks of the network."""
    found: list[str] = []
    told = {
        "pageerror": lambda error: found.append(str(error)),
        "console": lambda line: found.append(line.text),
        "request": lambda one: one.url.startswith("data:") or found.append(one.url),
    }
    for event, listener in told.items():
        opened.on(event, listener)
    yield found
    for event, listener in told.items():
        opened.remove_listener(event, listener)
