"""A pytest plugin: while nbval reproduces the notebooks, hold each one to its budget.

Run it from the repository's root::

    pytest --nbval-lax --nbval-current-env --nbval-cell-timeout 600 \\
        -p gsl_tutorial.course.press.nbval_budget notebooks

``--nbval-lax`` compares the claims only (the press tags them for nbval) and lets every other cell
just run; ``--nbval-current-env`` uses this interpreter instead of the user's `python3` kernel. Do
not add ``-n``: the cells of a notebook share one kernel. nbval runs a notebook in its own folder,
so a solved one runs in ``notebooks/solutions`` while the press ran it in ``notebooks``: a cell
must not depend on the working folder.

Kernels see neither images nor network, as in a build; with ``GSL_TUTORIAL_NBVAL_IMAGES=1`` they see
what the surrounding process sees. Seconds are the notebook's own: while other programs had the processors,
its clock stood still, so a busy machine breaks no budget (on Linux, which keeps count).
Other limits: ``-o notebook_seconds=120``, and likewise
``notebook_memory_mb`` and ``notebook_disk_mb``.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from gsl_tutorial.course.press.budgets import BUDGETS, Budgets, disk_mb
from gsl_tutorial.course.press.execution import kernel_environment, peak_memory_mb, waited_seconds

#: A message that a busy kernel sends late is waited for; nbval gives it five seconds.
_OUTPUT_TIMEOUT_S = 120

_ROW = "{:<44} {:>5} {:>8} {:>8} {:>8} {:>6}  {}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Make each budget of a notebook a setting of pytest."""
    for name, limit in asdict(BUDGETS).items():
        parser.addini(
            f"notebook_{name}", f"limit of one notebook (nbval): {name}", default=str(limit)
        )


def pytest_configure(config: pytest.Config) -> None:
    """Count the costs of notebooks where nbval runs them."""
    if config.option.nbval or config.option.nbval_lax:
        config.pluginmanager.register(_NotebookCosts(config), "gsl-tutorial-notebook-costs")


@dataclass
class _Cost:
    cells: int = 0
    claims: int = 0
    seconds: float = 0.0
    memory_mb: float = 0.0


class _NotebookCosts:
    def __init__(self, config: pytest.Config) -> None:
        self.budgets = Budgets(
            **{name: float(config.getini(f"notebook_{name}")) for name in asdict(BUDGETS)}
        )
        self.root = config.rootpath
        self.costs: dict[Path, _Cost] = {}
        # nbval's kernels inherit the environment of this process.
        self.scratch = tempfile.TemporaryDirectory()
        self.environment_before = dict(os.environ)
        images = os.environ.get("GSL_TUTORIAL_NBVAL_IMAGES") == "1"
        _become(kernel_environment(Path(self.scratch.name), images=images))

    def pytest_unconfigure(self) -> None:
        _become(self.environment_before)
        self.scratch.cleanup()

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Only notebooks: `--doctest-modules` would import, that is run, their sources."""
        return True if collection_path.suffix == ".py" else None

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(self) -> Generator[None, list[Any], list[Any]]:
        collectors = yield
        for notebook in collectors:
            if isinstance(notebook, IPyNbFile):
                self._measure_kernel(notebook)
        return collectors

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        if not isinstance(item, IPyNbCell):
            return (yield)
        cost = self.costs[item.path]
        cost.cells += 1
        cost.claims += item.options.get("check") is True
        item.output_timeout = _OUTPUT_TIMEOUT_S
        start = _own_clock()
        try:
            return (yield)
        finally:
            cost.seconds += _own_clock() - start

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus == pytest.ExitCode.OK and any(map(self._broken, self.costs)):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.costs:
            return
        terminalreporter.section("notebook budgets")
        terminalreporter.line(
            _ROW.format("notebook", "cells", "seconds", "peak MB", "kB", "claims", "verdict")
        )
        for path, cost in self.costs.items():
            broken = self._broken(path)
            row = _ROW.format(
                os.path.relpath(path, self.root),
                cost.cells,
                f"{cost.seconds:.1f}",
                f"{cost.memory_mb:.0f}",
                f"{disk_mb(path) * 1024:.0f}",
                cost.claims,
                f"OVER: {', '.join(broken)}" if broken else "ok",
            )
            terminalreporter.line(row, red=bool(broken))

    def _broken(self, path: Path) -> list[str]:
        cost = self.costs[path]
        return self.budgets.broken(
            seconds=cost.seconds, memory_mb=cost.memory_mb, disk_mb=disk_mb(path)
        )

    def _measure_kernel(self, notebook: IPyNbFile) -> None:
        """Wrap the collector's setup and teardown, where nbval starts and stops the kernel.

        pytest has no hook for them.
        """
        setup: Callable[[], None] = notebook.setup
        teardown: Callable[[], None] = notebook.teardown

        def timed_setup() -> None:
            cost = self.costs.setdefault(notebook.path, _Cost())
            start = _own_clock()
            setup()
            cost.seconds += _own_clock() - start

        def weighed_teardown() -> None:
            if notebook.kernel is not None and notebook.kernel.is_alive():
                cost, kernel = self.costs[notebook.path], notebook.kernel.km
                cost.memory_mb = peak_memory_mb(kernel)
                cost.seconds -= min(cost.seconds, waited_seconds(kernel.provisioner.pid))
            teardown()

        notebook.setup, notebook.teardown = timed_setup, weighed_teardown


def _own_clock() -> float:
    """Seconds, without those that this process waited for a processor."""
    return time.perf_counter() - waited_seconds("self")


def _become(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
