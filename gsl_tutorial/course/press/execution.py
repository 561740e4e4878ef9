"""Run a notebook once, from top to bottom, on a fresh kernel of this very interpreter.

nbclient does the work. Ours is the kernel (the user's own `python3` kernelspec may point at another
interpreter), the peak memory, read from the kernel while it still lives, and the world in which a notebook
runs: the same on every machine, whatever lies there. Without it a build would draw other pictures where the
CIFAR-10 images or a GPU are at hand, or where a user's own matplotlib or IPython settings change a figure
or an output. And a sum that two threads share is rounded otherwise than one thread's: the number of threads
is part of an output, so it is fixed.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager, KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from gsl_tutorial.course.press.budgets import BUDGETS, MB
from gsl_tutorial.course.press.errors import NotebookRunError
from gsl_tutorial.course.press.sources import Draft

#: A cell that takes ten times what the whole notebook may take hangs.
CELL_TIMEOUT = 10 * BUDGETS.seconds

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Run:
    """What a run cost.

    Attributes
    ----------
    seconds : float
        Kernel start and all cells.
    memory_mb : float
        Peak memory of the kernel, in MB.
    """

    seconds: float
    memory_mb: float


class _ThisInterpreter(KernelSpecManager):  # type: ignore[misc, unused-ignore]
    """Knows one kernel: the interpreter that runs the press."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=str(RESOURCES), **get_kernel_dict())


def run(made: Draft, *, folder: Path) -> Run:
    """Run a draft; its notebook holds the outputs afterwards.

    Parameters
    ----------
    made : Draft
        The notebook to run, changed in place.
    folder : Path
        Where the kernel runs.

    Returns
    -------
    Run
        What it cost.

    Raises
    ------
    NotebookRunError
        A cell raised, hung, or took the kernel down.
    """
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=_ThisInterpreter())
    client = NotebookClient(
        made.notebook,
        km=manager,
        timeout=int(CELL_TIMEOUT),
        # The defaults, a minute and four seconds, are missed on a busy machine, and an output that comes
        # later than that would be left out without a word.
        startup_timeout=int(CELL_TIMEOUT),
        iopub_timeout=int(CELL_TIMEOUT),
        raise_on_iopub_timeout=True,
        record_timing=False,
    )
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        settings = {"cwd": str(folder), "env": kernel_environment(Path(scratch))}
        # The kernel's own log is none of the caller's; what cells write to stderr comes as output.
        with client.setup_kernel(**settings, stderr=subprocess.DEVNULL, cleanup_kc=True):
            for index, cell in enumerate(made.notebook.cells):
                _run_cell(client, made, cell, index)
            seconds = time.perf_counter() - start
            return Run(seconds, peak_memory_mb(manager))


def peak_memory_mb(manager: KernelManager) -> float:
    """Return the most memory that a living kernel has ever held, its children not counted.

    Parameters
    ----------
    manager : KernelManager
        The kernel's manager.

    Returns
    -------
    float
        Memory in MB.

    Notes
    -----
    Linux keeps it as VmHWM; `ru_maxrss` would not do, as a child inherits its parent's. Elsewhere
    this is what the process holds now.
    """
    pid: int = manager.provisioner.pid  # type: ignore[union-attr]  # local kernels have one
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return float(psutil.Process(pid).memory_info().rss) / MB
    kilobytes = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(kilobytes[1]) / 1024 if kilobytes else 0.0


def waited_seconds(pid: int | str) -> float:
    """Return how long a process was ready to run while others had the processors.

    Parameters
    ----------
    pid : int or "self"
        The process, of which the main thread counts.

    Returns
    -------
    float
        Seconds.

    Notes
    -----
    Linux keeps it in schedstat, in nanoseconds; elsewhere this is 0.

    Examples
    --------
    >>> waited_seconds("self") >= 0
    True
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _run_cell(client: NotebookClient, made: Draft, cell: NotebookNode, index: int) -> None:
    try:
        client.execute_cell(cell, index)
    except CellExecutionError as error:
        last_lines = _COLOUR.sub("", error.traceback).strip().splitlines()[-6:]
        raise _failed(made, cell, f"{error.ename}: {error.evalue}", last_lines) from None
    except CellTimeoutError:
        raise _failed(made, cell, f"no end after {CELL_TIMEOUT:g} s", []) from None
    except DeadKernelError:
        raise _failed(made, cell, "the kernel's death (out of memory?)", []) from None


def _failed(
    made: Draft, cell: NotebookNode, reason: str, last_lines: list[str]
) -> NotebookRunError:
    quoted = "".join(f"\n    {line}" for line in last_lines)
    return NotebookRunError(
        f"chapter {made.source.stem} to run from top to bottom",
        f"{reason} at {made.where(cell)}{quoted}",
        "correct the source and build again; the finished notebook was left as it is",
    )


#: One thread, whatever the machine has and whatever its user has set: for torch and faiss (OpenMP), each
#: BLAS (which listens to its own variable first), and code that is compiled here.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OMP_DYNAMIC": "FALSE",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
#: Set for every run. `GSL_TUTORIAL_PRESS` tells widgets and progress bars that nobody is watching.
FIXED = {
    "GSL_TUTORIAL_PRESS": "1",
    "GSL_TUTORIAL_OFFLINE": "1",
    "PYTHONHASHSEED": "0",
    **ONE_THREAD,
    "OMP_WAIT_POLICY": "PASSIVE",
    "CUDA_VISIBLE_DEVICES": "",
    "MATPLOTLIBRC": os.devnull,
}
#: Set to an empty folder that is removed after the run.
EMPTY_FOLDERS = ("GSL_TUTORIAL_CACHE", "IPYTHONDIR")
#: Taken away.
UNSET = ("GSL_TUTORIAL_DATA", "MPLBACKEND", "PYTHONWARNINGS")

#: The three that hide the images of this machine.
HIDES_IMAGES = ("GSL_TUTORIAL_OFFLINE", "GSL_TUTORIAL_CACHE", "GSL_TUTORIAL_DATA")


def kernel_environment(
    scratch: Path, *, around: Mapping[str, str] = os.environ, images: bool = False
) -> dict[str, str]:
    """Make the environment of a kernel, with empty folders of its own.

    Parameters
    ----------
    scratch : Path
        Where the empty folders lie.
    around : mapping of str to str
        Variables of the surrounding process.
    images : bool
        Leave the variables of the surrounding process that lead to data as they are.

    Returns
    -------
    dict of str to str
        The variables.
    """
    wanted = {**FIXED, **{name: str(scratch / name.lower()) for name in EMPTY_FOLDERS}}
    kept = {name: value for name, value in around.items() if name not in UNSET}
    result = {**kept, **wanted}
    if images:
        for name in HIDES_IMAGES:
            result.pop(name, None)
            if name in around:
                result[name] = around[name]
    for name in EMPTY_FOLDERS:
        if name in result:
            Path(result[name]).mkdir(parents=True, exist_ok=True)
    return result
