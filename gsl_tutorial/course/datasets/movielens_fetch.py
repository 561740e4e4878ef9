"""The official MovieLens archive, in the user's cache: whole and verified, or not at all.

The archive is a megabyte. Its SHA-256 is compared while it arrives, its two files are copied out under
names that we chose, each is compared with its own MD5, and one rename makes the folder appear.

Source and manners: `fetch`, which does the same for CIFAR-10. The archive's size and SHA-256 are those
that several public loaders check against.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from gsl_tutorial.course.datasets.cifar10_files import cache_folder
from gsl_tutorial.course.datasets.lock import exclusive
from gsl_tutorial.course.datasets.mirrors import Archive, download
from gsl_tutorial.course.datasets.movielens import (
    COPY_IT,
    FILES,
    FOLDER,
    HOW_TO_GET,
    find_movielens,
    load_movielens,
    verify,
)
from gsl_tutorial.errors import ChecksumError, DownloadError, StorageError, TutorialError

MIRRORS = ("https://files.grouplens.org/datasets/movielens/ml-latest-small.zip",)
MOVIELENS = Archive(
    "ml-latest-small.zip",
    978_202,
    "",
    "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
    files=FILES,
    offline=COPY_IT,
)


def fetch_movielens(
    cache: str | Path | None = None,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    notice: Callable[[str], None] = lambda text: None,
    mirrors: Iterable[str] = MIRRORS,
    timeout: float = 20.0,
    archive: Archive = MOVIELENS,
) -> Path:
    """Return the folder with the verified files; download them first where they are not there yet.

    Looks in `cache`, else in `GSL_TUTORIAL_DATA`, else in the user's cache. `GSL_TUTORIAL_OFFLINE=1`
    forbids downloading. See `fetch_cifar10` for the other arguments.

    Raises `DownloadError`, `ChecksumError` or `StorageError`.
    """
    if (found := find_movielens(cache)) is not None and _intact(found):
        return found
    home = cache_folder() if cache is None else Path(cache).expanduser()
    goal = home / FOLDER
    if os.environ.get("GSL_TUTORIAL_OFFLINE", "0") not in ("", "0"):
        raise DownloadError(
            "a download to be allowed", "GSL_TUTORIAL_OFFLINE", f"unset it, or {COPY_IT}"
        )
    try:
        home.mkdir(parents=True, exist_ok=True)
        with (
            exclusive(home / ".movielens.lock", on_wait=lambda: notice("waiting for another one")),
            tempfile.TemporaryDirectory(dir=home, prefix=".fetch-movielens-") as name,
        ):
            if _intact(goal):
                return goal
            scratch = Path(name)
            packed = scratch / archive.name
            download(
                packed, mirrors, archive=archive, timeout=timeout, progress=progress, notice=notice
            )
            unpacked = _unpack(packed, scratch / FOLDER)
            if goal.exists():  # a broken copy goes away with the scratch folder
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


def _intact(folder: Path) -> bool:
    try:
        load_movielens(folder)
    except TutorialError:
        return False
    return True


def _unpack(packed: Path, folder: Path) -> Path:
    """Copy the two files, and the licence, out of the archive; nothing is written by its names."""
    folder.mkdir()
    try:
        with zipfile.ZipFile(packed) as archive:
            for name in (*FILES, "README.txt"):
                with archive.open(f"{FOLDER}/{name}") as source, open(folder / name, "wb") as goal:
                    shutil.copyfileobj(source, goal)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ChecksumError(
            f"an archive with {', '.join(FILES)} and README.txt", str(error), HOW_TO_GET
        ) from error
    for name in FILES:
        verify(name, (folder / name).read_bytes())
    return folder
