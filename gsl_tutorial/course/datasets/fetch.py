"""CIFAR-10 in the user's cache: whole and verified, or not at all.

Everything happens in a scratch folder beside the goal: the archive is downloaded, only its seven
expected members are copied out, under names that *we* chose, each is compared with its own MD5, and
one rename makes the folder appear. Whatever breaks off leaves nothing behind. Processes that start
at the same time wait for one another, and the others find the work done.

Source: pooch's idea of a cache with checksums, and the advice in Python's ``tarfile`` on archives
that reach outside their folder. What we changed: one atomic move, one lock, no extraction by the
archive's names.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from gsl_tutorial.course.datasets.cifar10_files import (
    FOLDER,
    cache_folder,
    find_cifar10,
    verify_files,
)
from gsl_tutorial.course.datasets.lock import exclusive
from gsl_tutorial.course.datasets.mirrors import CIFAR10, MIRRORS, OFFLINE, Archive, download
from gsl_tutorial.errors import (
    ChecksumError,
    DataMissingError,
    DownloadError,
    StorageError,
    TutorialError,
)

_SCRATCH = ".fetch-"  # how the names of scratch folders begin


def fetch_cifar10(
    cache: str | Path | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    notice: Callable[[str], None] | None = None,
    mirrors: Iterable[str] = MIRRORS,
    timeout: float = 20.0,
    archive: Archive = CIFAR10,
) -> Path:
    """Return the folder with the verified batches; download it first where it is not there yet.

    Safe when many processes start at once: one downloads, the others wait. A copy in the cache
    whose bytes are wrong is replaced. `GSL_TUTORIAL_MIRROR` names a mirror to try first (a URL of
    the archive, or of the folder that holds it); `GSL_TUTORIAL_OFFLINE=1` forbids downloading.

    Parameters
    ----------
    cache : path, optional
        Where ``cifar-10-batches-py`` shall be. Without it: the folder named by `GSL_TUTORIAL_DATA`
        if the batches are there, else the user's cache.
    progress : callable(done, total), optional
        Called with numbers of bytes while downloading. `done` starts again with the next mirror.
    notice : callable(text), optional
        Called with one sentence when something else happens: waiting, a mirror given up.
    mirrors : URLs
        Tried in this order.
    timeout : float
        Seconds without a single byte after which a mirror is given up.
    archive : Archive
        What is expected; for tests.

    Raises
    ------
    DownloadError
        If no mirror gave the archive, each with its reason; or downloading is forbidden.
    ChecksumError
        If the archive holds anything but the expected files.
    StorageError
        If the disk is full or the cache cannot be written.
    """
    say = notice or (lambda text: None)
    show = progress or (lambda done, total: None)
    if cache is None and (found := find_cifar10()) is not None and _intact(found, archive):
        return found
    home = cache_folder() if cache is None else Path(cache).expanduser()
    goal = home / FOLDER
    if _intact(goal, archive):
        return goal
    if os.environ.get("GSL_TUTORIAL_OFFLINE", "0") not in ("", "0"):
        raise DownloadError(
            "a download to be allowed",
            f"GSL_TUTORIAL_OFFLINE={os.environ['GSL_TUTORIAL_OFFLINE']}",
            f"unset it, or {OFFLINE}",
        )
    try:
        home.mkdir(parents=True, exist_ok=True)
        waiting = f"another process is fetching {archive.name} into {home}; waiting for it"
        with exclusive(home / ".cifar10.lock", on_wait=lambda: say(waiting)) as alone:
            if _intact(goal, archive):
                return goal
            if alone:
                _sweep(home)
            _check_space(home, archive)
            with tempfile.TemporaryDirectory(dir=home, prefix=_SCRATCH) as name:
                scratch = Path(name)
                packed = scratch / archive.name
                download(
                    packed, mirrors, archive=archive, timeout=timeout, progress=show, notice=say
                )
                unpacked = _unpack(packed, scratch / FOLDER, archive)
                if goal.exists():  # a broken copy: it goes away with the scratch folder
                    os.replace(goal, scratch / "broken")
                os.replace(unpacked, goal)
    except TutorialError:
        raise
    except OSError as error:
        raise StorageError(
            f"a cache folder that can be written, {home}",
            error.strerror or str(error),
            "free some space, or set GSL_TUTORIAL_CACHE to another folder; nothing was left behind",
        ) from error
    return goal


def _intact(folder: Path, archive: Archive) -> bool:
    try:
        verify_files(folder, archive.files)
    except (DataMissingError, ChecksumError):
        return False
    return True


def _sweep(home: Path) -> None:
    """Remove what a killed download left; whoever holds the lock knows that nobody uses it."""
    for leftover in home.glob(f"{_SCRATCH}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _check_space(home: Path, archive: Archive) -> None:
    needed = archive.n_bytes + sum(file.n_bytes for file in archive.files.values())
    free = shutil.disk_usage(home).free
    if free < needed:
        raise StorageError(
            f"{needed / 1e6:,.0f} MB free in {home} (archive and files, for a moment both)",
            f"{free / 1e6:,.0f} MB",
            "free some space, or set GSL_TUTORIAL_CACHE to another disk; nothing was written",
        )


def _unpack(packed: Path, folder: Path, archive: Archive) -> Path:
    """Copy the expected files out of the archive into `folder`, and compare every MD5.

    The archive's paths are only compared, never written to: a member ``../evil``, a link or a
    device is refused, and stops everything.
    """
    folder.mkdir()
    with tarfile.open(packed, "r:gz") as tar:
        for member in tar:
            name = member.name.removeprefix(f"{FOLDER}/")
            if member.name == FOLDER and member.isdir():
                continue
            if member.name == f"{FOLDER}/readme.html" and member.isfile():
                continue
            known = archive.files.get(name)
            content = tar.extractfile(member) if member.isreg() else None
            if known is None or content is None or member.size != known.n_bytes:
                raise ChecksumError(
                    f"in {archive.name} only {', '.join(archive.files)}, at their sizes",
                    f"a member {member.name!r} of {member.size:,} bytes",
                    f"do not use this archive; {OFFLINE}",
                )
            with open(folder / name, "wb") as file:
                shutil.copyfileobj(content, file)
    verify_files(folder, archive.files)
    return folder
