"""Chapter 12's cluster: scrub through a search, kill a worker, watch its task come back.

The search is simulated by `scale.costs.attempts`, which is the reference; the page does the same sums, so
that it needs no kernel. The lists that are merged are given: those that real shards answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets as T
from jaxtyping import Float, Integer
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.cluster import draw_attempts
from gsl_tutorial.course.scale.costs import Attempt, attempts
from gsl_tutorial.course.scale.merging import merge_lists
from gsl_tutorial.course.widgets.page import PageWidget, entry, rows, script, style
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_count, check_size

SCRIPT = script("lost_worker", "lost_worker_picture")
STYLE = style("explorer", "codewords", "lost_worker")


class LostWorker(PageWidget):
    """A search on a few workers, which the reader may kill, and the list that is merged meanwhile.

    Parameters
    ----------
    distances, ids : (S, k) arrays
        The list of each shard for one query, nearest first.
    took : sequence of int
        Milliseconds that the search of each shard takes.
    workers : int
        How many workers, 2 or more.
    notice : int
        Milliseconds until a loss is known.
    time : int
        Milliseconds since the search began, at first.
    lost : sequence of [worker, millisecond]
        Who is killed, and when.

    Raises
    ------
    InvalidInputError
        For lists and times that are not one for each shard, and where no worker is left. Set later, the
        same fault is a message in the widget's own area.
    """

    kind, render = "cluster", "renderCluster"
    script, style = SCRIPT, STYLE
    told = ("lists", "took", "workers", "notice", "time", "lost")
    unlinked = ("lists", "took", "workers", "notice")
    _esm, _css = entry(SCRIPT, "renderCluster"), STYLE

    lists, took, lost = rows(), rows(), rows()
    workers, notice, time = (T.Int(low).tag(sync=True) for low in (2, 0, 0))

    def __init__(
        self,
        distances: Float[np.ndarray, "S k"],
        ids: Integer[np.ndarray, "S k"],
        took: Sequence[int],
        *,
        workers: int = 3,
        notice: int = 40,
        time: int = 0,
        lost: Sequence[Sequence[int]] = (),
    ) -> None:
        super().__init__(
            lists=[
                [[float(d), int(i)] for d, i in zip(*one, strict=True)]
                for one in zip(np.asarray(distances, float), np.asarray(ids), strict=True)
            ],
            took=[int(one) for one in took],
            workers=workers,
            notice=notice,
            time=time,
            lost=[list(one) for one in lost],
        )
        self.check()

    def check(self) -> None:
        """Check what was set later.

        Raises
        ------
        InvalidInputError
            Some of it is faulty.
        """
        check_count(self.workers, name="workers", low=2)
        check_count(self.notice, name="notice", low=0)
        check_size(self.time, name="time")
        if len(self.lists) != len(self.took) or not self.took or min(self.took) < 1:
            raise InvalidInputError(
                "a list and a time of 1 ms or more for each shard",
                f"{len(self.lists)} lists, {len(self.took)} times",
                "pass as many times as lists",
            )
        is_pair = all(isinstance(one, (list, tuple)) and len(one) == 2 for one in self.lost)
        if not is_pair or not all(0 <= w < self.workers and at >= 0 for w, at in self.lost):
            raise InvalidInputError(
                f"workers from 0 to {self.workers - 1}, each with its millisecond",
                str(self.lost),
                "change lost",
            )
        if len({w for w, _ in self.lost}) == self.workers:
            raise InvalidInputError("a worker that is left", "none", "kill fewer of them")

    def attempts(self) -> list[Attempt]:
        """Who searches what, and when, in milliseconds."""
        lost = {int(worker): at for worker, at in self.lost}
        return attempts(self.took, self.workers, lost=lost, notice=self.notice)

    def merged(self) -> tuple[list[int], list[list[float]]]:
        """The shards that have answered by now, and the merged list: [distance, id] a row."""
        done = [one for one in self.attempts() if one.done and one.ended <= self.time]
        came = [one.shard for one in sorted(done, key=lambda one: (one.ended, one.worker))]
        if not came:
            return [], []
        parts = [np.array(self.lists[shard]) for shard in came]
        lists = [(p[None, :, 0], p[None, :, 1].astype(np.int64)) for p in parts]
        distances, ids = merge_lists(lists, len(self.lists[0]))
        return came, [[float(d), int(i)] for d, i in zip(distances[0], ids[0], strict=True)]

    def still(self) -> Figure:
        """The picture as it stands now, drawn by matplotlib."""
        return draw_attempts(self.attempts(), self.workers, self.time, dict(self.lost))

    def described(self) -> str:
        """What the picture shows, made from the numbers."""
        made = self.attempts()
        came, merged = self.merged()
        end = max(one.ended for one in made)
        final = _final(self.lists, [int(i) for _, i in merged])
        killed = "".join(
            f" Worker {w} is killed after {at} ms." for w, at in self.lost if at <= self.time
        )
        return (
            f"{self.workers} workers search {len(self.took)} shards. After {self.time} ms {len(came)} of "
            f"{len(self.took)} lists are merged, and {final} of the {len(self.lists[0])} nearest "
            f"vectors are found.{killed} The whole answer is there after {end:.0f} ms."
        )


def _final(lists: Sequence[Sequence[Sequence[float]]], ids: Sequence[int]) -> int:
    """How many of these ids are in the list of all shards."""
    everything: list[Any] = sorted([d, i] for one in lists for d, i in one)
    return len({i for _, i in everything[: len(lists[0])]} & set(ids))
