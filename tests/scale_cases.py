"""What the tests of `course.scale` share: small indexes, a slow source, and a cluster of real processes.

The scheduler and the workers are Dask's own commands, each a process on the loopback address. A
test may kill any of them: by its number, and with -9.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gsl_tutorial import (
    AdditiveQuantizer,
    OptimizedProductQuantizer,
    ProductQuantizer,
    ResidualQuantizer,
)
from gsl_tutorial.course.scale.sources import SyntheticVectors
from gsl_tutorial.quantizers.faiss_index import to_faiss

TESTS = Path(__file__).parent
PATIENCE_S = 240
SOURCE = SyntheticVectors(3000, dim=8, n_centres=20, seed=3)


def quantizers() -> dict[str, Any]:
    """One of each kind, so coarse that ties are everywhere."""
    X = SOURCE.rows(0, 600)
    return {
        "PQ": ProductQuantizer(2, 8, random_state=0).fit(X),
        "OPQ": OptimizedProductQuantizer(2, 8, random_state=0).fit(X),
        "RQ": ResidualQuantizer(2, 8, random_state=0).fit(X),
        "additive": AdditiveQuantizer(2, 8, random_state=0).fit(X),
    }


def one_index(quantizer: Any, queries: Any, k: int, source: Any = SOURCE) -> tuple[Any, Any]:
    """What a single faiss index over all vectors answers."""
    return to_faiss(quantizer, quantizer.encode(source.rows(0, source.n))).search(queries, k)


@dataclass(frozen=True)
class Gated:
    """A source whose rows from `open_up_to` on (one shard of 1,000) wait until the file `gate` is there.

    Whoever waits writes its process number into `gate.waiting`.
    """

    gate: str
    open_up_to: int = 2000

    n: int = SOURCE.n
    dim: int = SOURCE.dim

    def rows(self, start: int, stop: int) -> np.ndarray:
        if start >= self.open_up_to and not Path(self.gate).exists():
            Path(f"{self.gate}.waiting").write_text(str(os.getpid()))
            until(Path(self.gate).exists)
        return SOURCE.rows(start, stop)

    def facts(self) -> dict[str, Any]:
        return SOURCE.facts()


def until(condition: Callable[[], Any]) -> None:
    """Wait for a state, not for a time."""
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.05)


def environment() -> dict[str, str]:
    """Of a process that can import the package, and this file."""
    paths = [str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


@dataclass
class Processes:
    """A scheduler and workers that were started by hand."""

    folder: Path
    scheduler: subprocess.Popen[bytes] = field(init=False)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    address: str = ""

    def start(self, n_workers: int = 2) -> Processes:
        log = self.folder / "scheduler.log"
        self.scheduler = _process(
            ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"], log
        )  # fmt: skip
        until(lambda: b"Scheduler at:" in log.read_bytes())
        line = next(x for x in log.read_text().splitlines() if "Scheduler at:" in x)
        self.address = line.split()[-1]
        for _ in range(n_workers):
            self.add_worker()
        return self

    def add_worker(self) -> None:
        name = f"worker-{len(self.workers)}"
        log = self.folder / f"{name}.log"
        self.workers.append(
            _process(
                ["distributed.cli.dask_worker", self.address, "--no-nanny", "--nthreads", "1", "--host",
                 "127.0.0.1", "--name", name, "--no-dashboard", "--memory-limit", "0",
                 "--local-directory", str(self.folder)], log,
            )
        )  # fmt: skip
        until(lambda: b"Registered to" in log.read_bytes())

    def stop(self) -> None:
        for process in [*self.workers, self.scheduler]:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()


def _process(module: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", *module], stdout=file, stderr=subprocess.STDOUT, env=environment()
        )  # fmt: skip
