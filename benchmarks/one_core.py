"""Every student notebook on one core with 2 GB, as Binder gives it: seconds, first picture, memory.

Each notebook runs in a control group of its own, whose limits hold for the kernel and all its children.
That needs Linux and the right to make a group (root); elsewhere the run is pinned to one core, and
memory is only watched. Seconds of a busy machine mislead, so those of the processor stand beside them.
Targets: 60 s and 1 GB for each notebook; in chapters 00 to 03, 05 and 06 the first picture within 3 s of
Run All, and less than 250 MB of memory until then.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbclient import NotebookClient

from gsl_tutorial.course.press.cleaning import WIDGET_VIEW
from gsl_tutorial.course.press.execution import kernel_environment

MB = 1024 * 1024
LIMIT_MB = 2048
NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
GROUPS = Path("/sys/fs/cgroup")
#: The limits by file, in both versions of control groups; a folder of version 1 for each controller.
VERSIONS = {
    "2": {"": {"cpu.max": "100000 100000", "memory.max": str(LIMIT_MB * MB)}},
    "1": {
        "cpu": {"cpu.cfs_quota_us": "100000"},
        "memory": {"memory.limit_in_bytes": str(LIMIT_MB * MB)},
    },
}


@contextlib.contextmanager
def limited() -> Iterator[tuple[str, list[Path]]]:
    """How the limits are set, and the groups that a process has to enter for them."""
    name = f"gsl-one-core-{os.getpid()}"
    for version, controllers in VERSIONS.items():
        folders = [GROUPS / controller / name for controller in controllers]
        try:
            for folder, limits in zip(folders, controllers.values(), strict=True):
                if not folder.parent.is_dir():
                    raise FileNotFoundError(folder.parent)
                folder.mkdir()
                for file, limit in limits.items():
                    if not (folder / file).exists():
                        raise FileNotFoundError(folder / file)
                    (folder / file).write_text(limit)
        except OSError:
            _remove(folders)
            continue
        try:
            yield f"control group, version {version}", folders
        finally:
            _remove(folders)
        return
    yield "pinned to one core, memory watched only", []


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def enter(groups: list[Path]) -> None:
    """Put this process, and so all its children, under the limits."""
    for group in groups:
        (group / "cgroup.procs").write_text(str(os.getpid()))
    if not groups and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def run_one(path: Path) -> dict[str, Any]:
    """Run a notebook cell by cell in this process's kernel, and say what it cost."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=1200, startup_timeout=600)
    me = psutil.Process()
    first: dict[str, float] | None = None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        settings = {"cwd": str(path.parent), "env": kernel_environment(Path(scratch))}
        with client.setup_kernel(**settings):
            began, spent = time.perf_counter(), _processor(me)
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
                if first is None and _is_picture(cell):
                    first = {
                        "first_picture_seconds": time.perf_counter() - began,
                        "first_picture_cpu_seconds": _processor(me) - spent,
                        "first_picture_mb": _memory_mb(me),
                    }
            costs = {
                "seconds": time.perf_counter() - began,
                "cpu_seconds": _processor(me) - spent,
            }
    return {**costs, **(first or {})}


def _is_picture(cell: nbformat.NotebookNode) -> bool:
    shown = [output.get("data", {}) for output in cell.get("outputs", [])]
    return any(WIDGET_VIEW in one or "<img" in str(one.get("text/html")) for one in shown)


def _family(me: psutil.Process) -> list[psutil.Process]:
    return [one for one in me.children(recursive=True) if one.is_running()]


def _processor(me: psutil.Process) -> float:
    """Seconds of the processor of all kernels and workers, those that have ended included."""
    total = me.cpu_times().children_user + me.cpu_times().children_system
    for one in _family(me):
        with contextlib.suppress(psutil.Error):
            times = one.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _memory_mb(me: psutil.Process) -> float:
    """What the children hold now; a page that several share is counted once in all."""
    total = 0
    for one in _family(me):
        with contextlib.suppress(psutil.Error):
            total += getattr(one.memory_full_info(), "pss", one.memory_info().rss)
    return total / MB


def measure(chapters: str = "*") -> dict[str, Any]:
    """Each notebook in a process of its own, its memory watched from here; "09*" is chapter 09 alone."""
    rows = {}
    with limited() as (how, groups):
        for path in sorted(NOTEBOOKS.glob(f"{chapters}.ipynb")):
            program = [sys.executable, "-m", "benchmarks.one_core", str(path), *map(str, groups)]
            with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as run:
                watched, most = psutil.Process(run.pid), 0.0
                while run.poll() is None:
                    with contextlib.suppress(psutil.Error):
                        most = max(most, _memory_mb(watched))
                    time.sleep(0.25)
                said = run.stdout.read() if run.stdout else ""
            done = json.loads(said) if run.returncode == 0 else {"failed": run.returncode}
            rows[path.stem] = {key: round(value, 1) for key, value in done.items()}
            rows[path.stem]["memory_mb"] = round(most)
            print(path.stem, rows[path.stem], file=sys.stderr, flush=True)
    return {"limits": how, "notebooks": rows}


if __name__ == "__main__":
    enter([Path(group) for group in sys.argv[2:]])
    print(json.dumps(run_one(Path(sys.argv[1]))))
