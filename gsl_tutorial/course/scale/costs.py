"""What a cluster's search costs: a model with few terms, fitted on small sizes and tested on a larger one.

Assumptions, all of them to be doubted:

1. A worker searches its vectors one after the other: seconds = queries x vectors x `scan`, plus `task` for
   each task (a task is one shard, one batch of queries).
2. The queries and the partial lists cross the network once: bytes / `bandwidth`, plus `latency` for
   each task's round trip; the client reads the lists one after the other.
3. Merging costs `merge` for each entry of each list.
4. Workers are equal but for chance: a task's time varies by the factor exp(`spread` x a normal
variable). The
   answer waits for the slowest worker.
5. A worker lost halfway costs its unfinished shards again, spread over the others, and `notice`
seconds until
   the scheduler knows.

A billion vectors on a hundred workers is an extrapolation, and called one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_count


@dataclass(frozen=True)
class Machine:
    """What was measured of the machine and of Dask on it.

    Attributes
    ----------
    scan
        Seconds to compare one query with one code.
    task
        Seconds that any task takes, however small.
    latency
        Seconds of a round trip from client to worker.
    bandwidth
        Bytes a second to the client.
    merge
        Seconds for each entry of a partial list.
    spread
        Standard deviation of the logarithm of a task's time.
    notice
        Seconds until a lost worker is known to be lost.
    """

    scan: float
    task: float
    latency: float = 5e-4
    bandwidth: float = 1e9
    merge: float = 1e-7
    spread: float = 0.0
    notice: float = 0.5


@dataclass(frozen=True)
class Job:
    """One search.

    Attributes
    ----------
    n, n_queries, k
        Vectors, queries, and neighbours of each.
    dim, code_bytes
        Length of a vector, and bytes of its code.
    n_shards, n_workers
        How it is cut, and who does it.
    """

    n: int
    n_queries: int
    k: int
    dim: int
    code_bytes: int
    n_shards: int
    n_workers: int


@dataclass(frozen=True)
class Cost:
    """What the model says.

    Attributes
    ----------
    seconds
        Until the merged list is there.
    memory
        Bytes of codes that one worker holds.
    network
        Bytes that cross the network for one query.
    """

    seconds: float
    memory: float
    network: float


def fit_scan(sizes: Sequence[float], seconds: Sequence[float], *, n_queries: int) -> Machine:
    """Fit `scan` and `task` to measured searches of single shards, by least squares of relative errors.

    Parameters
    ----------
    sizes
        Vectors in each shard; at least two different ones.
    seconds
        What each search took.
    n_queries
        Queries in each.

    Raises
    ------
    InvalidInputError
        For fewer than two sizes, or times that are not positive.
    """
    n, s = np.asarray(sizes, float), np.asarray(seconds, float)
    if len(set(n.tolist())) < 2 or n.shape != s.shape or not (s > 0).all():
        raise InvalidInputError(
            "positive seconds for two sizes or more", f"{len(n)} sizes, {len(s)} times",
            "measure shards of different sizes",
        )  # fmt: skip
    design = np.stack([n * n_queries, np.ones_like(n)], axis=1) / s[:, None]
    scan, task = np.linalg.lstsq(design, np.ones_like(s), rcond=None)[0]
    return Machine(scan=float(scan), task=max(0.0, float(task)))


def predict(machine: Machine, job: Job) -> Cost:
    """What a search costs, in closed form.

    Parameters
    ----------
    machine
        What was measured.
    job
        The search.
    """
    check_count(job.n_workers, name="n_workers", low=1)
    check_count(job.n_shards, name="n_shards", low=1)
    each = machine.task + job.n_queries * job.n / job.n_shards * machine.scan
    rounds = math.ceil(job.n_shards / job.n_workers)
    busy = rounds * each
    # The largest of w normal variables lies near sqrt(2 ln w). Tasks are handed out one by one, so that
    # a slow worker gets fewer: only the last task of each is left to chance.
    slowest = math.sqrt(2 * math.log(job.n_workers)) if job.n_workers > 1 else 0.0
    busy *= math.exp(machine.spread**2 / 2) * (1 + machine.spread * slowest / rounds)
    there, back = job.dim * 4, job.k * 12  # float32 queries; distance and id of each entry
    carried = job.n_shards * (there + back)
    reading = job.n_queries * job.n_shards * back / machine.bandwidth
    merging = machine.merge * job.n_queries * job.n_shards * job.k
    return Cost(
        seconds=busy + machine.latency + reading + merging,
        memory=math.ceil(job.n / job.n_workers) * job.code_bytes,
        network=carried,
    )


@dataclass(frozen=True)
class Attempt:
    """A task on a worker, as the simulation has it.

    Attributes
    ----------
    worker, shard
        Who searches what.
    began, ended
        Seconds since the search began; a lost worker's last task ends when it dies.
    done
        Whether it was finished.
    """

    worker: int
    shard: int
    began: float
    ended: float
    done: bool


def attempts(
    took: Sequence[float],
    n_workers: int,
    *,
    lost: Mapping[int, float] | None = None,
    notice: float = 0.5,
) -> list[Attempt]:
    """Hand tasks to free workers, one by one; those of a lost worker are handed out again.

    A task that comes back goes before the others. It takes as long as before, whoever has it. A worker
    takes no new task at the moment at which it dies.

    Parameters
    ----------
    took
        Seconds that the search of each shard takes.
    n_workers
        How many workers; of several that are free, the first one gets the next task.
    lost
        By worker: the second at which it dies.
    notice
        Seconds until a loss is known.

    Returns
    -------
    list of Attempt
        In the order in which they began.

    Raises
    ------
    InvalidInputError
        When nobody is left to do the work.

    Examples
    --------
    >>> for one in attempts([2.0, 2.0, 2.0], 2, lost={0: 1.0}, notice=0.5):
    ...     print(one.worker, one.shard, one.began, one.ended, one.done)
    0 0 0.0 1.0 False
    1 1 0.0 2.0 True
    1 0 2.0 4.0 True
    1 2 4.0 6.0 True
    """
    check_count(n_workers, name="n_workers", low=1)
    dies = [(lost or {}).get(worker, math.inf) for worker in range(n_workers)]
    free = [0.0] * n_workers
    waiting, back = list(range(len(took)))[::-1], list[tuple[float, int]]()
    made: list[Attempt] = []
    while waiting or back:
        worker = min(range(n_workers), key=free.__getitem__)
        now = free[worker]
        if now == math.inf:
            raise InvalidInputError("a worker that is not lost", "none", "lose fewer of them")
        if now >= dies[worker]:
            free[worker] = math.inf
            continue
        known = [one for one in back if one[0] <= now]
        if not known and not waiting:  # nothing to do until a loss is known
            free[worker] = min(back)[0]
            continue
        if known:
            back.remove(min(known))
        shard = min(known)[1] if known else waiting.pop()
        ended, done = now + took[shard], True
        if dies[worker] < ended:
            ended, done = dies[worker], False
            back.append((ended + notice, shard))
        free[worker] = ended if done else math.inf
        made.append(Attempt(worker, shard, now, ended, done))
    return made


def simulate(machine: Machine, job: Job, *, seed: int = 0, lost_at: float | None = None) -> float:
    """The same search event by event: tasks start, end, are lost, and are handed out again.

    Parameters
    ----------
    machine, job
        As in `predict`.
    seed
        Of the tasks' luck.
    lost_at
        Second at which worker 0 dies; None: nobody does.

    Returns
    -------
    float
        Seconds until the merged list is there.

    Raises
    ------
    InvalidInputError
        When the only worker is lost.

    Examples
    --------
    >>> quiet = Machine(scan=1e-9, task=0.0, latency=0.0, bandwidth=1e30, merge=0.0)
    >>> job = Job(n=10**6, n_queries=100, k=10, dim=32, code_bytes=4, n_shards=4, n_workers=2)
    >>> round(simulate(quiet, job), 6), round(predict(quiet, job).seconds, 6)
    (0.05, 0.05)
    """
    if lost_at is not None and job.n_workers < 2:
        raise InvalidInputError("two workers or more, to lose one", "1", "add a worker")
    luck = np.random.default_rng(seed).standard_normal(job.n_shards)
    each = machine.task + job.n_queries * job.n / job.n_shards * machine.scan
    took = (each * np.exp(machine.spread * luck)).tolist()
    lost = None if lost_at is None else {0: lost_at}
    made = attempts(took, job.n_workers, lost=lost, notice=machine.notice)
    reading = job.k * 12 * job.n_queries / machine.bandwidth
    merging = machine.merge * job.n_queries * job.k
    client_free = 0.0
    for ended in sorted(one.ended for one in made if one.done):
        client_free = max(client_free, ended + machine.latency) + reading + merging
    return client_free
