"""The grid of a study: which runs there are, declared in a TOML file and nowhere else.

A study has a tuning stage, where every method gets the same number of trials on the validation split,
and parts, which use for each method and loss the settings that its best trial had. Test images appear
in the parts only.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from gsl_tutorial.course.training.config import TrainingConfig
from gsl_tutorial.course.training.methods import MethodOptions
from gsl_tutorial.errors import (
    DataMissingError,
    InvalidInputError,
    TutorialError,
    UnknownNameError,
)
from gsl_tutorial.validation import check_count

#: A trial or a variant: settings of `MethodOptions`, or `rate`, a factor of the learning rate.
Settings = dict[str, Any]


@dataclass(frozen=True)
class StudyRun:
    """One training with its place in the grid."""

    part: str
    config: TrainingConfig
    variant: int = 0

    @property
    def name(self) -> str:
        """A file name that says what the run is."""
        c = self.config
        words = (c.protocol, c.loss, c.method, f"{c.quantizer}{c.bits}", f"seed{c.seed}")
        return "_".join(words) + (f"_v{self.variant}" if self.variant else "")


@dataclass(frozen=True)
class Part:
    """The product of its lists; `variants` are settings laid over the tuned ones."""

    name: str
    protocols: tuple[str, ...]
    losses: tuple[str, ...]
    methods: tuple[str, ...]
    quantizers: tuple[str, ...]
    bits: tuple[int, ...]
    seeds: tuple[int, ...]
    variants: tuple[Settings, ...] = ({},)

    def cells(self) -> Iterator[tuple[str, str, str, str, int, int]]:
        """Every (seed, protocol, loss, method, quantizer, bits), seeds outermost."""
        # With seeds outermost a study that is stopped early is whole for the seeds it did.
        for seed, *rest in itertools.product(
            self.seeds, self.protocols, self.losses, self.methods, self.quantizers, self.bits
        ):
            yield (*rest, seed)  # type: ignore[misc]


@dataclass(frozen=True)
class Study:
    """A declared grid. `base` holds what all runs share, `learning_rates` one rate for each loss.

    trials: loss -> method -> settings to try.
    split_seed: draws the splits of all runs alike; without one each run draws with its own seed.
    """

    name: str
    train_per_class: int
    queries: int
    base: TrainingConfig
    learning_rates: dict[str, float]
    trials: dict[str, dict[str, tuple[Settings, ...]]]
    tune: Part
    parts: tuple[Part, ...]
    split_seed: int | None = None

    def tuning(self) -> list[StudyRun]:
        """The trials: the same number for every method, on the validation split."""
        return [
            self._run(self.tune, cell, settings, variant)
            for cell in self.tune.cells()
            for variant, settings in enumerate(self.trials[cell[1]][cell[2]])
        ]

    def runs(self, part: Part, chosen: dict[tuple[str, str], Settings]) -> list[StudyRun]:
        """The runs of a part; `chosen` maps (loss, method) to the settings of its best trial."""
        return [
            self._run(part, cell, {**chosen[cell[1], cell[2]], **variant}, number)
            for cell in part.cells()
            for number, variant in enumerate(part.variants)
        ]

    def _run(
        self, part: Part, cell: tuple[str, str, str, str, int, int], settings: Settings, number: int
    ) -> StudyRun:
        protocol, loss, method, quantizer, bits, seed = cell
        settings = dict(settings)
        rate = self.learning_rates[loss] * settings.pop("rate", 1.0)
        config = replace(
            self.base,
            protocol=protocol,
            loss=loss,
            method=method,
            quantizer=quantizer,
            bits=bits,
            seed=seed,
            learning_rate=rate,
            options=MethodOptions(**settings),
        )
        return StudyRun(part.name, config, number)


def available() -> list[str]:
    """Names of the studies that come with the package."""
    here = files("gsl_tutorial.course.study")
    return sorted(Path(f.name).stem for f in here.iterdir() if f.name.endswith(".toml"))


def load_study(name: str | Path) -> Study:
    """Read a study that comes with the package, or a TOML file of the reader's own.

    Raises `UnknownNameError`, `DataMissingError` or `InvalidInputError` with the place of the fault.
    """
    if str(name) in available():
        text = (files("gsl_tutorial.course.study") / f"{name}.toml").read_text(encoding="utf-8")
    elif not str(name).endswith(".toml"):
        raise UnknownNameError("study", str(name), available())
    elif not Path(name).exists():
        raise DataMissingError(f"a study at {name}", "no such file", "check the path")
    else:
        text = Path(name).read_bytes().decode("utf-8", errors="replace")
    try:
        return _parse(tomllib.loads(text))
    except TutorialError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # TOMLDecodeError too
        raise InvalidInputError(
            "a study as gsl_tutorial/course/study/digits.toml shows it",
            f"{name}: {type(error).__name__}: {error}",
            "compare the tables and their keys",
        ) from error


def _parse(table: dict[str, Any]) -> Study:
    _check_keys(table, (*(f.name for f in fields(Study) if f.name != "trials"),))
    tune = dict(table["tune"])
    trials = {
        loss: {method: tuple(rows) for method, rows in by_method.items()}
        for loss, by_method in tune.pop("trials").items()
    }
    counts = {f"{x} {m}": len(rows) for x, by in trials.items() for m, rows in by.items()}
    fair = len({frozenset(by) for by in trials.values()}) == len(set(counts.values())) == 1
    if not fair or 0 in counts.values():
        raise InvalidInputError(
            "the same number of trials for every method and loss",
            ", ".join(f"{name} {count}" for name, count in counts.items()) or "none",
            "a comparison is fair or nothing",
        )
    methods = list(next(iter(trials.values())))
    study = Study(
        name=table["name"],
        train_per_class=check_count(table["train_per_class"], name="train_per_class", low=0),
        queries=check_count(table["queries"], name="queries", low=0),
        base=TrainingConfig(**table["base"]),
        learning_rates=table["learning_rates"],
        trials=trials,
        tune=_part({"losses": list(trials), "methods": methods, **tune, "name": "tune"}),
        parts=tuple(_part(row) for row in table["parts"]),
        split_seed=table.get("split_seed"),
    )
    names = ["tune", *(part.name for part in study.parts)]
    for name in (study.name, *names):
        if not isinstance(name, str) or not re.fullmatch(r"[\w-]+", name):
            raise InvalidInputError("a name that can be that of a folder", repr(name), "rename it")
    if len(set(names)) != len(names):  # each is a folder of results
        raise InvalidInputError(
            "another name for every part, and none called tune", ", ".join(names), "rename them"
        )
    for part in study.parts:
        if unknown := (set(part.methods) - set(study.tune.methods)) | (
            set(part.losses) - set(study.tune.losses)
        ):
            raise InvalidInputError(
                f"methods and losses that were tuned (part {part.name})",
                ", ".join(sorted(unknown)),
                "add them under [tune]",
            )
    # Every run is built once here, so that a wrong word is found before the first hour is spent.
    study.tuning()
    for part in study.parts:
        study.runs(part, {(x, m): {} for x in study.tune.losses for m in study.tune.methods})
    return study


def _part(row: dict[str, Any]) -> Part:
    _check_keys(row, tuple(f.name for f in fields(Part)))
    for key, value in row.items():
        if key != "name" and (not isinstance(value, list) or not value):
            raise InvalidInputError(f"a list of one or more for {key}", repr(value), "write [...]")
    lists = {key: tuple(value) for key, value in row.items() if key != "name"}
    return Part(name=row["name"], **lists)


def _check_keys(table: dict[str, Any], known: tuple[str, ...]) -> None:
    if extra := set(table) - set(known):
        raise InvalidInputError(
            f"the keys {', '.join(sorted(known))}", ", ".join(sorted(extra)), "mend the study"
        )
