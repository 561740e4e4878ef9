"""Running the study on hard negatives: one record for each run, and none is made twice.

A record holds figures, the notes of each epoch, settings, command, commit and seconds; beside it lies each
user's Recall@10, for paired comparisons. "ties" in a record says how equal times and equal scores were put
in order; records without it were made when both went by item number, and stay readable. Runs are shared
between processes by `share`, as in `gsl_tutorial.course.study`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.datasets.movielens import MovieLens, find_movielens, load_movielens
from gsl_tutorial.course.two_tower.cells import shuffled_cells, text_cells
from gsl_tutorial.course.two_tower.data import TwoTowerData, movielens_data, simulated_data
from gsl_tutorial.course.two_tower.evaluation import (
    by_codes,
    false_negative_rate,
    measure_towers,
)
from gsl_tutorial.course.two_tower.grid import (
    Settings,
    TwoTowerRun,
    TwoTowerStudy,
    measures_codes,
    tuned_arm,
)
from gsl_tutorial.course.two_tower.items import ItemTexts, first_cells, load_items
from gsl_tutorial.course.two_tower.training import Trained, train_towers
from gsl_tutorial.errors import DataMissingError, InvalidInputError, RunMismatchError
from gsl_tutorial.quantizers import ProductQuantizer
from gsl_tutorial.storage import load_arrays, read_json, save_arrays, write_json

Record = dict[str, Any]
#: The rule of this version, written into each record: see `datasets.interactions` and `evaluation`.
TIES = "lots"
#: Bytes for which a tower trained without a quantizer gets one afterwards.
SIZES = (8, 16, 32)


class TwoTowerResults:
    """The folder `root/two-tower/<part>/` with a record for each finished run."""

    def __init__(self, study: TwoTowerStudy, root: str | Path) -> None:
        self.study, self.path = study, Path(root) / study.name

    def file(self, run: TwoTowerRun) -> Path:
        """The JSON file of a run; its users' recalls lie beside it."""
        return self.path / run.part / f"{run.name}.json"

    def has(self, run: TwoTowerRun) -> bool:
        """Whether the run is finished; raises `RunMismatchError` if it had other settings."""
        if not self.file(run).exists():
            return False
        found, asked = read_json(self.file(run)), _asked(run)
        if changed := {key for key, value in asked.items() if found.get(key) != value}:
            raise RunMismatchError(
                f"{', '.join(f'{key} = {asked[key]}' for key in sorted(changed))} in {run.name}",
                ", ".join(f"{key} = {found.get(key)}" for key in sorted(changed)),
                "the study was changed: move its results away",
            )
        return True

    def records(self, part: str, **where: Any) -> list[Record]:
        """Finished runs of a part, by name; `where` asks for values, such as arm="text".

        Raises `RunMismatchError` where some were made by another rule for ties: other events were hidden,
        so their users cannot be compared one by one.
        """
        found = [read_json(path) for path in sorted((self.path / part).glob("*.json"))]
        rules = {record.get("ties", "item number") for record in found}
        if len(rules) > 1:
            raise RunMismatchError(
                f"runs of part {part} with one rule for equal times and scores",
                f"{' and '.join(sorted(rules))} in {self.path / part}",
                "run the study again in another folder (--results), or move the older records away",
            )
        return [r for r in found if all(r[key] == value for key, value in where.items())]

    def per_user(self, record: Record) -> Float[np.ndarray, " U"]:
        """Recall@10 of each user of a run."""
        path = self.path / record["part"] / f"{record['run']}.safetensors"
        recall: np.ndarray = load_arrays(path)[0]["recall_at_10"]
        return recall.astype(np.float64)

    def planned(self, part: str) -> list[TwoTowerRun]:
        """The runs of a part; raises `DataMissingError` while the trials that it needs are missing."""
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


def run_two_tower(
    results: TwoTowerResults,
    part: str,
    *,
    share: tuple[int, int] = (1, 1),
    provenance: dict[str, Any] | None = None,
    on_run: Callable[[TwoTowerRun, int, int], None] = lambda run, i, n: None,
) -> int:
    """Do what is not yet done of a part; returns how many runs that were. share: as in `run_part`."""
    i, n = share
    if not 1 <= i <= n:
        raise InvalidInputError("a share like 1/2 or 2/2", f"{i}/{n}", "count from 1")
    waiting = [run for run in results.planned(part)[i - 1 :: n] if not results.has(run)]
    texts = load_items()
    films = load_movielens() if find_movielens() is not None else None
    for number, run in enumerate(waiting):
        on_run(run, number + 1, len(waiting))
        record, recall = execute_run(run, task_data(run, texts, films))
        path = results.file(run)
        header = {"run": run.name, "what": "Recall@10 of each user"}
        save_arrays(
            path.with_suffix(".safetensors"), {"recall_at_10": recall.astype(np.float16)}, header
        )
        write_json(path, {**record, **(provenance or {})})
    return len(waiting)


def task_data(run: TwoTowerRun, texts: ItemTexts, films: MovieLens | None) -> TwoTowerData:
    """The data of a run. Genres, and people's ratings, need the MovieLens files."""
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


def execute_run(run: TwoTowerRun, data: TwoTowerData) -> tuple[Record, Float[np.ndarray, " U"]]:
    """Train and measure one run; returns its record and each user's Recall@10 by exact search."""
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
