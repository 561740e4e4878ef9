"""Which OpenMP runtimes meet in one process, and do they get along?

Torch, faiss and scikit-learn share their loops among threads through OpenMP, and each may bring its own
copy of a runtime: `libgomp` (GNU), `libomp` (LLVM), `libiomp5` (Intel) or `vcomp` (Microsoft). Copies of
GNU's get along with each other and with the rest. LLVM's and Intel's are one family, and a second member
of it in a process ends the program ("OMP: Error #15"), waits for ever, or crashes in its first parallel
loop. A kernel that dies so leaves no message in its notebook, hence this look beforehand.

We start a process that imports the three, says which runtimes it has loaded, and works a little, as a
notebook would; what happens to it does not happen to us. On Linux the list is the kernel's own
(``/proc/self/maps``), elsewhere threadpoolctl's. If the process dies before it can say anything, we name
what lies in the folders of the packages. A runtime built into another library has no file, so only
the crash shows it.

Source: which of them get along is what threadpoolctl's "Multiple OpenMP Runtimes" has gathered.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Literal

_MAPS = Path("/proc/self/maps")
_MARK = "openmp runtimes: "
_STEP = "openmp step: "
_DONE = "openmp works"
#: A loop of a few milliseconds needs no more, however busy the machine.
_PATIENCE = 300
_NAME = re.compile(
    r"(libgomp|libiomp5|libomp|vcomp)(?:md|\d+)?(?:-\w+)?(?:\.\w+)*?\.(?:so|dylib|dll)(?:\.\w+)*",
    re.IGNORECASE,
)
_FAMILY = {"libomp", "libiomp5"}
_WHERE = ("*.libs", "*/.dylibs", "torch/lib")


@dataclass(frozen=True)
class Runtime:
    """A copy of a runtime.

    Attributes
    ----------
    name : str
        ``"libgomp"``, ``"libomp"``, ``"libiomp5"`` or ``"vcomp"``.
    owner : str
        The package that brought it, or the folder in which it lies.
    """

    name: str
    owner: str

    def __str__(self) -> str:
        """Name and owner, as in ``libgomp (torch)``."""
        return f"{self.name} ({self.owner})"


@dataclass(frozen=True)
class Meeting:
    """What came of it when torch, faiss and scikit-learn met in a process.

    Attributes
    ----------
    runtimes : tuple of Runtime
        The copies that were loaded, or, where `loaded` is False, that lie in the packages' folders.
    loaded : bool
        Whether the process could say what it had loaded.
    end : str
        How the process ended; empty if it did its work.
    """

    runtimes: tuple[Runtime, ...]
    loaded: bool = True
    end: str = ""


def recognize(paths: Iterable[str]) -> tuple[Runtime, ...]:
    """Pick the OpenMP runtimes out of the paths of libraries.

    Parameters
    ----------
    paths : iterable of str
        Files, in any order; two links to the same file count once.

    Returns
    -------
    tuple of Runtime
        Each copy once, in the order of the paths.

    Examples
    --------
    >>> site = "/venv/lib/python3.11/site-packages"
    >>> for one in recognize([f"{site}/torch/lib/libgomp.so.1", f"{site}/faiss/_faiss.so"]):
    ...     print(one)
    libgomp (torch)
    """
    found: dict[str, Runtime] = {}
    for path in paths:
        with suppress(OSError, ValueError):  # a loop of links, a zero byte
            path = os.path.realpath(path) if os.path.exists(path) else path
        parts = (PureWindowsPath(path) if "\\" in path else PurePosixPath(path)).parts
        if parts and (match := _NAME.fullmatch(parts[-1])):
            found.setdefault(path, Runtime(match[1].lower(), _owner(parts)))
    return tuple(found.values())


def mapped(maps: str) -> list[str]:
    """List the files that a table of memory maps names.

    Parameters
    ----------
    maps : str
        The text of ``/proc/self/maps``; lines that are not as the kernel writes them are passed over.

    Returns
    -------
    list of str
        Paths, each once.

    Examples
    --------
    >>> mapped("7f00-7f01 r-xp 00000000 08:01 12   /opt/my libs/libomp.so (deleted)")
    ['/opt/my libs/libomp.so']
    """
    fields = (line.split(maxsplit=5) for line in maps.splitlines())
    paths = (row[5].removesuffix(" (deleted)") for row in fields if len(row) == 6)
    return list(dict.fromkeys(path for path in paths if path.startswith("/")))


def meet() -> Meeting:
    """Let torch, faiss and scikit-learn meet in a process of their own.

    Returns
    -------
    Meeting
        The runtimes that it had loaded, and how it ended.
    """
    program = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(
            program, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as late:
        end = f"had not finished after {_PATIENCE} seconds"
        return _read(late.stdout or b"", end)
    except OSError as error:
        return _read(b"", f"could not be started: {error}")
    said = done.stderr.decode(errors="replace").splitlines()
    reason = next((line for line in said if "OMP: Error" in line), "")
    return _read(done.stdout, f"died: {reason.rstrip('.') or _status(done.returncode)}")


def advise(meeting: Meeting) -> tuple[Literal["ok", "note", "problem"], str, str]:
    """Say what a meeting means.

    Parameters
    ----------
    meeting : Meeting
        What came of it.

    Returns
    -------
    level, text, todo : str
        As in a `Finding` of the doctor.
    """
    names = ", ".join(map(str, meeting.runtimes)) or "none"
    rivals = sum(one.name in _FAMILY for one in meeting.runtimes) > 1
    if meeting.end:
        text = f"a process that used torch, faiss and scikit-learn together {meeting.end}"
        text += f"; {'loaded' if meeting.loaded else 'in their folders'}: {names}"
        known = rivals or "OMP: Error" in meeting.end
        return "problem", text, _remedy() if known else _SEARCH
    if not meeting.loaded:
        return (
            "ok",
            f"what is loaded could not be listed, but it works; in the folders: {names}",
            "",
        )
    if rivals:
        silenced = "KMP_DUPLICATE_LIB_OK" in os.environ
        text = f"{names}: two of one family, which may stop or crash a kernel"
        if silenced:
            text += "; KMP_DUPLICATE_LIB_OK only hides it, and results may be wrong"
        return "note", text, _remedy()
    if len(meeting.runtimes) > 1:
        return "ok", f"{names}; they get along, each with threads of its own", ""
    return "ok", names, ""


_SEARCH = (
    "import torch, faiss and sklearn one by one in a terminal, and install again the one that fails"
)


def _remedy() -> str:
    both = "all with pip, or " if sys.platform == "linux" else ""
    return (
        f"install torch, faiss and scikit-learn {both}all from conda-forge, where they share one"
        " runtime: `pip uninstall faiss-cpu`, then `conda install -c conda-forge faiss-cpu`"
    )


def _owner(parts: tuple[str, ...]) -> str:
    """The package that a library belongs to, or its folder."""
    for folder in ("site-packages", "dist-packages"):
        if folder in parts[:-2]:
            return parts[parts.index(folder) + 1].removesuffix(".libs")
    windows = len(parts) > 1 and parts[0].endswith("\\")
    return str((PureWindowsPath if windows else PurePosixPath)(*parts[:-1]))


def _status(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def _read(output: bytes, end: str) -> Meeting:
    """Read what the process said, whatever the libraries have printed between."""
    lines = output.decode(errors="replace").splitlines()
    steps = [line.removeprefix(_STEP) for line in lines if line.startswith(_STEP)]
    end = "" if _DONE in lines else f"{end}, when it {steps[-1]}" if steps else end
    for line in reversed(lines):
        if line.startswith(_MARK):
            with suppress(ValueError):  # the line was cut
                paths = json.loads(line.removeprefix(_MARK))
                if paths is not None:
                    return Meeting(recognize(paths), True, end)
    return Meeting(recognize(_lying()), False, end)


def _lying() -> Iterator[str]:
    """Libraries in the folders of the packages, and of conda."""
    for site in dict.fromkeys(sys.path):
        if Path(site).name in {"site-packages", "dist-packages"}:
            for where in _WHERE:
                yield from map(str, sorted(Path(site).glob(f"{where}/*")))
    for folder in ("lib", "Library/bin"):
        yield from map(str, sorted(Path(sys.prefix, folder).glob("*omp*")))


def _loaded() -> list[str] | None:
    """The libraries in this process; None where nothing can say."""
    with suppress(OSError):
        return mapped(_MAPS.read_bytes().decode(errors="replace"))
    with suppress(
        Exception
    ):  # scikit-learn brings it, if it is here; and it asks unknown libraries
        found = import_module("threadpoolctl").threadpool_info()
        return [str(one["filepath"]) for one in found]
    return None


def _work() -> None:
    """Import the three as far as they are there, say what is loaded, and give each runtime a loop."""
    there = {}
    for name in ("torch", "faiss", "sklearn"):
        _say(f"{_STEP}imported {name}")
        with suppress(Exception):  # missing or broken: the doctor says so in a line of its own
            there[name] = import_module(name)
        paths = _loaded()
        _say(_MARK + json.dumps(paths and [one for one in paths if recognize([one])]))
    _say(f"{_STEP}used torch")
    with suppress(Exception):
        there["torch"].ones(1 << 18).exp().sum()
    _say(f"{_STEP}used faiss")
    with suppress(Exception):
        import numpy as np

        index, points = there["faiss"].IndexFlatL2(8), np.ones((256, 8), dtype=np.float32)
        index.add(points)
        index.search(points, 1)
    _say(_DONE)


def _say(line: str) -> None:
    print(f"\n{line}", flush=True)  # on a line of its own, whatever an import has printed before


if __name__ == "__main__":
    _work()
