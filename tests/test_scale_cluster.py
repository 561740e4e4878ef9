"""The same index on a cluster of real processes, which are killed with -9 while they work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scale_cases import SOURCE, Gated, Processes, environment, one_index, quantizers, until

from gsl_tutorial.course.scale import shards
from gsl_tutorial.course.scale.building import ShardedIndex, build_index
from gsl_tutorial.course.scale.cluster import check_versions, connect, versions
from gsl_tutorial.course.scale.errors import ClusterError, ClusterTimeout
from gsl_tutorial.course.scale.searching import Partial, search_index
from gsl_tutorial.errors import ChecksumError, InvalidInputError

pytestmark = pytest.mark.slow

PQ = quantizers()["PQ"]
QUERIES = SOURCE.queries(12)
RIGHT = one_index(PQ, QUERIES, 30)


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    started = Processes(tmp_path_factory.mktemp("cluster")).start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> ShardedIndex:
    return build_index(SOURCE, PQ, tmp_path_factory.mktemp("index"), shard_size=300)


def is_right(found: Any) -> bool:
    return np.array_equal(found.ids, RIGHT[1]) and np.array_equal(found.distances, RIGHT[0])


class Background(threading.Thread):
    """A call in a thread of its own, whose answer or error is kept."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.call, self.answer, self.error = call, None, None
        self.start()

    def run(self) -> None:
        try:
            self.answer = self.call()
        except BaseException as error:
            self.error = error

    def done(self) -> Any:
        until(lambda: not self.is_alive())
        if self.error is not None:
            raise self.error
        return self.answer


def living(processes: Processes) -> None:
    """Two workers that answer, whatever the test before has done to them."""
    while sum(one.poll() is None for one in processes.workers) < 2:
        processes.add_worker()


# ---- three kinds of cluster, one answer ----------------------------------------------------------


def test_a_running_cluster_builds_and_searches(processes: Processes, tmp_path: Path) -> None:
    living(processes)
    seen: list[Partial] = []
    with connect(processes.address) as client:
        index = build_index(SOURCE, PQ, tmp_path, shard_size=400, client=client)
        found = search_index(index, QUERIES, 30, client=client, on_partial=seen.append)
    assert is_right(found)
    assert sorted(one.shard for one in seen) == list(range(8))
    assert all(one.worker.startswith("worker-") and one.ended >= one.began for one in seen)


@pytest.mark.parametrize("options", [{"threads": True}, {"workers": 2}])
def test_a_cluster_of_our_own(index: ShardedIndex, options: dict[str, Any]) -> None:
    with connect(**options) as client:
        assert is_right(search_index(index, QUERIES, 30, client=client))


# ---- who dies, and what happens then -------------------------------------------------------------


def test_a_worker_is_killed_while_it_builds(processes: Processes, tmp_path: Path) -> None:
    living(processes)
    gate, folder = tmp_path / "gate", tmp_path / "index"
    with connect(processes.address) as client:
        build = Background(
            lambda: build_index(Gated(str(gate)), PQ, folder, shard_size=1000, client=client)
        )
        until(lambda: Path(f"{gate}.waiting").exists() and shards.card_path(folder, 0).exists())
        victim = int(Path(f"{gate}.waiting").read_text())
        os.kill(victim, signal.SIGKILL)
        gate.touch()
        index = build.done()
    assert victim in {one.pid for one in processes.workers}
    assert is_right(search_index(index, QUERIES, 30))


def test_a_worker_is_killed_while_it_searches(processes: Processes, index: ShardedIndex) -> None:
    living(processes)
    victim = next(one for one in processes.workers if one.poll() is None)
    seen: list[Partial] = []
    with connect(processes.address) as client:
        os.kill(victim.pid, signal.SIGSTOP)  # it takes tasks, and never answers
        search = Background(
            lambda: search_index(index, QUERIES, 30, client=client, on_partial=seen.append)
        )
        until(lambda: seen)
        assert search.is_alive()
        victim.kill()
        assert is_right(search.done())


def test_timeouts_and_partial_answers_are_asked_for(
    processes: Processes, index: ShardedIndex
) -> None:
    living(processes)
    alive = [one for one in processes.workers if one.poll() is None]
    with connect(processes.address) as client:
        for one in alive:
            os.kill(one.pid, signal.SIGSTOP)
        for partial in (False, True):  # nothing at all is no partial answer
            with pytest.raises(
                ClusterTimeout, match=r"within 0\.5 s; got nothing yet from shards 0, 1"
            ):
                search_index(index, QUERIES, 30, client=client, timeout_s=0.5, partial=partial)
        os.kill(alive[0].pid, signal.SIGCONT)
        seen: list[Partial] = []
        search = Background(
            lambda: search_index(
                index, QUERIES, 30, client=client, timeout_s=20, partial=True, on_partial=seen.append
            )
        )  # fmt: skip
        found = search.done()
        os.kill(alive[1].pid, signal.SIGCONT)
    assert found.missing
    assert {one.shard for one in seen}.isdisjoint(found.missing)
    assert found.n_searched == SOURCE.n - 300 * len(found.missing)
    kept = ~np.isin(RIGHT[1] // 300, found.missing)
    for mine, right, which in zip(found.ids, RIGHT[1], kept, strict=True):
        assert mine[: which.sum()].tolist() == right[which].tolist()


def test_the_client_is_killed_while_it_builds(processes: Processes, tmp_path: Path) -> None:
    living(processes)
    gate, folder = tmp_path / "gate", tmp_path / "index"
    program = (
        "from scale_cases import *\n"
        "from gsl_tutorial.course.scale.building import build_index\n"
        "from gsl_tutorial.course.scale.cluster import connect\n"
        f"with connect({processes.address!r}) as client:\n"
        f"    build_index(Gated({str(gate)!r}), quantizers()['PQ'], {str(folder)!r}, shard_size=1000,\n"
        "                client=client)\n"
    )
    client = subprocess.Popen([sys.executable, "-c", program], env=environment())
    until(lambda: Path(f"{gate}.waiting").exists() and shards.card_path(folder, 0).exists())
    client.kill()
    client.wait()
    kept = shards.index_path(folder, 0).stat().st_mtime_ns
    gate.touch()
    index = build_index(SOURCE, PQ, folder, shard_size=1000)
    assert shards.index_path(folder, 0).stat().st_mtime_ns == kept
    assert is_right(search_index(index, QUERIES, 30))


def test_the_scheduler_is_killed_while_it_builds(tmp_path: Path) -> None:
    gate, folder = tmp_path / "gate", tmp_path / "index"
    own = Processes(tmp_path).start()
    try:
        with connect(own.address) as client:
            build = Background(
                lambda: build_index(Gated(str(gate)), PQ, folder, shard_size=1000, client=client)
            )
            until(lambda: Path(f"{gate}.waiting").exists() and shards.card_path(folder, 0).exists())
            own.scheduler.kill()
            with pytest.raises(ClusterError, match="finished shards are kept"):
                build.done()
    finally:
        gate.touch()
        own.stop()
    kept = shards.index_path(folder, 0).stat().st_mtime_ns
    index = build_index(SOURCE, PQ, folder, shard_size=1000)
    assert shards.index_path(folder, 0).stat().st_mtime_ns == kept
    assert is_right(search_index(index, QUERIES, 30))


# ---- what is said when something is wrong --------------------------------------------------------


def test_a_damaged_shard_is_named_from_afar(processes: Processes, tmp_path: Path) -> None:
    living(processes)
    index = build_index(SOURCE, PQ, tmp_path, shard_size=1000)
    path = shards.index_path(tmp_path, 2)
    path.write_bytes(path.read_bytes()[:-1])
    with (
        connect(processes.address) as client,
        pytest.raises(ChecksumError, match=r"bytes in shard 2 .*only this one is made anew"),
    ):
        search_index(index, QUERIES, 3, client=client)


def test_a_scheduler_that_is_not_there() -> None:
    with (
        pytest.raises(ClusterError, match=r"a Dask scheduler at tcp://127\.0\.0\.1:9 within 1 s"),
        connect("tcp://127.0.0.1:9", timeout_s=1),
    ):
        pass


def test_an_address_that_is_none() -> None:
    with (
        pytest.raises(ClusterError, match="a Dask scheduler at nonsense://x"),
        connect("nonsense://x", timeout_s=1),
    ):
        pass


def test_a_scheduler_without_workers(tmp_path: Path) -> None:
    own = Processes(tmp_path).start(n_workers=0)
    try:
        with (
            pytest.raises(ClusterError, match=r"a scheduler without workers.*dask worker tcp://"),
            connect(own.address, timeout_s=1),
        ):
            pass
    finally:
        own.stop()


def test_versions_that_differ_between_client_and_worker() -> None:
    ours = versions()
    check_versions(ours, dict(ours), "tcp://127.0.0.1:1")
    with pytest.raises(ClusterError, match=r"on the worker tcp://.*1\.2\.3.*pip install numpy=="):
        check_versions(ours, {**ours, "numpy": "1.2.3"}, "tcp://127.0.0.1:1")
    with pytest.raises(ClusterError, match="got nothing"):
        check_versions(ours, {"python": ours["python"]}, "tcp://127.0.0.1:1")


def test_tls_needs_all_three_files() -> None:
    with (
        pytest.raises(InvalidInputError, match="three files for TLS"),
        connect("tls://127.0.0.1:1", tls={"ca": "ca.pem"}),
    ):
        pass
