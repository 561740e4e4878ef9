"""Making the runs of the study on the feedback loop: the world of each, its loop and its record.

A record holds the figures of each round; beside it lies each user's recall of the true best twenty in the
last round. Where users are watched, it holds what they were shown, as ids of MovieLens, and the places that
they clicked.
How runs are kept and shared by processes is in `gsl_tutorial.course.study.records`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from gsl_tutorial.course.datasets.movielens import MovieLens, find_movielens, load_movielens
from gsl_tutorial.course.study.records import Made, Record, Records
from gsl_tutorial.course.two_tower.cells import (
    genre_cells,
    merge_small_cells,
    shuffled_cells,
    text_cells,
)
from gsl_tutorial.course.two_tower.items import ItemTexts, first_cells, load_items
from gsl_tutorial.course.two_tower.loop import LoopRun, run_loop
from gsl_tutorial.course.two_tower.loop_grid import LoopStudy, PlannedLoop
from gsl_tutorial.course.two_tower.loop_world import World, make_world


class LoopResults(Records[LoopStudy, PlannedLoop]):
    """The folder of the study on the feedback loop; its queries are users."""

    beside = ("true_recall", "recall of the true best twenty of each user, in the last round")

    def planned(self, part: str) -> list[PlannedLoop]:
        """The runs of a part, whether finished or not."""
        return self.study.runs(part)

    def asked(self, run: PlannedLoop) -> Record:
        """Everything that decides the figures of a run, as its record says it."""
        return {"config": asdict(run.config), "world": run.world}

    def maker(self) -> Callable[[PlannedLoop], Made]:
        """What makes runs; titles are read once for all of them."""
        texts = load_items()
        films = load_movielens() if find_movielens() is not None else None
        return lambda run: execute_loop(run, *loop_world(run, texts, films))


def loop_world(
    run: PlannedLoop, texts: ItemTexts, films: MovieLens | None
) -> tuple[World, np.ndarray]:
    """The world of a run.

    Parameters
    ----------
    run : PlannedLoop
        Whose world.
    texts : ItemTexts
        What the language model says of each film.
    films : MovieLens or None
        Cells of genres need them.

    Returns
    -------
    world : World
        Its users are drawn by the run's seed.
    ids : (N,) integer array
        The films' ids of MovieLens.
    """
    rows, vectors, shipped = first_cells(texts, run.world["n_true_cells"])
    cells = {"text": text_cells(vectors, run.world["n_cells"], random_state=1)}
    cells["random"] = shuffled_cells(cells["text"], random_state=0)
    if films is not None:
        order = np.argsort(texts.rows(films.movie_ids))
        genres = genre_cells([films.genres[i] for i in order[rows]])
        cells["genre"] = merge_small_cells(genres, vectors)
    world = make_world(
        vectors,
        shipped["simulator"],
        cells,
        n_users=run.world["n_users"],
        sharpness=run.world["sharpness"],
        random_state=run.config.seed,
    )
    return world, texts.ids[rows]


def execute_loop(run: PlannedLoop, world: World, ids: np.ndarray) -> Made:
    """Run one loop.

    Parameters
    ----------
    run : PlannedLoop
        What to run.
    world : World
        Where.
    ids : (N,) integer array
        The films' ids, for the lists that are kept.

    Returns
    -------
    record : dict
        Figures of each round, and settings.
    per_query : (U,) float array
        Each user's recall of the true best twenty in the last round.
    """
    made = run_loop(world, run.config)
    record = {
        "config": asdict(run.config),
        "world": run.world,
        "run": run.name,
        "part": run.part,
        "number": run.number,
        "arm": run.config.arm,
        "seed": run.config.seed,
        "rounds": [_rounded(one) for one in made.rounds],
        "watched": [_watched(user, made, ids) for user in range(run.watched)],
        "loop_seconds": round(made.seconds, 1),
    }
    return record, made.recall


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        key: [round(x, 4) for x in one] if isinstance(one, list) else round(one, 5)
        for key, one in figures.items()
    }


def _watched(user: int, made: LoopRun, ids: np.ndarray) -> dict[str, Any]:
    """What one user was shown in each round, and the places that were clicked."""
    log = made.log
    clicks = [
        log.rank[(log.user == user) & (log.round == number) & log.clicked].tolist()
        for number in range(1, len(made.lists) + 1)
    ]
    shown = [ids[one[user][one[user] >= 0]].tolist() for one in made.lists]
    return {"user": user, "shown": shown, "clicked": clicks}
