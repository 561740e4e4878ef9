"""Running a study: one file of results for each run, and none is made twice.

A study is stopped and started at will, or shared by several processes: `share=(1, 2)` takes every other
run. What a run leaves behind is a JSON record (settings, figures, history, command, commit, seconds)
and the average precision of each of its queries, for paired comparisons.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.datasets import Dataset, Split, draw_per_class, get_protocol
from gsl_tutorial.course.results.evaluate_run import summary
from gsl_tutorial.course.results.measure import measure
from gsl_tutorial.course.study.grid import Settings, Study, StudyRun
from gsl_tutorial.course.training.embedding import embed_split
from gsl_tutorial.course.training.train_run import load_data, train_run
from gsl_tutorial.errors import DataMissingError, InvalidInputError, RunMismatchError
from gsl_tutorial.storage import load_arrays, read_json, save_arrays, write_json

Record = dict[str, Any]


class StudyResults:
    """The folder `root/<study>/<part>/` with a record for each finished run."""

    def __init__(self, study: Study, root: str | Path) -> None:
        self.study = study
        self.path = Path(root) / study.name

    def file(self, run: StudyRun) -> Path:
        """The JSON file of a run; its average precisions lie beside it."""
        return self.path / run.part / f"{run.name}.json"

    def has(self, run: StudyRun) -> bool:
        """Whether the run is finished; raises `RunMismatchError` if it had other settings."""
        path = self.file(run)
        if not path.exists():
            return False
        asked, found = _flat(what_was_asked(run, self.study)), _flat(read_json(path))
        changed = {key: found.get(key) for key, value in asked.items() if found.get(key) != value}
        # Records of the first study do not say how many images there were, nor the schedule.
        if changed := {k: v for k, v in changed.items() if v is not None or "config." in k}:
            raise RunMismatchError(
                f"{', '.join(f'{key} = {asked[key]!r}' for key in changed)} in {path.name}",
                ", ".join(f"{key} = {value!r}" for key, value in changed.items()),
                "the study was changed: move its results away or give it another name",
            )
        return True

    def save(self, run: StudyRun, record: Record, per_query: Float[np.ndarray, " B"]) -> None:
        """Write the record last: it is what marks a run as finished."""
        header = {"run": run.name, "what": "average precision of each query, ADC"}
        arrays = {"average_precision": per_query.astype(np.float16)}
        save_arrays(self.file(run).with_suffix(".safetensors"), arrays, header)
        write_json(self.file(run), record)

    def records(self, part: str) -> list[Record]:
        """All finished runs of a part, by name."""
        return [read_json(path) for path in sorted((self.path / part).glob("*.json"))]

    def per_query(self, record: Record) -> Float[np.ndarray, " B"]:
        """Average precision of each query of a run, in the order of its queries."""
        path = self.path / record["part"] / f"{record['run']}.safetensors"
        precision: np.ndarray = load_arrays(path)[0]["average_precision"]
        return precision.astype(np.float64)

    def chosen(self) -> dict[tuple[str, str], Settings]:
        """The settings of each method's best trial on the validation split, by (loss, method).

        Raises `DataMissingError` while trials are missing.
        """
        missing = [run.name for run in self.study.tuning() if not self.has(run)]
        if missing:
            raise DataMissingError(
                f"all {len(self.study.tuning())} trials of the tuning stage in {self.path}",
                f"{len(missing)} are missing, {missing[0]} among them",
                f"run it first: gsl-tutorial study {self.study.name} --part tune",
            )
        best: dict[tuple[str, str], tuple[float, Settings]] = {}
        for run in self.study.tuning():
            key = run.config.loss, run.config.method
            value = read_json(self.file(run))["adc_map"]
            if key not in best or value > best[key][0]:
                best[key] = value, self.study.trials[key[0]][key[1]][run.variant]
        return {key: settings for key, (_, settings) in best.items()}

    def planned(self, part: str) -> list[StudyRun]:
        """All runs of a part, whether finished or not; raises `InvalidInputError` for no such part."""
        if part == "tune":
            return self.study.tuning()
        for candidate in self.study.parts:
            if candidate.name == part:
                return self.study.runs(candidate, self.chosen())
        names = ", ".join(("tune", *(p.name for p in self.study.parts)))
        raise InvalidInputError(f"one of the parts {names}", part, "check the spelling")


def run_part(
    results: StudyResults,
    part: str,
    *,
    share: tuple[int, int] = (1, 1),
    provenance: dict[str, Any] | None = None,
    on_run: Callable[[StudyRun, int, int], None] = lambda run, i, n: None,
) -> int:
    """Do what is not yet done of a part; returns how many runs that were.

    share: (i, n) does every n-th run, starting with the i-th, so that n processes share a part.
    """
    i, n = share
    if not 1 <= i <= n:
        raise InvalidInputError("a share like 1/2 or 2/2", f"{i}/{n}", "count from 1")
    open_ = [run for run in results.planned(part)[i - 1 :: n] if not results.has(run)]
    for number, run in enumerate(open_):
        on_run(run, number + 1, len(open_))
        record, per_query = execute(run, results.study)
        results.save(run, {**record, **(provenance or {})}, per_query)
    return len(open_)


def execute(run: StudyRun, study: Study) -> tuple[Record, Float[np.ndarray, " B"]]:
    """Train and measure one run; returns its record and the average precision of each query."""
    config = run.config
    data = study_data(study, config.protocol, config.seed)
    model = train_run(config, data)
    classes = np.unique(data.train.labels)
    query = embed_split(model, data.query, classes=classes)
    database = embed_split(model, data.database, classes=classes)
    facts = get_protocol(config.protocol)
    codes = model.quantizer.encode(database.z)
    result = measure(
        model.quantizer,
        query,
        database,
        codes=codes,
        protocol={
            "protocol": config.protocol,
            "n_query": len(query),
            "n_train": len(data.train),
            "n_database": len(database),
            "train_in_database": facts.train_in_database,
            "query_in_database": facts.query_in_database,
        },
    )
    record = {
        "run": run.name,
        "part": run.part,
        "variant": run.variant,
        **summary(model, result),
        "loss": config.loss,
        "perplexity": float(model.quantizer.perplexity(codes).mean()),
        "options": asdict(config.options),
        "learning_rate": config.schedule.learning_rate,
        "history": model.history,
        **what_was_asked(run, study),
    }
    return record, result.per_query


def what_was_asked(run: StudyRun, study: Study) -> Record:
    """Everything that decides the figures of a run, as a record says it."""
    return {
        "config": run.config.to_dict(),
        "schedule": asdict(run.config.schedule),
        "train_per_class": study.train_per_class,
        "queries": study.queries,
    }


def _flat(record: Record, before: str = "") -> Record:
    """Settings by their path, "config.options.strength"."""
    flat: Record = {}
    for key, value in record.items():
        flat |= (
            _flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
        )
    return flat


def study_data(study: Study, protocol: str, seed: int) -> Dataset:
    """The data of a protocol, thinned to the sizes of the study; `seed` is that of the run."""
    seed = seed if study.split_seed is None else study.split_seed
    data = load_data(study.base.dataset, protocol=protocol, seed=seed)
    rng = np.random.default_rng(seed)

    def thin(split: Split, per_class: int) -> Split:
        if per_class == 0:
            return split
        return split.take(draw_per_class(split.labels, per_class, rng=rng))

    train = thin(data.train, study.train_per_class)
    seen = np.array_equal(data.train.indices, data.database.indices)
    n_classes = len(np.unique(data.query.labels))
    if 0 < study.queries < n_classes:
        raise InvalidInputError(
            f"{n_classes} queries or more, one of each class; or 0 for all there are",
            f"{study.queries}",
            "change queries in the study",
        )
    return Dataset(
        data.name,
        data.class_names,
        train=train,
        validation=data.validation,
        # Where the database is the training set, it stays the training set.
        database=train if seen else thin(data.database, study.train_per_class),
        query=thin(data.query, study.queries // n_classes),
    )
