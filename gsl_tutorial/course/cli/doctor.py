"""Is this machine ready? What is here, what is short, and what to do about it.

The doctor looks and never touches: no network, no file written, no setting changed. Each finding is
*ok*, a *note* (something works less well, or a chapter lacks its data) or a *problem* (something
needed is missing), and whoever is not ok is told what to do.

Source: the habit of ``brew doctor`` and ``flutter doctor``. What we changed: the examination is a
pure function that returns a report; printing it, or turning it into JSON, is somebody else's line.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import psutil

from gsl_tutorial import container
from gsl_tutorial.course.cli import openmp
from gsl_tutorial.course.datasets import cache_folder, cifar10_status
from gsl_tutorial.course.datasets.cifar10_files import verify_files
from gsl_tutorial.course.datasets.movielens import find_movielens
from gsl_tutorial.course.text_table import text_table
from gsl_tutorial.course.workbook import data_folder, is_clone, is_workbook, shipped_workbook
from gsl_tutorial.errors import TutorialError
from gsl_tutorial.storage import digest, read_json

_GB = 1e9
_NEEDED_MEMORY = 1 * _GB  # the budget of a notebook
_NEEDED_DISK = 0.4 * _GB  # CIFAR-10, packed and unpacked
# Where the installed name may differ from the one asked for (conda, GPU builds), its module decides.
_MODULES = {
    "faiss-cpu": "faiss", "ipython": "IPython", "pillow": "PIL", "scikit-learn": "sklearn",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes
    ----------
    level : {"ok", "note", "problem"}
        How serious it is.
    topic : str
        What was looked at.
    text : str
        What was found.
    todo : str
        What to do; empty where `level` is ``"ok"``.
    """

    level: Literal["ok", "note", "problem"]
    topic: str
    text: str
    todo: str = ""


@dataclass(frozen=True)
class Report:
    """Everything the doctor found.

    Attributes
    ----------
    findings : tuple of Finding
        In the order in which they are told.
    """

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """False when something that is needed is missing. Absent images are only a note."""
        return all(finding.level != "problem" for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain dictionaries, lists and strings, for ``--json``."""
        return {"ok": self.ok, "findings": [asdict(finding) for finding in self.findings]}


def examine(
    *, data: str | Path | None = None, shipped: str | Path | None = None, together: bool = True
) -> Report:
    """Look at the machine and return what was found.

    Parameters
    ----------
    data : path, optional
        Where to look for CIFAR-10; without it, in `GSL_TUTORIAL_DATA` and the user's cache.
    shipped : path, optional
        The folder of trained weights; without it, the one that came with the package.
    together : bool
        Whether torch, faiss and scikit-learn are to meet in a process of their own. That finds OpenMP
        runtimes that do not get along, and costs a few seconds and some 200 MB.

    Returns
    -------
    Report
        All findings.
    """
    return Report(
        (
            *_python_and_packages(),
            *_torch(),
            *(_openmp() if together else ()),
            *_memory_and_disk(),
            *_data(data),
            *_ratings(data),
            *_workbook(Path.cwd()),
            *_weights(Path(shipped or data_folder())),
        )
    )


def render(report: Report) -> str:
    """Write the report as text.

    Parameters
    ----------
    report : Report
        What was found.

    Returns
    -------
    str
        One finding a line, with a last line that sums up.

    Examples
    --------
    >>> print(render(Report((Finding("problem", "torch", "missing", "pip install torch"),))))
    problem  torch  missing
                    -> pip install torch
    <BLANKLINE>
    Not ready: 1 problem to solve first.
    """
    count = sum(finding.level == "problem" for finding in report.findings)
    verdict = f"Not ready: {count} problem{'s' * (count > 1)} to solve first."
    if report.ok:
        verdict = "Ready."
    rows = [
        (one.level, one.topic, f"{one.text}\n-> {one.todo}" if one.todo else one.text)
        for one in report.findings
    ]
    return f"{text_table(rows)}\n\n{verdict}"


def _python_and_packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    try:
        own = metadata.distribution("gsl-tutorial")
    except metadata.PackageNotFoundError:
        yield Finding(
            "problem",
            "gsl-tutorial",
            "not installed",
            "pip install 'gsl-tutorial[course]'; in a clone: pip install -e '.[course]'",
        )
        return
    version, allowed = platform.python_version(), str(own.metadata["Requires-Python"])
    if SpecifierSet(allowed).contains(version, prereleases=True):
        yield Finding("ok", "python", version)
    else:
        yield Finding(
            "problem", "python", f"{version}, but {allowed} is needed", "install that Python"
        )
    for line in own.requires or []:
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate({"extra": "course"}):
            yield _package(needed.name, str(needed.specifier), needed.specifier)


def _package(name: str, wanted: str, allowed: Any) -> Finding:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        if find_spec(_MODULES.get(name, name.replace("-", "_"))) is not None:
            return Finding("ok", name, "here, version unknown")
        return Finding("problem", name, "missing", f"pip install '{name}{wanted}'")
    if allowed.contains(version, prereleases=True):
        return Finding("ok", name, version)
    return Finding(
        "note", name, f"{version}, but {wanted} was tested", f"pip install -U '{name}{wanted}'"
    )


def _torch() -> Iterator[Finding]:
    cores = container.processors()
    asked = os.environ.get("OMP_NUM_THREADS", "not set")
    yield Finding("ok", "cores", f"{cores} (OMP_NUM_THREADS: {asked})")
    try:
        import torch
    except Exception as error:  # a broken installation raises ImportError, OSError, RuntimeError...
        reason = str(error).splitlines()[0] if str(error) else ""
        yield Finding(
            "problem",
            "torch",
            f"cannot be imported: {type(error).__name__}: {reason}",
            "install it again, see https://pytorch.org/get-started/locally",
        )
        return
    threads = torch.get_num_threads()
    if threads > cores:
        yield Finding(
            "note",
            "threads",
            f"torch uses {threads} on {cores} cores, which is slower than {cores}",
            f"set OMP_NUM_THREADS={cores}",
        )
    else:
        yield Finding("ok", "threads", f"torch uses {threads}")
    if torch.cuda.is_available():
        yield Finding("ok", "gpu", torch.cuda.get_device_name())
    elif torch.backends.mps.is_available():
        yield Finding("ok", "gpu", "Apple MPS")
    else:
        yield Finding("ok", "gpu", "none; every notebook runs without one")


def _openmp() -> Iterator[Finding]:
    level, text, todo = openmp.advise(openmp.meet())
    yield Finding(level, "openmp", text, todo)


def _memory_and_disk() -> Iterator[Finding]:
    memory = psutil.virtual_memory()
    total, free = memory.total, memory.available
    if (limit := container.memory_limit()) is not None and limit < total:
        total = limit
        free = min(free, limit - psutil.Process().memory_info().rss)
    text = f"{free / _GB:.1f} GB free of {total / _GB:.1f} GB"
    if free < _NEEDED_MEMORY:
        yield Finding("note", "memory", text, "close other programs; a notebook may need 1 GB")
    else:
        yield Finding("ok", "memory", text)
    cache = cache_folder()
    try:
        there = next(folder for folder in (cache, *cache.parents) if folder.exists())
        room = shutil.disk_usage(there).free
    except (OSError, StopIteration) as error:
        yield Finding(
            "note", "disk", f"{cache} cannot be looked at: {error}", "set GSL_TUTORIAL_CACHE"
        )
        return
    text = f"{room / _GB:.1f} GB free for the cache {cache}"
    if room < _NEEDED_DISK:
        yield Finding(
            "note", "disk", text, "free 0.4 GB to fetch CIFAR-10, or set GSL_TUTORIAL_CACHE"
        )
    else:
        yield Finding("ok", "disk", text)


def _data(root: str | Path | None) -> Iterator[Finding]:
    status = cifar10_status(root)
    if status.state == "complete" and status.folder is not None:
        try:
            verify_files(status.folder)
        except TutorialError as error:
            todo = f"delete {status.folder}, then `gsl-tutorial fetch`"
            yield Finding("problem", "CIFAR-10", f"damaged: {error.got} at {error.expected}", todo)
        else:
            yield Finding("ok", "CIFAR-10", f"{status}, every byte as published")
    else:
        yield Finding(
            "note",
            "CIFAR-10",
            str(status),
            "only the CIFAR-10 chapters need it: `gsl-tutorial fetch`, or set GSL_TUTORIAL_DATA"
            " to a folder that holds cifar-10-batches-py",
        )


def _ratings(root: str | Path | None) -> Iterator[Finding]:
    # Never a note: no chapter lacks anything without the ratings.
    absent = "not here; only `gsl-tutorial two-tower study` and `embed` need it"
    yield Finding("ok", "MovieLens", str(find_movielens(root) or absent))


def _workbook(here: Path) -> Iterator[Finding]:
    source = shipped_workbook()
    if is_workbook(here):
        yield Finding("ok", "notebooks", f"{here / 'notebooks'}")
    elif source is None:
        yield Finding(
            "problem",
            "notebooks",
            "none in this folder, and none came with the package",
            "change to the folder that holds `notebooks`, or install the package again",
        )
    elif is_clone(source):
        yield Finding("ok", "notebooks", f"{source / 'notebooks'}")
    else:
        yield Finding(
            "ok",
            "notebooks",
            "in the package; `gsl-tutorial lab --copy` copies them to this folder",
        )


def _weights(folder: Path) -> Iterator[Finding]:
    files = sorted(folder.rglob("*.safetensors")) if folder.is_dir() else []
    by_folder: dict[str, list[Path]] = {}
    for file in files:  # one line for each folder: a study keeps hundreds of small files
        by_folder.setdefault(file.relative_to(folder).parts[0], []).append(file)
    for name, some in by_folder.items():
        size = sum(file.stat().st_size for file in some) / 1e6
        count = f" ({len(some)} files)" if len(some) > 1 else ""
        if changed := _changed(folder / name):
            yield Finding(
                "problem",
                "weights",
                f"{name}/{changed} has not the bytes that its card names",
                f"`git checkout data/{name}`, or clone the repository anew",
            )
        else:
            yield Finding("ok", "weights", f"{name}, {size:.2f} MB{count}")
    if not files:
        yield Finding(
            "note",
            "weights",
            f"no trained weights in {folder}",
            "install the package again or clone the repository whole; or train: chapter 09 says how",
        )


def _changed(folder: Path) -> str:
    """The first file of a folder whose bytes are others than its card says; empty where all is well."""
    if not (folder / "card.json").is_file():
        return ""
    try:
        for name, expected in read_json(folder / "card.json")["sha256"].items():
            if not (folder / name).is_file() or digest(folder / name) != expected:
                return str(name)
    except (TutorialError, KeyError, TypeError, AttributeError):
        return "card.json"
    return ""
