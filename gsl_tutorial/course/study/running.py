"""Making the runs of the study: which settings are chosen for them, their data, training and measures.

How runs are kept and shared by processes is in `records`. Where cells are tuned, a share is every n-th
(loss, method, cell) with all its trials and all that follows from them, so that no process waits for
another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.datasets import Dataset, Split, draw_per_class
from gsl_tutorial.course.results.evaluate_run import measure_model, summary
from gsl_tutorial.course.study.grid import Key, Settings, Study, StudyRun, next_trial
from gsl_tutorial.course.study.records import Made, Record, Records
from gsl_tutorial.course.training.rounds import DivergedError
from gsl_tutorial.course.training.shared_work import SharedWork
from gsl_tutorial.course.training.train_run import load_data, train_run
from gsl_tutorial.errors import DataMissingError, InvalidInputError
from gsl_tutorial.storage import read_json
from gsl_tutorial.validation import check_count


class StudyResults(Records[Study, StudyRun]):
    """The folder of a study on images: average precision of each query, settings chosen from trials.

    Parameters
    ----------
    study : Study
        Whose runs.
    root : path
        Where studies are kept.
    only_cells : sequence of str
        Do the runs of these cells only, such as ("2x4",); all of them by default.

    Raises
    ------
    InvalidInputError
        For a cell that the study does not have.
    """

    beside = ("average_precision", "average precision of each query, ADC")
    # Records of the first study do not say how many images there were, nor the schedule.
    may_lack = ("schedule", "train_per_class", "queries")

    def __init__(self, study: Study, root: str | Path, *, only_cells: Sequence[str] = ()) -> None:
        super().__init__(study, root)
        for cell in only_cells:
            if cell not in study.tune.cells:
                raise InvalidInputError(
                    f"cells of the study {study.name}: {', '.join(study.tune.cells) or 'it has none'}",
                    cell,
                    "write --cells 2x4,4x4",
                )
        self.only_cells = tuple(only_cells)

    def asked(self, run: StudyRun) -> Record:
        """Everything that decides the figures of a run, see `what_was_asked`."""
        return what_was_asked(run, self.study)

    def maker(self) -> Callable[[StudyRun], Made]:
        """What trains and measures runs; it keeps images and shared work for those that follow."""
        bench = Bench(self.study)
        return lambda run: execute(run, self.study, bench)

    def save(
        self,
        run: StudyRun,
        record: Record,
        per_query: Float[np.ndarray, " B"] | None,
        *,
        indent: int | None = 1,
    ) -> None:
        """Write a record; a compact study packs it, and keeps of its trials the means only."""
        if not self.study.compact:
            super().save(run, record, per_query, indent=indent)
        else:
            super().save(run, record, None if run.part == "tune" else per_query, indent=None)

    def unfinished(self, part: str, share: tuple[int, int]) -> Iterator[tuple[StudyRun, int]]:
        """The runs of a share that are not done.

        Parameters
        ----------
        part : str
            Name of the part.
        share : (i, n)
            Every n-th run, starting with the i-th; where cells are tuned, the runs of every n-th
            key.

        Yields
        ------
        run : StudyRun
            The next run to do.
        left : int
            How many there are from it on.

        Raises
        ------
        RunMismatchError
            If a finished run had other settings.
        """
        if not self.study.tune.cells:
            yield from super().unfinished(part, share)
            return
        i, n = share
        keys = self.study.keys()[i - 1 :: n]
        if self.only_cells:
            keys = [key for key in keys if key[2] in self.only_cells]
        # A trial may decide what the next one is, so each method is asked again after each of its trials.
        for group in [[key] for key in keys] if part == "tune" else [keys]:
            while runs := [run for run in self.planned(part, group) if not self.has(run)]:
                for number, run in enumerate(runs):
                    yield run, len(runs) - number

    def trial(self, run: StudyRun) -> float | None:
        """ADC mAP of a finished trial; None for one that is not."""
        return float(read_json(self.file(run))["adc_map"]) if self.has(run) else None

    def more(self, keys: Sequence[Key] | None = None) -> dict[Key, list[Settings]]:
        """The trials beyond the declared ones, as far as finished trials decide what they are.

        Parameters
        ----------
        keys : sequence of tuple, optional
            Those of these keys only.

        Returns
        -------
        dict
            By key the settings to try; empty for a study without such trials.
        """
        study = self.study
        if not study.more_trials:
            return {}
        first = replace(study, tune=replace(study.tune, seeds=study.tune.seeds[:1]))
        found: dict[Key, list[Settings]] = {}
        for key in study.keys() if keys is None else keys:
            added: list[Settings] = []
            while len(added) < study.more_trials:
                runs = _of(first.tuning({key: added}), study, [key])
                scores = [self.trial(run) for run in runs]
                if None in scores:
                    break
                rows = [*study.trials[key[0]][key[1]], *added]
                added.append(next_trial(list(zip(rows, scores, strict=True))))  # type: ignore[arg-type]
            found[key] = added
        return found

    def settled(self, keys: Sequence[Key] | None = None) -> dict[Key, Settings]:
        """The settings of each method's best trial, wherever all its trials are finished.

        Parameters
        ----------
        keys : sequence of tuple, optional
            Those of these keys only.

        Returns
        -------
        dict
            By key the settings.
        """
        study, more = self.study, self.more(keys)
        by_key: dict[Key, list[StudyRun]] = {}
        for run in study.tuning(more):
            key = _key(run, study)
            if keys is None or key in keys:
                by_key.setdefault(key, []).append(run)
        found: dict[Key, Settings] = {}
        for key, runs in by_key.items():
            scores: dict[int, list[float]] = {}
            for run in runs:
                score = self.trial(run)
                if score is None:
                    break
                scores.setdefault(run.variant, []).append(score)
            else:
                rows = [*study.trials[key[0]][key[1]], *more.get(key, ())]
                if len(rows) == len(study.trials[key[0]][key[1]]) + study.more_trials:
                    best = max(scores, key=lambda variant: np.mean(scores[variant]))
                    found[key] = rows[best]
        return found

    def chosen(self) -> dict[Key, Settings]:
        """The settings of each method's best trial on the validation split.

        Best is the highest mean over seeds, and the first of equals.

        Returns
        -------
        dict
            By (loss, method), and by (loss, method, cell) where cells were tuned.

        Raises
        ------
        DataMissingError
            While trials are missing.
        """
        runs = self.study.tuning(self.more())
        missing = [run.name for run in runs if not self.has(run)]
        if missing:
            raise DataMissingError(
                f"all {len(runs)} trials of the tuning stage in {self.path}",
                f"{len(missing)} are missing, {missing[0]} among them",
                f"run it first: gsl-tutorial study {self.study.name} --part tune",
            )
        return self.settled()

    def planned(self, part: str, keys: Sequence[Key] | None = None) -> list[StudyRun]:
        """All runs of a part, whether finished or not.

        Where cells are tuned, these are the runs that are known by now: a cell is ready as soon as
        its own trials are finished.

        Parameters
        ----------
        part : str
            Name of the part.
        keys : sequence of tuple, optional
            Those of these keys only.

        Returns
        -------
        list of StudyRun

        Raises
        ------
        DataMissingError
            While trials are missing from which the settings of this part are chosen.
        InvalidInputError
            If there is no such part.
        """
        study = self.study
        if part == "tune":
            return _of(study.tuning(self.more(keys)), study, keys)
        for candidate in study.parts:
            if candidate.name == part:
                chosen = self.settled(keys) if study.tune.cells else self.chosen()
                return _of(study.runs(candidate, chosen), study, keys)
        names = ", ".join(("tune", *(p.name for p in study.parts)))
        raise InvalidInputError(f"one of the parts {names}", part, "check the spelling")


def _key(run: StudyRun, study: Study) -> Key:
    return study.key(run.config.loss, run.config.method, run.cell, run.classes)


def _of(runs: list[StudyRun], study: Study, keys: Sequence[Key] | None) -> list[StudyRun]:
    return runs if keys is None else [run for run in runs if _key(run, study) in keys]


class Bench:
    """What the runs of a process have in common, kept for those that follow: images, shared work.

    Parameters
    ----------
    study : Study
        Whose runs.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._of: tuple[str, int, int] | None = None

    def data(self, protocol: str, seed: int, classes: int = 0) -> tuple[Dataset, SharedWork]:
        """The data of a run, and the work on it that is done already.

        Parameters
        ----------
        protocol : str
            Code of the protocol.
        seed : int
            Of the run.
        classes : int
            How many of the classes; 0 for all of them.

        Returns
        -------
        data : Dataset
            As the study thins it.
        work : SharedWork
            What runs on the same data share.
        """
        if self._of != (protocol, seed, classes):
            data = study_data(self.study, protocol, seed)
            self._data = few_classes(data, classes, seed=seed) if classes else data
            self._work, self._of = SharedWork(), (protocol, seed, classes)
        return self._data, self._work


def execute(run: StudyRun, study: Study, bench: Bench | None = None) -> Made:
    """Train and measure one run.

    Parameters
    ----------
    run : StudyRun
        What to train.
    study : Study
        To which it belongs.
    bench : Bench, optional
        What the runs before it have left ready; the figures are the same without.

    Returns
    -------
    record : dict
        Figures and settings. A compact study keeps a record of a run that diverged, too, with a mAP
        of 0.
    per_query : (B,) float array
        Average precision of each query.

    Raises
    ------
    DivergedError
        If the training diverged and the study is not compact.
    """
    config = run.config
    data, shared = (bench or Bench(study)).data(config.protocol, config.seed, run.classes)
    about = {"run": run.name, "part": run.part, "variant": run.variant, "loss": config.loss}
    try:
        model = train_run(config, data, shared=shared)
    except DivergedError as error:
        if not study.compact:
            raise
        record = {
            **about,
            "diverged": str(error),
            "adc_map": 0.0,
            **{name: getattr(config, name) for name in ("protocol", "method", "quantizer", "bits")},
            "seed": config.seed,
            **what_was_asked(run, study),
        }
        return record, np.zeros(len(data.query))
    trained = shared.embedded if data.database is data.train else None
    measured = measure_model(model, data, protocol=config.protocol, embedded=trained)
    record = {
        **about,
        **summary(model, measured.result),
        "loss": config.loss,
        "perplexity": float(model.quantizer.perplexity(measured.codes).mean()),
        "options": asdict(config.options),
        "learning_rate": config.schedule.learning_rate,
        "history": model.history,
        **what_was_asked(run, study),
    }
    return _rounded(record) if study.compact else record, measured.result.per_query


def _rounded(value: Any) -> Any:
    """Five digits of each number, all that a report can use; settings have no more."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        asked = ("config", "schedule")  # compared with what is asked, to the last bit
        return {key: v if key in asked else _rounded(v) for key, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list) else value


def what_was_asked(run: StudyRun, study: Study) -> Record:
    """Everything that decides the figures of a run, as a record says it.

    Parameters
    ----------
    run : StudyRun
        Its configuration, and how many classes it sees.
    study : Study
        How many training images and queries its runs have.

    Returns
    -------
    Record
    """
    return {
        "config": run.config.to_dict(),
        "schedule": asdict(run.config.schedule),
        "train_per_class": study.train_per_class,
        "queries": study.queries,
        **({"classes": run.classes} if run.classes else {}),
    }


def few_classes(data: Dataset, n: int, *, seed: int) -> Dataset:
    """The splits with some of the classes only.

    Parameters
    ----------
    data : Dataset
        With all classes.
    n : int
        How many classes, 2 or more.
    seed : int
        Draws them.

    Returns
    -------
    Dataset

    Raises
    ------
    InvalidInputError
        For fewer than 2 classes or more than there are.
    """
    check_count(n, name="classes", low=2, high=len(data.class_names))
    drawn = np.random.default_rng(seed).permutation(len(data.class_names))[:n]

    def few(split: Split) -> Split:
        return split.take(np.flatnonzero(np.isin(split.labels, drawn))) if len(split) else split

    train = few(data.train)
    return replace(
        data,
        train=train,
        validation=few(data.validation),
        database=train if data.database is data.train else few(data.database),
        query=few(data.query),
    )


def study_data(study: Study, protocol: str, seed: int) -> Dataset:
    """The data of a protocol, thinned to the sizes of the study.

    Parameters
    ----------
    study : Study
        Says how many images.
    protocol : str
        Code of the protocol.
    seed : int
        Of the run.

    Returns
    -------
    Dataset

    Raises
    ------
    InvalidInputError
        If the study has fewer queries than classes, or a class has fewer images than it asks for.
    """
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
