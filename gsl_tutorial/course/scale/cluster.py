"""Dask: connect to a cluster or make one here, hand out tasks, and say in a sentence what went wrong.

Nothing of the scheduling is ours. Dask hands a task to a free worker, and hands it out again when
that worker is lost; our part is that a task may run twice (shards are written whole or not at all,
a search changes nothing), and that no failure is silent.
"""

from __future__ import annotations

import importlib.metadata
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import dask
from distributed import Client, LocalCluster, as_completed
from distributed.scheduler import KilledWorker
from distributed.security import Security

from gsl_tutorial.course.scale.errors import ClusterError, ClusterTimeout
from gsl_tutorial.errors import InvalidInputError, TutorialError
from gsl_tutorial.validation import check_count

#: What must be the same on both sides: the protocol, and whatever an index or an array is made with.
MUST_AGREE = ("gsl-tutorial", "dask", "distributed", "faiss-cpu", "numpy")


@contextmanager
def connect(
    scheduler: str = "",
    *,
    workers: int = 2,
    threads: bool = False,
    dashboard: bool = False,
    timeout_s: float = 15.0,
    tls: Mapping[str, str] | None = None,
) -> Iterator[Client]:
    """A client of a cluster that runs already, or of one on this machine, which is closed in the end.

    Parameters
    ----------
    scheduler
        Address of a scheduler, such as "tcp://127.0.0.1:8786"; empty: make a cluster here.
    workers
        How many workers to make here.
    threads
        Whether these are threads of this process; else they are processes.
    dashboard
        Whether to serve Dask's dashboard, on a free port of this machine.
    timeout_s
        How long to wait for the scheduler.
    tls
        Files "ca", "cert" and "key" for a scheduler on tls://; passed through to Dask's Security.

    Yields
    ------
    distributed.Client
        Connected, with workers that are like us.

    Raises
    ------
    ClusterError
        Without a scheduler at the address, without workers, and where versions differ.
    InvalidInputError
        For an incomplete set of TLS files.
    """
    with ExitStack() as stack:
        # Another run of a task costs seconds; a task that kills every worker must still end.
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 5}))
        security = _security(tls)
        if not scheduler:
            check_count(workers, name="workers", low=1)
            cluster = LocalCluster(
                n_workers=1 if threads else workers,
                threads_per_worker=workers if threads else 1,
                processes=not threads,
                host=None if threads else "127.0.0.1",
                dashboard_address="127.0.0.1:0" if dashboard else None,
                # Without a dashboard there is still a page of health, on a port that others may have.
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                memory_limit=0,  # shards are mapped: what Dask would count is the page cache
                silence_logs="CRITICAL",
            )
            stack.enter_context(cluster)
            yield stack.enter_context(Client(cluster))
            return
        try:
            client = stack.enter_context(Client(scheduler, timeout=timeout_s, security=security))
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            raise ClusterError(
                f"a Dask scheduler at {scheduler} within {timeout_s:g} s", _short(error),
                "check the address, and that `dask scheduler` runs there; tls:// needs the TLS files",
            ) from error  # fmt: skip
        _check_workers(client, scheduler, timeout_s)
        yield client


def answers(
    client: Client,
    tasks: Mapping[int, tuple[Any, ...]],
    *,
    what: str,
    timeout_s: float | None = None,
) -> Iterator[tuple[int, Any]]:
    """Run tasks on the cluster, and give back each answer when it comes.

    Parameters
    ----------
    client
        From `connect`.
    tasks
        By number: a function, and what it is called with.
    what
        What a task is, for messages: "search of shard".
    timeout_s
        How long all of them may take; None: as long as it takes.

    Yields
    ------
    (int, object)
        The number of a task and its answer, in the order in which they are finished.

    Raises
    ------
    TutorialError
        What a task raised, as it was raised there.
    ClusterTimeout
        When time is up.
    ClusterError
        When the scheduler is gone, a task kills its workers or raises anything else.
    """
    numbers: dict[str, int] = {}
    futures = []
    for number, (function, *arguments) in tasks.items():
        # pure=False: an answer is never taken from an earlier run, whose files may be gone.
        futures.append(client.submit(function, *arguments, pure=False))
        numbers[futures[-1].key] = number
    began = time.monotonic()
    done = as_completed(futures, timeout=timeout_s, loop=client.loop)
    try:
        while numbers:
            try:
                future = next(done)
                left = None if timeout_s is None else timeout_s - (time.monotonic() - began)
                answer = future.result(timeout=left if left is None else max(left, 0.1))
            except TimeoutError as error:
                raise ClusterTimeout(
                    f"every {what} within {timeout_s:g} s",
                    f"nothing yet from {_listed(numbers.values())}",
                    "allow more time, look at the workers, or ask for a partial answer",
                ) from error
            except TutorialError:
                raise
            except Exception as error:
                raise _lost(error, numbers.get(future.key, -1), what) from error
            yield numbers.pop(future.key), answer
    finally:
        if numbers:
            with suppress(Exception):  # the scheduler may be what was lost
                client.cancel([one for one in futures if one.key in numbers], force=True)


def _lost(error: Exception, number: int, what: str) -> ClusterError:
    if isinstance(error, KilledWorker):
        return ClusterError(
            f"an answer from the {what} {number}",
            "a task that lost every worker that tried it, six times",
            "look at the workers' logs: most often they run out of memory",
        )
    if isinstance(error, (CancelledError, OSError, RuntimeError)):
        return ClusterError(
            f"a scheduler that answers during the {what} {number}",
            f"{type(error).__name__}: the scheduler is gone",
            "start it again and repeat the command: finished shards are kept",
        )
    return ClusterError(
        f"an answer from the {what} {number}", f"{type(error).__name__}: {_short(error)}",
        "is the same version of this package installed where the workers run?",
    )  # fmt: skip


def _check_workers(client: Client, scheduler: str, timeout_s: float) -> None:
    """Refuse a cluster without workers, and workers that are not like us."""
    try:
        client.wait_for_workers(1, timeout=timeout_s)
    except (TimeoutError, OSError) as error:
        raise ClusterError(
            f"a worker at {scheduler} within {timeout_s:g} s", "a scheduler without workers",
            f"start some: dask worker {scheduler}",
        ) from error  # fmt: skip
    ours = versions()
    for worker, theirs in client.run(versions, on_error="return").items():
        if not isinstance(theirs, dict):
            raise ClusterError(
                f"this package on the worker {worker}", _short(theirs),
                "install gsl-tutorial[scale], the same version, where the workers run",
            )  # fmt: skip
        check_versions(ours, theirs, worker)


def check_versions(ours: Mapping[str, str], theirs: Mapping[str, str], worker: str) -> None:
    """Refuse a worker whose packages are not ours.

    Parameters
    ----------
    ours, theirs
        From `versions`, here and there.
    worker
        Its address.

    Raises
    ------
    ClusterError
        For the first package that differs.
    """
    for name, version in ours.items():
        if (there := theirs.get(name, "nothing")) != version:
            raise ClusterError(
                f"{name} {version} on the worker {worker}, as here", there,
                f"install the same version on both sides: pip install {name}=={version}",
            )  # fmt: skip


def versions() -> dict[str, str]:
    """What must be the same on client and workers: Python's minor version, and a few packages."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in MUST_AGREE:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "nothing"
    return found


def _security(tls: Mapping[str, str] | None) -> Security | None:
    given = {key: value for key, value in (tls or {}).items() if value}
    if not given:
        return None
    if set(given) != {"ca", "cert", "key"}:
        raise InvalidInputError(
            "three files for TLS: ca, cert and key", ", ".join(sorted(given)),
            "name all three, or none; see Dask's page on TLS",
        )  # fmt: skip
    return Security(
        tls_ca_file=given["ca"], tls_client_cert=given["cert"], tls_client_key=given["key"],
        require_encryption=True,
    )  # fmt: skip


def _listed(numbers: Iterable[int]) -> str:
    some = sorted(numbers)
    more = f" and {len(some) - 5} more" if len(some) > 5 else ""
    return f"shard{'s' * (len(some) > 1)} {', '.join(map(str, some[:5]))}{more}"


def _short(error: object) -> str:
    words = " ".join(str(error).split())
    return (words or type(error).__name__)[:160]
