"""Timing that survives a busy machine: things to compare run in turn, and medians are compared."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def in_turn(things: dict[str, Callable[[], object]], *, repeats: int, warmup: int = 2) -> dict:
    """Run all things one after the other, many times; median seconds of each."""
    seconds: dict[str, list[float]] = {name: [] for name in things}
    for i in range(warmup + repeats):
        for name, thing in things.items():
            started = time.perf_counter()
            thing()
            if i >= warmup:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}
