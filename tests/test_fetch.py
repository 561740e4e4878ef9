"""Fetching: a small fake archive, served from this machine, with everything that can go wrong.

No test here reaches outside: every mirror is a server on 127.0.0.1.
"""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
import subprocess
import sys
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pooch
import pytest

from gsl_tutorial.course.datasets import cifar10_files, download
from gsl_tutorial.course.datasets.cifar10_files import FOLDER, OfficialFile
from gsl_tutorial.course.datasets.download import CIFAR10, MOVIELENS, Archive, exclusive
from gsl_tutorial.errors import ChecksumError, DataMissingError, DownloadError, StorageError

LOCK = f".{FOLDER}.lock"
CONTENT = {
    "data_batch_1": os.urandom(200_000),
    "test_batch": os.urandom(150_000),
    "batches.meta": b"m",
}


def pack(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def describe(packed: bytes) -> Archive:
    files = {
        name: OfficialFile(hashlib.md5(content).hexdigest(), len(content))
        for name, content in CONTENT.items()
    }
    return replace(
        CIFAR10,
        name="small.tar.gz",
        n_bytes=len(packed),
        sha256=hashlib.sha256(packed).hexdigest(),
        files=files,
        verify=lambda folder: cifar10_files.verify_files(folder, files),
        mirrors=(),
    )


GOOD = pack(
    {f"{FOLDER}/readme.html": b"<html>", **{f"{FOLDER}/{n}": c for n, c in CONTENT.items()}}
)
ARCHIVE = describe(GOOD)


#: Seconds that nothing here needs, however busy the machine is.
PATIENT_S = 120


class Server(ThreadingHTTPServer):
    """Serves one body per path, counts the requests, and can be slow, wait for a test, or break off."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies = {
            "/good/small.tar.gz": GOOD,
            "/held/small.tar.gz": GOOD,
            "/trickle/small.tar.gz": GOOD,
            "/truncated/small.tar.gz": GOOD,
            "/short/small.tar.gz": GOOD[:1000],
            "/long/small.tar.gz": GOOD + b"more",
            "/wrong/small.tar.gz": bytes(len(GOOD)),
        }
        self.hits: Counter[str] = Counter()
        #: What is "held" is sent when a test lets it go.
        self.let_go = threading.Event()
        #: The clock of those who judge a mirror's speed, and who was asked last.
        self.clock, self.asked = 0.0, ""

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up on purpose here: that is no error worth printing."""

    def monotonic(self) -> float:
        """A minute goes by with every look at the clock, as long as a "trickle" is being read."""
        self.clock += 60 if "trickle" in self.asked else 0
        return self.clock

    def url(self, kind: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{kind}/small.tar.gz"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.hits[self.path] += 1
        self.server.asked = self.path
        body = self.server.bodies.get(self.path.partition("?")[0])
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if "held" in self.path:
            self.server.let_go.wait(PATIENT_S)
        if "truncated" in self.path:
            body = body[:100_000]  # less than was promised, then the connection closes
        step = 70_000 if "trickle" in self.path else len(body)
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            self.wfile.flush()

    def log_message(self, *args: object) -> None:
        """Keep the test output clean."""


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def server(running: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    for name in ("DATA", "CACHE", "MIRROR", "OFFLINE"):
        monkeypatch.delenv(f"GSL_TUTORIAL_{name}", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running.hits.clear()
    running.let_go.clear()
    return running


def fetch(server: Server, cache: Path, *kinds: str, archive: Archive = ARCHIVE, **more) -> Path:
    urls = tuple(server.url(kind) for kind in kinds)
    return download.fetch(replace(archive, mirrors=urls), cache, **{"timeout": PATIENT_S, **more})


def is_complete(folder: Path) -> bool:
    return {p.name: p.read_bytes() for p in folder.iterdir()} == CONTENT


def leftovers(cache: Path) -> list[str]:
    return sorted(p.name for p in cache.iterdir() if p.name != LOCK)


def test_the_archive_is_fetched_once_with_progress(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = fetch(server, tmp_path, "good", progress=lambda *n: seen.append(n))
    assert folder == tmp_path / FOLDER
    assert is_complete(folder)
    assert leftovers(tmp_path) == [FOLDER]
    assert seen[-1] == (len(GOOD), len(GOOD))
    assert seen == sorted(seen)
    fetch(server, tmp_path, "good")
    assert sum(server.hits.values()) == 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("absent", "HTTP status 404"),
        ("truncated", "the connection broke off"),
        ("short", "it ended after 1,000 of"),
        ("long", "it sends more than"),
        ("wrong", "SHA256 hash of downloaded file"),
    ],
)
def test_a_bad_mirror_gives_way_to_the_next(
    server: Server, tmp_path: Path, bad: str, reason: str
) -> None:
    said: list[str] = []
    assert is_complete(fetch(server, tmp_path, bad, "good", notice=said.append))
    assert len(said) == 1
    assert reason in said[0]
    assert server.url(bad) in said[0]


def test_when_all_fail_each_is_named_with_its_reason(server: Server, tmp_path: Path) -> None:
    dead = "http://127.0.0.1:9/small.tar.gz"
    mirrors = (server.url("absent"), dead, server.url("wrong"), "no-url")
    with pytest.raises(DownloadError) as caught:
        download.fetch(replace(ARCHIVE, mirrors=mirrors), tmp_path, timeout=PATIENT_S)
    text = str(caught.value)
    assert "from one of 4 mirrors" in text
    assert f"{server.url('absent')}: HTTP status 404" in text
    assert f"{dead}: cannot connect" in text
    assert f"{server.url('wrong')}: SHA256 hash of downloaded file" in text
    assert f"expected {ARCHIVE.sha256} but got" in text
    assert "no-url: Invalid URL" in text
    assert "set GSL_TUTORIAL_DATA to the folder that holds it" in text
    assert "gsl-tutorial fetch --from ADDRESS" in text
    assert "gsl-tutorial fetch --archive PATH" in text
    assert leftovers(tmp_path) == []


def test_a_silent_mirror_is_given_up(server: Server, tmp_path: Path) -> None:
    try:
        with pytest.raises(DownloadError, match=r"no answer within 0\.1 s"):
            fetch(server, tmp_path, "held", timeout=0.1)
    finally:
        server.let_go.set()


def test_right_files_in_an_archive_of_another_sha256_are_refused(
    server: Server, tmp_path: Path
) -> None:
    forged = replace(ARCHIVE, sha256="0" * 64)
    with pytest.raises(DownloadError, match="SHA256 hash of downloaded file"):
        fetch(server, tmp_path, "good", archive=forged)


def test_a_slow_mirror_gives_way_and_is_asked_again_at_the_end(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "time", SimpleNamespace(monotonic=server.monotonic))
    said: list[str] = []
    assert is_complete(fetch(server, tmp_path / "a", "trickle", "good", notice=said.append))
    assert "too slow" in said[0]
    assert is_complete(fetch(server, tmp_path / "b", "trickle", "absent", notice=said.append))
    assert server.hits["/trickle/small.tar.gz"] == 3


@pytest.mark.parametrize("given", ["archive", "folder", "folder/"])
def test_the_classrooms_own_mirror_comes_first(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    folder = server.url("good").rsplit("/", 1)[0]
    value = {"archive": server.url("good"), "folder": folder, "folder/": folder + "/"}[given]
    monkeypatch.setenv("GSL_TUTORIAL_MIRROR", value)
    assert is_complete(fetch(server, tmp_path, "absent"))
    assert dict(server.hits) == {"/good/small.tar.gz": 1}


@pytest.mark.parametrize("given", ["archive", "folder", "query"])
def test_an_address_that_a_user_names_comes_before_the_classrooms(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    good = server.url("good")
    address = {"archive": good, "folder": good.rsplit("/", 1)[0], "query": f"{good}?download=1"}
    monkeypatch.setenv("GSL_TUTORIAL_MIRROR", server.url("absent"))
    assert is_complete(fetch(server, tmp_path, "absent", address=address[given]))
    assert sum(server.hits.values()) == 1
    said: list[str] = []
    where = server.url("wrong")
    assert is_complete(fetch(server, tmp_path / "b", "good", address=where, notice=said.append))
    assert [text.partition(": ")[0] for text in said] == [where, server.url("absent")]


def test_the_official_home_comes_first_and_its_old_address_is_kept() -> None:
    first, second, *others = CIFAR10.mirrors
    assert first == "https://cave.cs.toronto.edu/kriz/cifar-10-python.tar.gz"
    assert second == "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    assert len(others) >= 2
    for archive in (CIFAR10, MOVIELENS):
        assert all(url.endswith(archive.name) for url in archive.mirrors)


def test_an_archive_from_elsewhere_needs_no_network(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[logging.LogRecord] = []
    monkeypatch.setattr(pooch.get_logger(), "level", logging.INFO)
    monkeypatch.setattr(pooch.get_logger(), "handle", told.append)
    monkeypatch.setenv("GSL_TUTORIAL_OFFLINE", "1")
    brought = tmp_path / "stick" / "any name"
    brought.parent.mkdir()
    brought.write_bytes(GOOD)
    assert is_complete(fetch(server, tmp_path / "a", "good", packed=brought))
    assert brought.read_bytes() == GOOD
    assert leftovers(tmp_path / "a") == [FOLDER]
    assert leftovers(brought.parent) == ["any name"]
    monkeypatch.chdir(brought.parent)
    assert is_complete(fetch(server, Path("../b"), "good", packed="any name"))
    assert not server.hits
    assert not told, "a library tells of its own steps"


def test_an_archive_from_elsewhere_is_compared_before_it_is_read(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_unpack", pytest.fail)
    brought = tmp_path / "small.tar.gz"
    for content in (GOOD[:1000], bytes(len(GOOD)), b"", b"<html>not found"):
        brought.write_bytes(content)
        with pytest.raises(ChecksumError, match=rf"{len(content):,} bytes and .*nothing in it was"):
            fetch(server, tmp_path / "cache", "good", packed=brought)
    for missing in (tmp_path / "nowhere.tar.gz", tmp_path):
        with pytest.raises(DataMissingError, match="no such file"):
            fetch(server, tmp_path / "cache", "good", packed=missing)
    assert not server.hits
    assert not (tmp_path / "cache").exists()


def test_offline_means_no_request_at_all(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GSL_TUTORIAL_OFFLINE", "1")
    with pytest.raises(DownloadError, match=r"got GSL_TUTORIAL_OFFLINE=1\. What to do: unset it"):
        fetch(server, tmp_path / "cache", "good")
    assert not server.hits
    assert not (tmp_path / "cache").exists()
    monkeypatch.setenv("GSL_TUTORIAL_OFFLINE", "0")
    fetch(server, tmp_path, "good")
    monkeypatch.setenv("GSL_TUTORIAL_OFFLINE", "1")
    assert is_complete(fetch(server, tmp_path, "good"))  # what is there needs no network


@pytest.mark.parametrize("name", ["../evil", f"{FOLDER}/../../evil", "/tmp/evil", f"{FOLDER}/new"])
def test_an_unexpected_member_is_written_nowhere(server: Server, tmp_path: Path, name: str) -> None:
    packed = pack({**{f"{FOLDER}/{n}": c for n, c in CONTENT.items()}, name: b"evil"})
    server.bodies["/evil/small.tar.gz"] = packed
    cache = tmp_path / "deep" / "cache"
    assert is_complete(fetch(server, cache, "evil", archive=describe(packed)))
    assert leftovers(cache) == [FOLDER]
    assert not [path for path in tmp_path.rglob("*") if path.name in ("evil", "new")]
    assert not Path("/tmp/evil").exists()


def test_an_archive_that_lacks_a_file_is_refused(server: Server, tmp_path: Path) -> None:
    packed = pack({f"{FOLDER}/batches.meta": CONTENT["batches.meta"]})
    server.bodies["/lacks/small.tar.gz"] = packed
    with pytest.raises(DataMissingError, match="data_batch_1"):
        fetch(server, tmp_path, "lacks", archive=describe(packed))
    assert leftovers(tmp_path) == []


def test_a_link_in_the_place_of_a_batch_is_refused(server: Server, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in ("data_batch_1", "test_batch"):
            info = tarfile.TarInfo(f"{FOLDER}/{name}")
            info.size = len(CONTENT[name])
            tar.addfile(info, io.BytesIO(CONTENT[name]))
        link = tarfile.TarInfo(f"{FOLDER}/batches.meta")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    server.bodies["/link/small.tar.gz"] = packed.getvalue()
    # Python 3.12 refuses the link itself; before, what it points to is not the official file.
    with pytest.raises(ChecksumError, match=r"batches\.meta"):
        fetch(server, tmp_path, "link", archive=describe(packed.getvalue()))


def test_a_batch_that_is_not_the_official_one_is_refused(server: Server, tmp_path: Path) -> None:
    changed = {f"{FOLDER}/{name}": bytes(len(content)) for name, content in CONTENT.items()}
    packed = pack(changed)
    server.bodies["/changed/small.tar.gz"] = packed
    with pytest.raises(ChecksumError, match="data_batch_1 with MD5"):
        fetch(server, tmp_path, "changed", archive=describe(packed))
    assert leftovers(tmp_path) == []


def test_a_broken_copy_in_the_cache_is_replaced(server: Server, tmp_path: Path) -> None:
    folder = fetch(server, tmp_path, "good")
    (folder / "test_batch").write_bytes(b"cut")
    (folder / "batches.meta").unlink()
    with pytest.raises(DownloadError):
        fetch(server, tmp_path, "absent")
    assert (folder / "test_batch").read_bytes() == b"cut"  # nothing better: left as it was
    assert is_complete(fetch(server, tmp_path, "good"))
    assert leftovers(tmp_path) == [FOLDER]


def test_an_interrupted_download_leaves_nothing_and_can_be_repeated(
    server: Server, tmp_path: Path
) -> None:
    def interrupt(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(server, tmp_path, "good", progress=interrupt)
    assert leftovers(tmp_path) == []
    assert is_complete(fetch(server, tmp_path, "good"))


def test_what_a_killed_download_left_is_swept(server: Server, tmp_path: Path) -> None:
    (tmp_path / f".{FOLDER}-killed").mkdir()
    (tmp_path / f".{FOLDER}-killed" / "part").write_bytes(b"half")
    others = tmp_path / f".{MOVIELENS.folder}-running"  # another archive's, under another lock
    others.mkdir()
    fetch(server, tmp_path, "good")
    assert leftovers(tmp_path) == [others.name, FOLDER]


def test_too_little_space_is_said_before_anything_is_written(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: Usage)
    with pytest.raises(StorageError, match=r"MB free in .*GSL_TUTORIAL_CACHE"):
        fetch(server, tmp_path, "good")
    assert leftovers(tmp_path) == []
    assert not server.hits


def test_a_disk_that_fills_up_meanwhile(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download._Watched, "write", full)
    with pytest.raises(StorageError, match="No space left on device"):
        fetch(server, tmp_path, "good", "good")
    assert leftovers(tmp_path) == []
    assert sum(server.hits.values()) == 1  # another mirror would not help


def test_a_cache_that_is_a_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(StorageError, match="a cache folder that can be written"):
        fetch(server, tmp_path / "cache", "good")


def test_eight_threads_end_with_one_download(server: Server, tmp_path: Path) -> None:
    said: list[str] = []

    def notice(text: str) -> None:
        said.append(text)
        if len(said) == 7:
            server.let_go.set()  # all the others wait

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(fetch, server, tmp_path, "held", notice=notice) for _ in range(8)]
        assert all(is_complete(job.result()) for job in jobs)
    assert sum(server.hits.values()) == 1
    assert len(said) == 7
    assert "another process is fetching small.tar.gz" in said[0]


def test_processes_wait_for_one_another_and_a_dead_one_is_not_waited_for(
    server: Server, tmp_path: Path
) -> None:
    holder = (
        "import sys, time, pathlib\n"
        "from gsl_tutorial.course.datasets.download import exclusive\n"
        "with exclusive(pathlib.Path(sys.argv[1]), on_wait=lambda: None):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(3600)\n"
    )
    lock = tmp_path / LOCK
    process = subprocess.Popen(
        [sys.executable, "-c", holder, str(lock)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        # The moment we are told to wait, the holder is killed: the lock must be free then.
        folder = fetch(server, tmp_path, "good", notice=lambda text: process.kill())
        assert process.wait(PATIENT_S) != 0
        assert is_complete(folder)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.skipif(sys.platform == "win32", reason="takes the locks of Unix away")
@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS])
def test_without_locks_the_work_is_done_all_the_same(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def none(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", none)
    with exclusive(tmp_path / "lock", on_wait=pytest.fail) as alone:
        assert not alone
    assert is_complete(fetch(server, tmp_path / "cache", "good"))
