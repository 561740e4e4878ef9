"""The grid of a study: which runs there are, declared in a TOML file and nowhere else.

A study has a tuning stage, where every method gets the same number of trials on the validation split,
and parts, which use for each method and loss the settings that its best trial had. Test images appear
in the parts only.

Codes are named by their bits, with one number of codewords for the whole study, or by cells such as
"4x16", M subspaces of K codewords. Where the tuning stage names cells, every method is tuned in each of
them, and a part takes the settings of its own cell, also for another quantizer or protocol.

The trials of a method are a ladder: one number that rises. With `more_trials` each method gets as many
trials more in each cell, and where the best one decides where: beyond the end at which it stands, by the
same factor, else between it and the better one of its two neighbours. One rule for all methods, so that
none loses because its ladder was put in the wrong place.
"""

from __future__ import annotations

import itertools
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

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
#: What settings are chosen for: (loss, method), where cells were tuned (loss, method, cell), and with
#: numbers of classes (loss, method, cell, "5 classes").
Key = tuple[str, ...]
StudyT = TypeVar("StudyT")
PartT = TypeVar("PartT")
#: Bits, or a cell "MxK".
Size = int | str


class Place(NamedTuple):
    """One element of the product that a part is.

    Attributes
    ----------
    protocol, loss, method, quantizer : str
        Names, as in a `TrainingConfig`.
    size : int or str
        Bits, or a cell "MxK".
    seed : int
        Of the run.
    classes : int
        How many of the classes; 0 for all of them.
    """

    protocol: str
    loss: str
    method: str
    quantizer: str
    size: Size
    seed: int
    classes: int = 0


@dataclass(frozen=True)
class StudyRun:
    """One training with its place in the grid.

    Attributes
    ----------
    part : str
        The part of the study to which it belongs.
    config : TrainingConfig
        All settings of the training.
    variant : int
        The number of its settings among those of the part, or among the trials.
    cell : str
        "MxK" where cells are compared, else "".
    classes : int
        How many of the classes; 0 for all of them.
    """

    part: str
    config: TrainingConfig
    variant: int = 0
    cell: str = ""
    classes: int = 0

    @property
    def name(self) -> str:
        """A file name that says what the run is."""
        c = self.config
        size = self.cell or c.bits
        words = [c.protocol, c.loss, c.method, f"{c.quantizer}{size}", f"seed{c.seed}"]
        words += [f"classes{self.classes}"] if self.classes else []
        words += [f"v{self.variant}"] if self.variant else []
        return "_".join(words)


@dataclass(frozen=True)
class Part:
    """The product of its lists.

    Parameters
    ----------
    name : str
        Of the part.
    protocols, losses, methods, quantizers : tuple of str
        Names, as in a `TrainingConfig`.
    seeds : tuple of int
        One run for each of them.
    bits : tuple of int
        Lengths of codes; either these or `cells` are given.
    cells : tuple of str
        Each "MxK".
    classes : tuple of int
        That many of the classes, drawn with the seed of the run; 0, the default, for all of them.
    variants : tuple of dict
        Settings laid over the tuned ones.
    """

    name: str
    protocols: tuple[str, ...]
    losses: tuple[str, ...]
    methods: tuple[str, ...]
    quantizers: tuple[str, ...]
    seeds: tuple[int, ...]
    bits: tuple[int, ...] = ()
    cells: tuple[str, ...] = ()
    classes: tuple[int, ...] = (0,)
    variants: tuple[Settings, ...] = ({},)

    def places(self) -> Iterator[Place]:
        """Every place of the part, seeds outermost.

        With seeds outermost a study that is stopped early is whole for the seeds it did; so is one
        of cells for the cells it did, because there methods come innermost.

        Yields
        ------
        Place
        """
        first = itertools.product(self.seeds, self.protocols, self.losses, self.classes)
        for seed, protocol, loss, classes in first:
            sizes: tuple[Size, ...] = self.cells or self.bits
            rest = (
                itertools.product(self.quantizers, sizes, self.methods)
                if self.cells
                else ((q, b, m) for m in self.methods for q in self.quantizers for b in sizes)
            )
            for quantizer, size, method in rest:
                yield Place(protocol, loss, method, quantizer, size, seed, classes)


def next_trial(rungs: Sequence[tuple[Settings, float]]) -> Settings:
    """The settings to try next, from what was tried of a ladder and how well it did.

    Parameters
    ----------
    rungs : sequence of (dict, float)
        The trials of the ladder, which differ in one number above 0, and the score of each.

    Returns
    -------
    dict
        Beyond the end where the best trial stands, else between it and its better neighbour.

    Raises
    ------
    InvalidInputError
        If the trials differ in anything but one number.

    Examples
    --------
    >>> next_trial([({"strength": 1.0}, 0.3), ({"strength": 3.0}, 0.5), ({"strength": 9.0}, 0.6)])
    {'strength': 27.0}
    >>> next_trial([({"strength": 1.0}, 0.3), ({"strength": 4.0}, 0.6), ({"strength": 16.0}, 0.5)])
    {'strength': 8.0}
    """
    knob = _knob([settings for settings, _ in rungs])
    ladder = sorted(rungs, key=lambda rung: rung[0][knob])
    values = [settings[knob] for settings, _ in ladder]
    scores = [score for _, score in ladder]
    best = scores.index(max(scores))
    if best == 0:
        value = values[0] ** 2 / values[1]
    elif best == len(values) - 1:
        value = values[-1] ** 2 / values[-2]
    else:
        beside = max(best - 1, best + 1, key=lambda i: scores[i])
        value = math.sqrt(values[best] * values[beside])
    return {**rungs[0][0], knob: float(f"{value:.3g}")}


def _knob(rows: Sequence[Settings]) -> str:
    """The one setting in which the trials of a ladder differ."""
    differ = sorted({k for row in rows for k in row if row.get(k) != rows[0].get(k)})
    values = [row.get(differ[0]) for row in rows] if len(differ) == 1 else []
    if not values or not all(isinstance(v, (int, float)) and v > 0 for v in values):
        raise InvalidInputError(
            "trials that differ in one number above 0, so that there is a next one (more_trials)",
            "; ".join(map(str, rows)),
            "write a ladder, such as {strength = 1.0}, {strength = 3.0}, or leave out more_trials",
        )
    return differ[0]


@dataclass(frozen=True)
class Study:
    """A declared grid.

    Parameters
    ----------
    name : str
        The folder of its results.
    train_per_class, queries : int
        How many training images of each class, and how many queries in all; 0 for all there are.
    base : TrainingConfig
        What all runs share.
    learning_rates : dict of str to float
        One rate for each loss.
    trials : dict
        loss -> method -> settings to try.
    tune : Part
        The places for which settings are chosen.
    parts : tuple of Part
        What is run with the chosen settings.
    split_seed : int, optional
        Draws the splits of all runs alike; without one each run draws with its own seed.
    more_trials : int
        How many trials each method gets after those, at places that the first seed decides.
    compact : bool
        Whether to keep records of few bytes, and one of a run that diverged, whose mAP counts as 0.
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
    more_trials: int = 0
    compact: bool = False

    def key(self, loss: str, method: str, size: Size, classes: int = 0) -> Key:
        """What the settings of a run are chosen for.

        Parameters
        ----------
        loss, method : str
            Of the run.
        size : int or str
            Its bits or its cell.
        classes : int
            How many of the classes; 0 for all of them.

        Returns
        -------
        tuple of str
            (loss, method), and where cells were tuned the cell and the number of classes, too.
        """
        if not self.tune.cells:
            return loss, method
        return (loss, method, str(size), *([f"{classes} classes"] if classes else []))

    def keys(self) -> list[Key]:
        """All that settings are chosen for, in the order of the tuning stage."""
        return list(dict.fromkeys(map(self._key, self.tune.places())))

    def _key(self, place: Place) -> Key:
        return self.key(place.loss, place.method, place.size, place.classes)

    def tuning(self, more: Mapping[Key, Sequence[Settings]] | None = None) -> list[StudyRun]:
        """The trials: the same number for every method, on the validation split.

        Parameters
        ----------
        more : mapping, optional
            By key the trials beyond the declared ones, as far as it is known what they are.

        Returns
        -------
        list of StudyRun
        """
        return [
            self._run(self.tune, place, settings, variant)
            for place in self.tune.places()
            for variant, settings in enumerate(
                [
                    *self.trials[place.loss][place.method],
                    *(more or {}).get(self._key(place), ()),
                ]
            )
        ]

    def runs(self, part: Part, chosen: Mapping[Key, Settings]) -> list[StudyRun]:
        """The runs of a part. Those whose settings are not chosen yet are left out.

        Parameters
        ----------
        part : Part
            Of this study.
        chosen : mapping
            By `key` the settings of its best trial.

        Returns
        -------
        list of StudyRun
        """
        return [
            self._run(part, place, {**chosen[key], **variant}, number)
            for place in part.places()
            if (key := self._key(place)) in chosen
            for number, variant in enumerate(part.variants)
        ]

    def _run(self, part: Part, place: Place, settings: Settings, number: int) -> StudyRun:
        size = place.size
        settings = dict(settings)
        rate = self.learning_rates[place.loss] * settings.pop("rate", 1.0)
        n_codewords, bits = _sizes(size) if isinstance(size, str) else (self.base.n_codewords, size)
        config = replace(
            self.base,
            protocol=place.protocol,
            loss=place.loss,
            method=place.method,
            quantizer=place.quantizer,
            bits=bits,
            n_codewords=n_codewords,
            seed=place.seed,
            learning_rate=rate,
            options=MethodOptions(**settings),
        )
        cell = size if isinstance(size, str) else ""
        return StudyRun(part.name, config, number, cell, place.classes)


def _sizes(cell: str) -> tuple[int, int]:
    """Codewords of a codebook and bits of a code, from "MxK"."""
    found = re.fullmatch(r"(\d+)x(\d+)", cell)
    M, K = (int(found[1]), int(found[2])) if found else (0, 0)
    if M < 1 or K < 2 or K & (K - 1):
        raise InvalidInputError(
            'cells such as "4x16": M subspaces of K codewords, K a power of two',
            repr(cell),
            "mend the study",
        )
    return K, M * (K.bit_length() - 1)


def available() -> list[str]:
    """Names of the studies that come with the package."""
    here = files("gsl_tutorial.course.study")
    return sorted(Path(f.name).stem for f in here.iterdir() if f.name.endswith(".toml"))


def load_study(name: str | Path) -> Study:
    """Read a study that comes with the package, or a TOML file of the reader's own.

    Parameters
    ----------
    name : str or path
        One of `available`, or a file.

    Returns
    -------
    Study

    Raises
    ------
    UnknownNameError
        If there is no such study.
    DataMissingError
        If there is no such file.
    InvalidInputError
        If the file is no study; the message has the place of the fault.
    """
    if str(name) in available():
        text = (files("gsl_tutorial.course.study") / f"{name}.toml").read_text(encoding="utf-8")
    elif not str(name).endswith(".toml"):
        raise UnknownNameError("study", str(name), available())
    else:
        text = text_of(Path(name))
    return parsed(text, _parse, name=name, like="study/digits.toml")


def text_of(path: Path) -> str:
    """The content of a reader's own TOML file.

    Parameters
    ----------
    path : Path
        The file. Bytes that are no text are left to the parser to complain of.

    Returns
    -------
    str

    Raises
    ------
    DataMissingError
        If there is no such file.
    """
    if not path.is_file():
        raise DataMissingError(f"a study at {path}", "no such file", "check the path")
    return path.read_bytes().decode("utf-8", errors="replace")


def parts_of(rows: Iterable[Mapping[str, Any]], kind: Callable[..., PartT]) -> list[PartT]:
    """Make the parts of a study of the tables of its file.

    Parameters
    ----------
    rows : iterable of mapping
        The tables, one for each part.
    kind : dataclass
        What a part is; its fields are the keys that a table may have.

    Returns
    -------
    list of kind
        Lists have become tuples.

    Raises
    ------
    InvalidInputError
        For a key that is no field.
    """
    known = tuple(f.name for f in fields(kind))  # type: ignore[arg-type]
    parts = []
    for row in rows:
        _check_keys(row, known)
        tuples = {key: tuple(v) if isinstance(v, list) else v for key, v in row.items()}
        parts.append(kind(**tuples))
    return parts


def parsed(
    text: str, parse: Callable[[dict[str, Any]], StudyT], *, name: str | Path, like: str
) -> StudyT:
    """A study from TOML, whichever it is.

    Parameters
    ----------
    text : str
        The content of the file.
    parse : callable(tables)
        Makes the study of the tables.
    name : str or path
        Of the file, for the message.
    like : str
        The file of ours, below `course/`, that shows how.

    Returns
    -------
    object
        What `parse` returns.

    Raises
    ------
    InvalidInputError
        For what is no TOML, or has other tables or keys; else what `parse` raises.
    """
    try:
        return parse(tomllib.loads(text))
    except TutorialError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # TOMLDecodeError too
        raise InvalidInputError(
            f"a study as gsl_tutorial/course/{like} shows it",
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
        more_trials=check_count(table.get("more_trials", 0), name="more_trials", low=0),
        compact=bool(table.get("compact", False)),
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
        if study.tune.cells and (missing := set(part.cells or part.bits) - set(study.tune.cells)):
            raise InvalidInputError(
                f"cells that were tuned (part {part.name})",
                ", ".join(sorted(map(str, missing))),
                "add them under [tune], or name cells where bits are named",
            )
        if unknown_counts := set(part.classes) - set(study.tune.classes):
            raise InvalidInputError(
                f"numbers of classes that were tuned (part {part.name})",
                ", ".join(map(str, sorted(unknown_counts))),
                "add them under [tune]",
            )
    if study.more_trials:
        for by_method in trials.values():
            for rows in by_method.values():
                _knob(rows)
    # Every run is built once here, so that a wrong word is found before the first hour is spent.
    study.tuning()
    every = study.keys()
    for part in study.parts:
        study.runs(part, {key: {} for key in every})
    return study


def _part(row: dict[str, Any]) -> Part:
    _check_keys(row, tuple(f.name for f in fields(Part)))
    for key, value in row.items():
        if key != "name" and (not isinstance(value, list) or not value):
            raise InvalidInputError(f"a list of one or more for {key}", repr(value), "write [...]")
    if ("bits" in row) == ("cells" in row):
        raise InvalidInputError(
            f"bits or cells in {row['name']}", "both or neither", "name the codes in one way"
        )
    lists = {key: tuple(value) for key, value in row.items() if key != "name"}
    return Part(name=row["name"], **lists)


def _check_keys(table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    if extra := set(table) - set(known):
        raise InvalidInputError(
            f"the keys {', '.join(sorted(known))}", ", ".join(sorted(extra)), "mend the study"
        )
