"""Making the runs of the study on hard negatives: their settings, data, training and measures.

A record holds figures and the notes of each epoch; beside it lies each user's Recall@10. "ties" in a record
says how equal times and equal scores were put in order; records without it were made when both went by item
number, and stay readable. How runs are kept and shared by processes is in
`gsl_tutorial.course.study.records`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from gsl_tutorial.course.datasets.movielens import MovieLens, find_movielens, load_movielens
from gsl_tutorial.course.study.grid import Settings
from gsl_tutorial.course.study.records import Made, Record, Records
from gsl_tutorial.course.two_tower.cells import shuffled_cells, text_cells
from gsl_tutorial.course.two_tower.data import TwoTowerData, movielens_data, simulated_data
from gsl_tutorial.course.two_tower.evaluation import (
    by_codes,
    false_negative_rate,
    measure_towers,
)
from gsl_tutorial.course.two_tower.grid import (
    TwoTowerRun,
    TwoTowerStudy,
    measures_codes,
    tuned_arm,
)
from gsl_tutorial.course.two_tower.items import ItemTexts, first_cells, load_items
from gsl_tutorial.course.two_tower.training import Trained, train_towers
from gsl_tutorial.errors import DataMissingError, RunMismatchError
from gsl_tutorial.quantizers import ProductQuantizer
from gsl_tutorial.storage import read_json

#: The rule of this version, written into each record: see `datasets.interactions` and `evaluation`.
TIES = "lots"
#: Bytes for which a tower trained without a quantizer gets one afterwards.
SIZES = (8, 16, 32)


class TwoTowerResults(Records[TwoTowerStudy, TwoTowerRun]):
    """The folder of the study on hard negatives; its queries are users."""

    beside = ("recall_at_10", "Recall@10 of each user")

    def asked(self, run: TwoTowerRun) -> Record:
        """Everything that decides the figures of a run, as its record says it."""
        return _asked(run)

    def maker(self) -> Callable[[TwoTowerRun], Made]:
        """What trains and measures runs; titles and ratings are read once for all of them."""
        texts = load_items()
        films = load_movielens() if find_movielens() is not None else None
        return lambda run: execute_run(run, task_data(run, texts, films))

    def records(self, part: str, **where: Any) -> list[Record]:
        """Finished runs of a part, by name.

        Parameters
        ----------
        part : str
            Name of the part.
        **where
            Values that the records must have, such as arm="text".

        Returns
        -------
        list of dict

        Raises
        ------
        RunMismatchError
            Where some were made by another rule for ties: other events were hidden, so their users
            cannot be compared one by one.
        """
        check_ties(super().records(part), f"part {part}")
        return super().records(part, **where)

    def planned(self, part: str) -> list[TwoTowerRun]:
        """The runs of a part, whether finished or not.

        Parameters
        ----------
        part : str
            Name of the part.

        Returns
        -------
        list of TwoTowerRun

        Raises
        ------
        DataMissingError
            While the trials that it needs are missing.
        UnknownNameError
            If there is no such part.
        """
        if part == "tune":
            return self.study.runs(part, lambda *of: {})
        return self.study.runs(part, self._chosen)

    def _chosen(self, task: str, arm: str, variant: Settings) -> Settings:
        keys = ("temperature", "learning_rate")
        best = self._best("tune", task, arm=tuned_arm(arm))
        settings = {key: best["config"][key] for key in keys}
        if variant.get("method", "none") != "none" and "strength" not in variant:
            tried = self._best("codes-tune", task, method=variant["method"])
            settings["strength"] = tried["config"]["options"]["strength"]
        return settings

    def _best(self, part: str, task: str, **where: Any) -> Record:
        """The trial with the highest recall at 10, of the codes where it has codes."""
        trials = [
            run
            for run in self.study.runs(part, lambda *of: {})
            if run.task == task and all(getattr(run.config, k) == v for k, v in where.items())
        ]
        missing = [run.name for run in trials if not self.file(run).exists()]
        if missing or not trials:
            raise DataMissingError(
                f"all {len(trials)} trials of part {part} for {task}, {where}",
                f"{len(missing)} are missing",
                f"run it first: gsl-tutorial two-tower study --part {part}",
            )
        found = [read_json(self.file(run)) for run in trials]
        return max(found, key=lambda r: next(iter(r["codes"].values()), r["figures"])["recall@10"])


def check_ties(records: Sequence[Record], of: str) -> None:
    """Check that records to be compared were made by one rule for ties.

    Parameters
    ----------
    records : sequence of dict
        The records.
    of : str
        Where they come from, for the message.

    Raises
    ------
    RunMismatchError
        Where they were not.
    """
    rules = {record.get("ties", "item number") for record in records}
    if len(rules) > 1:
        raise RunMismatchError(
            f"runs of {of} with one rule for equal times and scores",
            " and ".join(sorted(rules)),
            "run the study again in another folder (--results), or move the older records away",
        )


def task_data(run: TwoTowerRun, texts: ItemTexts, films: MovieLens | None) -> TwoTowerData:
    """The data of a run.

    Parameters
    ----------
    run : TwoTowerRun
        Whose data.
    texts : ItemTexts
        What the language model says of each film.
    films : MovieLens or None
        Genres, and people's ratings, need them.

    Returns
    -------
    TwoTowerData

    Raises
    ------
    DataMissingError, EditedRatingsError
        If people's ratings are needed and not given; see `load_movielens`.
    """
    if run.task == "movielens":
        if films is None:
            films = load_movielens()  # says how to get it
        data = movielens_data(films, texts)
        vectors = data.text
    else:
        settings = dict(run.data)
        rows, vectors, cells = first_cells(texts, settings.pop("n_true_cells"))
        genres: tuple[str, ...] = ()
        if films is not None:
            order = np.argsort(texts.rows(films.movie_ids))
            genres = tuple(films.genres[i] for i in order[rows])
        data = simulated_data(
            vectors,
            cells["simulator"],
            cells["training"],
            random_state=run.config.seed,
            genres=genres,
            **settings,
        )
    if run.config.n_cells != texts.card["cells"] and run.config.arm == "text":
        data.cells["text"] = text_cells(vectors, run.config.n_cells, random_state=1)
        data.cells["random"] = shuffled_cells(data.cells["text"], random_state=0)
    return data


def execute_run(run: TwoTowerRun, data: TwoTowerData) -> Made:
    """Train and measure one run.

    Parameters
    ----------
    run : TwoTowerRun
        What to train.
    data : TwoTowerData
        From `task_data`.

    Returns
    -------
    record : dict
        Figures and settings.
    per_query : (U,) float array
        Each user's Recall@10 by exact search.
    """
    trained = train_towers(data, run.config)
    measured = measure_towers(trained, data, part=run.on)
    codes = {
        str(size): measure_towers(trained, data, part=run.on, scorer=by_codes(q)).figures
        for size, q in _quantizers(run, trained).items()
    }
    cells = {"uniform": None, **{k: v for k, v in data.cells.items() if k in ("text", "true")}}
    record = {
        **_asked(run),
        "run": run.name,
        "part": run.part,
        "number": run.number,
        "task": run.task,
        "arm": run.config.arm,
        "method": run.config.method,
        "seed": run.config.seed,
        "ties": TIES,
        "figures": _round(measured.figures),
        "codes": {size: _round(figures) for size, figures in codes.items()},
        "false_negatives": {
            name: _round(false_negative_rate(data, c)) for name, c in cells.items()
        },
        "history": [_round(one) for one in trained.history],
        "train_seconds": round(trained.seconds, 1),
    }
    return record, measured.recall_at_10


def _quantizers(run: TwoTowerRun, trained: Trained) -> dict[int, ProductQuantizer]:
    if not measures_codes(run.part):
        return {}
    if trained.quantizer is not None:
        return {run.config.bytes_per_item: trained.quantizer}
    items = trained.model.items().detach().numpy()
    return {
        size: ProductQuantizer(size, 256, random_state=run.config.seed).fit(items) for size in SIZES
    }


def _asked(run: TwoTowerRun) -> Record:
    """Everything that decides the figures of a run."""
    return {"config": asdict(run.config), "data": run.data, "on": run.on}


def _round(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _round(one) if isinstance(one, dict) else round(one, 5) for key, one in values.items()
    }
