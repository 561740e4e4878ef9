"""Open the workbook in JupyterLab: on this machine only, with its token, at chapter 00.

The server keeps Jupyter's own token and listens on 127.0.0.1. News and update lookups are off: a
classroom without a network should not wait for them.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from gsl_tutorial.course.workbook import FIRST, is_clone, is_workbook, shipped_workbook
from gsl_tutorial.errors import DataMissingError, InvalidInputError

_DEFAULT_PORT = 8888
#: Default settings: no question about Jupyter's news at the first start, and a saved notebook keeps its
#: widgets, so that they are there when it is opened again. A user's own settings come first.
_SETTINGS = Path(__file__).parent / "lab_settings"


def workbook_root() -> Path:
    """Find the notebooks: in the present folder, or in the clone that the package was installed from.

    Returns
    -------
    Path
        Its root.

    Raises
    ------
    DataMissingError
        Neither of them is one.
    """
    if is_workbook(Path.cwd()):
        return Path.cwd()
    shipped = shipped_workbook()
    if shipped is not None and is_clone(shipped):
        return shipped
    raise DataMissingError(
        f"a folder with {FIRST}",
        f"{Path.cwd()}, which has none",
        "call `gsl-tutorial lab --copy`, which copies the notebooks here, or change to their folder",
    )


def command(root: Path, *, browser: bool, port: int | None) -> list[str]:
    """Return the command that starts JupyterLab.

    Parameters
    ----------
    root : Path
        The folder that JupyterLab shows.
    browser : bool
        Whether it opens a browser window.
    port : int or None
        The port; without it the first free one from 8888 is taken.

    Returns
    -------
    list of str
        The words of the command.

    Raises
    ------
    InvalidInputError
        The port is not free.
    """
    if port is not None and not is_free(port):
        raise InvalidInputError(
            "a free port",
            f"{port}, which another program uses",
            "leave --port out, and a free one is found",
        )
    words = [
        sys.executable, "-m", "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port or _DEFAULT_PORT}",
        f"--ServerApp.port_retries={0 if port else 50}",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{FIRST.as_posix()}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--LabApp.app_settings_dir={_SETTINGS}",
    ]  # fmt: skip
    if not browser:
        words.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        words.append("--allow-root")  # containers; the token still guards the server
    return words


def start(*, browser: bool = True, port: int | None = None) -> int:
    """Run JupyterLab until it ends.

    Parameters
    ----------
    browser : bool
        Whether it opens a browser window.
    port : int or None
        The port; without it the first free one from 8888 is taken.

    Returns
    -------
    int
        Its exit status.

    Raises
    ------
    DataMissingError, InvalidInputError
        As in `workbook_root` and `command`.
    """
    if data := os.environ.get("GSL_TUTORIAL_DATA"):
        # Kernels start in the notebooks' folder: a relative path must keep its meaning there.
        os.environ["GSL_TUTORIAL_DATA"] = os.path.abspath(data)
    words = command(workbook_root(), browser=browser, port=port)
    if os.name == "posix":
        os.execv(words[0], words)  # becomes the server, so that signals reach it
    return subprocess.call(words)


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
